//! A quick look at each record: offset, timestamp, whether there is a key.
//!
//! For ListOffsets by timestamp and for validation: nothing is allocated per record.

use super::batch::BatchView;
use super::error::{BatchError, Defect};
use super::record::{Cursor, read_bytes, read_header_count};

/// What [`Walk`] tells of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordMark {
    /// The record's offset.
    pub offset: i64,
    /// Its offset less the batch's base offset, as stored.
    pub offset_delta: i32,
    /// Its timestamp; the batch's maximum under `LogAppendTime`.
    pub timestamp: i64,
    /// Whether it has a key, an empty one included.
    pub has_key: bool,
    /// Whether it has a value: without one it is a tombstone.
    pub has_value: bool,
}

/// The records of a batch in brief, in order. Every field is checked as
/// [`Records`](super::Records) checks it.
#[derive(Debug, Clone)]
pub struct Walk {
    cursor: Cursor,
}

impl Walk {
    pub(super) fn new(batch: &BatchView, limit: usize) -> Result<Self, BatchError> {
        Ok(Self {
            cursor: Cursor::new(batch, limit)?,
        })
    }

    /// The size of the records without compression, in bytes.
    #[must_use]
    pub fn uncompressed_size(&self) -> usize {
        self.cursor.data.len()
    }
}

impl Iterator for Walk {
    type Item = Result<RecordMark, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cursor.next_record(|position, body, _| {
            let has_key = read_bytes(body)?.is_some();
            let has_value = read_bytes(body)?.is_some();
            for _ in 0..read_header_count(body)? {
                read_bytes(body)?.ok_or(Defect::RecordMalformed)?;
                read_bytes(body)?;
            }
            Ok(RecordMark {
                offset: position.offset,
                offset_delta: position.offset_delta,
                timestamp: position.timestamp,
                has_key,
                has_value,
            })
        })
    }
}
