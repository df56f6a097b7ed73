//! Requests that wait: Produce for durability, Fetch for bytes.
use super::Broker;
use super::effect::LogId;

/// Names a parked request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ParkedId(pub(crate) u64);

/// Everything that is parked.
#[derive(Debug, Default)]
pub(crate) struct Purgatory {}

impl Broker {
    pub(super) fn parked_timed_out(&mut self, _id: ParkedId) {}
    pub(super) fn wake_parked(&mut self, _log: LogId) {}
}
