//! Reading what a group has committed; and resolving it: the offsets −1 and −2, which stand for the
//! latest and the earliest, become those, and are committed.

use super::AdminResult;
use super::group_offsets::{
    BY_NAME, COMMITS, COMMITTED, CommittedOffset, OFFSETS, STATE, TOPICS, TopicCommits,
    check_state, commit, committed,
};
use super::groups::ask_for_group;
use super::offsets::{EARLIEST, LATEST, Lookup, topic_error};
use super::operation::{Attempt, Operation, Step, coordinator, incomplete};
use crate::client::cluster::{Answer, Metadata};
use crate::client::error::ClientError;
use crate::protocol::ErrorCode;
use crate::protocol::messages::OffsetFetchRequest;
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use crate::sorted::{self, SortedMap};

#[derive(Debug)]
pub(super) struct FetchOffsets {
    pub(super) group: String,
    pub(super) topics: Vec<String>,
    pub(super) resolve: bool,
    pub(super) found: Vec<TopicCommits>,
    pub(super) lookup: Lookup,
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
