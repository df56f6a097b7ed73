//! The group coordinator: classic groups and committed offsets, from `__consumer_offsets`.

use super::Broker;
use super::effect::LogId;
use super::log::ReplayFailed;
use crate::time::Monotonic;
use bytes::Bytes;

/// Every group this broker coordinates.
#[derive(Debug, Default)]
pub(crate) struct Groups {}

impl Groups {
    pub(super) fn next_deadline(&self) -> Option<Monotonic> {
        None
    }
    pub(super) fn extend_deadlines(&mut self, _millis: u64) {}
}

impl Broker {
    pub(crate) fn topic_deleted(&mut self, _topic: &super::metadata::Topic) {}
    pub(crate) fn load_groups(&mut self) {}
    pub(super) fn group_timers_due(&mut self) {}
    pub(super) fn group_log_advanced(&mut self, _log: LogId, _high_watermark: i64) {}
    pub(super) fn group_log_failed(&mut self, _log: LogId) {}
    pub(super) fn group_replayed(&mut self, _log: LogId, _batches: &Bytes) {}
    pub(super) fn group_replay_ended(&mut self, _log: LogId, _result: &Result<(), ReplayFailed>) {}
}
