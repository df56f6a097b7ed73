//! The lease: which host may write, and after which write.
//!
//! A record `[epoch, sequence]` in the database. Whoever opens the database as its host raises the
//! epoch; every write expects exactly the epoch and sequence that it knows and raises the sequence
//! (HOST.md's guard). So a host that was thought dead cannot write any more, and a write behind a
//! failed one fails too. It is an array because arrays of numbers need no serialiser.

use indexed_db_futures::error::Error;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{TransactionMode, TransactionOptions, TransactionRef};
use js_sys::Array;
use partita_core::broker::StorageError;
use wasm_bindgen::prelude::*;

use super::error::{from_error, of_transaction};
use super::{Inner, META};
use crate::num::{to_f64, to_u64};

/// The lease's key in the store `meta`.
pub(super) const LEASE: &str = "lease";

/// What the lease says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lease {
    /// Rises with each host.
    pub(super) epoch: u64,
    /// Rises with each write.
    pub(super) sequence: u64,
}

impl Lease {
    /// The lease after one more write.
    pub(super) fn next(self) -> Self {
        Self {
            sequence: self.sequence.wrapping_add(1),
            ..self
        }
    }

    /// The lease of the next host.
    pub(super) fn taken_over(self) -> Self {
        Self {
            epoch: self.epoch.wrapping_add(1),
            sequence: 0,
        }
    }

    /// As it is stored.
    pub(super) fn to_js(self) -> JsValue {
        Array::of2(&to_f64(self.epoch).into(), &to_f64(self.sequence).into()).into()
    }

    /// From what is stored; nothing stored is the lease before the first host.
    pub(super) fn from_js(stored: Option<JsValue>) -> Result<Self, StorageError> {
        let Some(stored) = stored else {
            return Ok(Self::default());
        };
        let corrupt = || StorageError::Corrupt("the lease makes no sense".into());
        let pair = stored.dyn_into::<Array>().map_err(|_| corrupt())?;
        let number = |at| pair.get(at).as_f64().ok_or_else(corrupt);
        Ok(Self {
            epoch: to_u64(number(0)?),
            sequence: to_u64(number(1)?),
        })
    }
}

/// Reads the lease as it is now, after all writes under way.
pub(super) async fn read(inner: &Inner) -> Result<Lease, StorageError> {
    inner.check()?;
    let transaction = inner
        .database
        .transaction(META)
        .build()
        .map_err(|e| from_error(&e))?;
    let meta = transaction.object_store(META).map_err(|e| from_error(&e))?;
    let stored: Option<JsValue> = meta
        .get(LEASE)
        .primitive()
        .map_err(|e| from_error(&e))?
        .await
        .map_err(|e| from_error(&e))?;
    Lease::from_js(stored)
}

/// Whether this host still holds the lease. One that cannot find out does not.
pub(super) async fn is_ours(inner: &Inner) -> bool {
    let epoch = inner.writes.borrow().epoch();
    read(inner).await.is_ok_and(|lease| lease.epoch == epoch)
}

/// A transaction over these stores and [`META`] that is no write of the broker's: it compares the
/// lease's epoch but does not move it, and leaves what the broker has stored as it is. Everything
/// is issued at once, and nothing is awaited between. As durable as a write, because it may put what
/// a write has stored elsewhere.
pub(super) async fn hold(
    inner: &Inner,
    stores: &[&str],
    issue: impl FnOnce(&TransactionRef<'_>) -> Result<(), Error>,
) -> Result<(), StorageError> {
    inner.check()?;
    let failed = |e: Error| from_error(&e);
    let stores: Vec<&str> = stores.iter().copied().chain([META]).collect();
    let transaction = inner
        .database
        .transaction(stores)
        .with_mode(TransactionMode::Readwrite)
        .with_options(TransactionOptions::new().with_durability(inner.durability))
        .build()
        .map_err(failed)?;
    let raw = transaction.as_sys().clone();
    raw.set_onerror(None);
    let found = {
        let meta = transaction.object_store(META).map_err(failed)?;
        let found = meta.get::<JsValue, _, _>(LEASE).primitive();
        let found = found.map_err(failed)?;
        issue(&transaction).map_err(failed)?;
        // Answered last: all before it have succeeded then, or the transaction is aborted.
        let last = meta.get::<JsValue, _, _>(LEASE).primitive();
        let last = last.map_err(failed)?;
        let found = found.await.map_err(|e| of_transaction(&raw, &e))?;
        let last = last.await.map(drop::<Option<JsValue>>);
        last.map_err(|e| of_transaction(&raw, &e))?;
        found
    };
    let epoch = inner.writes.borrow().epoch();
    if Lease::from_js(found)?.epoch != epoch {
        return match transaction.abort().await {
            Ok(()) | Err(_) => Err(StorageError::Fenced("the lease is another host's".into())),
        };
    }
    let committed = transaction.commit().await;
    committed.map_err(|e| of_transaction(&raw, &e))
}

/// Compares the lease with what is expected.
pub(super) fn compare(found: Lease, expected: Lease) -> Result<(), StorageError> {
    if found.epoch != expected.epoch {
        let text = format!(
            "epoch {} holds the lease, not {}",
            found.epoch, expected.epoch
        );
        return Err(StorageError::Fenced(text));
    }
    if found.sequence != expected.sequence {
        return Err(StorageError::Other("a write before this one failed".into()));
    }
    Ok(())
}
