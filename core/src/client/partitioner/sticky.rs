//! Keyless records a batch at a time: one partition until about `batch.size` bytes went there,
//! then another, chosen at random, less often one that has many batches waiting.

use super::{Partitions, partition_for_key, pick};
use crate::sorted::SortedMap;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Kafka's built-in partitioner.
///
/// For each keyless record the accumulator calls [`Sticky::partition`], appends, and reports with
/// [`Sticky::appended`]. A partition may change only there, so asking twice gives the same answer.
#[derive(Debug, Clone)]
pub struct Sticky {
    batch_size: usize,
    ignore_keys: bool,
    rng: ChaCha8Rng,
    topics: SortedMap<String, Topic>,
}

#[derive(Debug, Clone, Default)]
struct Topic {
    /// The partition of the moment and the bytes that it got since it was chosen.
    current: Option<(i32, usize)>,
    /// Partitions with running sums of weights; empty if all weigh the same.
    weights: Vec<(i32, u32)>,
}

impl Sticky {
    /// Changes partition after `batch_size` bytes. The seed comes from the host.
    #[must_use]
    pub fn new(batch_size: usize, seed: [u8; 32]) -> Self {
        Self {
            batch_size: batch_size.max(1),
            ignore_keys: false,
            rng: ChaCha8Rng::from_seed(seed),
            topics: SortedMap::new(),
        }
    }

    /// Whether keyed records are treated as keyless ones (`partitioner.ignore.keys`).
    #[must_use]
    pub fn ignore_keys(mut self, ignore: bool) -> Self {
        self.ignore_keys = ignore;
        self
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
        let topic = self.topics.entry(topic.to_owned()).or_default();
        if let Some((current, _)) = topic.current {
            return Some(current);
        }
        let chosen = topic.choose(&mut self.rng, partitions)?;
        topic.current = Some((chosen, 0));
        Some(chosen)
    }

    /// Counts the bytes of a keyless record that went to `partition`, and moves on when it has
    /// had enough: at the batch size if all the partition's batches are full, so that no batch is
    /// left half filled to wait for its linger time, and at twice the batch size in any case.
    ///
    /// Kafka's accumulator also calls this with 0 bytes before it appends to a partition whose
    /// batches are all full, in case the move was put off.
    pub fn appended(
        &mut self,
        topic: &str,
        partition: i32,
        bytes: usize,
        batches_full: bool,
        partitions: &Partitions<'_>,
    ) {
        let Some(topic) = self.topics.get_mut(topic) else {
            return;
        };
        let Some((current, produced)) = &mut topic.current else {
            return;
        };
        if *current != partition {
            return;
        }
        *produced = produced.saturating_add(bytes);
        let enough = *produced >= self.batch_size && batches_full
            || *produced >= self.batch_size.saturating_mul(2);
        if enough {
            topic.current = topic
                .choose(&mut self.rng, partitions)
                .map(|chosen| (chosen, 0));
        }
    }

    /// Tells how many batches wait for each partition that has a leader (KIP-794's adaptive
    /// partitioning); `all` is whether no partition with a leader was left out for being slow.
    ///
    /// The more wait, the less often a partition is chosen: its weight is the largest queue's
    /// length plus one, less its own.
    pub fn set_queues(&mut self, topic: &str, queues: &[(i32, u32)], all: bool) {
        let weights = weights(queues, all);
        self.topics.entry(topic.to_owned()).or_default().weights = weights;
    }
}

impl Topic {
    fn choose(&self, rng: &mut ChaCha8Rng, partitions: &Partitions<'_>) -> Option<i32> {
        let random = rng.next_u32();
        let Some((_, total)) = self.weights.last() else {
            return pick(random, partitions);
        };
        let weighted = (random & 0x7FFF_FFFF).checked_rem(*total)?;
        let chosen = self.weights.iter().find(|(_, sum)| *sum > weighted)?;
        Some(chosen.0)
    }
}

fn weights(queues: &[(i32, u32)], all: bool) -> Vec<(i32, u32)> {
    let longest = queues.iter().map(|(_, length)| *length).max().unwrap_or(0);
    let equal = queues.iter().all(|(_, length)| *length == longest);
    if queues.is_empty() || all && (equal || queues.len() < 2) {
        return Vec::new();
    }
    let mut sum = 0u32;
    queues
        .iter()
        .map(|(partition, length)| {
            let weight = longest.saturating_sub(*length).saturating_add(1);
            sum = sum.saturating_add(weight);
            (*partition, sum)
        })
        .collect()
}
