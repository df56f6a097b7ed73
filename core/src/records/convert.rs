//! Writes a batch anew: with another codec (topic config `compression.type`), or with the offsets
//! that a careless client got wrong.

use super::batch::BatchView;
use super::builder::BatchBuilder;
use super::compression::{Compression, Level};
use super::error::BatchError;
use bytes::Bytes;

/// The same records in a new batch with offsets from 0, compressed with `compression`.
///
/// Producer, sequence and flags stay; control batches keep their bytes, and should not be passed.
/// `log_append_time` is the broker's time, where the topic's timestamp type asks for it.
/// At most `limit` bytes are decompressed.
///
/// # Errors
/// Those of the records, and of the codec.
pub fn rebuild(
    batch: &BatchView,
    compression: Compression,
    level: Level,
    log_append_time: Option<i64>,
    limit: usize,
) -> Result<Bytes, BatchError> {
    let mut builder = BatchBuilder::new()
        .compression(compression, level)
        .producer(batch.producer_id, batch.producer_epoch, batch.base_sequence)
        .transactional(batch.is_transactional())
        .control(batch.is_control());
    if let Some(now) = log_append_time {
        builder = builder.log_append_time(now);
    }
    for record in batch.records(limit)? {
        builder.push(&record?)?;
    }
    builder.build()
}
