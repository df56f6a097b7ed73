//! Logs of hard state: what is written there becomes visible to readers, and is answered, when it is
//! durable; if the log fails, it is taken back and everyone who waits gets an error.
//!
//! A handler that changes hard state validates against the latest values (durable plus pending),
//! appends records with [`Broker::append_hard`], notes them as pending in its
//! [`Overlay`](super::overlay::Overlay), and leaves its response with [`Broker::when_durable`]. A
//! success that needed no record is left there too, so that it cannot overtake what it relied on.
//! Model: Kafka's `CoordinatorRuntime`.

use crate::sorted::SortedMap;
use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;

use super::Broker;
use super::effect::LogId;
use crate::protocol::ErrorCode;
use crate::records::{BatchBuilder, Record};

/// What is done when everything appended before is durable, or has failed.
pub(crate) type Continuation = Box<dyn FnOnce(&mut Broker, Result<(), WriteFailed>)>;

/// The log failed: everything pending in it was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriteFailed;

/// A record of hard state: a key, and a value or its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HardRecord {
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
}

/// Who waits for which hard-state log.
#[derive(Default)]
pub(crate) struct Waiting {
    by_log: SortedMap<LogId, VecDeque<(i64, Continuation)>>,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self
            .by_log
            .iter()
            .map(|(log, waiting)| (log, waiting.len()));
        f.debug_map().entries(counts).finish()
    }
}

impl Broker {
    /// Appends records to a hard-state log as one batch and returns the first one's offset. They
    /// are not durable yet.
    ///
    /// # Errors
    /// What the log answers: `KAFKA_STORAGE_ERROR` while it is offline.
    pub(crate) fn append_hard(
        &mut self,
        log: LogId,
        records: &[HardRecord],
    ) -> Result<i64, ErrorCode> {
        let timestamp = self.clock.wall().0;
        let mut batch = BatchBuilder::new();
        for record in records {
            batch
                .push(&Record::new(
                    timestamp,
                    record.key.clone(),
                    record.value.clone(),
                ))
                .map_err(|_| ErrorCode::RECORD_LIST_TOO_LARGE)?;
        }
        let batch = batch.build().map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)?;
        self.append_internal(log, batch)
    }

    /// Runs `then` when everything appended to the log so far is durable (at once if it is
    /// already), or with [`WriteFailed`] if the log fails before.
    pub(crate) fn when_durable(&mut self, log: LogId, then: Continuation) {
        let Some((high_watermark, end)) = self.log_bounds(log) else {
            return then(self, Err(WriteFailed));
        };
        if end <= high_watermark {
            return then(self, Ok(()));
        }
        self.waiting
            .by_log
            .entry(log)
            .or_default()
            .push_back((end, then));
    }

    /// Runs what waited for the log to be durable up to `high_watermark`.
    pub(super) fn hard_log_advanced(&mut self, log: LogId, high_watermark: i64) {
        while let Some(waiting) = self.waiting.by_log.get_mut(&log) {
            if waiting.front().is_none_or(|(end, _)| *end > high_watermark) {
                if waiting.is_empty() {
                    self.waiting.by_log.remove(&log);
                }
                return;
            }
            if let Some((_, then)) = waiting.pop_front() {
                then(self, Ok(()));
            }
        }
    }

    /// Tells everyone who waits for the log that it failed. What was pending has been dropped.
    pub(super) fn hard_log_failed(&mut self, log: LogId) {
        for (_, then) in self.waiting.by_log.remove(&log).unwrap_or_default() {
            then(self, Err(WriteFailed));
        }
    }
}
