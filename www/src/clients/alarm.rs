//! The broker's clock, for what a client does by time: steady sending, processing.
//!
//! It is the same clock that the broker and the clients' timers follow, so that all of them slow
//! down, stand still and step together.

use std::rc::{Rc, Weak};

use bytes::Bytes;
use partita_core::client::ConnId;
use partita_core::time::{Monotonic, Now};
use partita_web::client::{Handler, Link, LinkNetwork, Network};

/// Calls back at a time of the link's clock.
pub(crate) struct Alarm {
    network: Rc<LinkNetwork>,
    _woken: Rc<Woken>,
}

struct Woken(Box<dyn Fn(Now)>);

impl Handler for Woken {
    fn connected(&self, _conn: ConnId) {}
    fn received(&self, _conn: ConnId, _frame: Bytes) {}
    fn closed(&self, _conn: ConnId, _reason: String) {}
    fn woken(&self, now: Now) {
        (self.0)(now);
    }
}

impl Alarm {
    /// `woken` may be called early, when a host has been replaced: whoever sets an alarm looks at
    /// the time.
    pub(crate) fn new(link: &Rc<Link>, woken: impl Fn(Now) + 'static) -> Self {
        let network = link.network();
        let woken = Rc::new(Woken(Box::new(woken)));
        let handler: Weak<dyn Handler> = Rc::downgrade(&(Rc::clone(&woken) as Rc<dyn Handler>));
        network.set_handler(handler);
        Self {
            network,
            _woken: woken,
        }
    }

    /// Sets it, instead of what was set before; `None` for not at all.
    pub(crate) fn set(&self, at: Option<Monotonic>) {
        self.network.set_alarm(at);
        self.network.flush();
    }
}
