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
use super::{CHUNKS, Inner, MANIFESTS, PACKS, PAGES, contents, pack};
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
    let last = last_chunks(inner, &ids).await?;
    let stored = logs.into_iter().zip(last);
    Ok(stored
        .map(|((log, manifest), last_chunk)| StoredLog {
            log,
            manifest,
            last_chunk,
        })
        .collect())
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
            let Some((manifest, last_chunk)) = manifest(inner, *log).await? else {
                return Ok((Vec::new(), ReadData::Manifest(None)));
            };
            let stored = StoredLog {
                log: *log,
                manifest: bytes(&manifest)?,
                last_chunk,
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
    let missing = missing.map(|(want, _)| (want.log, want.base_offset));
    let mut stored = stored(inner, missing.collect()).await?.into_iter();
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
                stored.next().flatten().ok_or_else(missing)?
            }
        };
        chunks.push((log, base_offset, chunk));
    }
    Ok(chunks)
}

/// Chunks as the database has them, by themselves or in packs; they are cached from now on.
async fn stored(
    inner: &Inner,
    wanted: Vec<(LogId, i64)>,
) -> Result<Vec<Option<Uint8Array>>, StorageError> {
    let failed = |e: Error| from_error(&e);
    let transaction = inner
        .database
        .transaction([CHUNKS, PACKS])
        .build()
        .map_err(failed)?;
    let chunks = transaction.object_store(CHUNKS).map_err(failed)?;
    let packs = transaction.object_store(PACKS).map_err(failed)?;
    let get = |&(log, base_offset): &(LogId, i64)| {
        let key = js(&key::chunk(log, base_offset));
        chunks.get::<JsValue, _, _>(key).primitive()
    };
    let requests: Vec<_> = wanted
        .iter()
        .map(get)
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    let mut values = Vec::with_capacity(requests.len());
    for request in requests {
        values.push(request.await.map_err(failed)?);
    }
    let mut found = Vec::with_capacity(values.len());
    // Of the pack that was read last, for those wanted are mostly neighbours.
    let mut unpacked: Vec<Chunk> = Vec::new();
    for ((log, base_offset), value) in wanted.into_iter().zip(values) {
        if let Some(value) = value {
            let chunk = view(&value)?;
            let mut cache = inner.cache.borrow_mut();
            cache.insert(log, base_offset, chunk.clone());
            found.push(Some(chunk));
            continue;
        }
        let is_it = |chunk: &&Chunk| (chunk.0, chunk.1) == (log, base_offset);
        if !unpacked.iter().any(|chunk| is_it(&chunk)) {
            unpacked = pack_from(&packs, log, base_offset).await?;
            let mut cache = inner.cache.borrow_mut();
            for (log, base_offset, chunk) in &unpacked {
                cache.insert(*log, *base_offset, chunk.clone());
            }
        }
        found.push(unpacked.iter().find(is_it).map(|chunk| chunk.2.clone()));
    }
    Ok(found)
}

/// The chunks of the first pack that ends at or behind an offset of a log.
async fn pack_from(
    packs: &ObjectStore<'_>,
    log: LogId,
    offset: i64,
) -> Result<Vec<Chunk>, StorageError> {
    let failed = |e: Error| from_error(&e);
    let from = js(&key::chunk(log, offset));
    let to = js(&key::chunk(log, i64::MAX));
    let cursor = packs
        .open_cursor()
        .with_query::<JsValue, _>(KeyRange::Bound(from, false, to, false))
        .primitive()
        .map_err(failed)?
        .await
        .map_err(failed)?;
    let Some(cursor) = cursor else {
        return Ok(Vec::new());
    };
    let cursor = cursor.as_sys().unchecked_ref::<IdbCursorWithValue>();
    let value = cursor.value().map_err(|e| failed(e.into()))?;
    let chunks = pack::chunks(&view(&value)?)?.into_iter();
    Ok(chunks
        .map(|(base_offset, chunk)| (log, base_offset, chunk))
        .collect())
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

/// The base offset of each log's last chunk.
async fn last_chunks(inner: &Inner, logs: &[LogId]) -> Result<Vec<Option<i64>>, StorageError> {
    let failed = |e: Error| from_error(&e);
    let transaction = inner
        .database
        .transaction([CHUNKS, PACKS])
        .build()
        .map_err(failed)?;
    let chunks = transaction.object_store(CHUNKS).map_err(failed)?;
    let packs = transaction.object_store(PACKS).map_err(failed)?;
    let mut cursors = Vec::with_capacity(logs.len());
    for &log in logs {
        let both = open_last(&chunks, log).and_then(|last| Ok([last, open_last(&packs, log)?]));
        cursors.push(both.map_err(failed)?);
    }
    let mut found = Vec::with_capacity(logs.len());
    for both in cursors {
        found.push(last_of(both).await?);
    }
    Ok(found)
}

async fn last_of(cursors: [LastCursor<'_>; 2]) -> Result<Option<i64>, StorageError> {
    let mut last = None;
    for cursor in cursors {
        if let Some(cursor) = cursor.await.map_err(|e| from_error(&e))? {
            let key = cursor.as_sys().key().map_err(|e| from_error(&e.into()))?;
            last = last.max(Some(offset(&key)?));
        }
    }
    Ok(last)
}

/// A log's manifest and the base offset of its last chunk, if there is such a log.
async fn manifest(
    inner: &Inner,
    log: LogId,
) -> Result<Option<(JsValue, Option<i64>)>, StorageError> {
    let failed = |e: Error| from_error(&e);
    let transaction = inner
        .database
        .transaction([MANIFESTS, CHUNKS, PACKS])
        .build()
        .map_err(failed)?;
    let manifests = transaction.object_store(MANIFESTS).map_err(failed)?;
    let chunks = transaction.object_store(CHUNKS).map_err(failed)?;
    let packs = transaction.object_store(PACKS).map_err(failed)?;
    let manifest = manifests
        .get::<JsValue, _, _>(js(&key::log(log)))
        .primitive()
        .map_err(failed)?;
    let last = open_last(&chunks, log).and_then(|last| Ok([last, open_last(&packs, log)?]));
    let last = last.map_err(failed)?;
    let Some(manifest) = manifest.await.map_err(failed)? else {
        return Ok(None);
    };
    Ok(Some((manifest, last_of(last).await?)))
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
