//! Reading: effects out, replies in, and the chunks of a log found in its index.
//!
//! A read leaves with what is to be done when its reply comes. Until then anything may happen to
//! its log, so whoever continues looks at the log afresh; pages of a log that has failed, or whose
//! chunks were replaced since, are not taken.

use crate::sorted::SortedMap;
use std::fmt;
use std::sync::Arc;

use super::Logs;
use super::chunk::{Positions, positions};
use super::index::{Page, Place, Run};
use crate::broker::effect::{Effect, LogId, Read, ReadData, ReadWhat, StorageError};
use crate::broker::{Broker, Output};
use crate::records::packed_headers;

/// What is done with the reply to a read.
type Then = Box<dyn FnOnce(&mut Broker, Result<ReadData, StorageError>)>;

/// Reads under way.
#[derive(Default)]
pub(super) struct Reads {
    next_id: u64,
    pending: SortedMap<u64, Then>,
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.pending.keys()).finish()
    }
}

/// Chunks looked for in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// These, and the bytes of the log's life before the first of them.
    Run(Run),
    /// The page that lists them has to be loaded first.
    Page(i64),
    /// There are none.
    Nothing,
}

/// An index page could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageFailed(pub(crate) StorageError);

impl Logs {
    /// The chunks from the one with `offset` on that begin below `below`, until those after the
    /// first have `budget` bytes, or a page ends.
    pub(crate) fn find(&mut self, log: LogId, offset: i64, below: i64, budget: u64) -> Found {
        let Some(found) = self.logs.get(&log) else {
            return Found::Nothing;
        };
        let offset = offset.max(found.index.first());
        let run = match found.index.locate(offset) {
            Place::End => return Found::Nothing,
            Place::Tail(at) => found.index.tail_run(at, below, budget),
            Place::Unwritten(page) => page.run(offset, below, budget),
            Place::Stored(offset) => match self.pages.floor(log, offset) {
                Some(page) if page.end() > offset => page.run(offset, below, budget),
                _ => return Found::Page(offset),
            },
        };
        if run.chunks.is_empty() {
            Found::Nothing
        } else {
            Found::Run(run)
        }
    }

    /// The loaded page with an offset, if that lies in a page.
    pub(super) fn page_with(&mut self, log: LogId, offset: i64) -> Option<Arc<Page>> {
        match self.logs.get(&log)?.index.locate(offset) {
            Place::Unwritten(page) => Some(page),
            Place::Stored(offset) => self
                .pages
                .floor(log, offset)
                .filter(|page| page.end() > offset),
            Place::Tail(_) | Place::End => None,
        }
    }

    /// Where the batches of a chunk lie, if that is remembered.
    pub(crate) fn positions(&mut self, log: LogId, chunk: i64) -> Option<Positions> {
        self.positions.get(log, chunk)
    }

    /// Remembers where the batches of a chunk lie, from their headers as read; `None` if those
    /// make no sense.
    pub(crate) fn learn_positions(
        &mut self,
        log: LogId,
        chunk: i64,
        headers: &[u8],
    ) -> Option<Positions> {
        let headers: Result<Vec<_>, _> = packed_headers(headers).collect();
        let found = positions(headers.ok()?.iter());
        if found.first()?.base != chunk {
            return None;
        }
        self.positions
            .insert(log, chunk, Arc::clone(&found), found.len());
        Some(found)
    }
}

impl Broker {
    /// Reads, and goes on with `then` when the reply is here.
    pub(crate) fn read(
        &mut self,
        what: ReadWhat,
        then: impl FnOnce(&mut Self, Result<ReadData, StorageError>) + 'static,
    ) {
        let reads = &mut self.logs.reads;
        let id = reads.next_id;
        reads.next_id = id.wrapping_add(1);
        reads.pending.insert(id, Box::new(then));
        self.output(Output::Effect(Effect::Read(Read { id, what })));
    }

    pub(super) fn read_replied(&mut self, id: u64, result: Result<ReadData, StorageError>) {
        if let Err(StorageError::Fenced(text)) = result {
            return self.fail(StorageError::Fenced(text).to_string());
        }
        if let Some(then) = self.logs.reads.pending.remove(&id) {
            then(self, result);
        }
    }

    /// Loads the index page with an offset, and goes on with `then` when it is at hand, or when the
    /// log has changed so that it has to be looked for again.
    pub(crate) fn load_page(
        &mut self,
        log: LogId,
        offset: i64,
        then: impl FnOnce(&mut Self, Result<(), PageFailed>) + 'static,
    ) {
        let generation = self.logs.get(log).map(super::PartitionLog::generation);
        self.read(ReadWhat::Page { log, offset }, move |broker, result| {
            let now = broker.logs.get(log).map(super::PartitionLog::generation);
            if now != generation {
                return then(broker, Ok(()));
            }
            let page = match result {
                Ok(ReadData::Page(Some((_, bytes)))) => {
                    Page::decode(&bytes).map_err(|error| error.to_string())
                }
                Ok(_) => Err("an index page is missing".to_owned()),
                Err(why) => return then(broker, Err(PageFailed(why))),
            };
            let result = match page {
                Ok(page) if page.key() <= offset && offset < page.end() => {
                    broker.logs.pages.insert(log, page.key(), Arc::new(page), 1);
                    Ok(())
                }
                Ok(_) => Err("an index page does not reach as far as it must".to_owned()),
                Err(why) => Err(why),
            };
            then(
                broker,
                result.map_err(|why| PageFailed(StorageError::Corrupt(format!("{log}: {why}")))),
            );
        });
    }
}
