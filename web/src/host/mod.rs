//! The broker's host: one queue through which everything passes, in order.
//!
//! Requests, storage replies, alarms and deliveries to clients are items of one queue, ordered by
//! (time due, arrival). The host takes one after the other, hands it to whom it is for, and carries
//! out what the broker wants done. A clock that the playground owns decides what is due: paused, the
//! queue is not drained; a step takes one item.
//!
//! - `item`: what is ordered, by `queue` and the time of `clock`.
//! - `engine`: the broker with its storage. `life`: when there is one. `election`: and where.
//! - `connections`: ports, connections and their windows. `command`: what clients say.

mod command;
mod connections;
mod election;
mod engine;
mod estimate;
mod frame;
mod item;
mod life;
mod trap;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use partita_core::broker::{BrokerState, ConnectionId, StorageError};
use partita_core::time::{Monotonic, Now};
use tokio::sync::mpsc::UnboundedSender;
use wasm_bindgen::prelude::*;

use crate::clock::{Clock, Real};
use crate::num::to_f64;
use crate::port::message::{ClockView, HostOptions, Notice, Status, ToClient};
use crate::port::{self, Outbox, Port, Receiver};
use crate::queue::Queue;
use crate::storage::{Completion, Lost};
use crate::sys::{self, Again, Timer};
use connections::{Connections, PortId};
use engine::{Engine, Wrote};
use item::Item;
use life::{End, LifeEvent};

pub(crate) use life::{database_name, live};
pub(crate) use trap::install;

/// A host whose loop stood still for longer makes sure that it was not replaced meanwhile, before
/// it answers anything. Shorter than the silence after which others take its place.
pub(crate) const LEASE_MILLIS: f64 = 2_000.0;
/// How long the host goes on without letting the browser do other things.
const TURN_MILLIS: f64 = 8.0;
/// An alarm that comes this much too late was held up with everything else: what arrived meanwhile
/// goes first.
const LATE_MILLIS: f64 = 500.0;
/// Watchers are told about once per frame of their display.
const FRAME_MILLIS: f64 = 16.0;

/// A host, as its callbacks see it.
pub(crate) struct Host {
    state: RefCell<State>,
    /// Calls [`Host::turn`] when the next item is due.
    timer: Timer,
    /// Calls [`Host::tell_watchers`].
    watch_timer: Timer,
    watch_due: Cell<bool>,
    /// Calls [`Host::turn`] after everything that the platform has queued by now.
    again: Again,
}

/// Everything that changes.
struct State {
    options: HostOptions,
    clock: Clock,
    queue: Queue<Item>,
    connections: Connections,
    engine: Option<Engine>,
    generation: u64,
    status: Status,
    notices: Vec<(Notice, String)>,
    /// Items for a broker that is not there yet.
    held: Vec<Item>,
    /// Alarms that came late, until what arrived meanwhile was taken.
    late: Vec<Item>,
    /// Whether a step waits for storage to answer.
    stepping: bool,
    /// When the loop last ran, by the real clock.
    alive: f64,
    verifying: bool,
    /// Tells `life` what has happened.
    events: UnboundedSender<LifeEvent>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

fn real() -> Real {
    Real {
        monotonic: sys::monotonic_now(),
        wall: sys::wall_now(),
    }
}

impl Host {
    /// A host without an engine; `life` gives it one.
    ///
    /// # Errors
    /// Where the platform lacks what every host needs.
    pub(crate) fn new(
        options: HostOptions,
        events: UnboundedSender<LifeEvent>,
    ) -> Result<Rc<Self>, JsValue> {
        let again = Again::new()?;
        let host = Rc::new_cyclic(|weak: &std::rc::Weak<Self>| {
            let call = |act: fn(&Rc<Self>)| {
                let weak = weak.clone();
                move || {
                    if let Some(host) = weak.upgrade() {
                        act(&host);
                    }
                }
            };
            let clock = Clock::new(real(), options.clock);
            let restarted = options.restarted_after.clone();
            let state = State {
                options,
                clock,
                queue: Queue::default(),
                connections: Connections::default(),
                engine: None,
                generation: 0,
                status: Status::Starting,
                notices: restarted
                    .map(|why| (Notice::Restarted, why))
                    .into_iter()
                    .collect(),
                held: Vec::new(),
                late: Vec::new(),
                stepping: false,
                alive: sys::monotonic_now(),
                verifying: false,
                events,
            };
            Self {
                state: RefCell::new(state),
                timer: Timer::new(call(Self::turn)),
                watch_timer: Timer::new(call(Self::tell_watchers)),
                watch_due: Cell::new(false),
                again,
            }
        });
        let weak = Rc::downgrade(&host);
        host.again.call(move || {
            if let Some(host) = weak.upgrade() {
                host.resume();
            }
        });
        Ok(host)
    }

    /// Listens to a port from now on.
    pub(crate) fn attach(self: &Rc<Self>, port: Port) {
        let mut state = self.state.borrow_mut();
        let id = state.connections.next_port();
        let weak = Rc::downgrade(self);
        let receiver = Receiver::new(port.clone(), move |data| {
            if let Some(host) = weak.upgrade() {
                host.received(id, data);
            }
        });
        trap::watch(&port);
        let mut out = Outbox::new(port);
        out.post(&ToClient::Clock(state.clock_view()));
        out.post(&ToClient::Status(state.status.clone()));
        for (notice, message) in state.notices.clone() {
            out.post(&ToClient::Notice {
                notice,
                message,
                on: true,
            });
        }
        state.connections.add_port(id, out, receiver);
    }

    /// A message has come.
    fn received(self: &Rc<Self>, id: PortId, data: JsValue) {
        if let Some(frames) = port::frames(&data) {
            let mut state = self.state.borrow_mut();
            for (number, buffer) in frames {
                state.frame(id, number, &Uint8Array::new(&buffer));
            }
        } else {
            self.command(id, data);
        }
        self.turn();
    }

    /// Storage has answered.
    fn stored(self: &Rc<Self>, generation: u64, completion: Completion) {
        self.state.borrow_mut().push(Item::Stored {
            generation,
            completion,
        });
        self.turn();
    }

    /// Late alarms are taken now, behind what arrived before this.
    fn resume(self: &Rc<Self>) {
        {
            let mut state = self.state.borrow_mut();
            for item in std::mem::take(&mut state.late) {
                state.push(item);
            }
        }
        self.turn();
    }

    /// Takes what is due, in order, for a while.
    fn turn(self: &Rc<Self>) {
        if self.verify() {
            return;
        }
        let mut state = self.state.borrow_mut();
        let begun = state.alive;
        let mut taken: u32 = 0;
        let mut more = false;
        while let Some((now, item)) = state.next() {
            if let Some(item) = state.delay(now, item) {
                state.take(now, item);
            }
            taken = taken.wrapping_add(1);
            if taken.is_multiple_of(16) && sys::monotonic_now() - begun > TURN_MILLIS {
                more = true;
                break;
            }
        }
        state.alive = sys::monotonic_now();
        self.finish_turn(&mut state, more);
    }

    /// Posts what is to be posted, and sees to it that the next turn comes.
    fn finish_turn(self: &Rc<Self>, state: &mut State, more: bool) {
        state.note_state();
        state.connections.ports().for_each(|port| port.out.flush());
        if more || !state.late.is_empty() {
            self.again.soon();
        }
        let real = real();
        let wait = match state.running() {
            true => state
                .queue
                .next_due()
                .and_then(|due| state.clock.until(due, real)),
            false => None,
        };
        self.timer.set(wait);
        if state.engine.is_some()
            && !self.watch_due.get()
            && state.connections.ports().any(|port| port.watching)
        {
            self.watch_due.set(true);
            self.watch_timer.set(Some(FRAME_MILLIS));
        }
    }

    /// If the loop stood still: makes sure that this host was not replaced. Whether the turn must
    /// wait for that.
    fn verify(self: &Rc<Self>) -> bool {
        let mut state = self.state.borrow_mut();
        let now = sys::monotonic_now();
        let away = now - state.alive > LEASE_MILLIS;
        state.alive = now;
        if state.verifying {
            return true;
        }
        let Some(engine) = state.engine.as_ref().filter(|_| away) else {
            return false;
        };
        let weak = Rc::downgrade(self);
        let generation = state.generation;
        let then: Box<dyn FnOnce(bool)> = Box::new(move |ours| {
            let Some(host) = weak.upgrade() else { return };
            {
                let mut state = host.state.borrow_mut();
                if state.generation != generation {
                    return;
                }
                state.verifying = false;
            }
            match ours {
                true => host.turn(),
                false => host.lost(generation, Lost::Fenced),
            }
        });
        if engine.storage.verify(then).is_some() {
            return false;
        }
        state.verifying = true;
        true
    }

    /// Tells those who watch what has changed.
    fn tell_watchers(self: &Rc<Self>) {
        self.watch_due.set(false);
        let mut state = self.state.borrow_mut();
        let State {
            engine,
            connections,
            ..
        } = &mut *state;
        let Some(engine) = engine else { return };
        let events: Vec<_> = std::iter::from_fn(|| engine.broker.poll_event()).collect();
        if events.is_empty() {
            return;
        }
        let message = ToClient::Events { events };
        connections
            .ports()
            .filter(|port| port.watching)
            .for_each(|port| port.out.post(&message));
    }
}

impl State {
    fn now(&self) -> Now {
        self.clock.now(real())
    }

    fn clock_view(&self) -> ClockView {
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
    fn push(&mut self, item: Item) {
        let now = self.now();
        self.queue.push(now.monotonic, item);
    }

    /// A request has come.
    fn frame(&mut self, port: PortId, number: u32, frame: &Uint8Array) {
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
    fn running(&self) -> bool {
        !self.clock.paused() || self.engine.as_ref().is_some_and(|engine| engine.draining)
    }

    /// The next item that is to be taken now, with the time.
    fn next(&mut self) -> Option<(Now, Item)> {
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
    fn delay(&mut self, now: Now, item: Item) -> Option<Item> {
        let limit = LATE_MILLIS * self.clock.rate();
        let is_late = |due: Monotonic| to_f64(now.monotonic.since(due)) > limit;
        match item {
            Item::Timeout { due, late: false } if is_late(due) => {
                self.late.push(Item::Timeout { due, late: true });
                None
            }
            Item::Wake {
                port,
                id,
                due,
                late: false,
            } if is_late(due) => {
                self.late.push(Item::Wake {
                    port,
                    id,
                    due,
                    late: true,
                });
                None
            }
            item => Some(item),
        }
    }

    /// Hands an item to whom it is for.
    fn take(&mut self, now: Now, item: Item) {
        let kind = item.kind();
        trap::note(kind);
        match item {
            Item::Wake { port, id, .. } => self.wake(now, port, id),
            Item::Deliver { connection, frame } => {
                self.connections.respond(connection, &frame);
                self.grant(connection);
            }
            Item::Close { connection, reason } => self.connections.close(connection, Some(reason)),
            item => self.engine_item(now, item),
        }
        if self.clock.paused() {
            self.connections.tell_all(&ToClient::Stepped {
                what: kind.to_string(),
            });
        }
    }

    fn engine_item(&mut self, now: Now, item: Item) {
        let connection = match &item {
            Item::Frame { connection, .. } => Some(*connection),
            _ => None,
        };
        let item = match (connection, item) {
            (Some(connection), Item::Frame { frame, .. }) => {
                let Some(open) = self.connections.get(connection) else {
                    return;
                };
                if open.is_slow() || !open.waiting.is_empty() {
                    return open.waiting.push_back(frame);
                }
                Item::Frame { connection, frame }
            }
            (_, item) => item,
        };
        let Some(engine) = &mut self.engine else {
            if !matches!(item, Item::Stored { .. }) {
                self.held.push(item);
            }
            return;
        };
        if let Item::Stored { generation, .. } = &item
            && *generation != engine.generation
        {
            return;
        }
        let wrote = engine.handle(now, item, &mut self.queue);
        if let Some(wrote) = wrote {
            self.note_write(wrote);
        }
        if let Some(connection) = connection {
            self.grant(connection);
        }
    }

    /// Lets a connection send more, if requests of it are finished.
    fn grant(&mut self, connection: ConnectionId) {
        let Some(engine) = &self.engine else { return };
        let unanswered = engine.broker.unanswered_bytes(connection);
        self.connections.grant(connection, unanswered);
    }

    /// A client's alarm.
    fn wake(&mut self, now: Now, port: PortId, id: u32) {
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

    /// Notices what writes say of the storage's room.
    fn note_write(&mut self, wrote: Wrote) {
        match wrote {
            Wrote::Well => {
                self.notice(Notice::StorageFull, None);
                self.notice(Notice::StorageFailing, None);
            }
            Wrote::Badly(StorageError::QuotaExceeded(message)) => {
                self.notice(Notice::StorageFull, Some(message));
            }
            // These end the engine; the status says it.
            Wrote::Badly(StorageError::Fenced(_) | StorageError::Closed(_)) => {}
            Wrote::Badly(error) => self.notice(Notice::StorageFailing, Some(error.to_string())),
        }
    }

    /// Makes a notice known, or says that it is over.
    fn notice(&mut self, notice: Notice, message: Option<String>) {
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
    fn set_status(&mut self, status: Status) {
        if self.status != status {
            self.status = status.clone();
            self.connections.tell_all(&ToClient::Status(status));
        }
    }

    /// Notes what has become of the engine since the last turn.
    fn note_state(&mut self) {
        let Some(engine) = &self.engine else { return };
        match engine.state() {
            BrokerState::Recovering => {}
            BrokerState::Running | BrokerState::StorageFull(_) if engine.draining => {}
            BrokerState::Running | BrokerState::StorageFull(_) => {
                let epoch = engine.storage.epoch();
                self.set_status(Status::Running { epoch });
            }
            BrokerState::Failed(why) => self.end(End::Failed(why)),
        }
        let drained = |engine: &Engine| engine.draining && engine.writes == 0;
        if self.engine.as_ref().is_some_and(drained) {
            self.end(End::Drained);
        }
    }

    /// Tells `life` that the engine cannot go on, or has finished.
    fn end(&mut self, end: End) {
        let generation = self.generation;
        self.tell_life(LifeEvent::Engine { generation, end });
    }

    fn tell_life(&mut self, event: LifeEvent) {
        // When nobody listens any more, the host has ended.
        drop(self.events.send(event));
    }
}
