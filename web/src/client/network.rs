//! What a driver needs of the world: connections and a clock that wakes it.

use std::rc::Rc;

use bytes::Bytes;
use partita_core::client::ConnId;
use partita_core::time::{Monotonic, Now};

/// What a network tells a driver. May be called at any time, also from within its own methods.
pub trait Handler {
    /// A connection is open.
    fn connected(&self, conn: ConnId);
    /// A frame has come, without its length prefix.
    fn received(&self, conn: ConnId, frame: Bytes);
    /// A connection has ended, or could not be opened.
    fn closed(&self, conn: ConnId, reason: String);
    /// The time of [`Network::set_alarm`] has come.
    fn woken(&self, now: Now);
}

/// Connections to brokers, and a clock, for one driver.
pub trait Network {
    /// Says whom to tell. Called once, before anything else.
    fn set_handler(&self, handler: std::rc::Weak<dyn Handler>);
    /// Begins to connect; answered by [`Handler::connected`] or [`Handler::closed`].
    fn open(&self, conn: ConnId, host: &str, port: i32);
    /// Sends one frame, whose pieces these are, without its length prefix.
    fn send(&self, conn: ConnId, frame: &[Bytes]);
    /// Closes a connection, of which nothing more is told.
    fn close(&self, conn: ConnId);
    /// Asks to be woken at a time of this network's clock; a later call replaces an earlier one.
    fn set_alarm(&self, at: Option<Monotonic>);
    /// Posts what [`Network::send`] has gathered. Called when a driver has nothing more to do.
    fn flush(&self) {}
    /// The time.
    fn now(&self) -> Now;
}

/// A network can be shared by name only.
pub(super) type AnyNetwork = Rc<dyn Network>;
