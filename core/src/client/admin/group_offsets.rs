//! What groups have committed: reading, setting, resetting, deleting it.
//!
//! Setting needs a group without members: it is an ordinary commit of no member and no generation,
//! which brokers take only then. The offsets −1 (latest) and −2 (earliest) are stored as they are,
//! as KafkaJS does; its consumers resolve them when they start.

use crate::sorted::{self, SortedMap};

use super::groups::{ask_for_group, described};
use super::offsets::{EARLIEST, LATEST, Lookup, topic_error};
use super::operation::{Attempt, Operation, Step, coordinator, incomplete};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::{Answer, Metadata};
use crate::client::error::ClientError;
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use crate::protocol::messages::{OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest};
use crate::time::Now;

/// The last version of OffsetFetch and OffsetCommit that names topics by their names.
const BY_NAME: i16 = 9;

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
fn commit<'a>(
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

fn committed(attempt: &mut Attempt<'_>, group: &str, answer: &Answer) -> Result<(), ClientError> {
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
fn check_state(attempt: &mut Attempt<'_>, group: &str, answer: &Answer) -> Result<(), Step> {
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
const TOPICS: usize = 0;
const COMMITS: usize = 1;
const STATE: usize = 2;
const COMMITTED: usize = 3;
const OFFSETS: usize = 4;

#[derive(Debug)]
struct FetchOffsets {
    group: String,
    topics: Vec<String>,
    resolve: bool,
    found: Vec<TopicCommits>,
    lookup: Lookup,
}

impl Operation for FetchOffsets {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        self.found.clear();
        if self.topics.is_empty() {
            self.ask(attempt, None);
        } else {
            attempt.ask_for_topics(Some(&self.topics), TOPICS);
        }
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        let step = match tag {
            TOPICS if self.found.is_empty() => match topic_error(&answer) {
                Ok(()) => {
                    let partitions = all_partitions(attempt.metadata(), &self.topics);
                    self.ask(attempt, Some(partitions));
                    Ok(Step::Wait)
                }
                Err(error) => return Step::Raw(error),
            },
            TOPICS => self.look_up(attempt, &answer),
            COMMITS => self.commits(attempt, &answer),
            STATE => return self.commit_resolved(attempt, &answer),
            COMMITTED => committed(attempt, &self.group, &answer).map(|()| self.done()),
            which => self.offset(attempt, which.saturating_sub(OFFSETS), &answer),
        };
        step.unwrap_or_else(Step::Failed)
    }
}

fn all_partitions(metadata: &Metadata, topics: &[String]) -> SortedMap<String, Vec<i32>> {
    let partitions = topics.iter().filter_map(|name| {
        let known = metadata.topic(name)?;
        Some((name.clone(), known.partitions.keys().copied().collect()))
    });
    partitions.collect()
}

impl FetchOffsets {
    /// Asks for what is committed for these partitions, or for all.
    fn ask(&self, attempt: &mut Attempt<'_>, topics: Option<SortedMap<String, Vec<i32>>>) {
        let old = topics
            .iter()
            .flatten()
            .map(|(name, partitions)| OffsetFetchRequestTopic {
                name: name.clone(),
                partition_indexes: partitions.clone(),
            });
        let old: Vec<_> = old.collect();
        let new = old.iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name.clone(),
            partition_indexes: topic.partition_indexes.clone(),
            ..OffsetFetchRequestTopics::default()
        });
        let group = OffsetFetchRequestGroup {
            group_id: self.group.clone(),
            topics: topics.is_some().then(|| new.collect()),
            ..OffsetFetchRequestGroup::default()
        };
        let request = OffsetFetchRequest {
            group_id: self.group.clone(),
            topics: topics.is_some().then_some(old),
            groups: vec![group],
            require_stable: false,
        };
        attempt.send_capped(coordinator(&self.group), COMMITS, BY_NAME, request);
    }

    fn commits(&mut self, attempt: &mut Attempt<'_>, answer: &Answer) -> Result<Step, ClientError> {
        let response = answer.decode::<OffsetFetchRequest>()?;
        let mut code = response.error_code;
        let mut found = Vec::new();
        for topic in response.topics {
            for partition in topic.partitions {
                let at = (partition.partition_index, partition.committed_offset);
                let name = topic.name.clone();
                found.push((name, at, partition.metadata, partition.error_code));
            }
        }
        for group in response.groups {
            code = if code == ErrorCode::NONE {
                group.error_code
            } else {
                code
            };
            for topic in group.topics {
                for partition in topic.partitions {
                    let at = (partition.partition_index, partition.committed_offset);
                    let name = topic.name.clone();
                    found.push((name, at, partition.metadata, partition.error_code));
                }
            }
        }
        for (name, (partition, offset), metadata, error) in found {
            code = if code == ErrorCode::NONE { error } else { code };
            let committed = CommittedOffset {
                partition,
                offset,
                metadata: metadata.filter(|text| !text.is_empty()),
            };
            match self.found.iter_mut().find(|topic| topic.topic == name) {
                Some(topic) => topic.partitions.push(committed),
                None => self.found.push(TopicCommits {
                    topic: name,
                    partitions: vec![committed],
                }),
            }
        }
        if code != ErrorCode::NONE {
            return Err(attempt.group_error(&self.group, code));
        }
        for topic in &mut self.found {
            sorted::sort_by_key(&mut topic.partitions, |partition| partition.partition);
        }
        if !self.resolve || self.found.is_empty() {
            return Ok(self.done());
        }
        let names: Vec<String> = self.found.iter().map(|topic| topic.topic.clone()).collect();
        attempt.ask_for_topics(Some(&names), TOPICS);
        Ok(Step::Wait)
    }

    fn done(&mut self) -> Step {
        Step::Done(AdminResult::Committed(std::mem::take(&mut self.found)))
    }

    /// To resolve: the topics are known, now their offsets.
    fn look_up(&mut self, attempt: &mut Attempt<'_>, answer: &Answer) -> Result<Step, ClientError> {
        topic_error(answer)?;
        for topic in &self.found {
            self.lookup.ask(attempt, &topic.topic, OFFSETS)?;
        }
        Ok(Step::Wait)
    }

    fn offset(
        &mut self,
        attempt: &mut Attempt<'_>,
        which: usize,
        answer: &Answer,
    ) -> Result<Step, ClientError> {
        self.lookup.take(attempt, which, answer)?;
        if !attempt.is_complete() {
            return Ok(Step::Wait);
        }
        for topic in &mut self.found {
            for partition in &mut topic.partitions {
                let which = match partition.offset {
                    LATEST => 0,
                    EARLIEST => 1,
                    _ => continue,
                };
                let found = self.lookup.get(&topic.topic, partition.partition, which);
                partition.offset = found.ok_or_else(|| incomplete(&topic.topic))?;
            }
        }
        ask_for_group(attempt, &self.group, STATE);
        Ok(Step::Wait)
    }

    fn commit_resolved(&mut self, attempt: &mut Attempt<'_>, answer: &Answer) -> Step {
        if let Err(step) = check_state(attempt, &self.group, answer) {
            return step;
        }
        let topics = self.found.iter().map(|topic| {
            let partitions = topic.partitions.iter();
            let partitions = partitions.map(|partition| (partition.partition, partition.offset));
            (topic.topic.as_str(), partitions.collect())
        });
        commit(attempt, &self.group, topics, COMMITTED);
        Step::Wait
    }
}

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
