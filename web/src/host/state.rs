//! What a host knows, and what it does with one item of its queue.

use js_sys::Uint8Array;
use partita_core::broker::{BrokerState, ConnectionId, StorageError};
use partita_core::time::{Monotonic, Now};
use tokio::sync::mpsc::UnboundedSender;

use super::connections::{Connections, PortId};
use super::engine::{Engine, Wrote};
use super::item::Item;
use super::life::{End, LifeEvent};
use super::{real, trap};
use crate::clock::Clock;
use crate::num::to_f64;
use crate::port::message::{ClockView, HostOptions, Notice, Status, ToClient};
use crate::queue::Queue;
use crate::storage::Memory;

/// An alarm that comes this much too late was held up with everything else: what arrived meanwhile
/// goes first.
const LATE_MILLIS: f64 = 500.0;

/// While storage is busy and more than this waits for it, requests wait with the host.
const MAX_STAGED_BYTES: usize = 32 << 20;

/// Everything that changes.
pub(super) struct State {
    pub(super) options: HostOptions,
    pub(super) clock: Clock,
    pub(super) queue: Queue<Item>,
    pub(super) connections: Connections,
    pub(super) engine: Option<Engine>,
    /// Outlives an engine that is stopped, as a disk would. Empty if logs are kept elsewhere.
    pub(super) memory: Memory,
    pub(super) generation: u64,
    pub(super) status: Status,
    pub(super) notices: Vec<(Notice, String)>,
    /// Items for a broker that is not there yet.
    pub(super) held: Vec<Item>,
    /// Alarms that came late, until what arrived meanwhile was taken.
    pub(super) late: Vec<Item>,
    /// Whether a step waits for storage to answer.
    pub(super) stepping: bool,
    /// When the loop last ran, by the real clock.
    pub(super) alive: f64,
    pub(super) verifying: bool,
    /// Tells `life` what has happened.
    pub(super) events: UnboundedSender<LifeEvent>,
}

impl State {
    pub(super) fn new(options: HostOptions, events: UnboundedSender<LifeEvent>) -> Self {
        let real = real();
        let restarted = options.restarted_after.clone();
        Self {
            clock: Clock::new(real, options.clock),
            options,
            queue: Queue::default(),
            connections: Connections::default(),
            engine: None,
            memory: Memory::default(),
            generation: 0,
            status: Status::Starting,
            notices: restarted
                .map(|why| (Notice::Restarted, why))
                .into_iter()
                .collect(),
            held: Vec::new(),
            late: Vec::new(),
            stepping: false,
            alive: real.monotonic,
            verifying: false,
            events,
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now(real())
    }

    pub(super) fn clock_view(&self) -> ClockView {
        let real = real();
        let now = self.clock.now(real);
        ClockView {
            at: real.monotonic,
            monotonic: to_f64(now.monotonic.0),
            wall: now.wall.0 as f64,
            rate: if self.clock.paused() {
                0.0
            } else {
                self.clock.rate()
            },
        }
    }

    /// Adds an item that is due now.
    pub(super) fn push(&mut self, item: Item) {
        let now = self.now();
        self.queue.push(now.monotonic, item);
    }

    /// A request has come.
    pub(super) fn frame(&mut self, port: PortId, number: u32, frame: &Uint8Array) {
        let Some(connection) = self.connections.find(port, number) else {
            return;
        };
        self.connections.received(connection, frame.length());
        self.push(Item::Frame {
            connection,
            frame: frame.clone(),
        });
    }

    /// Whether items are taken as they become due. A paused broker that ends still finishes.
    pub(super) fn running(&self) -> bool {
        !self.clock.paused() || self.engine.as_ref().is_some_and(|engine| engine.draining)
    }

    /// The next item that is to be taken now, with the time.
    pub(super) fn next(&mut self) -> Option<(Now, Item)> {
        let now = self.now();
        if self.running() {
            return Some((now, self.queue.pop(now.monotonic)?));
        }
        if !self.stepping {
            return None;
        }
        if let Some(item) = self.queue.pop(now.monotonic) {
            self.stepping = false;
            return Some((now, item));
        }
        // Nothing is due. What storage is about to say comes before any later time.
        if self
            .engine
            .as_ref()
            .is_some_and(|engine| engine.under_way > 0)
        {
            return None;
        }
        self.stepping = false;
        let Some(due) = self.queue.next_due() else {
            self.connections.tell_all(&ToClient::Stepped {
                what: String::new(),
            });
            return None;
        };
        self.clock.step_to(due, real());
        let view = self.clock_view();
        self.connections.tell_all(&ToClient::Clock(view));
        let now = self.now();
        Some((now, self.queue.pop(now.monotonic)?))
    }

    /// Puts an alarm off that comes late, once: frames that wait with the platform go first.
    pub(super) fn delay(&mut self, now: Now, mut item: Item) -> Option<Item> {
        let limit = LATE_MILLIS * self.clock.rate();
        let is_late = |due: Monotonic| to_f64(now.monotonic.since(due)) > limit;
        if !item.alarm_due().is_some_and(is_late) {
            return Some(item);
        }
        item.put_off();
        self.late.push(item);
        None
    }

    /// Hands an item to whom it is for.
    pub(super) fn take(&mut self, now: Now, item: Item) {
        let kind = item.kind();
        trap::note(kind);
        match item {
            Item::Wake { port, id, .. } => self.wake(now, port, id),
            Item::Deliver { connection, frame } => {
                self.connections.respond(connection, &frame);
                self.grant(connection);
            }
            Item::Close { connection, reason } => self.connections.close(connection, Some(reason)),
            item @ (Item::Connect { .. }
            | Item::Frame { .. }
            | Item::Disconnect { .. }
            | Item::Stored { .. }
            | Item::Room { .. }
            | Item::Timeout { .. }) => self.engine_item(now, item),
        }
        if self.clock.paused() {
            self.connections.tell_all(&ToClient::Stepped {
                what: kind.to_string(),
            });
        }
    }

    pub(super) fn engine_item(&mut self, now: Now, item: Item) {
        let mut connection = None;
        if let Item::Frame {
            connection: of,
            frame,
        } = &item
        {
            connection = Some(*of);
            let congested = self.is_congested();
            let Some(open) = self.connections.get(*of) else {
                return;
            };
            if congested || open.is_slow() || !open.waiting.is_empty() {
                return open.waiting.push_back(frame.clone());
            }
        }
        let Some(engine) = &mut self.engine else {
            if !matches!(item, Item::Stored { .. }) {
                self.held.push(item);
            }
            return;
        };
        if let Item::Stored { generation, .. } | Item::Room { generation, .. } = &item
            && *generation != engine.generation
        {
            return;
        }
        let wrote = engine.handle(now, item, &mut self.queue);
        if let Some(wrote) = wrote {
            self.note_write(wrote);
            for waiting in self.connections.waiting() {
                self.release(now, waiting);
            }
        }
        if let Some(connection) = connection {
            self.grant(connection);
        }
    }

    /// Whether so much waits for storage that nothing more is taken.
    fn is_congested(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| {
            engine.writes > 0 && engine.broker.staged_bytes() > MAX_STAGED_BYTES
        })
    }

    /// Takes the requests of a connection that had to wait, as far as they need not any more. They
    /// do not go through the queue again, where later ones may stand by now.
    pub(super) fn release(&mut self, now: Now, connection: ConnectionId) {
        let Some(open) = self.connections.get(connection) else {
            return;
        };
        for frame in std::mem::take(&mut open.waiting) {
            self.engine_item(now, Item::Frame { connection, frame });
        }
    }

    /// Lets a connection send more, if requests of it are finished.
    pub(super) fn grant(&mut self, connection: ConnectionId) {
        let Some(engine) = &self.engine else { return };
        let unanswered = engine.broker.unanswered_bytes(connection);
        self.connections.grant(connection, unanswered);
    }

    /// A client's alarm.
    pub(super) fn wake(&mut self, now: Now, port: PortId, id: u32) {
        if let Some(port) = self.connections.port(port) {
            port.alarms.remove(&id);
            let (monotonic, wall) = (to_f64(now.monotonic.0), now.wall.0 as f64);
            port.out.post(&ToClient::Wake {
                id,
                monotonic,
                wall,
            });
        }
    }

    /// Notices what writes say of the storage.
    fn note_write(&mut self, wrote: Wrote) {
        match wrote {
            Wrote::Well => self.notice(Notice::StorageFailing, None),
            // The broker knows when there is room again, and the status says what ends the engine.
            Wrote::Badly(
                StorageError::QuotaExceeded(_) | StorageError::Fenced(_) | StorageError::Closed(_),
            ) => {}
            Wrote::Badly(error) => self.notice(Notice::StorageFailing, Some(error.to_string())),
        }
    }

    /// Makes a notice known, or says that it is over.
    pub(super) fn notice(&mut self, notice: Notice, message: Option<String>) {
        let held = self.notices.iter().position(|(held, _)| *held == notice);
        match (message, held) {
            (Some(message), None) => {
                self.notices.push((notice, message.clone()));
                self.connections.tell_all(&ToClient::Notice {
                    notice,
                    message,
                    on: true,
                });
            }
            (None, Some(at)) => {
                let (notice, message) = self.notices.remove(at);
                self.connections.tell_all(&ToClient::Notice {
                    notice,
                    message,
                    on: false,
                });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// Makes the status known.
    pub(super) fn set_status(&mut self, status: Status) {
        if self.status != status {
            self.status = status.clone();
            self.connections.tell_all(&ToClient::Status(status));
        }
    }

    /// Notes what has become of the engine since the last turn.
    pub(super) fn note_state(&mut self) {
        let Some(engine) = &self.engine else { return };
        match engine.state() {
            BrokerState::Recovering => {}
            BrokerState::Running | BrokerState::StorageFull(_) if engine.draining => {}
            BrokerState::Running => self.serves(None),
            BrokerState::StorageFull(why) => self.serves(Some(why)),
            BrokerState::Failed(why) => self.end(End::Failed(why)),
        }
        let drained = |engine: &Engine| engine.draining && engine.writes == 0;
        if self.engine.as_ref().is_some_and(drained) {
            self.end(End::Drained);
        }
    }

    /// The engine serves; `full` says why it takes no records, if so.
    fn serves(&mut self, full: Option<String>) {
        if let Some(engine) = &self.engine {
            let epoch = engine.storage.epoch();
            self.set_status(Status::Running { epoch });
        }
        self.notice(Notice::StorageFull, full);
    }

    /// Tells `life` that the engine cannot go on, or has finished.
    pub(super) fn end(&mut self, end: End) {
        let generation = self.generation;
        self.tell_life(LifeEvent::Engine { generation, end });
    }

    pub(super) fn tell_life(&mut self, event: LifeEvent) {
        // When nobody listens any more, the host has ended.
        drop(self.events.send(event));
    }
}
