//! A broker driven in virtual time, one request or one storage reply at a time.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

use bytes::Bytes;

use super::storage::{MemoryStorage, Stored};
use crate::broker::{Broker, BrokerConfig, ConnectionId, Effect, Listener, Output, Peer, Reply};
use crate::protocol::{Request, decode_response, encode_request, join};
use crate::time::{Monotonic, Now, Wall};

/// Wall time at which a harness begins, in milliseconds since 1970: a day of 2026.
pub const BEGINNING: i64 = 1_770_000_000_000;

/// A broker with its storage, its clock and its clients' ends of the connections.
#[derive(Debug)]
pub struct Harness {
    /// The broker.
    pub broker: Broker,
    /// Its storage.
    pub storage: MemoryStorage,
    now: Now,
    config: BrokerConfig,
    received: SortedMap<ConnectionId, VecDeque<Bytes>>,
    closed: SortedMap<ConnectionId, &'static str>,
    next_connection: u64,
    next_correlation: i32,
    openings: u8,
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

impl Harness {
    /// A running broker on empty storage, with the default configs.
    #[must_use]
    pub fn new() -> Self {
        Self::with_config(&[])
    }

    /// A running broker on empty storage. Panics at a config that is refused.
    #[must_use]
    pub fn with_config(configs: &[(&str, &str)]) -> Self {
        let config = BrokerConfig::new(configs.iter().copied()).expect("the configs are valid");
        let mut harness = Self::opening(config, Stored::default());
        harness.run();
        harness
    }

    /// A broker that is just opening what is stored: [`Harness::run`] brings it up.
    #[must_use]
    pub fn opening(config: BrokerConfig, stored: Stored) -> Self {
        let now = Now {
            monotonic: Monotonic(0),
            wall: Wall(BEGINNING),
        };
        let mut harness = Self {
            broker: Broker::new(config.clone(), [0; 32], now),
            storage: MemoryStorage::with(stored),
            now,
            config,
            received: SortedMap::new(),
            closed: SortedMap::new(),
            next_connection: 0,
            next_correlation: 0,
            openings: 0,
        };
        harness.drain();
        harness
    }

    /// The broker crashes: whatever is not durable is lost, and another opens what is left. Time
    /// goes on; connections are gone.
    #[must_use]
    pub fn crash(self) -> Self {
        let mut next = self.crash_opening();
        next.run();
        next
    }

    /// As [`Harness::crash`], but the next broker has only begun to open.
    #[must_use]
    pub fn crash_opening(self) -> Self {
        let openings = self.openings.wrapping_add(1);
        let mut next = Self {
            broker: Broker::new(self.config.clone(), [openings; 32], self.now),
            storage: MemoryStorage::with(self.storage.crash()),
            received: SortedMap::new(),
            closed: SortedMap::new(),
            openings,
            ..self
        };
        next.drain();
        next
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Sets the wall clock, which may go back; monotonic time does not change.
    pub fn set_wall(&mut self, millis: i64) {
        self.now.wall = Wall(millis);
    }

    /// Connects a client.
    pub fn connect(&mut self) -> ConnectionId {
        self.connect_as(Peer {
            listener: Listener {
                name: "PLAINTEXT".to_owned(),
                host: "broker.test".to_owned(),
                port: 9092,
            },
            address: "client.test".to_owned(),
        })
    }

    /// Connects a client that comes from an address of its own, or through a listener of its own.
    pub fn connect_as(&mut self, peer: Peer) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection = self.next_connection.wrapping_add(1);
        self.broker.handle_connect(self.now, id, peer);
        self.drain();
        id
    }

    /// A client goes.
    pub fn disconnect(&mut self, connection: ConnectionId) {
        self.broker.handle_disconnect(self.now, connection);
        self.drain();
    }

    /// Sends a request. Storage does nothing yet.
    pub fn send<R: Request>(&mut self, connection: ConnectionId, request: &R, version: i16) {
        self.next_correlation = self.next_correlation.wrapping_add(1);
        let parts = encode_request(request, version, self.next_correlation, Some("harness"))
            .expect("the request can be written in this version");
        let frame = join(parts).expect("requests hold their records");
        self.send_frame(connection, frame);
    }

    /// Sends any bytes as a request frame.
    pub fn send_frame(&mut self, connection: ConnectionId, frame: Bytes) {
        self.broker.handle_request(self.now, connection, frame);
        self.drain();
    }

    /// The next response that has arrived, as that to a request of type `R`.
    pub fn receive<R: Request>(
        &mut self,
        connection: ConnectionId,
        version: i16,
    ) -> Option<R::Response> {
        let frame = self.received.get_mut(&connection)?.pop_front()?;
        let (_, response) =
            decode_response(frame, version).expect("the response can be read in its version");
        Some(response)
    }

    /// The next response frame that has arrived.
    pub fn receive_frame(&mut self, connection: ConnectionId) -> Option<Bytes> {
        self.received.get_mut(&connection)?.pop_front()
    }

    /// Why the broker closed a connection, if it did.
    #[must_use]
    pub fn closed(&self, connection: ConnectionId) -> Option<&'static str> {
        self.closed.get(&connection).copied()
    }

    /// Sends a request and lets storage work, then time pass, until the response is here. Panics if
    /// none comes.
    pub fn request<R: Request>(
        &mut self,
        connection: ConnectionId,
        request: &R,
        version: i16,
    ) -> R::Response {
        self.send(connection, request, version);
        self.await_response::<R>(connection, version)
    }

    /// Lets storage work, then time pass, until a response is here. Panics if none comes.
    pub fn await_response<R: Request>(
        &mut self,
        connection: ConnectionId,
        version: i16,
    ) -> R::Response {
        for _ in 0..10_000 {
            if let Some(response) = self.receive::<R>(connection, version) {
                return response;
            }
            if let Some(why) = self.closed(connection) {
                panic!("the connection was closed: {why}");
            }
            if !self.step_storage() {
                let due = self
                    .broker
                    .poll_timeout()
                    .expect("nothing will ever happen");
                self.advance_to(due);
            }
        }
        panic!("no response came");
    }

    /// Carries out the oldest effect; whether there was one.
    pub fn step_storage(&mut self) -> bool {
        match self.storage.complete_next() {
            Some(reply) => {
                self.reply(reply);
                true
            }
            None => false,
        }
    }

    /// Lets storage carry out all effects, and those that follow.
    pub fn run(&mut self) {
        while self.step_storage() {}
    }

    /// Hands a storage reply to the broker.
    pub fn reply(&mut self, reply: Reply) {
        self.broker.handle_storage(self.now, reply);
        self.drain();
    }

    /// Has the host say that there is no room for records, or that there is some again.
    pub fn set_room(&mut self, none: Option<&str>) {
        self.broker.handle_room(self.now, none.map(str::to_owned));
        self.drain();
    }

    /// Lets time pass, timer by timer, without storage doing anything.
    pub fn advance(&mut self, millis: u64) {
        let end = Monotonic(self.now.monotonic.0.saturating_add(millis));
        while let Some(due) = self.broker.poll_timeout().filter(|&due| due <= end) {
            self.advance_to(due);
        }
        self.set_time(end);
    }

    /// The same with storage carrying out whatever it is asked.
    pub fn advance_and_run(&mut self, millis: u64) {
        self.run();
        let end = Monotonic(self.now.monotonic.0.saturating_add(millis));
        while let Some(due) = self.broker.poll_timeout().filter(|&due| due <= end) {
            self.advance_to(due);
            self.run();
        }
        self.set_time(end);
    }

    /// Lets time pass without the broker hearing of it: a sleeping laptop, a frozen tab.
    pub fn freeze(&mut self, millis: u64) {
        self.set_time(Monotonic(self.now.monotonic.0.saturating_add(millis)));
    }

    fn advance_to(&mut self, due: Monotonic) {
        self.set_time(due.max(self.now.monotonic));
        self.broker.handle_timeout(self.now);
        self.drain();
    }

    fn set_time(&mut self, to: Monotonic) {
        let passed = to.since(self.now.monotonic);
        let wall = self.now.wall.0;
        self.now = Now {
            monotonic: to,
            wall: Wall(wall.saturating_add_unsigned(passed)),
        };
    }

    fn drain(&mut self) {
        while let Some(output) = self.broker.poll_output() {
            match output {
                Output::Response { connection, frame } => {
                    let bytes = self.storage.resolve(&frame);
                    self.received
                        .entry(connection)
                        .or_default()
                        .push_back(bytes);
                }
                Output::Effect(effect) => self.storage.accept(effect),
                Output::Close { connection, reason } => {
                    self.closed.insert(connection, reason);
                }
            }
        }
        self.storage.let_go();
    }

    /// Whether any effect waits.
    #[must_use]
    pub fn storage_waits(&self) -> bool {
        self.storage.waiting().next().is_some()
    }

    /// How many writes wait.
    #[must_use]
    pub fn writes_waiting(&self) -> usize {
        let waiting = self.storage.waiting();
        waiting.filter(|e| matches!(e, Effect::Write(_))).count()
    }
}
