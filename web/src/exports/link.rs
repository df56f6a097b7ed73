//! How clients reach brokers: through a port to a host, or through JavaScript's sockets.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use crate::client::{Link, Network, Transport, TransportNetwork};
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
        let message = port::to_host(&message).map_err(|error| js_sys::Error::new(&error))?;
        self.0.say(&message);
        Ok(())
    }

    /// The way that clients take through this link.
    pub fn way(&self) -> Way {
        Way(Kind::Link(self.link()))
    }
}

impl PortLink {
    /// The link itself, for Rust.
    #[must_use]
    pub fn link(&self) -> Rc<Link> {
        Rc::clone(&self.0)
    }
}

/// A way to brokers. Any number of clients can take it.
#[wasm_bindgen]
#[derive(Debug, Clone)]
pub struct Way(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Link(Rc<Link>),
    Transport(Transport),
}

#[wasm_bindgen]
impl Way {
    /// Through the streams that this transport opens.
    #[wasm_bindgen(js_name = throughTransport)]
    pub fn through_transport(transport: Transport) -> Self {
        Self(Kind::Transport(transport))
    }
}

impl Way {
    /// A network for one client.
    pub(super) fn network(&self) -> Rc<dyn Network> {
        match &self.0 {
            Kind::Link(link) => link.network(),
            Kind::Transport(transport) => TransportNetwork::new(transport.clone()),
        }
    }
}
