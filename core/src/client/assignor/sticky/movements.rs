//! Which partitions moved from whom to whom while the general algorithm balances.
//!
//! When a partition of a topic is to move from A to B, and another of the same topic already moved
//! from B to A, then that one should move back instead: the result is as balanced with two moves
//! fewer.

use crate::client::assignor::order;
use crate::sorted::SortedMap;

/// A partition: its topic and number.
pub(super) type Part<'a> = (&'a str, i32);

/// From one member to another, by position.
type Pair = (usize, usize);

#[derive(Debug, Default)]
pub(super) struct Movements<'a> {
    by_topic: SortedMap<&'a str, SortedMap<Pair, HashOrdered<'a>>>,
    by_partition: SortedMap<Part<'a>, Pair>,
}

impl<'a> Movements<'a> {
    /// Notes that a partition moves. One that returns to where it was has not moved at all.
    pub(super) fn note(&mut self, partition: Part<'a>, from: usize, to: usize) {
        let origin = match self.by_partition.remove(&partition) {
            None => from,
            Some(pair) => {
                self.forget(partition, pair);
                pair.0
            }
        };
        if origin == to {
            return;
        }
        self.by_partition.insert(partition, (origin, to));
        self.by_topic
            .entry(partition.0)
            .or_default()
            .entry((origin, to))
            .or_default()
            .insert(partition);
    }

    /// The partition to move instead of `partition`, which may be itself.
    pub(super) fn instead_of(&self, partition: Part<'a>, from: usize, to: usize) -> Part<'a> {
        let origin = self
            .by_partition
            .get(&partition)
            .map_or(from, |pair| pair.0);
        self.by_topic
            .get(partition.0)
            .and_then(|pairs| pairs.get(&(to, origin)))
            .and_then(HashOrdered::first)
            .unwrap_or(partition)
    }

    fn forget(&mut self, partition: Part<'a>, pair: Pair) {
        let Some(pairs) = self.by_topic.get_mut(partition.0) else {
            return;
        };
        if let Some(moved) = pairs.get_mut(&pair) {
            moved.items.retain(|other| *other != partition);
            if moved.items.is_empty() {
                pairs.remove(&pair);
            }
        }
    }
}

/// Partitions in the order of a Java `HashSet`, of which only the first is asked for.
#[derive(Debug, Default)]
struct HashOrdered<'a> {
    /// In insertion order, which decides within a bucket.
    items: Vec<Part<'a>>,
    /// The most that there ever were: a table grows but does not shrink.
    most: usize,
}

impl<'a> HashOrdered<'a> {
    fn insert(&mut self, partition: Part<'a>) {
        self.items.push(partition);
        self.most = self.most.max(self.items.len());
    }

    fn first(&self) -> Option<Part<'a>> {
        let capacity = order::capacity(self.most);
        self.items
            .iter()
            .copied()
            .min_by_key(|partition| order::bucket(hash(*partition), capacity))
    }
}

/// `TopicPartition.hashCode`.
fn hash((topic, partition): Part<'_>) -> i32 {
    31i32
        .wrapping_add(partition)
        .wrapping_mul(31)
        .wrapping_add(order::hash(topic))
}
