//! What is to be posted: frames gathered into one message, everything in order.

use js_sys::{Array, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

use super::{Port, to_js};

/// The sending side of a port. One message costs about as much as copying 16 KiB, so frames wait
/// for [`Outbox::flush`]; whoever adds one sees to it.
#[derive(Debug)]
pub(crate) struct Outbox {
    port: Port,
    frames: Array,
    transfer: Array,
}

impl Outbox {
    pub(crate) fn new(port: Port) -> Self {
        Self {
            port,
            frames: Array::new(),
            transfer: Array::new(),
        }
    }

    /// Adds a frame, whose buffer is given away with it.
    pub(crate) fn frame(&mut self, connection: u32, frame: &Uint8Array) {
        let buffer = frame.buffer();
        self.frames.push(&connection.into());
        self.frames.push(&buffer);
        self.transfer.push(&buffer);
    }

    /// Posts a message, behind all frames added before.
    pub(crate) fn post<T: Serialize>(&mut self, message: &T) {
        self.flush();
        match to_js(message) {
            Ok(message) => self.send(&message, &Array::new()),
            Err(error) => report(&error),
        }
    }

    /// Posts a message that is an object already.
    pub(crate) fn post_js(&mut self, message: &JsValue) {
        self.flush();
        self.send(message, &Array::new());
    }

    /// Posts a message that gives a port away.
    pub(crate) fn post_port<T: Serialize>(&mut self, message: &T, port: &MessagePort) {
        self.flush();
        let posted = to_js(message).and_then(|message| {
            Reflect::set(&message, &"port".into(), port)?;
            self.port.post_message(&message, &Array::of1(port))
        });
        if let Err(error) = posted {
            report(&error);
        }
    }

    /// Posts the frames that wait.
    pub(crate) fn flush(&mut self) {
        if self.frames.length() > 0 {
            let frames = std::mem::replace(&mut self.frames, Array::new());
            let transfer = std::mem::replace(&mut self.transfer, Array::new());
            self.send(&frames, &transfer);
        }
    }

    /// Closes the port: nobody is at its other end any more.
    pub(crate) fn close(&self) {
        if let Err(error) = self.port.close() {
            report(&error);
        }
    }

    fn send(&self, message: &JsValue, transfer: &Array) {
        if let Err(error) = self.port.post_message(message, transfer) {
            report(&error);
        }
    }
}

/// A port takes every message of ours; if one does not, somebody must be able to see it.
fn report(error: &JsValue) {
    web_sys::console::error_2(&"partita: a message could not be posted".into(), error);
}
