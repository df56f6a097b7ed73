//! Room: records that are refused for want of it are taken again as soon as there is some.

use partita_core::broker::{StorageError, WriteOp};
use wasm_bindgen::prelude::*;
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
    for _ in 0..200 {
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
