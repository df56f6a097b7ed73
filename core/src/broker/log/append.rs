//! What happens to a batch before it is appended: a topic's rules, offsets, timestamps,
//! compression.
//!
//! The order of the checks is Kafka's (`UnifiedLog.append`): base offset, size, checksum, records,
//! size again if the batch was written anew, segment size; the producer's sequence comes last.
//! Record bytes are not copied unless the topic's `compression.type` asks for another codec.

use bytes::Bytes;

use crate::broker::StorageError;
use crate::broker::config::{CompressionType, TimestampType as TopicTimestampType, TopicConfig};
use crate::protocol::ErrorCode;
use crate::records::{
    AppendFacts, AppendRules, BatchError, BatchHeader, BatchView, Compression,
    DEFAULT_DECOMPRESSED_LIMIT, Defect, LOG_OVERHEAD, Level, Origin, RecordFault, Rejected,
    TimestampType, rebuild, validate_for_append,
};

/// A topic's rules for new batches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppendPolicy {
    rules: AppendRules,
    /// `max.message.bytes`.
    max_batch_bytes: i64,
    /// `segment.bytes`.
    segment_bytes: i64,
    /// `compression.type`, unless it is `producer`.
    compression: Option<(Compression, Level)>,
}

impl AppendPolicy {
    /// The rules for clients.
    pub(crate) fn new(config: &TopicConfig, now: i64) -> Self {
        Self {
            rules: AppendRules {
                compacted: config.cleanup_policy.compact,
                timestamp_type: match config.message_timestamp_type {
                    TopicTimestampType::CreateTime => TimestampType::CreateTime,
                    TopicTimestampType::LogAppendTime => TimestampType::LogAppendTime,
                },
                timestamp_before_max_ms: config.message_timestamp_before_max_ms,
                timestamp_after_max_ms: config.message_timestamp_after_max_ms,
                now,
                origin: Origin::Client,
                limit: DEFAULT_DECOMPRESSED_LIMIT,
            },
            max_batch_bytes: config.max_message_bytes,
            segment_bytes: config.segment_bytes,
            compression: codec(config.compression_type),
        }
    }

    pub(super) fn log_append_time(&self) -> Option<i64> {
        (self.rules.timestamp_type == TimestampType::LogAppendTime).then_some(self.rules.now)
    }
}

/// The codec of a topic and its level, unless batches stay as their producers made them.
fn codec(compression: CompressionType) -> Option<(Compression, Level)> {
    /// The fastest level that our zstd has; Kafka's go further down, and mean no more.
    const FASTEST_ZSTD: i32 = -7;
    Some(match compression {
        CompressionType::Producer => return None,
        CompressionType::Uncompressed => (Compression::None, Level::Default),
        CompressionType::Gzip(-1) => (Compression::Gzip, Level::Default),
        CompressionType::Gzip(level) => (Compression::Gzip, Level::At(level)),
        CompressionType::Snappy => (Compression::Snappy, Level::Default),
        CompressionType::Lz4 => (Compression::Lz4, Level::Default),
        CompressionType::Zstd(level) => (Compression::Zstd, Level::At(level.max(FASTEST_ZSTD))),
    })
}

/// Why a batch was not appended, as Produce answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// More than the code says.
    pub(crate) message: Option<String>,
    /// Which records are to blame (KIP-467).
    pub(crate) records: Vec<(i32, RecordFault)>,
    /// Whether the answer has the log's start, as Kafka's has with errors it did not foresee.
    pub(crate) with_log_start: bool,
}

impl Refusal {
    /// Storage does not take it.
    pub(super) fn storage(why: &StorageError) -> Self {
        Self {
            message: Some(why.to_string()),
            ..Self::from(ErrorCode::KAFKA_STORAGE_ERROR)
        }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        let foreseen = [
            ErrorCode::MESSAGE_TOO_LARGE,
            ErrorCode::RECORD_LIST_TOO_LARGE,
            ErrorCode::CORRUPT_MESSAGE,
            ErrorCode::KAFKA_STORAGE_ERROR,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ErrorCode::INVALID_TXN_STATE,
        ];
        Self {
            code,
            message: None,
            records: Vec::new(),
            with_log_start: !foreseen.contains(&code),
        }
    }
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        let mut refusal = Self::from(rejected.code());
        match rejected {
            Rejected::Records(faults) => refusal.records = faults,
            Rejected::Batch(BatchError::UnknownMagic(magic)) => {
                refusal.message = Some(format!("Invalid magic found in record: {magic}"));
            }
            Rejected::Batch(BatchError::TooSmall { size }) => {
                // Kafka counts from behind the length.
                let size = size.saturating_sub(i64::try_from(LOG_OVERHEAD).unwrap_or(0));
                refusal.message = Some(format!(
                    "Record size {size} is less than the minimum record overhead (14)"
                ));
            }
            Rejected::Batch(_) => {}
        }
        refusal
    }
}

impl From<BatchError> for Refusal {
    fn from(error: BatchError) -> Self {
        Self::from(Rejected::from(error))
    }
}

/// A batch that a topic's rules allow, but for its place in the log.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// The header; base offset and leader epoch are still to be set.
    pub(super) header: BatchHeader,
    /// The bytes after it.
    pub(super) records: Bytes,
}

/// Checks a client's batch and makes it what the topic wants.
///
/// # Errors
/// A [`Refusal`].
pub(super) fn prepare(batch: BatchView, policy: &AppendPolicy) -> Result<Prepared, Refusal> {
    if batch.base_offset != 0 {
        return Err(ErrorCode::INVALID_RECORD.into());
    }
    check_size(&batch, policy)?;
    let facts = validate_for_append(&batch, &policy.rules)?;
    let prepared = match target(&batch, policy, &facts)? {
        None => in_place(&batch, policy, &facts),
        Some((compression, level)) => {
            let rebuilt = rebuild(
                &batch,
                compression,
                level,
                policy.log_append_time(),
                policy.rules.limit,
            )?;
            let (rebuilt, _) = BatchView::parse(rebuilt)?;
            check_size(&rebuilt, policy)?;
            Prepared {
                header: *rebuilt.header(),
                records: rebuilt.records_bytes(),
            }
        }
    };
    if exceeds(prepared.header.size_in_bytes(), policy.segment_bytes) {
        return Err(ErrorCode::RECORD_LIST_TOO_LARGE.into());
    }
    Ok(prepared)
}

/// The codec with which the batch must be written anew, if it must.
fn target(
    batch: &BatchView,
    policy: &AppendPolicy,
    facts: &AppendFacts,
) -> Result<Option<(Compression, Level)>, Refusal> {
    let source = batch.compression()?;
    Ok(match policy.compression {
        Some((codec, level)) if codec != source => Some((codec, level)),
        Some(_) | None if !facts.consecutive => {
            return Err(BatchError::from(Defect::OffsetDeltas).into());
        }
        Some(_) | None => None,
    })
}

fn in_place(batch: &BatchView, policy: &AppendPolicy, facts: &AppendFacts) -> Prepared {
    let mut header = *batch.header();
    let records = batch.records_bytes();
    header.set_max_timestamp(policy.rules.timestamp_type, facts.max_timestamp, &records);
    Prepared { header, records }
}

fn check_size(batch: &BatchView, policy: &AppendPolicy) -> Result<(), Refusal> {
    if exceeds(batch.size_in_bytes(), policy.max_batch_bytes) {
        return Err(ErrorCode::MESSAGE_TOO_LARGE.into());
    }
    Ok(())
}

fn exceeds(size: usize, limit: i64) -> bool {
    i64::try_from(size).is_ok_and(|size| size > limit)
}
