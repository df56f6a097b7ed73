//! Offsets of a topic's partitions: first, next, at a time.

use crate::sorted::SortedMap;

use super::operation::{Attempt, Operation, Step, by_leader, incomplete};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::{Answer, Target};
use crate::client::error::ClientError;
use crate::protocol::ErrorCode;
use crate::protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use crate::protocol::messages::{ListOffsetsRequest, MetadataRequest};
use crate::time::Now;

/// First and next offset of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// Which partition.
    pub partition: i32,
    /// The first offset: the log start offset.
    pub low: i64,
    /// The next offset that a consumer will get: the high watermark.
    pub high: i64,
}

/// An offset of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetAt {
    /// Which partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl Admin {
    /// First and next offset of each partition: [`AdminResult::TopicOffsets`].
    pub fn fetch_topic_offsets(&mut self, now: Now, topic: &str) -> OpId {
        if topic.is_empty() {
            return self.refuse("Invalid topic ");
        }
        let operation = TopicOffsets {
            topic: topic.to_owned(),
            lookup: Lookup::new(vec![LATEST, EARLIEST]),
            at: None,
        };
        self.run(now, operation)
    }

    /// Of each partition the first record's offset whose timestamp is `timestamp` or later, or the
    /// next offset if there is none or no timestamp is given: [`AdminResult::OffsetsAt`].
    pub fn fetch_topic_offsets_by_timestamp(
        &mut self,
        now: Now,
        topic: &str,
        timestamp: Option<i64>,
    ) -> OpId {
        if topic.is_empty() {
            return self.refuse("Invalid topic ");
        }
        let at = timestamp.unwrap_or(LATEST);
        let operation = TopicOffsets {
            topic: topic.to_owned(),
            lookup: Lookup::new(vec![LATEST, at]),
            at: Some(at),
        };
        self.run(now, operation)
    }
}

/// The timestamp that means the high watermark.
pub(super) const LATEST: i64 = -1;
/// The timestamp that means the log start offset.
pub(super) const EARLIEST: i64 = -2;

/// Questions about the offsets of partitions, the same timestamps for each.
#[derive(Debug)]
pub(super) struct Lookup {
    timestamps: Vec<i64>,
    found: SortedMap<(String, i32, usize), i64>,
}

impl Lookup {
    pub(super) fn new(timestamps: Vec<i64>) -> Self {
        Self {
            timestamps,
            found: SortedMap::new(),
        }
    }

    /// Asks the leaders of a topic's partitions, whose metadata are fresh. Answers come with tags
    /// from `first_tag` on.
    pub(super) fn ask(
        &self,
        attempt: &mut Attempt<'_>,
        topic: &str,
        first_tag: usize,
    ) -> Result<(), ClientError> {
        let metadata = attempt.metadata();
        let Some(known) = metadata.topic(topic) else {
            let code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            return Err(ClientError::protocol_about(code, None, topic));
        };
        let partitions: Vec<i32> = known.partitions.keys().copied().collect();
        for (leader, partitions) in by_leader(metadata, topic, partitions)? {
            for (timestamp, tag) in self.timestamps.iter().zip(first_tag..) {
                let partitions = partitions.iter().map(|partition| ListOffsetsPartition {
                    partition_index: *partition,
                    current_leader_epoch: -1,
                    timestamp: *timestamp,
                });
                let request = ListOffsetsRequest {
                    replica_id: -1,
                    topics: vec![ListOffsetsTopic {
                        name: topic.to_owned(),
                        partitions: partitions.collect(),
                    }],
                    timeout_ms: 30_000,
                    ..ListOffsetsRequest::default()
                };
                attempt.send(Target::Node(leader), tag, request);
            }
        }
        Ok(())
    }

    /// Takes an answer about the timestamp at `which`.
    pub(super) fn take(
        &mut self,
        attempt: &mut Attempt<'_>,
        which: usize,
        answer: &Answer,
    ) -> Result<(), ClientError> {
        for topic in answer.decode::<ListOffsetsRequest>()?.topics {
            for partition in topic.partitions {
                let number = partition.partition_index;
                if partition.error_code != ErrorCode::NONE {
                    attempt.cluster.refresh_metadata(attempt.now);
                    let about = format!("{}-{number}", topic.name);
                    let code = partition.error_code;
                    return Err(ClientError::protocol_about(code, None, &about));
                }
                let key = (topic.name.clone(), number, which);
                self.found.insert(key, partition.offset);
            }
        }
        Ok(())
    }

    /// The offset found for a partition and the timestamp at `which`; negative if there is none.
    pub(super) fn get(&self, topic: &str, partition: i32, which: usize) -> Option<i64> {
        let key = (topic.to_owned(), partition, which);
        self.found.get(&key).copied()
    }
}

/// The error of a topic in a Metadata response, if it has one.
pub(super) fn topic_error(answer: &Answer) -> Result<(), ClientError> {
    for topic in answer.decode::<MetadataRequest>()?.topics {
        if topic.error_code != ErrorCode::NONE {
            let name = topic.name.unwrap_or_default();
            return Err(ClientError::protocol_about(topic.error_code, None, &name));
        }
    }
    Ok(())
}

#[derive(Debug)]
struct TopicOffsets {
    topic: String,
    lookup: Lookup,
    /// The timestamp asked for, where it is not about first and next offsets.
    at: Option<i64>,
}

impl Operation for TopicOffsets {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        attempt.ask_for_topics(Some(std::slice::from_ref(&self.topic)), 0);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        let taken = match tag.checked_sub(1) {
            None => {
                let asked = topic_error(&answer);
                asked.and_then(|()| self.lookup.ask(attempt, &self.topic, 1))
            }
            Some(which) => self.lookup.take(attempt, which, &answer),
        };
        if let Err(error) = taken {
            return Step::Failed(error);
        }
        if !attempt.is_complete() {
            return Step::Wait;
        }
        self.result(attempt).unwrap_or_else(Step::Failed)
    }
}

impl TopicOffsets {
    fn result(&self, attempt: &Attempt<'_>) -> Result<Step, ClientError> {
        let known = attempt.metadata().topic(&self.topic);
        let partitions = known.into_iter().flat_map(|known| known.partitions.keys());
        let mut found = Vec::new();
        for partition in partitions {
            let get = |which| {
                let offset = self.lookup.get(&self.topic, *partition, which);
                offset.ok_or_else(|| incomplete(&format!("{}-{partition}", self.topic)))
            };
            found.push((*partition, get(0)?, get(1)?));
        }
        Ok(Step::Done(if self.at.is_some() {
            let offsets = found.into_iter().map(|(partition, high, at)| OffsetAt {
                partition,
                offset: if at < 0 { high } else { at },
            });
            AdminResult::OffsetsAt(offsets.collect())
        } else {
            let offsets = found
                .into_iter()
                .map(|(partition, high, low)| PartitionOffsets {
                    partition,
                    low,
                    high,
                });
            AdminResult::TopicOffsets(offsets.collect())
        }))
    }
}
