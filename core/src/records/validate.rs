//! What a leader checks before it appends a producer's batch, and what it learns on the way.
//!
//! The rules are those of Kafka's `LogValidator`: batch first, then each record; the first three
//! faulty records are reported. Two differences, both documented in COMPATIBILITY.md: a batch whose
//! uncompressed records skip offsets is refused (Kafka stores it and confuses its readers), and
//! what decompression may produce is bounded.

use super::batch::BatchView;
use super::error::{BatchError, Defect};
use super::header::{NO_TIMESTAMP, TimestampType};
use crate::protocol::ErrorCode;

/// Who writes: a client, or the broker itself (a coordinator), to whom fewer rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A Produce request.
    #[default]
    Client,
    /// A coordinator's own batch.
    Coordinator,
}

/// A topic's rules for new batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendRules {
    /// Whether `cleanup.policy` includes `compact`: then every record needs a key.
    pub compacted: bool,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// The wall clock, in milliseconds.
    pub now: i64,
    /// Who writes.
    pub origin: Origin,
    /// How many bytes the records may take once decompressed.
    pub limit: usize,
}

impl AppendRules {
    /// Kafka's defaults: create time, any timestamp up to an hour from `now`.
    #[must_use]
    pub fn at(now: i64) -> Self {
        Self {
            compacted: false,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            now,
            origin: Origin::Client,
            limit: super::DEFAULT_DECOMPRESSED_LIMIT,
        }
    }
}

/// What validation learned about a batch that may be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendFacts {
    /// What the header's maximum timestamp must say: the records' largest, or the broker's time
    /// under `LogAppendTime`.
    pub max_timestamp: i64,
    /// The records' size without compression.
    pub uncompressed_size: usize,
    /// Whether offset deltas are 0, 1, 2, … If not, the batch cannot be appended as it is: it is
    /// [`Defect::OffsetDeltas`], or written anew with [`rebuild`](super::rebuild).
    pub consecutive: bool,
}

/// Why a batch was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// The batch as a whole.
    Batch(BatchError),
    /// Some of its records; all of them, in order.
    Records(Vec<(i32, RecordFault)>),
}

/// What is wrong with a record (Produce answers it per record from version 8: KIP-467).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFault {
    /// No key, in a compacted topic.
    NoKey,
    /// A timestamp outside the range that the topic allows.
    TimestampOutOfRange {
        /// The record's timestamp.
        timestamp: i64,
        /// The earliest that is allowed.
        earliest: i64,
        /// The latest that is allowed.
        latest: i64,
    },
    /// The producer claims log append time, which only brokers give.
    LogAppendTime,
}

impl Rejected {
    /// `INVALID_TIMESTAMP` if any record's timestamp is wrong, else `INVALID_RECORD`;
    /// [`BatchError::code`] for whole batches.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Batch(error) => error.code(),
            Self::Records(faults) if faults.iter().any(|(_, fault)| fault.is_timestamp()) => {
                ErrorCode::INVALID_TIMESTAMP
            }
            Self::Records(_) => ErrorCode::INVALID_RECORD,
        }
    }
}

impl RecordFault {
    fn is_timestamp(self) -> bool {
        match self {
            Self::NoKey => false,
            Self::TimestampOutOfRange { .. } | Self::LogAppendTime => true,
        }
    }
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Batch(error) => error.fmt(f),
            Self::Records(faults) => write!(f, "{} records are faulty", faults.len()),
        }
    }
}

impl std::error::Error for Rejected {}

impl From<BatchError> for Rejected {
    fn from(error: BatchError) -> Self {
        Self::Batch(error)
    }
}

impl From<Defect> for Rejected {
    fn from(defect: Defect) -> Self {
        Self::Batch(defect.into())
    }
}

/// Checks a batch against a topic's rules, checksum included.
///
/// It changes nothing. Before the append the caller assigns offsets and epoch
/// ([`BatchHeader::set_base_offset_and_epoch`](super::BatchHeader::set_base_offset_and_epoch)) and
/// sets timestamp type and maximum to those of the rules and the facts
/// ([`BatchHeader::set_max_timestamp`](super::BatchHeader::set_max_timestamp), which leaves a
/// header alone that is right already, as nearly all are).
///
/// # Errors
/// [`Rejected`], with the code for the response.
pub fn validate_for_append(
    batch: &BatchView,
    rules: &AppendRules,
) -> Result<AppendFacts, Rejected> {
    batch.check_crc()?;
    if rules.origin == Origin::Client {
        batch.check_counts()?;
        if batch.is_control() {
            return Err(Defect::ControlBatch.into());
        }
        if batch.has_producer_id() && batch.base_sequence < 0 {
            return Err(Defect::NegativeSequence.into());
        }
    }
    let mut walk = batch.walk(rules.limit)?;
    let uncompressed_size = walk.uncompressed_size();
    let mut facts = AppendFacts {
        max_timestamp: NO_TIMESTAMP,
        uncompressed_size,
        // Kafka looks at offsets, not at deltas, and writes a batch anew whose base is not 0; the
        // base is overwritten here anyway.
        consecutive: true,
    };
    let mut faults = Vec::new();
    for (index, mark) in (0i32..).zip(walk.by_ref()) {
        let mark = mark?;
        facts.max_timestamp = facts.max_timestamp.max(mark.timestamp);
        facts.consecutive &= mark.offset_delta == index;
        if let Some(fault) = fault(batch, rules, mark.has_key, mark.timestamp) {
            faults.push((index, fault));
        }
    }
    if !faults.is_empty() {
        return Err(Rejected::Records(faults));
    }
    if rules.timestamp_type == TimestampType::LogAppendTime {
        facts.max_timestamp = rules.now;
    }
    Ok(facts)
}

fn fault(
    batch: &BatchView,
    rules: &AppendRules,
    has_key: bool,
    timestamp: i64,
) -> Option<RecordFault> {
    if rules.compacted && !has_key {
        return Some(RecordFault::NoKey);
    }
    if rules.timestamp_type == TimestampType::CreateTime && timestamp != NO_TIMESTAMP {
        let earliest = rules.now.saturating_sub(rules.timestamp_before_max_ms);
        let latest = rules.now.saturating_add(rules.timestamp_after_max_ms);
        let in_range = (earliest..=latest).contains(&timestamp);
        return (!in_range).then_some(RecordFault::TimestampOutOfRange {
            timestamp,
            earliest,
            latest,
        });
    }
    (batch.timestamp_type() == TimestampType::LogAppendTime).then_some(RecordFault::LogAppendTime)
}
