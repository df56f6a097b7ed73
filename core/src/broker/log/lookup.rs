//! Offsets by timestamp: the first record at or after a time, and the record with the latest time.
//!
//! The index knows each chunk's largest timestamp, or a bound on it: a chunk that may have the
//! record is read whole and its records are looked at, compressed ones too. Pages are bisected by
//! the largest timestamp before each.
//!
//! Sources: KIP-79, KIP-734; `UnifiedLog.fetchOffsetByTimestamp`.

use crate::sorted::SortedSet;

use bytes::Bytes;

use super::access::{Found, PageFailed};
use super::index::Chunk;
use crate::broker::Broker;
use crate::broker::effect::{ChunkRef, Detail, LogId, ReadData, ReadWhat};
use crate::protocol::ErrorCode;
use crate::records::{BatchError, Batches, DEFAULT_DECOMPRESSED_LIMIT, NO_TIMESTAMP};

/// A record found by its timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimestampAndOffset {
    pub(crate) timestamp: i64,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
}

type Lookup = Result<Option<TimestampAndOffset>, ErrorCode>;
type Answer = Box<dyn FnOnce(&mut Broker, Lookup)>;

/// The search for the first record at or after a time.
struct Search {
    log: LogId,
    target: i64,
    /// The search goes on here.
    next: i64,
    bisected: bool,
    answer: Answer,
}

/// The search for the record with the latest time.
struct LatestSearch {
    log: LogId,
    best: Option<TimestampAndOffset>,
    /// Chunks that were read.
    tried: SortedSet<i64>,
    answer: Answer,
}

impl Broker {
    /// Finds the first durable record with a timestamp of at least `target`.
    pub(crate) fn offset_by_timestamp(&mut self, log: LogId, target: i64, answer: Answer) {
        self.search(Search {
            log,
            target,
            next: 0,
            bisected: false,
            answer,
        });
    }

    /// Finds the first of the durable records with the largest timestamp.
    pub(crate) fn offset_of_max_timestamp(&mut self, log: LogId, answer: Answer) {
        self.search_latest(LatestSearch {
            log,
            best: None,
            tried: SortedSet::new(),
            answer,
        });
    }

    /// The durable range of a log that can be used.
    fn durable_range(&self, log: LogId) -> Result<(i64, i64), ErrorCode> {
        match self.logs.get(log) {
            None => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            Some(log) if !log.is_online() => Err(ErrorCode::KAFKA_STORAGE_ERROR),
            Some(log) => Ok((log.log_start_offset(), log.high_watermark())),
        }
    }

    fn search(&mut self, mut search: Search) {
        loop {
            let (start, end) = match self.durable_range(search.log) {
                Ok(range) => range,
                Err(code) => return (search.answer)(self, Err(code)),
            };
            search.next = search.next.max(start);
            if let Some(log) = self.logs.get(search.log) {
                let tail = log.index.tail_base();
                if search.next < tail && log.index.max_timestamp_before_tail() < search.target {
                    search.next = tail;
                } else if search.next < tail && !search.bisected {
                    let from = search.next;
                    return self.bisect(search, from, tail);
                }
            }
            match self.logs.find(search.log, search.next, end, u64::MAX) {
                Found::Nothing => return (search.answer)(self, Ok(None)),
                Found::Page(offset) => {
                    return self.load_page(search.log, offset, |broker, loaded| match loaded {
                        Ok(()) => broker.search(search),
                        Err(PageFailed(_)) => {
                            (search.answer)(broker, Err(ErrorCode::KAFKA_STORAGE_ERROR));
                        }
                    });
                }
                Found::Run(run) => {
                    let has = |chunk: &&Chunk| chunk.max_timestamp >= search.target;
                    if let Some(chunk) = run.chunks.iter().find(has) {
                        let chunk = *chunk;
                        return self.search_chunk(search, chunk);
                    }
                    search.next = run.chunks.last().map_or(end, Chunk::end);
                }
            }
        }
    }

    /// Narrows a search in pages down to the first page that can have the record.
    fn bisect(&mut self, mut search: Search, mut from: i64, mut to: i64) {
        while from < to {
            let half = to.saturating_sub(from) / 2;
            let middle = from.saturating_add(half);
            let Some(page) = self.logs.page_with(search.log, middle) else {
                return self.load_page(search.log, middle, move |broker, loaded| {
                    let unchanged = broker.logs.page_with(search.log, middle).is_some();
                    match loaded {
                        Ok(()) if unchanged => broker.bisect(search, from, to),
                        Ok(()) => broker.search(search),
                        Err(PageFailed(_)) => {
                            (search.answer)(broker, Err(ErrorCode::KAFKA_STORAGE_ERROR));
                        }
                    }
                });
            };
            if page.before.max_timestamp >= search.target {
                to = page.key();
            } else if page.chunks.iter().any(|c| c.max_timestamp >= search.target) {
                from = from.max(page.key());
                break;
            } else {
                from = page.end();
            }
        }
        search.next = from;
        search.bisected = true;
        self.search(search);
    }

    fn search_chunk(&mut self, mut search: Search, chunk: Chunk) {
        self.read_chunk(search.log, chunk.base, move |broker, result| {
            let bytes = match result {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return broker.search(search),
                Err(code) => return (search.answer)(broker, Err(code)),
            };
            let start = match broker.durable_range(search.log) {
                Ok((start, _)) => start,
                Err(code) => return (search.answer)(broker, Err(code)),
            };
            match first_at_or_after(bytes, search.target, start) {
                Ok(None) => {
                    search.next = chunk.end();
                    broker.search(search);
                }
                Ok(found) => (search.answer)(broker, Ok(found)),
                Err(_) => (search.answer)(broker, Err(ErrorCode::KAFKA_STORAGE_ERROR)),
            }
        });
    }

    /// Reads a whole chunk; `None` if the log's chunks changed meanwhile.
    fn read_chunk(
        &mut self,
        log: LogId,
        base_offset: i64,
        then: impl FnOnce(&mut Self, Result<Option<Bytes>, ErrorCode>) + 'static,
    ) {
        let generation = self.logs.get(log).map(super::PartitionLog::generation);
        let what = ReadWhat::Chunks(vec![ChunkRef {
            log,
            base_offset,
            detail: Detail::Full,
        }]);
        self.read(what, move |broker, result| {
            let now = broker.logs.get(log).map(super::PartitionLog::generation);
            let result = match result {
                _ if now != generation => Ok(None),
                Ok(ReadData::Chunks(chunks)) => Ok(chunks.into_iter().next()),
                Ok(_) | Err(_) => Err(ErrorCode::KAFKA_STORAGE_ERROR),
            };
            then(broker, result);
        });
    }

    fn search_latest(&mut self, search: LatestSearch) {
        let end = match self.durable_range(search.log) {
            Ok((_, end)) => end,
            Err(code) => return (search.answer)(self, Err(code)),
        };
        let Some(log) = self.logs.get(search.log) else {
            return;
        };
        let durable = log.index.tail().filter(|chunk| chunk.base < end);
        let mut candidate = latest(durable, &search.tried);
        let reached = candidate.map_or(NO_TIMESTAMP, |(timestamp, _)| timestamp);
        let pages = log.index.first_page().is_some();
        if pages && log.index.max_timestamp_before_tail() >= reached {
            match log.index.paged_max() {
                Some((timestamp, base)) if !search.tried.contains(&base) => {
                    if timestamp >= reached {
                        candidate = Some((timestamp, base));
                    }
                }
                _ => return self.scan_pages(search, 0, candidate),
            }
        }
        self.try_latest(search, candidate);
    }

    /// Looks through all pages for the latest timestamp among chunks not tried yet.
    fn scan_pages(&mut self, search: LatestSearch, next: i64, mut best: Option<(i64, i64)>) {
        let tail = match self.logs.get(search.log) {
            Some(log) => log.index.tail_base(),
            None => return (search.answer)(self, Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)),
        };
        let mut next = next;
        loop {
            match self.logs.find(search.log, next, tail, u64::MAX) {
                Found::Nothing => return self.try_latest(search, best),
                Found::Page(offset) => {
                    return self.load_page(
                        search.log,
                        offset,
                        move |broker, loaded| match loaded {
                            Ok(()) => broker.scan_pages(search, next, best),
                            Err(PageFailed(_)) => {
                                (search.answer)(broker, Err(ErrorCode::KAFKA_STORAGE_ERROR));
                            }
                        },
                    );
                }
                Found::Run(run) => {
                    let paged = latest(run.chunks.iter(), &search.tried);
                    // Pages come before the tail, and so win a tie with it, but not among them.
                    let newer = |old: (i64, i64), new: (i64, i64)| {
                        new.0 > old.0 || (new.0 == old.0 && new.1 < old.1)
                    };
                    if let Some(paged) = paged
                        && best.is_none_or(|best| newer(best, paged))
                    {
                        best = Some(paged);
                    }
                    next = run.chunks.last().map_or(tail, Chunk::end);
                }
            }
        }
    }

    /// Reads the chunk that may have the latest timestamp, unless a record is known that is as late.
    fn try_latest(&mut self, mut search: LatestSearch, candidate: Option<(i64, i64)>) {
        let better = |best: &TimestampAndOffset, at: (i64, i64)| {
            at.0 > best.timestamp || (at.0 == best.timestamp && at.1 < best.offset)
        };
        let Some(at) = candidate.filter(|&at| search.best.is_none_or(|best| better(&best, at)))
        else {
            let best = search.best;
            return (search.answer)(self, Ok(best));
        };
        search.tried.insert(at.1);
        self.read_chunk(search.log, at.1, move |broker, result| {
            let bytes = match result {
                Ok(Some(bytes)) => bytes,
                Ok(None) => {
                    search.tried.clear();
                    search.best = None;
                    return broker.search_latest(search);
                }
                Err(code) => return (search.answer)(broker, Err(code)),
            };
            let start = broker
                .durable_range(search.log)
                .map_or(0, |(start, _)| start);
            match latest_in(bytes, start) {
                Ok(Some(found)) => {
                    let better = |best: TimestampAndOffset| {
                        (found.timestamp, best.offset) > (best.timestamp, found.offset)
                    };
                    if search.best.is_none_or(better) {
                        search.best = Some(found);
                    }
                    broker.search_latest(search);
                }
                Ok(None) => broker.search_latest(search),
                Err(_) => (search.answer)(broker, Err(ErrorCode::KAFKA_STORAGE_ERROR)),
            }
        });
    }
}

/// The largest timestamp of chunks not tried yet, and the first chunk that has it.
fn latest<'a>(
    chunks: impl Iterator<Item = &'a Chunk>,
    tried: &SortedSet<i64>,
) -> Option<(i64, i64)> {
    let mut best: Option<(i64, i64)> = None;
    for chunk in chunks.filter(|chunk| !tried.contains(&chunk.base)) {
        if best.is_none_or(|(timestamp, _)| chunk.max_timestamp > timestamp) {
            best = Some((chunk.max_timestamp, chunk.base));
        }
    }
    best
}

/// The first record of a chunk at or behind offset `start` with a timestamp of at least `target`.
fn first_at_or_after(
    chunk: Bytes,
    target: i64,
    start: i64,
) -> Result<Option<TimestampAndOffset>, BatchError> {
    for batch in Batches::new(chunk) {
        let batch = batch?;
        if batch.max_timestamp < target || batch.last_offset() < start {
            continue;
        }
        for mark in batch.walk(DEFAULT_DECOMPRESSED_LIMIT)? {
            let mark = mark?;
            if mark.timestamp >= target && mark.offset >= start {
                return Ok(Some(TimestampAndOffset {
                    timestamp: mark.timestamp,
                    offset: mark.offset,
                    leader_epoch: batch.partition_leader_epoch,
                }));
            }
        }
    }
    Ok(None)
}

/// The first record of a chunk with the largest timestamp at or behind offset `start`.
fn latest_in(chunk: Bytes, start: i64) -> Result<Option<TimestampAndOffset>, BatchError> {
    let mut best: Option<TimestampAndOffset> = None;
    for batch in Batches::new(chunk) {
        let batch = batch?;
        let hopeless = best.is_some_and(|best| batch.max_timestamp <= best.timestamp);
        if hopeless || batch.last_offset() < start {
            continue;
        }
        for mark in batch.walk(DEFAULT_DECOMPRESSED_LIMIT)? {
            let mark = mark?;
            if mark.offset >= start && best.is_none_or(|best| mark.timestamp > best.timestamp) {
                best = Some(TimestampAndOffset {
                    timestamp: mark.timestamp,
                    offset: mark.offset,
                    leader_epoch: batch.partition_leader_epoch,
                });
            }
        }
    }
    Ok(best)
}
