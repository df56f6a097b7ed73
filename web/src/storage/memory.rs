//! Logs in memory: gone with the page, or with the process, and chosen openly for that.
//!
//! Everything is answered at once. Chunks are JavaScript buffers, as in the other storages.

use partita_core::sorted::SortedMap;
use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use js_sys::Uint8Array;
use partita_core::broker::{
    ChunkRef, Effect, LogId, Read, ReadData, ReadWhat, Reply, StorageError, StoredLog, WriteOp,
};
use web_sys::Blob;

use super::export::Archive;
use super::{Completion, Exported, Storage, chunk};

/// One log.
#[derive(Debug, Default)]
struct Log {
    manifest: Option<Bytes>,
    chunks: SortedMap<i64, Uint8Array>,
    pages: SortedMap<i64, Bytes>,
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

/// Logs by their ids. A clone is the same storage: it outlives a broker that is stopped.
#[derive(Debug, Default, Clone)]
pub struct Memory {
    logs: Rc<RefCell<Logs>>,
}

type Logs = SortedMap<LogId, Log>;

impl Storage for Memory {
    fn submit(&mut self, effect: Effect) -> Option<Completion> {
        Some(match effect {
            Effect::Load => {
                let logs = self.logs.borrow();
                let stored = logs
                    .iter()
                    .filter_map(|(&id, log)| log.stored(id))
                    .collect();
                Reply::Loaded(Ok(stored)).into()
            }
            Effect::Write(write) => {
                let mut logs = self.logs.borrow_mut();
                write.ops.into_iter().for_each(|op| apply(&mut logs, op));
                Reply::Written {
                    id: write.id,
                    result: Ok(()),
                }
                .into()
            }
            Effect::Read(wanted) => read(&self.logs.borrow(), &wanted),
        })
    }

    fn export(&self) -> Exported {
        let made = archive(&self.logs.borrow());
        Box::pin(async { made })
    }
}

fn archive(logs: &Logs) -> Result<Blob, StorageError> {
    let mut archive = Archive::default();
    for (&id, log) in logs {
        if let Some(manifest) = &log.manifest {
            archive.manifest(id, manifest)?;
        }
        for (&base_offset, bytes) in &log.chunks {
            archive.chunk(id, base_offset, bytes)?;
        }
    }
    archive.finish()
}

fn apply(logs: &mut Logs, op: WriteOp) {
    match op {
        WriteOp::PutChunk {
            log,
            base_offset,
            bytes,
        } => {
            logs.entry(log)
                .or_default()
                .chunks
                .insert(base_offset, chunk::copy_out(&bytes));
        }
        WriteOp::DeleteChunks { log, from, to } => {
            logs.entry(log)
                .or_default()
                .chunks
                .retain(|offset, _| !(from..to).contains(offset));
        }
        WriteOp::PutPage {
            log,
            base_offset,
            bytes,
        } => {
            logs.entry(log)
                .or_default()
                .pages
                .insert(base_offset, bytes);
        }
        WriteOp::DeletePages { log, from, to } => {
            logs.entry(log)
                .or_default()
                .pages
                .retain(|offset, _| !(from..to).contains(offset));
        }
        WriteOp::PutManifest { log, bytes } => logs.entry(log).or_default().manifest = Some(bytes),
        WriteOp::DropLog { log } => {
            logs.remove(&log);
        }
    }
}

fn read(logs: &Logs, read: &Read) -> Completion {
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
                    let missing = || StorageError::Missing(format!("chunk {base_offset} of {log}"));
                    let stored = logs.get(&log).and_then(|log| log.chunks.get(&base_offset));
                    let bytes = stored.ok_or_else(missing)?;
                    chunks.push((log, base_offset, bytes.clone()));
                    Ok(chunk::detail(bytes, detail))
                },
            )
            .collect::<Result<_, _>>()
            .map(ReadData::Chunks),
        ReadWhat::Page { log, offset } => {
            let pages = logs.get(log).map(|log| &log.pages);
            let found = pages.and_then(|pages| pages.range(..=offset).next_back());
            Ok(ReadData::Page(
                found.map(|(&base_offset, page)| (base_offset, page.clone())),
            ))
        }
        ReadWhat::Manifest { log } => {
            let stored = logs.get(log).and_then(|found| found.stored(*log));
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
