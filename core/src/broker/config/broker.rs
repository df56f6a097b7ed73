//! Broker configs: those of Kafka's that act here, and those that are defaults of topic configs,
//! which are all accepted. Any other name is refused, rather than kept in silence.

use crate::sorted::SortedMap;

use super::ConfigError;
use super::definition::{Check, Definition, Kind, dynamic, fixed, parse_bool};
use super::topic::{TOPIC_CONFIGS, topic_definition};

const LONG_MAX: &str = "9223372036854775807";

/// Every broker config we take, by name.
#[rustfmt::skip]
pub(crate) const BROKER_CONFIGS: &[Definition] = &[
    fixed("auto.create.topics.enable", Kind::Boolean, Some("true"), Check::Any),
    dynamic("compression.gzip.level", Kind::Int, Some("-1"), Check::GzipLevel),
    dynamic("compression.lz4.level", Kind::Int, Some("9"), Check::Between(1, 17)),
    dynamic("compression.type", Kind::String, Some("producer"), Check::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])),
    dynamic("compression.zstd.level", Kind::Int, Some("3"), Check::Between(-131_072, 22)),
    fixed("default.replication.factor", Kind::Int, Some("1"), Check::Between(1, 1)),
    fixed("delete.topic.enable", Kind::Boolean, Some("true"), Check::Any),
    fixed("fetch.max.bytes", Kind::Int, Some("57671680"), Check::AtLeast(1024)),
    fixed("group.initial.rebalance.delay.ms", Kind::Int, Some("0"), Check::Any),
    fixed("group.max.session.timeout.ms", Kind::Int, Some("1800000"), Check::Any),
    fixed("group.max.size", Kind::Int, Some("2147483647"), Check::AtLeast(1)),
    fixed("group.min.session.timeout.ms", Kind::Int, Some("6000"), Check::Any),
    dynamic("log.cleaner.delete.retention.ms", Kind::Long, Some("86400000"), Check::AtLeast(0)),
    dynamic("log.cleaner.max.compaction.lag.ms", Kind::Long, Some(LONG_MAX), Check::AtLeast(1)),
    dynamic("log.cleaner.min.cleanable.ratio", Kind::Double, Some("0.5"), Check::Ratio(0.0, 1.0)),
    dynamic("log.cleaner.min.compaction.lag.ms", Kind::Long, Some("0"), Check::AtLeast(0)),
    dynamic("log.cleanup.policy", Kind::List, Some("delete"), Check::OneOf(&["compact", "delete"])),
    dynamic("log.flush.interval.messages", Kind::Long, Some(LONG_MAX), Check::AtLeast(1)),
    dynamic("log.flush.interval.ms", Kind::Long, None, Check::Any),
    dynamic("log.index.interval.bytes", Kind::Int, Some("4096"), Check::AtLeast(0)),
    dynamic("log.index.size.max.bytes", Kind::Int, Some("10485760"), Check::AtLeast(4)),
    dynamic("log.local.retention.bytes", Kind::Long, Some("-2"), Check::AtLeast(-2)),
    dynamic("log.local.retention.ms", Kind::Long, Some("-2"), Check::AtLeast(-2)),
    dynamic("log.message.timestamp.after.max.ms", Kind::Long, Some("3600000"), Check::AtLeast(0)),
    dynamic("log.message.timestamp.before.max.ms", Kind::Long, Some(LONG_MAX), Check::AtLeast(0)),
    dynamic("log.message.timestamp.type", Kind::String, Some("CreateTime"), Check::OneOf(&["CreateTime", "LogAppendTime"])),
    dynamic("log.preallocate", Kind::Boolean, Some("false"), Check::Any),
    dynamic("log.retention.bytes", Kind::Long, Some("-1"), Check::Any),
    fixed("log.retention.check.interval.ms", Kind::Long, Some("300000"), Check::AtLeast(1)),
    fixed("log.retention.hours", Kind::Int, Some("168"), Check::Any),
    fixed("log.retention.minutes", Kind::Int, None, Check::Any),
    dynamic("log.retention.ms", Kind::Long, None, Check::Any),
    fixed("log.roll.hours", Kind::Int, Some("168"), Check::AtLeast(1)),
    fixed("log.roll.jitter.hours", Kind::Int, Some("0"), Check::AtLeast(0)),
    dynamic("log.roll.jitter.ms", Kind::Long, None, Check::Any),
    dynamic("log.roll.ms", Kind::Long, None, Check::Any),
    dynamic("log.segment.bytes", Kind::Int, Some("1073741824"), Check::AtLeast(1_048_576)),
    dynamic("log.segment.delete.delay.ms", Kind::Long, Some("60000"), Check::AtLeast(0)),
    fixed("max.incremental.fetch.session.cache.slots", Kind::Int, Some("1000"), Check::AtLeast(0)),
    fixed("max.request.partition.size.limit", Kind::Int, Some("2000"), Check::AtLeast(1)),
    dynamic("message.max.bytes", Kind::Int, Some("1048588"), Check::AtLeast(0)),
    dynamic("min.insync.replicas", Kind::Int, Some("1"), Check::AtLeast(1)),
    fixed("node.id", Kind::Int, Some("1"), Check::AtLeast(0)),
    fixed("num.partitions", Kind::Int, Some("1"), Check::AtLeast(1)),
    fixed("offset.metadata.max.bytes", Kind::Int, Some("4096"), Check::Any),
    fixed("offsets.commit.timeout.ms", Kind::Int, Some("5000"), Check::AtLeast(1)),
    fixed("offsets.retention.check.interval.ms", Kind::Long, Some("600000"), Check::AtLeast(1)),
    fixed("offsets.retention.minutes", Kind::Int, Some("10080"), Check::AtLeast(1)),
    fixed("offsets.topic.num.partitions", Kind::Int, Some("50"), Check::AtLeast(1)),
    fixed("offsets.topic.replication.factor", Kind::Int, Some("1"), Check::Between(1, 1)),
    dynamic("producer.id.expiration.ms", Kind::Int, Some("86400000"), Check::AtLeast(1)),
    fixed("queued.max.request.bytes", Kind::Long, Some("-1"), Check::Any),
    fixed("socket.request.max.bytes", Kind::Int, Some("104857600"), Check::AtLeast(1)),
    dynamic("unclean.leader.election.enable", Kind::Boolean, Some("false"), Check::Any),
];

/// Looks a broker config up by name.
pub(crate) fn broker_definition(name: &str) -> Option<&'static Definition> {
    BROKER_CONFIGS
        .iter()
        .find(|definition| definition.name == name)
}

/// Where a value comes from, with the number that DescribeConfigs gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    DynamicTopic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
}

impl Source {
    /// Its number in DescribeConfigs.
    pub(crate) fn code(self) -> i8 {
        match self {
            Self::DynamicTopic => 1,
            Self::DynamicBroker => 2,
            Self::DynamicDefaultBroker => 3,
            Self::StaticBroker => 4,
            Self::Default => 5,
        }
    }
}

/// The broker's configs: what it was opened with, and what was changed while it ran.
///
/// Unknown names and invalid values are refused when they are set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokerConfig {
    opened_with: SortedMap<String, String>,
    /// Changed for this broker; from `__cluster_metadata`.
    pub(crate) dynamic: SortedMap<String, String>,
    /// Changed for all brokers.
    pub(crate) dynamic_default: SortedMap<String, String>,
}

impl BrokerConfig {
    /// Takes configs by Kafka's names, as `server.properties` would have them.
    ///
    /// # Errors
    /// A name we do not know, or a value that Kafka would refuse, in its words.
    pub fn new<N, V>(configs: impl IntoIterator<Item = (N, V)>) -> Result<Self, ConfigError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let mut config = Self::default();
        for (name, value) in configs {
            config.set(&name.into(), &value.into())?;
        }
        Ok(config)
    }

    /// Sets one config; see [`BrokerConfig::new`].
    ///
    /// # Errors
    /// As there.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let Some(definition) = broker_definition(name) else {
            let hint = if topic_definition(name).is_some() {
                " (it is a topic config: set it on a topic)"
            } else {
                ""
            };
            return Err(ConfigError(format!(
                "Unknown broker config name: {name}{hint}"
            )));
        };
        definition.validate(value)?;
        self.opened_with
            .insert(name.to_owned(), value.trim().to_owned());
        Ok(())
    }

    /// Sets one config unless it was given already: a host's own defaults.
    ///
    /// # Errors
    /// As [`BrokerConfig::new`].
    pub fn set_default(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        if self.opened_with.contains_key(name) {
            Ok(())
        } else {
            self.set(name, value)
        }
    }

    /// The one documented difference from Kafka's defaults: on a page with durable storage, neither
    /// records nor committed offsets expire, so that a page opened again after a holiday has lost
    /// neither (Kafka deletes both after 7 days). Configs that were given stand.
    pub fn keep_everything(&mut self) {
        let retention = [
            "log.retention.ms",
            "log.retention.minutes",
            "log.retention.hours",
        ];
        if !retention
            .iter()
            .any(|name| self.opened_with.contains_key(*name))
        {
            self.opened_with
                .insert("log.retention.ms".to_owned(), "-1".to_owned());
        }
        self.opened_with
            .entry("offsets.retention.minutes".to_owned())
            .or_insert_with(|| i32::MAX.to_string());
    }

    /// A config's value; `None` where it is null.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        [&self.dynamic, &self.dynamic_default, &self.opened_with]
            .into_iter()
            .find_map(|layer| layer.get(name))
            .map(String::as_str)
            .or_else(|| broker_definition(name)?.default)
    }

    /// An int or long config, 0 if it is null. The name is one of the table.
    pub(crate) fn long(&self, name: &str) -> i64 {
        debug_assert!(broker_definition(name).is_some(), "no config {name}");
        self.value(name)
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    }

    /// A boolean config. The name is one of the table.
    pub(crate) fn flag(&self, name: &str) -> bool {
        debug_assert!(broker_definition(name).is_some(), "no config {name}");
        self.value(name)
            .and_then(|value| parse_bool(value.trim()))
            .unwrap_or(false)
    }

    /// The broker's id.
    pub(crate) fn node_id(&self) -> i32 {
        i32::try_from(self.long("node.id")).unwrap_or(1)
    }

    /// The default that this broker gives to a topic config.
    pub(crate) fn topic_default(&self, name: &str) -> String {
        let millis = |name: &str, unit: i64| {
            self.value(name)
                .and_then(|value| value.trim().parse::<i64>().ok())
                .map(|count| {
                    if count < 0 {
                        -1
                    } else {
                        count.saturating_mul(unit)
                    }
                })
        };
        let by_unit = match name {
            "retention.ms" => millis("log.retention.ms", 1)
                .or_else(|| millis("log.retention.minutes", 60_000))
                .or_else(|| millis("log.retention.hours", 3_600_000)),
            "segment.ms" => {
                millis("log.roll.ms", 1).or_else(|| millis("log.roll.hours", 3_600_000))
            }
            "segment.jitter.ms" => millis("log.roll.jitter.ms", 1)
                .or_else(|| millis("log.roll.jitter.hours", 3_600_000)),
            _ => None,
        };
        if let Some(millis) = by_unit {
            return millis.to_string();
        }
        let Some(definition) = topic_definition(name) else {
            return String::new();
        };
        definition
            .synonym
            .and_then(|synonym| self.value(synonym))
            .or(definition.default)
            .unwrap_or_default()
            .to_owned()
    }

    /// Every value there is for a broker config, with its source, the one in force first.
    pub(crate) fn synonyms(&self, name: &str) -> Vec<(Source, String)> {
        let mut found: Vec<(Source, String)> = [
            (Source::DynamicBroker, &self.dynamic),
            (Source::DynamicDefaultBroker, &self.dynamic_default),
            (Source::StaticBroker, &self.opened_with),
        ]
        .into_iter()
        .filter_map(|(source, layer)| Some((source, layer.get(name)?.clone())))
        .collect();
        if let Some(default) = broker_definition(name).and_then(|definition| definition.default) {
            found.push((Source::Default, default.to_owned()));
        }
        found
    }
}

/// Names of topic configs whose defaults brokers set, for a change of such a default.
pub(crate) fn sets_topic_defaults(name: &str) -> bool {
    TOPIC_CONFIGS
        .iter()
        .any(|definition| definition.synonym == Some(name))
        || matches!(
            name,
            "log.retention.minutes" | "log.retention.hours" | "log.roll.hours"
        )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_and_bad_values_are_refused() {
        let refused = |name, value| BrokerConfig::new([(name, value)]).map_err(|error| error.0);
        assert_eq!(
            refused("no.such.name", "1"),
            Err("Unknown broker config name: no.such.name".to_owned())
        );
        assert_eq!(
            refused("retention.ms", "1"),
            Err("Unknown broker config name: retention.ms (it is a topic config: set it on a topic)"
                .to_owned())
        );
        assert_eq!(
            refused("num.partitions", "0"),
            Err(
                "Invalid value 0 for configuration num.partitions: Value must be at least 1"
                    .to_owned()
            )
        );
    }

    #[test]
    fn retention_comes_from_the_finest_unit_that_is_set() {
        let config = BrokerConfig::default();
        assert_eq!(config.topic_default("retention.ms"), "604800000");
        let config = BrokerConfig::new([("log.retention.hours", "1")]).unwrap();
        assert_eq!(config.topic_default("retention.ms"), "3600000");
        let config =
            BrokerConfig::new([("log.retention.hours", "1"), ("log.retention.ms", "7")]).unwrap();
        assert_eq!(config.topic_default("retention.ms"), "7");
    }

    #[test]
    fn a_durable_page_keeps_everything_unless_told_otherwise() {
        let mut config = BrokerConfig::default();
        config.keep_everything();
        assert_eq!(config.topic_default("retention.ms"), "-1");
        assert_eq!(
            config.long("offsets.retention.minutes"),
            i64::from(i32::MAX)
        );
        let mut config = BrokerConfig::new([("log.retention.hours", "2")]).unwrap();
        config.keep_everything();
        assert_eq!(config.topic_default("retention.ms"), "7200000");
    }

    #[test]
    fn defaults_satisfy_their_own_checks() {
        for definition in BROKER_CONFIGS.iter().chain(TOPIC_CONFIGS) {
            if let Some(default) = definition.default {
                assert_eq!(definition.validate(default), Ok(()), "{}", definition.name);
            }
        }
        for definition in TOPIC_CONFIGS {
            if let Some(synonym) = definition.synonym {
                assert!(broker_definition(synonym).is_some(), "{synonym}");
            }
        }
    }
}
