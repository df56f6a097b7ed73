//! What groups have committed: reading (`fetch_offsets`), setting, resetting, deleting it.
//!
//! Setting needs a group without members: it is an ordinary commit of no member and no generation,
//! which brokers take only then. The offsets −1 (latest) and −2 (earliest) are stored as they are,
//! as KafkaJS does; its consumers resolve them when they start.

use super::fetch_offsets::FetchOffsets;
use super::groups::{ask_for_group, described};
use super::offsets::{EARLIEST, LATEST, Lookup, topic_error};
use super::operation::{Attempt, Operation, Step, coordinator};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::Answer;
use crate::client::error::ClientError;
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use crate::protocol::messages::{OffsetCommitRequest, OffsetDeleteRequest};
use crate::time::Now;

/// The last version of OffsetFetch and OffsetCommit that names topics by their names.
pub(super) const BY_NAME: i16 = 9;

/// What a group has committed for a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicCommits {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: Vec<CommittedOffset>,
}

/// What a group has committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The partition.
    pub partition: i32,
    /// The offset; −1 if there is none.
    pub offset: i64,
    /// The text stored with it.
    pub metadata: Option<String>,
}

/// An offset to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetToCommit {
    /// The partition.
    pub partition: i32,
    /// The offset, or −1 latest, −2 earliest.
    pub offset: i64,
}

impl Admin {
    /// What a group has committed: [`AdminResult::Committed`]. With topics, all their partitions,
    /// −1 where there is nothing; without, whatever there is. `resolve` replaces −2 and −1 by the
    /// partitions' first and next offsets, and commits these.
    pub fn fetch_offsets(
        &mut self,
        now: Now,
        group: &str,
        topics: Vec<String>,
        resolve: bool,
    ) -> OpId {
        if group.is_empty() {
            return self.refuse("Invalid groupId ");
        }
        let operation = FetchOffsets {
            group: group.to_owned(),
            topics,
            resolve,
            found: Vec::new(),
            lookup: Lookup::new(vec![LATEST, EARLIEST]),
        };
        self.run(now, operation)
    }

    /// Sets what a group without members has committed for a topic: [`AdminResult::Done`].
    pub fn set_offsets(
        &mut self,
        now: Now,
        group: &str,
        topic: &str,
        partitions: Vec<OffsetToCommit>,
    ) -> OpId {
        if let Some(op) = self.refuse_names(group, topic) {
            return op;
        }
        if partitions.is_empty() {
            return self.refuse("Invalid partitions");
        }
        if partitions
            .iter()
            .any(|partition| partition.offset < EARLIEST)
        {
            return self.refuse("Offset must not be a negative number");
        }
        let operation = SetOffsets {
            group: group.to_owned(),
            topic: topic.to_owned(),
            partitions,
            everywhere: None,
        };
        self.run(now, operation)
    }

    /// Sets what a group without members has committed for all partitions of a topic to latest, or
    /// earliest: [`AdminResult::Done`].
    pub fn reset_offsets(&mut self, now: Now, group: &str, topic: &str, earliest: bool) -> OpId {
        if let Some(op) = self.refuse_names(group, topic) {
            return op;
        }
        let operation = SetOffsets {
            group: group.to_owned(),
            topic: topic.to_owned(),
            partitions: Vec::new(),
            everywhere: Some(if earliest { EARLIEST } else { LATEST }),
        };
        self.run(now, operation)
    }

    /// Removes what a group has committed for partitions that it does not consume:
    /// [`AdminResult::Done`].
    pub fn delete_offsets(
        &mut self,
        now: Now,
        group: &str,
        topic: &str,
        partitions: Vec<i32>,
    ) -> OpId {
        if let Some(op) = self.refuse_names(group, topic) {
            return op;
        }
        let operation = DeleteOffsets {
            group: group.to_owned(),
            topic: topic.to_owned(),
            partitions,
        };
        self.run(now, operation)
    }

    fn refuse_names(&mut self, group: &str, topic: &str) -> Option<OpId> {
        if group.is_empty() {
            return Some(self.refuse("Invalid groupId "));
        }
        topic.is_empty().then(|| self.refuse("Invalid topic "))
    }
}

/// Commits offsets of a group without members.
pub(super) fn commit<'a>(
    attempt: &mut Attempt<'_>,
    group: &str,
    topics: impl Iterator<Item = (&'a str, Vec<(i32, i64)>)>,
    tag: usize,
) {
    let topics = topics.map(|(name, partitions)| {
        let partitions = partitions
            .into_iter()
            .map(
                |(partition_index, committed_offset)| OffsetCommitRequestPartition {
                    partition_index,
                    committed_offset,
                    ..OffsetCommitRequestPartition::default()
                },
            );
        OffsetCommitRequestTopic {
            name: name.to_owned(),
            partitions: partitions.collect(),
            ..OffsetCommitRequestTopic::default()
        }
    });
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        topics: topics.collect(),
        ..OffsetCommitRequest::default()
    };
    attempt.send_capped(coordinator(group), tag, BY_NAME, request);
}

pub(super) fn committed(
    attempt: &mut Attempt<'_>,
    group: &str,
    answer: &Answer,
) -> Result<(), ClientError> {
    let response = answer.decode::<OffsetCommitRequest>()?;
    let partitions = response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions);
    let mut codes = partitions.map(|partition| partition.error_code);
    match codes.find(|code| *code != ErrorCode::NONE) {
        None => Ok(()),
        Some(code) => Err(attempt.group_error(group, code)),
    }
}

/// Whether a group's state lets its commits be set.
pub(super) fn check_state(
    attempt: &mut Attempt<'_>,
    group: &str,
    answer: &Answer,
) -> Result<(), Step> {
    let description = described(attempt, group, answer).map_err(Step::Failed)?;
    if ["Empty", "Dead"].contains(&description.state.as_str()) {
        return Ok(());
    }
    Err(Step::Raw(ClientError::non_retriable(format!(
        "The consumer group must have no running instances, current state: {}",
        description.state
    ))))
}

/// What the answers of the two operations below are about.
pub(super) const TOPICS: usize = 0;
pub(super) const COMMITS: usize = 1;
pub(super) const STATE: usize = 2;
pub(super) const COMMITTED: usize = 3;
pub(super) const OFFSETS: usize = 4;

#[derive(Debug)]
struct SetOffsets {
    group: String,
    topic: String,
    partitions: Vec<OffsetToCommit>,
    /// The offset for every partition there is.
    everywhere: Option<i64>,
}

impl Operation for SetOffsets {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        match self.everywhere {
            Some(_) => attempt.ask_for_topics(Some(std::slice::from_ref(&self.topic)), TOPICS),
            None => ask_for_group(attempt, &self.group, STATE),
        }
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        match tag {
            TOPICS => {
                if let Err(error) = topic_error(&answer) {
                    return Step::Failed(error);
                }
                let offset = self.everywhere.unwrap_or(LATEST);
                let known = attempt.metadata().topic(&self.topic);
                let partitions = known.into_iter().flat_map(|known| known.partitions.keys());
                self.partitions = partitions
                    .map(|partition| OffsetToCommit {
                        partition: *partition,
                        offset,
                    })
                    .collect();
                ask_for_group(attempt, &self.group, STATE);
                Step::Wait
            }
            STATE => {
                if let Err(step) = check_state(attempt, &self.group, &answer) {
                    return step;
                }
                let partitions = self.partitions.iter();
                let partitions = partitions.map(|at| (at.partition, at.offset)).collect();
                let topics = [(self.topic.as_str(), partitions)].into_iter();
                commit(attempt, &self.group, topics, COMMITTED);
                Step::Wait
            }
            _ => match committed(attempt, &self.group, &answer) {
                Ok(()) => Step::Done(AdminResult::Done),
                Err(error) => Step::Failed(error),
            },
        }
    }
}

#[derive(Debug)]
struct DeleteOffsets {
    group: String,
    topic: String,
    partitions: Vec<i32>,
}

impl Operation for DeleteOffsets {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        let partitions = self.partitions.iter();
        let partitions = partitions.map(|partition| OffsetDeleteRequestPartition {
            partition_index: *partition,
        });
        let request = OffsetDeleteRequest {
            group_id: self.group.clone(),
            topics: vec![OffsetDeleteRequestTopic {
                name: self.topic.clone(),
                partitions: partitions.collect(),
            }],
        };
        attempt.send(coordinator(&self.group), 0, request);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        let response = match answer.decode::<OffsetDeleteRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        let partitions = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions);
        let mut codes = partitions.map(|partition| partition.error_code);
        let code = match response.error_code {
            ErrorCode::NONE => codes.find(|code| *code != ErrorCode::NONE),
            code => Some(code),
        };
        let Some(code) = code else {
            return Step::Done(AdminResult::Done);
        };
        let error = attempt.group_error(&self.group, code);
        if error.retriable && code != ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
            Step::Failed(error)
        } else {
            Step::Raw(error)
        }
    }
}
