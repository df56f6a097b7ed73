//! What is opened and closed again leaves nothing behind, in the host or beside it.

use partita_core::client::producer::{Producer, ProducerEvent};
use partita_web::client::{Link, Network as _};
use partita_web::port::message::{Status, StorageKind, ToHost};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MessageChannel;

use crate::clients::TestProducer;
use crate::host::running;
use crate::raw::{Listener, Raw, end, host, options};
use crate::support::{sleep, unique};

/// How many of JavaScript's objects are held by this wasm: host, link and clients are all in it.
fn held() -> u32 {
    wasm_bindgen::externref_heap_live_count()
}

/// How much memory is in use, in pages of 64 KiB; it never shrinks.
fn pages() -> u32 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    buffer.byte_length() >> 16
}

/// Does something so often, then as often again, which must leave no more held than was before:
/// what is allocated once and kept has been by then. `settle`: how long, in milliseconds, what was
/// closed may still have a timer.
async fn leaves_nothing(times: u32, settle: i32, mut act: impl AsyncFnMut()) {
    for _ in 0..times {
        act().await;
    }
    sleep(settle).await;
    let before = (held(), pages());
    for _ in 0..times {
        act().await;
    }
    for _ in 0..3_000 {
        let (objects, pages) = (held(), pages());
        if objects < before.0 + times / 4 && pages <= before.1 + 2 {
            return;
        }
        sleep(20).await;
    }
    let after = (held(), pages());
    panic!("objects held and pages of memory, before and after: {before:?} {after:?}");
}

#[wasm_bindgen_test]
async fn connections() {
    let link = host(&options("leaks", StorageKind::Memory));
    let mut client = running(&link).await;
    leaves_nothing(500, 20, async || {
        let mut other = Raw::connect(&link);
        other.ping().await;
        other.network.set_alarm(Some(link.now().monotonic));
        other.network.flush();
    })
    .await;
    client.ping().await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn clients() {
    let link = host(&options("leaks-clients", StorageKind::Memory));
    running(&link).await;
    leaves_nothing(200, 20, async || {
        let TestProducer { driver, bell } = TestProducer::new(&link);
        bell.until(|| {
            let event = driver.peek(Producer::poll_event)?;
            matches!(event, ProducerEvent::Connected { .. }).then_some(())
        })
        .await;
    })
    .await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn ports() {
    let link = host(&options("leaks-ports", StorageKind::Memory));
    running(&link).await;
    leaves_nothing(200, 20, async || {
        let channel = MessageChannel::new().unwrap();
        link.attach(&channel.port2());
        let other = Link::new(channel.port1().unchecked_into());
        running(&other).await.ping().await;
        other.say(&ToHost::Detach);
    })
    .await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn outages_and_hosts() {
    let options = options(&unique("leaks-hosts"), StorageKind::IndexedDb);
    leaves_nothing(10, 3_500, async || {
        let link: Rc<Link> = host(&options);
        let listener = Listener::new(&link);
        listener.running().await;
        Raw::connect(&link).ping().await;
        link.say(&ToHost::Stop);
        listener.status(|status| *status == Status::Stopped).await;
        link.say(&ToHost::Start);
        listener.running().await;
        end(&link).await;
    })
    .await;
}
