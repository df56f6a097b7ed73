//! Ports: how clients and a host reach each other, in one thread or between threads.

pub mod message;
mod out;
mod read;

use std::fmt;

use js_sys::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

pub use crate::sys::Port;
pub(crate) use out::Outbox;
pub(crate) use read::{to_client, to_host};

use crate::sys::Message;

/// Calls a handler with each message that arrives on a port, until it is dropped.
pub(crate) struct Receiver {
    port: Port,
    _handler: Closure<dyn FnMut(Message)>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

impl Receiver {
    pub(crate) fn new(port: Port, mut handler: impl FnMut(JsValue) + 'static) -> Self {
        let handler = Closure::new(move |message: Message| handler(message.data()));
        port.set_onmessage(handler.as_ref());
        Self {
            port,
            _handler: handler,
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.port.set_onmessage(&JsValue::NULL);
    }
}

/// A message as JavaScript's objects.
pub(crate) fn to_js<T: Serialize>(message: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    Ok(message.serialize(&serializer)?)
}

/// The frames of a message, if it carries any: connection and bytes.
pub(crate) fn frames(data: &JsValue) -> Option<impl Iterator<Item = (u32, JsValue)>> {
    let array = data.dyn_ref::<Array>()?.clone();
    Some((0..array.length() / 2).map(move |pair| {
        let connection = array.get(pair * 2).as_f64().map_or(0, crate::num::to_u64);
        (
            u32::try_from(connection).unwrap_or(0),
            array.get(pair * 2 + 1),
        )
    }))
}

/// Anything else that was made by [`to_js`].
pub(crate) fn from_js<T: DeserializeOwned>(data: JsValue) -> Result<T, String> {
    serde_wasm_bindgen::from_value(data).map_err(|error| error.to_string())
}
