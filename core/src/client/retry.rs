//! When a failed attempt is repeated, and which error the caller sees in the end: KafkaJS's retrier.
//!
//! The first wait is `initial_retry_time_ms`, give or take `factor`; each further one is the last,
//! give or take `factor`, times `multiplier`, at most `max_retry_time_ms`. After `retries` repeats
//! the caller gets `NumberOfRetriesExceeded` with the last error as its cause; an error that
//! repeating does not help is wrapped as `NonRetriable` at once.

use std::time::Duration;

use super::error::ClientError;
use super::rng::Rng;
use crate::time::Monotonic;

/// How often and after which waits an operation is repeated. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryConfig {
    /// No wait is longer.
    pub max_retry_time_ms: u64,
    /// The first wait.
    pub initial_retry_time_ms: u64,
    /// By which share of itself a wait is varied at random, from 0 to 1.
    pub factor: f64,
    /// How much longer each wait is than the one before.
    pub multiplier: f64,
    /// How many times at most; `None` is for ever.
    pub retries: Option<u32>,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_retry_time_ms: 30_000,
            initial_retry_time_ms: 300,
            factor: 0.2,
            multiplier: 2.0,
            retries: Some(5),
        }
    }
}

/// The repeats of one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    count: u32,
    wait_ms: u64,
    due: Monotonic,
}

/// What follows from a failed attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Try again then.
    Again(Monotonic),
    /// Give up with this error.
    GiveUp(ClientError),
}

impl Retry {
    /// An operation whose first attempt may start now.
    #[must_use]
    pub fn new(config: &RetryConfig, rng: &mut Rng, now: Monotonic) -> Self {
        Self {
            count: 0,
            wait_ms: vary(config, rng, config.initial_retry_time_ms).min(config.max_retry_time_ms),
            due: now,
        }
    }

    /// How many repeats there were.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// When the next attempt may start.
    #[must_use]
    pub fn due(&self) -> Monotonic {
        self.due
    }

    /// An attempt has failed.
    pub fn failed(
        &mut self,
        config: &RetryConfig,
        rng: &mut Rng,
        now: Monotonic,
        error: ClientError,
    ) -> Verdict {
        if !error.retriable {
            return Verdict::GiveUp(error.into_non_retriable());
        }
        if config.retries.is_some_and(|retries| self.count >= retries) {
            return Verdict::GiveUp(error.into_retries_exceeded(self.count, self.wait_ms));
        }
        self.count = self.count.saturating_add(1);
        self.due = Monotonic(now.0.saturating_add(self.wait_ms));
        let varied = vary(config, rng, self.wait_ms);
        self.wait_ms = scale(varied, config.multiplier).min(config.max_retry_time_ms);
        Verdict::Again(self.due)
    }
}

/// `wait_ms` give or take the configured share of it.
fn vary(config: &RetryConfig, rng: &mut Rng, wait_ms: u64) -> u64 {
    let spread = scale(wait_ms, config.factor.clamp(0.0, 1.0));
    let lowest = wait_ms.saturating_sub(spread);
    lowest.saturating_add(rng.below(spread.saturating_mul(2).saturating_add(1)))
}

/// The product in whole milliseconds. Absurd configurations give absurd waits, but no panic.
fn scale(wait_ms: u64, factor: f64) -> u64 {
    let factor = if factor.is_finite() {
        factor.clamp(0.0, 1_000.0)
    } else {
        1.0
    };
    let product = Duration::from_millis(wait_ms.min(LONGEST_WAIT_MS)).mul_f64(factor);
    u64::try_from(product.as_millis()).unwrap_or(LONGEST_WAIT_MS)
}

/// A century, about: so that no product leaves the range of [`Duration`].
const LONGEST_WAIT_MS: u64 = 1 << 42;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::{Retry, RetryConfig, Verdict};
    use crate::client::{ClientError, ErrorKind, Rng};
    use crate::protocol::ErrorCode;
    use crate::time::Monotonic;

    fn waits(config: &RetryConfig, code: ErrorCode) -> (Vec<u64>, ClientError) {
        let mut rng = Rng::new([1; 32]);
        let mut now = Monotonic(1_000);
        let mut retry = Retry::new(config, &mut rng, now);
        let mut waits = Vec::new();
        loop {
            match retry.failed(config, &mut rng, now, ClientError::protocol(code)) {
                Verdict::Again(due) => {
                    waits.push(due.since(now));
                    now = due;
                }
                Verdict::GiveUp(error) => return (waits, error),
            }
        }
    }

    #[test]
    fn waits_double_within_the_configured_spread() {
        let (waits, error) = waits(&RetryConfig::default(), ErrorCode::NOT_COORDINATOR);
        assert_eq!(waits.len(), 5);
        assert!((240..=360).contains(waits.first().unwrap()), "{waits:?}");
        for pair in waits.windows(2) {
            let [before, after] = pair else {
                panic!("windows of two")
            };
            let (low, high) = (before * 16 / 10 - 2, before * 24 / 10 + 2);
            assert!((low..=high).contains(after), "{waits:?}");
        }
        let ErrorKind::NumberOfRetriesExceeded { retry_count, .. } = error.kind else {
            panic!("{error:?}");
        };
        assert_eq!(retry_count, 5);
        let cause = error.cause.unwrap();
        assert_eq!(cause.code(), Some(ErrorCode::NOT_COORDINATOR.0));
    }

    #[test]
    fn no_wait_is_longer_than_the_maximum() {
        let config = RetryConfig {
            max_retry_time_ms: 700,
            retries: Some(20),
            ..RetryConfig::default()
        };
        let (waits, _) = waits(&config, ErrorCode::NOT_COORDINATOR);
        assert_eq!(waits.len(), 20);
        assert!(waits.iter().all(|&wait| wait <= 700), "{waits:?}");
    }

    #[test]
    fn what_repeating_does_not_help_is_wrapped_at_once() {
        let (waits, error) = waits(&RetryConfig::default(), ErrorCode::INVALID_TOPIC_EXCEPTION);
        assert!(waits.is_empty());
        assert_eq!(error.name(), "KafkaJSNonRetriableError");
        assert_eq!(error.cause.unwrap().name(), "KafkaJSProtocolError");
    }

    #[test]
    fn absurd_configurations_do_not_panic() {
        for factor in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            let config = RetryConfig {
                factor,
                multiplier: factor,
                initial_retry_time_ms: u64::MAX,
                max_retry_time_ms: u64::MAX,
                retries: Some(3),
            };
            assert_eq!(waits(&config, ErrorCode::NOT_COORDINATOR).0.len(), 3);
        }
    }
}
