//! The admin client, for JavaScript: each operation is a plain object with a `type`.

use js_sys::{Array, Function};
use partita_core::client::admin::{
    ConfigChange, ConfigOperation, ConfigResource, NewPartitions, NewTopic, OffsetToCommit,
    RecordsBefore,
};
use partita_core::client::{Admin, AdminConfig, AdminEvent, OpId};
use partita_core::time::Now;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use wasm_bindgen::prelude::*;

use super::admin_view::AdminView;
use super::client::Client;
use super::error::{Outcome, argument};
use super::link::Way;
use super::options::ClusterOptions;
use crate::num::to_i64;
use crate::port::to_js;

/// An admin client.
#[wasm_bindgen]
#[derive(Debug)]
pub struct AdminClient(Client<Admin>);

#[wasm_bindgen]
impl AdminClient {
    /// An admin client that is not connected. `ready` is called when it may have events.
    ///
    /// # Errors
    /// When the options make no sense.
    #[wasm_bindgen(constructor)]
    pub fn new(way: &Way, options: JsValue, ready: Function) -> Result<Self, JsValue> {
        let options: ClusterOptions = argument(options)?;
        let config = AdminConfig {
            cluster: options.cluster(),
            retry: options.retry(),
        };
        let admin = Admin::new(config, crate::sys::random_seed());
        Ok(Self(Client::new(way, ready, admin)))
    }

    /// Reaches for a broker. Value: nothing.
    pub fn connect(&self) -> f64 {
        self.0.op(Admin::connect)
    }

    /// Waits for the operations under way, and closes every connection. Value: nothing.
    pub fn disconnect(&self) -> f64 {
        self.0.op(Admin::disconnect)
    }

    /// Begins an operation: a `Command` as a plain object. Value: as KafkaJS's method of that name.
    ///
    /// # Errors
    /// When it is none.
    pub fn run(&self, command: JsValue) -> Result<f64, JsValue> {
        let command: Command = argument(command)?;
        Ok(self.0.op(|admin, now| command.begin(admin, now)))
    }

    /// What has happened: an `Outcome` for each operation that has ended.
    ///
    /// # Errors
    /// When an event cannot be shown in JavaScript.
    pub fn events(&self) -> Result<Array, JsValue> {
        self.0.events(Admin::poll_event, |event| match event {
            AdminEvent::Connected { op, result } => to_js(&Outcome::new(op, result)),
            AdminEvent::Disconnected { op } => to_js(&Outcome::new(op, Ok(()))),
            AdminEvent::Finished { op, result } => {
                to_js(&Outcome::new(op, result.map(AdminView::from)))
            }
        })
    }

    /// Begins or ends to gather what happens on the network.
    pub fn watch(&self, on: bool) {
        self.0.watch(on);
    }

    /// What has happened on the network since the last call.
    ///
    /// # Errors
    /// As [`AdminClient::events`].
    pub fn network_events(&self) -> Result<Array, JsValue> {
        self.0.network_events()
    }
}

/// An operation. Offsets are strings; times are in milliseconds.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum Command {
    ListTopics,
    CreateTopics {
        topics: Vec<TopicArgument>,
        timeout: i32,
        validate_only: bool,
        wait_for_leaders: bool,
    },
    CreatePartitions {
        topic_partitions: Vec<PartitionsArgument>,
        timeout: i32,
        validate_only: bool,
    },
    DeleteTopics {
        topics: Vec<String>,
        timeout: i32,
    },
    FetchTopicMetadata {
        /// None are all.
        topics: Vec<String>,
    },
    DescribeTopicPartitions {
        topics: Vec<String>,
    },
    DescribeCluster,
    FetchTopicOffsets {
        topic: String,
    },
    FetchTopicOffsetsByTimestamp {
        topic: String,
        #[serde(default)]
        timestamp: Option<f64>,
    },
    DeleteTopicRecords {
        topic: String,
        partitions: Vec<OffsetArgument>,
    },
    FetchOffsets {
        group_id: String,
        topics: Vec<String>,
        resolve_offsets: bool,
    },
    SetOffsets {
        group_id: String,
        topic: String,
        partitions: Vec<OffsetArgument>,
    },
    ResetOffsets {
        group_id: String,
        topic: String,
        earliest: bool,
    },
    DeleteOffsets {
        group_id: String,
        topic: String,
        partitions: Vec<i32>,
    },
    ListGroups,
    DescribeGroups {
        group_ids: Vec<String>,
    },
    DeleteGroups {
        group_ids: Vec<String>,
    },
    DescribeConfigs {
        resources: Vec<ResourceArgument>,
        include_synonyms: bool,
    },
    AlterConfigs {
        resources: Vec<ResourceArgument>,
        validate_only: bool,
    },
    IncrementalAlterConfigs {
        resources: Vec<ResourceArgument>,
        validate_only: bool,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TopicArgument {
    topic: String,
    #[serde(default)]
    num_partitions: Option<i32>,
    #[serde(default)]
    replication_factor: Option<i16>,
    #[serde(default)]
    replica_assignment: Option<Vec<ReplicasArgument>>,
    #[serde(default)]
    config_entries: Option<Vec<ConfigArgument>>,
}

#[derive(Debug, Deserialize)]
struct ReplicasArgument {
    partition: i32,
    replicas: Vec<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartitionsArgument {
    topic: String,
    count: i32,
    #[serde(default)]
    assignments: Option<Vec<Vec<i32>>>,
}

#[derive(Debug, Deserialize)]
struct OffsetArgument {
    partition: i32,
    #[serde(deserialize_with = "offset")]
    offset: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceArgument {
    #[serde(rename = "type")]
    kind: i8,
    name: String,
    #[serde(default)]
    config_names: Option<Vec<String>>,
    #[serde(default)]
    config_entries: Vec<ConfigArgument>,
}

#[derive(Debug, Deserialize)]
struct ConfigArgument {
    name: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    operation: OperationArgument,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum OperationArgument {
    #[default]
    Set,
    Delete,
    Append,
    Subtract,
}

impl Command {
    fn begin(self, admin: &mut Admin, now: Now) -> OpId {
        match self {
            Self::ListTopics => admin.list_topics(now),
            Self::CreateTopics {
                topics,
                timeout,
                validate_only,
                wait_for_leaders,
            } => {
                let topics = converted(topics);
                admin.create_topics(now, topics, timeout, validate_only, wait_for_leaders)
            }
            Self::CreatePartitions {
                topic_partitions,
                timeout,
                validate_only,
            } => admin.create_partitions(now, converted(topic_partitions), timeout, validate_only),
            Self::DeleteTopics { topics, timeout } => admin.delete_topics(now, topics, timeout),
            Self::FetchTopicMetadata { topics } => {
                admin.fetch_topic_metadata(now, (!topics.is_empty()).then_some(topics))
            }
            Self::DescribeTopicPartitions { topics } => {
                admin.describe_topic_partitions(now, topics)
            }
            Self::DescribeCluster => admin.describe_cluster(now),
            Self::FetchTopicOffsets { topic } => admin.fetch_topic_offsets(now, &topic),
            Self::FetchTopicOffsetsByTimestamp { topic, timestamp } => {
                admin.fetch_topic_offsets_by_timestamp(now, &topic, timestamp.map(to_i64))
            }
            Self::DeleteTopicRecords { topic, partitions } => {
                admin.delete_topic_records(now, &topic, converted(partitions))
            }
            Self::FetchOffsets {
                group_id,
                topics,
                resolve_offsets,
            } => admin.fetch_offsets(now, &group_id, topics, resolve_offsets),
            Self::SetOffsets {
                group_id,
                topic,
                partitions,
            } => admin.set_offsets(now, &group_id, &topic, converted(partitions)),
            Self::ResetOffsets {
                group_id,
                topic,
                earliest,
            } => admin.reset_offsets(now, &group_id, &topic, earliest),
            Self::DeleteOffsets {
                group_id,
                topic,
                partitions,
            } => admin.delete_offsets(now, &group_id, &topic, partitions),
            Self::ListGroups => admin.list_groups(now),
            Self::DescribeGroups { group_ids } => admin.describe_groups(now, group_ids),
            Self::DeleteGroups { group_ids } => admin.delete_groups(now, group_ids),
            Self::DescribeConfigs {
                resources,
                include_synonyms,
            } => admin.describe_configs(now, converted(resources), include_synonyms),
            Self::AlterConfigs {
                resources,
                validate_only,
            } => admin.alter_configs(now, converted(resources), validate_only),
            Self::IncrementalAlterConfigs {
                resources,
                validate_only,
            } => admin.incremental_alter_configs(now, converted(resources), validate_only),
        }
    }
}

fn converted<A, T: From<A>>(arguments: Vec<A>) -> Vec<T> {
    arguments.into_iter().map(T::from).collect()
}

/// Offsets come as text: they have 64 bits.
fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| D::Error::custom(format!("\"{text}\" is no offset"));
    text.parse().map_err(wrong)
}

impl From<OffsetArgument> for RecordsBefore {
    fn from(argument: OffsetArgument) -> Self {
        Self {
            partition: argument.partition,
            offset: argument.offset,
        }
    }
}

impl From<OffsetArgument> for OffsetToCommit {
    fn from(argument: OffsetArgument) -> Self {
        Self {
            partition: argument.partition,
            offset: argument.offset,
        }
    }
}

impl From<TopicArgument> for NewTopic {
    fn from(argument: TopicArgument) -> Self {
        let assignments = argument.replica_assignment.into_iter().flatten();
        let configs = argument.config_entries.into_iter().flatten();
        Self {
            name: argument.topic,
            partitions: argument.num_partitions.unwrap_or(-1),
            replication_factor: argument.replication_factor.unwrap_or(-1),
            assignments: assignments
                .map(|assignment| (assignment.partition, assignment.replicas))
                .collect(),
            configs: configs.map(|config| (config.name, config.value)).collect(),
        }
    }
}

impl From<PartitionsArgument> for NewPartitions {
    fn from(argument: PartitionsArgument) -> Self {
        Self {
            topic: argument.topic,
            count: argument.count,
            assignments: argument.assignments,
        }
    }
}

impl From<ResourceArgument> for ConfigResource {
    fn from(argument: ResourceArgument) -> Self {
        Self {
            resource_type: argument.kind,
            name: argument.name,
            config_names: argument.config_names,
        }
    }
}

impl From<ResourceArgument> for ConfigChange {
    fn from(argument: ResourceArgument) -> Self {
        let entries = argument.config_entries.into_iter().map(|entry| {
            let operation = match entry.operation {
                OperationArgument::Set => ConfigOperation::Set,
                OperationArgument::Delete => ConfigOperation::Delete,
                OperationArgument::Append => ConfigOperation::Append,
                OperationArgument::Subtract => ConfigOperation::Subtract,
            };
            (entry.name, operation, entry.value)
        });
        Self {
            resource_type: argument.kind,
            name: argument.name,
            entries: entries.collect(),
        }
    }
}
