//! One partition's log: record batches in offset order, and the offsets that bound them.
//!
//! The log decides; it does not store. What is appended waits here until [`PartitionLog::flush`]
//! makes chunks of it for a write; [`PartitionLog::landed`] says that the write is durable, and only
//! then the high watermark rises. When a write fails the log is offline until its manifest was read
//! back ([`PartitionLog::restore`]).
//!
//! Invariants: log start offset <= last stable offset <= high watermark <= log end offset. What is
//! durable is a prefix. Chunks end where a write ends, so the high watermark is always the end of a
//! chunk.
//!
//! Sources: Kafka documentation, "Record Batch"; `UnifiedLog`; KIP-98 for sequences, KIP-101 for
//! epochs.

use std::collections::VecDeque;

use super::append::{AppendPolicy, Prepared, Refusal, prepare};
use super::chunk::NewChunk;
use super::epoch::Epochs;
use super::index::Index;
use super::producer_state::Producers;
use crate::broker::effect::{LogId, StorageError};
use crate::protocol::ErrorCode;
use crate::records::{BatchHeader, BatchView};

/// Whether a log can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It takes appends and answers reads.
    Online,
    /// It answers `KAFKA_STORAGE_ERROR`.
    Offline { why: StorageError, phase: Phase },
}

/// How far an offline log is on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Writes with it are still under way; `patient` says that it failed while it came back, and
    /// has to wait before it tries again.
    Draining { patient: bool },
    /// It waits for its timer before it is read back.
    Waiting,
    /// Its manifest, or what came after it, is being read.
    Reading,
    /// It is restored; its new epoch has to become durable before it is used.
    Announcing,
    /// What is stored of it cannot be used, and is left alone.
    Broken,
}

/// One partition's log.
#[derive(Debug)]
pub(crate) struct PartitionLog {
    pub(super) id: LogId,
    pub(super) state: State,
    /// Rises with each failure: what was begun before does not concern the log after it.
    pub(super) incarnation: u64,
    /// Rises whenever stored chunks are replaced or deleted.
    pub(super) generation: u64,
    pub(super) leader_epoch: i32,
    /// The leader epoch that others are told: one that is not durable yet might be forgotten in a
    /// crash, and must never be seen to go back.
    pub(super) announced_epoch: i32,
    /// The epoch of the stored manifest, if there was one.
    pub(super) stored_epoch: Option<i32>,
    pub(super) log_start: i64,
    pub(super) durable_start: i64,
    pub(super) high_watermark: i64,
    pub(super) log_end: i64,
    /// Up to where others have been told that it is durable.
    pub(super) known_end: i64,
    /// The log's end when it was opened: records below it may be stamped by a clock that ran ahead.
    pub(super) opened_end: i64,
    pub(super) index: Index,
    pub(super) epochs: Epochs,
    pub(super) producers: Producers,
    /// The same without what waits: what a manifest says.
    pub(super) written_producers: Producers,
    /// Appended, not yet in a write.
    pub(super) staged: VecDeque<Prepared>,
    pub(super) staged_bytes: usize,
    /// Headers of producers' batches that are not durable yet.
    pub(super) not_durable: VecDeque<BatchHeader>,
    /// Chunks that are to take the place of all below an offset.
    pub(super) replacement: Option<(i64, Vec<NewChunk>)>,
    /// The manifest says something else than the stored one.
    pub(super) changed: bool,
    /// Writes under way.
    pub(super) writes: u32,
    /// A replacement is among them.
    pub(super) replacing: bool,
    /// Below this, chunks are deleted already; likewise pages.
    pub(super) deleted_to: i64,
    pub(super) pages_deleted_to: Option<i64>,
    /// The offset as of which the producers' state is stored as a page, and the chunks since.
    pub(super) snapshot: Option<(i64, u32)>,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The first record's offset.
    pub(crate) base_offset: i64,
    /// When everything below this is durable, so is the batch.
    pub(crate) end: i64,
    /// The broker's time, under `LogAppendTime`; −1 else.
    pub(crate) log_append_time: i64,
    /// Whether it had been appended before.
    pub(crate) duplicate: bool,
}

impl PartitionLog {
    /// A log without records.
    pub(super) fn new(id: LogId, leader_epoch: i32) -> Self {
        let mut epochs = Epochs::default();
        epochs.assign(leader_epoch, 0);
        Self {
            id,
            state: State::Online,
            incarnation: 0,
            generation: 0,
            leader_epoch,
            announced_epoch: leader_epoch,
            stored_epoch: None,
            log_start: 0,
            durable_start: 0,
            high_watermark: 0,
            log_end: 0,
            known_end: 0,
            opened_end: 0,
            index: Index::default(),
            epochs,
            producers: Producers::default(),
            written_producers: Producers::default(),
            staged: VecDeque::new(),
            staged_bytes: 0,
            not_durable: VecDeque::new(),
            replacement: None,
            changed: false,
            writes: 0,
            replacing: false,
            deleted_to: 0,
            pages_deleted_to: None,
            snapshot: None,
        }
    }

    /// Its identity.
    pub(crate) fn id(&self) -> LogId {
        self.id
    }

    /// The first offset there is.
    pub(crate) fn log_start_offset(&self) -> i64 {
        self.log_start
    }

    /// Below it no transaction is open: without transactions, the high watermark.
    pub(crate) fn last_stable_offset(&self) -> i64 {
        self.high_watermark
    }

    /// Below it everything is durable.
    pub(crate) fn high_watermark(&self) -> i64 {
        self.high_watermark
    }

    /// The offset that the next record gets.
    pub(crate) fn log_end_offset(&self) -> i64 {
        self.log_end
    }

    /// The leader epoch; after a failure the old one, until the new one is durable.
    #[expect(
        clippy::misnamed_getters,
        reason = "the field is the newest epoch, which others may not see yet"
    )]
    pub(crate) fn leader_epoch(&self) -> i32 {
        self.announced_epoch
    }

    /// Bytes of record batches, appended ones included.
    pub(crate) fn size(&self) -> u64 {
        let staged = u64::try_from(self.staged_bytes).unwrap_or(u64::MAX);
        self.index.size().saturating_add(staged)
    }

    /// Whether it can be used.
    pub(crate) fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// Whether what is stored of it cannot be used.
    pub(super) fn is_broken(&self) -> bool {
        self.phase() == Some(Phase::Broken)
    }

    /// Why it cannot be used.
    pub(crate) fn failure(&self) -> Option<&StorageError> {
        match &self.state {
            State::Online => None,
            State::Offline { why, .. } => Some(why),
        }
    }

    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether stored chunks are just being replaced: they cannot be told from their successors.
    pub(crate) fn is_replacing(&self) -> bool {
        self.replacing
    }

    /// Checks the leader epoch that a client believes in, if it says one (KIP-320).
    ///
    /// # Errors
    /// `FENCED_LEADER_EPOCH` for an older one, `UNKNOWN_LEADER_EPOCH` for a newer one.
    pub(crate) fn check_epoch(&self, believed: i32) -> Result<(), ErrorCode> {
        match believed {
            i32::MIN..0 => Ok(()),
            old if old < self.leader_epoch => Err(ErrorCode::FENCED_LEADER_EPOCH),
            new if new > self.leader_epoch => Err(ErrorCode::UNKNOWN_LEADER_EPOCH),
            _ => Ok(()),
        }
    }

    /// The log start that is durable.
    pub(crate) fn durable_start(&self) -> i64 {
        self.durable_start
    }

    /// Bytes of the log's whole life up to an offset where a chunk ends.
    pub(crate) fn bytes_below(&self, offset: i64) -> u64 {
        self.index.total_bytes_below(offset)
    }

    /// Bytes that wait to be written.
    pub(crate) fn staged_bytes(&self) -> usize {
        self.staged_bytes
    }

    pub(super) fn known_end(&self) -> i64 {
        self.known_end
    }

    /// The size of the next chunk, roughly from above.
    pub(super) fn next_chunk_bytes(&self) -> usize {
        self.staged
            .front()
            .map_or(0, |batch| batch.header.size_in_bytes())
    }

    pub(super) fn opened_end(&self) -> i64 {
        self.opened_end
    }

    /// The end of a leader epoch: see [`Epochs::end_of`].
    pub(crate) fn end_of_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.epochs.end_of(epoch, self.log_end)
    }

    /// The epoch of the first record, if it is known.
    pub(crate) fn earliest_epoch(&self) -> Option<i32> {
        self.epochs.earliest(self.log_start)
    }

    /// Appends a client's batch; `no_room` says why there is no room for a new one, if so.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing has changed then.
    pub(crate) fn append(
        &mut self,
        batch: BatchView,
        policy: &AppendPolicy,
        no_room: Option<&str>,
    ) -> Result<Appended, Refusal> {
        if let Some(why) = self.failure() {
            return Err(Refusal::storage(why));
        }
        let batch = prepare(batch, policy)?;
        if batch.header.is_transactional() {
            return Err(ErrorCode::INVALID_TXN_STATE.into());
        }
        if batch.header.has_producer_id()
            && let Some(duplicate) = self.producers.check(&batch.header)?
        {
            return Ok(Appended {
                base_offset: duplicate.base_offset,
                end: duplicate.last_offset.saturating_add(1),
                log_append_time: duplicate.timestamp,
                duplicate: true,
            });
        }
        if let Some(why) = no_room {
            return Err(Refusal::storage(&StorageError::QuotaExceeded(why.into())));
        }
        let log_append_time = policy.log_append_time().unwrap_or(-1);
        self.stage(batch, log_append_time)
    }

    /// Appends a batch of the broker's own making.
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` while the log is offline.
    pub(super) fn append_internal(&mut self, batch: &BatchView) -> Result<Appended, Refusal> {
        if !self.is_online() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR.into());
        }
        let batch = Prepared {
            header: *batch.header(),
            records: batch.records_bytes(),
        };
        self.stage(batch, -1)
    }

    fn stage(&mut self, mut batch: Prepared, log_append_time: i64) -> Result<Appended, Refusal> {
        let base_offset = self.log_end;
        batch
            .header
            .set_base_offset_and_epoch(base_offset, self.leader_epoch);
        let end = i64::from(batch.header.last_offset_delta)
            .checked_add(1)
            .and_then(|count| base_offset.checked_add(count))
            .filter(|&end| end > base_offset)
            .ok_or(ErrorCode::INVALID_RECORD)?;
        if batch.header.has_producer_id() {
            self.producers.note(&batch.header);
            self.not_durable.push_back(batch.header);
        }
        self.log_end = end;
        self.staged_bytes = self
            .staged_bytes
            .saturating_add(batch.header.size_in_bytes());
        self.staged.push_back(batch);
        Ok(Appended {
            base_offset,
            end,
            log_append_time,
            duplicate: false,
        })
    }

    /// Moves the log start up to `offset`, which must not lie above the high watermark. Chunks go
    /// separately: see `trim`.
    pub(super) fn advance_start(&mut self, offset: i64) {
        if offset > self.log_start && offset <= self.high_watermark {
            self.log_start = offset;
            self.epochs.truncate_front(offset);
            self.generation = self.generation.wrapping_add(1);
            self.changed = true;
        }
    }

    /// Takes chunks out of the index.
    pub(super) fn trim(&mut self, how: impl FnOnce(&mut Index)) {
        let first = self.index.first();
        how(&mut self.index);
        if self.index.first() != first || self.index.is_empty() {
            self.generation = self.generation.wrapping_add(1);
            self.changed = true;
        }
    }

    /// Begins this opening's leader epoch: at least `at_least`, which is durable otherwise, and
    /// above the one that is stored.
    pub(super) fn raise_epoch(&mut self, at_least: i32) {
        let above = self
            .stored_epoch
            .map_or(0, |stored| stored.saturating_add(1));
        self.begin_epoch(above.max(at_least), above <= at_least);
    }

    /// Begins a leader epoch; `durable` says that it is known to be durable otherwise.
    pub(super) fn begin_epoch(&mut self, epoch: i32, durable: bool) {
        self.leader_epoch = epoch;
        self.epochs.assign(epoch, self.log_end);
        self.changed |= !durable;
        if durable {
            self.announced_epoch = epoch;
        }
    }

    /// Has everything below `below`, where a chunk ends, replaced by these chunks.
    pub(super) fn replace_below(&mut self, below: i64, chunks: Vec<NewChunk>) {
        self.replacement = Some((below, chunks));
    }

    /// Forgets producers that have not written for long.
    pub(super) fn expire_producers(&mut self, now: i64, expiration_ms: i64) {
        self.producers.expire(now, expiration_ms);
        self.written_producers.expire(now, expiration_ms);
    }
}
