//! What is there: brokers, topics, partitions.

use super::operation::{Attempt, Operation, Step, incomplete};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::{Answer, PartitionInfo, Target};
use crate::client::error::ClientError;
use crate::protocol::ErrorCode;
use crate::protocol::messages::describe_topic_partitions::{Cursor, TopicRequest};
use crate::protocol::messages::{DescribeTopicPartitionsRequest, MetadataRequest};
use crate::time::Now;
use crate::types::Uuid;

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicView {
    /// Its name.
    pub name: String,
    /// Its id; zero if the broker is too old to have one.
    pub id: Uuid,
    /// Whether it is one of the cluster's own.
    pub internal: bool,
    /// Its partitions by number.
    pub partitions: Vec<PartitionView>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionView {
    /// Its number.
    pub partition: i32,
    /// Its own error.
    pub error: ErrorCode,
    /// Its leader; negative if it has none.
    pub leader: i32,
    /// Its leader's epoch; negative if unknown.
    pub leader_epoch: i32,
    /// The brokers that have it.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub isr: Vec<i32>,
    /// Those of them that are offline.
    pub offline_replicas: Vec<i32>,
}

impl PartitionView {
    /// A partition as the metadata have it.
    #[must_use]
    pub fn new(partition: i32, info: &PartitionInfo) -> Self {
        Self {
            partition,
            error: info.error,
            leader: info.leader,
            leader_epoch: info.leader_epoch,
            replicas: info.replicas.clone(),
            isr: info.isr.clone(),
            offline_replicas: info.offline.clone(),
        }
    }
}

/// The cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterView {
    /// Its brokers.
    pub brokers: Vec<BrokerView>,
    /// The broker that takes requests for the controller, if one is known.
    pub controller: Option<i32>,
    /// The cluster's id.
    pub cluster_id: Option<String>,
}

/// A broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerView {
    /// Its id.
    pub node_id: i32,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Its rack.
    pub rack: Option<String>,
}

impl Admin {
    /// The names of all topics, those of the cluster itself included:
    /// [`AdminResult::TopicNames`].
    pub fn list_topics(&mut self, now: Now) -> OpId {
        self.run(now, ListTopics)
    }

    /// These topics, or all: [`AdminResult::Topics`]. An unknown one is an error.
    pub fn fetch_topic_metadata(&mut self, now: Now, topics: Option<Vec<String>>) -> OpId {
        if topics.iter().flatten().any(String::is_empty) {
            return self.refuse("Invalid topic ");
        }
        self.run(now, TopicMetadata { topics })
    }

    /// Brokers and controller: [`AdminResult::Cluster`].
    pub fn describe_cluster(&mut self, now: Now) -> OpId {
        self.run(now, DescribeCluster)
    }

    /// These topics, or all, with their partitions, however many there are (KIP-966):
    /// [`AdminResult::Topics`]. An unknown one is an error.
    pub fn describe_topic_partitions(&mut self, now: Now, topics: Vec<String>) -> OpId {
        let operation = DescribeTopicPartitions {
            topics,
            cursor: None,
            found: Vec::new(),
        };
        self.run(now, operation)
    }
}

/// Asks any broker for the brokers.
#[derive(Debug)]
pub(super) struct Connect;

impl Operation for Connect {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        attempt.ask_for_topics(Some(&[]), 0);
        Step::Wait
    }

    fn answered(&mut self, _: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        match answer.decode::<MetadataRequest>() {
            Ok(_) => Step::Done(AdminResult::Done),
            Err(error) => Step::Failed(error),
        }
    }

    fn is_connect(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct ListTopics;

impl Operation for ListTopics {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        attempt.ask_for_topics(None, 0);
        Step::Wait
    }

    fn answered(&mut self, _: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        match answer.decode::<MetadataRequest>() {
            Ok(response) => {
                let names = response.topics.into_iter().filter_map(|topic| topic.name);
                Step::Done(AdminResult::TopicNames(names.collect()))
            }
            Err(error) => Step::Failed(error),
        }
    }
}

#[derive(Debug)]
struct TopicMetadata {
    topics: Option<Vec<String>>,
}

impl Operation for TopicMetadata {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        attempt.ask_for_topics(self.topics.as_deref(), 0);
        Step::Wait
    }

    fn answered(&mut self, _: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        let response = match answer.decode::<MetadataRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        let mut topics = Vec::new();
        for topic in response.topics {
            let name = topic.name.unwrap_or_default();
            match topic.error_code {
                ErrorCode::NONE => {}
                ErrorCode::LEADER_NOT_AVAILABLE => {
                    return ClientError::protocol_about(topic.error_code, None, &name).into();
                }
                code => return Step::Raw(ClientError::protocol_about(code, None, &name)),
            }
            let partitions = topic.partitions.into_iter().map(|partition| PartitionView {
                partition: partition.partition_index,
                error: partition.error_code,
                leader: partition.leader_id,
                leader_epoch: partition.leader_epoch,
                replicas: partition.replica_nodes,
                isr: partition.isr_nodes,
                offline_replicas: partition.offline_replicas,
            });
            topics.push(TopicView {
                name,
                id: topic.topic_id,
                internal: topic.is_internal,
                partitions: partitions.collect(),
            });
        }
        Step::Done(AdminResult::Topics(topics))
    }
}

#[derive(Debug)]
struct DescribeCluster;

impl Operation for DescribeCluster {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        attempt.ask_for_topics(Some(&[]), 0);
        Step::Wait
    }

    fn answered(&mut self, _: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        let response = match answer.decode::<MetadataRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        let brokers = response.brokers.into_iter().map(|broker| BrokerView {
            node_id: broker.node_id,
            host: broker.host,
            port: broker.port,
            rack: broker.rack,
        });
        Step::Done(AdminResult::Cluster(ClusterView {
            brokers: brokers.collect(),
            controller: Some(response.controller_id).filter(|controller| *controller >= 0),
            cluster_id: response.cluster_id,
        }))
    }
}

/// Asks for page after page.
#[derive(Debug)]
struct DescribeTopicPartitions {
    topics: Vec<String>,
    cursor: Option<Cursor>,
    found: Vec<TopicView>,
}

impl Operation for DescribeTopicPartitions {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        let topics = self
            .topics
            .iter()
            .map(|name| TopicRequest { name: name.clone() });
        let request = DescribeTopicPartitionsRequest {
            topics: topics.collect(),
            cursor: self.cursor.clone(),
            ..DescribeTopicPartitionsRequest::default()
        };
        attempt.send(Target::Any, 0, request);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        let response = match answer.decode::<DescribeTopicPartitionsRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        for topic in response.topics {
            let name = topic.name.unwrap_or_default();
            if topic.error_code != ErrorCode::NONE {
                return Step::Raw(ClientError::protocol_about(topic.error_code, None, &name));
            }
            let partitions = topic.partitions.into_iter().map(|partition| PartitionView {
                partition: partition.partition_index,
                error: partition.error_code,
                leader: partition.leader_id,
                leader_epoch: partition.leader_epoch,
                replicas: partition.replica_nodes,
                isr: partition.isr_nodes,
                offline_replicas: partition.offline_replicas,
            });
            match self.found.last_mut() {
                // A page may end in the middle of a topic.
                Some(last) if last.name == name => last.partitions.extend(partitions),
                _ => self.found.push(TopicView {
                    name,
                    id: topic.topic_id,
                    internal: topic.is_internal,
                    partitions: partitions.collect(),
                }),
            }
        }
        match response.next_cursor {
            None => Step::Done(AdminResult::Topics(std::mem::take(&mut self.found))),
            Some(next) => {
                let here = self.cursor.as_ref();
                let at = |cursor: &Cursor| (cursor.topic_name.clone(), cursor.partition_index);
                if here.is_some_and(|here| at(here) >= at(&next)) {
                    return incomplete("anything beyond what it gave before").into();
                }
                self.cursor = Some(next);
                self.start(attempt)
            }
        }
    }
}
