//! What the admin client returns, as KafkaJS shows it.

use bytes::Bytes;
use partita_core::client::AdminResult;
use partita_core::client::admin::{
    AlterResult, BrokerView, ClusterView, CommittedOffset, ConfigEntry, ConfigSynonym,
    ConfigsResult, GroupDescription, GroupListing, GroupMember, OffsetAt, PartitionOffsets,
    TopicCommits, TopicView,
};
use serde::{Serialize, Serializer};

use super::producer::PartitionMetadata;

/// The value of an operation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum AdminView {
    Done(()),
    Created(bool),
    Names(Vec<String>),
    Topics(Vec<Topic>),
    Cluster(Cluster),
    Configs(Vec<Resource>),
    Offsets(Vec<PartitionRange>),
    OffsetsAt(Vec<PartitionOffset>),
    Groups(Vec<Listing>),
    Descriptions(Vec<Description>),
    Deleted(Vec<DeletedGroup>),
    Committed(Vec<Committed>),
}

impl From<AdminResult> for AdminView {
    fn from(result: AdminResult) -> Self {
        match result {
            AdminResult::Done => Self::Done(()),
            AdminResult::Created(created) => Self::Created(created),
            AdminResult::TopicNames(names) => Self::Names(names),
            AdminResult::Topics(topics) => Self::Topics(views(topics)),
            AdminResult::Cluster(cluster) => Self::Cluster(cluster.into()),
            AdminResult::Configs(results) => Self::Configs(views(results)),
            AdminResult::Altered(results) => Self::Configs(views(results)),
            AdminResult::TopicOffsets(offsets) => Self::Offsets(views(offsets)),
            AdminResult::OffsetsAt(offsets) => Self::OffsetsAt(views(offsets)),
            AdminResult::Groups(groups) => Self::Groups(views(groups)),
            AdminResult::GroupDescriptions(groups) => Self::Descriptions(views(groups)),
            AdminResult::DeletedGroups(groups) => Self::Deleted(views(groups)),
            AdminResult::Committed(topics) => Self::Committed(views(topics)),
        }
    }
}

fn views<T, V: From<T>>(items: Vec<T>) -> Vec<V> {
    items.into_iter().map(V::from).collect()
}

#[derive(Debug, Serialize)]
pub(super) struct Topic {
    name: String,
    partitions: Vec<PartitionMetadata>,
}

impl From<TopicView> for Topic {
    fn from(topic: TopicView) -> Self {
        Self {
            name: topic.name,
            partitions: views(topic.partitions),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cluster {
    brokers: Vec<Broker>,
    controller: Nullable<i32>,
    cluster_id: Nullable<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Broker {
    node_id: i32,
    host: String,
    port: i32,
}

impl From<ClusterView> for Cluster {
    fn from(cluster: ClusterView) -> Self {
        Self {
            brokers: views(cluster.brokers),
            controller: Nullable(cluster.controller),
            cluster_id: Nullable(cluster.cluster_id),
        }
    }
}

impl From<BrokerView> for Broker {
    fn from(broker: BrokerView) -> Self {
        Self {
            node_id: broker.node_id,
            host: broker.host,
            port: broker.port,
        }
    }
}

/// A resource with its configs; after a change, without.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    error_code: i16,
    /// KafkaJS shows an empty text after a question and null after a change.
    error_message: Nullable<&'static str>,
    resource_type: i8,
    resource_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_entries: Option<Vec<Config>>,
}

impl From<ConfigsResult> for Resource {
    fn from(result: ConfigsResult) -> Self {
        Self {
            error_code: 0,
            error_message: Nullable(Some("")),
            resource_type: result.resource_type,
            resource_name: result.resource_name,
            config_entries: Some(views(result.entries)),
        }
    }
}

impl From<AlterResult> for Resource {
    fn from(result: AlterResult) -> Self {
        Self {
            error_code: 0,
            error_message: Nullable(None),
            resource_type: result.resource_type,
            resource_name: result.resource_name,
            config_entries: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    config_name: String,
    config_value: Nullable<String>,
    read_only: bool,
    is_default: bool,
    config_source: i8,
    is_sensitive: bool,
    config_synonyms: Vec<Synonym>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Synonym {
    config_name: String,
    config_value: Nullable<String>,
    config_source: i8,
}

/// The source of a config that nobody has set.
const DEFAULT_CONFIG: i8 = 5;

impl From<ConfigEntry> for Config {
    fn from(entry: ConfigEntry) -> Self {
        Self {
            config_name: entry.name,
            config_value: Nullable(entry.value),
            read_only: entry.read_only,
            is_default: entry.source == DEFAULT_CONFIG,
            config_source: entry.source,
            is_sensitive: entry.sensitive,
            config_synonyms: views(entry.synonyms),
        }
    }
}

impl From<ConfigSynonym> for Synonym {
    fn from(synonym: ConfigSynonym) -> Self {
        Self {
            config_name: synonym.name,
            config_value: Nullable(synonym.value),
            config_source: synonym.source,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct PartitionRange {
    partition: i32,
    offset: String,
    high: String,
    low: String,
}

impl From<PartitionOffsets> for PartitionRange {
    fn from(offsets: PartitionOffsets) -> Self {
        Self {
            partition: offsets.partition,
            offset: offsets.high.to_string(),
            high: offsets.high.to_string(),
            low: offsets.low.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct PartitionOffset {
    partition: i32,
    offset: String,
}

impl From<OffsetAt> for PartitionOffset {
    fn from(at: OffsetAt) -> Self {
        Self {
            partition: at.partition,
            offset: at.offset.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    group_id: String,
    protocol_type: String,
}

impl From<GroupListing> for Listing {
    fn from(group: GroupListing) -> Self {
        Self {
            group_id: group.group_id,
            protocol_type: group.protocol_type,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Description {
    error_code: i16,
    group_id: String,
    state: String,
    protocol_type: String,
    protocol: String,
    members: Vec<Member>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    member_id: String,
    client_id: String,
    client_host: String,
    member_metadata: Raw,
    member_assignment: Raw,
}

impl From<GroupDescription> for Description {
    fn from(group: GroupDescription) -> Self {
        Self {
            error_code: 0,
            group_id: group.group_id,
            state: group.state,
            protocol_type: group.protocol_type,
            protocol: group.protocol,
            members: views(group.members),
        }
    }
}

impl From<GroupMember> for Member {
    fn from(member: GroupMember) -> Self {
        Self {
            member_id: member.member_id,
            client_id: member.client_id,
            client_host: member.client_host,
            member_metadata: Raw(member.metadata),
            member_assignment: Raw(member.assignment),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletedGroup {
    group_id: String,
    error_code: i16,
}

impl From<String> for DeletedGroup {
    fn from(group_id: String) -> Self {
        Self {
            group_id,
            error_code: 0,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Committed {
    topic: String,
    partitions: Vec<CommittedPartition>,
}

#[derive(Debug, Serialize)]
struct CommittedPartition {
    partition: i32,
    offset: String,
    metadata: Nullable<String>,
}

impl From<TopicCommits> for Committed {
    fn from(topic: TopicCommits) -> Self {
        Self {
            topic: topic.topic,
            partitions: views(topic.partitions),
        }
    }
}

impl From<CommittedOffset> for CommittedPartition {
    fn from(committed: CommittedOffset) -> Self {
        Self {
            partition: committed.partition,
            offset: committed.offset.to_string(),
            metadata: Nullable(committed.metadata),
        }
    }
}

/// A value, or JavaScript's `null`: nothing is `undefined` otherwise.
#[derive(Debug)]
struct Nullable<T>(Option<T>);

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => {
                serde_wasm_bindgen::preserve::serialize(&wasm_bindgen::JsValue::NULL, serializer)
            }
        }
    }
}

/// Bytes, as a `Uint8Array`.
#[derive(Debug)]
struct Raw(Bytes);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}
