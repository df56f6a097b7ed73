//! Small chunks become packs: they are read as before, deleted with their packs, and never lost.

use bytes::Bytes;
use indexed_db_futures::database::Database;
use indexed_db_futures::prelude::*;
use partita_core::broker::{Effect, LogId, Reply, StorageError, WriteOp};
use partita_web::storage::indexeddb::IndexedDb;
use partita_web::storage::{Storage, indexeddb};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Probe, disturb, log, manifest, sleep, unique};

/// So many of these make a pack.
const SIZE: usize = 10_000;
const IN_A_PACK: usize = 27;

/// What a chunk holds, so that each is told from all others.
fn content(base_offset: i64, size: usize) -> Bytes {
    let seed = usize::try_from(base_offset).unwrap();
    let bytes = (0..size).map(|at| u8::try_from((seed * 31 + at) % 251).unwrap());
    bytes.collect::<Vec<_>>().into()
}

fn put(log: LogId, base_offset: i64, size: usize) -> WriteOp {
    WriteOp::PutChunk {
        log,
        base_offset,
        bytes: vec![content(base_offset, size)],
    }
}

/// Writes chunks at 0, 10, 20, …, each in a write of its own.
async fn fill(probe: &mut Probe<IndexedDb>, log: LogId, from: usize, to: usize) {
    for number in from..to {
        let base_offset = i64::try_from(number * 10).unwrap();
        probe.write(vec![put(log, base_offset, SIZE), manifest(log, b"there")]);
        assert_eq!(probe.written().await.1, Ok(()));
    }
}

async fn delete_below(probe: &mut Probe<IndexedDb>, log: LogId, from: i64, to: i64) {
    probe.write(vec![WriteOp::DeleteChunks { log, from, to }]);
    assert_eq!(probe.written().await.1, Ok(()));
}

/// How many chunks there are by themselves, and how many packs.
async fn counts(name: &str) -> (u32, u32) {
    let database = Database::open(name).await.unwrap();
    let transaction = database.transaction(["chunks", "packs"]).build().unwrap();
    let count = |store| {
        let store = transaction.object_store(store).unwrap();
        store.count().primitive().unwrap()
    };
    let (chunks, packs) = (count("chunks"), count("packs"));
    let found = (chunks.await.unwrap(), packs.await.unwrap());
    drop(transaction);
    database.close();
    found
}

/// Waits until it is so: packs are made behind the writes.
async fn until(name: &str, wanted: (u32, u32)) {
    for _ in 0..12_000 {
        if counts(name).await == wanted {
            return;
        }
        sleep(5).await;
    }
    panic!("{:?}, not {wanted:?}", counts(name).await);
}

async fn last_chunk(probe: &mut Probe<IndexedDb>) -> Option<i64> {
    probe.submit(Effect::Load);
    match probe.next().await.reply {
        Reply::Loaded(Ok(logs)) => logs[0].last_chunk,
        other => panic!("not loaded: {other:?}"),
    }
}

async fn holds(probe: &mut Probe<IndexedDb>, log: LogId, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let base_offset = i64::try_from(number * 10).unwrap();
        let chunk = probe.chunk(log, base_offset).await;
        assert_eq!(chunk.unwrap(), content(base_offset, SIZE), "{base_offset}");
    }
}

#[wasm_bindgen_test]
async fn small_chunks_become_packs_and_are_read_as_before() {
    let name = unique("packs");
    let a = log(1, 0);
    let mut probe = Probe::open(&name).await.unwrap();
    fill(&mut probe, a, 0, IN_A_PACK + 3).await;
    until(&name, (3, 1)).await;
    holds(&mut probe, a, 0..IN_A_PACK + 3).await;
    assert!(matches!(
        probe.chunk(a, 5).await,
        Err(StorageError::Missing(_))
    ));
    drop(probe);

    let mut again = Probe::open(&name).await.unwrap();
    assert_eq!(last_chunk(&mut again).await, Some(290));
    holds(&mut again, a, 0..IN_A_PACK + 3).await;
    let end = i64::try_from(10 * (IN_A_PACK + 3)).unwrap();
    assert!(matches!(
        again.chunk(a, end).await,
        Err(StorageError::Missing(_))
    ));
    // The chunks after the last pack are gone: the pack's last one is the log's.
    fill(&mut again, a, IN_A_PACK + 3, 2 * IN_A_PACK + 3).await;
    until(&name, (3, 2)).await;
    assert_eq!(last_chunk(&mut again).await, Some(560));
    drop(again);
    let exported = indexeddb::export(&name).await.unwrap();
    assert!(exported.size() > 57.0 * 10_000.0, "all chunks are in it");
}

#[wasm_bindgen_test]
async fn a_pack_goes_when_its_last_chunk_does() {
    let name = unique("packs-deleted");
    let (a, b) = (log(1, 0), log(1, 1));
    let mut probe = Probe::open(&name).await.unwrap();
    fill(&mut probe, a, 0, IN_A_PACK).await;
    fill(&mut probe, b, 0, IN_A_PACK).await;
    until(&name, (0, 2)).await;
    delete_below(&mut probe, a, 0, 100).await;
    assert_eq!(counts(&name).await, (0, 2));
    holds(&mut probe, a, 10..IN_A_PACK).await;
    delete_below(&mut probe, a, 100, 270).await;
    assert_eq!(counts(&name).await, (0, 1));
    probe.write(vec![WriteOp::DropLog { log: b }]);
    assert_eq!(probe.written().await.1, Ok(()));
    assert_eq!(counts(&name).await, (0, 0));
}

#[wasm_bindgen_test]
async fn what_was_deleted_before_does_not_come_back_in_a_pack() {
    let name = unique("packs-before");
    let a = log(1, 0);
    let mut probe = Probe::open(&name).await.unwrap();
    fill(&mut probe, a, 0, 20).await;
    // As compaction does it: everything is replaced by one chunk.
    let delete = WriteOp::DeleteChunks {
        log: a,
        from: 0,
        to: 200,
    };
    probe.write(vec![delete, put(a, 0, SIZE)]);
    assert_eq!(probe.written().await.1, Ok(()));
    fill(&mut probe, a, 20, 20 + IN_A_PACK - 1).await;
    until(&name, (0, 1)).await;
    holds(&mut probe, a, 0..1).await;
    holds(&mut probe, a, 20..20 + IN_A_PACK - 1).await;
    for gone in 1..20 {
        assert!(matches!(
            probe.chunk(a, gone * 10).await,
            Err(StorageError::Missing(_))
        ));
    }
}

#[wasm_bindgen_test]
async fn large_chunks_between_small_ones_stay_by_themselves() {
    let name = unique("packs-large");
    let a = log(1, 0);
    let mut probe = Probe::open(&name).await.unwrap();
    fill(&mut probe, a, 0, 10).await;
    probe.write(vec![put(a, 95, 100_000)]);
    assert_eq!(probe.written().await.1, Ok(()));
    fill(&mut probe, a, 10, IN_A_PACK).await;
    until(&name, (1, 1)).await;
    holds(&mut probe, a, 0..IN_A_PACK).await;
    let large = probe.chunk(a, 95).await;
    assert_eq!(large.unwrap(), content(95, 100_000));
    assert_eq!(probe.storage.epoch(), 1);
}

#[wasm_bindgen_test]
async fn a_host_that_is_replaced_while_it_packs_loses_nothing() {
    let name = unique("packs-fenced");
    let a = log(1, 0);
    let mut old = Probe::open(&name).await.unwrap();
    fill(&mut old, a, 0, IN_A_PACK - 1).await;
    let last = i64::try_from((IN_A_PACK - 1) * 10).unwrap();
    old.write(vec![put(a, last, SIZE)]);
    assert_eq!(old.written().await.1, Ok(()));
    let mut new = Probe::open(&name).await.unwrap();
    holds(&mut new, a, 0..IN_A_PACK).await;
    assert_eq!(last_chunk(&mut new).await, Some(last));
}

#[wasm_bindgen_test]
async fn a_database_from_before_there_were_packs_is_converted() {
    let name = unique("packs-format-1");
    let older = Database::open(&name)
        .with_version(10u32)
        .with_on_upgrade_needed(|_, database| {
            for store in ["chunks", "pages", "manifests", "meta"] {
                database.create_object_store(store).build()?;
            }
            Ok(())
        })
        .await
        .unwrap();
    older.close();
    let a = log(1, 0);
    let mut probe = Probe::open(&name).await.unwrap();
    fill(&mut probe, a, 0, IN_A_PACK).await;
    until(&name, (0, 1)).await;
    holds(&mut probe, a, 0..IN_A_PACK).await;
}

#[wasm_bindgen_test]
async fn what_moves_into_a_pack_stays_as_durable_as_it_was() {
    let name = unique("packs-strict");
    let mut probe = Probe::open_strict(&name).await.unwrap();
    let undo = disturb(
        "const begin = IDBDatabase.prototype.transaction;
         const lax = [];
         IDBDatabase.prototype.transaction = function (...args) {
           const transaction = begin.apply(this, args);
           const { mode, durability, objectStoreNames: stores } = transaction;
           if (mode === 'readwrite' && stores.contains('packs') && durability !== 'strict') {
             lax.push([...stores].join());
           }
           return transaction;
         };
         return () => { IDBDatabase.prototype.transaction = begin; return lax.join('; '); }",
    );
    fill(&mut probe, log(1, 0), 0, IN_A_PACK).await;
    until(&name, (0, 1)).await;
    let lax = undo.call0(&wasm_bindgen::JsValue::UNDEFINED).unwrap();
    assert_eq!(lax.as_string().unwrap(), "", "written without a flush");
}
