//! A consumer's configuration in KafkaJS's words. What is left out is the core's default, which is
//! KafkaJS's.

use partita_core::client::ConsumerConfig;
use partita_core::client::assignor::Assignor;
use partita_core::client::consumer::{
    AutoCommit, GroupAssignor, Isolation, OffsetReset, TopicSubscription,
};
use serde::Deserialize;

use super::options::ClusterOptions;
use crate::num::to_u64;

/// What a consumer is made with. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    cluster: ClusterOptions,
    group_id: Option<String>,
    group_instance_id: Option<String>,
    assigners: Vec<AssignerOption>,
    session_timeout: Option<f64>,
    rebalance_timeout: Option<f64>,
    heartbeat_interval: Option<f64>,
    min_bytes: Option<f64>,
    max_bytes: Option<f64>,
    max_bytes_per_partition: Option<f64>,
    max_wait_time_in_ms: Option<f64>,
    read_uncommitted: bool,
    commit_initial_offset: bool,
}

/// A way to share out partitions: one of ours by its name, or one in JavaScript.
#[derive(Debug, Deserialize)]
struct AssignerOption {
    name: String,
    custom: bool,
}

impl Options {
    pub(super) fn config(self) -> ConsumerConfig {
        let default = ConsumerConfig::default();
        let millis = |given: Option<f64>, default| given.map_or(default, to_u64);
        let int = |given: Option<f64>, default| {
            given.map_or(default, |given| {
                i32::try_from(to_u64(given)).unwrap_or(i32::MAX)
            })
        };
        ConsumerConfig {
            cluster: self.cluster.cluster(),
            retry: self.cluster.retry(),
            group_id: self.group_id,
            group_instance_id: self.group_instance_id,
            assignors: self.assigners.into_iter().map(Into::into).collect(),
            session_timeout_ms: millis(self.session_timeout, default.session_timeout_ms),
            rebalance_timeout_ms: millis(self.rebalance_timeout, default.rebalance_timeout_ms),
            heartbeat_interval_ms: millis(self.heartbeat_interval, default.heartbeat_interval_ms),
            min_bytes: int(self.min_bytes, default.min_bytes),
            max_bytes: int(self.max_bytes, default.max_bytes),
            max_bytes_per_partition: int(
                self.max_bytes_per_partition,
                default.max_bytes_per_partition,
            ),
            max_wait_ms: int(self.max_wait_time_in_ms, default.max_wait_ms),
            isolation: if self.read_uncommitted {
                Isolation::ReadUncommitted
            } else {
                Isolation::ReadCommitted
            },
            commit_initial_offset: self.commit_initial_offset,
            ..default
        }
    }
}

impl From<AssignerOption> for GroupAssignor {
    fn from(option: AssignerOption) -> Self {
        let built_in = Assignor::by_name(&option.name).filter(|_| !option.custom);
        built_in.map_or(Self::Custom(option.name), Self::BuiltIn)
    }
}

/// A topic to subscribe to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TopicOption {
    topic: String,
    from_beginning: bool,
}

impl From<TopicOption> for TopicSubscription {
    fn from(option: TopicOption) -> Self {
        Self {
            topic: option.topic,
            reset: Some(if option.from_beginning {
                OffsetReset::Earliest
            } else {
                OffsetReset::Latest
            }),
        }
    }
}

/// Which offsets are committed by themselves.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AutoCommitOption {
    auto_commit: bool,
    #[serde(default)]
    auto_commit_interval: Option<f64>,
    #[serde(default)]
    auto_commit_threshold: Option<f64>,
}

impl From<AutoCommitOption> for AutoCommit {
    fn from(option: AutoCommitOption) -> Self {
        Self {
            enabled: option.auto_commit,
            interval_ms: option.auto_commit_interval.map(to_u64),
            threshold: option.auto_commit_threshold.map(to_u64),
        }
    }
}
