//! Single keys, outside of fields: Space, `.`, `[`, `]`, `b`, `d`, Escape.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::KeyboardEvent;

use super::bar;
use crate::session::Session;

/// Listens for as long as the page lives.
pub(crate) fn listen(session: &Rc<Session>) {
    let session = Rc::clone(session);
    let pressed = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        let held = event.ctrl_key() || event.meta_key() || event.alt_key();
        if !held && !is_typed(&event) && act(&session, &event.key()) {
            event.prevent_default();
            session.changed();
        }
    });
    if let Some(document) = web_sys::window().and_then(|window| window.document())
        && let Err(error) =
            document.add_event_listener_with_callback("keydown", pressed.as_ref().unchecked_ref())
    {
        web_sys::console::warn_1(&error);
    }
    pressed.forget();
}

fn act(session: &Rc<Session>, key: &str) -> bool {
    let speed = session.speed.get();
    match key {
        " " => bar::switch_time(session),
        "." => bar::step(session),
        "[" => bar::set_speed(session, speed / 3.0),
        "]" => bar::set_speed(session, speed * 3.0),
        "b" => bar::switch_broker(session),
        "d" => {
            let mut ui = session.ui.borrow_mut();
            ui.drawer_closed = !ui.drawer_closed;
        }
        "Escape" => {
            let mut ui = session.ui.borrow_mut();
            ui.menu = None;
            ui.inspected = None;
            ui.opened.clear();
        }
        _ => return false,
    }
    true
}

/// Whether the key belongs to what has the focus: a field takes all, a button Space.
fn is_typed(event: &KeyboardEvent) -> bool {
    let target = event.target();
    let element = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let tag = element.map(|element| element.tag_name());
    match tag.as_deref() {
        Some("INPUT" | "SELECT" | "TEXTAREA") => event.key() != "Escape",
        Some("BUTTON" | "A") => event.key() == " ",
        Some(_) | None => false,
    }
}
