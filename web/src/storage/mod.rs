//! Where logs are kept: the broker's effects, executed.
//!
//! A storage decides nothing. It keeps chunks as JavaScript buffers outside wasm memory, which
//! never shrinks: the copy made for a put stays as tail cache, and responses are assembled from
//! such buffers without passing through wasm.
//!
//! What every storage holds to (see `partita_core::broker::Effect`): writes take effect in the
//! order submitted; when one fails, all submitted before its reply was taken fail too; each effect
//! is answered exactly once; replies to writes come in order.

mod cache;
mod chunk;
mod export;
pub mod indexeddb;
mod memory;

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::Uint8Array;
use partita_core::broker::{Effect, LogId, Reply, StorageError};
use web_sys::Blob;

pub(crate) use chunk::{copy_out, put};
pub use memory::Memory;

/// A chunk outside wasm memory, with its key.
pub type Chunk = (LogId, i64, Uint8Array);

/// A reply, and the chunks it names, which responses may refer to once it was handled.
#[derive(Debug)]
pub struct Completion {
    /// For the broker.
    pub reply: Reply,
    /// For the responses that follow.
    pub chunks: Vec<Chunk>,
}

impl From<Reply> for Completion {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            chunks: Vec::new(),
        }
    }
}

/// What befell a storage other than by an effect. Every effect fails from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Another host has taken the database over.
    Fenced,
    /// The database was deleted.
    Deleted,
    /// A newer version of the software wants to change the database's form; it has been let go.
    Outdated,
    /// The browser has closed the database, for instance because its files are gone.
    Closed,
}

/// Whom a storage tells what it has to say later. Never called from within [`Storage::submit`].
#[derive(Clone)]
pub struct Listener {
    /// An effect is done.
    pub done: Rc<dyn Fn(Completion)>,
    /// The storage is gone.
    pub lost: Rc<dyn Fn(Lost)>,
    /// There is no more room for records, and why; `None`: there is some again.
    pub room: Rc<dyn Fn(Option<String>)>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// An archive in the making.
pub type Exported = Pin<Box<dyn Future<Output = Result<Blob, StorageError>>>>;

/// A place for logs.
pub trait Storage {
    /// Begins an effect. What can be answered at once is; the rest comes through the listener.
    fn submit(&mut self, effect: Effect) -> Option<Completion>;

    /// The epoch of this host's lease, if there are leases.
    fn epoch(&self) -> u64 {
        0
    }

    /// Asks whether this host is still the one that may answer for the logs. `None`: certainly;
    /// otherwise `then` hears later.
    fn verify(&self, then: Box<dyn FnOnce(bool)>) -> Option<Box<dyn FnOnce(bool)>> {
        Some(then)
    }

    /// Everything that is stored, as one file.
    fn export(&self) -> Exported;

    /// Lets go of everything. What is under way still takes effect.
    fn close(&mut self) {}
}
