//! The client as a state machine: commands and frames in, frames and events out.
//!
//! Producer, consumer and admin each own a [`Cluster`]: the connections to the brokers,
//! what is known of topics and leaders, and the coordinators of groups. None does I/O, reads a
//! clock or draws randomness beyond its seed.
//!
//! # How a host drives one
//! 1. Create it, with a seed of 32 random bytes of its own.
//! 2. Give commands (`send`, `create_topics`, …). Each returns an [`OpId`] at once; its result
//!    arrives later by `poll_event`.
//! 3. After every command and every `handle_*` call: carry out each [`Transmit`] until
//!    [`Endpoint::poll_transmit`] is empty, take each event until `poll_event` is empty, then read
//!    [`Endpoint::poll_timeout`] and call [`Endpoint::handle_timeout`] when that moment has come.
//! 4. For a [`Transmit::Open`] answer [`Endpoint::handle_connected`] or
//!    [`Endpoint::handle_closed`]; for each frame that arrives, [`Endpoint::handle_received`].
//!
//! A call for a connection that the client has closed itself does nothing, so a host need not
//! order its callbacks with care. Time never goes back: an earlier `now` counts as the latest.
//!
//! # What it decides
//! Names, defaults, retries and error classes are KafkaJS 2.2's, because its users are ours; what
//! is on the wire is Kafka's own clients' way. In particular a record's partition, producer id,
//! epoch and sequence are fixed before its first attempt and stay on every retry.

pub mod admin;
pub mod assignor;
pub mod cluster;
pub mod consumer;
mod error;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]
pub(crate) mod fake;
pub mod partitioner;
pub mod producer;
mod retry;
mod rng;

use bytes::Bytes;

pub use admin::{Admin, AdminConfig, AdminEvent, AdminResult};
pub use cluster::{Cluster, ClusterConfig, Lane};
pub use consumer::{Consumer, ConsumerConfig, ConsumerEvent};
pub use error::{ClientError, ErrorKind, GroupFailure, RecordsFailure};
pub use producer::{Producer, ProducerConfig, ProducerEvent};
pub use retry::{Retry, RetryConfig, Verdict};
pub use rng::Rng;

use crate::time::{Monotonic, Now};

/// A connection of one client. Never used again after it was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A command under way in one client: its result carries the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);

/// What the host is to do with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// Connect to this address, and report [`Endpoint::handle_connected`] or
    /// [`Endpoint::handle_closed`].
    Open {
        /// The connection's id from now on.
        conn: ConnId,
        /// A host name, or whatever the host gave as a bootstrap address.
        host: String,
        /// The port, as the broker advertises it.
        port: i32,
    },
    /// Send one frame: these pieces in order. TCP puts the length, four bytes, before them.
    Send {
        /// On which connection.
        conn: ConnId,
        /// The frame's pieces.
        frame: Vec<Bytes>,
    },
    /// Close the connection. Nothing more about it needs to be reported.
    Close {
        /// Which one.
        conn: ConnId,
    },
}

/// What producer, consumer and admin have in common for their host.
pub trait Endpoint {
    /// The network layer inside.
    fn cluster(&self) -> &Cluster;

    /// The network layer inside, to be changed by the provided methods only.
    fn cluster_mut(&mut self) -> &mut Cluster;

    /// Acts on what the network layer has to say, and on deadlines of its own. The provided methods
    /// call it after each event.
    fn advance(&mut self, now: Now);

    /// When this half, without the network layer, wants to be called again.
    fn own_timeout(&self) -> Option<Monotonic>;

    /// A connection is open.
    fn handle_connected(&mut self, now: Now, conn: ConnId) {
        self.cluster_mut().handle_connected(now, conn);
        self.advance(now);
    }

    /// A frame has come, here without its length prefix.
    fn handle_received(&mut self, now: Now, conn: ConnId, frame: Bytes) {
        self.cluster_mut().handle_received(now, conn, frame);
        self.advance(now);
    }

    /// A connection could not be opened, or has ended. A reason that starts with a system's error
    /// code (`ECONNREFUSED …`) gives the error that code.
    fn handle_closed(&mut self, now: Now, conn: ConnId, reason: String) {
        self.cluster_mut().handle_closed(now, conn, &reason);
        self.advance(now);
    }

    /// The moment of [`Endpoint::poll_timeout`] has come. Calling it early does nothing.
    fn handle_timeout(&mut self, now: Now) {
        self.cluster_mut().handle_timeout(now);
        self.advance(now);
    }

    /// The next thing for the host to do.
    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.cluster_mut().poll_transmit()
    }

    /// When [`Endpoint::handle_timeout`] should be called next.
    fn poll_timeout(&self) -> Option<Monotonic> {
        let own = self.own_timeout();
        let cluster = self.cluster().poll_timeout();
        own.into_iter().chain(cluster).min()
    }
}
