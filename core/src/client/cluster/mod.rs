//! The network layer: connections, versions, routing, and what is known of the cluster.
//!
//! A [`Cluster`] belongs to one producer, consumer or admin. Its owner asks with
//! [`Cluster::request`] and gets a [`ClusterEvent::Answer`] with the same token: a response to
//! decode, or a [`ClientError`]. Finding the leader or the coordinator, opening the connection and
//! agreeing on a version happen in between.
//!
//! # What it decides, and what not
//! - One attempt per request. A request that could not be *sent* to any broker goes to the next;
//!   one that was sent and lost its connection fails. Whether to repeat it is the owner's decision.
//! - A broker has a connection per [`Lane`]: what must not wait behind a long poll has its own.
//! - Topics are asked for when they grow old, when a leader is unknown or unreachable, and when the
//!   owner says so; one question is under way at a time and covers every topic of interest.
//! - A request that is not answered in time fails, and with it its connection: a broker that is
//!   stuck on one request answers none behind it.
//!
//! Sources: KIP-35 (versions), KIP-899 (back to the bootstrap addresses when no known broker can be
//! reached), KIP-951 (leaders told by other answers).

mod connection;
mod coordinator;
mod events;
mod io;
mod metadata;
mod refresh;
mod request;
mod routing;

use crate::sorted::{SortedMap, SortedSet};
use std::collections::VecDeque;

pub use events::{ClusterEvent, NetworkEvent, RequestInfo};
pub use metadata::{BrokerInfo, Metadata, PartitionInfo, TopicInfo};
pub use request::{Answer, CoordinatorKey, Lane, RequestOptions, Target, Token};

use super::error::ClientError;
use super::rng::Rng;
use super::{ConnId, Transmit};
use crate::protocol::Request;
use crate::time::{Monotonic, Now};
use connection::Connection;
use coordinator::Coordinators;
use refresh::Refresh;
use request::{Asker, Outgoing};

/// How a client reaches its cluster. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterConfig {
    /// The client's name for itself, which brokers log and show.
    pub client_id: String,
    /// Where to ask first: host and port.
    pub bootstrap: Vec<(String, i32)>,
    /// How long opening a connection may take.
    pub connection_timeout_ms: u64,
    /// How long an answer may take.
    pub request_timeout_ms: u64,
    /// Whether `request_timeout_ms` counts.
    pub enforce_request_timeout: bool,
    /// When topics are asked for again though nothing has happened.
    pub metadata_max_age_ms: u64,
    /// Whether asking for a topic creates it, where the broker allows that.
    pub allow_auto_topic_creation: bool,
    /// How many requests of a connection may be unanswered.
    pub max_in_flight: usize,
    /// After how many unanswered bytes a connection gets no further request.
    pub max_in_flight_bytes: usize,
    /// The first wait before a broker that could not be reached is tried again.
    pub reconnect_backoff_ms: u64,
    /// The longest such wait.
    pub reconnect_backoff_max_ms: u64,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            client_id: "kafkajs".to_owned(),
            bootstrap: Vec::new(),
            connection_timeout_ms: 1_000,
            request_timeout_ms: 30_000,
            enforce_request_timeout: true,
            metadata_max_age_ms: 300_000,
            allow_auto_topic_creation: true,
            max_in_flight: 100,
            max_in_flight_bytes: 8 << 20,
            reconnect_backoff_ms: 50,
            reconnect_backoff_max_ms: 1_000,
        }
    }
}

/// A broker by what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    /// One of the configured addresses.
    Bootstrap(usize),
    /// A broker of the cluster.
    Node(i32),
}

/// How opening connections to a broker has gone lately.
#[derive(Debug, Clone, Copy, Default)]
struct Health {
    failures: u32,
    retry_at: Monotonic,
}

/// The network layer of one client.
#[derive(Debug)]
pub struct Cluster {
    config: ClusterConfig,
    rng: Rng,
    next_conn: u64,
    next_token: u64,
    connections: SortedMap<ConnId, Connection>,
    health: SortedMap<Peer, Health>,
    /// Which bootstrap address is tried first.
    first_bootstrap: usize,
    metadata: Metadata,
    refresh: Refresh,
    coordinators: Coordinators,
    /// Requests that wait for the leader or the coordinator to be known.
    held: Vec<Outgoing>,
    /// Requests whose answers nobody wants any more.
    cancelled: SortedSet<Token>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<ClusterEvent>,
    watched: bool,
    traffic: VecDeque<NetworkEvent>,
    /// The latest time seen.
    now: Now,
}

impl Cluster {
    /// A network layer without connections; the first request opens one.
    #[must_use]
    pub fn new(config: ClusterConfig, seed: [u8; 32]) -> Self {
        let mut rng = Rng::new(seed);
        let addresses = u64::try_from(config.bootstrap.len()).unwrap_or(0);
        let first_bootstrap = usize::try_from(rng.below(addresses)).unwrap_or(0);
        Self {
            config,
            rng,
            next_conn: 0,
            next_token: 0,
            connections: SortedMap::new(),
            health: SortedMap::new(),
            first_bootstrap,
            metadata: Metadata::default(),
            refresh: Refresh::default(),
            coordinators: Coordinators::default(),
            held: Vec::new(),
            cancelled: SortedSet::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            watched: false,
            traffic: VecDeque::new(),
            now: Now::default(),
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ClusterConfig {
        &self.config
    }

    /// What is known of brokers and topics.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// As [`Cluster::metadata`], for owners that learn of leaders from other answers.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The latest time that any call brought.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Sends a request, once its target is found, the usual way.
    pub fn request<R>(&mut self, now: Now, target: Target, request: R) -> Token
    where
        R: Request + std::fmt::Debug + 'static,
    {
        self.request_with(now, target, request, RequestOptions::default())
    }

    /// Sends a request, once its target is found.
    pub fn request_with<R>(
        &mut self,
        now: Now,
        target: Target,
        request: R,
        options: RequestOptions,
    ) -> Token
    where
        R: Request + std::fmt::Debug + 'static,
    {
        let now = self.clock(now);
        self.submit(now, Asker::Owner, target, request, options)
    }

    /// Forgets a request that was not answered yet: its answer, if one comes, is dropped.
    pub fn cancel(&mut self, token: Token) {
        if let Some(at) = self.held.iter().position(|held| held.token == token) {
            self.held.swap_remove(at);
            return;
        }
        for connection in self.connections.values_mut() {
            let at = connection
                .queue
                .iter()
                .position(|queued| queued.token == token);
            if let Some(at) = at {
                connection.queue.remove(at);
                return;
            }
        }
        let answered = |event: &ClusterEvent| matches!(event, ClusterEvent::Answer { token: of, .. } if *of == token);
        match self.events.iter().position(answered) {
            Some(at) => {
                self.events.remove(at);
            }
            None => {
                self.cancelled.insert(token);
            }
        }
    }

    /// Forgets which broker coordinates `key`: the next request asks again.
    pub fn forget_coordinator(&mut self, key: &CoordinatorKey) {
        self.coordinators.forget(key);
    }

    /// The broker that coordinates `key`, if it is known.
    #[must_use]
    pub fn coordinator(&self, key: &CoordinatorKey) -> Option<i32> {
        self.coordinators.get(key)
    }

    /// How many requests a broker's main connection would send at once; 0 if it is not open.
    #[must_use]
    pub fn room(&self, node: i32) -> usize {
        self.find(Peer::Node(node), Lane::Main)
            .and_then(|conn| self.connections.get(&conn))
            .map_or(0, |connection| connection.room(&self.config))
    }

    /// The owner keeps so many requests back, because there is no room on a broker's connection:
    /// watchers see them as they see a queue.
    pub fn held_back(&mut self, node: i32, queue_size: usize) {
        let conn = self.find(Peer::Node(node), Lane::Main);
        let open = conn.and_then(|conn| self.connections.get(&conn));
        let ready = open.filter(|open| open.is_ready() && open.room(&self.config) == 0);
        if let Some(broker) = ready.map(Connection::broker) {
            self.tell(|| NetworkEvent::RequestQueueSize { broker, queue_size });
        }
    }

    /// Opens a broker's main connection if there is none. [`ClusterEvent::NodeReady`] or
    /// [`ClusterEvent::NodeFailed`] follows, unless it is open already. Returns false if the
    /// broker is not known.
    pub fn open_node(&mut self, now: Now, node: i32) -> bool {
        let now = self.clock(now);
        self.connection_to(now, Peer::Node(node), Lane::Main)
            .is_some()
    }

    /// Whether no request of the owner is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.held.is_empty() && self.connections.values().all(Connection::is_idle)
    }

    /// Whether any connection is open or being opened.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.connections.is_empty()
    }

    /// Closes every connection. What waits for one fails with `ConnectionClosed`. What is known of
    /// the cluster stays, and the next request opens connections again.
    pub fn close(&mut self, now: Now) {
        let now = self.clock(now);
        let open: Vec<ConnId> = self.connections.keys().copied().collect();
        for conn in open {
            self.transmits.push_back(Transmit::Close { conn });
            self.connection_ended(now, conn, "the client disconnected", End::Closing);
        }
        for held in std::mem::take(&mut self.held) {
            let error = ClientError::passing(
                super::ErrorKind::ConnectionClosed {
                    broker: String::new(),
                },
                "the client disconnected",
            );
            self.fail(held.token, held.asker, error);
        }
        self.refresh.stop();
        self.coordinators.clear();
    }

    /// Starts or stops telling [`NetworkEvent`]s.
    pub fn watch(&mut self, watched: bool) {
        self.watched = watched;
        if !watched {
            self.traffic.clear();
        }
    }

    /// The next [`NetworkEvent`]; without watchers there are failed connections only.
    pub fn poll_network_event(&mut self) -> Option<NetworkEvent> {
        self.traffic.pop_front()
    }

    /// Whether there are events for the owner.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event for the owner.
    pub fn poll_event(&mut self) -> Option<ClusterEvent> {
        self.events.pop_front()
    }

    /// The next thing for the host to do.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// When [`Cluster::handle_timeout`] should be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Monotonic> {
        let connections = self.connections.values().filter_map(Connection::deadline);
        connections.chain(self.refresh_due()).min()
    }

    fn submit<R>(
        &mut self,
        now: Now,
        asker: Asker,
        target: Target,
        request: R,
        options: RequestOptions,
    ) -> Token
    where
        R: Request + std::fmt::Debug + 'static,
    {
        let token = Token(self.next_token);
        self.next_token = self.next_token.wrapping_add(1);
        let outgoing = Outgoing {
            token,
            asker,
            target,
            options,
            request: Box::new(request),
            created: now,
            tried: Vec::new(),
            looked_up: false,
        };
        self.route(now, outgoing);
        token
    }

    /// Time never goes back: returns the later of `now` and what was seen before.
    fn clock(&mut self, now: Now) -> Now {
        self.now = Now {
            monotonic: now.monotonic.max(self.now.monotonic),
            wall: now.wall,
        };
        self.now
    }

    /// Tells of a failed connection, also without a watcher.
    fn log(&mut self, error: ClientError) {
        /// What nobody reads is of no use when it is old.
        const MAX_UNREAD: usize = 64;
        if self.traffic.len() < MAX_UNREAD {
            self.traffic
                .push_back(NetworkEvent::ConnectionFailed(error));
        }
    }

    fn tell(&mut self, event: impl FnOnce() -> NetworkEvent) {
        /// What a watcher that does not look may leave behind.
        const MAX_UNREAD: usize = 4_096;
        if self.watched && self.traffic.len() < MAX_UNREAD {
            self.traffic.push_back(event());
        }
    }
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The host said so.
    Lost,
    /// Opening took too long.
    OpenTimeout,
    /// We close it because it is of no use any more.
    Closing,
}

#[cfg(test)]
mod tests;
