//! What all exported clients have in common.

use std::fmt;
use std::rc::Rc;

use js_sys::{Array, Function};
use partita_core::client::{Endpoint, OpId};
use partita_core::time::Now;
use wasm_bindgen::prelude::*;

use super::link::Way;
use super::network::NetworkView;
use crate::client::Driver;
use crate::num::to_f64;
use crate::port::to_js;

/// A client and its network.
pub(super) struct Client<E> {
    driver: Rc<Driver<E>>,
}

impl<E> fmt::Debug for Client<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl<E: Endpoint + 'static> Client<E> {
    /// Puts a client onto a network. `ready` is called when it may have events, in the middle of
    /// something: it must not call the client.
    pub(super) fn new(way: &Way, ready: Function, endpoint: E) -> Self {
        let driver = Driver::new(way.network(), |_| endpoint);
        driver.set_notify(move || {
            if let Err(error) = ready.call0(&JsValue::UNDEFINED) {
                web_sys::console::error_2(&"partita: a client's events are lost".into(), &error);
            }
        });
        Self { driver }
    }

    /// Gives a command; returns the number of its operation.
    pub(super) fn op(&self, act: impl FnOnce(&mut E, Now) -> OpId) -> f64 {
        to_f64(self.with(act).0)
    }

    /// Gives a command that needs no answer.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut E, Now) -> R) -> R {
        self.driver.with(act)
    }

    /// The network's time.
    pub(super) fn now(&self) -> Now {
        self.driver.now()
    }

    /// Asks for something that changes nothing.
    pub(super) fn peek<R>(&self, look: impl FnOnce(&mut E) -> R) -> R {
        self.driver.peek(look)
    }

    /// All events that wait, each as `view` shows it.
    pub(super) fn events<T>(
        &self,
        mut poll: impl FnMut(&mut E) -> Option<T>,
        view: impl Fn(T) -> Result<JsValue, JsValue>,
    ) -> Result<Array, JsValue> {
        let events = Array::new();
        while let Some(event) = self.peek(&mut poll) {
            events.push(&view(event)?);
        }
        Ok(events)
    }

    /// Begins or ends to gather what happens on the network.
    pub(super) fn watch(&self, on: bool) {
        self.peek(|endpoint| endpoint.cluster_mut().watch(on));
    }

    /// What has happened on the network since the last call.
    pub(super) fn network_events(&self) -> Result<Array, JsValue> {
        self.events(
            |endpoint| endpoint.cluster_mut().poll_network_event(),
            |event| to_js(&NetworkView::new(event)),
        )
    }
}
