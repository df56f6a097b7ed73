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

/// Our broker, and what goes wrong with it.
pub struct World {
    /// The broker, its storage and its clock.
    pub harness: Harness,
    /// How often it has crashed.
    crashes: u64,
    /// Called before storage does anything.
    fault: Option<Box<dyn FnMut(&mut Self)>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("crashes", &self.crashes)
            .finish_non_exhaustive()
    }
}

impl World {
    /// The broker forgets what is not durable, and another opens what is; connections end.
    pub fn crash(&mut self) {
        let harness = std::mem::take(&mut self.harness);
        self.harness = harness.crash();
        self.crashes = self.crashes.saturating_add(1);
    }

    /// Lets storage work, or fail as the test wants.
    fn run(&mut self) {
        if let Some(mut fault) = self.fault.take() {
            fault(self);
            self.fault.get_or_insert(fault);
        }
        self.harness.run();
    }
}

/// A cluster that clients can be run against.
#[derive(Debug, Clone)]
pub enum Target {
    /// Our broker, in this process.
    Ours(Rc<RefCell<World>>),
    /// Brokers at this address, `host:port`.
    Tcp(String),
}

impl Target {
    /// Our broker on empty storage.
    #[must_use]
    pub fn ours() -> Self {
        Self::Ours(Rc::new(RefCell::new(World {
            harness: Harness::new(),
            crashes: 0,
            fault: None,
        })))
    }

    /// Lets something go wrong with our broker, again and again: `fault` is called before storage
    /// does anything. `None` ends it.
    ///
    /// # Panics
    /// If it is not our broker.
    pub fn set_fault(&self, fault: Option<Box<dyn FnMut(&mut World)>>) {
        self.world().borrow_mut().fault = fault;
    }

    /// Our broker.
    ///
    /// # Panics
    /// If it is not ours.
    #[must_use]
    pub fn world(&self) -> &RefCell<World> {
        match self {
            Self::Ours(world) => world,
            Self::Tcp(_) => panic!("this broker is not ours"),
        }
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
            Self::Ours(world) => Wire::Ours {
                world: Rc::clone(world),
                crashes: world.borrow().crashes,
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
        world: Rc<RefCell<World>>,
        crashes: u64,
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
            Wire::Ours { world, .. } => world.borrow().harness.now(),
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
                world,
                crashes,
                connections,
            } => ours(&mut world.borrow_mut(), crashes, connections),
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
        let (world, connections) = match &mut self.wire {
            Wire::Tcp(tcp) => return tcp.transmit(transmit),
            Wire::Ours {
                world, connections, ..
            } => (world, connections),
        };
        match transmit {
            Transmit::Open { conn, .. } => {
                connections.insert(conn, world.borrow_mut().harness.connect());
                self.client.handle_connected(now, conn);
            }
            Transmit::Send { conn, frame } => {
                if let Some(connection) = connections.get(&conn) {
                    let frame = Bytes::from(frame.concat());
                    world.borrow_mut().harness.send_frame(*connection, frame);
                }
            }
            Transmit::Close { conn } => {
                if let Some(connection) = connections.remove(&conn) {
                    world.borrow_mut().harness.disconnect(connection);
                }
            }
        }
    }

    fn let_time_pass(&mut self) {
        let due = self.client.poll_timeout();
        match &mut self.wire {
            Wire::Ours { world, .. } => {
                let harness = &mut world.borrow_mut().harness;
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

fn ours(
    world: &mut World,
    crashes: &mut u64,
    connections: &mut BTreeMap<ConnId, ConnectionId>,
) -> Vec<Happened> {
    world.run();
    let mut happened = Vec::new();
    if *crashes != world.crashes {
        *crashes = world.crashes;
        let lost = std::mem::take(connections).into_keys();
        happened.extend(lost.map(|conn| Happened::Closed(conn, "ECONNRESET".to_owned())));
    }
    let harness = &mut world.harness;
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
