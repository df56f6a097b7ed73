//! The entry of a host: in its dedicated worker, or in Node beside the clients.
//!
//! The bootstrap hands over one end of a channel and the options; everything after that passes
//! through ports (`port::message`).

use js_sys::Function;
use partita_core::broker::BrokerConfig;
use tokio::sync::mpsc::unbounded_channel;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::host::Host;
use crate::port::message::{HostOptions, StorageKind};
use crate::port::{self, Port};

/// Hosts the broker that `options` describe (`HostOptions`), for the client at the other end of
/// `port`. The port must not call back from within `postMessage`.
///
/// `trapped(message, last)` is called if this wasm traps, if it can still be called: the message
/// of the panic, and what the host was doing. The instance must not be called after that.
///
/// # Errors
/// An `Error` that says which option makes no sense.
#[wasm_bindgen]
pub fn run_broker(port: Port, options: JsValue, trapped: Option<Function>) -> Result<(), JsValue> {
    let refuse = |error: String| JsValue::from(js_sys::Error::new(&error));
    let options: HostOptions = port::from_js(options).map_err(refuse)?;
    let mut config =
        BrokerConfig::new(options.config.clone()).map_err(|error| refuse(error.to_string()))?;
    if options.storage == StorageKind::IndexedDb {
        config.keep_everything();
    }
    crate::host::install(trapped);
    let (sender, events) = unbounded_channel();
    let host = Host::new(options, sender).map_err(|error| refuse(format!("{error:?}")))?;
    host.attach(port);
    spawn_local(crate::host::live(host, config, events));
    Ok(())
}

/// Reads all that is stored for the broker of that name into one file, without running a broker.
///
/// # Errors
/// An `Error` that says why it cannot be read.
#[wasm_bindgen]
pub async fn export_database(name: String) -> Result<web_sys::Blob, JsValue> {
    let exported = crate::storage::indexeddb::export(&crate::host::database_name(&name)).await;
    exported.map_err(|error| js_sys::Error::new(&format!("{error:?}")).into())
}
