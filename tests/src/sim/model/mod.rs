//! What must hold, kept beside the broker: checked after every step, and at the end.
//!
//! Three sources: what the broker says of itself (events), what passes its door (requests and
//! responses), and what is stored when it crashes. `records` follows the bytes of batches, `group`
//! who owns what and what is committed; here are the bounds of logs, and what programs were told.

mod group;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use partita_core::broker::{BrokerState, Event, PartitionView, TopicView};
use partita_core::protocol::ApiKey;
use partita_core::protocol::messages::{
    FetchRequest, OffsetCommitRequest, OffsetFetchRequest, ProduceRequest,
};
use partita_core::testing::Stored;
use partita_core::types::Uuid;

use super::Listener;
use super::tap::{Asked, Body};
use group::Group;
use records::Batches;

/// The topic that producers write to and the group reads. It is never deleted.
pub(super) const TOPIC: &str = "orders";
/// A topic that some worlds delete and create again.
pub(super) const PASSING: &str = "visits";
/// The group that reads both.
pub(super) const GROUP: &str = "billing";

/// A partition of a topic, whichever topic has the name at present.
pub(super) type Place = (String, i32);

/// What is known to have happened.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The step that is being taken.
    pub(super) step: u64,
    /// Hears what explains the steps.
    listener: Option<Listener>,
    pub(super) group: Group,
    batches: Batches,
    /// Values by partition and offset of [`TOPIC`], as acknowledged to a producer.
    acknowledged: BTreeMap<(i32, i64), String>,
    /// Values that were acknowledged as repeats of batches too old to have their offsets known.
    somewhere: BTreeSet<(i32, String)>,
    /// Values by partition and offset of [`TOPIC`], as given to a consumer.
    delivered: BTreeMap<(i32, i64), String>,
    /// The topics there are, and every id that a topic of a name has had.
    topics: BTreeMap<String, TopicView>,
    names: BTreeMap<Uuid, String>,
    /// Topics that somebody asked to delete.
    deletable: BTreeSet<String>,
    /// The newest view of each partition, and of which opening it is.
    partitions: BTreeMap<Place, (u64, PartitionView)>,
    /// The highest log start of each partition that was ever seen: a deletion that storage then
    /// refused is undone, but who was reading there has gone on.
    starts: BTreeMap<Place, i64>,
    /// Below which offsets somebody was told that records are gone: for ever.
    trimmed: BTreeMap<i32, i64>,
    /// How far each log was durable at the last crash.
    durable: BTreeMap<Place, i64>,
    /// How often a broker has begun to serve.
    openings: u64,
    /// The broker serves.
    pub(super) running: bool,
    /// It cannot go on.
    pub(super) failed: bool,
    /// It is to fail: another host has taken over.
    pub(super) fenced: bool,
}

impl Model {
    /// Nothing has happened yet. The group's members give up and get partitions in the cooperative
    /// way or not; topics begin with so many partitions.
    pub(super) fn new(listener: Option<Listener>, cooperative: bool, partitions: i32) -> Self {
        Self {
            listener,
            group: Group::new(cooperative, partitions),
            ..Self::default()
        }
    }

    /// Tells what happens within a step, if somebody listens.
    pub(super) fn explain(&self, what: impl FnOnce() -> String) {
        if let Some(listener) = self.listener {
            listener(&format!("  {}", what()));
        }
    }

    // ---- What programs were told.

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

    /// A consumer was given a record of [`TOPIC`].
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
        if let Some((_, view)) = self.partitions.get(&(TOPIC.to_owned(), partition)) {
            assert!(
                offset < view.high_watermark,
                "{partition}@{offset} was delivered at high watermark {}",
                view.high_watermark
            );
        }
        self.delivered.insert((partition, offset), value);
    }

    /// Somebody asks for a topic to be deleted.
    pub(super) fn may_be_deleted(&mut self, topic: &str) {
        self.deletable.insert(topic.to_owned());
    }

    /// Somebody was told that the records of a partition below an offset are gone: for ever.
    pub(super) fn trimmed(&mut self, partition: i32, offset: i64) {
        let (start, _) = self.bounds(partition);
        let trimmed = self.trimmed.entry(partition).or_default();
        *trimmed = offset.max(*trimmed);
        assert!(
            *trimmed <= start || !self.running,
            "the records of {partition} below {offset} were deleted, the log start is {start}"
        );
    }

    // ---- What passes the broker's door.

    /// The broker has answered a request; what it says of itself after that step is known.
    pub(super) fn answered(&mut self, asked: &Asked, frame: Bytes) {
        match (&asked.body, asked.api) {
            (Body::Produce(request), _) => {
                let response = asked.response::<ProduceRequest>(frame);
                self.batches.produced(request, &response);
            }
            (Body::Commit(request), _) => {
                let response = asked.response::<OffsetCommitRequest>(frame);
                let names = &self.names;
                self.group
                    .committed(asked.step, self.step, request, &response, names);
            }
            (_, ApiKey::Fetch) => {
                let response = asked.response::<FetchRequest>(frame);
                self.batches.fetched(&response);
            }
            (_, ApiKey::OffsetFetch) => {
                let response = asked.response::<OffsetFetchRequest>(frame);
                self.group
                    .offsets_read(asked.step, self.step, &response, &self.names);
            }
            _ => {}
        }
    }

    // ---- What the broker says of itself.

    /// The broker says what has changed.
    pub(super) fn observed(&mut self, event: Event) {
        match event {
            Event::Topic(view) => self.topic(view),
            Event::Partition(view) => self.partition(view),
            Event::Group(view) => {
                if view.group == GROUP {
                    self.group.observed(self.step, view);
                }
            }
            Event::Commit(commit) => {
                if commit.group == GROUP {
                    let place = (commit.topic, commit.partition);
                    self.group
                        .durable(self.step, place, Some(commit.offset), commit.log_offset);
                }
            }
            Event::CommitDeleted {
                group,
                topic,
                partition,
            } => {
                assert!(
                    group != GROUP || self.deletable.contains(&topic),
                    "the committed offset of {topic}-{partition} has gone"
                );
                if group == GROUP {
                    self.group.durable(self.step, (topic, partition), None, -1);
                }
            }
            Event::TopicDeleted { topic } => self.topic_deleted(&topic),
            Event::Broker(BrokerState::Running) => {
                self.openings += u64::from(!self.running);
                self.running = true;
            }
            // Storage may fail while a broker opens, and another host may take over; nothing else
            // ends one that serves.
            Event::Broker(BrokerState::Failed(why)) => {
                assert!(!self.running || self.fenced, "the broker failed: {why}");
                self.failed = true;
            }
            Event::GroupDeleted { group } => {
                assert!(
                    group != GROUP || self.group.never_was(),
                    "the group is gone"
                );
            }
            Event::Broker(BrokerState::Recovering | BrokerState::StorageFull(_))
            | Event::Request(_)
            | Event::RequestsLeftOut(_) => {}
        }
    }

    fn topic_deleted(&mut self, topic: &str) {
        assert!(self.deletable.contains(topic), "nobody deleted {topic}");
        self.topics.remove(topic);
        self.partitions.retain(|(name, _), _| name != topic);
        self.durable.retain(|(name, _), _| name != topic);
        self.starts.retain(|(name, _), _| name != topic);
    }

    fn topic(&mut self, view: TopicView) {
        let id: Uuid = view.id.parse().expect("topic ids are in base64");
        if let Some(before) = self.topics.get(&view.topic) {
            if before.id == view.id {
                assert!(
                    before.partitions <= view.partitions,
                    "{} had {} partitions, now {}",
                    view.topic,
                    before.partitions,
                    view.partitions
                );
            } else {
                assert!(
                    !self.names.contains_key(&id),
                    "{} has an id that a topic had before",
                    view.topic
                );
                // Deleted and created again while no broker was there to say so.
                self.topic_deleted(&view.topic.clone());
            }
        }
        self.names.insert(id, view.topic.clone());
        self.topics.insert(view.topic.clone(), view);
    }

    fn partition(&mut self, view: PartitionView) {
        assert!(
            0 <= view.log_start_offset
                && view.log_start_offset <= view.high_watermark
                && view.high_watermark <= view.log_end_offset,
            "offsets out of order: {view:?}"
        );
        let place = (view.topic.clone(), view.partition);
        if let Some((opening, before)) = self.partitions.get(&place) {
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
                before.log_start_offset <= view.log_start_offset
                    || !view.online
                    || *opening < self.openings,
                "the log start went back: {before:?}, then {view:?}"
            );
            // What is taken back is taken back by a failure, after which a leader epoch begins.
            assert!(
                before.leader_epoch < view.leader_epoch
                    || !view.online
                    || (before.online && before.log_end_offset <= view.log_end_offset),
                "taken back within a leader epoch: {before:?}, then {view:?}"
            );
        }
        if view.topic == TOPIC {
            let trimmed = self.trimmed.get(&view.partition).copied().unwrap_or(0);
            assert!(
                trimmed <= view.log_start_offset,
                "what was deleted below {trimmed} is there again: {view:?}"
            );
        }
        let start = self.starts.entry(place.clone()).or_default();
        *start = view.log_start_offset.max(*start);
        let durable = self.durable.get(&place).copied().unwrap_or(0);
        assert!(
            durable <= view.high_watermark,
            "{place:?} was durable up to {durable}, now {view:?}"
        );
        self.partitions.insert(place, (self.openings, view));
    }

    /// The broker has crashed: what is stored is as it should be.
    pub(super) fn crashed(&mut self, stored: &Stored) {
        self.running = false;
        self.fenced = false;
        self.failed = false;
        let starts = |id: &Uuid, partition: i32| {
            let name = self.names.get(id)?;
            let current = self.topics.get(name)?;
            // Of a topic that is deleted nothing need be there.
            if current.id != id.to_string() || self.deletable.contains(name) {
                return None;
            }
            let (_, view) = self.partitions.get(&(name.clone(), partition))?;
            Some(view.log_start_offset)
        };
        let ends = self.batches.stored(stored, starts);
        for ((id, partition), end) in ends {
            if let Some(name) = self.names.get(&id)
                && self
                    .topics
                    .get(name)
                    .is_some_and(|it| it.id == id.to_string())
                && !self.deletable.contains(name)
            {
                self.durable.insert((name.clone(), partition), end);
            }
        }
    }

    // ---- What is asked of it.

    /// How many partitions a topic has, as far as the broker has said.
    pub(super) fn partitions_of(&self, topic: &str) -> i32 {
        self.topics.get(topic).map_or(0, |view| view.partitions)
    }

    /// The topics of programs, with their partitions.
    pub(super) fn places(&self) -> Vec<Place> {
        let topics = self.topics.values().filter(|topic| !topic.internal);
        topics
            .flat_map(|topic| {
                (0..topic.partitions).map(|partition| (topic.topic.clone(), partition))
            })
            .collect()
    }

    /// Log start and high watermark of a partition of [`TOPIC`].
    pub(super) fn bounds(&self, partition: i32) -> (i64, i64) {
        let view = self.partitions.get(&(TOPIC.to_owned(), partition));
        view.map_or((0, 0), |(_, view)| {
            (view.log_start_offset, view.high_watermark)
        })
    }

    /// How many records were acknowledged and delivered.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.acknowledged.len(), self.delivered.len())
    }

    /// The first records that were acknowledged, are still there, and were not delivered.
    pub(super) fn not_delivered(&self) -> Vec<(i32, i64)> {
        let all = self.acknowledged.keys().copied();
        let start = |partition: i32| self.starts.get(&(TOPIC.to_owned(), partition));
        all.filter(|at| !self.delivered.contains_key(at))
            .filter(|(partition, offset)| start(*partition).is_none_or(|start| start <= offset))
            .take(5)
            .collect()
    }

    /// The partitions that the group has not read and committed to the end.
    pub(super) fn behind(&self) -> Vec<(Place, Option<i64>, i64)> {
        let mut behind = Vec::new();
        for partition in 0..self.partitions_of(TOPIC) {
            let place = (TOPIC.to_owned(), partition);
            let (start, end) = self.bounds(partition);
            let committed = self.group.committed_now(&place);
            if start < end && committed != Some(end) {
                behind.push((place, committed, end));
            }
        }
        behind
    }

    /// The whole log of a partition of [`TOPIC`], as a reader finds it at the end, from `start` on.
    pub(super) fn check_log(&self, partition: i32, start: i64, log: &[(i64, String)]) {
        assert_eq!(start, self.bounds(partition).0, "the log start has moved");
        let mut seen = BTreeSet::new();
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (expected, (offset, value)) in (start..).zip(log) {
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
            assert!(
                start > 0 || *at != partition || seen.contains(value),
                "{value} is lost"
            );
        }
        let log: BTreeMap<i64, &String> =
            log.iter().map(|(offset, value)| (*offset, value)).collect();
        for ((at, offset), value) in self.acknowledged.iter().chain(&self.delivered) {
            if *at == partition && *offset >= start {
                assert_eq!(
                    log.get(offset),
                    Some(&value),
                    "{partition}@{offset} is lost"
                );
            }
        }
    }

    /// A short text of all that happened, to compare two runs.
    pub(super) fn summary(&self) -> String {
        format!(
            "{:?} {:?} {:?} {:?}",
            self.acknowledged, self.delivered, self.partitions, self.group
        )
    }
}
