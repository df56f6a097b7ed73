//! A member of the group: processes a batch for a while, then commits it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use partita_core::client::assignor::Assignor;
use partita_core::client::consumer::{
    AutoCommit, BatchId, ConsumerState, FetchedBatch, GroupAssignor, OffsetReset, OffsetToCommit,
    TopicSubscription,
};
use partita_core::client::{Consumer, ConsumerConfig, ConsumerEvent, Endpoint as _, OpId};
use partita_core::time::{Monotonic, Now};
use partita_core::types::TopicPartition;

use super::super::model::{GROUP, Model, TOPIC};
use super::{cluster, later, patient};
use crate::numbers::Numbers;

/// See the module.
#[derive(Debug)]
pub(in crate::sim) struct Member {
    pub(super) consumer: Consumer,
    in_hand: VecDeque<(Monotonic, BatchId, TopicPartition, i64)>,
    /// What it was told to have and not to give up.
    owned: BTreeSet<TopicPartition>,
    /// The offset that comes next in each partition, from when its position was found.
    expected: BTreeMap<TopicPartition, i64>,
    /// It has crashed as KafkaJS's consumers do, or has left, and is to be replaced.
    pub(in crate::sim) gone: bool,
    leaving: Option<OpId>,
}

/// How long the coordinator waits for a member's heartbeat, in milliseconds.
pub(in crate::sim) const SESSION: u64 = 6_000;

/// What is the same for all members of a group, or for one and who takes its place.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Membership {
    pub(in crate::sim) assignor: Assignor,
    pub(in crate::sim) topics: Vec<&'static str>,
    pub(in crate::sim) instance: Option<String>,
}

impl Member {
    pub(in crate::sim) fn new(
        name: &str,
        membership: Membership,
        seed: [u8; 32],
        now: Now,
    ) -> Self {
        let config = ConsumerConfig {
            cluster: cluster(name),
            group_id: Some(GROUP.to_owned()),
            group_instance_id: membership.instance,
            assignors: vec![GroupAssignor::BuiltIn(membership.assignor)],
            session_timeout_ms: SESSION,
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
        let topics = membership.topics.iter();
        let topics: Vec<_> = topics.map(|name| TopicSubscription::new(*name)).collect();
        consumer.subscribe(now, &topics);
        consumer.start(now);
        Self {
            consumer,
            in_hand: VecDeque::new(),
            owned: BTreeSet::new(),
            expected: BTreeMap::new(),
            gone: false,
            leaving: None,
        }
    }

    pub(super) fn due(&self) -> Option<Monotonic> {
        self.in_hand.front().map(|(ready, ..)| *ready)
    }

    /// Whether it has its part of a generation.
    pub(in crate::sim) fn is_stable(&self) -> bool {
        self.consumer.state() == ConsumerState::Stable
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "{}: {:?} {:?} in hand {:?}",
            self.consumer.config().cluster.client_id,
            self.consumer.state(),
            self.consumer.partitions(),
            self.in_hand
        )
    }

    /// Leaves the group in order.
    pub(in crate::sim) fn leave(&mut self, now: Now) {
        if self.leaving.is_none() {
            self.leaving = Some(self.consumer.disconnect(now));
        }
    }

    pub(super) fn act(&mut self, now: Now, model: &mut Model, random: &mut Numbers) {
        let due = self.consumer.poll_timeout();
        if due.is_some_and(|due| due <= now.monotonic) {
            self.consumer.handle_timeout(now);
        }
        self.process(now, model);
        self.listen(now, model);
        while let Some(batch) = self.consumer.poll(now) {
            self.take(&batch, model);
            let ready = later(now, random.below(300));
            let partition = TopicPartition::new(batch.topic, batch.partition);
            self.in_hand
                .push_back((ready, batch.id, partition, batch.next_offset));
            self.in_hand
                .make_contiguous()
                .sort_by_key(|(ready, ..)| *ready);
        }
        self.listen(now, model);
    }

    /// Ends the batches that are processed by now.
    fn process(&mut self, now: Now, model: &mut Model) {
        while let Some((ready, ..)) = self.in_hand.front()
            && *ready <= now.monotonic
            && let Some((_, id, partition, next)) = self.in_hand.pop_front()
        {
            if self.consumer.mark_processed(now, id, next) {
                let place = (partition.topic.clone(), partition.partition);
                model.group.attempts(place, next);
                let offset = OffsetToCommit {
                    partition,
                    offset: next,
                    metadata: None,
                };
                self.consumer.commit(now, vec![offset]);
            }
            self.consumer.complete(now, id);
        }
    }

    /// Looks at what it was given: only of its own partitions, each record after the one before.
    fn take(&mut self, batch: &FetchedBatch, model: &mut Model) {
        let partition = TopicPartition::new(batch.topic.clone(), batch.partition);
        assert!(
            self.owned.contains(&partition),
            "records of {partition} were delivered to a member that has {:?}",
            self.owned
        );
        let expected = self.expected.get(&partition).copied();
        let mut next = expected.expect("records come after the position is known");
        for record in batch.records() {
            let record = record.expect("what was fetched can be read");
            assert_eq!(
                record.offset, next,
                "{partition}: the next record was to be another"
            );
            next = record.offset + 1;
            let value = record.value.expect("every record has a value");
            let value = String::from_utf8(value.to_vec()).expect("values are text");
            if batch.topic == TOPIC {
                model.delivered(batch.partition, record.offset, value);
            }
        }
        assert_eq!(next, batch.next_offset, "{partition}: the batch ends there");
        self.expected.insert(partition, next);
    }

    fn give_up(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.owned.remove(partition);
            self.expected.remove(partition);
        }
        // What is in hand of these is given up unprocessed: its next owner reads it again.
        self.in_hand
            .retain(|(_, _, partition, _)| !partitions.contains(partition));
    }

    fn listen(&mut self, now: Now, model: &mut Model) {
        while let Some(event) = self.consumer.poll_event() {
            model.explain(|| format!("{}: {event:?}", self.consumer.config().cluster.client_id));
            match event {
                ConsumerEvent::Joined(join) => {
                    let instance = self.consumer.config().group_instance_id.as_deref();
                    let who = instance.unwrap_or(&join.member_id);
                    model.group.joined(join.generation, who, &join.assignment);
                }
                ConsumerEvent::Assigned { partitions } => self.owned.extend(partitions),
                ConsumerEvent::Positioned {
                    partition, offset, ..
                } => {
                    self.expected.insert(partition, offset);
                }
                ConsumerEvent::Revoking { partitions, .. } => {
                    self.give_up(&partitions);
                    self.consumer.revoked(now);
                }
                ConsumerEvent::Revoked { partitions } | ConsumerEvent::Lost { partitions } => {
                    self.give_up(&partitions);
                }
                ConsumerEvent::Committed {
                    offsets,
                    result: Ok(()),
                    ..
                } => {
                    for commit in offsets.iter().filter(|it| it.partition.topic == TOPIC) {
                        let place = (TOPIC.to_owned(), commit.partition.partition);
                        model.group.committed_for_good(&place, commit.offset);
                    }
                }
                ConsumerEvent::Crashed { .. } => self.gone = true,
                ConsumerEvent::Done { op, .. } => self.gone |= self.leaving == Some(op),
                _ => {}
            }
        }
    }
}
