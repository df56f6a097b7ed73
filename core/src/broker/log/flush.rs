//! What a log puts into writes: new chunks, index pages, deletions, and its manifest.
//!
//! A write is atomic, so manifest and chunks never disagree in storage. What does not fit waits for
//! the next write; the manifest then speaks of what is written, not of what waits.

use super::chunk::{NewChunk, Positions, build, take_front};
use super::index::Chunk;
use super::manifest::{INLINE_PRODUCERS, Manifest, SNAPSHOT_KEY, Snapshot, encode_snapshot};
use super::partition::{PartitionLog, Phase, State};
use crate::broker::effect::WriteOp;

/// The producers' state, where it is a page of its own, is renewed after so many chunks: opening
/// reads the headers of no more than that.
const SNAPSHOT_CHUNKS: u32 = 64;

/// What a log puts into a write.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    pub(super) ops: Vec<WriteOp>,
    /// The bytes of new chunks.
    pub(super) bytes: usize,
    /// Where the batches of new chunks lie, by chunk.
    pub(super) positions: Vec<(i64, Positions)>,
    /// Below this, all chunks were replaced.
    pub(super) replaced_below: Option<i64>,
}

impl PartitionLog {
    /// Whether there is something to write, and it may be written now.
    pub(super) fn wants_write(&self) -> bool {
        match &self.state {
            State::Online => {
                // A replacement changes chunks under their keys: nothing else may be under way.
                let waits = self.replacing || (self.replacement.is_some() && self.writes > 0);
                let any = self.changed || !self.staged.is_empty() || self.replacement.is_some();
                any && !waits
            }
            State::Offline { phase, .. } => *phase == Phase::Announcing && self.writes == 0,
        }
    }

    /// Whether it only has to make its new epoch durable.
    pub(super) fn is_announcing(&self) -> bool {
        matches!(
            self.state,
            State::Offline {
                phase: Phase::Announcing,
                ..
            }
        )
    }

    /// Puts what waits into write `id`, as long as new chunks fit into `room` bytes.
    pub(super) fn flush(&mut self, id: u64, room: usize, now: i64) -> Flushed {
        let mut flushed = Flushed::default();
        if let Some((below, chunks)) = self.replacement.take() {
            self.flush_replacement(below, chunks, &mut flushed);
        }
        self.flush_deletes(&mut flushed);
        while let Some(batches) = take_front(&mut self.staged, room.saturating_sub(flushed.bytes)) {
            for batch in &batches {
                self.written_producers.note(&batch.header);
            }
            let Some(chunk) = build(batches, now) else {
                break;
            };
            self.index.push(chunk.chunk);
            self.put(chunk, &mut flushed);
        }
        self.staged_bytes = self.staged.iter().fold(0, |sum, batch| {
            sum.saturating_add(batch.header.size_in_bytes())
        });
        while let Some(page) = self.index.spill(id) {
            self.pages_deleted_to = self.pages_deleted_to.or_else(|| Some(page.key()));
            flushed.ops.push(WriteOp::PutPage {
                log: self.id,
                base_offset: page.key(),
                bytes: page.encode(),
            });
        }
        self.flush_manifest(&mut flushed);
        self.changed = false;
        self.writes = self.writes.saturating_add(1);
        flushed
    }

    fn put(&mut self, chunk: NewChunk, flushed: &mut Flushed) {
        let size = usize::try_from(chunk.chunk.size).unwrap_or(usize::MAX);
        flushed.bytes = flushed.bytes.saturating_add(size);
        let base_offset = chunk.chunk.base;
        flushed.positions.push((base_offset, chunk.positions));
        flushed.ops.push(WriteOp::PutChunk {
            log: self.id,
            base_offset,
            bytes: chunk.bytes,
        });
        if let Some((_, since)) = &mut self.snapshot {
            *since = since.saturating_add(1);
        }
    }

    fn flush_replacement(&mut self, below: i64, chunks: Vec<NewChunk>, flushed: &mut Flushed) {
        flushed.ops.push(WriteOp::DeleteChunks {
            log: self.id,
            from: 0,
            to: below,
        });
        if self.pages_deleted_to.take().is_some() {
            flushed.ops.push(WriteOp::DeletePages {
                log: self.id,
                from: 0,
                to: below,
            });
        }
        let replaced: Vec<Chunk> = chunks.iter().map(|chunk| chunk.chunk).collect();
        self.index.replace_below(below, replaced);
        self.deleted_to = self.index.first();
        for chunk in chunks {
            self.put(chunk, flushed);
        }
        self.generation = self.generation.wrapping_add(1);
        self.replacing = true;
        flushed.replaced_below = Some(below);
    }

    /// Deletes chunks and pages that the index no longer has.
    fn flush_deletes(&mut self, flushed: &mut Flushed) {
        let log = self.id;
        let first = self.index.first();
        if first > self.deleted_to {
            let from = self.deleted_to;
            let to = first;
            flushed.ops.push(WriteOp::DeleteChunks { log, from, to });
            self.deleted_to = first;
        }
        if let Some(from) = self.pages_deleted_to {
            let left = self.index.first_page();
            let to = left.unwrap_or_else(|| self.index.tail_base());
            if to > from {
                flushed.ops.push(WriteOp::DeletePages { log, from, to });
            }
            self.pages_deleted_to = left;
        }
    }

    fn flush_manifest(&mut self, flushed: &mut Flushed) {
        let waiting = self.staged.front();
        let end = waiting.map_or(self.log_end, |batch| batch.header.base_offset);
        let apart = self.flush_snapshot(end, flushed);
        let manifest = Manifest {
            log: self.id,
            leader_epoch: self.leader_epoch,
            log_start: self.log_start,
            log_end: end,
            index: &self.index,
            epochs: &self.epochs,
            producers: match apart {
                None => Snapshot::Inline(&self.written_producers),
                Some(covers) => Snapshot::Page(covers),
            },
        };
        flushed.ops.push(WriteOp::PutManifest {
            log: self.id,
            bytes: manifest.encode(),
        });
    }

    /// With many producers their state is a page, renewed now and then: as of which offset.
    fn flush_snapshot(&mut self, end: i64, flushed: &mut Flushed) -> Option<i64> {
        if self.written_producers.len() <= INLINE_PRODUCERS {
            self.snapshot = None;
            return None;
        }
        if let Some((covers, since)) = self.snapshot
            && since < SNAPSHOT_CHUNKS
        {
            return Some(covers);
        }
        self.snapshot = Some((end, 0));
        flushed.ops.push(WriteOp::PutPage {
            log: self.id,
            base_offset: SNAPSHOT_KEY,
            bytes: encode_snapshot(end, &self.written_producers),
        });
        Some(end)
    }

    /// A write with this log's part from `start` up to `end` is durable.
    pub(super) fn landed(&mut self, start: i64, end: i64) {
        self.durable_start = self.durable_start.max(start);
        self.writes = self.writes.saturating_sub(1);
        self.replacing = false;
        self.high_watermark = self.high_watermark.max(end);
        self.known_end = self.high_watermark;
        while let Some(batch) = self.not_durable.front()
            && batch.last_offset() < self.high_watermark
        {
            self.not_durable.pop_front();
        }
    }

    /// Where the part of the write that was just flushed ends.
    pub(super) fn written_end(&self) -> i64 {
        let waiting = self.staged.front();
        waiting.map_or(self.log_end, |batch| batch.header.base_offset)
    }
}
