//! Retention: old chunks go by age, by size, or because the log start passed them.
//!
//! A chunk is the unit of deletion, as a segment is in Kafka: from the front, as long as each is
//! durable and old or excessive, the newest included. Whole records may so be kept longer than
//! asked, never shorter. A chunk is as old as its youngest record; one that was stamped by a clock
//! that ran ahead counts from the opening of the database.
//!
//! Sources: `UnifiedLog.deleteOldSegments`; KIP-107.

use super::PartitionLog;
use super::access::Found;
use super::index::Chunk;
use crate::broker::Broker;
use crate::broker::config::TopicConfig;
use crate::broker::effect::LogId;

/// A look at a log's chunks from the front.
#[derive(Debug)]
struct Sweep {
    log: LogId,
    /// `retention.ms`, unless nothing grows old.
    retention_ms: Option<i64>,
    /// `retention.bytes`, unless nothing is too much.
    retention_bytes: Option<u64>,
    /// How many bytes are too much, once known.
    excess: Option<u64>,
    /// The next chunk to look at. Everything before goes.
    next: i64,
}

impl Broker {
    /// Deletes what is past its retention, in all logs, and arms the timer again.
    pub(in crate::broker) fn clean_up(&mut self) {
        let now = self.clock.wall().0;
        let expiration = self.config.long("producer.id.expiration.ms");
        for log in self.restored_logs() {
            if let Some(found) = self.logs.logs.get_mut(&log) {
                found.expire_producers(now, expiration);
            }
            self.trim(log);
            if let Some(sweep) = self.topic_of(log).and_then(|t| Sweep::new(log, &t.config)) {
                self.sweep(sweep);
            }
        }
        self.schedule_clean_up();
    }

    fn sweep(&mut self, mut sweep: Sweep) {
        let now = self.clock.wall().0;
        loop {
            let Some(log) = self.logs.get(sweep.log).filter(|log| log.is_online()) else {
                return;
            };
            sweep.next = sweep.next.max(log.log_start_offset());
            let end = log.high_watermark();
            match self.logs.find(sweep.log, sweep.next, end, u64::MAX) {
                Found::Nothing => break,
                Found::Page(offset) => {
                    // If it cannot be loaded, the next round tries again.
                    return self.load_page(sweep.log, offset, |broker, loaded| {
                        if loaded.is_ok() {
                            broker.sweep(sweep);
                        }
                    });
                }
                Found::Run(run) => {
                    let opened_at = self.logs.opened_at;
                    let Some(log) = self.logs.get(sweep.log) else {
                        return;
                    };
                    let bytes = log.bytes_after(run.bytes_before);
                    let goes = run
                        .chunks
                        .iter()
                        .take_while(|chunk| {
                            let written = log.age_from(chunk, now, opened_at);
                            sweep.takes(chunk, bytes, now.saturating_sub(written))
                        })
                        .count();
                    let all = goes == run.chunks.len();
                    let last = goes.checked_sub(1).and_then(|at| run.chunks.get(at));
                    if let Some(chunk) = last {
                        sweep.next = chunk.end();
                    }
                    if !all {
                        break;
                    }
                }
            }
        }
        self.advance_log_start(sweep.log, sweep.next);
    }

    /// Moves a log's start up, and deletes the chunks below it.
    pub(crate) fn advance_log_start(&mut self, log: LogId, offset: i64) {
        let Some(found) = self.logs.logs.get_mut(&log) else {
            return;
        };
        if offset > found.log_start_offset() {
            found.advance_start(offset);
            self.trim(log);
            self.log_changed(log);
        }
    }

    /// Deletes the chunks below a log's start. The start itself is what counts: until the page with
    /// it is loaded, they stay.
    fn trim(&mut self, log: LogId) {
        let Some(found) = self.logs.get(log).filter(|log| log.is_online()) else {
            return;
        };
        let start = found.log_start_offset();
        if !found.has_chunks_below(start) {
            return;
        }
        let in_page = start < found.index.tail_base() && found.index.first_page().is_some();
        if !in_page {
            if let Some(found) = self.logs.logs.get_mut(&log) {
                found.trim(|index| index.trim_tail(start));
            }
        } else if let Some(page) = self.logs.page_with(log, start) {
            if let Some(found) = self.logs.logs.get_mut(&log) {
                found.trim(|index| index.trim_to_page(&page, start));
            }
        } else {
            return self.load_page(log, start, move |broker, loaded| {
                // If it could not be loaded, the next round tries again.
                if loaded.is_ok() {
                    broker.trim(log);
                    broker.log_changed(log);
                }
            });
        }
        self.logs.positions.forget_below(log, start);
        self.log_changed(log);
    }
}

impl Sweep {
    fn new(log: LogId, config: &TopicConfig) -> Option<Self> {
        let retention_ms = Some(config.retention_ms).filter(|&ms| ms >= 0);
        let retention_bytes = u64::try_from(config.retention_bytes).ok();
        let any = retention_ms.is_some() || retention_bytes.is_some();
        (config.cleanup_policy.delete && any).then_some(Self {
            log,
            retention_ms,
            retention_bytes,
            excess: None,
            next: 0,
        })
    }

    /// Whether the next chunk goes; `bytes` is what the log has from the first chunk looked at on.
    fn takes(&mut self, chunk: &Chunk, bytes: u64, age: i64) -> bool {
        let size = u64::from(chunk.size);
        let excess = *self
            .excess
            .get_or_insert_with(|| match self.retention_bytes {
                Some(keep) => bytes.saturating_sub(keep),
                None => 0,
            });
        let left = excess.checked_sub(size).filter(|_| excess > 0);
        // What is too much ends with the first chunk that is not.
        self.excess = Some(left.unwrap_or(0));
        left.is_some() || self.retention_ms.is_some_and(|keep| age > keep)
    }
}

impl PartitionLog {
    /// The bytes from a point on that is given by the bytes of the log's life before it.
    fn bytes_after(&self, bytes_before: u64) -> u64 {
        let staged = u64::try_from(self.staged_bytes()).unwrap_or(u64::MAX);
        let total = self.index.total_bytes().saturating_add(staged);
        total.saturating_sub(bytes_before)
    }

    /// The time from which a chunk's age counts.
    fn age_from(&self, chunk: &Chunk, now: i64, opened_at: i64) -> i64 {
        if chunk.max_timestamp > now && chunk.base < self.opened_end() {
            opened_at.min(chunk.max_timestamp)
        } else {
            chunk.max_timestamp
        }
    }

    /// Whether a whole chunk lies below an offset.
    fn has_chunks_below(&self, offset: i64) -> bool {
        let tail_first = self.index.tail().next();
        match self.index.first_page() {
            Some(_) => self.index.first() < offset,
            None => tail_first.is_some_and(|chunk| chunk.last < offset),
        }
    }
}
