//! A host with a real broker, and clients at the other end of its ports.

use std::rc::Rc;

use bytes::Bytes;
use indexed_db_futures::database::Database;
use partita_core::broker::Event;
use partita_core::time::Monotonic;
use partita_web::client::{Link, Network as _};
use partita_web::port::message::{self, Failure, Status, StorageKind, ToClient, ToHost};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MessageChannel;

use crate::raw::{Listener, Raw, end, host, options};
use crate::support::{Probe, sleep, unique};

pub async fn running(link: &Rc<Link>) -> Raw {
    let listener = Listener::new(link);
    if !matches!(link.status(), Status::Running { .. }) {
        listener.running().await;
    }
    Raw::connect(link)
}

#[wasm_bindgen_test]
async fn a_client_reaches_a_broker_in_memory() {
    let link = host(&options("memory", StorageKind::Memory));
    // No need to wait: what comes early waits for the broker.
    let mut client = Raw::connect(&link);
    client.create_topic("orders", 3).await;
    assert_eq!(client.topics().await, [("orders".to_owned(), 3)]);
    let metadata = client.metadata().await;
    assert_eq!(metadata.brokers[0].host, "memory");
    end(&link).await;
}

#[wasm_bindgen_test]
async fn topics_are_there_after_a_reload() {
    let options = options(&unique("reload"), StorageKind::IndexedDb);
    let link = host(&options);
    let listener = Listener::new(&link);
    let first = listener.running().await;
    Raw::connect(&link).create_topic("orders", 2).await;
    end(&link).await;

    let link = host(&options);
    let listener = Listener::new(&link);
    let second = listener.running().await;
    assert!(
        second > first,
        "each host has an epoch of its own: {first}, {second}"
    );
    assert_eq!(
        Raw::connect(&link).topics().await,
        [("orders".to_owned(), 2)]
    );
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_stopped_broker_refuses_and_comes_back_with_everything() {
    for kind in [StorageKind::Memory, StorageKind::IndexedDb] {
        let link = host(&options(&unique("stop"), kind));
        let mut client = running(&link).await;
        client.create_topic("orders", 1).await;
        let listener = Listener::new(&link);
        link.say(&ToHost::Stop);
        assert!(client.closed().await.contains("stopped"));
        listener.status(|status| *status == Status::Stopped).await;
        client.open();
        assert!(client.closed().await.starts_with("ECONNREFUSED"));

        link.say(&ToHost::Start);
        listener.running().await;
        client.open();
        assert_eq!(client.topics().await, [("orders".to_owned(), 1)]);
        end(&link).await;
    }
}

#[wasm_bindgen_test]
async fn a_frame_that_makes_no_sense_closes_its_connection_only() {
    let link = host(&options("nonsense", StorageKind::Memory));
    let mut good = running(&link).await;
    let mut bad = Raw::connect(&link);
    bad.send_frame(Bytes::from_static(b"\x7f\xff what?"));
    assert!(!bad.closed().await.is_empty());
    good.ping().await;
    bad.open();
    bad.ping().await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn an_alarm_goes_off_by_the_hosts_clock() {
    let link = host(&options("alarm", StorageKind::Memory));
    let client = running(&link).await;
    let at = Monotonic(link.now().monotonic.0 + 20);
    client.network.set_alarm(Some(Monotonic(at.0 + 3_600_000)));
    client.network.set_alarm(Some(at));
    client.network.flush();
    assert!(client.woken().await.monotonic >= at);
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_paused_clock_stands_still_and_a_step_takes_one_thing() {
    let mut options = options("step", StorageKind::Memory);
    options.clock = true;
    let link = host(&options);
    let mut client = running(&link).await;
    client.ping().await;
    let listener = Listener::new(&link);
    let stepped = |message: &ToClient| match message {
        ToClient::Stepped { what } => Some(what.clone()),
        _ => None,
    };
    link.say(&ToHost::Pause { on: true });
    listener
        .next(|m| matches!(m, ToClient::Clock(clock) if clock.rate == 0.0).then_some(()))
        .await;
    let stood = link.now();

    client.send(
        &partita_core::protocol::messages::ApiVersionsRequest::default(),
        3,
    );
    client.network.flush();
    sleep(20).await;
    assert_eq!(link.now(), stood);
    link.say(&ToHost::Step);
    assert!(
        listener
            .next(stepped)
            .await
            .starts_with("ApiVersions request")
    );
    link.say(&ToHost::Step);
    assert!(listener.next(stepped).await.starts_with("a response"));
    client
        .receive::<partita_core::protocol::messages::ApiVersionsRequest>(3)
        .await;

    // Nothing is left but what is due later: a step goes there.
    let at = Monotonic(stood.monotonic.0 + 10);
    client.network.set_alarm(Some(at));
    client.network.flush();
    link.say(&ToHost::Step);
    assert_eq!(listener.next(stepped).await, "a deadline of a client");
    assert_eq!(client.woken().await.monotonic, at);
    assert_eq!(link.now().monotonic, at);

    link.say(&ToHost::Rate { rate: 100.0 });
    link.say(&ToHost::Pause { on: false });
    client.ping().await;
    sleep(20).await;
    assert!(link.now().monotonic.0 >= at.0 + 1_000);
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_clock_that_was_not_given_away_cannot_be_changed() {
    let link = host(&options("fixed", StorageKind::Memory));
    let mut client = running(&link).await;
    link.say(&ToHost::Pause { on: true });
    link.say(&ToHost::Rate { rate: 100.0 });
    client.ping().await;
    assert_eq!(link.clock().rate, 1.0);
    end(&link).await;
}

#[wasm_bindgen_test]
async fn watchers_see_what_there_is_and_what_comes() {
    let link = host(&options("watch", StorageKind::Memory));
    let mut client = running(&link).await;
    client.create_topic("before", 1).await;
    let listener = Listener::new(&link);
    link.say(&ToHost::Watch { on: true });
    let topic = |name: &'static str| {
        move |message: &ToClient| {
            let ToClient::Events { events } = message else {
                return None;
            };
            let events = message::events(events).unwrap();
            let is = |event: &Event| matches!(event, Event::Topic(topic) if topic.topic == name);
            events.iter().any(is).then_some(())
        }
    };
    listener.next(topic("before")).await;
    client.create_topic("after", 1).await;
    listener.next(topic("after")).await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn another_port_is_another_client() {
    let link = host(&options("attach", StorageKind::Memory));
    let mut first = running(&link).await;
    first.create_topic("shared", 1).await;
    let channel = MessageChannel::new().unwrap();
    link.attach(&channel.port2());
    let other = Link::new(channel.port1().unchecked_into());
    let mut second = running(&other).await;
    assert_eq!(second.topics().await, [("shared".to_owned(), 1)]);
    other.say(&ToHost::Detach);
    first.ping().await;
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_fenced_host_closes_every_connection_and_stands_again() {
    let name = unique("usurped");
    let link = host(&options(&name, StorageKind::IndexedDb));
    let mut client = running(&link).await;
    let listener = Listener::new(&link);
    // Another host takes the lease without the lock, as a thief of the lock does.
    let _thief = Probe::open(&format!("partita:{name}")).await.unwrap();
    client.send(
        &partita_core::protocol::messages::CreateTopicsRequest {
            topics: vec![
                partita_core::protocol::messages::create_topics::CreatableTopic {
                    name: "late".into(),
                    num_partitions: 1,
                    replication_factor: 1,
                    ..Default::default()
                },
            ],
            ..Default::default()
        },
        7,
    );
    client.network.flush();
    let reason = client.closed().await;
    assert!(reason.contains("another tab"), "{reason}");
    listener.running().await;
    client.open();
    assert_eq!(client.topics().await, []);
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_deleted_database_stops_the_broker_until_a_person_starts_it() {
    let name = unique("host-deleted");
    let link = host(&options(&name, StorageKind::IndexedDb));
    let mut client = running(&link).await;
    client.create_topic("gone", 1).await;
    let listener = Listener::new(&link);
    Database::delete_by_name(&format!("partita:{name}"))
        .unwrap()
        .await
        .unwrap();
    let status = listener
        .status(|status| matches!(status, Status::Failed { .. }))
        .await;
    let Status::Failed { failure, .. } = status else {
        unreachable!()
    };
    assert_eq!(failure, Failure::DatabaseDeleted);
    assert!(client.closed().await.contains("deleted"));
    link.say(&ToHost::Start);
    listener.running().await;
    client.open();
    assert_eq!(client.topics().await, []);
    end(&link).await;
}

#[wasm_bindgen_test]
async fn a_newer_format_is_refused_with_its_reason() {
    let name = unique("host-newer");
    let newer = Database::open(&format!("partita:{name}"))
        .with_version(1000u32)
        .await
        .unwrap();
    newer.close();
    let link = host(&options(&name, StorageKind::IndexedDb));
    let listener = Listener::new(&link);
    let early = Raw::connect(&link);
    let status = listener
        .status(|status| matches!(status, Status::Failed { .. }))
        .await;
    let Status::Failed { failure, .. } = status else {
        unreachable!()
    };
    assert_eq!(failure, Failure::NewerFormat);
    assert!(early.closed().await.contains("newer version"));
    let client = Raw::connect(&link);
    assert!(client.closed().await.starts_with("ECONNREFUSED"));
    end(&link).await;
}

#[wasm_bindgen_test]
async fn everything_can_be_had_as_a_file() {
    for kind in [StorageKind::Memory, StorageKind::IndexedDb] {
        let link = host(&options(&unique("export"), kind));
        let mut client = running(&link).await;
        client.create_topic("orders", 1).await;
        let listener = Listener::new(&link);
        let exported = |message: &ToClient| match message {
            ToClient::Exported { error } => Some(error.clone()),
            _ => None,
        };
        link.say(&ToHost::Export);
        assert_eq!(listener.next(exported).await, None);
        // Also while the broker is stopped.
        link.say(&ToHost::Stop);
        listener.status(|status| *status == Status::Stopped).await;
        link.say(&ToHost::Export);
        assert_eq!(listener.next(exported).await, None);
        end(&link).await;
    }
}

#[wasm_bindgen_test]
async fn a_host_that_stood_still_answers_nothing_before_it_knows_that_it_was_not_replaced() {
    let name = unique("late");
    let link = host(&options(&name, StorageKind::IndexedDb));
    let mut client = running(&link).await;
    let stand_still = || {
        let begun = js_sys::Date::now();
        while js_sys::Date::now() - begun < 2_100.0 {}
    };
    stand_still();
    client.ping().await;

    let _thief = Probe::open(&format!("partita:{name}")).await.unwrap();
    stand_still();
    // It would be answered without a write that could notice.
    client.send(
        &partita_core::protocol::messages::ApiVersionsRequest::default(),
        3,
    );
    client.network.flush();
    assert!(client.closed().await.contains("another tab"));
    end(&link).await;
}
