//! The page's own clients: real Kafka clients on the page's link, nothing else.
//!
//! - `producer`, `consumer`: those that people add. `viewer`: reads the records that strips show.
//!   `admin`: creates and deletes.
//! - `alarm`: the broker's clock, for what a client does by time.

pub(crate) mod admin;
pub(crate) mod alarm;
pub(crate) mod consumer;
pub(crate) mod producer;
pub(crate) mod saved;
pub(crate) mod viewer;

use partita_core::client::{ClientError, ClusterConfig, RetryConfig};

/// How a client of that name reaches the broker. Any address leads there.
pub(crate) fn cluster(client_id: &str) -> ClusterConfig {
    ClusterConfig {
        client_id: client_id.to_owned(),
        bootstrap: vec![("partita".to_owned(), 9092)],
        // A person stops the broker for as long as they like.
        connection_timeout_ms: 5_000,
        metadata_max_age_ms: 5_000,
        allow_auto_topic_creation: false,
        ..ClusterConfig::default()
    }
}

/// Clients of the page never give up: an outage lasts until a person ends it.
pub(crate) fn patient() -> RetryConfig {
    RetryConfig {
        retries: None,
        max_retry_time_ms: 1_000,
        ..RetryConfig::default()
    }
}

/// 32 random bytes for a client.
pub(crate) fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    let filled = web_sys::window()
        .and_then(|window| window.crypto().ok())
        .map(|crypto| crypto.get_random_values_with_u8_array(&mut seed));
    if !matches!(filled, Some(Ok(_))) {
        web_sys::console::error_1(&"partita: this page has no source of random numbers".into());
    }
    seed
}

/// An error as a person reads it: Kafka's name first, if it has one.
pub(crate) fn explain(error: &ClientError) -> String {
    let mut innermost = error;
    while let Some(cause) = &innermost.cause {
        innermost = cause;
    }
    match innermost.error_type() {
        Some(kind) => format!("{kind}: {}", innermost.message),
        None => innermost.message.clone(),
    }
}
