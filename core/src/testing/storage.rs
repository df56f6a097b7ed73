//! Storage in memory with an explicit durable boundary.
//!
//! Effects queue up. The caller says when each takes place and how it ends: in order, failed with
//! everything behind it, of unknown outcome, or forgotten at a crash. What is durable is what was
//! carried out; a crash loses the rest.
//!
//! It holds to the contract of [`crate::broker::Effect`], and it is strict where a host may be
//! lenient: a response may refer only to chunks that the read before it named.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

use bytes::Bytes;

use crate::broker::{
    ChunkRef, Detail, Effect, Frame, LogId, Read, ReadData, ReadWhat, Reply, Segment, StorageError,
    StoredLog, Write, WriteOp,
};
use crate::records::{BATCH_OVERHEAD, batch_headers};

/// What is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Chunks by log and base offset.
    pub chunks: SortedMap<(LogId, i64), Bytes>,
    /// Index pages by log and key.
    pub pages: SortedMap<(LogId, i64), Bytes>,
    /// Manifests.
    pub manifests: SortedMap<LogId, Bytes>,
}

impl Stored {
    fn apply(&mut self, write: &Write) {
        for op in &write.ops {
            match op {
                WriteOp::PutChunk {
                    log,
                    base_offset,
                    bytes,
                } => {
                    self.chunks
                        .insert((*log, *base_offset), Bytes::from(bytes.concat()));
                }
                WriteOp::DeleteChunks { log, from, to } => {
                    self.chunks
                        .retain(|(l, base), _| l != log || !(*from..*to).contains(base));
                }
                WriteOp::PutPage {
                    log,
                    base_offset,
                    bytes,
                } => {
                    self.pages.insert((*log, *base_offset), bytes.clone());
                }
                WriteOp::DeletePages { log, from, to } => {
                    self.pages
                        .retain(|(l, key), _| l != log || !(*from..*to).contains(key));
                }
                WriteOp::PutManifest { log, bytes } => {
                    self.manifests.insert(*log, bytes.clone());
                }
                WriteOp::DropLog { log } => {
                    self.chunks.retain(|(l, _), _| l != log);
                    self.pages.retain(|(l, _), _| l != log);
                    self.manifests.remove(log);
                }
            }
        }
    }

    fn stored_log(&self, log: LogId) -> Option<StoredLog> {
        let last = self.chunks.range((log, i64::MIN)..=(log, i64::MAX));
        Some(StoredLog {
            log,
            manifest: self.manifests.get(&log)?.clone(),
            last_chunk: last.map(|((_, base), _)| *base).next_back(),
        })
    }

    fn read(&self, what: &ReadWhat) -> Result<ReadData, StorageError> {
        Ok(match what {
            ReadWhat::Chunks(refs) => {
                let data: Result<Vec<_>, _> = refs.iter().map(|chunk| self.chunk(chunk)).collect();
                ReadData::Chunks(data?)
            }
            ReadWhat::Page { log, offset } => {
                let mut below = self.pages.range((*log, i64::MIN)..=(*log, *offset));
                let page = below.next_back();
                ReadData::Page(page.map(|((_, key), bytes)| (*key, bytes.clone())))
            }
            ReadWhat::Manifest { log } => ReadData::Manifest(self.stored_log(*log)),
        })
    }

    fn chunk(&self, chunk: &ChunkRef) -> Result<Bytes, StorageError> {
        let missing =
            || StorageError::Missing(format!("chunk {} of {}", chunk.base_offset, chunk.log));
        let bytes = self.chunks.get(&(chunk.log, chunk.base_offset));
        let bytes = bytes.ok_or_else(missing)?;
        Ok(match chunk.detail {
            Detail::Ready => Bytes::new(),
            Detail::Full => bytes.clone(),
            Detail::Headers => batch_headers(bytes)
                .filter_map(|header| {
                    let (at, _) = header.ok()?;
                    bytes.get(at..at.checked_add(BATCH_OVERHEAD)?)
                })
                .flatten()
                .copied()
                .collect::<Vec<u8>>()
                .into(),
        })
    }
}

/// Storage in memory: see the module.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    stored: Stored,
    queue: VecDeque<Effect>,
    /// How many of the writes in the queue have to fail: one before them did.
    doomed: usize,
    at_hand: SortedMap<(LogId, i64), Bytes>,
}

impl MemoryStorage {
    /// Empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Storage with something in it.
    #[must_use]
    pub fn with(stored: Stored) -> Self {
        Self {
            stored,
            ..Self::default()
        }
    }

    /// What is durable.
    #[must_use]
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// What is durable, to tamper with it.
    pub fn stored_mut(&mut self) -> &mut Stored {
        &mut self.stored
    }

    /// Takes an effect; it waits until it is completed or failed.
    pub fn accept(&mut self, effect: Effect) {
        self.queue.push_back(effect);
    }

    /// The effects that wait, in the order in which they were issued.
    pub fn waiting(&self) -> impl Iterator<Item = &Effect> {
        self.queue.iter()
    }

    /// Carries out the oldest effect of any kind.
    pub fn complete_next(&mut self) -> Option<Reply> {
        self.complete_at(0)
    }

    /// Carries out the oldest write, overtaking reads.
    pub fn complete_write(&mut self) -> Option<Reply> {
        let at = self.position(|effect| matches!(effect, Effect::Write(_)))?;
        self.complete_at(at)
    }

    /// Carries out the oldest read, overtaking writes.
    pub fn complete_read(&mut self) -> Option<Reply> {
        let at = self.position(|effect| matches!(effect, Effect::Read(_)))?;
        self.complete_at(at)
    }

    /// Carries out the oldest effect that is not held back; it overtakes those that are.
    pub fn complete_unless(&mut self, held: impl Fn(&Effect) -> bool) -> Option<Reply> {
        let at = self.position(|effect| !held(effect))?;
        self.complete_at(at)
    }

    /// Fails the oldest write; nothing of it happens, nor of any write that waits behind it.
    pub fn fail_write(&mut self, why: StorageError) -> Option<Reply> {
        let write = self.take_write()?;
        self.doom();
        Some(Reply::Written {
            id: write.id,
            result: Err(why),
        })
    }

    /// Carries the oldest write out, but says that its outcome is unknown. The writes that wait
    /// behind it do not happen; nor does this one, if one before it has failed.
    pub fn lose_answer(&mut self) -> Option<Reply> {
        let doomed = self.doomed > 0;
        let write = self.take_write()?;
        if !doomed {
            self.stored.apply(&write);
        }
        self.doom();
        Some(Reply::Written {
            id: write.id,
            result: Err(StorageError::Unknown("the answer was lost".to_owned())),
        })
    }

    /// Fails the oldest read.
    pub fn fail_read(&mut self, why: StorageError) -> Option<Reply> {
        let at = self.position(|effect| matches!(effect, Effect::Read(_)))?;
        match self.queue.remove(at) {
            Some(Effect::Read(read)) => Some(Reply::Read {
                id: read.id,
                result: Err(why),
            }),
            _ => None,
        }
    }

    /// Forgets everything that waits, and returns what is durable.
    #[must_use]
    pub fn crash(self) -> Stored {
        self.stored
    }

    /// The bytes of a frame. Panics if it refers to a chunk that is not at hand.
    #[must_use]
    pub fn resolve(&self, frame: &Frame) -> Bytes {
        if let [Segment::Bytes(bytes)] = frame.segments.as_slice() {
            return bytes.clone();
        }
        let mut whole = Vec::with_capacity(frame.len());
        for segment in &frame.segments {
            match segment {
                Segment::Bytes(bytes) => whole.extend_from_slice(bytes),
                Segment::Stored { log, chunk, range } => {
                    let bytes = self
                        .at_hand
                        .get(&(*log, *chunk))
                        .unwrap_or_else(|| panic!("chunk {chunk} of {log} is not at hand"));
                    let start = usize::try_from(range.start).expect("offsets in chunks fit");
                    let end = usize::try_from(range.end).expect("offsets in chunks fit");
                    let piece = bytes.get(start..end);
                    whole.extend_from_slice(piece.expect("the range lies in the chunk"));
                }
            }
        }
        Bytes::from(whole)
    }

    /// The outputs after a reply were drained: nothing is at hand any longer.
    pub fn let_go(&mut self) {
        self.at_hand.clear();
    }

    fn position(&self, which: impl Fn(&Effect) -> bool) -> Option<usize> {
        self.queue.iter().position(which)
    }

    fn take_write(&mut self) -> Option<Write> {
        let at = self.position(|effect| matches!(effect, Effect::Write(_)))?;
        self.doomed = self.doomed.saturating_sub(1);
        match self.queue.remove(at) {
            Some(Effect::Write(write)) => Some(write),
            _ => None,
        }
    }

    fn doom(&mut self) {
        let writes = self.queue.iter();
        self.doomed = writes.filter(|e| matches!(e, Effect::Write(_))).count();
    }

    fn complete_at(&mut self, at: usize) -> Option<Reply> {
        Some(match self.queue.remove(at)? {
            Effect::Load => {
                let logs = self.stored.manifests.keys();
                let logs = logs.filter_map(|&log| self.stored.stored_log(log));
                Reply::Loaded(Ok(logs.collect()))
            }
            Effect::Write(write) => self.write(&write),
            Effect::Read(read) => self.read(read),
        })
    }

    fn write(&mut self, write: &Write) -> Reply {
        let result = if self.doomed > 0 {
            self.doomed = self.doomed.saturating_sub(1);
            Err(StorageError::Other("a write before it failed".to_owned()))
        } else {
            self.stored.apply(write);
            Ok(())
        };
        Reply::Written {
            id: write.id,
            result,
        }
    }

    fn read(&mut self, read: Read) -> Reply {
        let result = self.stored.read(&read.what);
        if let (Ok(_), ReadWhat::Chunks(refs)) = (&result, &read.what) {
            for chunk in refs {
                let key = (chunk.log, chunk.base_offset);
                if let Some(bytes) = self.stored.chunks.get(&key) {
                    self.at_hand.insert(key, bytes.clone());
                }
            }
        }
        Reply::Read {
            id: read.id,
            result,
        }
    }
}
