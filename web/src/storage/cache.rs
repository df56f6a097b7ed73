//! Chunks that were written or read lately, outside wasm memory, bounded in bytes.

use partita_core::sorted::SortedMap;
use std::ops::Range;

use js_sys::Uint8Array;
use partita_core::broker::LogId;

use crate::num::to_usize;

#[derive(Debug)]
struct Entry {
    bytes: Uint8Array,
    used: u64,
}

/// The least lately used chunks leave first.
#[derive(Debug)]
pub(crate) struct Cache {
    chunks: SortedMap<(LogId, i64), Entry>,
    /// By time of last use, which is a count that rises with each use.
    by_use: SortedMap<u64, (LogId, i64)>,
    clock: u64,
    held: usize,
    limit: usize,
}

impl Cache {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            chunks: SortedMap::new(),
            by_use: SortedMap::new(),
            clock: 0,
            held: 0,
            limit,
        }
    }

    /// Finds a chunk, which counts as a use.
    pub(crate) fn get(&mut self, log: LogId, base_offset: i64) -> Option<Uint8Array> {
        let entry = self.chunks.get_mut(&(log, base_offset))?;
        self.by_use.remove(&entry.used);
        self.clock = self.clock.wrapping_add(1);
        entry.used = self.clock;
        self.by_use.insert(self.clock, (log, base_offset));
        Some(entry.bytes.clone())
    }

    /// Keeps a chunk, in place of an older one of the same key, and lets others go for it.
    pub(crate) fn insert(&mut self, log: LogId, base_offset: i64, bytes: Uint8Array) {
        self.remove(log, base_offset);
        self.held = self.held.saturating_add(to_usize(bytes.length()));
        self.clock = self.clock.wrapping_add(1);
        self.by_use.insert(self.clock, (log, base_offset));
        self.chunks.insert(
            (log, base_offset),
            Entry {
                bytes,
                used: self.clock,
            },
        );
        while self.held > self.limit
            && let Some((_, (log, base_offset))) = self.by_use.pop_first()
        {
            self.remove(log, base_offset);
        }
    }

    /// Forgets the chunks of a log whose base offsets are in `range`.
    pub(crate) fn remove_range(&mut self, log: LogId, range: Range<i64>) {
        if range.is_empty() {
            return;
        }
        let gone: Vec<i64> = self
            .chunks
            .range((log, range.start)..(log, range.end))
            .map(|(&(_, base_offset), _)| base_offset)
            .collect();
        for base_offset in gone {
            self.remove(log, base_offset);
        }
    }

    /// Forgets everything: after a failed write nobody knows better than the database.
    pub(crate) fn clear(&mut self) {
        self.chunks.clear();
        self.by_use.clear();
        self.held = 0;
    }

    fn remove(&mut self, log: LogId, base_offset: i64) {
        if let Some(entry) = self.chunks.remove(&(log, base_offset)) {
            self.by_use.remove(&entry.used);
            self.held = self.held.saturating_sub(to_usize(entry.bytes.length()));
        }
    }
}
