//! Reads: one read-only transaction each, everything issued before the first answer is awaited.
//!
//! A read issued behind a write waits for it, so what is read is never older than what the broker
//! was told.

use bytes::Bytes;
use indexed_db_futures::KeyRange;
use indexed_db_futures::cursor::CursorDirection;
use indexed_db_futures::error::Error;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use js_sys::{ArrayBuffer, Uint8Array};
use partita_core::broker::{ChunkRef, LogId, Read, ReadData, ReadWhat, StorageError, StoredLog};
use wasm_bindgen::prelude::*;
use web_sys::IdbCursorWithValue;

use super::error::from_error;
use super::{CHUNKS, Inner, MANIFESTS, PAGES, contents};
use crate::key;
use crate::storage::Chunk;

/// Every log's manifest and the key of its last chunk.
pub(super) async fn load(inner: &Inner) -> Result<Vec<StoredLog>, StorageError> {
    inner.check()?;
    let manifests = all_manifests(inner).await.map_err(|e| from_error(&e))?;
    let mut logs = Vec::new();
    for (key, manifest) in manifests {
        let log = key::parse_log(&bytes(&key)?)
            .ok_or_else(|| StorageError::Corrupt("a manifest's key makes no sense".into()))?;
        logs.push((log, bytes(&manifest)?));
    }
    let ids: Vec<LogId> = logs.iter().map(|(log, _)| *log).collect();
    let last = last_chunks(inner, &ids).await.map_err(|e| from_error(&e))?;
    let stored = logs.into_iter().zip(last).map(|((log, manifest), key)| {
        Ok(StoredLog {
            log,
            manifest,
            last_chunk: key.map(|key| offset(&key)).transpose()?,
        })
    });
    stored.collect()
}

/// What the broker wants to know of one log, and the chunks it named.
pub(super) async fn read(
    inner: &Inner,
    read: &Read,
) -> Result<(Vec<Chunk>, ReadData), StorageError> {
    inner.check()?;
    match &read.what {
        ReadWhat::Chunks(wanted) => {
            let chunks = chunks(inner, wanted).await?;
            let data = contents(wanted, &chunks);
            Ok((chunks, data))
        }
        ReadWhat::Page { log, offset } => {
            let found = page(inner, *log, *offset)
                .await
                .map_err(|e| from_error(&e))?;
            let page = found.map(|(key, page)| Ok((self::offset(&key)?, bytes(&page)?)));
            Ok((Vec::new(), ReadData::Page(page.transpose()?)))
        }
        ReadWhat::Manifest { log } => {
            let found = manifest(inner, *log).await.map_err(|e| from_error(&e))?;
            let Some((manifest, last_chunk)) = found else {
                return Ok((Vec::new(), ReadData::Manifest(None)));
            };
            let stored = StoredLog {
                log: *log,
                manifest: bytes(&manifest)?,
                last_chunk: last_chunk.map(|key| offset(&key)).transpose()?,
            };
            Ok((Vec::new(), ReadData::Manifest(Some(stored))))
        }
    }
}

/// Chunks by their keys, from the cache where it has them.
async fn chunks(inner: &Inner, wanted: &[ChunkRef]) -> Result<Vec<Chunk>, StorageError> {
    let cached: Vec<Option<Uint8Array>> = {
        let mut cache = inner.cache.borrow_mut();
        wanted
            .iter()
            .map(|want| cache.get(want.log, want.base_offset))
            .collect()
    };
    let missing = wanted
        .iter()
        .zip(&cached)
        .filter(|(_, cached)| cached.is_none());
    let stored = get_all(inner, missing.map(|(want, _)| want))
        .await
        .map_err(|e| from_error(&e))?;
    let mut stored = stored.into_iter();
    let mut chunks = Vec::with_capacity(wanted.len());
    for (
        &ChunkRef {
            log, base_offset, ..
        },
        cached,
    ) in wanted.iter().zip(cached)
    {
        let chunk = match cached {
            Some(chunk) => chunk,
            None => {
                let missing = || StorageError::Missing(format!("chunk {base_offset} of {log}"));
                let chunk = view(&stored.next().flatten().ok_or_else(missing)?)?;
                inner
                    .cache
                    .borrow_mut()
                    .insert(log, base_offset, chunk.clone());
                chunk
            }
        };
        chunks.push((log, base_offset, chunk));
    }
    Ok(chunks)
}

async fn get_all(
    inner: &Inner,
    wanted: impl Iterator<Item = &ChunkRef>,
) -> Result<Vec<Option<JsValue>>, Error> {
    let transaction = inner.database.transaction(CHUNKS).build()?;
    let store = transaction.object_store(CHUNKS)?;
    let key = |want: &ChunkRef| js(&key::chunk(want.log, want.base_offset));
    let requests: Vec<_> = wanted
        .map(|want| store.get::<JsValue, _, _>(key(want)).primitive())
        .collect::<Result<_, _>>()?;
    let mut values = Vec::with_capacity(requests.len());
    for request in requests {
        values.push(request.await?);
    }
    Ok(values)
}

async fn all_manifests(inner: &Inner) -> Result<Vec<(JsValue, JsValue)>, Error> {
    let transaction = inner.database.transaction(MANIFESTS).build()?;
    let store = transaction.object_store(MANIFESTS)?;
    let keys = store.get_all_keys::<JsValue>().primitive()?;
    let values = store.get_all::<JsValue>().primitive()?;
    let keys: Vec<JsValue> = keys.await?.collect::<Result<_, _>>()?;
    let values: Vec<JsValue> = values.await?.collect::<Result<_, _>>()?;
    Ok(keys.into_iter().zip(values).collect())
}

async fn last_chunks(inner: &Inner, logs: &[LogId]) -> Result<Vec<Option<JsValue>>, Error> {
    let transaction = inner.database.transaction(CHUNKS).build()?;
    let store = transaction.object_store(CHUNKS)?;
    let mut cursors = Vec::with_capacity(logs.len());
    for &log in logs {
        cursors.push(open_last(&store, log)?);
    }
    let mut keys = Vec::with_capacity(logs.len());
    for cursor in cursors {
        keys.push(match cursor.await? {
            Some(cursor) => Some(cursor.as_sys().key()?),
            None => None,
        });
    }
    Ok(keys)
}

async fn manifest(inner: &Inner, log: LogId) -> Result<Option<(JsValue, Option<JsValue>)>, Error> {
    let transaction = inner.database.transaction([MANIFESTS, CHUNKS]).build()?;
    let manifests = transaction.object_store(MANIFESTS)?;
    let chunks = transaction.object_store(CHUNKS)?;
    let manifest = manifests
        .get::<JsValue, _, _>(js(&key::log(log)))
        .primitive()?;
    let last = open_last(&chunks, log)?;
    let Some(manifest) = manifest.await? else {
        return Ok(None);
    };
    let last = match last.await? {
        Some(cursor) => Some(cursor.as_sys().key()?),
        None => None,
    };
    Ok(Some((manifest, last)))
}

async fn page(inner: &Inner, log: LogId, offset: i64) -> Result<Option<(JsValue, JsValue)>, Error> {
    let transaction = inner.database.transaction(PAGES).build()?;
    let store = transaction.object_store(PAGES)?;
    let from = js(&key::chunk(log, i64::MIN));
    let to = js(&key::chunk(log, offset));
    let cursor = store
        .open_cursor()
        .with_query::<JsValue, _>(KeyRange::Bound(from, false, to, false))
        .with_direction(CursorDirection::Prev)
        .primitive()?
        .await?;
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let cursor = cursor.as_sys().unchecked_ref::<IdbCursorWithValue>();
    Ok(Some((cursor.key()?, cursor.value()?)))
}

type LastCursor<'a> = indexed_db_futures::future::CursorRequest<
    'a,
    indexed_db_futures::cursor::KeyCursor<'a, ObjectStore<'a>>,
    ObjectStore<'a>,
>;

/// A cursor at the last chunk of a log.
fn open_last<'a>(store: &'a ObjectStore<'a>, log: LogId) -> Result<LastCursor<'a>, Error> {
    let from = js(&key::chunk(log, i64::MIN));
    let to = js(&key::chunk(log, i64::MAX));
    store
        .open_key_cursor()
        .with_query::<JsValue, _>(KeyRange::Bound(from, false, to, false))
        .with_direction(CursorDirection::Prev)
        .primitive()
}

fn js(key: &[u8]) -> JsValue {
    Uint8Array::from(key).into()
}

/// A stored value or key as bytes outside wasm memory.
pub(super) fn view(stored: &JsValue) -> Result<Uint8Array, StorageError> {
    match stored.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => Ok(Uint8Array::new(buffer)),
        None => Err(StorageError::Corrupt("what is stored are not bytes".into())),
    }
}

/// The same inside it.
pub(super) fn bytes(stored: &JsValue) -> Result<Bytes, StorageError> {
    Ok(Bytes::from(view(stored)?.to_vec()))
}

/// The base offset in a chunk's or page's key.
fn offset(key: &JsValue) -> Result<i64, StorageError> {
    let (_, offset) = key::parse_chunk(&bytes(key)?)
        .ok_or_else(|| StorageError::Corrupt("a chunk's key makes no sense".into()))?;
    Ok(offset)
}
