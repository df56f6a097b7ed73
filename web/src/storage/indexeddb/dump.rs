//! Reading everything for an export: without a lease, so also beside or without a broker.

use std::cell::Cell;
use std::rc::Rc;

use indexed_db_futures::KeyRange;
use indexed_db_futures::database::Database;
use indexed_db_futures::error::Error;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::prelude::*;
use partita_core::broker::StorageError;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::error::from_error;
use super::open::{OpenError, open_error};
use super::read::{bytes, view};
use super::{CHUNKS, MANIFESTS, PACKS, pack};
use crate::key;
use crate::storage::export::Archive;

/// How many chunks are read at a time.
const AT_A_TIME: u32 = 16;

/// Reads the database of that name, which must exist, as it is.
///
/// # Errors
/// When it is not there, or cannot be opened or read.
pub async fn export(name: &str) -> Result<Blob, OpenError> {
    let missing = Rc::new(Cell::new(false));
    let opened = Database::open(name)
        .with_on_upgrade_needed({
            let missing = Rc::clone(&missing);
            move |_, database| {
                // There is no such database, and none is created.
                missing.set(true);
                let store = database.create_object_store(MANIFESTS).build()?;
                Ok(store.as_sys().transaction().abort()?)
            }
        })
        .build()
        .map_err(open_error)?
        .await;
    let database = match opened {
        Ok(database) => database,
        Err(_) if missing.get() => {
            return Err(StorageError::Missing("there is no such database".into()).into());
        }
        Err(error) => return Err(open_error(error)),
    };
    let archive = dump(&database).await;
    database.close();
    Ok(archive?)
}

/// Reads everything there is.
pub(super) async fn dump(database: &Database) -> Result<Blob, StorageError> {
    let unknown = || StorageError::Corrupt("a key makes no sense".into());
    let mut archive = Archive::default();
    for store in [MANIFESTS, CHUNKS, PACKS] {
        let mut after = None;
        loop {
            let found = some(database, store, after)
                .await
                .map_err(|e| from_error(&e))?;
            for (key, value) in &found {
                let key = bytes(key)?;
                if store == MANIFESTS {
                    archive.manifest(key::parse_log(&key).ok_or_else(unknown)?, &bytes(value)?)?;
                    continue;
                }
                let (log, base_offset) = key::parse_chunk(&key).ok_or_else(unknown)?;
                let value = view(value)?;
                if store == CHUNKS {
                    archive.chunk(log, base_offset, &value)?;
                    continue;
                }
                for (base_offset, chunk) in pack::chunks(&value)? {
                    archive.chunk(log, base_offset, &chunk)?;
                }
            }
            match found.into_iter().next_back() {
                Some((last, _)) => after = Some(last),
                None => break,
            }
        }
    }
    archive.finish()
}

/// The next entries behind a key.
async fn some(
    database: &Database,
    store: &str,
    after: Option<JsValue>,
) -> Result<Vec<(JsValue, JsValue)>, Error> {
    let transaction = database.transaction(store).build()?;
    let store = transaction.object_store(store)?;
    // No key sorts below the empty one.
    let after = after.unwrap_or_else(|| js_sys::Uint8Array::new_with_length(0).into());
    let range = || KeyRange::LowerBound(after.clone(), true);
    let keys = store
        .get_all_keys::<JsValue>()
        .with_query::<JsValue, _>(range());
    let keys = keys.with_limit(AT_A_TIME).primitive()?;
    let values = store.get_all::<JsValue>().with_query::<JsValue, _>(range());
    let values = values.with_limit(AT_A_TIME).primitive()?;
    let keys: Vec<JsValue> = keys.await?.collect::<Result<_, _>>()?;
    let values: Vec<JsValue> = values.await?.collect::<Result<_, _>>()?;
    Ok(keys.into_iter().zip(values).collect())
}
