//! Packs: many small chunks of a log in one value.
//!
//! Chromium keeps values below 64 KiB inside its log-structured tree, larger ones in files of their
//! own. Many small values make the tree slow, and deleting them frees nothing for a long time: it
//! costs room at first. So the small chunks that a log was given one after the other are stored
//! once more, together, and deleted one by one where they were; what is deleted later are packs.
//!
//! A pack's key is (log, base offset of its last chunk), so that the pack with a chunk is the first
//! one from the chunk's own key on. Chunks are only ever deleted from a log's start on: a pack goes
//! when its last chunk does, and what lies in it before the log's start is never asked for.
//!
//! A pack: how many chunks it has (32 bits), the base offset (64 bits) and length in bytes (32 bits)
//! of each, all big-endian, then the chunks.

use std::rc::Rc;

use js_sys::Uint8Array;
use partita_core::broker::{LogId, StorageError};
use partita_core::sorted::SortedMap;
use wasm_bindgen_futures::spawn_local;

use super::write::{delete, put};
use super::{CHUNKS, Inner, PACKS, lease, room};
use crate::key;
use crate::num::to_u32;
use crate::storage::put as copy;

/// Values from this size on lie in files of their own.
const SMALL: u32 = 64 << 10;
/// So many bytes of a log become a pack.
const PACK: u32 = 256 << 10;
/// So many bytes of all logs are remembered at most.
const REMEMBERED: u32 = 16 << 20;
/// In a pack, what is said of a chunk.
const ENTRY: usize = 12;

/// A small chunk.
#[derive(Debug)]
struct Small {
    base_offset: i64,
    bytes: Uint8Array,
    /// The chunk before it is small as well.
    follows: bool,
}

/// Small chunks of a log, in order.
#[derive(Debug, Default)]
pub(super) struct Run {
    chunks: Vec<Small>,
    bytes: u32,
    /// A large chunk was written since.
    cut: bool,
}

/// The small chunks written lately, by log.
#[derive(Debug, Default)]
pub(super) struct Runs {
    logs: SortedMap<LogId, Run>,
    bytes: u32,
}

impl Runs {
    /// A chunk was written. Returns what is to become a pack now.
    pub(super) fn add(
        &mut self,
        log: LogId,
        base_offset: i64,
        bytes: &Uint8Array,
    ) -> Option<(LogId, Run)> {
        if bytes.length() >= SMALL {
            if let Some(run) = self.logs.get_mut(&log) {
                run.cut = true;
            }
            return None;
        }
        let run = self.logs.entry(log).or_default();
        let follows = !run.chunks.is_empty() && !std::mem::take(&mut run.cut);
        run.chunks.push(Small {
            base_offset,
            bytes: bytes.clone(),
            follows,
        });
        run.bytes = run.bytes.saturating_add(bytes.length());
        self.bytes = self.bytes.saturating_add(bytes.length());
        if run.bytes >= PACK {
            return self.take(log);
        }
        if self.bytes < REMEMBERED {
            return None;
        }
        let longest = self.logs.iter().max_by_key(|(_, run)| run.bytes);
        match longest.filter(|(_, run)| run.bytes >= SMALL) {
            Some((&log, _)) => self.take(log),
            None => {
                self.clear();
                None
            }
        }
    }

    /// The chunks of a log below `to` are deleted. A run that has some is forgotten.
    pub(super) fn delete_below(&mut self, log: LogId, to: i64) {
        let first = self.logs.get(&log).and_then(|run| run.chunks.first());
        if first.is_some_and(|first| first.base_offset < to) {
            self.take(log);
        }
    }

    /// Forgets everything; the chunks stay as they are.
    pub(super) fn clear(&mut self) {
        self.logs.clear();
        self.bytes = 0;
    }

    fn take(&mut self, log: LogId) -> Option<(LogId, Run)> {
        let run = self.logs.remove(&log)?;
        self.bytes = self.bytes.saturating_sub(run.bytes);
        Some((log, run))
    }
}

impl Run {
    fn encode(&self) -> Uint8Array {
        let mut head = Vec::with_capacity(4 + self.chunks.len() * ENTRY);
        head.extend_from_slice(&to_u32(self.chunks.len()).to_be_bytes());
        for chunk in &self.chunks {
            head.extend_from_slice(&chunk.base_offset.to_be_bytes());
            head.extend_from_slice(&chunk.bytes.length().to_be_bytes());
        }
        let length = to_u32(head.len()).saturating_add(self.bytes);
        let out = Uint8Array::new_with_length(length);
        let mut at = copy(&out, 0, &head);
        for chunk in &self.chunks {
            out.set(&chunk.bytes, at);
            at = at.saturating_add(chunk.bytes.length());
        }
        out
    }

    /// The ranges of base offsets in which there are only chunks of this run: the first, the last.
    fn ranges(&self) -> Vec<(i64, i64)> {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for chunk in &self.chunks {
            match ranges.last_mut() {
                Some(range) if chunk.follows => range.1 = chunk.base_offset,
                Some(_) | None => ranges.push((chunk.base_offset, chunk.base_offset)),
            }
        }
        ranges
    }
}

/// The chunks of a pack, each in a buffer of its own.
pub(super) fn chunks(pack: &Uint8Array) -> Result<Vec<(i64, Uint8Array)>, StorageError> {
    let corrupt = || StorageError::Corrupt("a pack makes no sense".into());
    let number = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
    let count = number(&pack.subarray(0, 4).to_vec()).ok_or_else(corrupt)?;
    let table = count
        .checked_mul(to_u32(ENTRY))
        .and_then(|length| length.checked_add(4))
        .filter(|&end| end <= pack.length())
        .ok_or_else(corrupt)?;
    let mut at = table;
    let mut found = Vec::new();
    for entry in pack.subarray(4, table).to_vec().chunks_exact(ENTRY) {
        let (base, length) = entry.split_first_chunk::<8>().ok_or_else(corrupt)?;
        let length = number(length).ok_or_else(corrupt)?;
        let end = at.checked_add(length).filter(|&end| end <= pack.length());
        let end = end.ok_or_else(corrupt)?;
        found.push((i64::from_be_bytes(*base), pack.slice(at, end)));
        at = end;
    }
    Ok(found)
}

/// Stores a run as a pack in the place of its chunks. If that fails they stay as they are.
pub(super) fn store(inner: &Rc<Inner>, log: LogId, run: Run) {
    let Some(last) = run.chunks.last().map(|chunk| chunk.base_offset) else {
        return;
    };
    let inner = Rc::clone(inner);
    spawn_local(async move {
        // It is stored twice for a moment.
        if room::check(&inner).is_err() {
            return;
        }
        let stored = lease::hold(&inner, &[CHUNKS, PACKS], |transaction| {
            let packs = transaction.object_store(PACKS)?;
            let key = Uint8Array::from(&key::chunk(log, last)[..]);
            put(&packs, key, &run.encode())?;
            let chunks = transaction.object_store(CHUNKS)?;
            for (first, last) in run.ranges() {
                delete(&chunks, log, first, last.saturating_add(1))?;
            }
            Ok(())
        });
        if let Err(StorageError::QuotaExceeded(_)) = stored.await {
            room::lacks(&inner);
        }
    });
}
