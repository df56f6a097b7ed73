//! The platform under the host, in a dedicated worker of a real Chromium.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use indexed_db_futures::database::Database;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{TransactionDurability, TransactionMode, TransactionOptions};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const STORE: &str = "chunks";

async fn open() -> Database {
    Database::open("platform")
        .with_version(1u8)
        .with_on_upgrade_needed(|_event, database| {
            database.create_object_store(STORE).build()?;
            Ok(())
        })
        .await
        .unwrap()
}

#[wasm_bindgen_test]
async fn a_strict_write_is_there_after_closing_and_reopening() {
    let scope: web_sys::DedicatedWorkerGlobalScope = js_sys::global().dyn_into().unwrap();
    assert!(
        scope.is_secure_context(),
        "storage and locks need a secure context"
    );

    let database = open().await;
    let mut options = TransactionOptions::new();
    options.set_durability(TransactionDurability::Strict);
    let transaction = database
        .transaction(STORE)
        .with_mode(TransactionMode::Readwrite)
        .with_options(options)
        .build()
        .unwrap();
    let store = transaction.object_store(STORE).unwrap();
    let bytes = JsValue::from(Uint8Array::from([1, 2, 3].as_slice()));
    store.put(bytes).with_key("orders-0").await.unwrap();
    transaction.commit().await.unwrap();
    database.close();

    let database = open().await;
    let transaction = database.transaction(STORE).build().unwrap();
    let store = transaction.object_store(STORE).unwrap();
    let read: Option<JsValue> = store.get("orders-0").await.unwrap();
    assert_eq!(Uint8Array::new(&read.unwrap()).to_vec(), [1, 2, 3]);
    transaction.commit().await.unwrap();
    database.close();
}
