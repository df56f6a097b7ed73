//! A map with a durable part and a pending one: the values of a coordinator's hard state.
//!
//! A write is validated against the latest values, takes effect at once as pending, and becomes
//! durable when the log says so; if the log fails, everything pending is dropped. This is what
//! Kafka's `CoordinatorRuntime` gets from its snapshot registry: replay, append, revert.
//!
//! Invariant: pending entries are in ascending order of offset, all above the durable ones.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

/// A value and the offset of the record that set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versioned<V> {
    /// The record's offset in its log.
    pub(crate) offset: i64,
    /// What the record says.
    pub(crate) value: V,
}

/// A map from record keys to values, durable and pending.
#[derive(Debug)]
pub(crate) struct Overlay<K, V> {
    durable: SortedMap<K, Versioned<V>>,
    /// Changes in order of offset; `None` deletes.
    pending: VecDeque<(i64, K, Option<V>)>,
    /// For each key with pending changes: how many, and the newest value.
    latest: SortedMap<K, (usize, Option<Versioned<V>>)>,
}

impl<K, V> Default for Overlay<K, V> {
    fn default() -> Self {
        Self {
            durable: SortedMap::new(),
            pending: VecDeque::new(),
            latest: SortedMap::new(),
        }
    }
}

impl<K: Ord + Clone, V: Clone> Overlay<K, V> {
    /// The durable value, which is what readers see.
    pub(crate) fn durable(&self, key: &K) -> Option<&V> {
        self.durable.get(key).map(|versioned| &versioned.value)
    }

    /// The durable value with the offset of its record.
    pub(crate) fn durable_versioned(&self, key: &K) -> Option<&Versioned<V>> {
        self.durable.get(key)
    }

    /// The newest value, pending or durable, which is what writes are validated against.
    pub(crate) fn latest(&self, key: &K) -> Option<&V> {
        match self.latest.get(key) {
            Some((_, newest)) => newest.as_ref().map(|versioned| &versioned.value),
            None => self.durable(key),
        }
    }

    /// All durable entries with the offsets of their records, in order of key.
    pub(crate) fn iter_durable(&self) -> impl Iterator<Item = (&K, &Versioned<V>)> {
        self.durable.iter()
    }

    /// Durable entries with keys in a range.
    pub(crate) fn range_durable<R>(&self, range: R) -> impl Iterator<Item = (&K, &Versioned<V>)>
    where
        R: std::ops::RangeBounds<K>,
    {
        self.durable.range(range)
    }

    /// The newest entries with keys in a range, in order of key.
    pub(crate) fn range_latest<R>(&self, range: R) -> Vec<(K, V)>
    where
        R: std::ops::RangeBounds<K> + Clone,
    {
        let mut entries: SortedMap<K, V> = self
            .durable
            .range(range.clone())
            .map(|(key, versioned)| (key.clone(), versioned.value.clone()))
            .collect();
        for (key, (_, newest)) in self.latest.range(range) {
            match newest {
                Some(versioned) => entries.insert(key.clone(), versioned.value.clone()),
                None => entries.remove(key),
            };
        }
        entries.into_iter().collect()
    }

    /// How many durable entries there are.
    pub(crate) fn len_durable(&self) -> usize {
        self.durable.len()
    }

    /// Whether any change awaits its log.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes note of a record that was appended but is not durable yet; `None` deletes the key.
    pub(crate) fn set_pending(&mut self, offset: i64, key: K, value: Option<V>) {
        let newest = value.clone().map(|value| Versioned { offset, value });
        let entry = self.latest.entry(key.clone()).or_insert((0, None));
        entry.0 = entry.0.saturating_add(1);
        entry.1 = newest;
        self.pending.push_back((offset, key, value));
    }

    /// Applies a record that is durable already: recovery.
    pub(crate) fn set_durable(&mut self, offset: i64, key: K, value: Option<V>) {
        match value {
            Some(value) => self.durable.insert(key, Versioned { offset, value }),
            None => self.durable.remove(&key),
        };
    }

    /// Makes durable whatever lies below `high_watermark`; returns the keys that changed.
    pub(crate) fn advance(&mut self, high_watermark: i64) -> Vec<K> {
        let mut changed = Vec::new();
        while self
            .pending
            .front()
            .is_some_and(|(offset, ..)| *offset < high_watermark)
        {
            let Some((offset, key, value)) = self.pending.pop_front() else {
                break;
            };
            if let Some(entry) = self.latest.get_mut(&key) {
                entry.0 = entry.0.saturating_sub(1);
                if entry.0 == 0 {
                    self.latest.remove(&key);
                }
            }
            self.set_durable(offset, key.clone(), value);
            changed.push(key);
        }
        changed
    }

    /// Drops everything pending: the log failed. Returns the keys that changed back.
    pub(crate) fn rollback(&mut self) -> Vec<K> {
        self.latest.clear();
        self.pending.drain(..).map(|(_, key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_durable_values_and_writers_the_latest() {
        let mut map = Overlay::default();
        map.set_durable(0, "a", Some(1));
        map.set_pending(1, "a", Some(2));
        map.set_pending(2, "a", None);
        map.set_pending(3, "b", Some(9));
        assert_eq!((map.durable(&"a"), map.latest(&"a")), (Some(&1), None));
        assert_eq!(map.range_latest(..), vec![("b", 9)]);
        assert_eq!(map.advance(2), vec!["a"]);
        assert_eq!((map.durable(&"a"), map.latest(&"a")), (Some(&2), None));
        assert_eq!(map.advance(4), vec!["a", "b"]);
        assert_eq!((map.durable(&"a"), map.durable(&"b")), (None, Some(&9)));
        assert!(!map.has_pending());
    }

    #[test]
    fn a_failed_log_takes_back_what_was_pending() {
        let mut map = Overlay::default();
        map.set_durable(0, "a", Some(1));
        map.set_pending(1, "a", Some(2));
        map.set_pending(2, "b", Some(3));
        assert_eq!(map.rollback(), vec!["a", "b"]);
        assert_eq!((map.latest(&"a"), map.latest(&"b")), (Some(&1), None));
        assert_eq!(map.iter_durable().count(), 1);
    }
}
