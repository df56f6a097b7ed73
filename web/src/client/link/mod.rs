//! A thread's way to its host: one port, shared by all clients of the thread.
//!
//! The link keeps each connection within the window that the host grants, follows the host's clock,
//! and dispatches what comes to the driver it is for. When the host is replaced (it trapped, or its
//! worker was restarted) the link is given a new port: all connections are closed, and the drivers
//! connect again, as Kafka clients do when a broker restarts. When the host has ended and there is
//! no other, connections are refused, and the link keeps the clients' alarms itself: whoever waits
//! gets an error in the end.

mod network;

use partita_core::sorted::SortedMap;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use js_sys::Uint8Array;
use partita_core::client::ConnId;
use partita_core::time::{Monotonic, Now, Wall};
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

pub use network::LinkNetwork;

use super::Handler;
use crate::num::{to_f64, to_i64, to_u64};
use crate::port::message::{ACK_EVERY, ClockView, Status, ToClient, ToHost};
use crate::port::{self, Outbox, Port, Receiver};
use crate::sys::{self, Timer};

type Listener = Rc<dyn Fn(&ToClient)>;

/// The way to a host.
pub struct Link {
    state: RefCell<State>,
    /// Told of everything that is not a client's alone: status, notices, events, steps.
    listeners: RefCell<SortedMap<u32, Listener>>,
    next_listener: Cell<u32>,
    /// While one message's frames are handed out, what is sent in reply is gathered.
    dispatching: Cell<bool>,
}

struct State {
    out: Outbox,
    _receiver: Option<Receiver>,
    connections: SortedMap<u32, Connection>,
    clients: SortedMap<u32, Weak<dyn Handler>>,
    next: u32,
    clock: ClockView,
    /// How far the clients' time is ahead of the host's: a new host's may begin earlier, and no
    /// clock goes back.
    ahead: f64,
    status: Status,
    /// Messages that only tell a state, for those who come later.
    watching: bool,
    /// Without a host: the clients' alarms.
    alone: Option<SortedMap<u32, Timer>>,
}

struct Connection {
    client: u32,
    conn: ConnId,
    sent: u64,
    upto: u64,
    waiting: VecDeque<Uint8Array>,
    read: u64,
    acked: u64,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// A link through this port. Messages are handled when the thread is idle next.
    #[must_use]
    pub fn new(port: Port) -> Rc<Self> {
        let now = sys::monotonic_now();
        let clock = ClockView {
            at: now,
            monotonic: now,
            wall: sys::wall_now(),
            rate: 1.0,
        };
        let link = Rc::new(Self {
            state: RefCell::new(State {
                out: Outbox::new(port.clone()),
                _receiver: None,
                connections: SortedMap::new(),
                clients: SortedMap::new(),
                next: 0,
                clock,
                ahead: 0.0,
                status: Status::Starting,
                watching: false,
                alone: None,
            }),
            listeners: RefCell::default(),
            next_listener: Cell::new(0),
            dispatching: Cell::new(false),
        });
        link.listen(port);
        link
    }

    /// Leaves the host for another one, at the end of this port: the old one is dead.
    pub fn reset(self: &Rc<Self>, port: Port) {
        let closed = {
            let mut state = self.state.borrow_mut();
            state.out = Outbox::new(port.clone());
            state.status = Status::Starting;
            state.alone = None;
            if state.watching {
                state.out.post(&ToHost::Watch { on: true });
            }
            state.take_connections()
        };
        self.listen(port);
        for (handler, conn) in closed {
            handler.closed(conn, "ECONNRESET the broker has restarted".into());
        }
        // The alarms were the old host's, too; those that were set just now are by its clock.
        let mut state = self.state.borrow_mut();
        for client in state.clients.keys().copied().collect::<Vec<_>>() {
            state.alarm_again(client);
        }
    }

    fn listen(self: &Rc<Self>, port: Port) {
        let weak = Rc::downgrade(self);
        let receiver = Receiver::new(port, move |data| {
            if let Some(link) = weak.upgrade() {
                link.received(&data);
            }
        });
        self.state.borrow_mut()._receiver = Some(receiver);
    }

    /// A network for one driver.
    #[must_use]
    pub fn network(self: &Rc<Self>) -> Rc<LinkNetwork> {
        let id = self.state.borrow_mut().next();
        Rc::new(LinkNetwork {
            link: Rc::clone(self),
            id,
        })
    }

    /// Says something to the host.
    pub fn say(&self, message: &ToHost) {
        let mut state = self.state.borrow_mut();
        if let ToHost::Watch { on } = message {
            state.watching = *on;
        }
        state.out.post(message);
    }

    /// Gives the host another port to listen to, for a client elsewhere: a worker, the console.
    pub fn attach(&self, port: &MessagePort) {
        self.state.borrow_mut().out.post_port(&ToHost::Attach, port);
    }

    /// What the host is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.state.borrow().status.clone()
    }

    /// The host's clock as it was last told.
    #[must_use]
    pub fn clock(&self) -> ClockView {
        self.state.borrow().clock
    }

    /// The host's time, as clients see it.
    #[must_use]
    pub fn now(&self) -> Now {
        self.state.borrow().now()
    }

    /// Calls `listener` with every message that is not a connection's or an alarm's, until
    /// [`Link::forget`] is called with what this returns.
    pub fn on_message(&self, listener: impl Fn(&ToClient) + 'static) -> u32 {
        let id = self.next_listener.get().wrapping_add(1);
        self.next_listener.set(id);
        self.listeners.borrow_mut().insert(id, Rc::new(listener));
        id
    }

    /// Ends what [`Link::on_message`] began.
    pub fn forget(&self, listener: u32) {
        self.listeners.borrow_mut().remove(&listener);
    }

    fn received(self: &Rc<Self>, data: &JsValue) {
        if let Some(frames) = port::frames(data) {
            self.dispatching.set(true);
            for (number, buffer) in frames {
                let frame = Uint8Array::new(&buffer);
                let found = self.state.borrow_mut().arrived(number, frame.length());
                if let Some((handler, conn)) = found {
                    handler.received(conn, Bytes::from(frame.to_vec()));
                }
            }
            self.dispatching.set(false);
            return self.state.borrow_mut().out.flush();
        }
        match port::to_client(data) {
            Ok(message) => self.heard(message),
            Err(error) => {
                let text = format!("partita: the host's message makes no sense: {error}");
                web_sys::console::error_2(&text.into(), data);
            }
        }
    }

    /// The host is gone, and maybe comes again ([`Link::reset`]).
    fn left_alone(self: &Rc<Self>) {
        let (closed, clients) = {
            let mut state = self.state.borrow_mut();
            let passed = state.passed();
            state.clock = ClockView {
                at: sys::monotonic_now(),
                monotonic: state.clock.monotonic + passed,
                wall: state.clock.wall + passed,
                rate: 1.0,
            };
            state.alone = Some(SortedMap::new());
            // In Node, an open port keeps the process alive.
            state.out.close();
            let clients: Vec<_> = state.clients.values().filter_map(Weak::upgrade).collect();
            (state.take_connections(), clients)
        };
        for (handler, conn) in closed {
            handler.closed(conn, "ECONNRESET the broker is gone".into());
        }
        // The alarms were the host's: each client sets its own anew.
        for client in clients {
            client.woken(self.now());
        }
    }

    /// Sets a client's alarm without a host. Returns whether there is none.
    fn set_alarm_alone(self: &Rc<Self>, client: u32, at: Option<f64>) -> bool {
        let mut state = self.state.borrow_mut();
        let now = to_f64(state.now().monotonic.0) - state.ahead;
        let Some(timers) = &mut state.alone else {
            return false;
        };
        let timer = timers.entry(client).or_insert_with(|| {
            let link = Rc::downgrade(self);
            Timer::new(move || {
                if let Some(link) = link.upgrade() {
                    let handler = link.state.borrow_mut().woken(client);
                    if let Some(handler) = handler {
                        handler.woken(link.now());
                    }
                }
            })
        });
        timer.set(at.map(|at| at - now));
        true
    }

    fn heard(self: &Rc<Self>, message: ToClient) {
        match &message {
            ToClient::Closed { connection, reason } => {
                let found = self.state.borrow_mut().closed(*connection);
                if let Some((handler, conn)) = found {
                    handler.closed(conn, reason.clone());
                }
                return;
            }
            ToClient::Credit { connection, upto } => {
                return self.state.borrow_mut().credit(*connection, to_u64(*upto));
            }
            ToClient::Wake {
                id,
                monotonic,
                wall,
            } => {
                let (handler, now) = {
                    let mut state = self.state.borrow_mut();
                    let now = state.at(*monotonic, *wall);
                    (state.woken(*id), now)
                };
                if let Some(handler) = handler {
                    handler.woken(now);
                }
                return;
            }
            ToClient::Clock(clock) => self.state.borrow_mut().set_clock(*clock),
            ToClient::Status(status) => self.state.borrow_mut().status = status.clone(),
            ToClient::Trapped { .. } | ToClient::Ended => self.left_alone(),
            ToClient::Notice { .. }
            | ToClient::Events { .. }
            | ToClient::Stepped { .. }
            | ToClient::Estimate { .. }
            | ToClient::Exported { .. } => {}
        }
        let listeners: Vec<_> = self.listeners.borrow().values().cloned().collect();
        listeners.iter().for_each(|listener| listener(&message));
    }
}

type Found = Option<(Rc<dyn Handler>, ConnId)>;

impl State {
    fn next(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// How much time of the host's clock has passed since it was told.
    fn passed(&self) -> f64 {
        (sys::monotonic_now() - self.clock.at).max(0.0) * self.clock.rate
    }

    fn now(&self) -> Now {
        let passed = self.passed();
        self.at(self.clock.monotonic + passed, self.clock.wall + passed)
    }

    fn at(&self, monotonic: f64, wall: f64) -> Now {
        Now {
            monotonic: Monotonic(to_u64(monotonic + self.ahead)),
            wall: Wall(to_i64(wall)),
        }
    }

    fn set_clock(&mut self, clock: ClockView) {
        let shown = to_f64(self.now().monotonic.0);
        self.clock = clock;
        let shows = to_f64(self.now().monotonic.0);
        if shows < shown {
            self.ahead += shown - shows;
        }
    }

    fn handler(&self, client: u32) -> Option<Rc<dyn Handler>> {
        self.clients.get(&client)?.upgrade()
    }

    /// Counts a response, and tells the host from time to time what was read.
    fn arrived(&mut self, number: u32, bytes: u32) -> Found {
        let connection = self.connections.get_mut(&number)?;
        connection.read = connection.read.saturating_add(u64::from(bytes));
        if connection.read - connection.acked >= ACK_EVERY {
            connection.acked = connection.read;
            let bytes = to_f64(connection.read);
            self.out.post(&ToHost::Read {
                connection: number,
                bytes,
            });
        }
        let (client, conn) = (connection.client, connection.conn);
        Some((self.handler(client)?, conn))
    }

    fn closed(&mut self, number: u32) -> Found {
        let connection = self.connections.remove(&number)?;
        Some((self.handler(connection.client)?, connection.conn))
    }

    fn credit(&mut self, number: u32, upto: u64) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.upto = connection.upto.max(upto);
        while connection.sent < connection.upto
            && let Some(frame) = connection.waiting.pop_front()
        {
            connection.sent = connection.sent.saturating_add(u64::from(frame.length()));
            self.out.frame(number, &frame);
        }
        self.out.flush();
    }

    fn woken(&mut self, client: u32) -> Option<Rc<dyn Handler>> {
        self.handler(client)
    }

    /// Forgets all connections, and says whom to tell.
    fn take_connections(&mut self) -> Vec<(Rc<dyn Handler>, ConnId)> {
        let connections = std::mem::take(&mut self.connections);
        let told =
            |connection: &Connection| Some((self.handler(connection.client)?, connection.conn));
        connections.values().filter_map(told).collect()
    }

    /// A new host knows no alarms: clients are woken at once and set theirs anew.
    fn alarm_again(&mut self, client: u32) {
        self.out.post(&ToHost::Alarm {
            id: client,
            at: Some(0.0),
        });
    }

    fn number(&self, client: u32, conn: ConnId) -> Option<u32> {
        let wanted = |(_, open): &(&u32, &Connection)| open.client == client && open.conn == conn;
        self.connections
            .iter()
            .find(wanted)
            .map(|(&number, _)| number)
    }
}
