//! The keyboard: single keys, F6 from region to region, arrows along a strip and between strips.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, KeyboardEvent};
use yew::prelude::*;

use super::bar;
use super::parts::on_click;
use crate::clients::consumer::PageConsumer;
use crate::model::keys::{Act, Focus, SHORTCUTS, act};
use crate::session::Session;

/// Where the choice is kept whether single keys act.
const STORED: &str = "partita.keys";
const REGIONS: &str = "header.bar, .col-topics, section[aria-label=Producers], \
                       section[aria-label='Consumer groups'], section.drawer";

/// Something to try in the console.
const CONSOLE: &str = "const p = partita.producer()
await p.connect()
await p.send({ topic: \"orders\", messages: [{ key: \"de\", value: \"42\" }] })";

/// Listens for as long as the page lives.
pub(crate) fn listen(session: &Rc<Session>) {
    session.ui.borrow_mut().keys_off = storage()
        .and_then(|storage| storage.get_item(STORED).ok()?)
        .is_some_and(|kept| kept == "off");
    let session = Rc::clone(session);
    let pressed = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        let held = event.ctrl_key() || event.meta_key() || event.alt_key();
        if !held && press(&session, &event) {
            event.prevent_default();
            session.changed();
        }
    });
    if let Some(document) = document()
        && let Err(error) =
            document.add_event_listener_with_callback("keydown", pressed.as_ref().unchecked_ref())
    {
        web_sys::console::warn_1(&error);
    }
    pressed.forget();
}

fn press(session: &Rc<Session>, event: &KeyboardEvent) -> bool {
    let Some(document) = document() else {
        return false;
    };
    let focused = document.active_element();
    let letters = !session.ui.borrow().keys_off;
    let found = act(
        &event.key(),
        event.shift_key(),
        focus(focused.as_ref()),
        letters,
    );
    let Some(found) = found else {
        return focused.is_some_and(|focused| along(&document, &focused, &event.key()));
    };
    let speed = session.speed.get();
    match found {
        Act::NextRegion => return go(&document, focused.as_ref(), true),
        Act::PreviousRegion => return go(&document, focused.as_ref(), false),
        Act::Time => bar::switch_time(session),
        Act::Step => bar::step(session),
        Act::Slower => bar::set_speed(session, speed / 3.0),
        Act::Faster => bar::set_speed(session, speed * 3.0),
        Act::Broker => bar::switch_broker(session),
        Act::Send => send(session, number(focused.as_ref(), "data-producer")),
        Act::Acknowledge => acknowledge(session, number(focused.as_ref(), "data-member")),
        Act::Drawer => {
            let mut ui = session.ui.borrow_mut();
            ui.drawer_closed = !ui.drawer_closed;
        }
        Act::Help => {
            let mut ui = session.ui.borrow_mut();
            ui.help = !ui.help;
        }
        Act::Close => close(session, &document),
    }
    true
}

/// Closes what is open; the focus goes back to the record that was.
fn close(session: &Session, document: &Document) {
    let inspected = {
        let mut ui = session.ui.borrow_mut();
        ui.menu = None;
        ui.help = false;
        ui.opened.clear();
        ui.inspected.take()
    };
    let cell = inspected.and_then(|(name, offset)| {
        let selector = format!("[data-cell=\"{name}@{offset}\"]");
        document.query_selector(&selector).ok()?
    });
    if let Some(cell) = cell {
        give_focus(&cell);
    }
}

fn focus(focused: Option<&Element>) -> Focus {
    let is = |selector: &str| focused.is_some_and(|it| it.matches(selector).unwrap_or(false));
    if is("input:not([type=checkbox]):not([type=radio]), textarea, select") {
        Focus::Field
    } else if is("button, summary, a, input") {
        Focus::Control
    } else {
        Focus::Elsewhere
    }
}

/// The number of the client whose card has the focus.
fn number(focused: Option<&Element>, attribute: &str) -> Option<u32> {
    let card = focused?.closest(&format!("[{attribute}]")).ok()??;
    card.get_attribute(attribute)?.get(1..)?.parse().ok()
}

fn send(session: &Session, number: Option<u32>) {
    let producers = session.producers.borrow();
    let chosen = number.and_then(|number| producers.get(&number));
    let producer = chosen.or_else(|| producers.values().next()).cloned();
    drop(producers);
    if let Some(producer) = producer {
        producer.send_sample();
    }
}

fn acknowledge(session: &Session, number: Option<u32>) {
    let consumers = session.consumers.borrow();
    let waits = |it: &&Rc<PageConsumer>| !it.unacknowledged.borrow().is_empty();
    let chosen = number.and_then(|number| consumers.get(&number));
    let consumer = chosen.or_else(|| consumers.values().find(waits)).cloned();
    drop(consumers);
    let Some(consumer) = consumer else { return };
    let first = consumer.unacknowledged.borrow().keys().next().cloned();
    if let Some(first) = first {
        consumer.acknowledge(&first);
    }
}

/// Moves the focus along a strip's records, or to the strip above or below.
fn along(document: &Document, focused: &Element, key: &str) -> bool {
    let Some(strip) = focused.closest("[data-partition]").ok().flatten() else {
        return false;
    };
    match key {
        "ArrowUp" | "ArrowDown" => {
            let Ok(strips) = document.query_selector_all("[data-partition]") else {
                return false;
            };
            move_to(&elements(&strips), Some(&strip), key == "ArrowDown")
        }
        "ArrowLeft" | "ArrowRight" | "Home" | "End" => {
            let Ok(cells) = strip.query_selector_all("[data-cell]") else {
                return false;
            };
            let cells = elements(&cells);
            match key {
                "Home" => cells.first().is_some_and(give_focus),
                "End" => cells.last().is_some_and(give_focus),
                // From the strip itself one comes to the newest record.
                _ if !focused.has_attribute("data-cell") => cells.last().is_some_and(give_focus),
                _ => move_to(&cells, Some(focused), key == "ArrowRight"),
            }
        }
        _ => false,
    }
}

/// Gives the focus to the neighbour of an element in a row of them.
fn move_to(row: &[Element], from: Option<&Element>, forward: bool) -> bool {
    let here = row.iter().position(|it| Some(it) == from);
    let next = match (here, forward) {
        (Some(here), true) => here.saturating_add(1),
        (Some(here), false) => here.wrapping_sub(1),
        (None, true) => 0,
        (None, false) => row.len().saturating_sub(1),
    };
    row.get(next).is_some_and(give_focus)
}

/// Gives the focus to the next region, or the one before, round and round.
fn go(document: &Document, focused: Option<&Element>, forward: bool) -> bool {
    let Ok(regions) = document.query_selector_all(REGIONS) else {
        return false;
    };
    let regions = elements(&regions);
    let here = regions
        .iter()
        .find(|it| it.contains(focused.map(AsRef::as_ref)));
    move_to(&regions, here, forward) || move_to(&regions, None, forward)
}

fn give_focus(element: &Element) -> bool {
    let focusable = element.has_attribute("tabindex") || element.matches("button").unwrap_or(false);
    if !focusable && element.set_attribute("tabindex", "-1").is_err() {
        return false;
    }
    let element = element.dyn_ref::<HtmlElement>();
    element.is_some_and(|element| element.focus().is_ok())
}

fn elements(list: &web_sys::NodeList) -> Vec<Element> {
    let nodes = (0..list.length()).filter_map(|at| list.get(at));
    nodes.filter_map(|node| node.dyn_into().ok()).collect()
}

/// The list of keys, when it is open.
pub(crate) fn help(session: &Rc<Session>) -> Html {
    let (open, off) = {
        let ui = session.ui.borrow();
        (ui.help, ui.keys_off)
    };
    if !open {
        return Html::default();
    }
    let close = on_click(session, |session| session.ui.borrow_mut().help = false);
    let switch = on_click(session, |session| {
        let mut ui = session.ui.borrow_mut();
        ui.keys_off = !ui.keys_off;
        let kept = if ui.keys_off { "off" } else { "on" };
        if let Some(Err(error)) = storage().map(|storage| storage.set_item(STORED, kept)) {
            web_sys::console::warn_1(&error);
        }
    });
    html! {
        <div class="inspect keys" role="dialog" aria-label="Keys and console">
            <header><b>{ "Keys and console" }</b>
                <button type="button" class="btn sm quiet close" aria-label="Close the list of keys"
                    onclick={close}>{ "Close" }</button></header>
            <dl>
                { for SHORTCUTS.iter().map(|shortcut| html! {
                    <><dt class="mono">{ shortcut.label }</dt><dd>{ shortcut.does }</dd></>
                }) }
                <dt class="mono">{ "← →" }</dt><dd>{ "along a partition's records; ↑ ↓ between partitions" }</dd>
            </dl>
            <p class="fine">{ "Words of Kafka's explain themselves when the pointer or the focus is on \
                them." }</p>
            <p class="fine">{ "The browser's console has " }<code class="mono">{ "partita" }</code>
                { ", a client with KafkaJS's methods on this broker. What it does shows here:" }</p>
            <pre class="mono">{ CONSOLE }</pre>
            <button type="button" class="btn sm" aria-pressed={(!off).to_string()} onclick={switch}>
                { if off { "Single keys are off" } else { "Single keys act" } }
            </button>
        </div>
    }
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}
