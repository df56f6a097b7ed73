//! Opening the database as its host: schema, format, and a lease of a new epoch.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use indexed_db_futures::database::Database;
use indexed_db_futures::error::{Error, OpenDbError};
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{TransactionDurability, TransactionMode, TransactionOptions};
use partita_core::broker::StorageError;
use wasm_bindgen::prelude::*;

use super::lease::{LEASE, Lease};
use super::room::{self, RESERVE, Reserve, Room};
use super::write::Writes;
use super::{CHUNKS, FORMAT, IndexedDb, Inner, MANIFESTS, META, PACKS, PAGES, SCHEMA, error};
use crate::storage::cache::Cache;
use crate::storage::{Listener, Lost};

/// The format's key in the store `meta`.
const FORMAT_KEY: &str = "format";

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database's name.
    pub name: String,
    /// Whether each write is flushed to the disk before it counts as durable.
    pub strict: bool,
    /// How many bytes of chunks are cached.
    pub cache_bytes: usize,
}

/// Why a database could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// A newer version of this software has written it.
    NewerFormat,
    /// There is no IndexedDB here, or it is forbidden.
    Unavailable(String),
    /// Somebody else has done something to it meanwhile.
    Lost(Lost),
    /// Anything else.
    Storage(StorageError),
}

impl From<StorageError> for OpenError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Opens a database, creates or converts what is in it as far as needed, and takes the lease.
///
/// `blocked` is called when another tab holds an older form of it open and does not let go; the
/// opening goes on when it does.
///
/// # Errors
/// An [`OpenError`]; nothing was changed then.
pub async fn open(
    options: Options,
    listener: Listener,
    blocked: impl FnOnce() + 'static,
) -> Result<IndexedDb, OpenError> {
    let database = Database::open(options.name.as_str())
        .with_version(SCHEMA)
        .with_on_blocked(move |_| {
            blocked();
            Ok(())
        })
        .with_on_upgrade_needed(|_, database| create_stores(&database))
        .build()
        .map_err(open_error)?
        .await
        .map_err(open_error)?;
    let durability = match options.strict {
        true => TransactionDurability::Strict,
        false => TransactionDurability::Relaxed,
    };
    let inner = Rc::new(Inner {
        database,
        durability,
        listener,
        cache: RefCell::new(Cache::new(options.cache_bytes)),
        runs: RefCell::default(),
        writes: RefCell::new(Writes::new(Lease::default())),
        room: Room::default(),
        lost: RefCell::new(None),
        handlers: RefCell::new(None),
        closed: Cell::new(false),
    });
    // From the first moment: whoever wants the database is told of once, and waits until it is let
    // go.
    inner.listen();
    let taken = take_lease_anyhow(&inner.database).await;
    let lost = inner.lost.borrow().clone().map(OpenError::Lost);
    let storage = IndexedDb { inner };
    // Dropped, and so closed, if that is an error.
    let (lease, reserve) = lost.map_or(taken, Err)?;
    storage.inner.writes.replace(Writes::new(lease));
    storage.inner.room.found(reserve);
    room::opened(&storage.inner);
    Ok(storage)
}

fn create_stores(database: &Database) -> Result<(), Error> {
    let present: Vec<String> = database.object_store_names().collect();
    for name in [CHUNKS, PACKS, PAGES, MANIFESTS, META] {
        if !present.iter().any(|store| store == name) {
            database.create_object_store(name).build()?;
        }
    }
    Ok(())
}

/// Takes the lease; if there is no room for that, the reserve is given up for it.
async fn take_lease_anyhow(database: &Database) -> Result<(Lease, Reserve), OpenError> {
    let mut reserve = RESERVE.iter();
    loop {
        let taken = take_lease(database).await;
        let full = matches!(
            taken,
            Err(OpenError::Storage(StorageError::QuotaExceeded(_)))
        );
        match reserve.next().filter(|_| full) {
            Some(key) => room::delete(database, key).await?,
            None => return taken,
        }
    }
}

/// Checks the format and raises the epoch, in one transaction: whoever held the lease before is
/// fenced from here on. Finds the reserve on the way.
async fn take_lease(database: &Database) -> Result<(Lease, Reserve), OpenError> {
    let storage = |e: &Error| OpenError::Storage(error::from_error(e));
    let transaction = database
        .transaction(META)
        .with_mode(TransactionMode::Readwrite)
        .with_options(TransactionOptions::new().with_durability(TransactionDurability::Strict))
        .build()
        .map_err(|e| storage(&e))?;
    let raw = transaction.as_sys().clone();
    raw.set_onerror(None);
    let taken = {
        let meta = transaction.object_store(META).map_err(|e| storage(&e))?;
        let format = meta
            .get::<f64, _, _>(FORMAT_KEY)
            .primitive()
            .map_err(|e| storage(&e))?;
        let lease = meta
            .get::<JsValue, _, _>(LEASE)
            .primitive()
            .map_err(|e| storage(&e))?;
        let keys = meta
            .get_all_keys::<JsValue>()
            .primitive()
            .map_err(|e| storage(&e))?;
        if format
            .await
            .map_err(|e| storage(&e))?
            .is_some_and(|found| found > f64::from(FORMAT))
        {
            return Err(OpenError::NewerFormat);
        }
        let lease = Lease::from_js(lease.await.map_err(|e| storage(&e))?)?.taken_over();
        let keys = keys.await.map_err(|e| storage(&e))?;
        let keys: Vec<JsValue> = keys.collect::<Result<_, _>>().map_err(|e| storage(&e))?;
        let put_format = meta
            .put(f64::from(FORMAT))
            .with_key(FORMAT_KEY)
            .without_key_type();
        put_format.primitive().map_err(|e| storage(&e))?;
        let put_lease = meta.put(lease.to_js()).with_key(LEASE).without_key_type();
        let put_lease = put_lease.primitive().map_err(|e| storage(&e))?;
        put_lease
            .await
            .map_err(|e| error::of_transaction(&raw, &e))?;
        (lease, Reserve::found(&keys))
    };
    transaction
        .commit()
        .await
        .map_err(|e| error::of_transaction(&raw, &e))?;
    Ok(taken)
}

pub(super) fn open_error(error: OpenDbError) -> OpenError {
    match error {
        OpenDbError::VersionZero => OpenError::Unavailable(error.to_string()),
        OpenDbError::UnsupportedEnvironment | OpenDbError::NullFactory => {
            OpenError::Unavailable("there is no IndexedDB here".into())
        }
        OpenDbError::Base(Error::DomException(exception)) => {
            match exception.as_sys().name().as_str() {
                "VersionError" => OpenError::NewerFormat,
                "SecurityError" => OpenError::Unavailable(exception.message()),
                _ => error::from_error(&Error::DomException(exception)).into(),
            }
        }
        OpenDbError::Base(base) => error::from_error(&base).into(),
    }
}
