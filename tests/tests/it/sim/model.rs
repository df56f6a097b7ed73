//! What must hold, kept beside the broker: checked after every step, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use partita_core::broker::{BrokerState, Event, PartitionView};
use partita_core::types::TopicPartition;

/// The topic that producers write to and the group reads.
pub(super) const TOPIC: &str = "orders";
/// The group that reads it.
pub(super) const GROUP: &str = "billing";

/// What is known to have happened.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Values by partition and offset, as acknowledged to a producer.
    acknowledged: BTreeMap<(i32, i64), String>,
    /// Values that were acknowledged as repeats of batches too old to have their offsets known.
    somewhere: BTreeSet<(i32, String)>,
    /// Values by partition and offset, as given to a consumer.
    delivered: BTreeMap<(i32, i64), String>,
    /// The newest view of each partition, and of which opening it is.
    partitions: BTreeMap<(String, i32), (u64, PartitionView)>,
    /// How often a broker has begun to serve.
    openings: u64,
    /// The newest durable offset of each partition that the group has committed.
    committed: BTreeMap<i32, i64>,
    /// Every offset that some member tried to commit, in order.
    attempted: BTreeMap<i32, Vec<i64>>,
    /// The attempt behind which no commit may be lost: one that was answered or seen durable.
    kept: BTreeMap<i32, usize>,
    /// Who owns what, by generation.
    owners: BTreeMap<i32, BTreeMap<TopicPartition, String>>,
    /// The broker serves.
    pub(super) running: bool,
    /// It could not open.
    pub(super) failed: bool,
    pub(super) events: u64,
}

impl Model {
    /// A producer was told that its record has this offset.
    pub(super) fn acknowledged(&mut self, partition: i32, offset: i64, value: String) {
        let before = self.acknowledged.insert((partition, offset), value.clone());
        assert!(
            before.is_none(),
            "offset {offset} of partition {partition} was given to {before:?} and to {value}"
        );
        if let Some(seen) = self.delivered.get(&(partition, offset)) {
            assert_eq!(
                *seen, value,
                "a consumer saw another record at {partition}@{offset}"
            );
        }
    }

    /// A producer was told that its record is in the log, not where.
    pub(super) fn acknowledged_somewhere(&mut self, partition: i32, value: String) {
        self.somewhere.insert((partition, value));
    }

    /// A consumer was given a record.
    pub(super) fn delivered(&mut self, partition: i32, offset: i64, value: String) {
        if let Some(before) = self.delivered.get(&(partition, offset)) {
            assert_eq!(*before, value, "the record at {partition}@{offset} changed");
        }
        if let Some(sent) = self.acknowledged.get(&(partition, offset)) {
            assert_eq!(
                *sent, value,
                "not the record that was acknowledged at {partition}@{offset}"
            );
        }
        let durable = self.partitions.get(&(TOPIC.to_owned(), partition));
        if let Some((_, view)) = durable {
            assert!(
                offset < view.high_watermark,
                "{partition}@{offset} was delivered at high watermark {}",
                view.high_watermark
            );
        }
        self.delivered.insert((partition, offset), value);
    }

    /// A member asks for an offset to be committed.
    pub(super) fn attempts(&mut self, partition: i32, offset: i64) {
        self.attempted.entry(partition).or_default().push(offset);
    }

    /// A commit was acknowledged, or seen in the log: later openings must have it, or a later one.
    pub(super) fn committed_for_good(&mut self, partition: i32, offset: i64) {
        let attempts = self.attempted.get(&partition);
        let first = attempts.and_then(|all| all.iter().position(|&it| it == offset));
        let first = first.expect("somebody tried to commit it");
        let kept = self.kept.entry(partition).or_default();
        *kept = first.max(*kept);
    }

    /// A member was told its partitions.
    pub(super) fn joined(&mut self, generation: i32, member: &str, assigned: &[TopicPartition]) {
        let owners = self.owners.entry(generation).or_default();
        for partition in assigned {
            let before = owners.insert(partition.clone(), member.to_owned());
            assert!(
                before.as_deref().is_none_or(|other| other == member),
                "{partition} belongs to {before:?} and to {member} in generation {generation}"
            );
        }
    }

    /// The broker says what has changed.
    pub(super) fn observed(&mut self, event: Event) {
        self.events = self.events.wrapping_add(1);
        match event {
            Event::Partition(view) => self.partition(view),
            Event::Commit(commit) if commit.group == GROUP && commit.topic == TOPIC => {
                let tried = self.attempted.get(&commit.partition);
                assert!(
                    tried.is_some_and(|offsets| offsets.contains(&commit.offset)),
                    "nobody committed {}@{}",
                    commit.partition,
                    commit.offset
                );
                self.committed_for_good(commit.partition, commit.offset);
                self.committed.insert(commit.partition, commit.offset);
            }
            Event::CommitDeleted {
                group,
                topic,
                partition,
            } => {
                assert!(
                    !(group == GROUP && topic == TOPIC),
                    "the committed offset of {partition} has gone"
                );
            }
            Event::TopicDeleted { topic } => panic!("nobody deleted {topic}"),
            Event::Broker(BrokerState::Running) => {
                self.openings += u64::from(!self.running);
                self.running = true;
            }
            // Storage may fail while a broker opens; its host starts another. One that serves goes on.
            Event::Broker(BrokerState::Failed(why)) => {
                assert!(!self.running, "the broker failed: {why}");
                self.failed = true;
            }
            _ => {}
        }
    }

    fn partition(&mut self, view: PartitionView) {
        assert!(
            0 <= view.log_start_offset
                && view.log_start_offset <= view.high_watermark
                && view.high_watermark <= view.log_end_offset,
            "offsets out of order: {view:?}"
        );
        let key = (view.topic.clone(), view.partition);
        if let Some((opening, before)) = self.partitions.get(&key) {
            assert!(
                *opening == self.openings || before.leader_epoch < view.leader_epoch,
                "an opening began no leader epoch: {before:?}, then {view:?}"
            );
            assert!(
                before.high_watermark <= view.high_watermark,
                "the high watermark went back: {before:?}, then {view:?}"
            );
            assert!(
                before.leader_epoch <= view.leader_epoch,
                "the leader epoch went back: {before:?}, then {view:?}"
            );
            assert!(
                before.log_start_offset <= view.log_start_offset,
                "the log start went back: {before:?}, then {view:?}"
            );
        }
        self.partitions.insert(key, (self.openings, view));
    }

    /// The broker has recovered: what it says now must be what was durable before.
    pub(super) fn recovered(&self, commits: &BTreeMap<i32, i64>) {
        for (partition, kept) in &self.kept {
            let now = commits.get(partition);
            let attempts = self.attempted.get(partition);
            let last = attempts
                .zip(now)
                .and_then(|(all, now)| all.iter().rposition(|it| it == now));
            assert!(
                last.is_some_and(|last| last >= *kept),
                "partition {partition}: the attempt {kept} of {attempts:?} was durable, now {now:?}"
            );
        }
    }

    /// How many records were acknowledged.
    pub(super) fn acknowledged_count(&self) -> usize {
        self.acknowledged.len()
    }

    /// Everything that was acknowledged has been delivered.
    pub(super) fn all_delivered(&self) -> bool {
        self.acknowledged
            .keys()
            .all(|at| self.delivered.contains_key(at))
    }

    /// The first records that were acknowledged and not delivered.
    pub(super) fn not_delivered(&self) -> Vec<(i32, i64)> {
        let all = self.acknowledged.keys().copied();
        all.filter(|at| !self.delivered.contains_key(at))
            .take(5)
            .collect()
    }

    /// The high watermark of a partition, as last seen.
    pub(super) fn high_watermark(&self, partition: i32) -> i64 {
        self.partitions
            .get(&(TOPIC.to_owned(), partition))
            .map_or(0, |(_, view)| view.high_watermark)
    }

    /// The whole log of a partition, as a reader finds it at the end.
    pub(super) fn check_log(&self, partition: i32, log: &[(i64, String)]) {
        let mut seen = BTreeSet::new();
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (expected, (offset, value)) in (0..).zip(log) {
            assert_eq!(expected, *offset, "a hole in partition {partition}");
            assert!(
                seen.insert(value),
                "{value} is twice in partition {partition}"
            );
            let (producer, number) = value.split_once(':').expect("values are producer:number");
            let number: u64 = number.parse().expect("numbers are numbers");
            if let Some(before) = last.insert(producer, number) {
                assert!(
                    before < number,
                    "{producer}'s records are out of order in {partition}"
                );
            }
        }
        for (at, value) in &self.somewhere {
            assert!(*at != partition || seen.contains(value), "{value} is lost");
        }
        let log: BTreeMap<i64, &String> =
            log.iter().map(|(offset, value)| (*offset, value)).collect();
        for ((at, offset), value) in self.acknowledged.iter().chain(&self.delivered) {
            if *at == partition {
                assert_eq!(
                    log.get(offset),
                    Some(&value),
                    "{partition}@{offset} is lost"
                );
            }
        }
    }

    /// A short text of all that happened, to compare two runs.
    pub(super) fn fingerprint(&self) -> String {
        format!(
            "{} events, {:?}, {:?}, {:?}",
            self.events, self.acknowledged, self.delivered, self.committed
        )
    }
}
