//! Keeping the log of a partition short: what is replayed stays in proportion to what is live.
//!
//! When more has been written than a few times what is live, the durable values are written as
//! batches that take the place of everything below the high watermark, atomically. Records keep
//! their offsets. Tombstones are not among them: nothing below is left that they would have to
//! delete.

use bytes::Bytes;

use super::partition::{Partition, Phase};
use super::records::Change;
use crate::broker::Broker;
use crate::broker::metadata::batches_at_offsets;
use crate::records::Record;
use crate::sorted;

/// Below this many records replay is quick whatever they say.
const ALWAYS_ALLOWED: usize = 1_000;
/// How many records there may be for each that is live.
const PER_LIVE_RECORD: usize = 4;

impl Broker {
    /// Compacts a partition's log if replaying it would take too long.
    pub(super) fn compact_group_log(&mut self, partition: i32) {
        let Some(found) = self.groups.partitions.get(&partition) else {
            return;
        };
        let live = found.live();
        let allowed = live.saturating_mul(PER_LIVE_RECORD).max(ALWAYS_ALLOWED);
        if found.phase != Phase::Ready || found.replayable <= allowed {
            return;
        }
        let log = found.log;
        let Some((high_watermark, _)) = self.log_bounds(log) else {
            return;
        };
        // What cannot be done now is tried again after the next write: the log is only longer.
        if let Some(batches) = found.compacted()
            && self.replace_below(log, high_watermark, batches)
            && let Some(found) = self.groups.partitions.get_mut(&partition)
        {
            found.replayable = live;
        }
    }
}

impl Partition {
    /// The durable values as batches, in order of offset; `None` if they cannot be written, which
    /// would be strange for what was written or read before.
    fn compacted(&self) -> Option<Vec<Bytes>> {
        let mut records: Vec<(i64, Record)> = Vec::with_capacity(self.live());
        for (key, versioned) in self.offsets.iter_durable() {
            let change = Change::Commit(key.clone(), Some(versioned.value.clone()));
            let record = change.to_record().ok()?;
            let timestamp = versioned.value.timestamp;
            records.push((
                versioned.offset,
                Record::new(timestamp, record.key, record.value),
            ));
        }
        for (group, versioned) in self.metadata.iter_durable() {
            let stored = &versioned.value;
            let record = Change::Group(group.clone(), Some(stored.value.clone()))
                .to_record()
                .ok()?;
            let timestamp = stored.timestamp;
            records.push((
                versioned.offset,
                Record::new(timestamp, record.key, record.value),
            ));
        }
        sorted::sort_by_key(&mut records, |&(offset, _)| offset);
        batches_at_offsets(records).ok()
    }
}
