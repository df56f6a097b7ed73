//! What can be wrong with a batch, and the code that Kafka answers for it.

use super::compression::Compression;
use crate::protocol::ErrorCode;
use std::fmt;

/// Why a batch, or the records in it, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchError {
    /// The bytes end before the batch does.
    Truncated,
    /// The claimed size is less than a batch's overhead.
    TooSmall {
        /// The claimed size in bytes.
        size: i64,
    },
    /// A message set of magic 0 or 1, the formats before 0.11 that Kafka 4 no longer takes.
    LegacyMagic(i8),
    /// A magic byte that no version of Kafka ever wrote.
    UnknownMagic(i8),
    /// The stored checksum is not that of the bytes.
    Checksum {
        /// What the header says.
        stored: u32,
        /// What the bytes give.
        computed: u32,
    },
    /// A codec id that no version of Kafka knows.
    UnknownCompression(u8),
    /// A codec that this build was made without.
    CodecMissing(Compression),
    /// The compressed bytes are not what the codec writes.
    Corrupt(Compression),
    /// The codec refused to compress, for instance because of an unknown level.
    CannotCompress(Compression),
    /// The records would take more memory than the caller allows.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Whole, with the right checksum, and still not a batch.
    Invalid(Defect),
}

/// In which way a batch whose checksum is right breaks the format's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defect {
    /// A record claims more bytes than are left.
    RecordTooLong,
    /// A record's fields do not fill the size it claims, or are malformed.
    RecordMalformed,
    /// A negative header count, or more headers than bytes.
    HeaderCount,
    /// Bytes are left after the last record.
    TrailingBytes,
    /// A batch without records, or with a negative count.
    RecordCount,
    /// The last offset delta is not the count less one.
    OffsetRange,
    /// The records' offset deltas are not 0, 1, 2, …
    OffsetDeltas,
    /// Nothing at all where there must be one batch.
    NoBatch,
    /// A second batch where there must be one.
    MoreThanOneBatch,
    /// A control batch from a client.
    ControlBatch,
    /// A producer id without a sequence.
    NegativeSequence,
    /// A builder was asked to hold more than a batch can.
    BatchFull,
}

impl BatchError {
    /// The code for this error in a response to Produce, as Apache Kafka 4.3 answers it.
    ///
    /// - `UNKNOWN_SERVER_ERROR`: compressed bytes that do not decompress, an unknown codec id.
    /// - `CORRUPT_MESSAGE`: size, magic beyond 2, checksum.
    /// - `MESSAGE_TOO_LARGE`: decompressed size, which Kafka does not bound; Java's producer then
    ///   splits the batch.
    /// - `UNSUPPORTED_COMPRESSION_TYPE`: a codec that is not built in.
    /// - `INVALID_RECORD`: everything else, old formats included.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Corrupt(_) | Self::UnknownCompression(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
            Self::Truncated
            | Self::TooSmall { .. }
            | Self::UnknownMagic(_)
            | Self::Checksum { .. } => ErrorCode::CORRUPT_MESSAGE,
            Self::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            Self::CodecMissing(_) | Self::CannotCompress(_) => {
                ErrorCode::UNSUPPORTED_COMPRESSION_TYPE
            }
            Self::LegacyMagic(_) | Self::Invalid(_) => ErrorCode::INVALID_RECORD,
        }
    }
}

impl From<Defect> for BatchError {
    fn from(defect: Defect) -> Self {
        Self::Invalid(defect)
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the batch is cut short"),
            Self::TooSmall { size } => {
                write!(f, "the batch claims {size} bytes, fewer than its overhead")
            }
            Self::LegacyMagic(magic) => {
                write!(
                    f,
                    "message format {magic} is no longer supported, only 2 is"
                )
            }
            Self::UnknownMagic(magic) => write!(f, "unknown magic {magic}"),
            Self::Checksum { stored, computed } => write!(
                f,
                "the batch is corrupt: stored CRC-32C {stored}, computed {computed}"
            ),
            Self::UnknownCompression(id) => write!(f, "unknown compression type {id}"),
            Self::CodecMissing(codec) => write!(f, "{codec} is not part of this build"),
            Self::Corrupt(codec) => write!(f, "the records are not valid {codec} data"),
            Self::CannotCompress(codec) => write!(f, "{codec} cannot compress with this level"),
            Self::TooLarge { limit } => {
                write!(f, "the decompressed records exceed {limit} bytes")
            }
            Self::Invalid(defect) => defect.fmt(f),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RecordTooLong => "a record claims more bytes than the batch has left",
            Self::RecordMalformed => "a record is malformed",
            Self::HeaderCount => "a record claims an impossible number of headers",
            Self::TrailingBytes => "bytes are left after the last record",
            Self::RecordCount => "the batch's record count is not positive",
            Self::OffsetRange => "the batch's offset range and record count differ",
            Self::OffsetDeltas => "the records' offsets are not consecutive",
            Self::NoBatch => "there is no batch",
            Self::MoreThanOneBatch => "there is more than one batch",
            Self::ControlBatch => "clients may not write control records",
            Self::NegativeSequence => "a producer id needs a sequence of 0 or more",
            Self::BatchFull => "the batch cannot hold another record",
        })
    }
}

impl std::error::Error for BatchError {}
