//! The broker's entry in its dedicated worker.
//!
//! The bootstrap hands over one end of a `MessageChannel` and the options; everything after that
//! passes through the port.

use serde::Deserialize;
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

/// How a broker is opened; the JavaScript object that `Broker.open` builds.
#[derive(Debug, Deserialize)]
struct BrokerOptions {
    /// The broker's name, which is its database's too.
    name: String,
}

/// Runs the broker named in `options` in this worker and serves it on `port`.
///
/// Says `{ running: NAME }` on the port once it is ready for frames.
///
/// # Errors
/// When `options` is not what `Broker.open` passes, or the port refuses the message.
#[wasm_bindgen]
pub fn run_broker(port: &MessagePort, options: JsValue) -> Result<(), JsValue> {
    let options: BrokerOptions = serde_wasm_bindgen::from_value(options)?;
    let running = js_sys::Object::new();
    js_sys::Reflect::set(&running, &"running".into(), &options.name.into())?;
    port.post_message(&running)
}
