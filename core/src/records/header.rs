//! The 61 bytes in front of a batch's records, and the few of them that a broker may rewrite.
//!
//! Base offset and leader epoch lie outside the checksum: assigning offsets touches nothing else.
//! Timestamp type and maximum timestamp lie inside it: `LogAppendTime` costs a checksum.

use super::compression::Compression;
use super::crc32c;
use super::error::BatchError;
use bytes::{Buf, BufMut};

/// The size of a batch without its records.
pub const BATCH_OVERHEAD: usize = 61;
/// Base offset and length: what precedes the bytes that a batch's length counts.
pub const LOG_OVERHEAD: usize = 12;
/// The magic byte of the format that everything here reads and writes.
pub const MAGIC_V2: i8 = 2;
/// "No producer id": the batch is not idempotent.
pub const NO_PRODUCER_ID: i64 = -1;
/// "No producer epoch".
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// "No sequence".
pub const NO_SEQUENCE: i32 = -1;
/// "No timestamp".
pub const NO_TIMESTAMP: i64 = -1;
/// The leader epoch in batches that clients make.
pub const NO_PARTITION_LEADER_EPOCH: i32 = -1;

/// Where the checksum lies, and where the bytes that it covers begin.
const CRC_AT: usize = 17;
const CRC_FROM: usize = 21;

/// Bits 0 to 2 are the compression.
const COMPRESSION_MASK: i16 = 0x07;
const TIMESTAMP_TYPE: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
const DELETE_HORIZON: i16 = 0x40;

/// What a batch's timestamps mean (KIP-32; topic config `message.timestamp.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampType {
    /// The producer's clock, each record its own.
    #[default]
    CreateTime,
    /// The broker's clock, the batch's maximum timestamp for all records.
    LogAppendTime,
}

/// A batch's header, field by field.
///
/// The fields are as stored: [`BatchHeader::parse`] checks length and magic, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The first record's offset.
    pub base_offset: i64,
    /// The bytes that follow the length field; see [`BatchHeader::size_in_bytes`].
    pub batch_length: i32,
    /// The epoch of the leader that appended the batch.
    pub partition_leader_epoch: i32,
    /// The CRC-32C of everything after it.
    pub crc: u32,
    /// Compression, timestamp type and flags.
    pub attributes: i16,
    /// The last record's offset less the base offset (kept when compaction removes records).
    pub last_offset_delta: i32,
    /// What the records' timestamp deltas add to; the delete horizon where that flag is set.
    pub base_timestamp: i64,
    /// The largest timestamp in the batch.
    pub max_timestamp: i64,
    /// The producer, or [`NO_PRODUCER_ID`].
    pub producer_id: i64,
    /// The producer's epoch, or [`NO_PRODUCER_EPOCH`].
    pub producer_epoch: i16,
    /// The first record's sequence, or [`NO_SEQUENCE`].
    pub base_sequence: i32,
    /// How many records follow.
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads the header at the front of `bytes`; more bytes may follow.
    ///
    /// # Errors
    /// [`BatchError::Truncated`] with fewer bytes than a header; [`BatchError::TooSmall`] if it
    /// claims less than its own size; [`BatchError::LegacyMagic`] and
    /// [`BatchError::UnknownMagic`] for formats other than 2.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        check_magic(bytes)?;
        let header: &[u8; BATCH_OVERHEAD] = bytes.first_chunk().ok_or(BatchError::Truncated)?;
        // Every `get` below reads from these 61 bytes, and together they read exactly 61.
        let mut at = &header[..];
        let base_offset = at.get_i64();
        let batch_length = at.get_i32();
        let partition_leader_epoch = at.get_i32();
        at.advance(1);
        let parsed = Self {
            base_offset,
            batch_length,
            partition_leader_epoch,
            crc: at.get_u32(),
            attributes: at.get_i16(),
            last_offset_delta: at.get_i32(),
            base_timestamp: at.get_i64(),
            max_timestamp: at.get_i64(),
            producer_id: at.get_i64(),
            producer_epoch: at.get_i16(),
            base_sequence: at.get_i32(),
            records_count: at.get_i32(),
        };
        if parsed.size_in_bytes() < BATCH_OVERHEAD {
            return Err(BatchError::TooSmall {
                size: i64::from(batch_length).saturating_add(12),
            });
        }
        Ok(parsed)
    }

    /// The header as bytes, with the checksum it has; see [`BatchHeader::seal`].
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BATCH_OVERHEAD] {
        let mut bytes = [0; BATCH_OVERHEAD];
        // Every `put` below writes into these 61 bytes, and together they write exactly 61.
        let mut at = &mut bytes[..];
        at.put_i64(self.base_offset);
        at.put_i32(self.batch_length);
        at.put_i32(self.partition_leader_epoch);
        at.put_i8(MAGIC_V2);
        at.put_u32(self.crc);
        at.put_i16(self.attributes);
        at.put_i32(self.last_offset_delta);
        at.put_i64(self.base_timestamp);
        at.put_i64(self.max_timestamp);
        at.put_i64(self.producer_id);
        at.put_i16(self.producer_epoch);
        at.put_i32(self.base_sequence);
        at.put_i32(self.records_count);
        bytes
    }

    /// Sets the checksum to that of these fields followed by `records` (the bytes after the
    /// header, as stored).
    pub fn seal(&mut self, records: &[u8]) {
        let bytes = self.to_bytes();
        let covered = bytes.get(CRC_FROM..).unwrap_or_default();
        self.crc = crc32c::extend(crc32c::checksum(covered), records);
    }

    /// Assigns offsets: the first record gets `base_offset`. The checksum stays right.
    pub fn set_base_offset_and_epoch(&mut self, base_offset: i64, partition_leader_epoch: i32) {
        self.base_offset = base_offset;
        self.partition_leader_epoch = partition_leader_epoch;
    }

    /// Sets timestamp type and maximum timestamp, and the checksum if that changed anything.
    /// `records` is as for [`BatchHeader::seal`]. Returns whether it did.
    pub fn set_max_timestamp(
        &mut self,
        timestamp_type: TimestampType,
        max_timestamp: i64,
        records: &[u8],
    ) -> bool {
        if self.timestamp_type() == timestamp_type && self.max_timestamp == max_timestamp {
            return false;
        }
        let others = COMPRESSION_MASK | TRANSACTIONAL | CONTROL | DELETE_HORIZON;
        // What nobody knows goes, as in Kafka.
        self.attributes = match timestamp_type {
            TimestampType::CreateTime => self.attributes & others,
            TimestampType::LogAppendTime => (self.attributes & others) | TIMESTAMP_TYPE,
        };
        self.max_timestamp = max_timestamp;
        self.seal(records);
        true
    }

    /// The batch's size on disk and on the wire, header included.
    #[must_use]
    pub fn size_in_bytes(&self) -> usize {
        usize::try_from(self.batch_length).map_or(0, |l| l.saturating_add(LOG_OVERHEAD))
    }

    /// The offset after which the next batch begins at the earliest, less one.
    #[must_use]
    pub fn last_offset(&self) -> i64 {
        self.base_offset
            .saturating_add(i64::from(self.last_offset_delta))
    }

    /// The offset that follows [`BatchHeader::last_offset`].
    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// The last record's sequence, or [`NO_SEQUENCE`].
    #[must_use]
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence == NO_SEQUENCE {
            NO_SEQUENCE
        } else {
            increment_sequence(self.base_sequence, self.last_offset_delta)
        }
    }

    /// How the records are compressed.
    ///
    /// # Errors
    /// [`BatchError::UnknownCompression`] for the ids 5 to 7.
    pub fn compression(&self) -> Result<Compression, BatchError> {
        let [_, low] = (self.attributes & COMPRESSION_MASK).to_be_bytes();
        Compression::from_id(low).ok_or(BatchError::UnknownCompression(low))
    }

    /// What the timestamps mean.
    #[must_use]
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & TIMESTAMP_TYPE == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether the batch is part of a transaction (KIP-98).
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether the batch holds control records, which consumers do not see.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// Whether `base_timestamp` is the time at which tombstones may go (KIP-534).
    #[must_use]
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes & DELETE_HORIZON != 0
    }

    /// Whether an idempotent or transactional producer wrote the batch.
    #[must_use]
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }
}

/// Attribute bits from what they mean.
pub(super) fn attributes(
    compression: Compression,
    timestamp_type: TimestampType,
    transactional: bool,
    control: bool,
) -> i16 {
    let mut bits = i16::from(compression.id());
    if timestamp_type == TimestampType::LogAppendTime {
        bits |= TIMESTAMP_TYPE;
    }
    if transactional {
        bits |= TRANSACTIONAL;
    }
    if control {
        bits |= CONTROL;
    }
    bits
}

/// Checks that `bytes` begins with a batch of format 2, as far as the bytes go.
pub(super) fn check_magic(bytes: &[u8]) -> Result<(), BatchError> {
    match bytes.get(16).map(|byte| byte.cast_signed()) {
        Some(MAGIC_V2) => Ok(()),
        Some(magic @ (0 | 1)) => Err(BatchError::LegacyMagic(magic)),
        Some(magic) => Err(BatchError::UnknownMagic(magic)),
        None => Err(BatchError::Truncated),
    }
}

/// Assigns offsets in place, in a buffer that begins with a batch: see
/// [`BatchHeader::set_base_offset_and_epoch`].
///
/// # Errors
/// [`BatchError::Truncated`] if the buffer ends within the fields.
pub fn set_base_offset_and_epoch(
    batch: &mut [u8],
    base_offset: i64,
    partition_leader_epoch: i32,
) -> Result<(), BatchError> {
    let front: &mut [u8; 16] = batch.first_chunk_mut().ok_or(BatchError::Truncated)?;
    let (offset, rest) = front.split_at_mut(8);
    offset.copy_from_slice(&base_offset.to_be_bytes());
    let (_, epoch) = rest.split_at_mut(4);
    epoch.copy_from_slice(&partition_leader_epoch.to_be_bytes());
    Ok(())
}

/// Sets timestamp type, maximum timestamp and checksum in place, in a buffer that begins with a
/// whole batch: see [`BatchHeader::set_max_timestamp`].
///
/// # Errors
/// As [`BatchHeader::parse`], and [`BatchError::Truncated`] if the batch is not whole.
pub fn set_max_timestamp(
    batch: &mut [u8],
    timestamp_type: TimestampType,
    max_timestamp: i64,
) -> Result<(), BatchError> {
    let mut header = BatchHeader::parse(batch)?;
    let (front, rest) = batch
        .split_first_chunk_mut::<BATCH_OVERHEAD>()
        .ok_or(BatchError::Truncated)?;
    let records = header.size_in_bytes().saturating_sub(BATCH_OVERHEAD);
    let records = rest.get(..records).ok_or(BatchError::Truncated)?;
    if header.set_max_timestamp(timestamp_type, max_timestamp, records) {
        *front = header.to_bytes();
    }
    Ok(())
}

/// Compares the stored checksum with the bytes of one whole batch.
pub(super) fn check_crc(header: &BatchHeader, batch: &[u8]) -> Result<(), BatchError> {
    let covered = batch.get(CRC_FROM..).ok_or(BatchError::Truncated)?;
    let computed = crc32c::checksum(covered);
    if computed == header.crc {
        Ok(())
    } else {
        Err(BatchError::Checksum {
            stored: header.crc,
            computed,
        })
    }
}

const _: () = assert!(CRC_AT + 4 == CRC_FROM);

/// The sequence `by` after `sequence`; after the largest comes 0.
#[must_use]
pub fn increment_sequence(sequence: i32, by: i32) -> i32 {
    wrap_sequence(i64::from(sequence).saturating_add(i64::from(by)))
}

/// The sequence `by` before `sequence`; before 0 comes the largest.
#[must_use]
pub fn decrement_sequence(sequence: i32, by: i32) -> i32 {
    wrap_sequence(i64::from(sequence).saturating_sub(i64::from(by)))
}

fn wrap_sequence(sequence: i64) -> i32 {
    // The remainder lies between 0 and 2^31 - 1.
    i32::try_from(sequence.rem_euclid(1 << 31)).unwrap_or(0)
}
