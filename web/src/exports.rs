//! What JavaScript sees of the clients' side.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use crate::client::Link;
use crate::port::{self, Port};

/// A thread's way to its host, for the JavaScript that starts clients with it.
#[wasm_bindgen]
#[derive(Debug, Clone)]
pub struct PortLink(Rc<Link>);

#[wasm_bindgen]
impl PortLink {
    /// A link through this port.
    #[wasm_bindgen(constructor)]
    pub fn new(port: Port) -> Self {
        Self(Link::new(port))
    }

    /// Leaves the host for the one at the end of this port: the one before is dead.
    pub fn reset(&self, port: Port) {
        self.0.reset(port);
    }

    /// Says something to the host: a `ToHost` of `port::message`.
    ///
    /// # Errors
    /// When it is none.
    pub fn say(&self, message: JsValue) -> Result<(), JsValue> {
        let message = port::from_js(message).map_err(|error| js_sys::Error::new(&error))?;
        self.0.say(&message);
        Ok(())
    }
}

impl PortLink {
    /// The link itself, for Rust.
    #[must_use]
    pub fn link(&self) -> Rc<Link> {
        Rc::clone(&self.0)
    }
}
