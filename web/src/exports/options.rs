//! Clients' configuration as KafkaJS names it. What is left out is KafkaJS's default, which is the
//! core's.

use partita_core::client::{ClusterConfig, RetryConfig};
use serde::Deserialize;

use crate::num::to_u64;

/// How a client reaches its cluster, and how often it tries. Times are in milliseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClusterOptions {
    client_id: Option<String>,
    /// Host and port.
    bootstrap: Vec<(String, i32)>,
    connection_timeout: Option<f64>,
    request_timeout: Option<f64>,
    enforce_request_timeout: Option<bool>,
    metadata_max_age: Option<f64>,
    allow_auto_topic_creation: Option<bool>,
    max_in_flight_requests: Option<f64>,
    retry: RetryOptions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RetryOptions {
    max_retry_time: Option<f64>,
    initial_retry_time: Option<f64>,
    factor: Option<f64>,
    multiplier: Option<f64>,
    retries: Option<f64>,
}

impl ClusterOptions {
    pub(super) fn cluster(&self) -> ClusterConfig {
        let default = ClusterConfig::default();
        let millis = |given: Option<f64>, default| given.map_or(default, to_u64);
        ClusterConfig {
            client_id: self.client_id.clone().unwrap_or(default.client_id),
            bootstrap: self.bootstrap.clone(),
            connection_timeout_ms: millis(self.connection_timeout, default.connection_timeout_ms),
            request_timeout_ms: millis(self.request_timeout, default.request_timeout_ms),
            enforce_request_timeout: self
                .enforce_request_timeout
                .unwrap_or(default.enforce_request_timeout),
            metadata_max_age_ms: millis(self.metadata_max_age, default.metadata_max_age_ms),
            allow_auto_topic_creation: self
                .allow_auto_topic_creation
                .unwrap_or(default.allow_auto_topic_creation),
            max_in_flight: self.max_in_flight().unwrap_or(default.max_in_flight),
            ..default
        }
    }

    /// How many requests of a connection may be unanswered, if that was said.
    pub(super) fn max_in_flight(&self) -> Option<usize> {
        let given = self.max_in_flight_requests.map(to_u64);
        given.map(|most| usize::try_from(most).unwrap_or(usize::MAX).max(1))
    }

    pub(super) fn retry(&self) -> RetryConfig {
        let default = RetryConfig::default();
        let given = &self.retry;
        RetryConfig {
            max_retry_time_ms: given
                .max_retry_time
                .map_or(default.max_retry_time_ms, to_u64),
            initial_retry_time_ms: given
                .initial_retry_time
                .map_or(default.initial_retry_time_ms, to_u64),
            factor: given.factor.unwrap_or(default.factor),
            multiplier: given.multiplier.unwrap_or(default.multiplier),
            // More than fit into 32 bits, such as KafkaJS's MAX_SAFE_INTEGER, is for ever.
            retries: given.retries.map_or(default.retries, |retries| {
                u32::try_from(to_u64(retries)).ok()
            }),
        }
    }
}
