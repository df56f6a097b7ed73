//! Whether a Fetch can be answered: what is wrong with its partitions, and how much there is.

use super::{Bounds, ChunkPart, DelayedFetch, Look, Part};
use crate::broker::Broker;
use crate::broker::effect::LogId;
use crate::broker::log::{Found, PartitionLog};
use crate::protocol::ErrorCode;

/// How much a partition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Available {
    /// So many bytes, at most.
    Bytes(u64),
    /// That is not known, but it is something that was written long ago.
    Plenty,
    /// It cannot be said now.
    Wait,
}

impl Broker {
    /// Answers a Fetch if it can be answered, or has it read; otherwise it goes on waiting.
    pub(in crate::broker) fn try_fetch(&mut self, mut fetch: DelayedFetch) -> Option<DelayedFetch> {
        // If its connection is gone, so is the Fetch.
        self.request_info(fetch.id)?;
        let mut ready = fetch.final_try;
        let mut total = 0u64;
        let mut wait = false;
        for at in 0..fetch.parts.len() {
            self.look_at(&mut fetch, at);
            let Some(part) = fetch.parts.get(at) else {
                break;
            };
            let (Look::Readable(bounds, _), Ok(log)) = (&part.look, part.log) else {
                // A topic that is not there does not cut the wait short, as in Kafka: its client
                // has long been told.
                ready |= part.log.is_ok();
                continue;
            };
            match self.available(log, part, *bounds) {
                Available::Bytes(bytes) => total = total.saturating_add(bytes),
                Available::Plenty => ready = true,
                Available::Wait => wait = true,
            }
        }
        if wait || !(ready || total >= fetch.min_bytes) {
            return Some(fetch);
        }
        self.gather(fetch);
        None
    }

    /// Looks at one partition of a Fetch.
    fn look_at(&mut self, fetch: &mut DelayedFetch, at: usize) {
        let (by_ids, read_committed, replica) = (
            fetch.version >= super::TOPIC_IDS_SINCE,
            fetch.read_committed,
            fetch.replica,
        );
        let Some(part) = fetch.parts.get_mut(at) else {
            return;
        };
        let log = match part.log {
            Ok(log) => log,
            Err(code) => {
                part.look = Look::Error(code);
                return;
            }
        };
        part.look = match self.logs.get(log) {
            None if by_ids => Look::Error(ErrorCode::UNKNOWN_TOPIC_ID),
            None => Look::Error(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            Some(log) => check(log, part, read_committed, replica).unwrap_or_else(Look::Error),
        };
    }

    /// How much a partition has for a Fetch.
    fn available(&mut self, log: LogId, part: &Part, bounds: Bounds) -> Available {
        if part.from >= bounds.below {
            return Available::Bytes(0);
        }
        let Some(found) = self.logs.get(log) else {
            return Available::Bytes(0);
        };
        if found.is_replacing() {
            return Available::Wait;
        }
        let total = found.bytes_below(bounds.below);
        let run = match self.logs.find(log, part.from, bounds.below, 0) {
            Found::Run(run) => run,
            Found::Page(_) => return Available::Plenty,
            Found::Nothing => return Available::Bytes(0),
        };
        let mut bytes = total.saturating_sub(run.bytes_before);
        let mut first = 1;
        if let Some(chunk) = run.chunks.first()
            && let Some(positions) = self.logs.positions(log, chunk.base)
        {
            let at = positions.partition_point(|batch| batch.last < part.from);
            match positions.get(at) {
                Some(batch) => {
                    bytes = bytes.saturating_sub(u64::from(batch.at));
                    first = u64::from(batch.size);
                }
                None => bytes = bytes.saturating_sub(u64::from(chunk.size)),
            }
        }
        let limit = u64::try_from(part.wanted.max_bytes).unwrap_or(0);
        Available::Bytes(bytes.min(limit.max(first)))
    }

    /// Chooses the chunks that a Fetch reads, and reads them. Pages that are missing are loaded
    /// first.
    pub(super) fn gather(&mut self, mut fetch: DelayedFetch) {
        let budget = fetch.max_bytes;
        for part in &mut fetch.parts {
            let (Look::Readable(bounds, chunks), Ok(log)) = (&mut part.look, part.log) else {
                continue;
            };
            if !chunks.is_empty() || part.from >= bounds.below {
                continue;
            }
            let limit = u64::try_from(part.wanted.max_bytes)
                .unwrap_or(0)
                .min(budget);
            match self.logs.find(log, part.from, bounds.below, limit) {
                Found::Nothing => {}
                Found::Run(run) => {
                    chunks.extend(run.chunks.iter().map(|chunk| ChunkPart {
                        base: chunk.base,
                        last: chunk.last,
                        size: chunk.size,
                    }));
                }
                Found::Page(offset) => {
                    let generation = bounds.generation;
                    return self.load_page(log, offset, move |broker, loaded| {
                        broker.page_loaded(fetch, log, generation, loaded.is_ok());
                    });
                }
            }
        }
        self.read_chunks(fetch);
    }

    fn page_loaded(&mut self, mut fetch: DelayedFetch, log: LogId, generation: u64, loaded: bool) {
        let unchanged = self
            .logs
            .get(log)
            .is_some_and(|log| log.generation() == generation);
        if !unchanged {
            return self.fetch_again(fetch);
        }
        if !loaded {
            for part in &mut fetch.parts {
                if part.log == Ok(log) {
                    part.look = Look::Error(ErrorCode::KAFKA_STORAGE_ERROR);
                }
            }
        }
        self.gather(fetch);
    }

    /// Something changed under a Fetch: it is looked at from the beginning, and then answered.
    pub(super) fn fetch_again(&mut self, mut fetch: DelayedFetch) {
        for part in &mut fetch.parts {
            part.from = part.wanted.fetch_offset;
        }
        self.fetch_timed_out(fetch);
    }
}

/// Kafka's checks, in its order.
fn check(
    log: &PartitionLog,
    part: &Part,
    read_committed: bool,
    replica: bool,
) -> Result<Look, ErrorCode> {
    if !log.is_online() {
        return Err(ErrorCode::KAFKA_STORAGE_ERROR);
    }
    let wanted = &part.wanted;
    log.check_epoch(wanted.current_leader_epoch)?;
    if replica {
        return Err(if wanted.current_leader_epoch >= 0 {
            ErrorCode::UNKNOWN_LEADER_EPOCH
        } else {
            ErrorCode::NOT_LEADER_OR_FOLLOWER
        });
    }
    let bounds = Bounds {
        high_watermark: log.high_watermark(),
        last_stable_offset: log.last_stable_offset(),
        log_start: log.log_start_offset(),
        below: if read_committed {
            log.last_stable_offset()
        } else {
            log.high_watermark()
        },
        generation: log.generation(),
    };
    let offset = wanted.fetch_offset;
    let out_of_range = offset < bounds.log_start;
    if wanted.last_fetched_epoch >= 0 {
        let (epoch, end) = log
            .end_of_epoch(wanted.last_fetched_epoch)
            .ok_or(ErrorCode::OFFSET_OUT_OF_RANGE)?;
        if !out_of_range && (epoch < wanted.last_fetched_epoch || end < offset) {
            return Ok(Look::Diverging(bounds, (epoch, end)));
        }
    }
    if out_of_range || offset > log.log_end_offset() {
        return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    Ok(Look::Readable(bounds, Vec::new()))
}
