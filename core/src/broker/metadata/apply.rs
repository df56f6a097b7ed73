//! Metadata records taking effect: pending when appended, durable when the log says so. Recovery
//! goes the same way.

use super::state::{CLUSTER_ID, ConfigKey, Key, RESOURCE_BROKER, RESOURCE_TOPIC, encode_record};
use super::{METADATA_LOG, METADATA_TOPIC, Metadata, OFFSETS_TOPIC, Topic};
use crate::broker::Broker;
use crate::broker::config::{BrokerConfig, TopicConfig, sets_topic_defaults};
use crate::broker::effect::LogId;
use crate::broker::hard::HardRecord;
use crate::protocol::ErrorCode;
use crate::protocol::internal::metadata::MetadataRecord;
use crate::sorted::SortedMap;
use crate::types::Uuid;
use std::ops::Bound;

/// A change of one key; `None` deletes.
type Change = (Key, Option<MetadataRecord>);

impl Metadata {
    /// What a record changes.
    fn changes(&self, record: &MetadataRecord) -> Vec<Change> {
        if let MetadataRecord::RemoveTopic(removed) = record {
            return self.removal(removed.topic_id);
        }
        let deletes = matches!(record, MetadataRecord::Config(config) if config.value.is_none());
        Key::of(record)
            .map(|key| (key, (!deletes).then(|| record.clone())))
            .into_iter()
            .collect()
    }

    fn removal(&self, id: Uuid) -> Vec<Change> {
        let partitions = Key::Partition(id, i32::MIN)..=Key::Partition(id, i32::MAX);
        let mut keys: Vec<Key> = self
            .state
            .range_latest(partitions)
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        if let Some(MetadataRecord::Topic(topic)) = self.state.latest(&Key::Topic(id)) {
            keys.extend(
                self.latest_configs(RESOURCE_TOPIC, &topic.name)
                    .into_keys()
                    .map(|name| {
                        Key::Config(ConfigKey {
                            resource_type: RESOURCE_TOPIC,
                            resource_name: topic.name.clone(),
                            name,
                        })
                    }),
            );
        }
        keys.push(Key::Topic(id));
        keys.into_iter().map(|key| (key, None)).collect()
    }

    /// The configs set on a resource, durable or pending.
    pub(crate) fn latest_configs(&self, kind: i8, resource: &str) -> SortedMap<String, String> {
        self.state
            .range_latest(config_range(kind, resource))
            .into_iter()
            .filter_map(|(_, record)| config_entry(&record))
            .collect()
    }

    /// The configs set on a resource, durable ones only.
    pub(crate) fn durable_configs(&self, kind: i8, resource: &str) -> SortedMap<String, String> {
        self.state
            .range_durable(config_range(kind, resource))
            .filter_map(|(_, versioned)| config_entry(&versioned.value))
            .collect()
    }

    /// The latest id of a name, durable or pending.
    pub(crate) fn latest_id(&self, name: &str) -> Option<Uuid> {
        self.latest_names.get(name).copied()
    }

    /// The latest name of an id, durable or pending.
    pub(crate) fn latest_name(&self, id: Uuid) -> Option<String> {
        match self.state.latest(&Key::Topic(id)) {
            Some(MetadataRecord::Topic(topic)) => Some(topic.name.clone()),
            _ => None,
        }
    }

    /// All latest names, durable or pending.
    pub(crate) fn latest_names(&self) -> impl Iterator<Item = &str> {
        self.latest_names.keys().map(String::as_str)
    }

    /// How many partitions a topic has, durable or pending.
    pub(crate) fn latest_partitions(&self, id: Uuid) -> i32 {
        let partitions = Key::Partition(id, i32::MIN)..=Key::Partition(id, i32::MAX);
        i32::try_from(self.state.range_latest(partitions).len()).unwrap_or(i32::MAX)
    }

    /// Takes note of a record that was appended at `offset` but is not durable yet.
    fn note_pending(&mut self, offset: i64, record: &MetadataRecord) {
        self.uncompacted = self.uncompacted.saturating_add(1);
        if let MetadataRecord::Topic(topic) = record {
            self.latest_names.insert(topic.name.clone(), topic.topic_id);
        }
        if let MetadataRecord::RemoveTopic(removed) = record {
            self.latest_names.retain(|_, id| *id != removed.topic_id);
        }
        for (key, value) in self.changes(record) {
            self.state.set_pending(offset, key, value);
        }
    }

    /// Applies a record that is durable already.
    pub(super) fn note_durable(&mut self, offset: i64, record: &MetadataRecord) {
        self.uncompacted = self.uncompacted.saturating_add(1);
        for (key, value) in self.changes(record) {
            self.touch(&key);
            self.state.set_durable(offset, key, value);
        }
    }

    fn touch(&mut self, key: &Key) {
        match key {
            Key::Topic(id) | Key::Partition(id, _) => {
                self.touched.insert(*id);
            }
            Key::Config(config) if config.resource_type == RESOURCE_TOPIC => {
                if let Some(topic) = self.by_name.get(&config.resource_name) {
                    self.touched.insert(topic.id);
                }
            }
            Key::Config(_) | Key::Broker(_) | Key::Feature(_) | Key::ProducerIds => {}
        }
    }

    /// A topic as its durable records have it.
    fn durable_topic(&self, id: Uuid, broker: &BrokerConfig) -> Option<Topic> {
        let Some(MetadataRecord::Topic(record)) = self.state.durable(&Key::Topic(id)) else {
            return None;
        };
        let partitions = Key::Partition(id, i32::MIN)..=Key::Partition(id, i32::MAX);
        let overrides = self.durable_configs(RESOURCE_TOPIC, &record.name);
        Some(Topic {
            name: record.name.clone(),
            id,
            partitions: i32::try_from(self.state.range_durable(partitions).count())
                .unwrap_or(i32::MAX),
            internal: is_internal(&record.name),
            config: TopicConfig::new(&overrides, broker),
            overrides,
        })
    }

    /// Recomputes what hangs on durable records that are about the whole cluster.
    pub(super) fn refresh_cluster(&mut self, config: &mut BrokerConfig) {
        let mut for_all = self.durable_configs(RESOURCE_BROKER, "");
        if let Some(id) = for_all.remove(CLUSTER_ID) {
            self.cluster_id = id.parse().ok();
        }
        config.dynamic_default = for_all;
        config.dynamic = self.durable_configs(RESOURCE_BROKER, &config.node_id().to_string());
        if let Some(MetadataRecord::RegisterBroker(record)) =
            self.state.durable(&Key::Broker(config.node_id()))
        {
            self.broker_epoch = record.broker_epoch;
        }
        if let Some(MetadataRecord::ProducerIds(record)) = self.state.durable(&Key::ProducerIds) {
            self.producer_ids.note_durable(record.next_producer_id);
        }
    }
}

/// Whether a topic is one of the broker's own.
pub(super) fn is_internal(name: &str) -> bool {
    matches!(name, OFFSETS_TOPIC | METADATA_TOPIC)
}

fn config_range(kind: i8, resource: &str) -> (Bound<Key>, Bound<Key>) {
    let key = |resource_name: String| {
        Key::Config(ConfigKey {
            resource_type: kind,
            resource_name,
            name: String::new(),
        })
    };
    // The least name that sorts behind `resource`.
    (
        Bound::Included(key(resource.to_owned())),
        Bound::Excluded(key(format!("{resource}\0"))),
    )
}

fn config_entry(record: &MetadataRecord) -> Option<(String, String)> {
    let MetadataRecord::Config(config) = record else {
        return None;
    };
    Some((config.name.clone(), config.value.clone()?))
}

impl Broker {
    /// Appends metadata records as one batch, which takes effect as a whole or not at all, and
    /// notes them as pending.
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` while the metadata log is offline.
    pub(crate) fn append_metadata(&mut self, records: &[MetadataRecord]) -> Result<(), ErrorCode> {
        let mut encoded = Vec::with_capacity(records.len());
        for record in records {
            let value = encode_record(record).ok_or(ErrorCode::UNKNOWN_SERVER_ERROR)?;
            encoded.push(HardRecord {
                key: None,
                value: Some(value),
            });
        }
        let base = self.append_hard(METADATA_LOG, &encoded)?;
        for (offset, record) in (base..).zip(records) {
            self.metadata.note_pending(offset, record);
        }
        Ok(())
    }

    /// Records below the high watermark are durable now: topics come, change and go.
    pub(in crate::broker) fn metadata_log_advanced(&mut self, log: LogId, high_watermark: i64) {
        if log != METADATA_LOG {
            return;
        }
        let config_before = self.config.clone();
        let mut all_topics = false;
        for key in self.metadata.state.advance(high_watermark) {
            if let Key::Config(config) = &key {
                all_topics |=
                    config.resource_type == RESOURCE_BROKER && sets_topic_defaults(&config.name);
            }
            self.metadata.touch(&key);
        }
        self.metadata.refresh_cluster(&mut self.config);
        if all_topics && self.config != config_before {
            let ids: Vec<Uuid> = self.metadata.names.keys().copied().collect();
            self.metadata.touched.extend(ids);
        }
        self.refresh_topics();
        self.compact_metadata();
    }

    /// The metadata log failed: what was pending never happened.
    pub(in crate::broker) fn metadata_log_failed(&mut self, log: LogId) {
        if log != METADATA_LOG {
            return;
        }
        self.metadata.state.rollback();
        self.metadata.latest_names = self
            .metadata
            .by_name
            .iter()
            .map(|(name, topic)| (name.clone(), topic.id))
            .collect();
        self.metadata.producer_ids.rollback();
    }

    /// Brings topics and their logs in line with the durable records that changed.
    pub(super) fn refresh_topics(&mut self) {
        let touched = std::mem::take(&mut self.metadata.touched);
        let config = &self.config;
        let (gone, there): (Vec<Uuid>, Vec<Uuid>) = touched
            .into_iter()
            .partition(|&id| self.metadata.durable_topic(id, config).is_none());
        // Those that are gone first: a new topic may have the name of one.
        for id in gone {
            if let Some(topic) = self.metadata.topic_by_id(id).cloned() {
                self.topic_gone(&topic);
            }
        }
        for id in there {
            let before = self.metadata.topic_by_id(id).cloned();
            if let Some(topic) = self.metadata.durable_topic(id, &self.config)
                && before.as_ref() != Some(&topic)
            {
                self.topic_changed(before.as_ref(), topic);
            }
        }
    }

    fn topic_changed(&mut self, before: Option<&Topic>, topic: Topic) {
        let had = before.map_or(0, |before| before.partitions);
        self.observer.topic(&topic.name);
        self.metadata.names.insert(topic.id, topic.name.clone());
        self.metadata
            .latest_names
            .insert(topic.name.clone(), topic.id);
        let logs: Vec<LogId> = topic.logs().filter(|log| log.partition >= had).collect();
        let name = topic.name.clone();
        self.metadata.by_name.insert(name.clone(), topic);
        for log in logs {
            self.create_log(log, self.metadata.leader_epoch());
            self.observer.partition(&name, log.partition);
        }
    }

    fn topic_gone(&mut self, topic: &Topic) {
        self.observer.topic(&topic.name);
        self.metadata.names.remove(&topic.id);
        self.metadata.by_name.remove(&topic.name);
        // Noted when the deletion was asked for, unless that was taken back and then found in the
        // log. The name may be another's already.
        self.metadata.latest_names.retain(|_, id| *id != topic.id);
        for log in topic.logs() {
            self.drop_log(log);
        }
        self.topic_deleted(topic);
    }
}
