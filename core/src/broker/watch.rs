//! Watching: turning what has changed into events.

use super::{Broker, Event};

impl Broker {
    /// Begins or ends watching. A new watcher first gets everything as it is.
    pub fn watch(&mut self, on: bool) {
        self.observer.set_watching(on);
    }

    /// The next thing a watcher should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }
}
