//! The broker as a state machine: requests and storage replies in, responses and effects out.
//!
//! # How a host drives it
//! 1. [`Broker::new`], then drain [`Broker::poll_output`] (the first output is [`Effect::Load`]).
//! 2. Deliver each event with one `handle_*` call and the time at which it happened. Queued frames
//!    are delivered before a timeout that is due at the same time.
//! 3. After every call, drain [`Broker::poll_output`] until it is empty, then read
//!    [`Broker::poll_timeout`] and call [`Broker::handle_timeout`] when that moment has come.
//!
//! It never waits, reads no clock, touches no storage and draws only on the seed it was given. It
//! does not panic on any bytes: a bad frame closes its connection.
//!
//! # What is where
//! - `connection`, `dispatch`: frames to requests, responses in order.
//! - `handler`: one file per request.
//! - `log`: partitions, what is durable, retention. `hard`, `overlay`: hard state.
//! - `metadata`: topics, configs, producer ids, from `__cluster_metadata`.
//! - `group`: the group coordinator, from `__consumer_offsets`.
//! - `effect`, `output`, `event`: the host's side of the interface.

mod clock;
mod config;
mod connection;
mod dispatch;
mod effect;
mod event;
mod group;
mod handler;
mod hard;
mod log;
mod metadata;
mod output;
mod overlay;
mod purgatory;
mod rng;
mod timers;
mod watch;

use std::collections::VecDeque;

use bytes::Bytes;

pub use config::{BrokerConfig, ConfigError};
pub use connection::{ConnectionId, Listener, Peer};
pub use effect::{
    ChunkRef, Detail, Effect, LogId, MAX_CHUNK_BYTES, MAX_WRITE_BYTES, MAX_WRITES_IN_FLIGHT, Read,
    ReadData, ReadWhat, Reply, StorageError, StoredLog, Write, WriteOp,
};
pub use event::{
    BrokerState, CommitView, Event, GroupView, MemberView, PartitionView, RequestView, TopicView,
};
pub use output::{Frame, Output, Segment};

use crate::time::{Monotonic, Now};
use clock::Clock;
use connection::{Connection, Connections};
use event::Observer;
use group::Groups;
use log::{FetchSessions, LogNotice, Logs};
use metadata::Metadata;
use purgatory::Purgatory;
use rng::Rng;
use timers::Timers;

/// What is due when a timer of the broker itself expires. Groups have timers of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A parked Produce or Fetch has waited long enough.
    Parked(purgatory::ParkedId),
    /// Time to look for segments past their retention.
    Retention,
    /// A failed log is to be read back once more.
    ReadBack(LogId),
    /// A log is to be deleted once more.
    DropLog(LogId),
}

/// Where the broker is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// It reads its logs; requests wait.
    Recovering,
    /// It serves.
    Running,
    /// It cannot go on: connections are closed.
    Failed(String),
}

/// A Kafka broker.
#[derive(Debug)]
pub struct Broker {
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    pub(crate) config: BrokerConfig,
    pub(crate) connections: Connections,
    /// Connections whose next request may be taken.
    runnable: VecDeque<ConnectionId>,
    outputs: VecDeque<Output>,
    pub(crate) timers: Timers<Timer>,
    pub(crate) logs: Logs,
    pub(crate) purgatory: Purgatory,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) metadata: Metadata,
    pub(crate) groups: Groups,
    pub(crate) waiting: hard::Waiting,
    pub(crate) observer: Observer,
    pub(crate) lifecycle: Lifecycle,
}

impl Broker {
    /// A broker that has not read its storage yet: its first output is [`Effect::Load`].
    ///
    /// `seed` is 256 bits of cryptographic randomness, different at each open.
    #[must_use]
    pub fn new(config: BrokerConfig, seed: [u8; 32], now: Now) -> Self {
        let mut broker = Self {
            clock: Clock::new(now),
            rng: Rng::new(seed),
            logs: Logs::default(),
            purgatory: Purgatory::default(),
            fetch_sessions: FetchSessions::default(),
            metadata: Metadata::default(),
            groups: Groups::default(),
            config,
            connections: Connections::default(),
            runnable: VecDeque::new(),
            outputs: VecDeque::new(),
            timers: Timers::default(),
            waiting: hard::Waiting::default(),
            observer: Observer::default(),
            lifecycle: Lifecycle::Recovering,
        };
        broker.outputs.push_back(Output::Effect(Effect::Load));
        broker
    }

    /// A client has connected. Ids are never used again.
    pub fn handle_connect(&mut self, now: Now, connection: ConnectionId, peer: Peer) {
        self.advance_clock(now);
        self.connections.open(connection, peer);
        if let Lifecycle::Failed(_) = self.lifecycle {
            self.close(connection, "the broker has failed");
        }
    }

    /// One request of a connection, without its length prefix. As in Kafka, one that is larger than
    /// `socket.request.max.bytes` is the end of its connection; a host that knows the length before
    /// the bytes closes it then.
    pub fn handle_request(&mut self, now: Now, connection: ConnectionId, frame: Bytes) {
        self.advance_clock(now);
        let largest = usize::try_from(self.config.long("socket.request.max.bytes"));
        if largest.is_ok_and(|largest| frame.len() > largest) {
            return self.close(connection, "a request above socket.request.max.bytes");
        }
        if let Some(open) = self.connections.get_mut(connection) {
            open.push(frame);
            self.runnable.push_back(connection);
            self.settle();
        }
    }

    /// Whether the host should go on reading from a connection: false while too much of it waits.
    #[must_use]
    pub fn can_accept(&self, connection: ConnectionId) -> bool {
        let limit = usize::try_from(self.config.long("queued.max.request.bytes"))
            .ok()
            .filter(|&bytes| bytes > 0)
            .unwrap_or(DEFAULT_CONNECTION_WINDOW);
        self.connections
            .get(connection)
            .is_some_and(|open| open.queued_bytes() < limit)
    }

    /// Bytes of a connection's requests that are not finished: what counts against the window
    /// that the host grants it.
    #[must_use]
    pub fn unanswered_bytes(&self, connection: ConnectionId) -> usize {
        self.connections
            .get(connection)
            .map_or(0, Connection::unanswered_bytes)
    }

    /// Bytes of record batches that wait to be handed to storage. A host that sees more than it
    /// cares to hold stops reading until writes have ended: with acks=0 nothing else slows a
    /// producer down.
    #[must_use]
    pub fn staged_bytes(&self) -> usize {
        self.logs.staged_bytes()
    }

    /// Whether the broker reads its logs, serves or cannot go on.
    #[must_use]
    pub fn state(&self) -> BrokerState {
        match &self.lifecycle {
            Lifecycle::Recovering => BrokerState::Recovering,
            Lifecycle::Running => match self.logs.storage_full() {
                Some(why) => BrokerState::StorageFull(why.to_owned()),
                None => BrokerState::Running,
            },
            Lifecycle::Failed(why) => BrokerState::Failed(why.clone()),
        }
    }

    /// Storage has answered an effect.
    pub fn handle_storage(&mut self, now: Now, reply: Reply) {
        self.advance_clock(now);
        self.storage_replied(reply);
        self.settle();
    }

    /// The host says that storage has no room for records, and why, or that it has some again.
    ///
    /// While there is none, clients' batches are refused as storage would refuse them; commits and
    /// deleting go on, for which the host may have kept some room back.
    pub fn handle_room(&mut self, now: Now, none: Option<String>) {
        self.advance_clock(now);
        if self.logs.note_room(none) {
            self.observer.state();
        }
        self.settle();
    }

    /// The moment of [`Broker::poll_timeout`] has come. Calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        self.advance_clock(now);
        let now = self.clock.monotonic();
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Parked(id) => self.parked_timed_out(id),
                Timer::Retention => self.clean_up(),
                Timer::ReadBack(log) => self.read_back(log),
                Timer::DropLog(log) => self.drop_again(log),
            }
            self.settle();
        }
        self.group_timers_due();
        self.settle();
    }

    /// A client has gone. Undelivered responses are dropped; what it asked for goes on.
    pub fn handle_disconnect(&mut self, now: Now, connection: ConnectionId) {
        self.advance_clock(now);
        self.connections.close(connection);
        self.settle();
    }

    /// The next thing for the host to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Broker::handle_timeout`] should be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Monotonic> {
        [self.timers.next_deadline(), self.groups.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Takes the time of an event, and puts the deadlines of others off if the broker was away.
    fn advance_clock(&mut self, now: Now) {
        let away = self.clock.advance(now, self.poll_timeout());
        if away > 0 {
            self.groups.extend_deadlines(away);
        }
    }

    /// Goes on until nothing is left that can be done now: takes requests, passes on what logs
    /// report, then hands waiting appends to storage.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some(notice) = self.logs.poll_notice() {
                self.log_noticed(notice);
            } else if self.lifecycle != Lifecycle::Recovering
                && let Some(connection) = self.runnable.pop_front()
            {
                self.take_requests(connection);
            } else if !self.flush_logs() {
                return;
            }
        }
    }

    /// Passes on what a log reports to whoever cares.
    fn log_noticed(&mut self, notice: LogNotice) {
        match notice {
            LogNotice::Advanced {
                log,
                high_watermark,
            } => {
                self.metadata_log_advanced(log, high_watermark);
                self.group_log_advanced(log, high_watermark);
                self.hard_log_advanced(log, high_watermark);
                self.wake_parked(log);
            }
            LogNotice::Failed { log } => {
                self.metadata_log_failed(log);
                self.group_log_failed(log);
                self.hard_log_failed(log);
                self.wake_parked(log);
            }
            LogNotice::Replayed { log, batches } => {
                self.metadata_replayed(log, &batches);
                self.group_replayed(log, &batches);
            }
            LogNotice::ReplayEnded { log, result } => {
                self.metadata_replay_ended(log, &result);
                self.group_replay_ended(log, &result);
            }
        }
    }

    /// Hands an output to the host.
    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Closes a connection; what it had asked for goes on.
    pub(crate) fn close(&mut self, connection: ConnectionId, reason: &'static str) {
        if self.connections.close(connection) {
            self.outputs.push_back(Output::Close { connection, reason });
        }
    }

    /// The broker cannot go on (fenced, or its metadata cannot be read): everyone is sent away.
    pub(crate) fn fail(&mut self, why: String) {
        self.lifecycle = Lifecycle::Failed(why);
        self.observer.state();
        for connection in self.connections.ids() {
            self.close(connection, "the broker has failed");
        }
    }

    /// Notes that a connection's next request may be taken.
    pub(crate) fn run_soon(&mut self, connection: ConnectionId) {
        self.runnable.push_back(connection);
    }
}

/// How many bytes of requests may wait on one connection (HOST.md, "Ports and tabs").
const DEFAULT_CONNECTION_WINDOW: usize = 8 << 20;
