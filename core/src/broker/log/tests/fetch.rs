//! Fetch: what is handed out, when, and what is refused.

use super::*;
use crate::broker::StorageError;
use crate::protocol::messages::DeleteTopicsRequest;
use crate::protocol::messages::delete_topics::DeleteTopicState;
use crate::types::Uuid;

/// Sends a Fetch that may wait.
fn send(scene: &mut Scene, request: &FetchRequest) {
    scene.harness.send(scene.client, request, FETCH);
}

fn received(scene: &mut Scene) -> Option<FetchResponse> {
    scene.harness.receive::<FetchRequest>(scene.client, FETCH)
}

/// Produces over a connection of its own, beside a Fetch that waits.
fn produce_beside(scene: &mut Scene, values: &[&str]) {
    let other = scene.harness.connect();
    let request = to_partition(0, -1, batch(values));
    scene.harness.send(other, &request, PRODUCE);
}

fn sizes(response: &FetchResponse) -> Vec<usize> {
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    partitions.map(|data| data.records.len()).collect()
}

/// A request for several partitions of `orders`, all from offset 0.
fn for_partitions(partitions: &[i32]) -> FetchRequest {
    let mut request = from_offset(0, 0, 0);
    let one = request.topics[0].partitions.remove(0);
    request.topics[0].partitions = partitions
        .iter()
        .map(|&partition| FetchPartition {
            partition,
            ..one.clone()
        })
        .collect();
    request
}

#[test]
fn every_served_version_answers() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let id = scene.log(0).topic;
    for version in 4..=18 {
        let mut request = from_offset(0, 0, 0);
        if version >= 13 {
            request.topics[0].topic_id = id;
        }
        let response = scene.harness.request(scene.client, &request, version);
        let data = fetched(response);
        assert_eq!(values(&data), listed(&[(0, "a")]), "version {version}");
        assert_eq!((data.high_watermark, data.last_stable_offset), (1, 1));
    }
}

#[test]
fn a_long_poll_waits_for_min_bytes_and_then_takes_what_there_is() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let mut request = from_offset(0, 0, 1_000);
    request.min_bytes = 200;
    send(&mut scene, &request);
    assert_eq!(received(&mut scene), None);
    produce_beside(&mut scene, &["b"]);
    scene.harness.run();
    assert_eq!(
        received(&mut scene),
        None,
        "{} bytes are too few",
        2 * batch(&["a"]).len()
    );
    scene.harness.advance(1_000);
    scene.harness.run();
    let data = fetched(received(&mut scene).unwrap());
    assert_eq!(values(&data), listed(&[(0, "a"), (1, "b")]));

    send(&mut scene, &request);
    produce_beside(&mut scene, &["c"]);
    scene.harness.run();
    let data = fetched(received(&mut scene).unwrap());
    assert_eq!(values(&data).len(), 3);
}

#[test]
fn bytes_before_the_offset_do_not_count_for_min_bytes() {
    let mut scene = Scene::new();
    for _ in 0..5 {
        scene.send(batch(&["a"]));
    }
    scene.harness.run();
    while scene.answered().is_some() {}
    let mut scene = scene.crash();
    let one = batch(&["a"]).len();
    let mut request = from_offset(0, 4, 1_000);
    request.min_bytes = i32::try_from(one).unwrap() + 1;
    send(&mut scene, &request);
    scene.harness.run();
    assert_eq!(received(&mut scene), None, "one batch is not enough");
    scene.harness.advance_and_run(1_000);
    let data = fetched(received(&mut scene).unwrap());
    assert_eq!(values(&data), listed(&[(4, "a")]));
}

#[test]
fn min_bytes_0_never_waits() {
    let mut scene = Scene::new();
    let mut request = from_offset(0, 0, 10_000);
    request.min_bytes = 0;
    send(&mut scene, &request);
    assert!(received(&mut scene).is_some());
}

#[test]
fn errors_answer_at_once() {
    let mut scene = Scene::new();
    let mut request = from_offset(0, 9, 10_000);
    request.topics[0].partitions.push(FetchPartition {
        partition: 0,
        fetch_offset: 9,
        partition_max_bytes: 1,
        ..FetchPartition::default()
    });
    send(&mut scene, &request);
    let data = fetched(received(&mut scene).unwrap());
    assert_eq!(data.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
}

#[test]
fn an_unknown_topic_answers_at_once_if_nothing_else_is_asked_and_else_waits_along() {
    let mut scene = Scene::new();
    let mut request = from_offset(0, 0, 1_000);
    request.topics[0].topic = "other".to_owned();
    send(&mut scene, &request);
    let data = fetched(received(&mut scene).unwrap());
    assert_eq!(data.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    request.topics.extend(from_offset(0, 0, 0).topics);
    send(&mut scene, &request);
    assert_eq!(received(&mut scene), None, "as in Kafka");
    scene.harness.advance(1_000);
    assert_eq!(received(&mut scene).unwrap().responses.len(), 2);
}

#[test]
fn limits_hold_but_for_the_first_batch_of_the_first_partition_with_one() {
    let mut scene = Scene::with_topic(4, &[]);
    for partition in [1, 2, 3] {
        for _ in 0..2 {
            let request = to_partition(partition, -1, batch(&["a"]));
            scene.harness.request(scene.client, &request, PRODUCE);
        }
    }
    let one = batch(&["a"]).len();
    let fetch = |scene: &mut Scene, max_bytes: usize, partition_max: usize| {
        let mut request = for_partitions(&[0, 1, 2, 3]);
        request.max_bytes = i32::try_from(max_bytes).unwrap();
        for partition in &mut request.topics[0].partitions {
            partition.partition_max_bytes = i32::try_from(partition_max).unwrap();
        }
        sizes(&scene.harness.request(scene.client, &request, FETCH))
    };
    assert_eq!(
        fetch(&mut scene, 1 << 20, 1 << 20),
        vec![0, 2 * one, 2 * one, 2 * one]
    );
    assert_eq!(fetch(&mut scene, 0, 0), vec![0, one, 0, 0]);
    assert_eq!(fetch(&mut scene, 1 << 20, 1), vec![0, one, 0, 0]);
    assert_eq!(
        fetch(&mut scene, 3 * one, 1 << 20),
        vec![0, 2 * one, one, 0]
    );
    assert_eq!(fetch(&mut scene, 1 << 20, one), vec![0, one, one, one]);
    assert_eq!(
        fetch(&mut scene, 3 * one - 1, one),
        vec![0, one, one, 0],
        "whole batches"
    );
    let mut scene = scene.crash();
    assert_eq!(
        fetch(&mut scene, 3 * one, 1 << 20),
        vec![0, 2 * one, one, 0],
        "cold"
    );
    let mut scene = scene.crash();
    assert_eq!(fetch(&mut scene, 0, 0), vec![0, one, 0, 0], "cold");
}

#[test]
fn several_chunks_make_one_answer() {
    let mut scene = Scene::new();
    for i in 0..10 {
        scene.produce_values(&[&i.to_string()]);
    }
    let found: Vec<String> = scene
        .values(3)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    assert_eq!(found, ["3", "4", "5", "6", "7", "8", "9"]);
}

#[test]
fn leader_epochs_are_compared() {
    let mut scene = Scene::new();
    let mut scene_epoch = |epoch: i32| {
        let mut request = from_offset(0, 0, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        fetched(scene.harness.request(scene.client, &request, FETCH)).error_code
    };
    assert_eq!(scene_epoch(-1), ErrorCode::NONE);
    assert_eq!(scene_epoch(0), ErrorCode::NONE);
    assert_eq!(scene_epoch(1), ErrorCode::UNKNOWN_LEADER_EPOCH);
    let mut scene = scene.crash();
    let mut request = from_offset(0, 0, 0);
    let id = scene.log(0).topic;
    request.topics[0].partitions[0].current_leader_epoch = 0;
    request.topics[0].topic_id = id;
    let response = scene.harness.request(scene.client, &request, 16);
    assert_eq!(response.node_endpoints[0].host, "broker.test");
    let data = fetched(response);
    assert_eq!(data.error_code, ErrorCode::FENCED_LEADER_EPOCH);
    assert_eq!(
        (
            data.current_leader.leader_id,
            data.current_leader.leader_epoch
        ),
        (1, 1)
    );
}

#[test]
fn read_committed_sees_the_same_without_transactions() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let mut request = from_offset(0, 0, 0);
    let data = fetched(scene.harness.request(scene.client, &request, FETCH));
    assert_eq!(data.aborted_transactions, None);
    request.isolation_level = 1;
    let data = fetched(scene.harness.request(scene.client, &request, FETCH));
    assert_eq!(data.aborted_transactions, Some(vec![]));
    assert_eq!(values(&data), listed(&[(0, "a")]));
}

#[test]
fn replicas_are_not_served() {
    let mut scene = Scene::new();
    let mut request = from_offset(0, 0, 0);
    request.replica_id = 2;
    let data = fetched(scene.harness.request(scene.client, &request, FETCH));
    assert_eq!(data.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

#[test]
fn old_consumers_get_no_zstd() {
    let mut scene = Scene::new();
    scene.produce(compressed(&["a"], Compression::Zstd));
    let request = from_offset(0, 0, 0);
    let data = fetched(scene.harness.request(scene.client, &request, 9));
    assert_eq!(data.error_code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    assert!(data.records.is_empty());
    let data = fetched(scene.harness.request(scene.client, &request, 10));
    assert_eq!(values(&data), listed(&[(0, "a")]));
}

#[test]
fn topics_by_id_that_are_not_there_are_unknown_ids() {
    let mut scene = Scene::new();
    let mut request = from_offset(0, 0, 0);
    request.topics[0].topic_id = Uuid(*b"0123456789abcdef");
    let data = fetched(scene.harness.request(scene.client, &request, 13));
    assert_eq!(data.error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    request.topics[0].topic_id = scene.log(0).topic;
    request.topics[0].partitions[0].partition = 5;
    let data = fetched(scene.harness.request(scene.client, &request, 13));
    assert_eq!(data.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

fn delete_topic(scene: &mut Scene) {
    let other = scene.harness.connect();
    let request = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            name: Some(TOPIC.to_owned()),
            ..DeleteTopicState::default()
        }],
        topic_names: vec![TOPIC.to_owned()],
        timeout_ms: 1_000,
    };
    scene.harness.request(other, &request, 6);
}

#[test]
fn deleting_a_topic_ends_parked_fetches_and_produces_at_once() {
    for version in [12, 13] {
        let mut scene = Scene::new();
        let gone = match version {
            12 => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            _ => ErrorCode::UNKNOWN_TOPIC_ID,
        };
        let mut request = from_offset(0, 0, 100_000);
        request.topics[0].topic_id = scene.log(0).topic;
        scene.harness.send(scene.client, &request, version);
        delete_topic(&mut scene);
        let response = scene.harness.receive::<FetchRequest>(scene.client, version);
        assert_eq!(fetched(response.unwrap()).error_code, gone);
    }
}

#[test]
fn a_failed_read_is_a_storage_error() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    for (version, code) in [
        (12, ErrorCode::KAFKA_STORAGE_ERROR),
        (5, ErrorCode::NOT_LEADER_OR_FOLLOWER),
    ] {
        scene
            .harness
            .send(scene.client, &from_offset(0, 0, 0), version);
        let why = StorageError::Other("no".to_owned());
        let reply = scene.harness.storage.fail_read(why).unwrap();
        scene.harness.reply(reply);
        let response = scene.harness.receive::<FetchRequest>(scene.client, version);
        assert_eq!(fetched(response.unwrap()).error_code, code);
    }
}

#[test]
fn a_fetch_whose_client_is_gone_reads_nothing() {
    let mut scene = Scene::new();
    send(&mut scene, &from_offset(0, 0, 10_000));
    scene.harness.disconnect(scene.client);
    produce_beside(&mut scene, &["a"]);
    scene.harness.run();
    assert_eq!(scene.bounds(), (0, 1, 1));
    assert!(!scene.harness.storage_waits());
}
