//! Broker and topic configs by Kafka's names, with Kafka's types, defaults, checks and words.
//!
//! A topic config's value is the one set on the topic, else the broker's (changed while it runs,
//! then what it was opened with), else Kafka's default. Sources: Kafka's `LogConfig`, `KafkaConfig`,
//! and the answers of a running 4.3.1.

mod broker;
mod definition;
#[cfg(test)]
mod inert;
mod topic;

use std::fmt;

pub use broker::BrokerConfig;
pub(crate) use broker::{BROKER_CONFIGS, Source, broker_definition, sets_topic_defaults};
pub(crate) use definition::{Definition, Kind, list_items};
pub(crate) use topic::{
    CompressionType, TOPIC_CONFIGS, TimestampType, TopicConfig, effective, topic_definition,
    validate_topic_configs,
};

/// Why a config was refused, in Kafka's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
