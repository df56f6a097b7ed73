//! The write queue: what waits in all logs goes into one write; at most two are under way.
//!
//! Writes take effect in order, or not at all from the first failure on. So when one fails, those
//! behind it are doomed: their logs fail with it, and nothing new is written until all of them are
//! answered. A reply that does not fit this order means that what is stored is unknown: the broker
//! stops.

use crate::sorted::SortedSet;
use std::collections::VecDeque;

use super::partition::Phase;
use super::{LogNotice, Logs};
use crate::broker::effect::{
    Effect, LogId, MAX_WRITE_BYTES, MAX_WRITES_IN_FLIGHT, Reply, StorageError, Write, WriteOp,
};
use crate::broker::{Broker, Lifecycle, Output, Timer};
use crate::sabotage::{Rule, broken};

/// After how long a failed log is tried again, in milliseconds.
const RETRY_AFTER: i64 = 500;

/// A log's part in a write.
#[derive(Debug)]
struct Part {
    log: LogId,
    /// The log's incarnation when the write was issued.
    incarnation: u64,
    /// The log start that the write makes durable, and up to where it makes the log durable.
    start: i64,
    end: i64,
    /// It has new chunks.
    chunks: bool,
}

#[derive(Debug)]
struct InFlight {
    id: u64,
    parts: Vec<Part>,
    drops: Vec<LogId>,
    /// One before it failed.
    doomed: bool,
    /// Nothing may be issued behind it: it tries whether failed logs can be used again.
    alone: bool,
}

/// Writes under way and logs that wait for one.
#[derive(Debug, Default)]
pub(super) struct WriteQueue {
    in_flight: VecDeque<InFlight>,
    next_id: u64,
    waiting: VecDeque<LogId>,
    marked: SortedSet<LogId>,
    /// Logs to be deleted.
    drops: Vec<LogId>,
}

impl WriteQueue {
    /// Has a log put what waits in it into a write to come.
    pub(super) fn mark(&mut self, log: LogId) {
        if self.marked.insert(log) {
            self.waiting.push_back(log);
        }
    }

    /// Has everything of a log deleted.
    pub(super) fn drop_log(&mut self, log: LogId) {
        self.drops.push(log);
    }

    fn may_issue(&self) -> bool {
        self.in_flight.len() < MAX_WRITES_IN_FLIGHT
            && !self
                .in_flight
                .iter()
                .any(|write| write.doomed || write.alone)
    }
}

impl Logs {
    /// Makes the next write of what waits, if there may be one.
    fn next_write(&mut self, now: i64) -> Option<(u64, Vec<WriteOp>)> {
        if !self.queue.may_issue() {
            return None;
        }
        let announcing = |logs: &Self, log: &LogId| {
            logs.get(*log)
                .is_some_and(|found| found.is_announcing() && found.wants_write())
        };
        let alone = self.queue.waiting.iter().any(|log| announcing(self, log));
        if alone && !self.queue.in_flight.is_empty() {
            return None;
        }
        let id = self.queue.next_id;
        let mut write = InFlight {
            id,
            parts: Vec::new(),
            drops: Vec::new(),
            doomed: false,
            alone,
        };
        let mut ops = Vec::new();
        let mut bytes = 0usize;
        for _ in 0..self.queue.waiting.len() {
            let Some(log) = self.queue.waiting.pop_front() else {
                break;
            };
            if alone != announcing(self, &log) || bytes >= MAX_WRITE_BYTES {
                self.queue.waiting.push_back(log);
                continue;
            }
            self.queue.marked.remove(&log);
            bytes = bytes.saturating_add(self.flush_into(log, (bytes, now), &mut write, &mut ops));
        }
        if !alone {
            write.drops = std::mem::take(&mut self.queue.drops);
            ops.extend(write.drops.iter().map(|&log| WriteOp::DropLog { log }));
        }
        if ops.is_empty() {
            return None;
        }
        self.queue.next_id = id.wrapping_add(1);
        self.queue.in_flight.push_back(write);
        Some((id, ops))
    }

    /// Adds one log's part to a write that has so many `bytes` of chunks; returns the part's.
    fn flush_into(
        &mut self,
        id: LogId,
        (bytes, now): (usize, i64),
        write: &mut InFlight,
        ops: &mut Vec<WriteOp>,
    ) -> usize {
        let Some(log) = self.logs.get_mut(&id) else {
            return 0;
        };
        if !log.wants_write() {
            return 0;
        }
        // A chunk that is larger than a whole write goes alone.
        let room = match bytes {
            0 => MAX_WRITE_BYTES.max(log.next_chunk_bytes()),
            _ => MAX_WRITE_BYTES.saturating_sub(bytes),
        };
        let flushed = log.flush(write.id, room, now);
        ops.extend(flushed.ops);
        if let Some(below) = flushed.replaced_below {
            self.pages.forget(id);
            self.positions.forget_below(id, below);
        }
        for (base, positions) in flushed.positions {
            let weight = positions.len();
            self.positions.insert(id, base, positions, weight);
        }
        write.parts.push(Part {
            log: id,
            incarnation: log.incarnation(),
            start: log.log_start_offset(),
            end: log.written_end(),
            chunks: flushed.bytes > 0,
        });
        if broken(Rule::StorageAnswersFirst) {
            log.landed(log.log_start_offset(), log.written_end());
        }
        if log.wants_write() {
            self.queue.mark(id);
        }
        flushed.bytes
    }
}

impl Broker {
    /// Issues writes of what waits, as many as may be under way; whether there was any.
    pub(in crate::broker) fn flush_logs(&mut self) -> bool {
        let mut any = false;
        let now = self.clock.wall().0;
        while !matches!(self.lifecycle, Lifecycle::Failed(_))
            && let Some((id, ops)) = self.logs.next_write(now)
        {
            let issued = self.logs.queue.in_flight.back();
            let records = issued.is_some_and(|write| self.has_records(write));
            self.output(Output::Effect(Effect::Write(Write { id, ops, records })));
            any = true;
        }
        any
    }

    /// Storage has answered.
    pub(in crate::broker) fn storage_replied(&mut self, reply: Reply) {
        if matches!(self.lifecycle, Lifecycle::Failed(_)) {
            return;
        }
        match reply {
            Reply::Loaded(result) => self.loaded(result),
            Reply::Written { id, result } => self.written(id, result),
            Reply::Read { id, result } => self.read_replied(id, result),
        }
    }

    fn written(&mut self, id: u64, result: Result<(), StorageError>) {
        let Some(write) = self.logs.queue.in_flight.front() else {
            return self.fail("storage answered a write that is not under way".to_owned());
        };
        if write.id != id || (write.doomed && result.is_ok()) {
            return self.fail("storage did not hold to the order of writes".to_owned());
        }
        let Some(write) = self.logs.queue.in_flight.pop_front() else {
            return;
        };
        match result {
            Ok(()) => self.write_succeeded(&write),
            Err(StorageError::Fenced(text)) => {
                self.fail(StorageError::Fenced(text).to_string());
            }
            Err(why) => self.write_failed(&write, why),
        }
    }

    fn write_succeeded(&mut self, write: &InFlight) {
        if self.logs.storage_full.is_some() && self.has_records(write) {
            self.logs.storage_full = None;
            self.observer.state();
        }
        for part in &write.parts {
            let Some(log) = self.logs.logs.get_mut(&part.log) else {
                continue;
            };
            if log.incarnation() != part.incarnation {
                log.drained();
                continue;
            }
            log.landed(part.start, part.end);
            let high_watermark = log.high_watermark();
            let pages = log.index.take_written(write.id);
            if log.is_announcing() {
                log.come_online();
            }
            for page in pages {
                self.logs.pages.insert(part.log, page.key(), page, 1);
            }
            self.logs.notices.push_back(LogNotice::Advanced {
                log: part.log,
                high_watermark,
            });
            self.log_changed(part.log);
        }
    }

    /// Whether a write has records of clients: if it succeeds, storage has room. That a commit or
    /// a manifest still fits proves nothing.
    fn has_records(&self, write: &InFlight) -> bool {
        let clients = |log| self.topic_of(log).is_some_and(|topic| !topic.internal);
        let mut parts = write.parts.iter();
        parts.any(|part| part.chunks && clients(part.log))
    }

    /// The logs of the write, and of all issued behind it, go back to what is durable.
    fn write_failed(&mut self, write: &InFlight, why: StorageError) {
        if let StorageError::QuotaExceeded(text) = &why {
            self.logs.storage_full = Some(text.clone());
            self.observer.state();
        }
        let deadline = self.clock.monotonic().after_millis(RETRY_AFTER);
        for &log in &write.drops {
            self.timers.schedule(deadline, Timer::DropLog(log));
        }
        if !write.doomed {
            let mut hit: SortedSet<LogId> = write.parts.iter().map(|part| part.log).collect();
            for behind in &mut self.logs.queue.in_flight {
                behind.doomed = true;
                hit.extend(behind.parts.iter().map(|part| part.log));
            }
            for log in hit {
                self.fail_log(log, &why);
            }
        }
        for part in &write.parts {
            if let Some(log) = self.logs.logs.get_mut(&part.log) {
                log.drained();
            }
        }
        if self.logs.queue.in_flight.is_empty() {
            self.read_back_drained(deadline);
        }
    }

    fn fail_log(&mut self, log: LogId, why: &StorageError) {
        let Some(found) = self.logs.logs.get_mut(&log) else {
            return;
        };
        found.fail(why.clone());
        self.logs.pages.forget(log);
        self.logs.positions.forget(log);
        self.logs.notices.push_back(LogNotice::Failed { log });
        self.observe_log(log);
    }

    /// All writes of failed logs are answered: reads the logs back, at once or, if they failed
    /// while they came back, a little later.
    fn read_back_drained(&mut self, later: crate::time::Monotonic) {
        let mut now = Vec::new();
        for (id, log) in &mut self.logs.logs {
            if let Some(Phase::Draining { patient }) = log.phase() {
                log.set_phase(Phase::Waiting);
                if patient {
                    self.timers.schedule(later, Timer::ReadBack(*id));
                } else {
                    now.push(*id);
                }
            }
        }
        for log in now {
            self.read_back(log);
        }
    }

    /// A deletion that failed is tried again.
    pub(in crate::broker) fn drop_again(&mut self, log: LogId) {
        self.logs.queue.drop_log(log);
    }
}
