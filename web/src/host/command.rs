//! What clients say, but for frames.

use std::rc::Rc;

use js_sys::Reflect;
use partita_core::broker::{ConnectionId, Listener, Peer, StorageError};
use partita_core::time::Monotonic;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::connections::PortId;
use super::item::Item;
use super::life::LifeEvent;
use super::{Host, State, estimate, life, real, trap};
use crate::clock::Clock;
use crate::num::to_u64;
use crate::port::message::{ListenerName, Status, StorageKind, ToClient, ToHost};
use crate::port::{self, Port};
use crate::storage::{Storage as _, indexeddb};

/// The port that Metadata names to clients in a page, where any address leads to the broker.
const PAGE_PORT: i32 = 9092;

impl Host {
    /// Does what a client says. What makes no sense is reported and otherwise ignored.
    pub(super) fn command(self: &Rc<Self>, id: PortId, data: JsValue) {
        match port::to_host(&data) {
            Ok(ToHost::Attach) => self.attach_from(&data),
            Ok(ToHost::Estimate) => self.estimate(id),
            Ok(ToHost::Export) => self.export(id),
            Ok(ToHost::Trap) => trap::trap(),
            Ok(command) => self.state.borrow_mut().command(id, command),
            Err(error) => {
                let text = format!("partita: a message makes no sense: {error}");
                web_sys::console::error_2(&text.into(), &data);
            }
        }
    }

    fn attach_from(self: &Rc<Self>, data: &JsValue) {
        match Reflect::get(data, &"port".into()) {
            Ok(port) if port.is_object() => self.attach(port.unchecked_into::<Port>()),
            Ok(_) | Err(_) => {
                web_sys::console::error_1(&"partita: a port to attach is missing".into());
            }
        }
    }

    fn estimate(self: &Rc<Self>, id: PortId) {
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            let Some((usage, quota)) = estimate::estimate().await else {
                return;
            };
            if let Some(host) = weak.upgrade()
                && let Some(port) = host.state.borrow_mut().connections.port(id)
            {
                port.out.post(&ToClient::Estimate { usage, quota });
            }
        });
    }
}

impl Host {
    /// Makes a file of all that is stored. Without an engine nothing is open: then from the
    /// database as it lies there.
    fn export(self: &Rc<Self>, id: PortId) {
        let made = {
            let state = self.state.borrow();
            match (&state.engine, state.options.storage) {
                (Some(engine), _) => engine.storage.export(),
                (None, StorageKind::Memory) => state.memory.export(),
                (None, StorageKind::IndexedDb) => {
                    let name = life::database_name(&state.options.name);
                    Box::pin(async move {
                        let file = indexeddb::export(&name).await;
                        file.map_err(|error| StorageError::Other(format!("{error:?}")))
                    })
                }
            }
        };
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            let made = made.await;
            let Some(host) = weak.upgrade() else { return };
            let mut state = host.state.borrow_mut();
            let Some(port) = state.connections.port(id) else {
                return;
            };
            let error = made.as_ref().err().map(ToString::to_string);
            match port::to_js(&ToClient::Exported { error }) {
                Ok(message) => {
                    if let Ok(file) = &made
                        && let Err(error) = Reflect::set(&message, &"file".into(), file)
                    {
                        web_sys::console::error_1(&error);
                    }
                    port.out.post_js(&message);
                }
                Err(error) => web_sys::console::error_1(&error),
            }
        });
    }
}

impl State {
    fn command(&mut self, id: PortId, command: ToHost) {
        match command {
            ToHost::Open {
                connection,
                listener,
                address,
            } => {
                self.open(id, connection, listener, address);
            }
            ToHost::Close { connection } => {
                if let Some(connection) = self.connections.find(id, connection) {
                    self.connections.close(connection, None);
                    self.push(Item::Disconnect { connection });
                }
            }
            ToHost::Read { connection, bytes } => {
                if let Some(connection) = self.connections.find(id, connection) {
                    self.read(connection, to_u64(bytes));
                }
            }
            ToHost::Alarm { id: alarm, at } => self.set_alarm(id, alarm, at),
            ToHost::Watch { on } => self.watch(id, on),
            ToHost::Rate { rate } => self.change_clock(|clock| clock.set_rate(rate, real())),
            ToHost::Pause { on } => self.change_clock(|clock| clock.set_paused(on, real())),
            ToHost::Step => self.stepping = self.clock.paused(),
            ToHost::Start => self.tell_life(LifeEvent::Start),
            ToHost::Stop => self.tell_life(LifeEvent::Stop),
            ToHost::End => self.tell_life(LifeEvent::Shutdown),
            ToHost::Detach => self.detach(id),
            ToHost::Attach | ToHost::Estimate | ToHost::Export | ToHost::Trap => {}
        }
    }

    /// Takes a connection on, unless there will be no broker for it.
    fn open(
        &mut self,
        port: PortId,
        number: u32,
        listener: Option<ListenerName>,
        address: Option<String>,
    ) {
        let Some(connection) = self.connections.open(port, number) else {
            return;
        };
        if let Some(reason) = refusal(&self.status) {
            return self.connections.close(connection, Some(&reason));
        }
        let listener = match listener {
            Some(ListenerName { name, host, port }) => Listener { name, host, port },
            None => Listener {
                name: "PAGE".into(),
                host: self.options.name.clone(),
                port: PAGE_PORT,
            },
        };
        let address = address.unwrap_or_else(|| "page".into());
        self.push(Item::Connect {
            connection,
            peer: Peer { listener, address },
        });
    }

    /// A client has read so much of what it was sent.
    fn read(&mut self, id: ConnectionId, bytes: u64) {
        if self.connections.read(id, bytes) {
            let now = self.now();
            self.release(now, id);
        }
        self.grant(id);
    }

    fn set_alarm(&mut self, port: PortId, id: u32, at: Option<f64>) {
        let Self {
            connections, queue, ..
        } = self;
        let Some(state) = connections.port(port) else {
            return;
        };
        if let Some(place) = state.alarms.remove(&id) {
            queue.remove(place);
        }
        self.late.retain(|item| !item.is_alarm(port, id));
        if let Some(at) = at {
            let due = Monotonic(to_u64(at.ceil()));
            let place = queue.push(
                due,
                Item::Wake {
                    port,
                    id,
                    due,
                    late: false,
                },
            );
            state.alarms.insert(id, place);
        }
    }

    /// Everyone who watches gets everything again when one more does; they all get the same events.
    fn watch(&mut self, id: PortId, on: bool) {
        if let Some(port) = self.connections.port(id) {
            port.watching = on;
        }
        let watched = self.connections.ports().any(|port| port.watching);
        if let Some(engine) = &mut self.engine
            && (on || !watched)
        {
            engine.broker.watch(watched);
        }
    }

    /// Only a clock that the page was given may be changed.
    fn change_clock(&mut self, change: impl FnOnce(&mut Clock)) {
        if self.options.clock {
            change(&mut self.clock);
            let view = self.clock_view();
            self.connections.tell_all(&ToClient::Clock(view));
        }
    }

    /// Forgets a port with all its connections and alarms.
    fn detach(&mut self, id: PortId) {
        for connection in self.connections.ids(Some(id)) {
            self.connections.close(connection, None);
            self.push(Item::Disconnect { connection });
        }
        if let Some(port) = self.connections.remove_port(id) {
            for place in port.alarms.into_values() {
                self.queue.remove(place);
            }
        }
        self.late
            .retain(|item| !matches!(item, Item::Wake { port, .. } if *port == id));
    }
}

/// Why connections are not taken on, if they are not.
pub(super) fn refusal(status: &Status) -> Option<String> {
    match status {
        Status::Starting | Status::Running { .. } => None,
        Status::Waiting => Some("ECONNREFUSED the broker runs in another tab".to_owned()),
        Status::Blocked => {
            let text = "ECONNREFUSED another tab holds an older form of the database open";
            Some(text.to_owned())
        }
        Status::Stopped => Some("ECONNREFUSED the broker is stopped".to_owned()),
        Status::Failed { message, .. } => Some(format!("ECONNREFUSED {message}")),
    }
}
