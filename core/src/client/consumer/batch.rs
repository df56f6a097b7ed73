//! Fetched records: kept as they came until they are polled, decoded when the host asks.
//!
//! What a consumer must not see is left out by whole batches, from their headers alone: control
//! batches, and with read committed those of aborted transactions (KIP-98). Records below the
//! position, at the start of the first batch, are left out when records are decoded.

use crate::sorted::{self, SortedSet};

use bytes::Bytes;

use super::config::Isolation;
use crate::protocol::messages::fetch::AbortedTransaction;
use crate::records::{
    BatchError, BatchView, Batches, DEFAULT_DECOMPRESSED_LIMIT, PackedRecords, Record,
};

/// A batch of records in the host's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Records of one partition, in order, as one fetch brought them.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchedBatch {
    /// What to report it by: see [`Consumer::poll`](super::Consumer::poll).
    pub id: BatchId,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The partition's high watermark when the records were fetched.
    pub high_watermark: i64,
    /// The partition's last stable offset then.
    pub last_stable_offset: i64,
    /// The partition's log start offset then; −1 if its broker is too old to say.
    pub log_start_offset: i64,
    /// The position before: no record has a lower offset.
    pub fetched_offset: i64,
    /// The position after: no record has this or a higher offset.
    pub next_offset: i64,
    batches: Vec<BatchView>,
}

impl FetchedBatch {
    /// The lowest offset that a record in here can have; it is the first record's, unless
    /// compaction took that one.
    #[must_use]
    pub fn first_offset(&self) -> i64 {
        let base = self.batches.first().map_or(0, |batch| batch.base_offset);
        base.max(self.fetched_offset)
    }

    /// The highest offset that a record in here can have; it is the last record's, unless
    /// compaction took that one.
    #[must_use]
    pub fn last_offset(&self) -> i64 {
        let last = self.batches.last().map(|batch| batch.last_offset());
        last.unwrap_or(self.fetched_offset)
    }

    /// The record batches as they were fetched, but for those that consumers do not see. The first
    /// may begin below [`FetchedBatch::fetched_offset`].
    #[must_use]
    pub fn batches(&self) -> &[BatchView] {
        &self.batches
    }

    /// The size of the record batches in bytes, as fetched.
    #[must_use]
    pub fn size(&self) -> usize {
        size(&self.batches)
    }

    /// The records, one by one.
    ///
    /// # Errors
    /// Whatever is wrong with a batch or a record; the iteration ends there. Report it by
    /// [`Consumer::corrupt`](super::Consumer::corrupt).
    pub fn records(&self) -> impl Iterator<Item = Result<Record, BatchError>> + '_ {
        let from = self.fetched_offset;
        let mut failed = false;
        let decoded = self.batches.iter().flat_map(|batch| {
            let (records, error) = match batch.records(DEFAULT_DECOMPRESSED_LIMIT) {
                Ok(records) => (Some(records), None),
                Err(error) => (None, Some(Err(error))),
            };
            records.into_iter().flatten().chain(error)
        });
        decoded
            .take_while(move |record| {
                let before = failed;
                failed |= record.is_err();
                !before
            })
            .filter(move |record| !matches!(record, Ok(record) if record.offset < from))
    }

    /// All records in two buffers, to cross into JavaScript at once.
    ///
    /// # Errors
    /// Whatever is wrong with a batch or a record. Report it by
    /// [`Consumer::corrupt`](super::Consumer::corrupt).
    pub fn pack(&self) -> Result<PackedRecords, BatchError> {
        let counts = self.batches.iter().map(|batch| batch.records_count);
        let count = counts.fold(0_usize, |sum, count| {
            sum.saturating_add(usize::try_from(count).unwrap_or(0))
        });
        // A record takes seven bytes at least: a count that claims more is not believed.
        let mut packed = PackedRecords::with_capacity(count.min(self.size() / 7), self.size());
        for batch in &self.batches {
            packed.push_batch(batch, self.fetched_offset, DEFAULT_DECOMPRESSED_LIMIT)?;
        }
        Ok(packed)
    }
}

fn size(batches: &[BatchView]) -> usize {
    let sizes = batches.iter().map(|batch| batch.bytes().len());
    sizes.fold(0, usize::saturating_add)
}

/// What one fetch brought of a partition.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The position after it.
    pub(super) next_offset: i64,
    pub(super) high_watermark: i64,
    pub(super) last_stable_offset: i64,
    pub(super) log_start_offset: i64,
    pub(super) batches: Vec<BatchView>,
}

impl Chunk {
    /// Takes the batches in `bytes` that count, fetched from offset `from`.
    ///
    /// # Errors
    /// A batch that is none, or bytes that are not even one batch.
    pub(super) fn read(
        bytes: Bytes,
        from: i64,
        isolation: Isolation,
        aborted: Vec<AbortedTransaction>,
    ) -> Result<Self, BatchError> {
        let mut aborted = match isolation {
            Isolation::ReadCommitted => Aborted::new(aborted),
            Isolation::ReadUncommitted => Aborted::default(),
        };
        let is_empty = bytes.is_empty();
        let mut next_offset = from;
        let mut batches = Vec::new();
        let mut any = false;
        for batch in Batches::new(bytes) {
            let batch = batch?;
            any = true;
            let seen = aborted.sees(&batch)?;
            if batch.last_offset() < from {
                continue;
            }
            next_offset = batch.last_offset().saturating_add(1);
            if seen && batch.records_count > 0 {
                batches.push(batch);
            }
        }
        if !any && !is_empty {
            return Err(BatchError::Truncated);
        }
        Ok(Self {
            next_offset,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            batches,
        })
    }

    pub(super) fn size(&self) -> usize {
        size(&self.batches)
    }

    /// The first checksum that is wrong.
    pub(super) fn check_crcs(&self) -> Result<(), BatchError> {
        self.batches.iter().try_for_each(BatchView::check_crc)
    }

    /// Hands the records over.
    pub(super) fn deliver(
        self,
        id: BatchId,
        topic: String,
        partition: i32,
        fetched_offset: i64,
    ) -> FetchedBatch {
        FetchedBatch {
            id,
            topic,
            partition,
            high_watermark: self.high_watermark,
            last_stable_offset: self.last_stable_offset,
            log_start_offset: self.log_start_offset,
            fetched_offset,
            next_offset: self.next_offset,
            batches: self.batches,
        }
    }
}

/// Follows which producers' transactions turn out to be aborted, batch by batch.
#[derive(Debug, Default)]
struct Aborted {
    /// Those to come, the one that begins first last.
    coming: Vec<AbortedTransaction>,
    /// The producers inside of an aborted transaction.
    producers: SortedSet<i64>,
}

impl Aborted {
    fn new(mut transactions: Vec<AbortedTransaction>) -> Self {
        sorted::sort_by_key(&mut transactions, |it| std::cmp::Reverse(it.first_offset));
        Self {
            coming: transactions,
            producers: SortedSet::new(),
        }
    }

    /// Whether consumers see the records of this batch, the next one.
    fn sees(&mut self, batch: &BatchView) -> Result<bool, BatchError> {
        while let Some(next) = self.coming.last()
            && next.first_offset <= batch.last_offset()
        {
            self.producers.insert(next.producer_id);
            self.coming.pop();
        }
        if batch.is_control() {
            if self.producers.contains(&batch.producer_id) && is_abort_marker(batch)? {
                self.producers.remove(&batch.producer_id);
            }
            return Ok(false);
        }
        Ok(!(batch.is_transactional() && self.producers.contains(&batch.producer_id)))
    }
}

/// Whether a control batch ends a transaction by taking it back: its record's key is a version and
/// a type, 0 for that.
fn is_abort_marker(batch: &BatchView) -> Result<bool, BatchError> {
    /// Larger than any marker.
    const LIMIT: usize = 1 << 16;
    let marker = batch.records(LIMIT)?.next().transpose()?;
    let key = marker.and_then(|marker| marker.key);
    Ok(key.is_some_and(|key| key.get(2..4) == Some(&[0, 0])))
}
