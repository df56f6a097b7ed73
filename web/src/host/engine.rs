//! The broker and its storage: one item in, outputs carried out.

use bytes::Bytes;
use partita_core::broker::{
    Broker, BrokerConfig, BrokerState, ConnectionId, Effect, Output, Reply, StorageError,
};
use partita_core::time::{Monotonic, Now};

use super::frame::assemble;
use super::item::Item;
use crate::queue::{Place, Queue};
use crate::storage::{Chunk, Storage};
use crate::sys::random_seed;

/// One life of the broker, from its recovery to its stop.
pub(crate) struct Engine {
    pub(crate) broker: Broker,
    pub(crate) storage: Box<dyn Storage>,
    /// Tells replies to this engine from those to one before it.
    pub(crate) generation: u64,
    /// The broker's deadline that stands in the queue.
    alarm: Option<(Monotonic, Place)>,
    /// Writes and reads that storage has not answered.
    pub(crate) writes: u32,
    pub(crate) under_way: u32,
    /// Whether it finishes its writes and then ends.
    pub(crate) draining: bool,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// How a write ended, for notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrote {
    Well,
    Badly(StorageError),
}

impl Engine {
    pub(crate) fn new(
        config: BrokerConfig,
        storage: Box<dyn Storage>,
        generation: u64,
        now: Now,
    ) -> Self {
        let broker = Broker::new(config, random_seed(), now);
        Self {
            broker,
            storage,
            generation,
            alarm: None,
            writes: 0,
            under_way: 0,
            draining: false,
        }
    }

    /// Handles one item, and everything that the broker wants done for it.
    pub(crate) fn handle(
        &mut self,
        now: Now,
        item: Item,
        queue: &mut Queue<Item>,
    ) -> Option<Wrote> {
        let mut wrote = None;
        let mut at_hand: Vec<Chunk> = Vec::new();
        match item {
            Item::Connect { connection, peer } => {
                self.broker.handle_connect(now, connection, peer);
            }
            Item::Frame { connection, frame } => {
                let frame = Bytes::from(frame.to_vec());
                self.broker.handle_request(now, connection, frame);
            }
            Item::Disconnect { connection } => self.broker.handle_disconnect(now, connection),
            Item::Stored { completion, .. } => {
                self.under_way = self.under_way.saturating_sub(1);
                if let Reply::Written { result, .. } = &completion.reply {
                    self.writes = self.writes.saturating_sub(1);
                    wrote = Some(result.clone().map_or_else(Wrote::Badly, |()| Wrote::Well));
                }
                at_hand = completion.chunks;
                self.broker.handle_storage(now, completion.reply);
            }
            Item::Timeout { .. } => {
                self.alarm = None;
                self.broker.handle_timeout(now);
            }
            Item::Room { none, .. } => self.broker.handle_room(now, none),
            Item::Wake { .. } | Item::Deliver { .. } | Item::Close { .. } => {}
        }
        self.drain(now, &at_hand, queue);
        wrote
    }

    /// Carries out what the broker wants done, and notes its next deadline.
    pub(crate) fn drain(&mut self, now: Now, at_hand: &[Chunk], queue: &mut Queue<Item>) {
        while let Some(output) = self.broker.poll_output() {
            match output {
                Output::Effect(effect) => self.submit(now, effect, queue),
                Output::Response { connection, frame } => {
                    let item = match assemble(&frame, at_hand) {
                        Some(frame) => Item::Deliver { connection, frame },
                        // The broker promised to refer only to what was just read.
                        None => self.broken(now, connection),
                    };
                    queue.push(now.monotonic, item);
                }
                Output::Close { connection, reason } => {
                    queue.push(now.monotonic, Item::Close { connection, reason });
                }
            }
        }
        let due = self.broker.poll_timeout();
        if due != self.alarm.map(|(due, _)| due) {
            if let Some((_, place)) = self.alarm.take() {
                queue.remove(place);
            }
            let timeout = |due| (due, queue.push(due, Item::Timeout { due, late: false }));
            self.alarm = due.map(timeout);
        }
    }

    fn submit(&mut self, now: Now, effect: Effect, queue: &mut Queue<Item>) {
        self.under_way = self.under_way.saturating_add(1);
        if let Effect::Write(_) = effect {
            self.writes = self.writes.saturating_add(1);
        }
        if let Some(completion) = self.storage.submit(effect) {
            let generation = self.generation;
            queue.push(
                now.monotonic,
                Item::Stored {
                    generation,
                    completion,
                },
            );
        }
    }

    /// A connection whose response cannot be made: it is closed, and its client asks again.
    fn broken(&mut self, now: Now, connection: ConnectionId) -> Item {
        self.broker.handle_disconnect(now, connection);
        Item::Close {
            connection,
            reason: "a stored chunk is not what its index says",
        }
    }

    /// Tells the broker that everybody has gone.
    pub(crate) fn close_connections(&mut self, now: Now, connections: &[ConnectionId]) {
        for &connection in connections {
            self.broker.handle_disconnect(now, connection);
        }
    }

    /// What the broker does, if that is not serving.
    pub(crate) fn state(&self) -> BrokerState {
        self.broker.state()
    }
}
