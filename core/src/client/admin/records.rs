//! Deleting records: everything of a partition below an offset.

use crate::sorted::SortedMap;

use super::offsets::topic_error;
use super::operation::{Attempt, Operation, Step};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::{Answer, Target};
use crate::client::error::{ClientError, ErrorKind, RecordsFailure};
use crate::protocol::ErrorCode;
use crate::protocol::messages::DeleteRecordsRequest;
use crate::protocol::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsTopic};
use crate::time::Now;

/// The records of a partition that are to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordsBefore {
    /// Which partition.
    pub partition: i32,
    /// Those below this offset; −1 is all.
    pub offset: i64,
}

impl Admin {
    /// Deletes records: [`AdminResult::Done`].
    pub fn delete_topic_records(
        &mut self,
        now: Now,
        topic: &str,
        partitions: Vec<RecordsBefore>,
    ) -> OpId {
        if topic.is_empty() {
            return self.refuse("Invalid topic \"\"");
        }
        if partitions.is_empty() {
            return self.refuse("Invalid partitions");
        }
        let partitions = partitions.into_iter();
        let operation = DeleteRecords {
            topic: topic.to_owned(),
            left: partitions
                .map(|before| (before.partition, before.offset))
                .collect(),
            failures: Vec::new(),
        };
        self.run(now, operation)
    }
}

#[derive(Debug)]
struct DeleteRecords {
    topic: String,
    /// What is not deleted yet.
    left: SortedMap<i32, i64>,
    failures: Vec<RecordsFailure>,
}

impl Operation for DeleteRecords {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        self.failures.clear();
        attempt.ask_for_topics(Some(std::slice::from_ref(&self.topic)), 0);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        if tag == 0 {
            return match topic_error(&answer) {
                Ok(()) => self.ask(attempt),
                Err(error) => Step::Failed(error),
            };
        }
        let response = match answer.decode::<DeleteRecordsRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        let partitions = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions);
        for partition in partitions {
            let number = partition.partition_index;
            if partition.error_code == ErrorCode::NONE {
                self.left.remove(&number);
                continue;
            }
            let about = format!("{}-{number}", self.topic);
            self.failures.push(RecordsFailure {
                partition: number,
                offset: self.left.get(&number).copied().unwrap_or(-1),
                error: ClientError::protocol_about(partition.error_code, None, &about),
            });
        }
        if !attempt.is_complete() {
            return Step::Wait;
        }
        if self.failures.is_empty() {
            return Step::Done(AdminResult::Done);
        }
        Step::Failed(failed(std::mem::take(&mut self.failures)))
    }
}

impl DeleteRecords {
    fn ask(&mut self, attempt: &mut Attempt<'_>) -> Step {
        let metadata = attempt.metadata();
        let mut leaders: SortedMap<i32, Vec<DeleteRecordsPartition>> = SortedMap::new();
        let mut unknown = Vec::new();
        for (partition, offset) in &self.left {
            if metadata.partition(&self.topic, *partition).is_none() {
                let message = format!("{}-{partition} does not exist", self.topic);
                unknown.push(RecordsFailure {
                    partition: *partition,
                    offset: *offset,
                    error: ClientError::fatal(ErrorKind::BrokerNotFound, message),
                });
                continue;
            }
            let Some(leader) = metadata.leader(&self.topic, *partition) else {
                let about = format!("{}-{partition}", self.topic);
                let code = ErrorCode::LEADER_NOT_AVAILABLE;
                return ClientError::protocol_about(code, None, &about).into();
            };
            leaders
                .entry(leader)
                .or_default()
                .push(DeleteRecordsPartition {
                    partition_index: *partition,
                    offset: *offset,
                });
        }
        if !unknown.is_empty() {
            return Step::Raw(failed(unknown));
        }
        for (leader, partitions) in leaders {
            let request = DeleteRecordsRequest {
                topics: vec![DeleteRecordsTopic {
                    name: self.topic.clone(),
                    partitions,
                }],
                timeout_ms: 30_000,
            };
            attempt.send(Target::Node(leader), 1, request);
        }
        Step::Wait
    }
}

fn failed(partitions: Vec<RecordsFailure>) -> ClientError {
    let passes = partitions.iter().all(|failure| failure.error.retriable);
    let kind = ErrorKind::DeleteTopicRecords { partitions };
    ClientError {
        retriable: passes,
        ..ClientError::fatal(kind, "Error while deleting records")
    }
}
