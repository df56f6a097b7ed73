//! What happens when this wasm instance traps: it says what it was doing, and nothing after that.
//!
//! A trapped instance is never called again. Its shell, told by the panic hook or by the error that
//! the trap throws, ends the worker; the page starts a fresh one, which recovers as after a crash.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

use super::item::Kind;
use crate::port::message::ToClient;
use crate::port::{Port, to_js};

thread_local! {
    static INSTALLED: Cell<bool> = const { Cell::new(false) };
    static LAST: Cell<Option<Kind>> = const { Cell::new(None) };
    static PORTS: RefCell<Vec<Port>> = const { RefCell::new(Vec::new()) };
    static SHELL: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Tells `shell(message, last)` of a panic from now on.
pub(crate) fn install(shell: Option<Function>) {
    SHELL.set(shell);
    if !INSTALLED.replace(true) {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            hook(info);
            before(info);
        }));
    }
}

/// Tells those at this port of a panic, until it is dropped.
#[derive(Debug)]
pub(super) struct Watch(Port);

impl Watch {
    pub(super) fn new(port: Port) -> Self {
        PORTS.with_borrow_mut(|ports| ports.push(port.clone()));
        Self(port)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let is_other =
            |port: &Port| AsRef::<JsValue>::as_ref(port) != AsRef::<JsValue>::as_ref(&self.0);
        PORTS.with_borrow_mut(|ports| ports.retain(is_other));
    }
}

/// Notes what is being done.
pub(super) fn note(kind: Kind) {
    LAST.set(Some(kind));
}

fn hook(info: &PanicHookInfo<'_>) {
    let message = info.to_string();
    let last = LAST
        .get()
        .map_or_else(|| "starting".to_owned(), |kind| kind.to_string());
    let trapped = ToClient::Trapped {
        message: message.clone(),
        last: last.clone(),
    };
    let posted = to_js(&trapped);
    let ports = PORTS.take();
    for port in ports {
        port.set_onmessage(&JsValue::NULL);
        if let Ok(posted) = &posted {
            // There is nobody left to tell if this fails; the shell is told next.
            drop(port.post_message(posted, &Array::new()));
        }
    }
    if let Some(shell) = SHELL.take() {
        drop(shell.call2(&JsValue::NULL, &message.into(), &last.into()));
    }
}

/// Traps this thread's wasm on purpose: for tests of what happens then.
#[wasm_bindgen]
#[expect(clippy::panic, reason = "the purpose of this function")]
#[allow(unreachable_pub, reason = "wasm-bindgen exports only what is public")]
pub fn trap() {
    panic!("trapped on purpose");
}
