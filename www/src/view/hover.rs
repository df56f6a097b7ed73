//! What hover and focus show: the meaning of a term, and only the lines of a card or strip.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, Event, HtmlElement, KeyboardEvent, MouseEvent};
use yew::prelude::*;

use super::wires::all;
use crate::model::terms::Term;
use crate::session::Session;

/// How far a meaning stands from its term and from the window's edges, in pixels.
const GAP: f64 = 6.0;

/// A quiet button whose meaning is a term's.
pub(crate) fn explained(
    term: Term,
    text: &'static str,
    name: String,
    onclick: Callback<MouseEvent>,
) -> Html {
    html! {
        <button type="button" class="btn sm quiet" aria-label={name} {onclick}
            data-term={term.name()} aria-describedby={id(term.name())}>{ text }</button>
    }
}

/// A term of Kafka's, which explains itself.
pub(crate) fn term(term: Term, text: impl Into<AttrValue>) -> Html {
    term_at(term, text, true)
}

/// As [`term`]; `stop` says whether the keyboard stops there.
pub(crate) fn term_at(term: Term, text: impl Into<AttrValue>, stop: bool) -> Html {
    let tabindex = stop.then_some("0");
    html! {
        <span class="term" role="term" {tabindex} data-term={term.name()} aria-describedby={id(term.name())}>
            { text.into() }
        </span>
    }
}

pub(super) fn id(name: &str) -> String {
    format!("term-{name}")
}

/// The meanings, for assistive tools to read beside their terms, and the place for the one that is
/// seen.
#[function_component(Meanings)]
pub(crate) fn meanings() -> Html {
    html! {
        <>
            <div hidden=true>
                { for Term::ALL.into_iter().map(|term| html! {
                    <p id={id(term.name())}>{ term.meaning() }</p>
                }) }
            </div>
            <div class="tip" id="tip" role="tooltip" hidden=true></div>
        </>
    }
}

/// Listens for as long as the page lives.
pub(crate) fn listen(session: &Rc<Session>) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    let over = {
        let document = document.clone();
        Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let over = event.target().and_then(|it| it.dyn_into::<Element>().ok());
            if let Err(error) = show(&document, over.as_ref()) {
                web_sys::console::warn_1(&error);
            }
        })
    };
    let out = {
        let document = document.clone();
        Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let key = event.dyn_ref::<KeyboardEvent>();
            if key.is_none_or(|event| event.key() == "Escape")
                && let Err(error) = show(&document, None)
            {
                web_sys::console::warn_1(&error);
            }
        })
    };
    let look = {
        let session = Rc::clone(session);
        Closure::<dyn FnMut(Event)>::new(move |event: Event| look_at(&session, &event))
    };
    for (names, listener) in [
        (["pointerover", "focusin"], &over),
        (["focusout", "keydown"], &out),
        (["pointerdown", "focusin"], &look),
    ] {
        for name in names {
            let listener = listener.as_ref().unchecked_ref();
            if let Err(error) = document.add_event_listener_with_callback(name, listener) {
                web_sys::console::warn_1(&error);
            }
        }
    }
    look.forget();
    over.forget();
    out.forget();
}

/// Notes which group a person turns to.
fn look_at(session: &Session, event: &Event) {
    let at = event.target().and_then(|it| it.dyn_into::<Element>().ok());
    let group = at.and_then(|it| it.closest("[data-group-id]").ok().flatten());
    if let Some(group) = group.and_then(|it| it.get_attribute("data-group-id")) {
        session.ui.borrow_mut().group = Some(group);
        session.changed();
    }
}

fn show(document: &Document, over: Option<&Element>) -> Result<(), JsValue> {
    let closest = |selector: &str| over.and_then(|it| it.closest(selector).ok().flatten());
    explain(document, closest("[data-term]").as_ref())?;
    single_out(
        document,
        closest("[data-member],[data-producer],[data-partition]").as_ref(),
    )
}

/// Shows what a term means below it, or above where there is no room.
fn explain(document: &Document, term: Option<&Element>) -> Result<(), JsValue> {
    let Some(tip) = document.get_element_by_id("tip") else {
        return Ok(());
    };
    let tip: HtmlElement = tip.unchecked_into();
    let meaning = term
        .and_then(|term| term.get_attribute("data-term"))
        .and_then(|name| document.get_element_by_id(&id(&name)))
        .and_then(|meaning| meaning.text_content());
    let (Some(term), Some(meaning)) = (term, meaning) else {
        tip.set_hidden(true);
        return Ok(());
    };
    tip.set_text_content(Some(&meaning));
    tip.set_hidden(false);
    let (at, size) = (
        term.get_bounding_client_rect(),
        tip.get_bounding_client_rect(),
    );
    let window = document.document_element().ok_or(JsValue::UNDEFINED)?;
    let width = f64::from(window.client_width());
    let height = f64::from(window.client_height());
    let most = (width - size.width() - GAP).max(GAP);
    let left = at.left().clamp(GAP, most);
    let below = at.bottom() + GAP;
    let top = match below + size.height() > height {
        true => at.top() - size.height() - GAP,
        false => below,
    };
    let style = tip.style();
    style.set_property("left", &format!("{left:.0}px"))?;
    style.set_property("top", &format!("{top:.0}px"))
}

/// Fades all lines but those of a card or strip.
fn single_out(document: &Document, card: Option<&Element>) -> Result<(), JsValue> {
    let Some(wires) = document.query_selector("svg.wires")? else {
        return Ok(());
    };
    let own = card.and_then(|card| {
        let value = |name: &str| card.get_attribute(name);
        if let Some(member) = value("data-member") {
            Some(format!("[data-owner=\"{member}\"]"))
        } else if let Some(producer) = value("data-producer") {
            Some(format!("[data-from=\"{producer}\"]"))
        } else {
            let name = value("data-partition")?;
            Some(format!("[data-wire=\"{name}\"],[data-to=\"{name}\"]"))
        }
    });
    let own = own.map_or_else(Vec::new, |selector| all(&wires, &selector));
    for line in all(&wires, ".on") {
        if !own.contains(&line) {
            line.class_list().remove_1("on")?;
        }
    }
    for line in &own {
        line.class_list().add_1("on")?;
    }
    wires
        .class_list()
        .toggle_with_force("hot", !own.is_empty())?;
    Ok(())
}
