//! A batch where it lies: header parsed, records untouched, bytes shared.

use super::error::{BatchError, Defect};
use super::header::{self, BATCH_OVERHEAD, BatchHeader, LOG_OVERHEAD};
use super::record::Records;
use super::walk::Walk;
use bytes::Bytes;
use std::ops::Deref;

/// One whole batch of format 2, sharing the bytes it was parsed from.
///
/// It dereferences to its [`BatchHeader`], so that `batch.last_offset()` reads like a field.
///
/// ```
/// use partita_core::records::{BatchBuilder, BatchView, Record};
/// let mut builder = BatchBuilder::new();
/// builder.push(&Record::new(1_000, None, Some("hello".into())))?;
/// let (batch, rest) = BatchView::parse(builder.build()?)?;
/// assert!(rest.is_empty());
/// batch.validate()?;
/// assert_eq!(batch.records_count, 1);
/// # Ok::<(), partita_core::records::BatchError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchView {
    header: BatchHeader,
    bytes: Bytes,
}

impl BatchView {
    /// Takes the batch at the front of `bytes`; returns it with the bytes that follow it.
    ///
    /// # Errors
    /// As [`BatchHeader::parse`], and [`BatchError::Truncated`] if the batch claims more bytes
    /// than there are.
    pub fn parse(mut bytes: Bytes) -> Result<(Self, Bytes), BatchError> {
        let header = BatchHeader::parse(&bytes)?;
        let size = header.size_in_bytes();
        if size > bytes.len() {
            return Err(BatchError::Truncated);
        }
        let rest = bytes.split_off(size);
        Ok((Self { header, bytes }, rest))
    }

    /// The one batch in `bytes`, as a Produce request must hold it for each partition.
    ///
    /// # Errors
    /// As [`BatchView::parse`]; [`Defect::NoBatch`] and [`Defect::MoreThanOneBatch`]. Bytes after
    /// the batch that do not make another are ignored, as Kafka ignores them.
    pub fn single(bytes: Bytes) -> Result<Self, BatchError> {
        let mut batches = Batches::new(bytes);
        let batch = batches.next().ok_or(Defect::NoBatch)??;
        match batches.next() {
            None => Ok(batch),
            Some(_) => Err(Defect::MoreThanOneBatch.into()),
        }
    }

    /// Checks the checksum, and that offset range and count agree.
    ///
    /// This is what can be known without the records; [`super::validate_for_append`] looks at
    /// them too. A batch that compaction has thinned out has fewer records than offsets: use
    /// [`BatchView::check_crc`] for those.
    ///
    /// # Errors
    /// [`BatchError::Checksum`], [`Defect::RecordCount`], [`Defect::OffsetRange`].
    pub fn validate(&self) -> Result<(), BatchError> {
        self.check_crc()?;
        self.check_counts()
    }

    /// Checks the checksum alone.
    ///
    /// # Errors
    /// [`BatchError::Checksum`].
    pub fn check_crc(&self) -> Result<(), BatchError> {
        header::check_crc(&self.header, &self.bytes)
    }

    pub(super) fn check_counts(&self) -> Result<(), BatchError> {
        if self.header.last_offset_delta < 0 {
            return Err(Defect::OffsetRange.into());
        }
        if self.header.records_count <= 0 {
            return Err(Defect::RecordCount.into());
        }
        if self.header.records_count.checked_sub(1) != Some(self.header.last_offset_delta) {
            return Err(Defect::OffsetRange.into());
        }
        Ok(())
    }

    /// The records, decompressed to at most `limit` bytes
    /// ([`DEFAULT_DECOMPRESSED_LIMIT`](super::DEFAULT_DECOMPRESSED_LIMIT)).
    ///
    /// # Errors
    /// Decompression's; those of single records come from the iterator.
    pub fn records(&self, limit: usize) -> Result<Records, BatchError> {
        Records::new(self, limit)
    }

    /// Offset, timestamp and key's presence of each record, without taking keys, values or
    /// headers out. `limit` is as for [`BatchView::records`].
    ///
    /// # Errors
    /// Decompression's; those of single records come from the iterator.
    pub fn walk(&self, limit: usize) -> Result<Walk, BatchError> {
        Walk::new(self, limit)
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch as it lies, header included.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes after the header, as stored (perhaps compressed).
    #[must_use]
    pub fn records_bytes(&self) -> Bytes {
        self.bytes.slice(BATCH_OVERHEAD.min(self.bytes.len())..)
    }

    /// The batch's bytes with another header in front: one copy, for who cannot send two
    /// segments. The header must be sealed and claim the same length.
    #[must_use]
    pub fn with_header(&self, header: &BatchHeader) -> Bytes {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        bytes.extend_from_slice(&header.to_bytes());
        bytes.extend_from_slice(self.bytes.get(BATCH_OVERHEAD..).unwrap_or_default());
        Bytes::from(bytes)
    }
}

impl Deref for BatchView {
    type Target = BatchHeader;

    fn deref(&self) -> &BatchHeader {
        &self.header
    }
}

/// The batches in a buffer that holds several, one after the other.
///
/// A batch that is cut short ends the iteration without an error, because a broker may cut the
/// last one of a Fetch response; [`Batches::rest`] then has its bytes. Any other error is
/// returned once and ends the iteration.
#[derive(Debug, Clone)]
pub struct Batches {
    rest: Bytes,
    failed: bool,
}

impl Batches {
    /// Iterates over the batches in `bytes`.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Self {
            rest: bytes,
            failed: false,
        }
    }

    /// What has not been returned as a batch.
    #[must_use]
    pub fn rest(&self) -> &Bytes {
        &self.rest
    }
}

impl Iterator for Batches {
    type Item = Result<BatchView, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match check_claim(&self.rest).and_then(|()| BatchView::parse(self.rest.clone())) {
            Ok((batch, rest)) => {
                self.rest = rest;
                Some(Ok(batch))
            }
            Err(BatchError::Truncated) => None,
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

/// Refuses an impossible length before anything else, as Kafka does: with it there is no telling
/// where the next batch would begin.
fn check_claim(bytes: &[u8]) -> Result<(), BatchError> {
    /// What a message of magic 0, the smallest ever, has at least.
    const SMALLEST: i32 = 14;
    let claim: &[u8; LOG_OVERHEAD] = bytes.first_chunk().ok_or(BatchError::Truncated)?;
    let [.., a, b, c, d] = *claim;
    let length = i32::from_be_bytes([a, b, c, d]);
    if length < SMALLEST {
        return Err(BatchError::TooSmall {
            size: i64::from(length).saturating_add(12),
        });
    }
    Ok(())
}

/// The headers of the whole batches in `bytes`, each with the position at which it begins.
///
/// Ends at the first cut batch; an error ends it too.
pub fn batch_headers(
    bytes: &[u8],
) -> impl Iterator<Item = Result<(usize, BatchHeader), BatchError>> + '_ {
    let mut position = Some(0usize);
    std::iter::from_fn(move || {
        let at = position.take()?;
        let rest = bytes.get(at..)?;
        match check_claim(rest).and_then(|()| BatchHeader::parse(rest)) {
            Ok(header) if header.size_in_bytes() <= rest.len() => {
                position = at.checked_add(header.size_in_bytes());
                Some(Ok((at, header)))
            }
            Ok(_) | Err(BatchError::Truncated) => None,
            Err(error) => Some(Err(error)),
        }
    })
}

/// The headers in a buffer of headers without records, 61 bytes each.
///
/// # Errors
/// Each item as [`BatchHeader::parse`]; a last one that is cut short is [`BatchError::Truncated`].
pub fn packed_headers(bytes: &[u8]) -> impl Iterator<Item = Result<BatchHeader, BatchError>> + '_ {
    bytes.chunks(BATCH_OVERHEAD).map(BatchHeader::parse)
}
