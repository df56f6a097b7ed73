//! Writes: one guarded transaction each, in order, and all or nothing from the first that fails.
//!
//! Every transaction first reads the lease, is aborted unless that is exactly what this host
//! expects, and writes the next one at its end; the read and all puts are issued without awaiting
//! between them, and nothing is committed before all have answered: in Firefox a request that fails
//! after `commit()` leaves the others committed. Transactions over the same stores
//! run one after the other, so the second of two in flight sees what became of the first: if that
//! was aborted, the sequence is not the expected one, and the second is aborted too.
//!
//! After a failure nothing new is begun until all that was in flight has failed and the lease was
//! read again; what the broker submits before it knows of the failure fails as well.

use std::collections::VecDeque;
use std::rc::Rc;

use indexed_db_futures::KeyRange;
use indexed_db_futures::error::Error;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{TransactionMode, TransactionOptions, TransactionRef};
use js_sys::Uint8Array;
use partita_core::broker::{LogId, Reply, StorageError, Write, WriteOp};
use partita_core::types::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::lease::{self, LEASE, Lease};
use super::{CHUNKS, Inner, MANIFESTS, META, PACKS, PAGES, error, pack, room};
use crate::key;
use crate::storage::{Lost, chunk};

/// What is under way.
#[derive(Debug)]
pub(super) struct Writes {
    /// The lease that the next transaction will find.
    expected: Lease,
    /// Submitted and not answered, in order; the result once it is known.
    unanswered: VecDeque<(u64, Option<Result<(), StorageError>>)>,
    /// How many transactions are running.
    in_flight: u32,
    /// The failure that is failing what was submitted after it.
    failing: Option<StorageError>,
    /// Whether the lease is being read after a failure.
    reading_lease: bool,
    /// Submitted meanwhile.
    held: VecDeque<Prepared>,
}

impl Writes {
    pub(super) fn new(expected: Lease) -> Self {
        Self {
            expected,
            unanswered: VecDeque::new(),
            in_flight: 0,
            failing: None,
            reading_lease: false,
            held: VecDeque::new(),
        }
    }

    /// This host's epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.expected.epoch
    }

    fn set_result(&mut self, id: u64, result: Result<(), StorageError>) {
        if let Some(entry) = self.unanswered.iter_mut().find(|entry| entry.0 == id) {
            entry.1 = Some(result);
        }
    }
}

/// A write whose bytes have been copied out of wasm memory.
#[derive(Debug)]
struct Prepared {
    id: u64,
    ops: Vec<Op>,
    /// Whether clients' records are in it.
    records: bool,
}

impl Prepared {
    /// How much it puts, in bytes.
    fn bytes(&self) -> f64 {
        let put = |op: &Op| match op {
            Op::PutChunk { bytes, .. } | Op::Put { bytes, .. } => f64::from(bytes.length()),
            Op::DeleteChunks { .. } | Op::DeletePages { .. } | Op::DropLog { .. } => 0.0,
        };
        self.ops.iter().map(put).sum()
    }

    /// Whether it frees room, or says what is to be freed: topics are deleted by a record.
    fn frees(&self) -> bool {
        self.ops.iter().any(|op| match op {
            Op::PutChunk { log, .. } => log.topic == Uuid::METADATA,
            Op::DeleteChunks { .. } | Op::DropLog { .. } => true,
            Op::Put { .. } | Op::DeletePages { .. } => false,
        })
    }
}

#[derive(Debug)]
enum Op {
    PutChunk {
        log: LogId,
        base_offset: i64,
        bytes: Uint8Array,
    },
    Put {
        store: &'static str,
        key: Uint8Array,
        bytes: Uint8Array,
    },
    DeleteChunks {
        log: LogId,
        from: i64,
        to: i64,
    },
    DeletePages {
        log: LogId,
        from: i64,
        to: i64,
    },
    DropLog {
        log: LogId,
    },
}

impl From<WriteOp> for Op {
    fn from(op: WriteOp) -> Self {
        match op {
            WriteOp::PutChunk {
                log,
                base_offset,
                bytes,
            } => Self::PutChunk {
                log,
                base_offset,
                bytes: chunk::copy_out(&bytes),
            },
            WriteOp::DeleteChunks { log, from, to } => Self::DeleteChunks { log, from, to },
            WriteOp::PutPage {
                log,
                base_offset,
                bytes,
            } => Self::Put {
                store: PAGES,
                key: Uint8Array::from(&key::chunk(log, base_offset)[..]),
                bytes: Uint8Array::from(bytes.as_ref()),
            },
            WriteOp::DeletePages { log, from, to } => Self::DeletePages { log, from, to },
            WriteOp::PutManifest { log, bytes } => Self::Put {
                store: MANIFESTS,
                key: Uint8Array::from(&key::log(log)[..]),
                bytes: Uint8Array::from(bytes.as_ref()),
            },
            WriteOp::DropLog { log } => Self::DropLog { log },
        }
    }
}

/// Takes a write on; its reply comes through the listener.
pub(super) fn submit(inner: &Rc<Inner>, write: Write) {
    let prepared = Prepared {
        id: write.id,
        ops: write.ops.into_iter().map(Op::from).collect(),
        records: write.records,
    };
    {
        let mut writes = inner.writes.borrow_mut();
        writes.unanswered.push_back((prepared.id, None));
        match writes.failing.clone() {
            None => return begin(inner, &mut writes, prepared),
            // The broker does not know of the failure yet.
            Some(error) if writes.in_flight > 0 => {
                return writes.set_result(prepared.id, Err(error));
            }
            Some(_) => writes.held.push_back(prepared),
        }
    }
    recover(inner);
}

/// Begins a transaction. Tasks begin in the order they are spawned, so transactions do too.
fn begin(inner: &Rc<Inner>, writes: &mut Writes, write: Prepared) {
    let expected = writes.expected;
    writes.expected = expected.next();
    forget_deleted(inner, &write.ops);
    writes.in_flight = writes.in_flight.saturating_add(1);
    let inner = Rc::clone(inner);
    spawn_local(async move {
        let result = attempt(&inner, expected, &write).await;
        match &result {
            Ok(()) => keep(&inner, write.ops),
            Err(error) => {
                inner.cache.borrow_mut().clear();
                inner.runs.borrow_mut().clear();
                if let StorageError::Fenced(_) = error {
                    inner.lose(Lost::Fenced);
                }
            }
        }
        {
            let mut writes = inner.writes.borrow_mut();
            writes.in_flight = writes.in_flight.saturating_sub(1);
        }
        finish(&inner, write.id, result);
        recover(&inner);
    });
}

/// Carries a write out. One without records gets the room that is kept back, if there is no other.
async fn attempt(inner: &Rc<Inner>, expected: Lease, write: &Prepared) -> Result<(), StorageError> {
    if write.records {
        room::check(inner)?;
    }
    loop {
        let result = transact(inner, expected, &write.ops).await;
        let full = matches!(result, Err(StorageError::QuotaExceeded(_)));
        if full {
            room::lacks(inner);
        }
        if !full || write.records || !room::give_up(inner, write.frees()).await {
            if result.is_ok() {
                room::wrote(inner, write.bytes(), write.frees());
            }
            return result;
        }
    }
}

/// Notes what became of a write, and answers what can be answered in order.
fn finish(inner: &Inner, id: u64, result: Result<(), StorageError>) {
    {
        let mut writes = inner.writes.borrow_mut();
        // Those behind a failed write fail with its reason: theirs is only that it failed.
        let result = result.map_err(|error| writes.failing.get_or_insert(error).clone());
        writes.set_result(id, result);
    }
    loop {
        let answered = {
            let mut writes = inner.writes.borrow_mut();
            match writes.unanswered.front() {
                Some((_, Some(_))) => writes.unanswered.pop_front(),
                Some((_, None)) | None => None,
            }
        };
        let Some((id, Some(result))) = answered else {
            return;
        };
        inner.done(Reply::Written { id, result });
    }
}

/// After a failure, once nothing is in flight: finds out where the lease stands and goes on.
fn recover(inner: &Rc<Inner>) {
    {
        let mut writes = inner.writes.borrow_mut();
        if writes.failing.is_none() || writes.in_flight > 0 || writes.reading_lease {
            return;
        }
        writes.reading_lease = true;
    }
    let inner = Rc::clone(inner);
    spawn_local(async move {
        let found = lease::read(&inner).await;
        let held = {
            let mut writes = inner.writes.borrow_mut();
            writes.reading_lease = false;
            let held = std::mem::take(&mut writes.held);
            let ours = found
                .as_ref()
                .is_ok_and(|lease| lease.epoch == writes.epoch());
            if let (Ok(lease), true) = (&found, ours) {
                writes.failing = None;
                writes.expected = *lease;
                return held
                    .into_iter()
                    .for_each(|write| begin(&inner, &mut writes, write));
            }
            held
        };
        if found.is_ok() {
            inner.lose(Lost::Fenced);
        }
        let error = found.map(drop).and_then(|()| inner.check()).err();
        let error = error.unwrap_or_else(|| StorageError::Other("the lease cannot be read".into()));
        // The next write tries again.
        held.into_iter()
            .for_each(|write| finish(&inner, write.id, Err(error.clone())));
    });
}

/// What is being deleted must not come back in a pack.
fn forget_deleted(inner: &Inner, ops: &[Op]) {
    let mut runs = inner.runs.borrow_mut();
    for op in ops {
        match op {
            Op::DeleteChunks { log, to, .. } => runs.delete_below(*log, *to),
            Op::DropLog { log } => runs.delete_below(*log, i64::MAX),
            Op::PutChunk { .. } | Op::Put { .. } | Op::DeletePages { .. } => {}
        }
    }
}

/// What was written is what will be read next; what was deleted must not be found any more.
fn keep(inner: &Rc<Inner>, ops: Vec<Op>) {
    let mut cache = inner.cache.borrow_mut();
    let mut runs = inner.runs.borrow_mut();
    for op in ops {
        match op {
            Op::PutChunk {
                log,
                base_offset,
                bytes,
            } => {
                if let Some((log, run)) = runs.add(log, base_offset, &bytes) {
                    pack::store(inner, log, run);
                }
                cache.insert(log, base_offset, bytes);
            }
            Op::DeleteChunks { log, from, to } => cache.remove_range(log, from..to),
            Op::DropLog { log } => cache.remove_range(log, i64::MIN..i64::MAX),
            Op::Put { .. } | Op::DeletePages { .. } => {}
        }
    }
}

/// One guarded transaction.
async fn transact(inner: &Inner, expected: Lease, ops: &[Op]) -> Result<(), StorageError> {
    inner.check()?;
    let transaction = inner
        .database
        .transaction([CHUNKS, PACKS, PAGES, MANIFESTS, META])
        .with_mode(TransactionMode::Readwrite)
        .with_options(TransactionOptions::new().with_durability(inner.durability))
        .build()
        .map_err(|e| error::from_error(&e))?;
    // A failed request aborts the transaction, and the abort is told once; the library's own
    // handler of errors would be called once per request and must not be.
    let raw = transaction.as_sys().clone();
    raw.set_onerror(None);

    let meta = transaction
        .object_store(META)
        .map_err(|e| error::from_error(&e))?;
    let found = meta
        .get::<JsValue, _, _>(LEASE)
        .primitive()
        .map_err(|e| error::from_error(&e))?;
    issue(&transaction, ops).map_err(|e| error::from_error(&e))?;
    let moved = meta
        .put(expected.next().to_js())
        .with_key(LEASE)
        .without_key_type()
        .primitive()
        .map_err(|e| error::from_error(&e))?;

    let found = match found.await {
        Ok(found) => Lease::from_js(found),
        Err(e) => Err(error::of_transaction(&raw, &e)),
    };
    if let Err(error) = found.and_then(|found| lease::compare(found, expected)) {
        // That it is aborted is certain; what the library says of it adds nothing.
        drop(meta);
        return match transaction.abort().await {
            Ok(()) | Err(_) => Err(error),
        };
    }
    drop(meta);
    // The last one: all before it have succeeded as well, or the transaction is aborted.
    moved.await.map_err(|e| error::of_transaction(&raw, &e))?;
    transaction
        .commit()
        .await
        .map_err(|e| error::of_transaction(&raw, &e))
}

/// Issues everything of a write, without waiting for anything.
fn issue(transaction: &TransactionRef<'_>, ops: &[Op]) -> Result<(), Error> {
    let chunks = transaction.object_store(CHUNKS)?;
    let packs = transaction.object_store(PACKS)?;
    let pages = transaction.object_store(PAGES)?;
    let manifests = transaction.object_store(MANIFESTS)?;
    for op in ops {
        match op {
            Op::PutChunk {
                log,
                base_offset,
                bytes,
            } => {
                let key = Uint8Array::from(&key::chunk(*log, *base_offset)[..]);
                put(&chunks, key, bytes)?;
            }
            Op::Put {
                store: PAGES,
                key,
                bytes,
            } => put(&pages, key.clone(), bytes)?,
            Op::Put { key, bytes, .. } => put(&manifests, key.clone(), bytes)?,
            Op::DeleteChunks { log, from, to } => {
                delete(&chunks, *log, *from, *to)?;
                delete(&packs, *log, *from, *to)?;
            }
            Op::DeletePages { log, from, to } => delete(&pages, *log, *from, *to)?,
            Op::DropLog { log } => {
                delete(&chunks, *log, i64::MIN, i64::MAX)?;
                delete(&packs, *log, i64::MIN, i64::MAX)?;
                delete(&pages, *log, i64::MIN, i64::MAX)?;
                let key: JsValue = Uint8Array::from(&key::log(*log)[..]).into();
                manifests.delete(key).primitive()?;
            }
        }
    }
    Ok(())
}

/// Stores the whole buffer, which is exactly as long as the value.
pub(super) fn put(
    store: &ObjectStore<'_>,
    key: Uint8Array,
    bytes: &Uint8Array,
) -> Result<(), Error> {
    let value: JsValue = bytes.buffer().into();
    store
        .put(value)
        .with_key(JsValue::from(key))
        .without_key_type()
        .primitive()?;
    Ok(())
}

/// Deletes what has a base offset in `from..to`.
pub(super) fn delete(store: &ObjectStore<'_>, log: LogId, from: i64, to: i64) -> Result<(), Error> {
    if from < to {
        let bound = |offset| JsValue::from(Uint8Array::from(&key::chunk(log, offset)[..]));
        store
            .delete::<JsValue, _>(KeyRange::Bound(bound(from), false, bound(to), true))
            .primitive()?;
    }
    Ok(())
}
