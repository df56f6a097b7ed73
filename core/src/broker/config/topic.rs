//! Topic configs: Kafka's table, and the values that act.
//!
//! All of Kafka 4.3's names are accepted and checked, so that a program's CreateTopics runs
//! unchanged. Those that only tune files or replication (`flush.*`, `index.interval.bytes`,
//! `preallocate`, …) are kept and described, and act on nothing here: COMPATIBILITY.md lists them.

use crate::sorted::SortedMap;

use super::ConfigError;
use super::broker::BrokerConfig;
use super::definition::{Check, Definition, Kind, list_items, parse_bool, topic};

const LONG_MAX: &str = "9223372036854775807";

/// Every topic config of Kafka 4.3, by name.
#[rustfmt::skip]
pub(crate) const TOPIC_CONFIGS: &[Definition] = &[
    topic("cleanup.policy", Kind::List, "delete", Check::OneOf(&["compact", "delete"]), Some("log.cleanup.policy")),
    topic("compression.gzip.level", Kind::Int, "-1", Check::GzipLevel, Some("compression.gzip.level")),
    topic("compression.lz4.level", Kind::Int, "9", Check::Between(1, 17), Some("compression.lz4.level")),
    topic("compression.type", Kind::String, "producer", Check::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Some("compression.type")),
    topic("compression.zstd.level", Kind::Int, "3", Check::Between(-131_072, 22), Some("compression.zstd.level")),
    topic("delete.retention.ms", Kind::Long, "86400000", Check::AtLeast(0), Some("log.cleaner.delete.retention.ms")),
    topic("file.delete.delay.ms", Kind::Long, "60000", Check::AtLeast(0), Some("log.segment.delete.delay.ms")),
    topic("flush.messages", Kind::Long, LONG_MAX, Check::AtLeast(1), Some("log.flush.interval.messages")),
    topic("flush.ms", Kind::Long, LONG_MAX, Check::AtLeast(0), Some("log.flush.interval.ms")),
    topic("follower.replication.throttled.replicas", Kind::List, "", Check::Throttled, None),
    topic("index.interval.bytes", Kind::Int, "4096", Check::AtLeast(0), Some("log.index.interval.bytes")),
    topic("leader.replication.throttled.replicas", Kind::List, "", Check::Throttled, None),
    topic("local.retention.bytes", Kind::Long, "-2", Check::AtLeast(-2), Some("log.local.retention.bytes")),
    topic("local.retention.ms", Kind::Long, "-2", Check::AtLeast(-2), Some("log.local.retention.ms")),
    topic("max.compaction.lag.ms", Kind::Long, LONG_MAX, Check::AtLeast(1), Some("log.cleaner.max.compaction.lag.ms")),
    topic("max.message.bytes", Kind::Int, "1048588", Check::AtLeast(0), Some("message.max.bytes")),
    topic("message.timestamp.after.max.ms", Kind::Long, "3600000", Check::AtLeast(0), Some("log.message.timestamp.after.max.ms")),
    topic("message.timestamp.before.max.ms", Kind::Long, LONG_MAX, Check::AtLeast(0), Some("log.message.timestamp.before.max.ms")),
    topic("message.timestamp.type", Kind::String, "CreateTime", Check::OneOf(&["CreateTime", "LogAppendTime"]), Some("log.message.timestamp.type")),
    topic("min.cleanable.dirty.ratio", Kind::Double, "0.5", Check::Ratio(0.0, 1.0), Some("log.cleaner.min.cleanable.ratio")),
    topic("min.compaction.lag.ms", Kind::Long, "0", Check::AtLeast(0), Some("log.cleaner.min.compaction.lag.ms")),
    topic("min.insync.replicas", Kind::Int, "1", Check::AtLeast(1), Some("min.insync.replicas")),
    topic("preallocate", Kind::Boolean, "false", Check::Any, Some("log.preallocate")),
    topic("remote.log.copy.disable", Kind::Boolean, "false", Check::Any, None),
    topic("remote.log.delete.on.disable", Kind::Boolean, "false", Check::Any, None),
    topic("remote.storage.enable", Kind::Boolean, "false", Check::Any, None),
    topic("retention.bytes", Kind::Long, "-1", Check::Any, Some("log.retention.bytes")),
    topic("retention.ms", Kind::Long, "604800000", Check::AtLeast(-1), Some("log.retention.ms")),
    topic("segment.bytes", Kind::Int, "1073741824", Check::AtLeast(1_048_576), Some("log.segment.bytes")),
    topic("segment.index.bytes", Kind::Int, "10485760", Check::AtLeast(4), Some("log.index.size.max.bytes")),
    topic("segment.jitter.ms", Kind::Long, "0", Check::AtLeast(0), Some("log.roll.jitter.ms")),
    topic("segment.ms", Kind::Long, "604800000", Check::AtLeast(1), Some("log.roll.ms")),
    topic("unclean.leader.election.enable", Kind::Boolean, "false", Check::Any, Some("unclean.leader.election.enable")),
];

/// Looks a topic config up by name.
pub(crate) fn topic_definition(name: &str) -> Option<&'static Definition> {
    TOPIC_CONFIGS
        .iter()
        .find(|definition| definition.name == name)
}

/// Checks the configs set on a topic, each alone and then together, as Kafka's controller does.
///
/// # Errors
/// What Kafka says with `INVALID_CONFIG`.
pub(crate) fn validate_topic_configs(
    configs: &SortedMap<String, String>,
    broker: &BrokerConfig,
) -> Result<(), ConfigError> {
    // All names before any value, as Kafka does.
    let mut defined = Vec::with_capacity(configs.len());
    for (name, value) in configs {
        let definition = topic_definition(name)
            .ok_or_else(|| ConfigError(format!("Unknown topic config name: {name}")))?;
        defined.push((definition, value));
    }
    for (definition, value) in defined {
        definition.validate(value)?;
    }
    let lag = |name| {
        let value = effective(name, configs, broker);
        value.trim().parse::<i64>().unwrap_or(0)
    };
    let (min, max) = (lag("min.compaction.lag.ms"), lag("max.compaction.lag.ms"));
    if min > max {
        return Err(ConfigError(format!(
            "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
        )));
    }
    if configs
        .get("remote.storage.enable")
        .is_some_and(|v| parse_bool(v.trim()) == Some(true))
    {
        return Err(ConfigError(
            "Tiered Storage functionality is disabled in the broker. \
             Topic cannot be configured with remote log storage."
                .to_owned(),
        ));
    }
    Ok(())
}

/// What happens to a topic's old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CleanupPolicy {
    pub(crate) delete: bool,
    pub(crate) compact: bool,
}

/// Whose clock stamps a topic's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimestampType {
    CreateTime,
    LogAppendTime,
}

/// How a topic's batches are compressed in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompressionType {
    /// As the producer sent them: byte for byte.
    Producer,
    Uncompressed,
    Gzip(i32),
    Snappy,
    Lz4,
    Zstd(i32),
}

/// The topic configs that act, with the broker's defaults filled in. Those that do not are listed in
/// `COMPATIBILITY.md`, and a test (`inert.rs`) knows when one begins to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicConfig {
    pub(crate) cleanup_policy: CleanupPolicy,
    pub(crate) compression_type: CompressionType,
    pub(crate) max_message_bytes: i64,
    pub(crate) message_timestamp_after_max_ms: i64,
    pub(crate) message_timestamp_before_max_ms: i64,
    pub(crate) message_timestamp_type: TimestampType,
    pub(crate) retention_bytes: i64,
    pub(crate) retention_ms: i64,
    pub(crate) segment_bytes: i64,
}

impl TopicConfig {
    /// Reads the configs of a topic; `overrides` were checked when they were set.
    pub(crate) fn new(overrides: &SortedMap<String, String>, broker: &BrokerConfig) -> Self {
        let text = |name: &str| effective(name, overrides, broker);
        let long = |name: &str| text(name).trim().parse::<i64>().unwrap_or(0);
        let level = |name: &str| text(name).trim().parse::<i32>().unwrap_or(0);
        let policies = text("cleanup.policy");
        Self {
            cleanup_policy: CleanupPolicy {
                delete: list_items(&policies).any(|item| item == "delete"),
                compact: list_items(&policies).any(|item| item == "compact"),
            },
            compression_type: match text("compression.type").trim() {
                "uncompressed" => CompressionType::Uncompressed,
                "gzip" => CompressionType::Gzip(level("compression.gzip.level")),
                "snappy" => CompressionType::Snappy,
                "lz4" => CompressionType::Lz4,
                "zstd" => CompressionType::Zstd(level("compression.zstd.level")),
                _ => CompressionType::Producer,
            },
            max_message_bytes: long("max.message.bytes"),
            message_timestamp_after_max_ms: long("message.timestamp.after.max.ms"),
            message_timestamp_before_max_ms: long("message.timestamp.before.max.ms"),
            message_timestamp_type: match text("message.timestamp.type").trim() {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            retention_bytes: long("retention.bytes"),
            retention_ms: long("retention.ms"),
            segment_bytes: long("segment.bytes"),
        }
    }
}

/// A topic config's value: set on the topic, else the broker's default for it.
pub(crate) fn effective(
    name: &str,
    overrides: &SortedMap<String, String>,
    broker: &BrokerConfig,
) -> String {
    match overrides.get(name) {
        Some(value) => value.clone(),
        None => broker.topic_default(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<(), String> {
        let configs = SortedMap::from([(name.to_owned(), value.to_owned())]);
        validate_topic_configs(&configs, &BrokerConfig::default()).map_err(|error| error.0)
    }

    /// Each answer is what Apache Kafka 4.3.1 said to the same config.
    #[test]
    fn topic_configs_are_checked_as_kafka_checks_them() {
        let refused = [
            ("nope", "1", "Unknown topic config name: nope"),
            (
                "message.format.version",
                "2.0",
                "Unknown topic config name: message.format.version",
            ),
            (
                "retention.ms",
                "x",
                "Invalid value x for configuration retention.ms: Not a number of type LONG",
            ),
            (
                "retention.ms",
                "",
                "Invalid value  for configuration retention.ms: Not a number of type LONG",
            ),
            (
                "retention.ms",
                "-5",
                "Invalid value -5 for configuration retention.ms: Value must be at least -1",
            ),
            (
                "cleanup.policy",
                "x",
                "Invalid value x for configuration cleanup.policy: String must be one of: compact, delete",
            ),
            (
                "compression.type",
                "brotli",
                "Invalid value brotli for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
            ),
            (
                "segment.bytes",
                "1048575",
                "Invalid value 1048575 for configuration segment.bytes: Value must be at least 1048576",
            ),
            (
                "max.message.bytes",
                "99999999999",
                "Invalid value 99999999999 for configuration max.message.bytes: Not a number of type INT",
            ),
            (
                "preallocate",
                "maybe",
                "Invalid value maybe for configuration preallocate: Expected value to be either true or false",
            ),
            (
                "min.cleanable.dirty.ratio",
                "2",
                "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "compression.gzip.level",
                "12",
                "Invalid value 12 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
            ),
            (
                "compression.zstd.level",
                "100",
                "Invalid value 100 for configuration compression.zstd.level: Value must be no more than 22",
            ),
            (
                "message.timestamp.type",
                "createtime",
                "Invalid value createtime for configuration message.timestamp.type: String must be one of: CreateTime, LogAppendTime",
            ),
            (
                "min.insync.replicas",
                "0",
                "Invalid value 0 for configuration min.insync.replicas: Value must be at least 1",
            ),
            (
                "remote.storage.enable",
                "true",
                "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
            ),
        ];
        for (name, value, why) in refused {
            assert_eq!(check(name, value), Err(why.to_owned()), "{name}={value}");
        }
        let accepted = [
            ("preallocate", "TRUE"),
            ("cleanup.policy", ""),
            ("cleanup.policy", " delete , compact "),
            ("cleanup.policy", "compact,compact"),
            ("retention.ms", " 5 "),
            ("min.insync.replicas", "3"),
            ("flush.ms", "0"),
            ("max.message.bytes", "0"),
            ("segment.jitter.ms", "10000000000"),
            ("leader.replication.throttled.replicas", "0:1,1:1"),
        ];
        for (name, value) in accepted {
            assert_eq!(check(name, value), Ok(()), "{name}={value}");
        }
        assert!(check("leader.replication.throttled.replicas", "x").is_err());
    }

    #[test]
    fn configs_that_contradict_each_other_are_refused() {
        let configs = SortedMap::from([
            ("min.compaction.lag.ms".to_owned(), "10".to_owned()),
            ("max.compaction.lag.ms".to_owned(), "5".to_owned()),
        ]);
        assert_eq!(
            validate_topic_configs(&configs, &BrokerConfig::default()).map_err(|error| error.0),
            Err("conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)".to_owned())
        );
    }
}
