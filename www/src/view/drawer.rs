//! The drawer: what passes between clients and broker, and where offsets are kept.

use std::rc::Rc;

use partita_core::broker::RequestView;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, EventTarget, FocusEvent, PointerEvent};
use yew::prelude::*;

use super::offsets;
use super::parts::{DOWN, UP, icon, on_click};
use super::ui::Tab;
use crate::model::fold::{Folded, Kind};
use crate::model::text;
use crate::model::traffic::{Row, Shown, words};
use crate::session::Session;

/// How many rows are drawn.
const ROWS: usize = 60;

pub(crate) fn view(session: &Rc<Session>) -> Html {
    let (open, sheet, chosen, shown) = {
        let ui = session.ui.borrow();
        (!ui.drawer_closed, ui.sheet, ui.tab, ui.shown)
    };
    let tab = |tab: Tab, text: &'static str| {
        let selected = open && chosen == tab;
        let choose = on_click(session, move |session| {
            let mut ui = session.ui.borrow_mut();
            ui.sheet = !ui.sheet || ui.tab != tab;
            ui.drawer_closed = false;
            ui.tab = tab;
        });
        html! {
            <button type="button" role="tab" aria-selected={selected.to_string()} onclick={choose}>
                { text }
            </button>
        }
    };
    let (name, drawing) = match open {
        true => ("Close the drawer", DOWN),
        false => ("Open the drawer", UP),
    };
    html! {
        <section class="drawer" aria-label="Traffic and offsets" data-sheet={sheet.to_string()}>
            <div class="tabs">
                <div role="tablist" aria-label="Drawer" style="display:contents">
                    { tab(Tab::Traffic, "Traffic") }{ tab(Tab::Offsets, "Offsets") }
                </div>
                <div class="right">
                    if open && chosen == Tab::Traffic {
                        <span>{ folding(session) }</span>
                        { choice(session, shown, Shown::Errors, "Errors only") }
                        { choice(session, shown, Shown::All, "All requests") }
                    } else if open {
                        <span>{ "as ZooKeeper would hold it" }</span>
                    }
                    <button type="button" class="btn icon quiet sm" aria-label={name}
                        onclick={on_click(session, |session| {
                            let mut ui = session.ui.borrow_mut();
                            ui.drawer_closed = !ui.drawer_closed;
                        })}>{ icon(drawing) }</button>
                </div>
            </div>
            if open {
                <div class="panel" role="tabpanel" tabindex="0" style="--dh:158px"
                    aria-label={match chosen { Tab::Traffic => "Traffic", Tab::Offsets => "Offsets" }}
                    onpointerover={come(session)}
                    onpointerout={leave(session, |event: &PointerEvent| event.related_target())}
                    onfocusin={come(session)}
                    onfocusout={leave(session, |event: &FocusEvent| event.related_target())}>
                    { match chosen {
                        Tab::Traffic => traffic(session, shown),
                        Tab::Offsets => offsets::view(session),
                    } }
                </div>
            }
        </section>
    }
}

/// A button that shows these requests, or again those that say something new.
fn choice(session: &Rc<Session>, now: Shown, wanted: Shown, text: &'static str) -> Html {
    let pressed = now == wanted;
    let choose = on_click(session, move |session| {
        session.ui.borrow_mut().shown = if pressed { Shown::News } else { wanted };
    });
    html! {
        <button type="button" class="btn sm quiet" aria-pressed={pressed.to_string()}
            onclick={choose}>{ text }</button>
    }
}

/// The requests stand still while pointer or focus is among them.
fn come<E: 'static>(session: &Rc<Session>) -> Callback<E> {
    let session = Rc::clone(session);
    Callback::from(move |_| {
        let total = session.world.borrow().traffic.total();
        session.ui.borrow_mut().held.get_or_insert(total);
    })
}

/// They go on when it has left them all; `to` tells where it went.
fn leave<E: 'static>(
    session: &Rc<Session>,
    to: impl Fn(&E) -> Option<EventTarget> + 'static,
) -> Callback<E> {
    let session = Rc::clone(session);
    Callback::from(move |event: E| {
        let to = to(&event).and_then(|to| to.dyn_into::<Element>().ok());
        if to.is_none_or(|to| to.closest(".panel").ok().flatten().is_none()) {
            session.ui.borrow_mut().held = None;
            session.changed();
        }
    })
}

/// What is left out.
fn folding(session: &Session) -> String {
    let world = session.world.borrow();
    let (folded, held) = (&world.traffic.folded, session.ui.borrow().held);
    let new = held.map_or(0, |held| world.traffic.total().saturating_sub(held));
    if new > 0 {
        format!("{new} new: they wait while you look")
    } else if folded.is_folded() {
        let rate = text::number(i64::try_from(folded.rate()).unwrap_or(0));
        format!("{rate} requests/s: folded by kind")
    } else {
        "Heartbeats, refreshes and empty fetches folded".into()
    }
}

fn traffic(session: &Rc<Session>, shown: Shown) -> Html {
    let world = session.world.borrow();
    let held = session.ui.borrow().held;
    if world.traffic.folded.is_folded() && shown != Shown::Errors {
        return kinds(&world.traffic.folded);
    }
    let rows = world.traffic.rows(shown);
    let rows = rows.filter(|row| held.is_none_or(|held| row.number <= held));
    let rows: Vec<Row> = rows.take(ROWS).cloned().collect();
    if rows.is_empty() {
        return html! { <p class="hint">{ match shown {
            Shown::Errors => "No request was answered with an error.",
            Shown::News | Shown::All => "No client has asked for anything yet. Each request to the \
                broker stands here: the page's own clients, and yours in the console.",
        } }</p> };
    }
    let missing = world.traffic.missing();
    html! { <Traffic {rows} {missing} /> }
}

/// One row for each API, when requests are too many to be read.
fn kinds(folded: &Folded) -> Html {
    let kinds = folded.kinds.iter();
    let mut kinds: Vec<_> = kinds
        .filter(|(_, kind)| kind.rates.values().any(|it| it > 0))
        .collect();
    kinds.sort_by_key(|(_, kind)| std::cmp::Reverse(kind.rate));
    html! {
        <table class="traffic kinds">
            <caption class="sr">{ "Requests to the broker by API" }</caption>
            <tbody>{ for kinds.into_iter().map(|(api, kind)| html! {
                <tr key={api.clone()}>
                    <td class="api">{ api.clone() }</td>
                    <td class="who">{ clients(kind) }</td>
                    <td class="w"><svg viewBox="0 0 180 16" aria-hidden="true" preserveAspectRatio="none">
                        <path d={kind.rates.path(180.0, 15.0).unwrap_or_default()} fill="none"
                            stroke="var(--ink-2)" vector-effect="non-scaling-stroke" /></svg></td>
                    <td class="num rate">{ format!("{} /s", text::number(i64::try_from(kind.rate).unwrap_or(0))) }</td>
                    <td class="num">{ format!("p99 {} ms", kind.p99) }</td>
                    <td class="err">{ kind.errors.as_ref().map(|(error, count)| format!("{error} ×{count}")) }</td>
                </tr>
            }) }</tbody>
        </table>
    }
}

/// `p1 … p6`, or the only one.
fn clients(kind: &Kind) -> String {
    match (kind.clients.first(), kind.clients.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} … {last}"),
        (Some(only), _) => only.clone(),
        (None, _) => String::new(),
    }
}

#[derive(Clone, PartialEq, Properties)]
struct TrafficProps {
    rows: Vec<Row>,
    missing: u64,
}

#[function_component(Traffic)]
fn table(props: &TrafficProps) -> Html {
    html! {
        <table class="traffic">
            <caption class="sr">{ "Requests to the broker, newest first" }</caption>
            <tbody>
                if props.missing > 0 {
                    <tr><td class="num"></td><td class="w" colspan="5">{ format!("{} more were too many \
                        to be told one by one", props.missing) }</td></tr>
                }
                { for props.rows.iter().map(|row| draw(&row.view)) }
            </tbody>
        </table>
    }
}

fn draw(request: &RequestView) -> Html {
    let result = match (request.error.is_empty(), request.took) {
        (false, _) => String::new(),
        (true, 0) => "ok".to_owned(),
        (true, took) => format!("{took} ms"),
    };
    let took = i64::try_from(request.took).unwrap_or(0);
    let answered = request.at.saturating_add(took);
    html! {
        <tr>
            <td class="num">{ text::minute(answered) }</td>
            <td class="who">{ mark(&request.client_id) }{ request.client_id.clone() }</td>
            <td class="api">{ request.api.clone() }<small>{ format!(" v{}", request.version) }</small></td>
            <td class="w">{ words(request) }</td>
            <td class="err">{ request.error.clone() }</td>
            <td class="res">{ result }</td>
        </tr>
    }
}

/// A client's mark: square for the page's producers, round for its consumers.
fn mark(client_id: &str) -> Html {
    let number = |prefix: char| client_id.strip_prefix(prefix)?.parse::<u32>().ok();
    let (class, colour) = match (number('p'), number('c')) {
        (Some(number), _) => (
            "",
            format!("--c:var(--p-{})", number.saturating_sub(1) % 6 + 1),
        ),
        (None, Some(number)) => (
            "m",
            format!("--c:var(--m-{})", number.saturating_sub(1) % 8 + 1),
        ),
        (None, None) => ("", "--c:var(--edge)".to_owned()),
    };
    html! { <i {class} style={colour}></i> }
}
