//! The producer: sends in, Produce requests out, one result per send.
//!
//! # The way of a record
//! [`Producer::send`] → (waits for room in the buffer) → its topic's partitions are known → the
//! partitioner, or the record's own partition → the partition's open batch → a request to the
//! leader → acknowledged, or sent again exactly as it was → [`ProducerEvent::Sent`].
//!
//! Sends are pipelined: any number may be unanswered, and each partition keeps their order. While
//! earlier requests are unanswered, records gather in larger batches; so throughput does not
//! depend on how large the sends are.
//!
//! # Invariants
//! - A record's partition is chosen once. A batch's bytes, producer id, epoch and sequence are
//!   fixed before its first attempt; they change only when the broker's answer proves that no
//!   attempt was written (see `queue`).
//! - A send ends when each of its records was written or given up, never before; it fails with the
//!   first reason.
//!
//! Sources: KafkaJS 2.2's producer for names, defaults, checks and errors; KIP-98 (idempotence),
//! KIP-480 (sticky), KIP-951 (new leaders told in Produce's answers).

mod answers;
mod batch;
mod config;
mod identity;
mod queue;
mod record;
mod sender;
mod sends;
mod session;
mod topics;

use crate::sorted::SortedMap;
use std::collections::VecDeque;

pub use config::{Idempotence, PartitionerKind, ProducerConfig};
pub use record::{Packed, ProducerRecord, RecordList};
pub use sends::PartitionResult;

use super::admin::PartitionView;
use super::cluster::{Cluster, ClusterEvent, Token};
use super::error::{ClientError, ErrorKind};
use super::partitioner::{Partitioner, RoundRobin, Sticky};
use super::retry::Retry;
use super::rng::Rng;
use super::{Endpoint, OpId};
use crate::records::Compression;
use crate::time::{Monotonic, Now};
use batch::Kind;
use identity::IdentityState;
use sender::Sent;
use sends::Sends;
use session::{Connecting, Lookup};
use topics::{Part, Topic};

/// What to send, to one topic or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    /// Records by topic.
    pub topics: Vec<(String, RecordList)>,
    /// −1: all in-sync replicas have them; 1: the leader has them; 0: nobody says anything.
    pub acks: i16,
    /// How long the broker may take to have them replicated, in milliseconds.
    pub timeout_ms: i32,
    /// How batches are compressed.
    pub compression: Compression,
}

impl Send {
    /// Records for one topic, acknowledged by all in-sync replicas, uncompressed.
    #[must_use]
    pub fn new(topic: impl Into<String>, records: impl Into<RecordList>) -> Self {
        Self {
            topics: vec![(topic.into(), records.into())],
            acks: -1,
            timeout_ms: 30_000,
            compression: Compression::None,
        }
    }
}

/// What a producer tells.
#[derive(Debug, Clone, PartialEq)]
pub enum ProducerEvent {
    /// [`Producer::connect`] has ended.
    Connected {
        /// Which command.
        op: OpId,
        /// Whether a broker was reached.
        result: Result<(), ClientError>,
    },
    /// [`Producer::disconnect`] has ended: nothing is under way, every connection is closed.
    Disconnected {
        /// Which command.
        op: OpId,
    },
    /// [`Producer::fetch_partitions`] has ended.
    Partitions {
        /// Which command.
        op: OpId,
        /// The topic's partitions by number.
        result: Result<Vec<PartitionView>, ClientError>,
    },
    /// A send has ended.
    Sent {
        /// Which command.
        op: OpId,
        /// A result per partition written to, none with acks=0; or the first error.
        result: Result<Vec<PartitionResult>, ClientError>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Disconnected,
    Connected,
    Disconnecting,
}

/// A send's part that waits for room in the buffer.
#[derive(Debug)]
struct Parked {
    topic: String,
    part: Part,
    until: Monotonic,
}

/// A producer.
#[derive(Debug)]
pub struct Producer {
    config: ProducerConfig,
    cluster: Cluster,
    rng: Rng,
    partitioner: Partitioner,
    status: Status,
    connecting: Vec<Connecting>,
    disconnecting: Vec<OpId>,
    lookups: Vec<Lookup>,
    next_op: u64,
    sends: Sends,
    topics: SortedMap<String, Topic>,
    parked: VecDeque<Parked>,
    /// Bytes of records that are admitted and not yet done with.
    used: usize,
    identity: IdentityState,
    requests: SortedMap<Token, Vec<Sent>>,
    /// Which topic the next request begins with, so that none is always last.
    turn: usize,
    events: VecDeque<ProducerEvent>,
}

impl Producer {
    /// A producer that is not connected. `seed` is 32 random bytes of its own.
    #[must_use]
    pub fn new(mut config: ProducerConfig, seed: [u8; 32]) -> Self {
        let mut rng = Rng::new(seed);
        config.cluster.max_in_flight = config.max_in_flight;
        let partitioner = match config.partitioner {
            PartitionerKind::RoundRobin => Partitioner::RoundRobin(RoundRobin::new()),
            PartitionerKind::Sticky => {
                Partitioner::Sticky(Box::new(Sticky::new(STICKY_BYTES, rng.fork())))
            }
        };
        Self {
            cluster: Cluster::new(config.cluster.clone(), rng.fork()),
            config,
            rng,
            partitioner,
            status: Status::Disconnected,
            connecting: Vec::new(),
            disconnecting: Vec::new(),
            lookups: Vec::new(),
            next_op: 0,
            sends: Sends::default(),
            topics: SortedMap::new(),
            parked: VecDeque::new(),
            used: 0,
            identity: IdentityState::default(),
            requests: SortedMap::new(),
            turn: 0,
            events: VecDeque::new(),
        }
    }

    /// Sends records. [`ProducerEvent::Sent`] tells how it ended.
    ///
    /// A record that names a partition goes there; others go where the partitioner says. What goes
    /// to one partition is in one batch if it fits into `max_request_size`.
    pub fn send(&mut self, now: Now, send: Send) -> OpId {
        let op = self.take_op();
        if let Err(error) = self.check(&send) {
            self.events.push_back(ProducerEvent::Sent {
                op,
                result: Err(error),
            });
            return op;
        }
        let kind = Kind {
            acks: send.acks,
            timeout_ms: send.timeout_ms,
            compression: send.compression,
        };
        let topics = send
            .topics
            .into_iter()
            .filter(|(_, records)| !records.is_empty());
        let topics: Vec<_> = topics.collect();
        // One more, which is taken back below: a send of nothing has ended at once.
        self.sends.begin(op, topics.len().saturating_add(1));
        for (topic, records) in topics {
            let part = Part {
                op,
                kind,
                size: records.size(),
                records,
                retry: Retry::new(&self.config.retry, &mut self.rng, now.monotonic),
                asked: false,
                outside_since: None,
            };
            if self.parked.is_empty() && self.has_room(part.size) {
                self.admit(now, topic, part);
            } else {
                let wait = self.config.max_block_ms;
                let until = Monotonic(now.monotonic.0.saturating_add(wait));
                self.parked.push_back(Parked { topic, part, until });
            }
        }
        self.finish_one(op);
        self.advance(now);
        op
    }

    /// As [`Producer::send`], for records of one topic that come packed in one buffer, with
    /// acks=all.
    ///
    /// # Errors
    /// `NonRetriable` if the buffer is not in the packed form ([`Packed`]).
    pub fn send_packed(
        &mut self,
        now: Now,
        topic: &str,
        buffer: bytes::Bytes,
    ) -> Result<OpId, ClientError> {
        let records = Packed::new(buffer)?;
        Ok(self.send(now, Send::new(topic, records)))
    }

    /// Whether a send waits for room in the buffer, so that further ones would wait behind it. A
    /// host that keeps its users' records until this is false again saves their copies.
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.parked.is_empty()
    }

    /// How many bytes of records are not yet done with.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.used
    }

    /// Whether records are always numbered.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.config.idempotence == Idempotence::Required
    }

    /// Whether the producer takes sends.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.status == Status::Connected
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ProducerEvent> {
        self.events.pop_front()
    }

    fn take_op(&mut self) -> OpId {
        self.next_op = self.next_op.wrapping_add(1);
        OpId(self.next_op)
    }

    fn check(&self, send: &Send) -> Result<(), ClientError> {
        match self.status {
            Status::Connected => {}
            Status::Disconnecting => {
                return Err(ClientError::non_retriable(
                    "The producer is disconnecting; therefore, it can't safely accept messages anymore",
                ));
            }
            Status::Disconnected => {
                let message = "The producer is disconnected";
                return Err(ClientError::passing(ErrorKind::General, message));
            }
        }
        if send.topics.iter().any(|(topic, _)| topic.is_empty()) {
            return Err(ClientError::non_retriable("Invalid topic"));
        }
        if self.is_idempotent() && send.acks != -1 {
            return Err(ClientError::non_retriable(
                "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
            ));
        }
        Ok(())
    }

    /// Whether records of so many bytes may be taken; a send larger than the buffer goes alone.
    fn has_room(&self, size: usize) -> bool {
        self.used == 0 || self.used.saturating_add(size) <= self.config.buffer_memory
    }

    /// A send waits for one thing less.
    fn finish_one(&mut self, op: OpId) {
        if let Some(result) = self.sends.finish(op) {
            self.events.push_back(ProducerEvent::Sent { op, result });
        }
    }

    /// Takes what waits for room, in order, and ends what has waited too long.
    fn unpark(&mut self, now: Now) {
        while let Some(first) = self.parked.front() {
            if self.has_room(first.part.size) {
                let Some(parked) = self.parked.pop_front() else {
                    return;
                };
                self.admit(now, parked.topic, parked.part);
            } else if first.until <= now.monotonic {
                let Some(parked) = self.parked.pop_front() else {
                    return;
                };
                let message = format!(
                    "{} bytes of messages are waiting to be acknowledged, and there was no room \
                     for more within {} ms",
                    self.used, self.config.max_block_ms
                );
                let error = ClientError::fatal(ErrorKind::Timeout, message);
                self.sends.failed(parked.part.op, error);
                self.finish_one(parked.part.op);
            } else {
                return;
            }
        }
    }
}

/// After how many bytes the sticky partitioner moves on: Kafka's `batch.size`.
const STICKY_BYTES: usize = 16_384;

impl Endpoint for Producer {
    fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    fn advance(&mut self, now: Now) {
        loop {
            while let Some(event) = self.cluster.poll_event() {
                match event {
                    ClusterEvent::Answer { token, result } => self.answered(now, token, result),
                    ClusterEvent::MetadataUpdated => {
                        self.connected(now, Ok(()));
                        self.lookups_answered(now, None);
                        if self.is_idempotent() && self.identity == IdentityState::Unknown {
                            self.ask_for_identity(now);
                        }
                        self.metadata_updated(now);
                    }
                    ClusterEvent::MetadataFailed(error) => {
                        self.connected(now, Err(&error));
                        self.lookups_answered(now, Some(&error));
                        self.metadata_failed(now, &error);
                    }
                    ClusterEvent::NodeReady(_) => {}
                    ClusterEvent::NodeFailed(node, error) => self.node_failed(now, node, &error),
                }
            }
            self.session_due(now);
            self.place_due(now);
            self.unpark(now);
            self.pump(now);
            let disconnected = self.finish_disconnecting(now);
            // Requests that fail at once have left events behind.
            if !disconnected && !self.cluster.has_events() {
                return;
            }
        }
    }

    fn own_timeout(&self) -> Option<Monotonic> {
        let parked = self.parked.iter().map(|parked| parked.until).take(1);
        let session = self.session_timeout();
        let timeouts = session.into_iter().chain(parked).chain(self.send_due());
        timeouts.min()
    }
}

#[cfg(test)]
mod tests;
