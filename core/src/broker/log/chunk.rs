//! Chunks on their way to storage: waiting batches gathered up to a size, and where each lies.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::append::Prepared;
use super::index::Chunk;
use crate::broker::effect::MAX_CHUNK_BYTES;
use crate::records::{BATCH_OVERHEAD, BatchHeader, Compression, NO_TIMESTAMP};

/// Where a batch lies in its chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchPosition {
    /// The batch's base offset.
    pub(crate) base: i64,
    /// Its last offset.
    pub(crate) last: i64,
    /// Its first byte in the chunk.
    pub(crate) at: u32,
    /// Its size in bytes.
    pub(crate) size: u32,
    /// Whether it is compressed with zstd, which old clients do not know.
    pub(crate) zstd: bool,
}

impl BatchPosition {
    /// One past its last byte.
    pub(crate) fn end(&self) -> u32 {
        self.at.saturating_add(self.size)
    }
}

/// Where all batches of a chunk lie.
pub(crate) type Positions = Arc<[BatchPosition]>;

/// Finds out where batches lie from their headers, in order.
pub(super) fn positions<'a>(headers: impl Iterator<Item = &'a BatchHeader>) -> Positions {
    let mut at = 0u32;
    headers
        .map(|header| {
            let position = BatchPosition {
                base: header.base_offset,
                last: header.last_offset(),
                at,
                size: u32::try_from(header.size_in_bytes()).unwrap_or(u32::MAX),
                zstd: header.compression() == Ok(Compression::Zstd),
            };
            at = position.end();
            position
        })
        .collect()
}

/// A chunk to be stored.
#[derive(Debug, Clone)]
pub(super) struct NewChunk {
    pub(super) chunk: Chunk,
    pub(super) bytes: Vec<Bytes>,
    pub(super) positions: Positions,
}

/// Takes batches off the front until they fill a chunk: at least one, even if it is larger. None,
/// if that chunk is larger than `room`.
pub(super) fn take_front(batches: &mut VecDeque<Prepared>, room: usize) -> Option<Vec<Prepared>> {
    let mut size = 0usize;
    let mut fits = 0usize;
    for batch in batches.iter() {
        let total = size.saturating_add(batch.header.size_in_bytes());
        if fits > 0 && total > MAX_CHUNK_BYTES {
            break;
        }
        size = total;
        fits = fits.saturating_add(1);
    }
    (fits > 0 && size <= room).then(|| batches.drain(..fits).collect())
}

/// One chunk of these batches. Record bytes are not copied: the headers share one buffer, and lie
/// between slices of what the producers sent. Records without a timestamp count as of `now`, so
/// that they do not seem old.
pub(super) fn build(batches: Vec<Prepared>, now: i64) -> Option<NewChunk> {
    let positions = positions(batches.iter().map(|batch| &batch.header));
    let (first, last) = (positions.first()?, positions.last()?);
    let chunk = Chunk {
        base: first.base,
        last: last.last,
        size: last.end(),
        max_timestamp: match batches.iter().map(|b| b.header.max_timestamp).max()? {
            NO_TIMESTAMP => now,
            latest => latest,
        },
    };
    let mut headers = Vec::with_capacity(batches.len().saturating_mul(BATCH_OVERHEAD));
    for batch in &batches {
        headers.extend_from_slice(&batch.header.to_bytes());
    }
    let mut headers = Bytes::from(headers);
    let mut bytes = Vec::with_capacity(batches.len().saturating_mul(2));
    for batch in batches {
        bytes.push(headers.split_to(BATCH_OVERHEAD.min(headers.len())));
        bytes.push(batch.records);
    }
    Some(NewChunk {
        chunk,
        bytes,
        positions,
    })
}
