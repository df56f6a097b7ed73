//! Walking over the stored chunks of a log in order: replay, and recovery of the producers' state.

use super::access::{Found, PageFailed};
use super::index::Chunk;
use super::{LogNotice, ReplayFailed};
use crate::broker::Broker;
use crate::broker::effect::{ChunkRef, Detail, LogId, ReadData, ReadWhat, StorageError};
use bytes::Bytes;

/// How many bytes of chunks are read at once when they are wanted whole.
const READ_BYTES: u64 = 4 << 20;
/// How many chunks are read at once.
const READ_CHUNKS: usize = 64;

type Each = Box<dyn FnMut(&mut Broker, &Chunk, Bytes) -> Result<(), StorageError>>;
type Done = Box<dyn FnOnce(&mut Broker, Result<(), StorageError>)>;

/// A walk over the chunks with offsets in `next..end`.
pub(super) struct Walk {
    pub(super) log: LogId,
    pub(super) next: i64,
    pub(super) end: i64,
    pub(super) detail: Detail,
    /// What is done with each chunk.
    pub(super) each: Each,
    /// What is done at the end, or at the first failure.
    pub(super) done: Done,
}

impl Broker {
    /// Goes on with a walk. If the log is dropped meanwhile, the walk ends without a word.
    pub(super) fn walk(&mut self, mut walk: Walk) {
        if walk.next >= walk.end {
            return (walk.done)(self, Ok(()));
        }
        let log = walk.log;
        match self.logs.find(log, walk.next, walk.end, READ_BYTES) {
            Found::Nothing => (walk.done)(self, Ok(())),
            Found::Page(offset) => {
                self.load_page(log, offset, move |broker, loaded| match loaded {
                    Ok(()) => broker.walk(walk),
                    Err(PageFailed(why)) => (walk.done)(broker, Err(why)),
                })
            }
            Found::Run(run) => {
                let mut chunks = run.chunks;
                chunks.truncate(READ_CHUNKS);
                let wanted = chunks.iter().map(|chunk| ChunkRef {
                    log,
                    base_offset: chunk.base,
                    detail: walk.detail,
                });
                let what = ReadWhat::Chunks(wanted.collect());
                self.read(what, move |broker, result| {
                    let data = match result {
                        Ok(ReadData::Chunks(data)) if data.len() == chunks.len() => data,
                        Ok(_) => {
                            let why = StorageError::Corrupt("not the chunks asked for".to_owned());
                            return (walk.done)(broker, Err(why));
                        }
                        Err(why) => return (walk.done)(broker, Err(why)),
                    };
                    if broker.logs.get(log).is_none() {
                        return;
                    }
                    for (chunk, bytes) in chunks.iter().zip(data) {
                        if let Err(why) = (walk.each)(broker, chunk, bytes) {
                            return (walk.done)(broker, Err(why));
                        }
                        walk.next = chunk.last.saturating_add(1);
                    }
                    broker.walk(walk);
                });
            }
        }
    }

    /// Hands all durable batches of a log to whoever replays it, as [`LogNotice::Replayed`], and
    /// says when that is done.
    pub(crate) fn replay(&mut self, log: LogId) {
        let Some(found) = self.logs.get(log) else {
            let result = Err(ReplayFailed(format!("there is no log {log}")));
            self.logs
                .notices
                .push_back(LogNotice::ReplayEnded { log, result });
            return;
        };
        if found.is_broken() {
            let why = found.failure().map(ToString::to_string);
            let result = Err(ReplayFailed(why.unwrap_or_default()));
            self.logs
                .notices
                .push_back(LogNotice::ReplayEnded { log, result });
            return;
        }
        let (start, end) = (found.log_start_offset(), found.high_watermark());
        self.walk(Walk {
            log,
            next: start,
            end,
            detail: Detail::Full,
            each: Box::new(move |broker, _, batches| {
                let notice = LogNotice::Replayed { log, batches };
                broker.logs.notices.push_back(notice);
                Ok(())
            }),
            done: Box::new(move |broker, result| {
                let result = result.map_err(|why| ReplayFailed(why.to_string()));
                let notice = LogNotice::ReplayEnded { log, result };
                broker.logs.notices.push_back(notice);
            }),
        });
    }
}
