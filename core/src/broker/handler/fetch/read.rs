//! Reading for a Fetch: one read names the chunks of all its partitions, so that they are at hand
//! together when the answer refers to them.

use super::{ChunkPart, DelayedFetch, Look, Part};
use crate::broker::Broker;
use crate::broker::dispatch::StoredPiece;
use crate::broker::effect::{ChunkRef, Detail, LogId, ReadData, ReadWhat, StorageError};
use crate::broker::log::{BatchPosition, Positions};
use crate::protocol::ErrorCode;
use crate::sorted::SortedMap;

/// Where the batches of the chunks lie that were read.
type Known = SortedMap<(LogId, i64), Positions>;

impl Broker {
    /// Reads the chunks that were chosen, as far as the limits let them be used.
    pub(super) fn read_chunks(&mut self, mut fetch: DelayedFetch) {
        let mut refs: Vec<ChunkRef> = Vec::new();
        let mut known = Known::new();
        let mut left = fetch.max_bytes;
        let mut first = true;
        for part in &mut fetch.parts {
            let limit = limit(part, left);
            let from = part.from;
            let (Look::Readable(_, chunks), Ok(log)) = (&mut part.look, part.log) else {
                continue;
            };
            let mut taken = 0usize;
            let mut bytes = 0u64;
            for chunk in chunks.iter() {
                if bytes >= limit && !(first && bytes == 0) {
                    break;
                }
                let positions = self.logs.positions(log, chunk.base);
                bytes = bytes.saturating_add(usable(chunk, positions.as_ref(), from));
                refs.push(ChunkRef {
                    log,
                    base_offset: chunk.base,
                    detail: match positions {
                        Some(_) => Detail::Ready,
                        None => Detail::Headers,
                    },
                });
                if let Some(positions) = positions {
                    known.insert((log, chunk.base), positions);
                }
                taken = taken.saturating_add(1);
            }
            chunks.truncate(taken);
            first &= bytes == 0;
            left = left.saturating_sub(bytes);
        }
        if refs.is_empty() {
            return self.answer_fetch(fetch);
        }
        self.read(ReadWhat::Chunks(refs.clone()), move |broker, result| {
            broker.chunks_read(fetch, &refs, known, result);
        });
    }

    fn chunks_read(
        &mut self,
        mut fetch: DelayedFetch,
        refs: &[ChunkRef],
        mut known: Known,
        result: Result<ReadData, StorageError>,
    ) {
        if self.request_info(fetch.id).is_none() {
            return;
        }
        // What was captured before the read has to hold still. If not, it is done again: with the
        // log as it is now, the offset may be out of range, the topic gone, the chunk another.
        let holds = |part: &Part| match (&part.look, part.log) {
            (Look::Readable(bounds, chunks), Ok(log)) if !chunks.is_empty() => self
                .logs
                .get(log)
                .is_some_and(|log| log.generation() == bounds.generation),
            _ => true,
        };
        if !fetch.parts.iter().all(holds) {
            return self.fetch_again(fetch);
        }
        let data = match result {
            Ok(ReadData::Chunks(data)) if data.len() == refs.len() => data,
            Ok(_) | Err(_) => {
                for part in &mut fetch.parts {
                    if matches!(&part.look, Look::Readable(_, chunks) if !chunks.is_empty()) {
                        part.look = Look::Error(ErrorCode::KAFKA_STORAGE_ERROR);
                    }
                }
                return self.answer_fetch(fetch);
            }
        };
        for (chunk, headers) in refs.iter().zip(&data) {
            if chunk.detail == Detail::Headers
                && let Some(positions) =
                    self.logs
                        .learn_positions(chunk.log, chunk.base_offset, headers)
            {
                known.insert((chunk.log, chunk.base_offset), positions);
            }
        }
        self.select(fetch, &known);
    }

    /// Takes batches from the chunks that are at hand, as far as the limits allow.
    fn select(&mut self, mut fetch: DelayedFetch, known: &Known) {
        let mut left = fetch.max_bytes;
        let mut total = 0u64;
        let mut past_gap = false;
        let old = fetch.version < ZSTD_SINCE;
        for part in &mut fetch.parts {
            let limit = limit(part, left);
            let (Look::Readable(bounds, chunks), Ok(log)) = (&part.look, part.log) else {
                continue;
            };
            let bounds = *bounds;
            let mut selection = Selection {
                from: part.from,
                below: bounds.below,
                limit,
                whatever: total == 0,
                bytes: 0,
                zstd: false,
                pieces: Vec::new(),
            };
            let mut full = false;
            for chunk in chunks {
                let Some(positions) = known.get(&(log, chunk.base)) else {
                    part.look = Look::Error(ErrorCode::KAFKA_STORAGE_ERROR);
                    break;
                };
                full = selection.take(log, chunk.base, positions);
                if full {
                    break;
                }
            }
            let Look::Readable(_, chunks) = &part.look else {
                continue;
            };
            if selection.pieces.is_empty()
                && !full
                && let Some(last) = chunks.last()
            {
                // Compaction left nothing here: what follows is further on.
                part.from = last.last.saturating_add(1);
                past_gap = true;
            }
            total = total.saturating_add(selection.bytes);
            left = left.saturating_sub(selection.bytes);
            part.look = if old && selection.zstd {
                Look::Error(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE)
            } else {
                Look::Answer(bounds, selection.pieces)
            };
        }
        let error = fetch
            .parts
            .iter()
            .any(|part| matches!(part.look, Look::Error(_)) && part.log.is_ok());
        let enough = fetch.final_try || error || total >= fetch.min_bytes;
        if !enough || (past_gap && total == 0) {
            // There was less than the index let hope for.
            if let Some(fetch) = self.try_fetch_after_gap(fetch, past_gap) {
                self.park_fetch(fetch);
            }
            return;
        }
        self.answer_fetch(fetch);
    }

    /// Behind a gap it is looked again at once; otherwise there is nothing but to wait.
    fn try_fetch_after_gap(&mut self, fetch: DelayedFetch, past_gap: bool) -> Option<DelayedFetch> {
        if past_gap {
            self.try_fetch(fetch)
        } else {
            Some(fetch)
        }
    }
}

/// The first version whose clients know zstd.
const ZSTD_SINCE: i16 = 10;

/// How many bytes a partition may take.
fn limit(part: &Part, left: u64) -> u64 {
    u64::try_from(part.wanted.max_bytes).unwrap_or(0).min(left)
}

/// How much of a chunk can be used from an offset on, at most.
fn usable(chunk: &ChunkPart, positions: Option<&Positions>, from: i64) -> u64 {
    let Some(positions) = positions else {
        return u64::from(chunk.size);
    };
    let at = positions.partition_point(|batch| batch.last < from);
    let skipped = positions.get(at).map_or(chunk.size, |batch| batch.at);
    u64::from(chunk.size.saturating_sub(skipped))
}

/// Batches taken for one partition.
struct Selection {
    from: i64,
    below: i64,
    limit: u64,
    /// The first batch is taken whatever the limit says.
    whatever: bool,
    bytes: u64,
    zstd: bool,
    pieces: Vec<StoredPiece>,
}

impl Selection {
    /// Takes what fits of a chunk; whether that was the end.
    fn take(&mut self, log: LogId, chunk: i64, positions: &[BatchPosition]) -> bool {
        let first = positions.partition_point(|batch| batch.last < self.from);
        let mut range: Option<std::ops::Range<u32>> = None;
        let mut full = false;
        for batch in positions.iter().skip(first) {
            let total = self.bytes.saturating_add(u64::from(batch.size));
            let fits = total <= self.limit || (self.whatever && self.bytes == 0);
            if !fits || batch.base >= self.below {
                full = true;
                break;
            }
            self.bytes = total;
            self.zstd |= batch.zstd;
            let start = range.map_or(batch.at, |range| range.start);
            range = Some(start..batch.end());
        }
        self.pieces
            .extend(range.map(|range| StoredPiece { log, chunk, range }));
        full
    }
}
