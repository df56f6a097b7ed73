//! From sends to partitions: waiting for a topic to be known, choosing partitions, filling batches.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

use super::super::OpId;
use super::super::error::ClientError;
use super::super::partitioner::Partitions;
use super::super::retry::{Retry, Verdict};
use super::Producer;
use super::batch::Kind;
use super::queue::{Adding, Queue};
use super::record::{RecordList, View};
use crate::protocol::ErrorCode;
use crate::records::RecordParts as _;
use crate::time::Now;

/// A topic that is written to.
#[derive(Debug, Default)]
pub(super) struct Topic {
    pub(super) queues: SortedMap<i32, Queue>,
    /// Parts of sends, in order, until the topic's partitions are known.
    waiting: VecDeque<Part>,
    /// How many partitions there are.
    count: i32,
    /// Those with a leader.
    available: Vec<i32>,
    /// The metadata that these are from.
    generation: Option<u64>,
}

impl Topic {
    /// When something of what waits can be tried. Once there are partitions only the first holds
    /// the others up, and their time has come long ago.
    pub(super) fn waiting_due(&self) -> Option<crate::time::Monotonic> {
        let trying = match self.count {
            0 => self.waiting.len(),
            _ => 1,
        };
        let asked = |part: &&Part| !part.asked;
        self.waiting
            .iter()
            .take(trying)
            .filter(asked)
            .map(|part| part.retry.due())
            .min()
    }
}

/// What a send has for one topic.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) op: OpId,
    pub(super) kind: Kind,
    pub(super) records: RecordList,
    pub(super) size: usize,
    pub(super) retry: Retry,
    /// The topic was asked for since the last attempt failed.
    pub(super) asked: bool,
    /// A record names a partition that was not known in this generation of the metadata.
    pub(super) outside_since: Option<u64>,
}

impl Producer {
    /// Takes a part that fits into the buffer.
    pub(super) fn admit(&mut self, now: Now, topic: String, part: Part) {
        self.used = self.used.saturating_add(part.size);
        self.topics
            .entry(topic.clone())
            .or_default()
            .waiting
            .push_back(part);
        self.place(now, &topic);
    }

    /// Brings what waits for a topic into its partitions' batches, as far as it is known; asks for
    /// it where it is not.
    pub(super) fn place(&mut self, now: Now, name: &str) {
        let Some((name, mut topic)) = self.topics.remove_entry(name) else {
            return;
        };
        self.learn(&name, &mut topic);
        while topic.count > 0 {
            let Some(part) = topic.waiting.pop_front() else {
                break;
            };
            if let Some(part) = self.place_part(now, &name, &mut topic, part) {
                topic.waiting.push_front(part);
                break;
            }
        }
        let mut ask = false;
        if topic.count == 0 {
            for part in &mut topic.waiting {
                let due = !part.asked && part.retry.due() <= now.monotonic;
                part.asked |= due;
                ask |= due;
            }
        }
        if ask {
            self.cluster.track_topics(now, [name.as_str()]);
        }
        self.topics.insert(name, topic);
    }

    /// Takes over what the metadata say of a topic, if that is new.
    fn learn(&mut self, name: &str, topic: &mut Topic) {
        let metadata = self.cluster.metadata();
        if topic.generation == Some(metadata.generation) {
            return;
        }
        topic.generation = Some(metadata.generation);
        let partitions = metadata.topic(name).map(|known| &known.partitions);
        topic.available.clear();
        topic.count = 0;
        if let Some(partitions) = partitions {
            topic.count = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
            let led = partitions
                .iter()
                .filter(|(_, partition)| partition.leader >= 0);
            topic.available.extend(led.map(|(number, _)| *number));
        }
    }

    /// Adds a part's records to batches. Returns it if it has to wait for newer metadata.
    fn place_part(
        &mut self,
        now: Now,
        name: &str,
        topic: &mut Topic,
        mut part: Part,
    ) -> Option<Part> {
        let mut outside = None;
        part.records.for_each(now.wall.0, |view| {
            outside = view.partition.filter(|partition| *partition >= topic.count);
            outside.is_none()
        });
        if let Some(partition) = outside {
            let error = self.look_again(now, name, partition, &mut part);
            let Some(error) = error else {
                return Some(part);
            };
            self.end_part(&part, Some(error));
            return None;
        }
        let expected = part.size / topic.available.len().max(1);
        let adding = Adding {
            op: part.op,
            kind: part.kind,
            upper: part.size,
            expected,
            batch_size: self.config.batch_size,
            max_request_size: self.config.max_request_size,
            now: now.monotonic,
        };
        let mut error = None;
        let records = std::mem::replace(&mut part.records, RecordList::Single(Vec::new()));
        records.for_each(now.wall.0, |view| {
            error = self.place_record(name, topic, &adding, &view).err();
            error.is_none()
        });
        self.end_part(&part, error);
        None
    }

    /// A record names a partition that is not known: it may be new. Returns an error when topics
    /// were asked for since and it is still unknown.
    fn look_again(
        &mut self,
        now: Now,
        name: &str,
        partition: i32,
        part: &mut Part,
    ) -> Option<ClientError> {
        let metadata = self.cluster.metadata();
        let since = *part.outside_since.get_or_insert(metadata.generation);
        if metadata
            .topic(name)
            .is_some_and(|topic| topic.answered > since)
        {
            let code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            let words = "the topic has no such partition";
            let about = format!("{name}-{partition}");
            return Some(ClientError::protocol_about(code, Some(words), &about));
        }
        if !part.asked && part.retry.due() <= now.monotonic {
            part.asked = true;
            self.cluster.refresh_metadata(now);
        }
        None
    }

    fn place_record(
        &mut self,
        name: &str,
        topic: &mut Topic,
        adding: &Adding,
        view: &View<'_>,
    ) -> Result<(), ClientError> {
        let partitions = Partitions {
            count: topic.count,
            available: &topic.available,
        };
        let chosen = match view.partition {
            Some(partition) => Some(partition),
            None => self.partitioner.partition(name, view.key(), &partitions),
        };
        let partition = chosen.ok_or_else(|| {
            ClientError::protocol_about(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, None, name)
        })?;
        let queue = topic.queues.entry(partition).or_default();
        let retry = || Retry::new(&self.config.retry, &mut self.rng, adding.now);
        let (bytes, new_share) = queue.add(adding, view, retry)?;
        self.used = self.used.saturating_add(bytes);
        if new_share {
            self.sends.add(adding.op);
        }
        if view.partition.is_none() && view.key().is_none() {
            let full = queue.last_is_full(self.config.batch_size);
            self.partitioner
                .appended(name, partition, bytes, full, &partitions);
        }
        Ok(())
    }

    /// A part is in batches, or failed.
    pub(super) fn end_part(&mut self, part: &Part, error: Option<ClientError>) {
        self.used = self.used.saturating_sub(part.size);
        if let Some(error) = error {
            self.sends.failed(part.op, error);
        }
        self.finish_one(part.op);
    }

    /// Metadata have come: what waits for them goes on, or one attempt of it has failed.
    pub(super) fn metadata_updated(&mut self, now: Now) {
        let names: Vec<String> = self.topics.keys().cloned().collect();
        for name in names {
            if let Some(code) = self.cluster.metadata().topic_error(&name) {
                let error = ClientError::protocol_about(code, None, &name);
                self.attempt_failed(now, &name, &error);
            } else if self.cluster.metadata().topic(&name).is_some()
                && let Some(topic) = self.topics.get_mut(&name)
            {
                for part in &mut topic.waiting {
                    part.asked = false;
                }
            }
            self.place(now, &name);
        }
    }

    /// No broker could be asked: one attempt of everything that waits for topics has failed.
    pub(super) fn metadata_failed(&mut self, now: Now, error: &ClientError) {
        let names: Vec<String> = self.topics.keys().cloned().collect();
        for name in names {
            self.attempt_failed(now, &name, error);
        }
    }

    fn attempt_failed(&mut self, now: Now, name: &str, error: &ClientError) {
        let Some(topic) = self.topics.get_mut(name) else {
            return;
        };
        let mut ended = Vec::new();
        let mut kept = VecDeque::new();
        for mut part in std::mem::take(&mut topic.waiting) {
            if !part.asked {
                kept.push_back(part);
                continue;
            }
            part.asked = false;
            let config = &self.config.retry;
            match part
                .retry
                .failed(config, &mut self.rng, now.monotonic, error.clone())
            {
                Verdict::Again(_) => kept.push_back(part),
                Verdict::GiveUp(error) => ended.push((part, error)),
            }
        }
        topic.waiting = kept;
        for (part, error) in ended {
            self.end_part(&part, Some(error));
        }
    }
}
