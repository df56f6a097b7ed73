//! Single records: what a producer hands over and a consumer gets.

use super::batch::BatchView;
use super::compression::{Compression, decompress};
use super::error::{BatchError, Defect};
use super::header::{BatchHeader, TimestampType};
use super::varint;
use bytes::Bytes;

/// How many bytes a batch's records may take once decompressed, unless a caller says otherwise.
pub const DEFAULT_DECOMPRESSED_LIMIT: usize = 100 * 1024 * 1024;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Its offset in the partition; ignored by [`BatchBuilder`](super::BatchBuilder), where the
    /// position decides.
    pub offset: i64,
    /// Milliseconds since the epoch, or [`NO_TIMESTAMP`](super::NO_TIMESTAMP).
    pub timestamp: i64,
    /// The key; `None` and empty differ.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone in a compacted topic.
    pub value: Option<Bytes>,
    /// Headers in the order they were written; keys may repeat.
    pub headers: Vec<(String, Option<Bytes>)>,
}

impl Record {
    /// A record without headers, at offset 0.
    #[must_use]
    pub fn new(timestamp: i64, key: Option<Bytes>, value: Option<Bytes>) -> Self {
        Self {
            offset: 0,
            timestamp,
            key,
            value,
            headers: Vec::new(),
        }
    }
}

/// The records of a batch, in order.
///
/// Ends after the first error. After the last record it checks that no bytes are left.
#[derive(Debug, Clone)]
pub struct Records {
    cursor: Cursor,
}

impl Records {
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

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cursor.next_record(|facts, body, whole| {
            let key = read_bytes(body)?.map(|part| whole.slice_ref(part));
            let value = read_bytes(body)?.map(|part| whole.slice_ref(part));
            let count = read_header_count(body)?;
            // A header takes two bytes at least, so this reserves no more than the bytes justify
            // times the size of an entry; grow from little all the same.
            let mut headers = Vec::with_capacity(count.min(16));
            for _ in 0..count {
                let name = read_bytes(body)?.ok_or(Defect::RecordMalformed)?;
                let name = String::from_utf8_lossy(name).into_owned();
                let value = read_bytes(body)?.map(|part| whole.slice_ref(part));
                headers.push((name, value));
            }
            Ok(Record {
                offset: facts.offset,
                timestamp: facts.timestamp,
                key,
                value,
                headers,
            })
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.cursor.left))
    }
}

/// What precedes a record's key, made absolute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    pub(super) offset_delta: i32,
}

/// Finds the records of a batch one after the other; what to do with each body is the caller's.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    header: BatchHeader,
    /// All records, uncompressed.
    pub(super) data: Bytes,
    /// Where the next record begins.
    at: usize,
    /// How many records are still to come; 0 after an error.
    left: usize,
}

impl Cursor {
    pub(super) fn new(batch: &BatchView, limit: usize) -> Result<Self, BatchError> {
        let header = *batch.header();
        let left = usize::try_from(header.records_count).map_err(|_| Defect::RecordCount)?;
        let stored = batch.records_bytes();
        let codec = header.compression()?;
        let data = if codec == Compression::None {
            stored
        } else if left == 0 {
            // Kafka does not look at the bytes of a batch that claims no records either.
            Bytes::new()
        } else {
            Bytes::from(decompress(codec, &stored, limit)?)
        };
        Ok(Self {
            header,
            data,
            at: 0,
            left,
        })
    }

    /// Reads the next record with `read`, which gets the position, the body from the key on, and
    /// the buffer that the body is part of; it must consume the whole body.
    #[inline(always)]
    pub(super) fn next_record<T>(
        &mut self,
        read: impl FnOnce(Position, &mut &[u8], &Bytes) -> Result<T, BatchError>,
    ) -> Option<Result<T, BatchError>> {
        if self.left == 0 {
            return None;
        }
        let result = self.try_next(read);
        self.left = match result {
            Ok(_) => self.left.saturating_sub(1),
            Err(_) => 0,
        };
        Some(result)
    }

    #[inline(always)]
    fn try_next<T>(
        &mut self,
        read: impl FnOnce(Position, &mut &[u8], &Bytes) -> Result<T, BatchError>,
    ) -> Result<T, BatchError> {
        let mut input = self.data.get(self.at..).unwrap_or_default();
        let length = varint::read_i32(&mut input).ok_or(Defect::RecordMalformed)?;
        let length = usize::try_from(length).map_err(|_| Defect::RecordMalformed)?;
        let (mut body, rest) = input
            .split_at_checked(length)
            .ok_or(Defect::RecordTooLong)?;
        // Attributes: no bit of them is used in this format.
        let (_, after) = body.split_first().ok_or(Defect::RecordMalformed)?;
        body = after;
        let timestamp_delta = varint::read_i64(&mut body).ok_or(Defect::RecordMalformed)?;
        let offset_delta = varint::read_i32(&mut body).ok_or(Defect::RecordMalformed)?;
        let timestamp = match self.header.timestamp_type() {
            TimestampType::CreateTime => self.header.base_timestamp.wrapping_add(timestamp_delta),
            TimestampType::LogAppendTime => self.header.max_timestamp,
        };
        let position = Position {
            offset: self
                .header
                .base_offset
                .wrapping_add(i64::from(offset_delta)),
            timestamp,
            offset_delta,
        };
        let value = read(position, &mut body, &self.data)?;
        if !body.is_empty() {
            return Err(Defect::RecordMalformed.into());
        }
        if self.left == 1 && !rest.is_empty() {
            return Err(Defect::TrailingBytes.into());
        }
        self.at = self.data.len().saturating_sub(rest.len());
        Ok(value)
    }
}

/// Takes a length and as many bytes; a negative length is null.
#[inline(always)]
pub(super) fn read_bytes<'a>(body: &mut &'a [u8]) -> Result<Option<&'a [u8]>, BatchError> {
    let length = varint::read_i32(body).ok_or(Defect::RecordMalformed)?;
    let Ok(length) = usize::try_from(length) else {
        return Ok(None);
    };
    let (part, rest) = body
        .split_at_checked(length)
        .ok_or(Defect::RecordMalformed)?;
    *body = rest;
    Ok(Some(part))
}

/// Takes the number of headers, which may not exceed the bytes that are left.
#[inline(always)]
pub(super) fn read_header_count(body: &mut &[u8]) -> Result<usize, BatchError> {
    let count = varint::read_i32(body).ok_or(Defect::RecordMalformed)?;
    let count = usize::try_from(count).map_err(|_| Defect::HeaderCount)?;
    if count > body.len() {
        return Err(Defect::HeaderCount.into());
    }
    Ok(count)
}
