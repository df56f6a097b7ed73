//! The guard: nothing that was queued behind a write that failed takes effect.
//!
//! The failures here are IndexedDB's own and come after the next transactions were begun: the
//! moment at which, without the guard, the second of two would be committed though the first was
//! aborted.

use partita_core::broker::{StorageError, WriteOp};
use partita_web::storage::indexeddb::IndexedDb;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Probe, log, manifest, put, unique};

#[wasm_bindgen(inline_js = r#"
    const put = IDBObjectStore.prototype.put;
    export function doom() {
        IDBObjectStore.prototype.put = function (value, ...key) {
            const request = put.call(this, value, ...key);
            // The same key once more: refused when its turn comes, and with it the transaction.
            const bytes = value instanceof ArrayBuffer && new TextDecoder().decode(value);
            if (bytes === "doomed") this.add(value, ...key);
            return request;
        };
    }
    export function undoom() {
        IDBObjectStore.prototype.put = put;
    }
"#)]
extern "C" {
    /// From now on a transaction that puts the bytes `doomed` fails while it runs.
    fn doom();
    fn undoom();
}

/// The chunk at 0 is written; those at 10, 20, … are submitted at once, and that at 10 fails.
async fn fail_first_of(count: u64) -> Probe<IndexedDb> {
    let mut probe = Probe::open(&unique("guard")).await.unwrap();
    probe.write(vec![put(log(1, 0), 0, b"zero"), manifest(log(1, 0), b"1")]);
    assert_eq!(probe.written().await, (1, Ok(())));
    doom();
    probe.write(vec![
        put(log(1, 0), 10, b"doomed"),
        manifest(log(1, 0), b"11"),
    ]);
    for n in 2..=count {
        let offset = i64::try_from(n).unwrap() * 10;
        probe.write(vec![
            put(log(1, 0), offset, b"behind"),
            put(log(2, 0), offset, b"elsewhere"),
        ]);
    }
    probe
}

/// Whether that is the failure that was meant.
fn is_constraint(error: &StorageError) -> bool {
    matches!(error, StorageError::Other(why) if why.starts_with("ConstraintError"))
}

#[wasm_bindgen_test]
async fn a_failed_transaction_fails_all_that_were_queued_behind_it() {
    for count in [2, 5] {
        let mut probe = fail_first_of(count).await;
        let mut reasons = Vec::new();
        for id in 2..=count + 1 {
            let (answered, result) = probe.written().await;
            assert_eq!(answered, id, "answers come in order");
            reasons.push(result.unwrap_err());
        }
        undoom();
        assert!(is_constraint(&reasons[0]), "{reasons:?}");
        assert!(reasons.iter().all(|why| *why == reasons[0]), "{reasons:?}");

        // What is durable is a prefix: neither this log nor another has anything of them.
        for n in 1..=count {
            let offset = i64::try_from(n).unwrap() * 10;
            for log in [log(1, 0), log(2, 0)] {
                let chunk = probe.chunk(log, offset).await;
                assert!(
                    matches!(chunk, Err(StorageError::Missing(_))),
                    "{offset}: {chunk:?}"
                );
            }
        }
        assert_eq!(probe.chunk(log(1, 0), 0).await.unwrap(), "zero");

        // And it goes on from there.
        probe.write(vec![put(log(1, 0), 10, b"ten"), manifest(log(1, 0), b"11")]);
        assert_eq!(probe.written().await.1, Ok(()));
        assert_eq!(probe.chunk(log(1, 0), 10).await.unwrap(), "ten");
    }
}

#[wasm_bindgen_test]
async fn a_write_submitted_between_the_failures_fails_with_them() {
    let mut probe = fail_first_of(3).await;
    let (_, first) = probe.written().await;
    assert!(is_constraint(first.as_ref().unwrap_err()), "{first:?}");
    let late: Vec<WriteOp> = vec![put(log(1, 0), 40, b"late")];
    probe.write(late);
    for id in 3..=5 {
        assert_eq!(probe.written().await, (id, first.clone()));
    }
    undoom();
    for offset in [10, 20, 30, 40] {
        let chunk = probe.chunk(log(1, 0), offset).await;
        assert!(matches!(chunk, Err(StorageError::Missing(_))), "{chunk:?}");
    }
}
