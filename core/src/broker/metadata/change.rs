//! Changes of topics: create, delete, grow. Validated against the latest state, in Kafka's words.

use crate::sorted::SortedMap;

use super::apply::is_internal;
use super::state::RESOURCE_TOPIC;
use super::{METADATA_TOPIC, OFFSETS_TOPIC, collides, validate_topic_name};
use crate::broker::Broker;
use crate::broker::config::validate_topic_configs;
use crate::protocol::ErrorCode;
use crate::protocol::internal::metadata::MetadataRecord;
use crate::protocol::internal::metadata_records::{
    ConfigRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};
use crate::types::Uuid;

/// The most partitions of one topic. Kafka has this bound for the partitions of one request; so one
/// small request cannot make the broker reserve gigabytes.
pub(crate) const MAX_PARTITIONS: i32 = 10_000;

/// An error code and Kafka's words for it, empty where it has none.
pub(crate) type Refusal = (ErrorCode, String);

/// A topic to be created.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewTopic {
    pub(crate) name: String,
    /// -1 for `num.partitions`.
    pub(crate) partitions: i32,
    /// -1 for `default.replication.factor`.
    pub(crate) replication_factor: i16,
    /// Partition numbers with the brokers that shall have them.
    pub(crate) assignments: Vec<(i32, Vec<i32>)>,
    pub(crate) configs: SortedMap<String, String>,
}

/// A topic that may be created.
#[derive(Debug, Clone)]
pub(crate) struct CheckedTopic {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    pub(crate) configs: SortedMap<String, String>,
}

fn too_many_partitions() -> Refusal {
    let why = "Excessively large number of partitions per request.";
    (ErrorCode::POLICY_VIOLATION, why.to_owned())
}

impl Broker {
    /// Checks a topic that is to be created.
    ///
    /// # Errors
    /// As Kafka's controller: `INVALID_TOPIC_EXCEPTION`, `TOPIC_ALREADY_EXISTS`,
    /// `INVALID_PARTITIONS`, `INVALID_REPLICATION_FACTOR`, `INVALID_REPLICA_ASSIGNMENT`,
    /// `INVALID_CONFIG`, `INVALID_REQUEST`, `POLICY_VIOLATION`.
    pub(crate) fn check_new_topic(&self, topic: &NewTopic) -> Result<CheckedTopic, Refusal> {
        let name = &topic.name;
        if name == METADATA_TOPIC {
            let why = format!("Creation of internal topic {METADATA_TOPIC} is prohibited.");
            return Err((ErrorCode::INVALID_REQUEST, why));
        }
        validate_topic_name(name).map_err(|why| (ErrorCode::INVALID_TOPIC_EXCEPTION, why))?;
        if self.metadata.latest_id(name).is_some() {
            let why = format!("Topic '{name}' already exists.");
            return Err((ErrorCode::TOPIC_ALREADY_EXISTS, why));
        }
        if let Some(other) = self
            .metadata
            .latest_names()
            .find(|other| collides(name, other))
        {
            let why = format!("Topic '{name}' collides with existing topic: {other}");
            return Err((ErrorCode::INVALID_TOPIC_EXCEPTION, why));
        }
        validate_topic_configs(&topic.configs, &self.config)
            .map_err(|error| (ErrorCode::INVALID_CONFIG, error.0))?;
        let partitions = if topic.assignments.is_empty() {
            self.check_counts(topic.partitions, topic.replication_factor)?
        } else {
            self.check_assignments(topic)?
        };
        Ok(CheckedTopic {
            name: name.clone(),
            partitions,
            configs: topic.configs.clone(),
        })
    }

    fn check_counts(&self, partitions: i32, replication_factor: i16) -> Result<i32, Refusal> {
        if replication_factor < -1 || replication_factor == 0 {
            let why = "Replication factor must be larger than 0, or -1 to use the default value.";
            return Err((ErrorCode::INVALID_REPLICATION_FACTOR, why.to_owned()));
        }
        if partitions < -1 || partitions == 0 {
            let why = "Number of partitions was set to an invalid non-positive value.";
            return Err((ErrorCode::INVALID_PARTITIONS, why.to_owned()));
        }
        if replication_factor > 1 {
            let why = format!(
                "Unable to replicate the partition {replication_factor} time(s): The target \
                 replication factor of {replication_factor} cannot be reached because only 1 \
                 broker(s) are registered or some brokers have all their log directories cordoned."
            );
            return Err((ErrorCode::INVALID_REPLICATION_FACTOR, why));
        }
        let partitions = if partitions == -1 {
            i32::try_from(self.config.long("num.partitions")).unwrap_or(1)
        } else {
            partitions
        };
        if partitions > MAX_PARTITIONS {
            return Err(too_many_partitions());
        }
        Ok(partitions)
    }

    fn check_assignments(&self, topic: &NewTopic) -> Result<i32, Refusal> {
        let refuse = |why: String| Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, why));
        if topic.replication_factor != -1 {
            let why = "A manual partition assignment was specified, but replication factor was \
                       not set to -1.";
            return Err((ErrorCode::INVALID_REQUEST, why.to_owned()));
        }
        if topic.partitions != -1 {
            let why = "A manual partition assignment was specified, but numPartitions was not \
                       set to -1.";
            return Err((ErrorCode::INVALID_REQUEST, why.to_owned()));
        }
        let mut numbers: Vec<i32> = topic
            .assignments
            .iter()
            .map(|(number, _)| *number)
            .collect();
        numbers.sort_unstable();
        for pair in numbers.windows(2) {
            if let [one, other] = pair
                && one == other
            {
                return refuse(format!(
                    "Found multiple manual partition assignments for partition {one}"
                ));
            }
        }
        let count = i32::try_from(numbers.len()).unwrap_or(i32::MAX);
        if count > MAX_PARTITIONS {
            return Err(too_many_partitions());
        }
        if numbers.iter().copied().ne(0..count) {
            return refuse(
                "partitions should be a consecutive 0-based integer sequence".to_owned(),
            );
        }
        for (_, brokers) in &topic.assignments {
            self.check_replicas(brokers)?;
        }
        Ok(count)
    }

    /// Checks the brokers that a partition is to be kept by: this one, once.
    ///
    /// # Errors
    /// `INVALID_REPLICA_ASSIGNMENT`.
    fn check_replicas(&self, brokers: &[i32]) -> Result<(), Refusal> {
        let node = self.config.node_id();
        let why = match brokers {
            [only] if *only == node => return Ok(()),
            [] => "The manual partition assignment includes an empty replica list.".to_owned(),
            [first, rest @ ..] if rest.contains(first) => format!(
                "The manual partition assignment includes the broker {first} more than once."
            ),
            _ => {
                let other = brokers
                    .iter()
                    .find(|&&broker| broker != node)
                    .copied()
                    .unwrap_or(node);
                format!(
                    "The manual partition assignment includes broker {other}, but no such broker \
                     is registered."
                )
            }
        };
        Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, why))
    }

    /// The records that create a checked topic, with the id it gets.
    pub(crate) fn creation_records(&mut self, topic: &CheckedTopic) -> (Uuid, Vec<MetadataRecord>) {
        let topic_id = self.rng.uuid();
        let mut records: Vec<MetadataRecord> = vec![
            TopicRecord {
                name: topic.name.clone(),
                topic_id,
            }
            .into(),
        ];
        records.extend(topic.configs.iter().map(|(name, value)| {
            ConfigRecord {
                resource_type: RESOURCE_TOPIC,
                resource_name: topic.name.clone(),
                name: name.clone(),
                value: Some(value.clone()),
            }
            .into()
        }));
        records.extend(self.partition_records(topic_id, 0, topic.partitions));
        (topic_id, records)
    }

    fn partition_records(&self, topic_id: Uuid, from: i32, to: i32) -> Vec<MetadataRecord> {
        let node = self.config.node_id();
        let record = |partition_id| PartitionRecord {
            partition_id,
            topic_id,
            replicas: vec![node],
            isr: vec![node],
            leader: node,
            leader_epoch: self.metadata.leader_epoch(),
            partition_epoch: 0,
            directories: vec![Uuid::METADATA],
            ..PartitionRecord::default()
        };
        (from..to)
            .map(|partition| record(partition).into())
            .collect()
    }

    /// Starts to create a topic that is to be there without anybody having asked for its
    /// partitions: on its first use, or one of the broker's own. Does nothing if it is there or
    /// under way, or cannot be: the next request says why.
    pub(crate) fn create_on_first_use(&mut self, name: &str) {
        let topic = if name == OFFSETS_TOPIC {
            let configs = [
                ("cleanup.policy", "compact"),
                ("compression.type", "producer"),
                ("segment.bytes", "104857600"),
            ];
            NewTopic {
                name: name.to_owned(),
                partitions: i32::try_from(self.config.long("offsets.topic.num.partitions"))
                    .unwrap_or(50),
                replication_factor: -1,
                assignments: Vec::new(),
                configs: configs
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
            }
        } else {
            NewTopic {
                name: name.to_owned(),
                partitions: -1,
                replication_factor: -1,
                ..NewTopic::default()
            }
        };
        if let Ok(checked) = self.check_new_topic(&topic) {
            let (_, records) = self.creation_records(&checked);
            // If the log is offline the client asks again, as it does for every topic that is not
            // there yet.
            self.append_metadata(&records).ok();
        }
    }

    /// Starts to create one of the broker's own topics.
    pub(crate) fn create_internal_topic(&mut self, name: &str) {
        debug_assert!(
            is_internal(name),
            "{name} is not one of the broker's own topics"
        );
        self.create_on_first_use(name);
    }

    /// The record that deletes a topic.
    pub(crate) fn deletion_record(topic_id: Uuid) -> MetadataRecord {
        RemoveTopicRecord { topic_id }.into()
    }

    /// Checks that a topic may grow to `count` partitions, with assignments for the new ones or
    /// without, and returns the records that make it do so.
    ///
    /// # Errors
    /// As Kafka's controller: `UNKNOWN_TOPIC_OR_PARTITION`, `INVALID_PARTITIONS`,
    /// `INVALID_REPLICA_ASSIGNMENT`, `POLICY_VIOLATION`.
    pub(crate) fn growth_records(
        &self,
        name: &str,
        count: i32,
        assignments: Option<&[Vec<i32>]>,
    ) -> Result<Vec<MetadataRecord>, Refusal> {
        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        let id = self
            .metadata
            .latest_id(name)
            .ok_or_else(|| (unknown, String::new()))?;
        let present = self.metadata.latest_partitions(id);
        let refuse = |why: String| Err((ErrorCode::INVALID_PARTITIONS, why));
        if count == present {
            return refuse(format!("Topic already has {present} partition(s)."));
        }
        if count < present {
            return refuse(format!(
                "The topic {name} currently has {present} partition(s); {count} would not be an \
                 increase."
            ));
        }
        if count > MAX_PARTITIONS {
            return Err(too_many_partitions());
        }
        if let Some(assignments) = assignments {
            let more = count.saturating_sub(present);
            if i32::try_from(assignments.len()) != Ok(more) {
                let why = format!(
                    "Attempted to add {more} additional partition(s), but only {} assignment(s) \
                     were specified.",
                    assignments.len()
                );
                return Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, why));
            }
            for brokers in assignments {
                self.check_replicas(brokers)?;
            }
        }
        Ok(self.partition_records(id, present, count))
    }
}
