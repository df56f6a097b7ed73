//! Runs a client's state machine against a broker: ours in the same process and in virtual time, or
//! any over TCP. A scenario written once so runs against both, and what they do can be compared.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use partita_core::broker::ConnectionId;
use partita_core::client::{ClusterConfig, ConnId, Endpoint, Transmit};
use partita_core::testing::Harness;
use partita_core::time::{Monotonic, Now};

use crate::net::Tcp;

/// A cluster that clients can be run against.
#[derive(Debug, Clone)]
pub enum Target {
    /// Our broker, in this process.
    Ours(Rc<RefCell<Harness>>),
    /// Brokers at this address, `host:port`.
    Tcp(String),
}

impl Target {
    /// Our broker on empty storage.
    #[must_use]
    pub fn ours() -> Self {
        Self::Ours(Rc::new(RefCell::new(Harness::new())))
    }

    /// Our broker, and the one at the address in `PARTITA_KAFKA`, if that is set.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let other = std::env::var("PARTITA_KAFKA").ok().map(Self::Tcp);
        std::iter::once(Self::ours()).chain(other).collect()
    }

    /// How a client reaches it.
    #[must_use]
    pub fn config(&self) -> ClusterConfig {
        let (host, port) = match self {
            Self::Ours(_) => ("broker.test", 9092),
            Self::Tcp(address) => {
                let (host, port) = address.split_once(':').expect("host:port");
                (host, port.parse().expect("a port"))
            }
        };
        ClusterConfig {
            client_id: "partita-tests".to_owned(),
            bootstrap: vec![(host.to_owned(), port)],
            ..ClusterConfig::default()
        }
    }

    /// Runs a client against it.
    #[must_use]
    pub fn drive<E: Endpoint>(&self, client: E) -> Drive<E> {
        let wire = match self {
            Self::Ours(harness) => Wire::Ours {
                harness: Rc::clone(harness),
                connections: BTreeMap::new(),
            },
            Self::Tcp(_) => Wire::Tcp(Tcp::new()),
        };
        Drive { client, wire }
    }
}

#[derive(Debug)]
enum Wire {
    Ours {
        harness: Rc<RefCell<Harness>>,
        connections: BTreeMap<ConnId, ConnectionId>,
    },
    Tcp(Tcp),
}

/// What happened on a connection.
#[derive(Debug)]
pub(crate) enum Happened {
    Connected(ConnId),
    Received(ConnId, Bytes),
    Closed(ConnId, String),
}

/// A client that runs.
#[derive(Debug)]
pub struct Drive<E> {
    /// The client: give it commands with [`Drive::now`].
    pub client: E,
    wire: Wire,
}

/// How long [`Drive::wait`] waits, in milliseconds of the target's time.
const PATIENCE: u64 = 120_000;

impl<E: Endpoint> Drive<E> {
    /// The target's time.
    #[must_use]
    pub fn now(&self) -> Now {
        match &self.wire {
            Wire::Ours { harness, .. } => harness.borrow().now(),
            Wire::Tcp(tcp) => tcp.now(),
        }
    }

    /// Lets client and target work until `pick` finds what it looks for.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn wait<T>(&mut self, mut pick: impl FnMut(&mut E) -> Option<T>) -> T {
        let end = Monotonic(self.now().monotonic.0.saturating_add(PATIENCE));
        loop {
            if let Some(found) = pick(&mut self.client) {
                return found;
            }
            assert!(self.now().monotonic < end, "nothing came");
            self.turn();
        }
    }

    /// Lets client and target do what they can do now, or else lets time pass.
    pub fn turn(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            self.transmit(transmit);
        }
        let happened = match &mut self.wire {
            Wire::Ours {
                harness,
                connections,
            } => ours(&mut harness.borrow_mut(), connections),
            Wire::Tcp(tcp) => tcp.poll(),
        };
        let idle = happened.is_empty();
        for event in happened {
            let now = self.now();
            match event {
                Happened::Connected(conn) => self.client.handle_connected(now, conn),
                Happened::Received(conn, frame) => self.client.handle_received(now, conn, frame),
                Happened::Closed(conn, reason) => self.client.handle_closed(now, conn, reason),
            }
        }
        if idle {
            self.let_time_pass();
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        let now = self.now();
        match (&mut self.wire, transmit) {
            (
                Wire::Ours {
                    harness,
                    connections,
                },
                Transmit::Open { conn, .. },
            ) => {
                connections.insert(conn, harness.borrow_mut().connect());
                self.client.handle_connected(now, conn);
            }
            (
                Wire::Ours {
                    harness,
                    connections,
                },
                Transmit::Send { conn, frame },
            ) => {
                if let Some(connection) = connections.get(&conn) {
                    let frame = Bytes::from(frame.concat());
                    harness.borrow_mut().send_frame(*connection, frame);
                }
            }
            (
                Wire::Ours {
                    harness,
                    connections,
                },
                Transmit::Close { conn },
            ) => {
                if let Some(connection) = connections.remove(&conn) {
                    harness.borrow_mut().disconnect(connection);
                }
            }
            (Wire::Tcp(tcp), transmit) => tcp.transmit(transmit),
        }
    }

    fn let_time_pass(&mut self) {
        let due = self.client.poll_timeout();
        match &mut self.wire {
            Wire::Ours { harness, .. } => {
                let mut harness = harness.borrow_mut();
                let next = due.into_iter().chain(harness.broker.poll_timeout()).min();
                let now = harness.now().monotonic;
                let wait = next.map_or(1_000, |next| next.since(now));
                harness.advance_and_run(wait);
            }
            Wire::Tcp(tcp) => tcp.pause(),
        }
        let now = self.now();
        if due.is_some_and(|due| due <= now.monotonic) {
            self.client.handle_timeout(now);
        }
    }
}

fn ours(harness: &mut Harness, connections: &mut BTreeMap<ConnId, ConnectionId>) -> Vec<Happened> {
    harness.run();
    let mut happened = Vec::new();
    let mut closed = Vec::new();
    for (conn, connection) in &*connections {
        while let Some(frame) = harness.receive_frame(*connection) {
            happened.push(Happened::Received(*conn, frame));
        }
        if let Some(why) = harness.closed(*connection) {
            happened.push(Happened::Closed(*conn, why.to_owned()));
            closed.push(*conn);
        }
    }
    for conn in closed {
        connections.remove(&conn);
    }
    happened
}
