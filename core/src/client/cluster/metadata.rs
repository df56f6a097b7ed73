//! What is known of the cluster: brokers, topics, leaders.
//!
//! Answers to Metadata are merged by these rules. Brokers: the newest answer counts. A topic: the
//! newest answer counts, but a partition whose leader epoch is lower than the known one for the
//! same topic id keeps what is known, because that answer comes from a broker that lags behind
//! (only from version 9 on do brokers send epochs that can be relied on; KAFKA-9212). A topic that
//! is answered with an error keeps what is known, unless the error says that it is gone.

use crate::sorted::SortedMap;

use crate::protocol::ErrorCode;
use crate::protocol::messages::MetadataResponse;
use crate::protocol::messages::metadata::{MetadataResponsePartition, MetadataResponseTopic};
use crate::time::Monotonic;
use crate::types::{TopicPartition, Uuid};

/// The first version of Metadata whose leader epochs never go back on one broker.
const RELIABLE_EPOCHS: i16 = 9;

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerInfo {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Its rack.
    pub rack: Option<String>,
}

/// What is known of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its id; zero if its broker is too old to have one.
    pub id: Uuid,
    /// Whether it is one of the cluster's own.
    pub internal: bool,
    /// The [`Metadata::generation`] that last had it.
    pub answered: u64,
    /// Its partitions by number.
    pub partitions: SortedMap<i32, PartitionInfo>,
}

/// What is known of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Its own error, such as `LEADER_NOT_AVAILABLE`.
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
    pub offline: Vec<i32>,
}

/// The cache.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// The cluster's id.
    pub cluster_id: Option<String>,
    /// The broker that takes requests for the controller; negative if unknown.
    pub controller: i32,
    /// The brokers by id.
    pub brokers: SortedMap<i32, BrokerInfo>,
    topics: SortedMap<String, TopicInfo>,
    /// With which error a topic was last answered.
    errors: SortedMap<String, ErrorCode>,
    /// When everything of interest was last answered.
    pub(super) updated: Option<Monotonic>,
    /// How many answers there were: a number that grows whenever something may have changed.
    pub generation: u64,
}

impl Metadata {
    /// A topic by name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&TopicInfo> {
        self.topics.get(name)
    }

    /// A topic's name by its id.
    #[must_use]
    pub fn topic_name(&self, id: Uuid) -> Option<&str> {
        if id.is_zero() {
            return None;
        }
        let found = self.topics.iter().find(|(_, topic)| topic.id == id);
        found.map(|(name, _)| name.as_str())
    }

    /// All known topics by name.
    pub fn topics(&self) -> impl Iterator<Item = (&str, &TopicInfo)> {
        self.topics
            .iter()
            .map(|(name, topic)| (name.as_str(), topic))
    }

    /// The error with which a topic was last answered, if it was.
    #[must_use]
    pub fn topic_error(&self, name: &str) -> Option<ErrorCode> {
        self.errors.get(name).copied()
    }

    /// A partition.
    #[must_use]
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&PartitionInfo> {
        self.topic(topic)?.partitions.get(&partition)
    }

    /// A partition's leader, if it has one whose address is known.
    #[must_use]
    pub fn leader(&self, topic: &str, partition: i32) -> Option<i32> {
        let leader = self.partition(topic, partition)?.leader;
        self.brokers.contains_key(&leader).then_some(leader)
    }

    /// Why a partition has no leader that could be asked.
    #[must_use]
    pub fn why_no_leader(&self, wanted: &TopicPartition) -> ErrorCode {
        match self.partition(&wanted.topic, wanted.partition) {
            Some(partition) if partition.error.is_error() => partition.error,
            Some(_) => ErrorCode::LEADER_NOT_AVAILABLE,
            None => self
                .topic_error(&wanted.topic)
                .unwrap_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        }
    }

    /// A broker told, with another answer, the address of one: host, port, rack.
    pub fn learn_broker(&mut self, node: i32, (host, port, rack): (String, i32, Option<String>)) {
        let info = BrokerInfo { host, port, rack };
        self.brokers.insert(node, info);
    }

    /// A broker told, with another answer, who leads a partition now (KIP-951). Returns whether
    /// that was news.
    pub fn leader_changed(&mut self, topic: &str, partition: i32, leader: i32, epoch: i32) -> bool {
        if !self.brokers.contains_key(&leader) {
            return false;
        }
        let known = self
            .topics
            .get_mut(topic)
            .and_then(|topic| topic.partitions.get_mut(&partition));
        match known {
            Some(known) if epoch > known.leader_epoch => {
                known.leader = leader;
                known.leader_epoch = epoch;
                known.error = ErrorCode::NONE;
                true
            }
            _ => false,
        }
    }

    /// Forgets with which error a topic was answered: it is asked for again.
    pub(super) fn forget_error(&mut self, topic: &str) {
        self.errors.remove(topic);
    }

    /// Merges an answer. `all` says that it was asked for every topic, so one that is missing is
    /// gone; `whole` that it was asked for everything of interest.
    pub(super) fn merge(
        &mut self,
        now: Monotonic,
        whole: bool,
        version: i16,
        all: bool,
        response: MetadataResponse,
    ) {
        if !response.brokers.is_empty() {
            let brokers = response.brokers.into_iter().map(|broker| {
                let info = BrokerInfo {
                    host: broker.host,
                    port: broker.port,
                    rack: broker.rack,
                };
                (broker.node_id, info)
            });
            self.brokers = brokers.collect();
        }
        if response.cluster_id.is_some() {
            self.cluster_id = response.cluster_id;
        }
        self.controller = response.controller_id;
        if all {
            let named = |name: &String| {
                let mut topics = response.topics.iter();
                topics.any(|topic| topic.name.as_ref() == Some(name))
            };
            self.topics.retain(|name, _| named(name));
            self.errors.retain(|name, _| named(name));
        }
        for topic in response.topics {
            self.merge_topic(version, topic);
        }
        if whole || self.updated.is_none() {
            self.updated = Some(now);
        }
        self.generation = self.generation.wrapping_add(1);
    }

    fn merge_topic(&mut self, version: i16, answered: MetadataResponseTopic) {
        let Some(name) = answered.name else { return };
        match answered.error_code {
            ErrorCode::NONE => {
                self.errors.remove(&name);
            }
            code => {
                let gone = [
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    ErrorCode::UNKNOWN_TOPIC_ID,
                    ErrorCode::INVALID_TOPIC_EXCEPTION,
                ];
                if gone.contains(&code) {
                    self.topics.remove(&name);
                }
                self.errors.insert(name, code);
                return;
            }
        }
        let before = self
            .topics
            .get(&name)
            .filter(|before| before.id == answered.topic_id);
        let merge = |answered: MetadataResponsePartition| {
            let number = answered.partition_index;
            let new = partition_info(version, answered);
            let known = before.and_then(|before| before.partitions.get(&number));
            match known {
                Some(known) if new.leader_epoch >= 0 && new.leader_epoch < known.leader_epoch => {
                    (number, known.clone())
                }
                _ => (number, new),
            }
        };
        let topic = TopicInfo {
            id: answered.topic_id,
            internal: answered.is_internal,
            answered: self.generation.wrapping_add(1),
            partitions: answered.partitions.into_iter().map(merge).collect(),
        };
        self.topics.insert(name, topic);
    }
}

fn partition_info(version: i16, answered: MetadataResponsePartition) -> PartitionInfo {
    PartitionInfo {
        error: answered.error_code,
        leader: answered.leader_id,
        leader_epoch: if version >= RELIABLE_EPOCHS {
            answered.leader_epoch
        } else {
            -1
        },
        replicas: answered.replica_nodes,
        isr: answered.isr_nodes,
        offline: answered.offline_replicas,
    }
}
