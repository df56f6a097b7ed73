//! Which of several hosts of one database has the place, and what becomes of one that lost it.

use indexed_db_futures::database::Database;
use partita_web::port::message::{Failure, Status, StorageKind, ToHost};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::host::running;
use crate::raw::{Listener, Raw, end, host, options};
use crate::support::{disturb, sleep, unique};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request)]
    fn request_lock(name: &str, options: &JsValue, granted: &js_sys::Function) -> js_sys::Promise;
}

/// Takes a lock and never lets it go, as a frozen tab does; `how` is an option.
fn freeze(name: &str, how: &str) -> js_sys::Promise {
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &how.into(), &true.into()).unwrap();
    let hold = js_sys::Function::new_no_args("return new Promise(() => {})");
    request_lock(name, &options, &hold)
}

/// The next status but `Starting`.
async fn becomes(listener: &Listener) -> Status {
    listener.status(|status| *status != Status::Starting).await
}

fn failure(status: &Status) -> Option<Failure> {
    match status {
        Status::Failed { failure, .. } => Some(*failure),
        _ => None,
    }
}

#[wasm_bindgen_test]
async fn a_second_host_waits_and_takes_over_when_the_first_goes() {
    let options = options(&unique("election"), StorageKind::IndexedDb);
    let first = host(&options);
    let mut client = running(&first).await;
    client.create_topic("orders", 1).await;

    let second = host(&options);
    let listener = Listener::new(&second);
    let before_it_is_known = Raw::connect(&second);
    listener.status(|status| *status == Status::Waiting).await;
    assert!(before_it_is_known.closed().await.contains("another tab"));
    let early = Raw::connect(&second);
    assert!(early.closed().await.contains("another tab"));
    client.ping().await;

    end(&first).await;
    listener.running().await;
    assert_eq!(
        Raw::connect(&second).topics().await,
        [("orders".to_owned(), 1)]
    );
    end(&second).await;
}

#[wasm_bindgen_test]
async fn a_frozen_holder_loses_its_place_and_learns_of_it() {
    let name = unique("frozen");
    let _never = freeze(&format!("partita:{name}"), "ifAvailable");
    let begun = js_sys::Date::now();
    let link = host(&options(&name, StorageKind::IndexedDb));
    let listener = Listener::new(&link);
    listener.status(|status| *status == Status::Waiting).await;
    listener.running().await;
    assert!(
        js_sys::Date::now() - begun >= 3_000.0,
        "the holder had the time to answer"
    );
    Raw::connect(&link).create_topic("kept", 1).await;

    // Now this host is the one that is taken for frozen.
    let client = Raw::connect(&link);
    let _never = freeze(&format!("partita:{name}"), "steal");
    assert!(client.closed().await.contains("another tab"));
    listener.status(|status| *status == Status::Waiting).await;
    listener.running().await;
    assert_eq!(Raw::connect(&link).topics().await, [("kept".to_owned(), 1)]);
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_live_holder_keeps_its_place() {
    let options = options(&unique("alive"), StorageKind::IndexedDb);
    let first = host(&options);
    let mut client = running(&first).await;
    let second = host(&options);
    Listener::new(&second)
        .status(|status| *status == Status::Waiting)
        .await;
    sleep(4_500).await;
    assert_eq!(second.status(), Status::Waiting);
    client.ping().await;
    end(&first).await;
    end(&second).await;
}

#[wasm_bindgen_test]
async fn a_host_whose_place_was_taken_while_it_opened_waits() {
    let name = unique("taken-while-opening");
    let database = format!("partita:{name}");
    let other = Database::open(&database).with_version(1u32).await.unwrap();
    let link = host(&options(&name, StorageKind::IndexedDb));
    let listener = Listener::new(&link);
    listener.status(|status| *status == Status::Blocked).await;
    let _never = freeze(&database, "steal");
    other.close();
    assert_eq!(becomes(&listener).await, Status::Waiting);
    // The thief does not answer either.
    listener.running().await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_stopped_host_whose_place_was_taken_stands_again() {
    let name = unique("taken-while-stopped");
    let link = host(&options(&name, StorageKind::IndexedDb));
    let listener = Listener::new(&link);
    listener.running().await;
    link.say(&ToHost::Stop);
    listener.status(|status| *status == Status::Stopped).await;
    let _never = freeze(&format!("partita:{name}"), "steal");
    link.say(&ToHost::Start);
    assert_eq!(becomes(&listener).await, Status::Waiting);
    listener.running().await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_host_that_is_too_old_for_the_database_leaves_its_place() {
    let name = unique("too-old");
    let newer = Database::open(&format!("partita:{name}"))
        .with_version(1000u32)
        .await
        .unwrap();
    newer.close();
    let mut links = Vec::new();
    for _ in 0..2 {
        let link = host(&options(&name, StorageKind::IndexedDb));
        let listener = Listener::new(&link);
        let status = becomes(&listener).await;
        assert_eq!(failure(&status), Some(Failure::NewerFormat), "{status:?}");
        // A person tries again: it is found to be too old again.
        link.say(&ToHost::Start);
        let status = becomes(&listener).await;
        assert_eq!(failure(&status), Some(Failure::NewerFormat), "{status:?}");
        links.push(link);
    }
    for link in links {
        end(&link).await;
    }
}

#[wasm_bindgen_test]
async fn a_host_that_is_refused_its_lock_says_so_and_may_try_again() {
    let name = unique("refused");
    let allow = disturb(&format!(
        "const request = LockManager.prototype.request;
         LockManager.prototype.request = function (name, ...rest) {{
           if (name !== 'partita:{name}') return request.call(this, name, ...rest);
           return Promise.reject(new DOMException('not here', 'SecurityError'));
         }};
         return () => {{ LockManager.prototype.request = request; }}"
    ));
    let link = host(&options(&name, StorageKind::IndexedDb));
    let listener = Listener::new(&link);
    let early = Raw::connect(&link);
    let Status::Failed { message, .. } = becomes(&listener).await else {
        panic!("not failed")
    };
    assert!(message.contains("not here"), "{message}");
    assert!(early.closed().await.contains("not here"));
    allow.call0(&JsValue::UNDEFINED).unwrap();
    link.say(&ToHost::Start);
    listener.running().await;
    end(&link).await;
}
