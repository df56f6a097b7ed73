//! Makes batches: what a producer does, and a coordinator for its own records.
//!
//! Sizes are exact until compression: a client that fills a batch up to `batch.size` asks
//! [`BatchBuilder::has_room_for`] before each record, as Kafka's producer does, and compresses
//! once, at [`BatchBuilder::build`].

use super::compression::{Compression, Level, compress};
use super::error::{BatchError, Defect};
use super::header::{
    BATCH_OVERHEAD, BatchHeader, LOG_OVERHEAD, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType, attributes,
};
use super::record::Record;
use super::varint;
use bytes::Bytes;

/// Collects records and makes one batch of them.
///
/// The first record's timestamp becomes the base timestamp. Offsets and, unless
/// [`BatchBuilder::base_offset`] says otherwise, the base offset count from 0, as in every
/// producer's batch.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    compression: Compression,
    level: Level,
    timestamp_type: TimestampType,
    log_append_time: i64,
    transactional: bool,
    control: bool,
    base_offset: i64,
    partition_leader_epoch: i32,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
    last_offset_delta: i32,
    /// Room for the header, then the records.
    batch: Vec<u8>,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch without compression, producer or flags.
    #[must_use]
    pub fn new() -> Self {
        Self {
            compression: Compression::None,
            level: Level::Default,
            timestamp_type: TimestampType::CreateTime,
            log_append_time: NO_TIMESTAMP,
            transactional: false,
            control: false,
            base_offset: 0,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            count: 0,
            last_offset_delta: -1,
            batch: vec![0; BATCH_OVERHEAD],
        }
    }

    /// Compresses with this codec at this level.
    #[must_use]
    pub fn compression(mut self, compression: Compression, level: Level) -> Self {
        self.compression = compression;
        self.level = level;
        self
    }

    /// Stamps the batch with the broker's time instead of the records' own.
    #[must_use]
    pub fn log_append_time(mut self, now: i64) -> Self {
        self.timestamp_type = TimestampType::LogAppendTime;
        self.log_append_time = now;
        self
    }

    /// The producer whose batch this is.
    #[must_use]
    pub fn producer(mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) -> Self {
        self.set_producer(producer_id, producer_epoch, base_sequence);
        self
    }

    /// As [`BatchBuilder::producer`], for a batch that already collects records.
    pub fn set_producer(&mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) {
        self.producer_id = producer_id;
        self.producer_epoch = producer_epoch;
        self.base_sequence = base_sequence;
    }

    /// Marks the batch as part of a transaction.
    #[must_use]
    pub fn transactional(mut self, transactional: bool) -> Self {
        self.transactional = transactional;
        self
    }

    /// Marks the batch as holding control records.
    #[must_use]
    pub fn control(mut self, control: bool) -> Self {
        self.control = control;
        self
    }

    /// The offset of the first record and the leader epoch: for brokers.
    #[must_use]
    pub fn base_offset(mut self, base_offset: i64, partition_leader_epoch: i32) -> Self {
        self.base_offset = base_offset;
        self.partition_leader_epoch = partition_leader_epoch;
        self
    }

    /// Adds a record; returns its offset delta, which counts from 0.
    ///
    /// # Errors
    /// [`Defect::BatchFull`] if the batch would pass what its 32-bit length can say.
    pub fn push(&mut self, record: &impl RecordParts) -> Result<i32, BatchError> {
        let delta = self
            .last_offset_delta
            .checked_add(1)
            .ok_or(Defect::BatchFull)?;
        self.push_at(delta, record)?;
        Ok(delta)
    }

    /// Adds a record at an offset delta of its own, larger than all before: for compaction, which
    /// leaves gaps.
    ///
    /// # Errors
    /// [`Defect::OffsetDeltas`] if the delta is not larger; [`Defect::BatchFull`].
    pub fn push_at(
        &mut self,
        offset_delta: i32,
        record: &impl RecordParts,
    ) -> Result<(), BatchError> {
        if offset_delta <= self.last_offset_delta {
            return Err(Defect::OffsetDeltas.into());
        }
        let timestamp = record.timestamp();
        let base_timestamp = if self.count == 0 {
            timestamp
        } else {
            self.base_timestamp
        };
        let timestamp_delta = timestamp.wrapping_sub(base_timestamp);
        let body = body_size(offset_delta, timestamp_delta, record).ok_or(Defect::BatchFull)?;
        let size = record_bytes(body).ok_or(Defect::BatchFull)?;
        let total = self.batch.len().checked_add(size);
        if total.is_none_or(|total| total > MAX_BATCH_SIZE) {
            return Err(Defect::BatchFull.into());
        }
        let count = self.count.checked_add(1).ok_or(Defect::BatchFull)?;
        let body = i32::try_from(body).map_err(|_| Defect::BatchFull)?;

        self.batch.reserve(size);
        let out = &mut self.batch;
        varint::write_i32(body, out);
        out.push(0);
        varint::write_i64(timestamp_delta, out);
        varint::write_i32(offset_delta, out);
        write_bytes(record.key(), out);
        write_bytes(record.value(), out);
        let headers = record.headers();
        varint::write_i32(length(headers.len()), out);
        for (name, value) in headers {
            write_bytes(Some(name), out);
            write_bytes(value, out);
        }

        self.base_timestamp = base_timestamp;
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.count = count;
        self.last_offset_delta = offset_delta;
        Ok(())
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> i32 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The batch's size in bytes if it were built now without compression, header included.
    #[must_use]
    pub fn uncompressed_size(&self) -> usize {
        self.batch.len()
    }

    /// By how much `record` would raise [`BatchBuilder::uncompressed_size`], exactly; `None` if
    /// it is larger than any batch.
    #[must_use]
    pub fn size_of_next(&self, record: &impl RecordParts) -> Option<usize> {
        let timestamp = record.timestamp();
        let base = if self.count == 0 {
            timestamp
        } else {
            self.base_timestamp
        };
        let delta = self.last_offset_delta.checked_add(1)?;
        record_size(delta, timestamp.wrapping_sub(base), record)
    }

    /// Whether `record` fits into a batch of at most `batch_size` bytes before compression; the
    /// first record always does, as in Kafka's producer.
    #[must_use]
    pub fn has_room_for(&self, record: &impl RecordParts, batch_size: usize) -> bool {
        let Some(more) = self.size_of_next(record) else {
            return false;
        };
        self.count == 0 || self.uncompressed_size().saturating_add(more) <= batch_size
    }

    /// Makes room for records of so many bytes, so that adding them does not move those before.
    pub fn reserve(&mut self, bytes: usize) {
        self.batch.reserve(bytes);
    }

    /// Compresses and seals: the batch as it goes onto the wire.
    ///
    /// # Errors
    /// [`Defect::RecordCount`] if there are no records; [`BatchError::CodecMissing`] and
    /// [`BatchError::CannotCompress`]; [`Defect::BatchFull`] if compression made it too large.
    pub fn build(&self) -> Result<Bytes, BatchError> {
        if self.compression == Compression::None {
            return self.seal(self.batch.clone());
        }
        let records = self.batch.get(BATCH_OVERHEAD..).unwrap_or_default();
        let expected = (records.len() / 2).saturating_add(BATCH_OVERHEAD);
        let mut batch = Vec::with_capacity(expected);
        batch.extend_from_slice(&[0; BATCH_OVERHEAD]);
        compress(self.compression, self.level, records, &mut batch)?;
        self.seal(batch)
    }

    /// As [`BatchBuilder::build`], without a copy where nothing is compressed.
    ///
    /// # Errors
    /// As [`BatchBuilder::build`].
    pub fn finish(mut self) -> Result<Bytes, BatchError> {
        if self.compression == Compression::None {
            let batch = std::mem::take(&mut self.batch);
            return self.seal(batch);
        }
        self.build()
    }

    fn seal(&self, mut batch: Vec<u8>) -> Result<Bytes, BatchError> {
        if self.count == 0 {
            return Err(Defect::RecordCount.into());
        }
        let (front, records) = batch
            .split_first_chunk_mut::<BATCH_OVERHEAD>()
            .ok_or(BatchError::Truncated)?;
        let length = records.len().saturating_add(BATCH_OVERHEAD - LOG_OVERHEAD);
        let mut header = BatchHeader {
            base_offset: self.base_offset,
            batch_length: i32::try_from(length).map_err(|_| Defect::BatchFull)?,
            partition_leader_epoch: self.partition_leader_epoch,
            crc: 0,
            attributes: attributes(
                self.compression,
                self.timestamp_type,
                self.transactional,
                self.control,
            ),
            last_offset_delta: self.last_offset_delta,
            base_timestamp: self.base_timestamp,
            max_timestamp: match self.timestamp_type {
                TimestampType::CreateTime => self.max_timestamp,
                TimestampType::LogAppendTime => self.log_append_time,
            },
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            records_count: self.count,
        };
        header.seal(records);
        *front = header.to_bytes();
        Ok(Bytes::from(batch))
    }
}

/// What a record is made of, wherever its parts are kept.
pub trait RecordParts {
    /// Milliseconds since the epoch, or [`NO_TIMESTAMP`].
    fn timestamp(&self) -> i64;
    /// The key.
    fn key(&self) -> Option<&[u8]>;
    /// The value.
    fn value(&self) -> Option<&[u8]>;
    /// Names and values of the headers, in order.
    fn headers(&self) -> impl ExactSizeIterator<Item = (&[u8], Option<&[u8]>)>;
}

impl RecordParts for Record {
    fn timestamp(&self) -> i64 {
        self.timestamp
    }

    fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    fn headers(&self) -> impl ExactSizeIterator<Item = (&[u8], Option<&[u8]>)> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_bytes(), value.as_deref()))
    }
}

/// The largest batch: its length, an i32, counts from behind itself.
const MAX_BATCH_SIZE: usize = 0x7FFF_FFFF + LOG_OVERHEAD;

/// A record's size in a batch in bytes, exactly; `None` if it is larger than any batch.
#[must_use]
pub fn record_size(
    offset_delta: i32,
    timestamp_delta: i64,
    record: &impl RecordParts,
) -> Option<usize> {
    record_bytes(body_size(offset_delta, timestamp_delta, record)?)
}

/// A bound on the size of a batch that holds only `record`, whatever its deltas: what Kafka's
/// producer compares with `max.request.size` and `buffer.memory`.
#[must_use]
pub fn record_size_upper_bound(record: &impl RecordParts) -> usize {
    /// The longest length, attributes, timestamp delta and offset delta.
    const MAX_RECORD_OVERHEAD: usize = 21;
    content_size(record)
        .and_then(|content| content.checked_add(MAX_RECORD_OVERHEAD + BATCH_OVERHEAD))
        .unwrap_or(usize::MAX)
}

#[inline(always)]
fn record_bytes(body: usize) -> Option<usize> {
    body.checked_add(varint::size_i32(i32::try_from(body).ok()?))
}

#[inline(always)]
fn body_size(offset_delta: i32, timestamp_delta: i64, record: &impl RecordParts) -> Option<usize> {
    content_size(record)?
        .checked_add(1)?
        .checked_add(varint::size_i32(offset_delta))?
        .checked_add(varint::size_i64(timestamp_delta))
}

/// Key, value and headers.
#[inline(always)]
fn content_size(record: &impl RecordParts) -> Option<usize> {
    let headers = record.headers();
    let mut size = bytes_size(record.key())?
        .checked_add(bytes_size(record.value())?)?
        .checked_add(varint::size_i32(i32::try_from(headers.len()).ok()?))?;
    for (name, value) in headers {
        size = size
            .checked_add(bytes_size(Some(name))?)?
            .checked_add(bytes_size(value)?)?;
    }
    Some(size)
}

#[inline(always)]
fn bytes_size(bytes: Option<&[u8]>) -> Option<usize> {
    match bytes {
        None => Some(1),
        Some(bytes) => bytes
            .len()
            .checked_add(varint::size_i32(i32::try_from(bytes.len()).ok()?)),
    }
}

#[inline(always)]
fn write_bytes(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    match bytes {
        None => varint::write_i32(-1, out),
        Some(bytes) => {
            varint::write_i32(length(bytes.len()), out);
            out.extend_from_slice(bytes);
        }
    }
}

/// A length whose record `body_size` has accepted, so it fits.
#[inline(always)]
fn length(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
