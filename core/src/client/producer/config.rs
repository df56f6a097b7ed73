//! What a producer can be told.

use super::super::cluster::ClusterConfig;
use super::super::retry::RetryConfig;

/// A producer's configuration. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct ProducerConfig {
    /// How it reaches its cluster.
    pub cluster: ClusterConfig,
    /// How failed attempts are repeated.
    pub retry: RetryConfig,
    /// Whether records are numbered, so that a repeat writes nothing twice.
    pub idempotence: Idempotence,
    /// Which partitioner serves records without a partition of their own.
    pub partitioner: PartitionerKind,
    /// How long a batch that is not full waits for more records. With 0 the records of a send leave
    /// at once, unless earlier ones are still unanswered; then they gather meanwhile.
    pub linger_ms: u64,
    /// Up to which size records gather in a batch. What a single send has for a partition stays
    /// together up to `max_request_size`.
    pub batch_size: usize,
    /// Up to which size batches gather in a request; a single larger record goes alone.
    pub max_request_size: usize,
    /// How many bytes of records may wait to be acknowledged. A send beyond that waits.
    pub buffer_memory: usize,
    /// How long a send waits for `buffer_memory` before it fails.
    pub max_block_ms: u64,
    /// How many requests per broker may be unanswered.
    pub max_in_flight: usize,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            cluster: ClusterConfig::default(),
            retry: RetryConfig::default(),
            idempotence: Idempotence::Auto,
            partitioner: PartitionerKind::RoundRobin,
            linger_ms: 0,
            batch_size: 1 << 20,
            max_request_size: 1 << 20,
            buffer_memory: 32 << 20,
            max_block_ms: 60_000,
            max_in_flight: 5,
        }
    }
}

/// Whether batches carry a producer id and a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotence {
    /// Never. To keep the order, a partition then has one unanswered batch at a time.
    Off,
    /// For sends with acks=all, where the broker offers it: several batches of a partition can be
    /// under way in order, and a repeat writes nothing twice.
    Auto,
    /// Always; sends with other acks are refused.
    Required,
}

/// A built-in way to choose partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionerKind {
    /// Keyless records in turn.
    RoundRobin,
    /// Keyless records a batch at a time.
    Sticky,
}
