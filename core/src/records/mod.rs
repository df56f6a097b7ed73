//! Record batches, format version 2: the bytes that producers send, brokers keep and consumers read.
//!
//! A broker never opens a batch that it can pass on: [`BatchView`] reads the 61-byte header and
//! leaves the records alone; [`BatchHeader`] rewrites what a broker may change. Who needs the
//! records asks [`BatchView::records`] (decompressed, output bounded) or, for offsets and
//! timestamps alone, [`BatchView::walk`]. Producers make batches with [`BatchBuilder`]; consumers
//! hand many records over at once as [`PackedRecords`].
//!
//! Nothing here decides policy: [`validate_for_append`] is told a topic's rules, and every failure
//! is a [`BatchError`] that knows the code Kafka answers for it.
//!
//! Invariants: no input makes anything here panic, and none makes it reserve more memory than the
//! input can fill or the caller's limit allows.
//!
//! Sources: Kafka documentation, "Record Batch"; KIP-98 (format), KIP-32 (timestamps), KIP-110
//! (zstd), KIP-390 (levels); `DefaultRecordBatch`, `DefaultRecord` and `LogValidator` of 4.3.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod batch;
mod builder;
mod compression;
mod convert;
pub mod crc32c;
mod error;
mod header;
mod packed;
mod record;
mod validate;
pub mod varint;
mod walk;

pub use batch::{BatchView, Batches, batch_headers, packed_headers};
pub use builder::{BatchBuilder, RecordParts, record_size, record_size_upper_bound};
pub use compression::{Compression, Level, compress, decompress};
pub use convert::rebuild;
pub use error::{BatchError, Defect};
pub use header::{
    BATCH_OVERHEAD, BatchHeader, LOG_OVERHEAD, MAGIC_V2, NO_PARTITION_LEADER_EPOCH,
    NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType,
    decrement_sequence, increment_sequence, set_base_offset_and_epoch, set_max_timestamp,
};
pub use packed::PackedRecords;
pub use record::{DEFAULT_DECOMPRESSED_LIMIT, Record, Records};
pub use validate::{AppendFacts, AppendRules, Origin, RecordFault, Rejected, validate_for_append};
pub use walk::{RecordMark, Walk};

#[cfg(all(
    test,
    feature = "gzip",
    feature = "snappy",
    feature = "lz4",
    feature = "zstd"
))]
mod tests;
