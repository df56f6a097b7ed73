//! Partition logs: what is appended, what is durable, what is indexed.
use std::collections::VecDeque;

use bytes::Bytes;

use super::Broker;
use super::effect::{LogId, Reply};
use crate::protocol::ErrorCode;

/// Something a log reports to the rest of the broker.
#[derive(Debug)]
pub(crate) enum LogNotice {
    /// Everything below the high watermark is durable now.
    Advanced { log: LogId, high_watermark: i64 },
    /// The log failed and is back at what is durable, or gone.
    Failed { log: LogId },
    /// Batches of a log that is being replayed, in order.
    Replayed { log: LogId, batches: Bytes },
    /// The replay has ended.
    ReplayEnded {
        log: LogId,
        result: Result<(), ReplayFailed>,
    },
}

/// A log could not be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayFailed(pub(crate) String);

/// All logs of the broker.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    notices: VecDeque<LogNotice>,
}

impl Logs {
    pub(super) fn poll_notice(&mut self) -> Option<LogNotice> {
        self.notices.pop_front()
    }
}

impl Broker {
    pub(super) fn storage_replied(&mut self, reply: Reply) {
        if let Reply::Loaded(Ok(_)) = reply {
            self.logs_restored();
        }
    }
    pub(super) fn flush_logs(&mut self) -> bool {
        false
    }
    pub(super) fn clean_up(&mut self) {}
    pub(crate) fn create_log(&mut self, _log: LogId, _leader_epoch: i32) {}
    pub(crate) fn leader_epoch(&self, _log: LogId) -> i32 {
        0
    }
    pub(crate) fn drop_log(&mut self, _log: LogId) {}
    pub(crate) fn raise_epochs(&mut self, _at_least: i32) {}
    pub(crate) fn replay(&mut self, _log: LogId) {}
    pub(crate) fn replace_below(&mut self, _log: LogId, _below: i64, _batches: Vec<Bytes>) -> bool {
        false
    }
    pub(crate) fn restored_logs(&self) -> Vec<LogId> {
        Vec::new()
    }
    pub(crate) fn schedule_clean_up(&mut self) {}
    pub(super) fn read_back(&mut self, _log: LogId) {}
    pub(super) fn log_bounds(&self, _log: LogId) -> Option<(i64, i64)> {
        None
    }
    pub(crate) fn append_internal(&mut self, _log: LogId, _batch: Bytes) -> Result<i64, ErrorCode> {
        Err(ErrorCode::KAFKA_STORAGE_ERROR)
    }
}
