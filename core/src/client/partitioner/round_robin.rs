//! Keyless records in turn: of any run of records, no partition gets more than one above another.

use super::{Partitions, partition_for_key, pick};
use crate::sorted::SortedMap;

/// Sends keyed records by their key, others to one partition after the other, each topic counting
/// for itself from its first partition.
///
/// While some partitions have no leader the others take turns.
#[derive(Debug, Clone, Default)]
pub struct RoundRobin {
    next: SortedMap<String, u32>,
    ignore_keys: bool,
}

impl RoundRobin {
    /// Looks at keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does not, as Kafka's `RoundRobinPartitioner` does not.
    #[must_use]
    pub fn ignoring_keys() -> Self {
        Self {
            ignore_keys: true,
            ..Self::default()
        }
    }

    /// The partition for a record; `None` if the topic has none.
    pub fn partition(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        partitions: &Partitions<'_>,
    ) -> Option<i32> {
        if let Some(key) = key.filter(|_| !self.ignore_keys) {
            return partition_for_key(key, partitions.count);
        }
        let next = match self.next.get_mut(topic) {
            Some(next) => next,
            None => self.next.entry(topic.to_owned()).or_default(),
        };
        let chosen = pick(*next, partitions)?;
        *next = next.wrapping_add(1);
        Some(chosen)
    }
}
