//! The simulated programs: producers that number their records, and members of one group that
//! process what they are given and then commit it.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use partita_core::client::assignor::Assignor;
use partita_core::client::consumer::{
    AutoCommit, BatchId, GroupAssignor, OffsetReset, OffsetToCommit, TopicSubscription,
};
use partita_core::client::producer::{Idempotence, ProducerRecord, Send};
use partita_core::client::{
    ClusterConfig, Consumer, ConsumerConfig, ConsumerEvent, Endpoint, OpId, Producer,
    ProducerConfig, ProducerEvent, RetryConfig,
};
use partita_core::records::Compression;
use partita_core::time::{Monotonic, Now};
use partita_core::types::TopicPartition;

use super::model::{GROUP, Model, TOPIC};

/// How many partitions the topic has.
pub(super) const PARTITIONS: i32 = 3;

/// One simulated program.
pub(super) enum Program {
    Producer(Box<Writer>),
    Consumer(Box<Member>),
}

impl Program {
    /// The client inside.
    pub(super) fn endpoint(&mut self) -> &mut dyn Endpoint {
        match self {
            Self::Producer(writer) => &mut writer.producer,
            Self::Consumer(member) => &mut member.consumer,
        }
    }

    /// When it wants to be called next.
    pub(super) fn due(&self) -> Option<Monotonic> {
        let (client, own) = match self {
            Self::Producer(writer) => (writer.producer.poll_timeout(), writer.due()),
            Self::Consumer(member) => (member.consumer.poll_timeout(), member.due()),
        };
        client.into_iter().chain(own).min()
    }

    /// How it stands, for a failed run.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Producer(writer) => format!("{}: {:?}", writer.name, writer.unanswered),
            Self::Consumer(member) => format!(
                "{}: {:?} {:?} in hand {:?}",
                member.consumer.config().cluster.client_id,
                member.consumer.state(),
                member.consumer.partitions(),
                member.in_hand
            ),
        }
    }

    /// Does what is due, and takes note of what the client says.
    pub(super) fn act(&mut self, now: Now, model: &mut Model, random: &mut dyn FnMut(u64) -> u64) {
        match self {
            Self::Producer(writer) => writer.act(now, model, random),
            Self::Consumer(member) => member.act(now, model, random),
        }
    }
}

fn cluster(client_id: &str) -> ClusterConfig {
    ClusterConfig {
        client_id: client_id.to_owned(),
        bootstrap: vec![("broker".to_owned(), 9092)],
        ..ClusterConfig::default()
    }
}

/// Enough retries to live through every outage that the world has.
fn patient() -> RetryConfig {
    RetryConfig {
        retries: Some(1_000),
        ..RetryConfig::default()
    }
}

/// A producer that numbers its records: `p1:42`.
pub(super) struct Writer {
    name: String,
    producer: Producer,
    compression: Compression,
    next_send: Monotonic,
    /// Sends no more after this.
    pub(super) ends: Monotonic,
    number: u64,
    connecting: bool,
    unanswered: BTreeMap<OpId, (i32, Vec<String>)>,
}

impl Writer {
    pub(super) fn new(
        name: &str,
        seed: [u8; 32],
        now: Now,
        random: &mut dyn FnMut(u64) -> u64,
    ) -> Self {
        let config = ProducerConfig {
            cluster: cluster(name),
            retry: patient(),
            idempotence: Idempotence::Required,
            linger_ms: random(3) * 5,
            ..ProducerConfig::default()
        };
        let codecs = [
            Compression::None,
            Compression::Lz4,
            Compression::Snappy,
            Compression::Gzip,
        ];
        let choice = usize::try_from(random(4)).unwrap_or(0);
        Self {
            name: name.to_owned(),
            producer: Producer::new(config, seed),
            compression: codecs.get(choice).copied().unwrap_or(Compression::None),
            next_send: now.monotonic,
            ends: Monotonic(u64::MAX),
            number: 0,
            connecting: false,
            unanswered: BTreeMap::new(),
        }
    }

    /// Everything that was sent has been answered.
    pub(super) fn is_done(&self, now: Now) -> bool {
        self.unanswered.is_empty() && now.monotonic > self.ends
    }

    fn due(&self) -> Option<Monotonic> {
        (self.next_send <= self.ends).then_some(self.next_send)
    }

    fn act(&mut self, now: Now, model: &mut Model, random: &mut dyn FnMut(u64) -> u64) {
        if self
            .producer
            .poll_timeout()
            .is_some_and(|due| due <= now.monotonic)
        {
            self.producer.handle_timeout(now);
        }
        if !self.producer.is_connected() && !self.connecting {
            self.connecting = true;
            self.producer.connect(now);
        }
        if self.next_send <= now.monotonic && self.next_send <= self.ends {
            self.next_send = now
                .monotonic
                .after_millis(5 + i64::try_from(random(400)).unwrap_or(0));
            if self.producer.is_connected() && self.unanswered.len() < 20 {
                self.send(now, random);
            }
        }
        while let Some(event) = self.producer.poll_event() {
            match event {
                ProducerEvent::Connected { .. } => self.connecting = false,
                ProducerEvent::Disconnected { .. } | ProducerEvent::Partitions { .. } => {}
                ProducerEvent::Sent { op, result } => {
                    let (partition, values) = self.unanswered.remove(&op).expect("it was sent");
                    // A send that failed may or may not have been written: nothing was promised.
                    if let Ok(results) = result {
                        let first = results.first().expect("a partition was written to");
                        assert_eq!((results.len(), first.partition), (1, partition));
                        for (offset, value) in (first.base_offset..).zip(values) {
                            if first.base_offset < 0 {
                                model.acknowledged_somewhere(partition, value);
                            } else {
                                model.acknowledged(partition, offset, value);
                            }
                        }
                    }
                }
            }
        }
    }

    fn send(&mut self, now: Now, random: &mut dyn FnMut(u64) -> u64) {
        let partition = i32::try_from(random(u64::from(PARTITIONS.unsigned_abs()))).unwrap_or(0);
        let values: Vec<String> = (0..=random(4))
            .map(|_| {
                self.number += 1;
                format!("{}:{}", self.name, self.number)
            })
            .collect();
        let records: Vec<ProducerRecord> = values
            .iter()
            .map(|value| ProducerRecord {
                partition: Some(partition),
                value: Some(Bytes::from(value.clone())),
                ..ProducerRecord::default()
            })
            .collect();
        let mut send = Send::new(TOPIC, records);
        send.compression = self.compression;
        let op = self.producer.send(now, send);
        self.unanswered.insert(op, (partition, values));
    }
}

/// A member of the group: processes a batch for a while, then commits it.
pub(super) struct Member {
    consumer: Consumer,
    in_hand: VecDeque<(Monotonic, BatchId, TopicPartition, i64)>,
    /// It has crashed as KafkaJS's consumers do, and is to be replaced.
    pub(super) crashed: bool,
}

impl Member {
    pub(super) fn new(name: &str, seed: [u8; 32], assignor: Assignor, now: Now) -> Self {
        let config = ConsumerConfig {
            cluster: cluster(name),
            group_id: Some(GROUP.to_owned()),
            assignors: vec![GroupAssignor::BuiltIn(assignor)],
            session_timeout_ms: 6_000,
            rebalance_timeout_ms: 8_000,
            heartbeat_interval_ms: 1_000,
            max_wait_ms: 500,
            offset_reset: OffsetReset::Earliest,
            auto_commit: AutoCommit {
                enabled: false,
                interval_ms: None,
                threshold: None,
            },
            retry: patient(),
            ..ConsumerConfig::default()
        };
        let mut consumer = Consumer::new(config, seed).expect("the configuration is valid");
        consumer.subscribe(now, &[TopicSubscription::new(TOPIC)]);
        consumer.start(now);
        Self {
            consumer,
            in_hand: VecDeque::new(),
            crashed: false,
        }
    }

    fn due(&self) -> Option<Monotonic> {
        self.in_hand.front().map(|(ready, ..)| *ready)
    }

    fn act(&mut self, now: Now, model: &mut Model, random: &mut dyn FnMut(u64) -> u64) {
        if self
            .consumer
            .poll_timeout()
            .is_some_and(|due| due <= now.monotonic)
        {
            self.consumer.handle_timeout(now);
        }
        while self
            .in_hand
            .front()
            .is_some_and(|(ready, ..)| *ready <= now.monotonic)
        {
            let Some((_, id, partition, next)) = self.in_hand.pop_front() else {
                break;
            };
            if self.consumer.mark_processed(now, id, next) {
                model.attempts(partition.partition, next);
                let offset = OffsetToCommit {
                    partition,
                    offset: next,
                    metadata: None,
                };
                self.consumer.commit(now, vec![offset]);
            }
            self.consumer.complete(now, id);
        }
        self.listen(now, model);
        while let Some(batch) = self.consumer.poll(now) {
            let partition = TopicPartition::new(batch.topic.clone(), batch.partition);
            for record in batch.records() {
                let record = record.expect("what was fetched can be read");
                let value = record.value.expect("every record has a value");
                let value = String::from_utf8(value.to_vec()).expect("values are text");
                model.delivered(batch.partition, record.offset, value);
            }
            let ready = now
                .monotonic
                .after_millis(i64::try_from(random(300)).unwrap_or(0));
            self.in_hand
                .push_back((ready, batch.id, partition, batch.next_offset));
            self.in_hand
                .make_contiguous()
                .sort_by_key(|(ready, ..)| *ready);
        }
        self.listen(now, model);
    }

    fn listen(&mut self, now: Now, model: &mut Model) {
        while let Some(event) = self.consumer.poll_event() {
            match event {
                ConsumerEvent::Joined(join) => {
                    model.joined(join.generation, &join.member_id, &join.assignment);
                }
                ConsumerEvent::Revoking { partitions, .. } => {
                    // What is in hand of these is given up unprocessed: its next owner reads it
                    // again.
                    self.in_hand
                        .retain(|(_, _, partition, _)| !partitions.contains(partition));
                    self.consumer.revoked(now);
                }
                ConsumerEvent::Committed {
                    offsets,
                    result: Ok(()),
                    ..
                } => {
                    for commit in offsets {
                        model.committed_for_good(commit.partition.partition, commit.offset);
                    }
                }
                ConsumerEvent::Crashed { .. } => self.crashed = true,
                _ => {}
            }
        }
    }
}
