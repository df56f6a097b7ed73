//! Logs in memory: gone with the page, or with the process, and chosen openly for that.
//!
//! Everything is answered at once. Chunks are JavaScript buffers, as in the other storages.

use std::collections::BTreeMap;

use bytes::Bytes;
use js_sys::Uint8Array;
use partita_core::broker::{
    ChunkRef, Effect, LogId, Read, ReadData, ReadWhat, Reply, StorageError, StoredLog, WriteOp,
};

use super::{Completion, Storage, chunk};

/// One log.
#[derive(Debug, Default)]
struct Log {
    manifest: Option<Bytes>,
    chunks: BTreeMap<i64, Uint8Array>,
    pages: BTreeMap<i64, Bytes>,
}

impl Log {
    fn stored(&self, log: LogId) -> Option<StoredLog> {
        let last_chunk = self
            .chunks
            .last_key_value()
            .map(|(&base_offset, _)| base_offset);
        Some(StoredLog {
            log,
            manifest: self.manifest.clone()?,
            last_chunk,
        })
    }
}

/// Logs by their ids.
#[derive(Debug, Default)]
pub struct Memory {
    logs: BTreeMap<LogId, Log>,
}

impl Storage for Memory {
    fn submit(&mut self, effect: Effect) -> Option<Completion> {
        Some(match effect {
            Effect::Load => {
                let stored = self
                    .logs
                    .iter()
                    .filter_map(|(&id, log)| log.stored(id))
                    .collect();
                Reply::Loaded(Ok(stored)).into()
            }
            Effect::Write(write) => {
                write.ops.into_iter().for_each(|op| self.apply(op));
                Reply::Written {
                    id: write.id,
                    result: Ok(()),
                }
                .into()
            }
            Effect::Read(read) => self.read(&read),
        })
    }
}

impl Memory {
    fn apply(&mut self, op: WriteOp) {
        match op {
            WriteOp::PutChunk {
                log,
                base_offset,
                bytes,
            } => {
                self.log(log)
                    .chunks
                    .insert(base_offset, chunk::copy_out(&bytes));
            }
            WriteOp::DeleteChunks { log, from, to } => {
                self.log(log)
                    .chunks
                    .retain(|offset, _| !(from..to).contains(offset));
            }
            WriteOp::PutPage {
                log,
                base_offset,
                bytes,
            } => {
                self.log(log).pages.insert(base_offset, bytes);
            }
            WriteOp::DeletePages { log, from, to } => {
                self.log(log)
                    .pages
                    .retain(|offset, _| !(from..to).contains(offset));
            }
            WriteOp::PutManifest { log, bytes } => self.log(log).manifest = Some(bytes),
            WriteOp::DropLog { log } => {
                self.logs.remove(&log);
            }
        }
    }

    fn log(&mut self, log: LogId) -> &mut Log {
        self.logs.entry(log).or_default()
    }

    fn read(&self, read: &Read) -> Completion {
        let mut chunks = Vec::new();
        let result = match &read.what {
            ReadWhat::Chunks(wanted) => wanted
                .iter()
                .map(
                    |&ChunkRef {
                         log,
                         base_offset,
                         detail,
                     }| {
                        let missing =
                            || StorageError::Missing(format!("chunk {base_offset} of {log}"));
                        let stored = self
                            .logs
                            .get(&log)
                            .and_then(|log| log.chunks.get(&base_offset));
                        let bytes = stored.ok_or_else(missing)?;
                        chunks.push((log, base_offset, bytes.clone()));
                        Ok(chunk::detail(bytes, detail))
                    },
                )
                .collect::<Result<_, _>>()
                .map(ReadData::Chunks),
            ReadWhat::Page { log, offset } => {
                let pages = self.logs.get(log).map(|log| &log.pages);
                let found = pages.and_then(|pages| pages.range(..=offset).next_back());
                Ok(ReadData::Page(
                    found.map(|(&base_offset, page)| (base_offset, page.clone())),
                ))
            }
            ReadWhat::Manifest { log } => {
                let stored = self.logs.get(log).and_then(|found| found.stored(*log));
                Ok(ReadData::Manifest(stored))
            }
        };
        Completion {
            reply: Reply::Read {
                id: read.id,
                result,
            },
            chunks,
        }
    }
}
