//! Logs in IndexedDB.
//!
//! One transaction per write of the broker, at most as many under way as the broker issues, each
//! with the guard of [`mod@write`]; reads come from the tail cache where they can. Which host may write
//! is said by the lease in the database itself ([`lease`]), so that a host that lost its Web Lock
//! without knowing cannot do harm.

mod dump;
mod error;
mod lease;
mod open;
mod pack;
mod read;
mod room;
mod write;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::transaction::TransactionDurability;
use partita_core::broker::{ChunkRef, Effect, ReadData, ReadWhat, Reply, StorageError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::IdbVersionChangeEvent;

use super::cache::Cache;
use super::{Chunk, Completion, Exported, Listener, Lost, Storage, chunk};
use pack::Runs;
use room::Room;
use write::Writes;

pub use dump::export;
pub use open::{OpenError, Options, open};

/// The form of what is stored. A database of a higher one is refused; of a lower one, converted.
pub const FORMAT: u32 = 2;
/// IndexedDB's own version: which object stores there are. Room is left between formats.
const SCHEMA: u32 = FORMAT * 10;

/// Chunks by (log, base offset).
const CHUNKS: &str = "chunks";
/// Small chunks gathered, by (log, base offset of the last one): [`pack`].
const PACKS: &str = "packs";
/// Index pages by (log, base offset of the first chunk).
const PAGES: &str = "pages";
/// One manifest per log.
const MANIFESTS: &str = "manifests";
/// What is known of the database itself: [`lease`] and format.
const META: &str = "meta";

/// The storage of one host.
#[derive(Debug)]
pub struct IndexedDb {
    inner: Rc<Inner>,
}

struct Inner {
    database: Database,
    durability: TransactionDurability,
    listener: Listener,
    cache: RefCell<Cache>,
    runs: RefCell<Runs>,
    writes: RefCell<Writes>,
    room: Room,
    /// What it was lost by, if it was: nothing can be done any more.
    lost: RefCell<Option<Lost>>,
    /// Told when the database is closed, deleted or wanted by others.
    handlers: RefCell<Option<Handlers>>,
    /// Whether its host has closed it.
    closed: Cell<bool>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexedDb")
            .field("database", &self.database.name())
            .finish_non_exhaustive()
    }
}

/// Kept alive as long as the database may call them.
struct Handlers {
    _version_change: Closure<dyn FnMut(IdbVersionChangeEvent)>,
    _close: Closure<dyn FnMut()>,
}

impl Storage for IndexedDb {
    fn submit(&mut self, effect: Effect) -> Option<Completion> {
        match effect {
            Effect::Load => {
                let inner = Rc::clone(&self.inner);
                spawn_local(async move {
                    let loaded = read::load(&inner).await;
                    inner.done(Reply::Loaded(loaded));
                });
                None
            }
            Effect::Write(write) => {
                write::submit(&self.inner, write);
                None
            }
            Effect::Read(read) => {
                if let ReadWhat::Chunks(wanted) = &read.what
                    && let Some(chunks) = self.inner.cached(wanted)
                {
                    let reply = Reply::Read {
                        id: read.id,
                        result: Ok(contents(wanted, &chunks)),
                    };
                    return Some(Completion { reply, chunks });
                }
                let inner = Rc::clone(&self.inner);
                spawn_local(async move {
                    let (chunks, result) = match read::read(&inner, &read).await {
                        Ok((chunks, data)) => (chunks, Ok(data)),
                        Err(error) => (Vec::new(), Err(error)),
                    };
                    let reply = Reply::Read {
                        id: read.id,
                        result,
                    };
                    (inner.listener.done)(Completion { reply, chunks });
                });
                None
            }
        }
    }

    fn epoch(&self) -> u64 {
        self.inner.writes.borrow().epoch()
    }

    fn export(&self) -> Exported {
        let inner = Rc::clone(&self.inner);
        Box::pin(async move {
            inner.check()?;
            dump::dump(&inner.database).await
        })
    }

    fn verify(&self, then: Box<dyn FnOnce(bool)>) -> Option<Box<dyn FnOnce(bool)>> {
        let inner = Rc::clone(&self.inner);
        spawn_local(async move {
            let ours = lease::is_ours(&inner).await;
            then(ours);
        });
        None
    }

    fn close(&mut self) {
        self.inner.close();
    }
}

impl Drop for IndexedDb {
    fn drop(&mut self) {
        self.inner.close();
    }
}

/// As much of each chunk as the broker wants of it.
fn contents(wanted: &[ChunkRef], chunks: &[Chunk]) -> ReadData {
    let each = wanted.iter().zip(chunks);
    ReadData::Chunks(
        each.map(|(want, chunk)| chunk::detail(&chunk.2, want.detail))
            .collect(),
    )
}

impl Inner {
    fn done(&self, reply: Reply) {
        (self.listener.done)(reply.into());
    }

    /// All the chunks, if all are cached.
    fn cached(&self, wanted: &[ChunkRef]) -> Option<Vec<Chunk>> {
        self.check().ok()?;
        let mut cache = self.cache.borrow_mut();
        let chunk =
            |&ChunkRef {
                 log, base_offset, ..
             }: &ChunkRef| { Some((log, base_offset, cache.get(log, base_offset)?)) };
        wanted.iter().map(chunk).collect()
    }

    /// Why nothing can be done any more, if so.
    fn check(&self) -> Result<(), StorageError> {
        let error = match &*self.lost.borrow() {
            Some(Lost::Fenced) => StorageError::Fenced("the lease is another host's".into()),
            Some(Lost::Deleted) => StorageError::Closed("the database was deleted".into()),
            Some(Lost::Outdated) => {
                StorageError::Closed("a newer version took the database".into())
            }
            Some(Lost::Closed) => StorageError::Closed("the browser closed the database".into()),
            None if self.closed.get() => StorageError::Closed("the host has stopped".into()),
            None => return Ok(()),
        };
        Err(error)
    }

    /// Stops for good, once; the first reason stays.
    fn lose(&self, lost: Lost) {
        if self.check().is_err() {
            return;
        }
        self.lost.replace(Some(lost.clone()));
        self.cache.borrow_mut().clear();
        self.database.as_sys().close();
        (self.listener.lost)(lost);
    }

    fn close(&self) {
        self.closed.set(true);
        self.database.as_sys().set_onversionchange(None);
        self.database.as_sys().set_onclose(None);
        *self.handlers.borrow_mut() = None;
        self.cache.borrow_mut().clear();
        self.database.as_sys().close();
    }

    /// Listens for what others do to the database. It must be let go at once, or they wait.
    fn listen(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let on_version_change = move |event: IdbVersionChangeEvent| {
            if let Some(inner) = weak.upgrade() {
                let deleted = event.new_version().is_none();
                inner.lose(if deleted {
                    Lost::Deleted
                } else {
                    Lost::Outdated
                });
            }
        };
        let weak = Rc::downgrade(self);
        let on_close = move || {
            if let Some(inner) = weak.upgrade() {
                inner.lose(Lost::Closed);
            }
        };
        let handlers = Handlers {
            _version_change: Closure::new(on_version_change),
            _close: Closure::new(on_close),
        };
        let database = self.database.as_sys();
        database.set_onversionchange(Some(handlers._version_change.as_ref().unchecked_ref()));
        database.set_onclose(Some(handlers._close.as_ref().unchecked_ref()));
        *self.handlers.borrow_mut() = Some(handlers);
    }
}
