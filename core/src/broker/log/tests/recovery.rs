//! Opening: what a crash leaves, what is read, and what is refused.

use super::*;
use crate::broker::log::encoding::Encoder;
use crate::broker::log::manifest::MANIFEST_FORMAT;
use crate::broker::{BrokerState, Effect, Event, ReadWhat, StorageError};

#[test]
fn what_was_acknowledged_survives_a_crash_byte_for_byte() {
    let mut scene = Scene::new();
    for i in 0..300 {
        let value = i.to_string();
        assert_eq!(scene.produce_values(&[&value, "x"]), i * 2);
    }
    let before = scene.fetch(0).records;
    scene.send(batch(&["lost"]));
    let mut scene = scene.crash();
    assert_eq!(scene.bounds(), (0, 600, 600));
    let after = scene.fetch(0).records;
    assert!(before.bytes().unwrap().starts_with(after.bytes().unwrap()));
    assert_eq!(scene.values(598), listed(&[(598, "299"), (599, "x")]));
    assert_eq!(scene.produce_values(&["next"]), 600);
}

/// Every crash between two effects leaves a prefix of what was sent, and all of what was
/// acknowledged.
#[test]
fn a_crash_at_any_point_leaves_a_prefix_with_all_that_was_acknowledged() {
    for crash_after in 0..12 {
        let mut scene = Scene::new();
        for i in 0..8 {
            scene.send(batch(&[&i.to_string()]));
        }
        for _ in 0..crash_after {
            scene.harness.step_storage();
        }
        let acknowledged = std::iter::from_fn(|| scene.answered()).count();
        let mut scene = scene.crash();
        let found: Vec<String> = scene.values(0).into_iter().map(|(_, v)| v).collect();
        let sent: Vec<String> = (0..8).map(|i| i.to_string()).collect();
        assert!(sent.starts_with(&found), "{found:?}");
        assert!(found.len() >= acknowledged);
        let next = i64::try_from(found.len()).unwrap();
        assert_eq!(scene.produce_values(&["after"]), next, "no hole");
    }
}

#[test]
fn opening_reads_manifests_and_no_chunks() {
    let mut scene = Scene::with_topic(3, &[]);
    for _ in 0..200 {
        scene.produce_values(&["a"]);
    }
    let log = scene.log(0);
    let mut harness = scene.harness.crash_opening();
    let mut reads = 0;
    while harness.storage_waits() {
        for effect in harness.storage.waiting() {
            if let Effect::Read(read) = effect
                && let ReadWhat::Chunks(chunks) = &read.what
            {
                assert!(chunks.iter().all(|chunk| chunk.log != log), "{chunks:?}");
                reads += 1;
            }
        }
        harness.step_storage();
    }
    assert!(reads > 0, "the metadata log is replayed");
    let client = harness.connect();
    let mut scene = Scene { harness, client };
    assert_eq!(scene.bounds(), (0, 200, 200));
    assert_eq!(scene.values(150).len(), 50);
}

#[test]
fn old_offsets_are_found_through_pages() {
    let mut scene = Scene::new();
    for i in 0..700 {
        scene.produce_values(&[&i.to_string()]);
    }
    for _ in 0..2 {
        for offset in [0, 1, 127, 128, 129, 400, 511, 512, 639, 640, 699] {
            let found = &scene.values(offset)[0];
            assert_eq!(*found, (offset, offset.to_string()));
        }
        scene = scene.crash();
    }
}

/// The broker on what is stored after `tamper` changed the manifest of `orders`-0.
fn tampered(tamper: impl FnOnce(&Bytes) -> Bytes) -> Scene {
    let mut scene = Scene::with_topic(2, &[]);
    scene.produce_values(&["a"]);
    let log = scene.log(0);
    let stored = scene.harness.storage.stored_mut();
    let manifest = tamper(&stored.manifests[&log]);
    stored.manifests.insert(log, manifest);
    scene.crash()
}

#[test]
fn a_newer_format_stops_the_broker_in_words_that_say_so() {
    let scene = tampered(|_| Encoder::new(MANIFEST_FORMAT + 1).finish());
    let BrokerState::Failed(why) = scene.harness.broker.state() else {
        panic!("it runs");
    };
    assert!(why.contains("newer version"), "{why}");
}

#[test]
fn a_damaged_manifest_takes_its_log_out_of_service_and_changes_nothing() {
    let mut scene = tampered(|manifest| {
        let mut bytes = manifest.to_vec();
        bytes[20] ^= 1;
        bytes.into()
    });
    assert_eq!(scene.harness.broker.state(), BrokerState::Running);
    let before = scene.harness.storage.stored().clone();
    let response = scene.produce(batch(&["b"]));
    assert_eq!(response.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(scene.fetch(0).error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    let log = scene.log(0);
    scene.harness.advance_and_run(1_000_000);
    let after = scene.harness.storage.stored();
    assert_eq!(after.manifests[&log], before.manifests[&log]);
    assert_eq!(after.chunks, before.chunks);
    let request = to_partition(1, -1, batch(&["b"]));
    let response = scene.harness.request(scene.client, &request, PRODUCE);
    assert_eq!(
        only_partition(response).error_code,
        ErrorCode::NONE,
        "others go on"
    );
}

#[test]
fn a_last_chunk_that_the_manifest_does_not_name_is_not_guessed_at() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let log = scene.log(0);
    let stored = scene.harness.storage.stored_mut();
    let chunk = stored.chunks[&(log, 0)].clone();
    stored.chunks.insert((log, 1), chunk);
    let mut scene = scene.crash();
    assert_eq!(scene.fetch(0).error_code, ErrorCode::KAFKA_STORAGE_ERROR);
}

#[test]
fn a_manifest_of_another_log_is_refused() {
    let mut scene = Scene::with_topic(2, &[]);
    scene.produce_values(&["a"]);
    let (zero, one) = (scene.log(0), scene.log(1));
    let stored = scene.harness.storage.stored_mut();
    let manifest = stored.manifests[&zero].clone();
    stored.manifests.insert(one, manifest);
    let chunk = stored.chunks[&(zero, 0)].clone();
    stored.chunks.insert((one, 0), chunk);
    let mut scene = scene.crash();
    let request = from_offset(1, 0, 0);
    let data = fetched(scene.harness.request(scene.client, &request, FETCH));
    assert_eq!(data.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
}

#[test]
fn a_missing_index_page_is_a_storage_error_where_it_is_needed() {
    let mut scene = Scene::new();
    for _ in 0..300 {
        scene.produce_values(&["a"]);
    }
    let log = scene.log(0);
    let stored = scene.harness.storage.stored_mut();
    assert!(stored.pages.remove(&(log, 0)).is_some());
    let mut scene = scene.crash();
    assert_eq!(scene.fetch(5).error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(scene.values(299), listed(&[(299, "a")]));
}

#[test]
fn a_broker_whose_storage_cannot_be_read_stops() {
    let scene = Scene::new();
    let mut harness = scene.harness.crash_opening();
    let reply = crate::broker::Reply::Loaded(Err(StorageError::Closed("gone".to_owned())));
    harness.reply(reply);
    assert!(matches!(harness.broker.state(), BrokerState::Failed(_)));
}

/// Its logs have not begun their leader epochs, and never will.
#[test]
fn a_broker_that_cannot_open_tells_nothing_of_its_logs() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let mut harness = scene.harness.crash_opening();
    harness.broker.watch(true);
    while !matches!(harness.broker.state(), BrokerState::Failed(_)) {
        let failed = harness
            .storage
            .fail_write(StorageError::Closed("gone".to_owned()));
        let reply = failed.or_else(|| harness.storage.complete_next());
        harness.reply(reply.expect("it is still opening"));
    }
    let events = std::iter::from_fn(|| harness.broker.poll_event());
    let events: Vec<_> = events.collect();
    assert!(
        matches!(events[..], [Event::Broker(BrokerState::Failed(_))]),
        "{events:?}"
    );
}

#[test]
fn requests_wait_until_the_broker_serves() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let mut harness = scene.harness.crash_opening();
    let client = harness.connect();
    harness.send(client, &from_offset(0, 0, 0), FETCH);
    assert!(harness.receive::<FetchRequest>(client, FETCH).is_none());
    harness.run();
    let response = harness.receive::<FetchRequest>(client, FETCH).unwrap();
    assert_eq!(values(&fetched(response)), listed(&[(0, "a")]));
}
