//! The broker's host: one queue through which everything passes, in order.
//!
//! Requests, storage replies, alarms and deliveries to clients are items of one queue, ordered by
//! (time due, arrival). The host takes one after the other, hands it to whom it is for, and carries
//! out what the broker wants done. A clock that the playground owns decides what is due: paused, the
//! queue is not drained; a step takes one item.
//!
//! - `item`: what is ordered, by `queue` and the time of `clock`. `state`: what happens to it.
//! - `engine`: the broker with its storage. `life`: when there is one. `election`: and where, by a
//!   `lock`.
//! - `connections`: ports, connections and their windows. `command`: what clients say.

mod command;
mod connections;
mod election;
mod engine;
mod estimate;
mod frame;
mod item;
mod life;
mod lock;
mod state;
mod trap;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use tokio::sync::mpsc::UnboundedSender;
use wasm_bindgen::prelude::*;

use crate::clock::Real;
use crate::port::message::{self, HostOptions, ToClient};
use crate::port::{self, Outbox, Port, Receiver};
use crate::storage::{Completion, Lost};
use crate::sys::{self, Again, Timer};
use connections::PortId;
use item::Item;
use life::LifeEvent;
use state::State;

pub(crate) use life::{database_name, live};
pub(crate) use trap::install;

/// A host whose loop stood still for longer makes sure that it was not replaced meanwhile, before
/// it answers anything. Shorter than the silence after which others take its place.
pub(crate) const LEASE_MILLIS: f64 = 2_000.0;
/// How long the host goes on without letting the browser do other things.
const TURN_MILLIS: f64 = 8.0;
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
            Self {
                state: RefCell::new(State::new(options, events)),
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
        let watch = trap::Watch::new(port.clone());
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
        state.connections.add_port(id, out, (receiver, watch));
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

    /// Storage says whether there is room for records.
    fn room(self: &Rc<Self>, generation: u64, none: Option<String>) {
        let item = Item::Room { generation, none };
        self.state.borrow_mut().push(item);
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
        match message::events_to_js(&events) {
            Ok(events) => connections
                .ports()
                .filter(|port| port.watching)
                .for_each(|port| {
                    let events = events.clone();
                    port.out.post(&ToClient::Events { events });
                }),
            Err(error) => web_sys::console::error_1(&error),
        }
    }
}
