//! The cluster's metadata: topics, configs, producer ids, from `__cluster_metadata`.

use super::Broker;
use super::effect::LogId;
use super::log::ReplayFailed;
use bytes::Bytes;

/// What `__cluster_metadata` says.
#[derive(Debug, Default)]
pub(crate) struct Metadata {}

impl Broker {
    pub(super) fn metadata_log_advanced(&mut self, _log: LogId, _high_watermark: i64) {}
    pub(super) fn metadata_log_failed(&mut self, _log: LogId) {}
    pub(super) fn metadata_replayed(&mut self, _log: LogId, _batches: &Bytes) {}
    pub(super) fn metadata_replay_ended(
        &mut self,
        _log: LogId,
        _result: &Result<(), ReplayFailed>,
    ) {
    }
}
