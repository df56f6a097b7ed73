//! Compaction of the metadata log: the durable records that stand, at their own offsets, take the
//! place of everything before them, so that opening never replays more than a bound.

use super::METADATA_LOG;
use super::state::encode_record;
use crate::broker::Broker;
use crate::records::{BatchBuilder, BatchError, Record};
use crate::sorted;
use bytes::Bytes;

/// A log is compacted when it has this many records more than stand.
const SLACK: usize = 1_000;

impl Broker {
    /// Compacts the metadata log if it has grown far beyond what stands in it.
    pub(super) fn compact_metadata(&mut self) {
        let standing = self.metadata.state.len_durable();
        if self.metadata.uncompacted < standing.saturating_mul(2).saturating_add(SLACK)
            || self.metadata.state.has_pending()
        {
            return;
        }
        let Some((high_watermark, _)) = self.log_bounds(METADATA_LOG) else {
            return;
        };
        let timestamp = self.clock.wall().0;
        let mut entries: Vec<(i64, Bytes)> = self
            .metadata
            .state
            .iter_durable()
            .filter_map(|(_, versioned)| Some((versioned.offset, encode_record(&versioned.value)?)))
            .collect();
        sorted::sort_by_key(&mut entries, |&(offset, _)| offset);
        let batches = batches_at_offsets(
            entries
                .into_iter()
                .map(|(offset, value)| (offset, Record::new(timestamp, None, Some(value)))),
        );
        // If it cannot be done now, the next change tries again: nothing is lost by waiting.
        if let Ok(batches) = batches
            && self.replace_below(METADATA_LOG, high_watermark, batches)
        {
            self.metadata.uncompacted = standing;
        }
    }
}

/// Batches of records that keep their offsets, in ascending order; offsets may have gaps.
///
/// # Errors
/// If a record is too large for any batch.
pub(crate) fn batches_at_offsets(
    records: impl IntoIterator<Item = (i64, Record)>,
) -> Result<Vec<Bytes>, BatchError> {
    /// A batch is closed at this size.
    const BATCH_BYTES: usize = 256 << 10;
    let mut batches = Vec::new();
    let mut open: Option<(i64, BatchBuilder)> = None;
    for (offset, record) in records {
        if let Some((base, builder)) = &mut open
            && builder.uncompressed_size() < BATCH_BYTES
            && let Ok(delta) = i32::try_from(offset.saturating_sub(*base))
            && builder.push_at(delta, &record).is_ok()
        {
            continue;
        }
        if let Some((_, builder)) = open.take() {
            batches.push(builder.build()?);
        }
        let mut builder = BatchBuilder::new().base_offset(offset, 0);
        builder.push_at(0, &record)?;
        open = Some((offset, builder));
    }
    if let Some((_, builder)) = open {
        batches.push(builder.build()?);
    }
    Ok(batches)
}
