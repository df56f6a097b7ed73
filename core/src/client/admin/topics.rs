//! Creating, growing and deleting topics.

use crate::sorted::{self, SortedSet};

use super::operation::{Attempt, Operation, Step};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::{Answer, Target};
use crate::client::error::{ClientError, ErrorKind};
use crate::protocol::ErrorCode;
use crate::protocol::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use crate::protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use crate::protocol::messages::delete_topics::DeleteTopicState;
use crate::protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest,
};
use crate::time::Now;
use crate::types::Uuid;

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; −1 is the broker's default.
    pub partitions: i32,
    /// How many replicas; −1 is the broker's default.
    pub replication_factor: i16,
    /// Which brokers have which partition, instead of the two numbers above, which must be −1 then.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Its configs.
    pub configs: Vec<(String, Option<String>)>,
}

impl NewTopic {
    /// A topic with so many partitions, all else as the broker has it.
    #[must_use]
    pub fn new(name: impl Into<String>, partitions: i32) -> Self {
        Self {
            name: name.into(),
            partitions,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }
}

/// A topic that is to have more partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartitions {
    /// Its name.
    pub topic: String,
    /// How many it is to have altogether.
    pub count: i32,
    /// Which brokers have each new one; `None` leaves that to the controller.
    pub assignments: Option<Vec<Vec<i32>>>,
}

impl Admin {
    /// Creates topics: [`AdminResult::Created`]. With `wait_for_leaders` it ends when every new
    /// partition has a leader.
    pub fn create_topics(
        &mut self,
        now: Now,
        topics: Vec<NewTopic>,
        timeout_ms: i32,
        validate_only: bool,
        wait_for_leaders: bool,
    ) -> OpId {
        if has_repeats(topics.iter().map(|topic| &topic.name)) {
            return self.refuse(
                "Invalid topics array, it cannot have multiple entries for the same topic",
            );
        }
        let operation = CreateTopics {
            waiting_for: topics.iter().map(|topic| topic.name.clone()).collect(),
            topics,
            timeout_ms,
            validate_only,
            wait_for_leaders,
            created: false,
        };
        self.run(now, operation)
    }

    /// Adds partitions to topics: [`AdminResult::Done`].
    pub fn create_partitions(
        &mut self,
        now: Now,
        topics: Vec<NewPartitions>,
        timeout_ms: i32,
        validate_only: bool,
    ) -> OpId {
        if topics.is_empty() {
            return self.refuse("Empty topic partitions array");
        }
        if has_repeats(topics.iter().map(|topic| &topic.topic)) {
            return self.refuse(
                "Invalid topic partitions array, it cannot have multiple entries for the same topic",
            );
        }
        let operation = CreatePartitions {
            topics,
            timeout_ms,
            validate_only,
        };
        self.run(now, operation)
    }

    /// Deletes topics with all their records: [`AdminResult::Done`].
    pub fn delete_topics(&mut self, now: Now, topics: Vec<String>, timeout_ms: i32) -> OpId {
        self.run(now, DeleteTopics { topics, timeout_ms })
    }
}

fn has_repeats<'a>(names: impl Iterator<Item = &'a String>) -> bool {
    let mut seen = SortedSet::new();
    names.into_iter().any(|name| !seen.insert(name))
}

#[derive(Debug)]
struct CreateTopics {
    topics: Vec<NewTopic>,
    timeout_ms: i32,
    validate_only: bool,
    wait_for_leaders: bool,
    /// The controller has created them; their leaders are waited for.
    created: bool,
    waiting_for: Vec<String>,
}

impl Operation for CreateTopics {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        if self.created {
            attempt.ask_for_topics(Some(&self.waiting_for), 1);
            return Step::Wait;
        }
        if self.topics.is_empty() {
            return Step::Done(AdminResult::Created(true));
        }
        let topics = self.topics.iter().map(|topic| {
            let assignments = topic.assignments.iter();
            let assignments = assignments.map(|(partition, brokers)| CreatableReplicaAssignment {
                partition_index: *partition,
                broker_ids: brokers.clone(),
            });
            let configs = topic
                .configs
                .iter()
                .map(|(name, value)| CreatableTopicConfig {
                    name: name.clone(),
                    value: value.clone(),
                });
            CreatableTopic {
                name: topic.name.clone(),
                num_partitions: topic.partitions,
                replication_factor: topic.replication_factor,
                assignments: assignments.collect(),
                configs: configs.collect(),
            }
        });
        let request = CreateTopicsRequest {
            topics: topics.collect(),
            timeout_ms: self.timeout_ms,
            validate_only: self.validate_only,
        };
        attempt.send(Target::Controller, 0, request);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        let answered = if tag == 0 {
            self.created(attempt, &answer)
        } else {
            self.leaders(&answer)
        };
        answered.unwrap_or_else(Step::Failed)
    }
}

impl CreateTopics {
    fn created(&mut self, attempt: &mut Attempt<'_>, answer: &Answer) -> Result<Step, ClientError> {
        let response = answer.decode::<CreateTopicsRequest>()?;
        let mut failed: Vec<_> = response
            .topics
            .into_iter()
            .filter(|topic| topic.error_code != ErrorCode::NONE)
            .collect();
        if failed
            .iter()
            .any(|topic| topic.error_code == ErrorCode::NOT_CONTROLLER)
        {
            attempt.controller_error(ErrorCode::NOT_CONTROLLER);
            let done = |name: &String| !failed.iter().any(|topic| topic.name == *name);
            self.topics.retain(|topic| !done(&topic.name));
            return Err(ClientError::protocol(ErrorCode::NOT_CONTROLLER));
        }
        if failed.is_empty() {
            if !self.wait_for_leaders {
                return Ok(Step::Done(AdminResult::Created(true)));
            }
            self.created = true;
            return Ok(self.start(attempt));
        }
        let exists = |code: ErrorCode| code == ErrorCode::TOPIC_ALREADY_EXISTS;
        if failed.iter().all(|topic| exists(topic.error_code)) {
            return Ok(Step::Done(AdminResult::Created(false)));
        }
        sorted::sort_by(&mut failed, |a, b| a.name.cmp(&b.name));
        let errors = failed.into_iter().map(|topic| {
            let (code, words) = (topic.error_code, topic.error_message);
            let error = ClientError::protocol_about(code, words.as_deref(), &topic.name);
            ClientError {
                kind: ErrorKind::CreateTopic {
                    topic: topic.name,
                    code,
                },
                ..error
            }
        });
        let errors = errors.collect();
        let kind = ErrorKind::Aggregate { errors };
        Ok(Step::Raw(ClientError::fatal(kind, "Topic creation errors")))
    }

    fn leaders(&self, answer: &Answer) -> Result<Step, ClientError> {
        let response = answer.decode::<MetadataRequest>()?;
        for topic in response.topics {
            let name = topic.name.unwrap_or_default();
            let led = topic
                .partitions
                .iter()
                .all(|partition| partition.leader_id >= 0);
            match topic.error_code {
                ErrorCode::NONE if led && !topic.partitions.is_empty() => {}
                ErrorCode::NONE => {
                    let code = ErrorCode::LEADER_NOT_AVAILABLE;
                    return Err(ClientError::protocol_about(code, None, &name));
                }
                code => {
                    let error = ClientError::protocol_about(code, None, &name);
                    // A new topic takes a moment to be known everywhere; one that was only
                    // validated never will be.
                    return if self.validate_only {
                        Ok(Step::Raw(error))
                    } else {
                        Err(error)
                    };
                }
            }
        }
        Ok(Step::Done(AdminResult::Created(true)))
    }
}

#[derive(Debug)]
struct CreatePartitions {
    topics: Vec<NewPartitions>,
    timeout_ms: i32,
    validate_only: bool,
}

impl Operation for CreatePartitions {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        let topics = self.topics.iter().map(|topic| {
            let assignments = topic.assignments.as_ref().map(|assignments| {
                let brokers = assignments.iter().cloned();
                let brokers = brokers.map(|broker_ids| CreatePartitionsAssignment { broker_ids });
                brokers.collect()
            });
            CreatePartitionsTopic {
                name: topic.topic.clone(),
                count: topic.count,
                assignments,
            }
        });
        let request = CreatePartitionsRequest {
            topics: topics.collect(),
            timeout_ms: self.timeout_ms,
            validate_only: self.validate_only,
        };
        attempt.send(Target::Controller, 0, request);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        let response = match answer.decode::<CreatePartitionsRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        let mut results = response.results;
        sorted::sort_by(&mut results, |a, b| a.name.cmp(&b.name));
        self.topics.retain(|topic| {
            let failed = |code: ErrorCode| code != ErrorCode::NONE;
            results
                .iter()
                .any(|result| result.name == topic.topic && failed(result.error_code))
        });
        let failed = results
            .into_iter()
            .find(|result| result.error_code != ErrorCode::NONE);
        let Some(failed) = failed else {
            return Step::Done(AdminResult::Done);
        };
        let (code, words) = (failed.error_code, failed.error_message);
        let error = ClientError::protocol_about(code, words.as_deref(), &failed.name);
        if code == ErrorCode::NOT_CONTROLLER {
            attempt.controller_error(code);
            return Step::Failed(error);
        }
        Step::Raw(error)
    }
}

#[derive(Debug)]
struct DeleteTopics {
    /// Those that are not deleted yet.
    topics: Vec<String>,
    timeout_ms: i32,
}

impl Operation for DeleteTopics {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        if self.topics.is_empty() {
            return Step::Done(AdminResult::Done);
        }
        let by_name = |name: &String| DeleteTopicState {
            name: Some(name.clone()),
            topic_id: Uuid::ZERO,
        };
        let request = DeleteTopicsRequest {
            topics: self.topics.iter().map(by_name).collect(),
            topic_names: self.topics.clone(),
            timeout_ms: self.timeout_ms,
        };
        attempt.send(Target::Controller, 0, request);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        let response = match answer.decode::<DeleteTopicsRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        let mut first = None;
        for result in response.responses {
            let name = result.name.unwrap_or_default();
            if result.error_code == ErrorCode::NONE {
                self.topics.retain(|topic| *topic != name);
            } else {
                attempt.controller_error(result.error_code);
                let words = result.error_message;
                first.get_or_insert((result.error_code, words, name));
            }
        }
        let Some((code, words, name)) = first else {
            return Step::Done(AdminResult::Done);
        };
        let error = ClientError::protocol_about(code, words.as_deref(), &name);
        let passes = [
            ErrorCode::NOT_CONTROLLER,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ];
        if passes.contains(&code) {
            Step::Failed(error)
        } else {
            Step::Raw(error)
        }
    }
}
