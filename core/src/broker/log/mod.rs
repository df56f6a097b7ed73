//! Partition logs: what is appended, what is durable, what is indexed.
//!
//! [`Logs`] has every log of the broker and is all that talks to storage. An append stages a batch
//! ([`append`], [`partition`]); when nothing else is left to do, what waits in all logs is made
//! chunks and goes into one write ([`flush`], [`storage`]); its reply raises the high watermarks.
//! Chunks are listed in an [`index`] with pages; a [`manifest`] per log is all that opening reads.
//! A failed write takes its logs back to what is durable ([`restore`], [`recovery`]).
//!
//! Others learn of it by [`LogNotice`]s.
#![deny(clippy::arithmetic_side_effects)]

mod access;
mod append;
mod cache;
mod chunk;
mod encoding;
mod epoch;
mod flush;
mod index;
mod lookup;
mod manifest;
mod partition;
mod producer_state;
mod recovery;
mod restore;
mod retention;
mod session;
mod storage;
#[cfg(test)]
mod tests;
mod walk;

use crate::sorted::SortedMap;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::effect::LogId;
use super::{Broker, Timer};
use crate::protocol::ErrorCode;
use crate::records::{BatchHeader, BatchView, Batches, NO_TIMESTAMP};
use crate::sabotage::{Rule, broken};
use access::Reads;
use cache::Cache;
use chunk::{NewChunk, build};
use index::Page;
use storage::WriteQueue;

pub(crate) use access::Found;
pub(crate) use append::{AppendPolicy, Refusal};
pub(crate) use chunk::{BatchPosition, Positions};
pub(crate) use lookup::TimestampAndOffset;
pub(crate) use partition::{Appended, PartitionLog};
pub(crate) use session::{Answered, FetchSessions, SessionKey, SessionPartition, SessionUse};

/// How many index pages are kept in memory.
const CACHED_PAGES: usize = 256;
/// Of how many batches it is remembered where they lie.
const CACHED_POSITIONS: usize = 100_000;

/// Something a log reports to the rest of the broker.
#[derive(Debug)]
pub(crate) enum LogNotice {
    /// Everything below the high watermark is durable now.
    Advanced { log: LogId, high_watermark: i64 },
    /// The log failed: whatever was not durable is gone, or the log is.
    Failed { log: LogId },
    /// Batches of a log that is being replayed, in order. Also what turned out to be durable after
    /// a failure whose outcome was not known, for logs of hard state.
    Replayed { log: LogId, batches: Bytes },
    /// The replay has ended.
    ReplayEnded {
        log: LogId,
        result: Result<(), ReplayFailed>,
    },
}

/// A log could not be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayFailed(pub(crate) String);

/// All logs of the broker.
#[derive(Debug)]
pub(crate) struct Logs {
    logs: SortedMap<LogId, PartitionLog>,
    notices: VecDeque<LogNotice>,
    queue: WriteQueue,
    reads: Reads,
    pages: Cache<Arc<Page>>,
    positions: Cache<Positions>,
    /// The host's words, since a write found no room and until records are stored again.
    storage_full: Option<String>,
    /// The host's words, while it says that there is no room for records.
    no_room: Option<String>,
    /// Wall time of opening: what is stamped later was stamped by a clock that ran ahead.
    opened_at: i64,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            logs: SortedMap::new(),
            notices: VecDeque::new(),
            queue: WriteQueue::default(),
            reads: Reads::default(),
            pages: Cache::new(CACHED_PAGES),
            positions: Cache::new(CACHED_POSITIONS),
            storage_full: None,
            no_room: None,
            opened_at: 0,
        }
    }
}

impl Logs {
    /// Bytes of batches that have not been handed to storage yet.
    pub(super) fn staged_bytes(&self) -> usize {
        let staged = self.logs.values().map(PartitionLog::staged_bytes);
        staged.fold(0, usize::saturating_add)
    }

    /// One log.
    pub(crate) fn get(&self, log: LogId) -> Option<&PartitionLog> {
        self.logs.get(&log)
    }

    /// The next thing that others should know.
    pub(super) fn poll_notice(&mut self) -> Option<LogNotice> {
        self.notices.pop_front()
    }

    /// Why storage has no room, while it has none.
    pub(crate) fn storage_full(&self) -> Option<&str> {
        self.no_room.as_deref().or(self.storage_full.as_deref())
    }

    /// What the host says of the room for records; whether that is news.
    pub(super) fn note_room(&mut self, none: Option<String>) -> bool {
        let before = self.storage_full().is_some();
        if none.is_none() {
            self.storage_full = None;
        }
        self.no_room = none;
        before != self.storage_full().is_some()
    }

    /// The largest leader epoch of any log.
    pub(crate) fn max_leader_epoch(&self) -> i32 {
        let epochs = self.logs.values().map(PartitionLog::leader_epoch);
        epochs.max().unwrap_or(0)
    }
}

impl Broker {
    /// Makes an empty log, unless there is one.
    pub(crate) fn create_log(&mut self, log: LogId, leader_epoch: i32) {
        self.logs
            .logs
            .entry(log)
            .or_insert_with(|| PartitionLog::new(log, leader_epoch));
    }

    /// Deletes a log with everything stored of it. Whoever waits for it gets an error at once.
    pub(crate) fn drop_log(&mut self, log: LogId) {
        if self.logs.logs.remove(&log).is_some() {
            self.logs.pages.forget(log);
            self.logs.positions.forget(log);
            self.logs.queue.drop_log(log);
            self.logs.notices.push_back(LogNotice::Failed { log });
        }
    }

    /// The high watermark and the log end offset; `None` if there is no such log.
    pub(crate) fn log_bounds(&self, log: LogId) -> Option<(i64, i64)> {
        let log = self.logs.get(log)?;
        Some((log.high_watermark(), log.log_end_offset()))
    }

    /// The leader epoch of a log; −1 if there is no such log.
    pub(crate) fn leader_epoch(&self, log: LogId) -> i32 {
        self.logs.get(log).map_or(-1, PartitionLog::leader_epoch)
    }

    /// The logs there are.
    pub(crate) fn restored_logs(&self) -> Vec<LogId> {
        self.logs.logs.keys().copied().collect()
    }

    /// Appends a batch of the broker's own making and returns its first offset. It is not durable
    /// yet.
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` while the log is offline or if there is none;
    /// `UNKNOWN_SERVER_ERROR` for what is not a batch.
    pub(crate) fn append_internal(&mut self, log: LogId, batch: Bytes) -> Result<i64, ErrorCode> {
        let (batch, _) = BatchView::parse(batch).map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)?;
        let found = self.logs.logs.get_mut(&log);
        let found = found.ok_or(ErrorCode::KAFKA_STORAGE_ERROR)?;
        let appended = found
            .append_internal(&batch)
            .map_err(|refusal| refusal.code)?;
        self.log_changed(log);
        Ok(appended.base_offset)
    }

    /// Appends a client's batch.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing has changed then.
    pub(crate) fn append(
        &mut self,
        log: LogId,
        batch: BatchView,
        policy: &AppendPolicy,
    ) -> Result<Appended, Refusal> {
        let found = self.logs.logs.get_mut(&log);
        let found = found.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let appended = found.append(batch, policy, self.logs.no_room.as_deref())?;
        if !appended.duplicate {
            self.log_changed(log);
        }
        Ok(appended)
    }

    /// Begins a leader epoch of every log: at least `at_least`, which is durable, and above all
    /// the log had before.
    pub(crate) fn raise_epochs(&mut self, at_least: i32) {
        let mut changed = Vec::new();
        for (id, log) in &mut self.logs.logs {
            if log.is_online() && !broken(Rule::EpochsRise) {
                log.raise_epoch(at_least);
                changed.push(*id);
            }
        }
        for log in changed {
            self.log_changed(log);
        }
    }

    /// Has the chunks of a log below `below` replaced, atomically, by batches whose records keep
    /// their offsets, all below `below` and ascending. `below` has to be the high watermark.
    /// Whether that could be begun: not while the log is offline.
    pub(crate) fn replace_below(&mut self, log: LogId, below: i64, batches: Vec<Bytes>) -> bool {
        let Some(chunks) = pack(batches, below) else {
            return false;
        };
        let Some(found) = self.logs.logs.get_mut(&log) else {
            return false;
        };
        if !found.is_online() || found.high_watermark() != below {
            return false;
        }
        found.replace_below(below, chunks);
        self.log_changed(log);
        true
    }

    /// Notes that a log has something to write, and that its bounds may have moved.
    fn log_changed(&mut self, log: LogId) {
        if self
            .logs
            .logs
            .get(&log)
            .is_some_and(PartitionLog::wants_write)
        {
            self.logs.queue.mark(log);
        }
        self.observe_log(log);
    }

    fn observe_log(&mut self, log: LogId) {
        if self.observer.watching()
            && let Some(topic) = self.topic_of(log)
        {
            let name = topic.name.clone();
            self.observer.partition(&name, log.partition);
        }
    }

    /// Arms the timer of retention: clean-up never runs during opening.
    pub(crate) fn schedule_clean_up(&mut self) {
        let interval = self.config.long("log.retention.check.interval.ms");
        let deadline = self.clock.monotonic().after_millis(interval);
        self.timers.schedule(deadline, Timer::Retention);
    }
}

/// Chunks of batches that have their offsets already; each covers all offsets up to the next.
/// `None` if they are no ascending batches below `below`.
fn pack(batches: Vec<Bytes>, below: i64) -> Option<Vec<NewChunk>> {
    let mut waiting = VecDeque::new();
    let mut next = 0;
    for bytes in batches {
        for batch in Batches::new(bytes) {
            let batch = batch.ok()?;
            let header: BatchHeader = *batch.header();
            if header.base_offset < next || header.last_offset() >= below {
                return None;
            }
            next = header.next_offset();
            waiting.push_back(append::Prepared {
                header,
                records: batch.records_bytes(),
            });
        }
    }
    let mut chunks: Vec<NewChunk> = Vec::new();
    while let Some(taken) = chunk::take_front(&mut waiting, usize::MAX) {
        let chunk = build(taken, NO_TIMESTAMP)?;
        if let Some(previous) = chunks.last_mut() {
            previous.chunk.last = chunk.chunk.base.saturating_sub(1);
        }
        chunks.push(chunk);
    }
    Some(chunks)
}
