//! A bounded cache of what was read about chunks: index pages, and where batches lie in a chunk.
//!
//! Keys are (log, offset). What was used longest ago goes first; one entry may be larger than the
//! whole bound, and then is alone.

use crate::sorted::SortedMap;

use crate::broker::effect::LogId;

/// A cache with a bound on the total weight of its entries.
#[derive(Debug)]
pub(super) struct Cache<V> {
    entries: SortedMap<(LogId, i64), Slot<V>>,
    by_use: SortedMap<u64, (LogId, i64)>,
    next_use: u64,
    weight: usize,
    capacity: usize,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<V: Clone> Cache<V> {
    /// An empty cache.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: SortedMap::new(),
            by_use: SortedMap::new(),
            next_use: 0,
            weight: 0,
            capacity,
        }
    }

    /// The value of a key.
    pub(super) fn get(&mut self, log: LogId, offset: i64) -> Option<V> {
        self.touch((log, offset))
    }

    /// The value with the largest key of the log at or below `offset`.
    pub(super) fn floor(&mut self, log: LogId, offset: i64) -> Option<V> {
        let (&key, _) = self
            .entries
            .range((log, i64::MIN)..=(log, offset))
            .next_back()?;
        self.touch(key)
    }

    /// Keeps a value, and lets go of others until the bound holds.
    pub(super) fn insert(&mut self, log: LogId, offset: i64, value: V, weight: usize) {
        self.remove((log, offset));
        let used = self.next_use;
        self.next_use = used.wrapping_add(1);
        self.by_use.insert(used, (log, offset));
        let slot = Slot {
            value,
            weight,
            used,
        };
        self.entries.insert((log, offset), slot);
        self.weight = self.weight.saturating_add(weight);
        while self.weight > self.capacity && self.entries.len() > 1 {
            let Some((_, &oldest)) = self.by_use.first_key_value() else {
                return;
            };
            self.remove(oldest);
        }
    }

    /// Forgets the log's entries below `offset`.
    pub(super) fn forget_below(&mut self, log: LogId, offset: i64) {
        let keys: Vec<_> = self
            .entries
            .range((log, i64::MIN)..(log, offset))
            .map(|(&key, _)| key)
            .collect();
        for key in keys {
            self.remove(key);
        }
    }

    /// Forgets everything of the log.
    pub(super) fn forget(&mut self, log: LogId) {
        self.forget_below(log, i64::MAX);
    }

    fn touch(&mut self, key: (LogId, i64)) -> Option<V> {
        let slot = self.entries.get_mut(&key)?;
        self.by_use.remove(&slot.used);
        slot.used = self.next_use;
        self.next_use = self.next_use.wrapping_add(1);
        self.by_use.insert(slot.used, key);
        Some(slot.value.clone())
    }

    fn remove(&mut self, key: (LogId, i64)) {
        if let Some(slot) = self.entries.remove(&key) {
            self.by_use.remove(&slot.used);
            self.weight = self.weight.saturating_sub(slot.weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Uuid;

    fn log(partition: i32) -> LogId {
        LogId {
            topic: Uuid::ZERO,
            partition,
        }
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = Cache::new(10);
        cache.insert(log(0), 0, "a", 4);
        cache.insert(log(0), 5, "b", 4);
        assert_eq!(cache.get(log(0), 0), Some("a"));
        cache.insert(log(1), 7, "c", 4);
        assert_eq!(cache.get(log(0), 5), None);
        assert_eq!(cache.floor(log(0), 99), Some("a"));
        assert_eq!(cache.floor(log(1), 6), None);
        cache.insert(log(1), 8, "large", 40);
        assert_eq!(cache.get(log(1), 8), Some("large"));
        assert_eq!(cache.get(log(1), 7), None);
        assert_eq!(cache.weight, 40);
    }

    #[test]
    fn a_log_is_forgotten_alone() {
        let mut cache = Cache::new(100);
        cache.insert(log(0), 0, "a", 1);
        cache.insert(log(0), 5, "b", 1);
        cache.insert(log(1), 0, "c", 1);
        cache.forget_below(log(0), 5);
        assert_eq!(
            (cache.get(log(0), 0), cache.get(log(0), 5)),
            (None, Some("b"))
        );
        cache.forget(log(0));
        assert_eq!(
            (cache.get(log(0), 5), cache.get(log(1), 0)),
            (None, Some("c"))
        );
    }
}
