//! Storages: what is written is read, what is deleted is gone, and nothing passes the guard.

use bytes::Bytes;
use indexed_db_futures::database::Database;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionMode;
use partita_core::broker::{
    ChunkRef, Detail, Effect, ReadData, ReadWhat, Reply, StorageError, StoredLog, WriteOp,
};
use partita_web::storage::indexeddb::{FORMAT, OpenError, export};
use partita_web::storage::{Lost, Memory, Storage};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Probe, disturb, log, manifest, put, sleep, unique};

/// What every storage must do.
async fn behaves(mut probe: Probe<impl Storage>) {
    let (a, b) = (log(1, 0), log(1, 1));
    probe.write(vec![
        put(a, 0, b"first"),
        put(a, 10, b"second"),
        manifest(a, b"a: 20"),
    ]);
    probe.write(vec![
        put(a, 20, b"third"),
        put(b, 5, b"other"),
        manifest(b, b"b: 6"),
    ]);
    assert_eq!(probe.written().await, (1, Ok(())));
    assert_eq!(probe.written().await, (2, Ok(())));
    assert_eq!(probe.chunk(a, 10).await.unwrap(), "second");
    assert_eq!(probe.chunk(b, 5).await.unwrap(), "other");
    assert!(matches!(
        probe.chunk(a, 11).await,
        Err(StorageError::Missing(_))
    ));

    probe.submit(Effect::Load);
    let Reply::Loaded(loaded) = probe.next().await.reply else {
        panic!("not loaded")
    };
    let stored = |log, manifest: &'static str, last| StoredLog {
        log,
        manifest: Bytes::from(manifest),
        last_chunk: Some(last),
    };
    assert_eq!(
        loaded.unwrap(),
        [stored(a, "a: 20", 20), stored(b, "b: 6", 5)]
    );

    // Replaced as compaction does it: everything below 20 by one chunk, atomically.
    let delete = WriteOp::DeleteChunks {
        log: a,
        from: 0,
        to: 20,
    };
    probe.write(vec![
        delete,
        put(a, 0, b"compacted"),
        manifest(a, b"a: 20, compacted"),
    ]);
    assert_eq!(probe.written().await.1, Ok(()));
    assert_eq!(probe.chunk(a, 0).await.unwrap(), "compacted");
    assert!(matches!(
        probe.chunk(a, 10).await,
        Err(StorageError::Missing(_))
    ));
    assert_eq!(probe.chunk(a, 20).await.unwrap(), "third");

    let page = |base_offset, bytes: &'static str| WriteOp::PutPage {
        log: a,
        base_offset,
        bytes: Bytes::from(bytes),
    };
    probe.write(vec![
        page(-1, "minus one"),
        page(0, "zero"),
        page(100, "hundred"),
    ]);
    assert_eq!(probe.written().await.1, Ok(()));
    let find = |offset| ReadWhat::Page { log: a, offset };
    let page_of = |found: Option<(i64, &'static str)>| {
        ReadData::Page(found.map(|(key, bytes)| (key, Bytes::from(bytes))))
    };
    assert_eq!(
        probe.read(find(99)).await.unwrap(),
        page_of(Some((0, "zero")))
    );
    assert_eq!(
        probe.read(find(100)).await.unwrap(),
        page_of(Some((100, "hundred")))
    );
    assert_eq!(
        probe.read(find(-1)).await.unwrap(),
        page_of(Some((-1, "minus one")))
    );
    assert_eq!(probe.read(find(-2)).await.unwrap(), page_of(None));
    probe.write(vec![WriteOp::DeletePages {
        log: a,
        from: 0,
        to: 100,
    }]);
    assert_eq!(probe.written().await.1, Ok(()));
    assert_eq!(
        probe.read(find(99)).await.unwrap(),
        page_of(Some((-1, "minus one")))
    );

    let manifest_of = |log| ReadWhat::Manifest { log };
    let expected = Some(stored(a, "a: 20, compacted", 20));
    assert_eq!(
        probe.read(manifest_of(a)).await.unwrap(),
        ReadData::Manifest(expected)
    );
    probe.write(vec![WriteOp::DropLog { log: a }]);
    assert_eq!(probe.written().await.1, Ok(()));
    assert_eq!(
        probe.read(manifest_of(a)).await.unwrap(),
        ReadData::Manifest(None)
    );
    assert!(matches!(
        probe.chunk(a, 20).await,
        Err(StorageError::Missing(_))
    ));
    assert_eq!(probe.read(find(99)).await.unwrap(), page_of(None));
    assert_eq!(probe.chunk(b, 5).await.unwrap(), "other");
}

#[wasm_bindgen_test]
async fn memory_behaves() {
    behaves(Probe::new(Memory::default())).await;
}

#[wasm_bindgen_test]
async fn indexeddb_behaves() {
    behaves(Probe::open(&unique("behaves")).await.unwrap()).await;
}

#[wasm_bindgen_test]
async fn what_was_written_is_there_after_reopening() {
    let name = unique("reopen");
    let mut probe = Probe::open(&name).await.unwrap();
    probe.write(vec![
        put(log(1, 0), 1 << 60, b"far out"),
        manifest(log(1, 0), b"m"),
    ]);
    assert_eq!(probe.written().await.1, Ok(()));
    drop(probe);

    let mut probe = Probe::open(&name).await.unwrap();
    probe.submit(Effect::Load);
    let Reply::Loaded(Ok(loaded)) = probe.next().await.reply else {
        panic!("not loaded")
    };
    assert_eq!(loaded.len(), 1);
    assert_eq!(loaded[0].last_chunk, Some(1 << 60));
    // Nothing is cached now: this comes from the database, and stays at hand with its reply.
    let at = ChunkRef {
        log: log(1, 0),
        base_offset: 1 << 60,
        detail: Detail::Ready,
    };
    probe.submit(Effect::Read(partita_core::broker::Read {
        id: 7,
        what: ReadWhat::Chunks(vec![at]),
    }));
    let completion = probe.next().await;
    assert_eq!(
        completion.reply,
        Reply::Read {
            id: 7,
            result: Ok(ReadData::Chunks(vec![Bytes::new()]))
        }
    );
    assert_eq!(completion.chunks[0].2.to_vec(), b"far out");
}

/// Changes the lease behind the back of whoever holds it.
async fn set_lease(name: &str, change: impl FnOnce(f64, f64) -> (f64, f64)) {
    let database = Database::open(name).await.unwrap();
    let transaction = database
        .transaction("meta")
        .with_mode(TransactionMode::Readwrite)
        .build()
        .unwrap();
    let meta = transaction.object_store("meta").unwrap();
    let lease: Option<js_sys::Array> = meta.get("lease").primitive().unwrap().await.unwrap();
    let lease = lease.unwrap();
    let (epoch, sequence) = change(
        lease.get(0).as_f64().unwrap(),
        lease.get(1).as_f64().unwrap(),
    );
    let lease = js_sys::Array::of2(&epoch.into(), &sequence.into());
    meta.put(JsValue::from(lease))
        .with_key("lease")
        .without_key_type()
        .primitive()
        .unwrap();
    drop(meta);
    transaction.commit().await.unwrap();
    database.close();
}

#[wasm_bindgen_test]
async fn a_host_that_lost_its_lease_writes_nothing() {
    let name = unique("fenced");
    let mut old = Probe::open(&name).await.unwrap();
    old.write(vec![put(log(1, 0), 0, b"before")]);
    assert_eq!(old.written().await.1, Ok(()));

    let mut new = Probe::open(&name).await.unwrap();
    old.write(vec![put(log(1, 0), 10, b"late")]);
    old.write(vec![put(log(2, 0), 0, b"later")]);
    assert!(matches!(
        old.written().await,
        (2, Err(StorageError::Fenced(_)))
    ));
    assert!(matches!(
        old.written().await,
        (3, Err(StorageError::Fenced(_)))
    ));
    assert_eq!(old.lost().await, Lost::Fenced);
    old.write(vec![put(log(1, 0), 10, b"latest")]);
    assert!(matches!(
        old.written().await,
        (4, Err(StorageError::Fenced(_)))
    ));

    assert_eq!(new.chunk(log(1, 0), 0).await.unwrap(), "before");
    assert!(matches!(
        new.chunk(log(1, 0), 10).await,
        Err(StorageError::Missing(_))
    ));
    assert!(matches!(
        new.chunk(log(2, 0), 0).await,
        Err(StorageError::Missing(_))
    ));
    new.write(vec![put(log(1, 0), 10, b"new")]);
    assert_eq!(new.written().await.1, Ok(()));
    assert_eq!(new.chunk(log(1, 0), 10).await.unwrap(), "new");
}

#[wasm_bindgen_test]
async fn what_is_queued_behind_a_failed_write_fails_with_it() {
    let name = unique("hole");
    let mut probe = Probe::open(&name).await.unwrap();
    probe.write(vec![put(log(1, 0), 0, b"zero")]);
    assert_eq!(probe.written().await.1, Ok(()));

    // The next write finds a sequence that it does not expect, as if one before it had failed.
    set_lease(&name, |epoch, sequence| (epoch, sequence - 1.0)).await;
    probe.write(vec![put(log(1, 0), 10, b"ten")]);
    probe.write(vec![
        put(log(1, 0), 20, b"twenty"),
        put(log(2, 0), 0, b"other"),
    ]);
    let (id, first) = probe.written().await;
    assert_eq!(id, 2);
    assert!(matches!(first, Err(StorageError::Other(_))));
    // Issued before the second failure was heard of: it must not take effect either.
    probe.write(vec![put(log(1, 0), 30, b"thirty")]);
    assert_eq!(probe.written().await, (3, first.clone()));
    assert_eq!(probe.written().await, (4, first));
    for offset in [10, 20, 30] {
        assert!(matches!(
            probe.chunk(log(1, 0), offset).await,
            Err(StorageError::Missing(_))
        ));
    }
    assert!(matches!(
        probe.chunk(log(2, 0), 0).await,
        Err(StorageError::Missing(_))
    ));

    // Once all have failed, the host goes on from what is durable.
    probe.write(vec![put(log(1, 0), 10, b"again")]);
    assert_eq!(probe.written().await.1, Ok(()));
    probe.write(vec![put(log(1, 0), 20, b"and again")]);
    assert_eq!(probe.written().await.1, Ok(()));
    assert_eq!(probe.chunk(log(1, 0), 10).await.unwrap(), "again");
}

#[wasm_bindgen_test]
async fn a_late_host_learns_that_it_was_replaced() {
    let name = unique("verify");
    let old = Probe::open(&name).await.unwrap();
    let verdict = Rc::new(Cell::new(None));
    let ask = |verdict: &Rc<Cell<Option<bool>>>| {
        let verdict = Rc::clone(verdict);
        Box::new(move |ours| verdict.set(Some(ours)))
    };
    assert!(old.storage.verify(ask(&verdict)).is_none());
    while verdict.get().is_none() {
        sleep(1).await;
    }
    assert_eq!(verdict.take(), Some(true));

    let _new = Probe::open(&name).await.unwrap();
    assert!(old.storage.verify(ask(&verdict)).is_none());
    while verdict.get().is_none() {
        sleep(1).await;
    }
    assert_eq!(verdict.take(), Some(false));
}

#[wasm_bindgen_test]
async fn a_deleted_database_is_told_and_never_comes_back_by_itself() {
    let name = unique("deleted");
    let mut probe = Probe::open(&name).await.unwrap();
    probe.write(vec![put(log(1, 0), 0, b"gone")]);
    assert_eq!(probe.written().await.1, Ok(()));
    Database::delete_by_name(&name).unwrap().await.unwrap();
    assert_eq!(probe.lost().await, Lost::Deleted);
    probe.write(vec![put(log(1, 0), 10, b"nowhere")]);
    assert!(matches!(
        probe.written().await.1,
        Err(StorageError::Closed(_))
    ));
    assert!(matches!(
        probe.chunk(log(1, 0), 0).await,
        Err(StorageError::Closed(_))
    ));
    probe.submit(Effect::Load);
    assert!(matches!(
        probe.next().await.reply,
        Reply::Loaded(Err(StorageError::Closed(_)))
    ));
}

#[wasm_bindgen_test]
async fn a_newer_format_is_refused_and_left_alone() {
    let name = unique("newer-schema");
    let newer = Database::open(&name).with_version(1000u32).await.unwrap();
    newer.close();
    assert_eq!(Probe::open(&name).await.err(), Some(OpenError::NewerFormat));

    let name = unique("newer-format");
    drop(Probe::open(&name).await.unwrap());
    let database = Database::open(&name).await.unwrap();
    let transaction = database
        .transaction("meta")
        .with_mode(TransactionMode::Readwrite)
        .build()
        .unwrap();
    let meta = transaction.object_store("meta").unwrap();
    let newer = f64::from(FORMAT + 1);
    meta.put(newer)
        .with_key("format")
        .without_key_type()
        .primitive()
        .unwrap();
    drop(meta);
    transaction.commit().await.unwrap();
    database.close();
    assert_eq!(Probe::open(&name).await.err(), Some(OpenError::NewerFormat));
}

#[wasm_bindgen_test]
async fn a_blocked_opening_says_so_and_goes_on_when_the_other_lets_go() {
    let name = unique("blocked");
    let other = Database::open(&name).with_version(1u32).await.unwrap();
    let blocked = Rc::new(Cell::new(false));
    let opened = Rc::new(Cell::new(false));
    {
        let (blocked, opened, name) = (Rc::clone(&blocked), Rc::clone(&opened), name.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let probe = Probe::open_blocked(&name, move || blocked.set(true)).await;
            opened.set(probe.is_ok());
        });
    }
    while !blocked.get() {
        sleep(1).await;
    }
    assert!(!opened.get());
    other.close();
    while !opened.get() {
        sleep(1).await;
    }
}

#[wasm_bindgen_test]
async fn a_database_that_is_deleted_while_it_is_opened_is_let_go() {
    let name = unique("deleted-early");
    drop(Probe::open(&name).await.unwrap());
    // It is to be deleted from the moment on in which the lease is taken.
    let deleted = disturb(&format!(
        "const begin = IDBDatabase.prototype.transaction;
         let deleted;
         IDBDatabase.prototype.transaction = function (...args) {{
           if (this.name === '{name}') {{
             IDBDatabase.prototype.transaction = begin;
             const request = indexedDB.deleteDatabase(this.name);
             request.onsuccess = () => {{ deleted = true; }};
           }}
           return begin.apply(this, args);
         }};
         return () => {{ IDBDatabase.prototype.transaction = begin; return deleted === true; }}"
    ));
    // It was opened before that was heard, or was not.
    match Probe::open(&name).await {
        Ok(probe) => assert_eq!(probe.lost().await, Lost::Deleted),
        Err(error) => assert_eq!(error, OpenError::Lost(Lost::Deleted)),
    }
    for _ in 0..12_000 {
        if deleted.call0(&JsValue::UNDEFINED).unwrap().is_truthy() {
            return;
        }
        sleep(5).await;
    }
    panic!("it is still held");
}

#[wasm_bindgen_test]
async fn an_export_creates_no_database() {
    let name = unique("export-missing");
    for _ in 0..2 {
        let found = export(&name).await.err();
        let missing = |error| matches!(error, OpenError::Storage(StorageError::Missing(_)));
        assert!(found.is_some_and(missing));
    }
}
