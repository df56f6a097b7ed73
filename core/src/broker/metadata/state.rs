//! The hard state of metadata as a map: which record stands for which key.

use bytes::Bytes;

use crate::protocol::internal::metadata::MetadataRecord;
use crate::types::Uuid;

/// Kafka's number for topics in config records.
pub(crate) const RESOURCE_TOPIC: i8 = 2;
/// Kafka's number for brokers in config records; the empty name stands for all brokers.
pub(crate) const RESOURCE_BROKER: i8 = 4;
/// The name under which the cluster's id is kept, as a config of all brokers that no one can see.
pub(super) const CLUSTER_ID: &str = "cluster.id";

/// What a metadata record is about. A newer record of the same key takes the place of an older one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Broker(i32),
    Config(ConfigKey),
    Feature(String),
    ProducerIds,
    Topic(Uuid),
    Partition(Uuid, i32),
}

/// A config of one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConfigKey {
    pub(crate) resource_type: i8,
    pub(crate) resource_name: String,
    pub(crate) name: String,
}

impl Key {
    /// The key of a record; `None` for records that only refer to others.
    pub(super) fn of(record: &MetadataRecord) -> Option<Self> {
        match record {
            MetadataRecord::RegisterBroker(record) => Some(Self::Broker(record.broker_id)),
            MetadataRecord::Topic(record) => Some(Self::Topic(record.topic_id)),
            MetadataRecord::Partition(record) => {
                Some(Self::Partition(record.topic_id, record.partition_id))
            }
            MetadataRecord::Config(record) => Some(Self::Config(ConfigKey {
                resource_type: record.resource_type,
                resource_name: record.resource_name.clone(),
                name: record.name.clone(),
            })),
            MetadataRecord::FeatureLevel(record) => Some(Self::Feature(record.name.clone())),
            MetadataRecord::ProducerIds(_) => Some(Self::ProducerIds),
            MetadataRecord::PartitionChange(_)
            | MetadataRecord::RemoveTopic(_)
            | MetadataRecord::BrokerRegistrationChange(_)
            | MetadataRecord::NoOp(_) => None,
        }
    }
}

/// Encodes a record as the value of one in the log.
pub(super) fn encode_record(record: &MetadataRecord) -> Option<Bytes> {
    // The lowest version that has every field we write, so that older tools can read it.
    let version = match record {
        MetadataRecord::Partition(_) | MetadataRecord::RegisterBroker(_) => 1,
        MetadataRecord::Topic(_)
        | MetadataRecord::Config(_)
        | MetadataRecord::PartitionChange(_)
        | MetadataRecord::RemoveTopic(_)
        | MetadataRecord::FeatureLevel(_)
        | MetadataRecord::ProducerIds(_)
        | MetadataRecord::BrokerRegistrationChange(_)
        | MetadataRecord::NoOp(_) => 0,
    };
    record.encode(version).ok()
}

/// Decodes the value of a record in the log.
pub(crate) fn decode_record(value: Bytes) -> Option<MetadataRecord> {
    MetadataRecord::decode(value).ok()
}
