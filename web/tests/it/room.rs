//! Room: records that are refused for want of it are taken again as soon as there is some.

use indexed_db_futures::database::Database;
use indexed_db_futures::prelude::*;
use js_sys::Promise;
use partita_core::broker::{LogId, StorageError, WriteOp};
use partita_core::types::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Probe, disturb, log, put, sleep, unique};

#[wasm_bindgen_test]
async fn a_failure_while_the_reserve_is_made_whole_does_not_refuse_records_for_good() {
    let mut probe = Probe::open(&unique("room")).await.unwrap();
    // There is no room for one chunk, and then the disk fails once.
    let undo = disturb(
        "const put = IDBObjectStore.prototype.put;
         const fail = [['chunks', 'QuotaExceededError'], ['probe', 'UnknownError']];
         IDBObjectStore.prototype.put = function (value, key) {
           const [at, name] = fail[0] ?? [];
           if (at !== this.name && at !== key) return put.call(this, value, key);
           fail.shift();
           throw new DOMException('on purpose', name);
         };
         return () => { IDBObjectStore.prototype.put = put; return fail.length; }",
    );
    probe.write(vec![put(log(1, 0), 0, b"refused")]);
    let refused = probe.written().await.1;
    assert!(
        matches!(refused, Err(StorageError::QuotaExceeded(_))),
        "{refused:?}"
    );
    // Something is deleted: then it is looked whether there is room.
    let mut taken = false;
    for _ in 0..3_000 {
        let delete = WriteOp::DropLog { log: log(2, 0) };
        probe.write_as(vec![delete], false);
        assert_eq!(probe.written().await.1, Ok(()));
        probe.write(vec![put(log(1, 0), 0, b"taken")]);
        if probe.written().await.1.is_ok() {
            taken = true;
            break;
        }
        sleep(20).await;
    }
    let left = undo.call0(&JsValue::UNDEFINED).unwrap();
    assert_eq!(left.as_f64(), Some(0.0), "both have failed");
    assert!(taken, "records are still refused");
}

/// Waits until the reserve is there, and nothing that only tries whether there is room.
async fn is_whole(name: &str) {
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..500 {
        let database = Database::open(name).await.unwrap();
        let transaction = database.transaction("meta").build().unwrap();
        let meta = transaction.object_store("meta").unwrap();
        let found = meta.get_all_keys::<JsValue>().primitive().unwrap().await;
        let text = |key: Result<JsValue, _>| key.unwrap().as_string().unwrap();
        keys = found.unwrap().map(text).collect();
        drop(meta);
        drop(transaction);
        database.close();
        if keys == ["format", "last reserve", "lease", "reserve", "reserved"] {
            return;
        }
        sleep(20).await;
    }
    panic!("only {keys:?}");
}

#[wasm_bindgen_test]
async fn what_is_given_up_of_the_reserve_while_it_is_made_whole_is_made_again() {
    let name = unique("reserve");
    let mut probe = Probe::open(&name).await.unwrap();
    // Enough to be worth a reserve.
    probe.write(vec![WriteOp::PutChunk {
        log: log(1, 0),
        base_offset: 0,
        bytes: vec![vec![0; 1 << 20].into()],
    }]);
    assert_eq!(probe.written().await.1, Ok(()));
    is_whole(&name).await;

    // There is no room for two chunks.
    let undo = disturb(
        "const put = IDBObjectStore.prototype.put;
         let full = 2;
         IDBObjectStore.prototype.put = function (value, key) {
           if (this.name !== 'chunks' || full === 0) return put.call(this, value, key);
           full--;
           throw new DOMException('on purpose', 'QuotaExceededError');
         };
         return () => { IDBObjectStore.prototype.put = put; return full; }",
    );
    // One gives up the first part, which is being put again when the other gives up the last.
    probe.write_as(vec![put(log(2, 0), 0, b"a commit")], false);
    for _ in 0..20 {
        JsFuture::from(Promise::resolve(&JsValue::NULL))
            .await
            .unwrap();
    }
    let metadata = LogId {
        topic: Uuid::METADATA,
        partition: 0,
    };
    probe.write_as(vec![put(metadata, 0, b"a topic is deleted")], false);
    probe.written().await.1.unwrap();
    // Whether it takes effect depends on which of the two is tried again first.
    drop(probe.written().await);
    let left = undo.call0(&JsValue::UNDEFINED).unwrap();
    assert_eq!(left.as_f64(), Some(0.0), "both have failed");
    is_whole(&name).await;
}
