//! The cluster's metadata: topics, configs, producer ids, the broker's epoch.
//!
//! Hard state of the log `__cluster_metadata`, in KRaft's record schemas and framing. The record
//! that is durable there is the commit point of every create, delete and change; what follows
//! (making and dropping logs, tombstones of offsets) is repeated by recovery if it was cut short.
//!
//! Readers see durable topics only; a change is validated against the latest state, durable plus
//! pending, so that of two CreateTopics for one name the second is refused at once.

mod apply;
mod change;
mod compaction;
mod name;
mod producer_ids;
mod recovery;
mod state;

use crate::sorted::{SortedMap, SortedSet};

use super::Broker;
use super::config::TopicConfig;
use super::effect::LogId;
use super::overlay::Overlay;
use crate::protocol::internal::metadata::MetadataRecord;
use crate::types::Uuid;

pub(crate) use change::{CheckedTopic, NewTopic, Refusal};
pub(crate) use compaction::batches_at_offsets;
pub(crate) use name::{collides, validate_topic_name};
pub(crate) use producer_ids::ProducerIds;
pub(crate) use state::{Key, RESOURCE_BROKER, RESOURCE_TOPIC};

/// The log of all metadata.
pub(crate) const METADATA_LOG: LogId = LogId {
    topic: Uuid::METADATA,
    partition: 0,
};
/// The topic that holds committed offsets and groups.
pub(crate) const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// Kafka's name of the metadata log, which no client may create or see.
pub(crate) const METADATA_TOPIC: &str = "__cluster_metadata";

/// A topic, as durable metadata has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    /// How many partitions there are, numbered from 0.
    pub(crate) partitions: i32,
    /// One of the broker's own.
    pub(crate) internal: bool,
    /// Its configs, with the broker's defaults filled in.
    pub(crate) config: TopicConfig,
    /// The configs set on it.
    pub(crate) overrides: SortedMap<String, String>,
}

impl Topic {
    /// The log of one partition, if there is such a partition.
    pub(crate) fn log(&self, partition: i32) -> Option<LogId> {
        (0..self.partitions).contains(&partition).then_some(LogId {
            topic: self.id,
            partition,
        })
    }

    /// The logs of all partitions.
    pub(crate) fn logs(&self) -> impl Iterator<Item = LogId> + use<> {
        let topic = self.id;
        (0..self.partitions).map(move |partition| LogId { topic, partition })
    }
}

/// What `__cluster_metadata` says.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    state: Overlay<Key, MetadataRecord>,
    /// The latest names, durable or pending; a name whose deletion is pending is free again.
    latest_names: SortedMap<String, Uuid>,
    /// Durable topics by name.
    by_name: SortedMap<String, Topic>,
    names: SortedMap<Uuid, String>,
    /// Topics whose durable records changed since they were last looked at.
    touched: SortedSet<Uuid>,
    pub(crate) producer_ids: ProducerIds,
    cluster_id: Option<Uuid>,
    /// Rises by one with each opening of the database: the lower bound of all leader epochs.
    pub(crate) broker_epoch: i64,
    /// Records replayed or appended since the log was last compacted.
    uncompacted: usize,
}

impl Metadata {
    /// A durable topic by name.
    pub(crate) fn topic_by_name(&self, name: &str) -> Option<&Topic> {
        self.by_name.get(name)
    }

    /// A durable topic by id.
    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<&Topic> {
        self.by_name.get(self.names.get(&id)?)
    }

    /// All durable topics, by name.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.by_name.values()
    }

    /// `__consumer_offsets`, once there is one.
    pub(crate) fn offsets_topic(&self) -> Option<&Topic> {
        self.topic_by_name(OFFSETS_TOPIC)
    }

    /// The cluster's id: the same at each opening of a database.
    pub(crate) fn cluster_id(&self) -> String {
        self.cluster_id.unwrap_or(Uuid::ZERO).to_string()
    }

    /// The leader epoch at which new partitions begin.
    pub(crate) fn leader_epoch(&self) -> i32 {
        i32::try_from(self.broker_epoch).unwrap_or(i32::MAX)
    }
}

impl Broker {
    /// The topic that a log is a partition of; `None` for the metadata log.
    pub(crate) fn topic_of(&self, log: LogId) -> Option<&Topic> {
        self.metadata.topic_by_id(log.topic)
    }
}
