//! Room: a reserve that is given up when the browser gives no more.
//!
//! A database that is full to the brim cannot be emptied: whatever frees room has to write first (a
//! topic's deletion is a record, each write moves the lease), and it could not even be opened. How
//! much is left nobody says before a write fails (`navigator.storage.estimate()` of Chromium always
//! tells of 10 GiB more than are used). So two values lie in the store `meta` that mean nothing but
//! their size. When a write fails for want of room, the broker is told and refuses records; a write
//! without any, such as a commit, may have the first value's room, and the last one's is for what
//! deletes.
//!
//! Records are taken again once the reserve is whole and as much again is free. That is tried when
//! something was deleted, and now and then: whoever frees room elsewhere tells nobody.
//!
//! The values are so large that browsers keep each in a file of its own: deleting one frees its
//! room at once. All that is done to them goes through transactions that compare the lease's epoch
//! but do not move it: they have to succeed where not even the lease can be written.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use indexed_db_futures::database::Database;
use indexed_db_futures::error::Error;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionMode;
use partita_core::broker::StorageError;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::{Inner, META, error, lease};
use crate::sys::{self, sleep};

/// The reserve's keys in the store `meta`, in the order in which they are given up.
pub(super) const RESERVE: [&str; 2] = ["reserve", "last reserve"];
/// The key of what says that the database once had a reserve.
const RESERVED: &str = "reserved";
/// The key of what is written to see whether there is room, and deleted at once.
const PROBE: &str = "probe";
/// How large each is, in bytes.
const SIZE: u32 = 2 << 20;

/// A database gets its reserve when so many bytes were written, or has been open for a while.
const WORTH_A_RESERVE: f64 = 1_048_576.0;
const OPEN_MILLIS: f64 = 3_000.0;
/// While there is no room: how often is looked whether something was deleted, and after how many
/// such looks the browser is asked in any case.
const LOOK_MILLIS: f64 = 100.0;
const LOOKS: u32 = 50;

/// What was found of the reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reserve {
    /// Which parts there are.
    held: [bool; 2],
    /// Whether there were some once.
    made: bool,
}

impl Reserve {
    /// From the keys of the store `meta`.
    pub(super) fn found(keys: &[JsValue]) -> Self {
        let has = |wanted: &str| {
            keys.iter()
                .any(|key| key.as_string().as_deref() == Some(wanted))
        };
        Self {
            held: RESERVE.map(has),
            made: has(RESERVED),
        }
    }
}

/// What is known of the room.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// The reserve as it is now.
    reserve: Cell<Reserve>,
    /// Why there is no room for records, if so; the broker was told.
    none: RefCell<Option<String>>,
    /// Bytes written since the database was opened.
    written: Cell<f64>,
    /// Whether the reserve is being made whole.
    restoring: Cell<bool>,
    /// Whether something was deleted since that was tried.
    freed: Cell<bool>,
}

impl Room {
    /// Notes what was found at opening.
    pub(super) fn found(&self, reserve: Reserve) {
        self.reserve.set(reserve);
    }

    fn is_none(&self) -> bool {
        self.none.borrow().is_some()
    }

    /// Whether a part of the reserve is missing.
    fn lacks_reserve(&self) -> bool {
        self.reserve.get().held != [true; 2]
    }
}

/// The database was opened.
pub(super) fn opened(inner: &Rc<Inner>) {
    if inner.room.reserve.get().made && inner.room.lacks_reserve() {
        // There was no room when it was open before.
        return lacks(inner);
    }
    let weak = Rc::downgrade(inner);
    spawn_local(async move {
        sleep(OPEN_MILLIS).await;
        if let Some(inner) = weak.upgrade() {
            restore(&inner);
        }
    });
}

/// Whether records may be written.
pub(super) fn check(inner: &Inner) -> Result<(), StorageError> {
    let none = inner.room.none.borrow().clone();
    none.map_or(Ok(()), |why| Err(StorageError::QuotaExceeded(why)))
}

/// There is no room: the broker is told, unless it was.
pub(super) fn lacks(inner: &Rc<Inner>) {
    if !inner.room.is_none() {
        let why = "the browser gives no more room (QuotaExceededError)".to_owned();
        inner.room.none.replace(Some(why.clone()));
        (inner.listener.room)(Some(why));
    }
    restore(inner);
}

/// Gives a part of the reserve up, the last one only for what frees room; whether there was one.
pub(super) async fn give_up(inner: &Inner, frees: bool) -> bool {
    let mut reserve = inner.room.reserve.get();
    let key = match &mut reserve.held {
        [first @ true, _] => {
            *first = false;
            RESERVE[0]
        }
        [false, last @ true] if frees => {
            *last = false;
            RESERVE[1]
        }
        [false, _] => return false,
    };
    inner.room.reserve.set(reserve);
    let deleted = change(inner, |meta| meta.delete(key).primitive().map(drop));
    deleted.await.is_ok()
}

/// A write has succeeded.
pub(super) fn wrote(inner: &Rc<Inner>, bytes: f64, frees: bool) {
    let written = inner.room.written.get() + bytes;
    inner.room.written.set(written);
    if frees {
        inner.room.freed.set(true);
    }
    if written >= WORTH_A_RESERVE {
        restore(inner);
    }
}

/// Makes the reserve whole, as soon as there is room for it and as much again.
fn restore(inner: &Rc<Inner>) {
    let room = &inner.room;
    let whole = !room.lacks_reserve() && !room.is_none();
    if whole || room.restoring.replace(true) {
        return;
    }
    let inner = Rc::clone(inner);
    spawn_local(async move {
        loop {
            inner.room.freed.set(false);
            match try_restore(&inner).await {
                Ok(()) if !inner.room.lacks_reserve() => break,
                // A part was given up meanwhile.
                Ok(()) => continue,
                Err(StorageError::QuotaExceeded(_)) => lacks(&inner),
                // The storage is gone, and says so itself.
                Err(_) if inner.check().is_err() => return,
                // What failed once may succeed later: records are not refused for good.
                Err(_) => {}
            }
            for _ in 0..LOOKS {
                sleep(LOOK_MILLIS).await;
                if inner.room.freed.get() {
                    break;
                }
            }
        }
        inner.room.restoring.set(false);
        if inner.room.none.take().is_some() {
            (inner.listener.room)(None);
        }
    });
}

async fn try_restore(inner: &Inner) -> Result<(), StorageError> {
    let before = inner.room.reserve.get().held;
    change(inner, |meta| {
        meta.put(1)
            .with_key(RESERVED)
            .without_key_type()
            .primitive()?;
        let missing = RESERVE.into_iter().zip(before);
        let missing = missing.filter_map(|(key, held)| (!held).then_some(key));
        for key in missing.chain([PROBE]) {
            let value: JsValue = sys::random_bytes(SIZE).buffer().into();
            meta.put(value)
                .with_key(key)
                .without_key_type()
                .primitive()?;
        }
        Ok(())
    })
    .await?;
    // Those that were put are there, and those that nobody has given up meanwhile.
    let [first, last] = inner.room.reserve.get().held;
    inner.room.reserve.set(Reserve {
        held: [first || !before[0], last || !before[1]],
        made: true,
    });
    change(inner, |meta| meta.delete(PROBE).primitive().map(drop)).await
}

/// Deletes a part of the reserve of a database whose lease cannot be taken without.
pub(super) async fn delete(database: &Database, key: &str) -> Result<(), StorageError> {
    let transaction = database
        .transaction(META)
        .with_mode(TransactionMode::Readwrite)
        .build()
        .map_err(|e| error::from_error(&e))?;
    let raw = transaction.as_sys().clone();
    raw.set_onerror(None);
    let issued = transaction
        .object_store(META)
        .and_then(|meta| meta.delete(key).primitive().map(drop));
    issued.map_err(|e| error::from_error(&e))?;
    let committed = transaction.commit().await;
    committed.map_err(|e| error::of_transaction(&raw, &e))
}

/// Changes the store `meta`, if this host still has the lease.
async fn change(
    inner: &Inner,
    issue: impl FnOnce(&ObjectStore<'_>) -> Result<(), Error>,
) -> Result<(), StorageError> {
    let changed = lease::hold(inner, &[], |transaction| {
        issue(&transaction.object_store(META)?)
    });
    changed.await
}
