//! Which partition a record without an explicit one goes to.
//!
//! A record with a key goes where Kafka's Java client sends it: the murmur2 hash of the key modulo
//! the number of partitions. One without a key is shared out, by default in turn
//! ([`RoundRobin`]), or a batch at a time ([`Sticky`]), which makes larger and fewer batches.
//!
//! It decides once, before the first attempt; a retry never partitions again. A user's own
//! partitioner runs outside of the core and arrives here as an explicit partition.
//!
//! Sources: KIP-480 and KIP-794 (sticky); Kafka's `BuiltInPartitioner` and
//! `RoundRobinPartitioner`; KafkaJS's default partitioner.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod murmur2;
mod round_robin;
mod sticky;

pub use murmur2::murmur2;
pub use round_robin::RoundRobin;
pub use sticky::Sticky;

/// A topic's partitions, as metadata has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions<'a> {
    /// How many there are; their numbers are 0 to `count` − 1.
    pub count: i32,
    /// Those that have a leader, ascending.
    pub available: &'a [i32],
}

/// One of the two built-in ways to choose.
#[derive(Debug, Clone)]
pub enum Partitioner {
    /// Keyless records in turn.
    RoundRobin(RoundRobin),
    /// Keyless records a batch at a time.
    Sticky(Box<Sticky>),
}

impl Default for Partitioner {
    fn default() -> Self {
        Self::RoundRobin(RoundRobin::new())
    }
}

impl Partitioner {
    /// The partition for a record of `topic` with this key; `None` if the topic has no
    /// partitions.
    pub fn partition(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        partitions: &Partitions<'_>,
    ) -> Option<i32> {
        match self {
            Self::RoundRobin(inner) => inner.partition(topic, key, partitions),
            Self::Sticky(inner) => inner.partition(topic, key, partitions),
        }
    }

    /// Tells that a record went to `partition`; see [`Sticky::appended`]. Round robin does not
    /// care.
    pub fn appended(
        &mut self,
        topic: &str,
        partition: i32,
        bytes: usize,
        batches_full: bool,
        partitions: &Partitions<'_>,
    ) {
        if let Self::Sticky(inner) = self {
            inner.appended(topic, partition, bytes, batches_full, partitions);
        }
    }
}

/// The partition of a key, the same as in Kafka's Java client; `None` without partitions.
///
/// ```
/// use partita_core::client::partitioner::partition_for_key;
/// assert_eq!(partition_for_key(b"foobar", 10), Some(6));
/// ```
#[must_use]
pub fn partition_for_key(key: &[u8], count: i32) -> Option<i32> {
    to_positive(murmur2(key))
        .checked_rem(count)
        .filter(|_| count > 0)
}

/// The number without its sign bit, which is not its absolute value.
#[must_use]
pub fn to_positive(number: i32) -> i32 {
    number & i32::MAX
}

/// The `number`th partition, counting round and round: among those with a leader, or among all if
/// none has one.
fn pick(number: u32, partitions: &Partitions<'_>) -> Option<i32> {
    let number = to_positive(number.cast_signed());
    let available = i32::try_from(partitions.available.len()).ok()?;
    match number.checked_rem(available) {
        Some(index) => partitions
            .available
            .get(usize::try_from(index).ok()?)
            .copied(),
        None => number
            .checked_rem(partitions.count)
            .filter(|_| partitions.count > 0),
    }
}

#[cfg(test)]
mod tests;
