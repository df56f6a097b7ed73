//! The admin client, for JavaScript.

use js_sys::{Array, Function};
use partita_core::client::admin::{
    ConfigChange, ConfigOperation, ConfigResource, NewPartitions, NewTopic, OffsetToCommit,
    RecordsBefore,
};
use partita_core::client::{Admin, AdminConfig, AdminEvent};
use serde::de::{DeserializeOwned, Error as _};
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

    /// As KafkaJS's method of that name, which is the value's form; so are all that follow.
    pub fn list_topics(&self) -> f64 {
        self.0.op(Admin::list_topics)
    }

    /// `topics` are KafkaJS's `ITopicConfig[]`; the timeout is in milliseconds.
    ///
    /// # Errors
    /// When the topics are no such list.
    pub fn create_topics(
        &self,
        topics: JsValue,
        timeout: i32,
        validate_only: bool,
        wait_for_leaders: bool,
    ) -> Result<f64, JsValue> {
        let topics = list::<TopicArgument, _>(topics)?;
        Ok(self.0.op(|admin, now| {
            admin.create_topics(now, topics, timeout, validate_only, wait_for_leaders)
        }))
    }

    /// `topics` are KafkaJS's `ITopicPartitionConfig[]`.
    ///
    /// # Errors
    /// When the topics are no such list.
    pub fn create_partitions(
        &self,
        topics: JsValue,
        timeout: i32,
        validate_only: bool,
    ) -> Result<f64, JsValue> {
        let topics = list::<PartitionsArgument, _>(topics)?;
        let begin =
            |admin: &mut Admin, now| admin.create_partitions(now, topics, timeout, validate_only);
        Ok(self.0.op(begin))
    }

    /// Deletes topics.
    pub fn delete_topics(&self, topics: Vec<String>, timeout: i32) -> f64 {
        self.0
            .op(|admin, now| admin.delete_topics(now, topics, timeout))
    }

    /// Without names: all topics.
    pub fn fetch_topic_metadata(&self, topics: Vec<String>) -> f64 {
        let topics = (!topics.is_empty()).then_some(topics);
        self.0
            .op(|admin, now| admin.fetch_topic_metadata(now, topics))
    }

    /// Brokers and controller.
    pub fn describe_cluster(&self) -> f64 {
        self.0.op(Admin::describe_cluster)
    }

    /// First and next offset of each partition.
    pub fn fetch_topic_offsets(&self, topic: &str) -> f64 {
        self.0
            .op(|admin, now| admin.fetch_topic_offsets(now, topic))
    }

    /// The timestamp is in milliseconds.
    pub fn fetch_topic_offsets_by_timestamp(&self, topic: &str, timestamp: Option<f64>) -> f64 {
        let timestamp = timestamp.map(to_i64);
        self.0
            .op(|admin, now| admin.fetch_topic_offsets_by_timestamp(now, topic, timestamp))
    }

    /// `partitions` are KafkaJS's `SeekEntry[]`.
    ///
    /// # Errors
    /// When they are no such list.
    pub fn delete_topic_records(&self, topic: &str, partitions: JsValue) -> Result<f64, JsValue> {
        let partitions = list::<OffsetArgument, _>(partitions)?;
        let begin = |admin: &mut Admin, now| admin.delete_topic_records(now, topic, partitions);
        Ok(self.0.op(begin))
    }

    /// Without topics: all that the group has committed anything for.
    pub fn fetch_offsets(&self, group: &str, topics: Vec<String>, resolve: bool) -> f64 {
        self.0
            .op(|admin, now| admin.fetch_offsets(now, group, topics, resolve))
    }

    /// `partitions` are KafkaJS's `SeekEntry[]`.
    ///
    /// # Errors
    /// When they are no such list.
    pub fn set_offsets(
        &self,
        group: &str,
        topic: &str,
        partitions: JsValue,
    ) -> Result<f64, JsValue> {
        let partitions = list::<OffsetArgument, _>(partitions)?;
        let begin = |admin: &mut Admin, now| admin.set_offsets(now, group, topic, partitions);
        Ok(self.0.op(begin))
    }

    /// To the latest offsets, or the earliest.
    pub fn reset_offsets(&self, group: &str, topic: &str, earliest: bool) -> f64 {
        self.0
            .op(|admin, now| admin.reset_offsets(now, group, topic, earliest))
    }

    /// Not in KafkaJS. Value: nothing.
    pub fn delete_offsets(&self, group: &str, topic: &str, partitions: Vec<i32>) -> f64 {
        self.0
            .op(|admin, now| admin.delete_offsets(now, group, topic, partitions))
    }

    /// All groups.
    pub fn list_groups(&self) -> f64 {
        self.0.op(Admin::list_groups)
    }

    /// Groups with their members.
    pub fn describe_groups(&self, groups: Vec<String>) -> f64 {
        self.0.op(|admin, now| admin.describe_groups(now, groups))
    }

    /// Deletes groups.
    pub fn delete_groups(&self, groups: Vec<String>) -> f64 {
        self.0.op(|admin, now| admin.delete_groups(now, groups))
    }

    /// `resources` are KafkaJS's `ResourceConfigQuery[]`.
    ///
    /// # Errors
    /// When they are no such list.
    pub fn describe_configs(
        &self,
        resources: JsValue,
        include_synonyms: bool,
    ) -> Result<f64, JsValue> {
        let resources = list::<ResourceArgument, _>(resources)?;
        let begin =
            |admin: &mut Admin, now| admin.describe_configs(now, resources, include_synonyms);
        Ok(self.0.op(begin))
    }

    /// `resources` are KafkaJS's `IResourceConfig[]`. With `incremental`, which KafkaJS has not,
    /// only what is named changes, and an entry may have an `operation`.
    ///
    /// # Errors
    /// When they are no such list.
    pub fn alter_configs(
        &self,
        resources: JsValue,
        validate_only: bool,
        incremental: bool,
    ) -> Result<f64, JsValue> {
        let changes = list::<ResourceArgument, _>(resources)?;
        Ok(self.0.op(|admin, now| {
            if incremental {
                admin.incremental_alter_configs(now, changes, validate_only)
            } else {
                admin.alter_configs(now, changes, validate_only)
            }
        }))
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

/// A list of plain objects, as what the client takes.
fn list<A, T>(value: JsValue) -> Result<Vec<T>, JsValue>
where
    A: DeserializeOwned,
    T: From<A>,
{
    let arguments: Vec<A> = argument(value)?;
    Ok(arguments.into_iter().map(T::from).collect())
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
