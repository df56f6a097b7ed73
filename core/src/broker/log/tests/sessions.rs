//! Fetch sessions (KIP-227).

use super::*;
use crate::protocol::messages::fetch::ForgottenTopic;

const EVICTION: u64 = 120_000;

/// A Fetch in a session, naming these partitions with their offsets.
fn in_session(id: i32, epoch: i32, partitions: &[(i32, i64)]) -> FetchRequest {
    let mut request = from_offset(0, 0, 0);
    let one = request.topics[0].partitions.remove(0);
    request.topics[0].partitions = partitions
        .iter()
        .map(|&(partition, fetch_offset)| FetchPartition {
            partition,
            fetch_offset,
            ..one.clone()
        })
        .collect();
    if partitions.is_empty() {
        request.topics.clear();
    }
    request.session_id = id;
    request.session_epoch = epoch;
    request
}

impl Scene {
    fn ask(&mut self, request: &FetchRequest) -> FetchResponse {
        self.harness.request(self.client, request, FETCH)
    }

    fn begin(&mut self, partitions: &[(i32, i64)]) -> i32 {
        let response = self.ask(&in_session(0, 0, partitions));
        assert_eq!(response.error_code, ErrorCode::NONE);
        response.session_id
    }

    fn put(&mut self, partition: i32, value: &str) {
        let request = to_partition(partition, -1, batch(&[value]));
        self.harness.request(self.client, &request, PRODUCE);
    }
}

/// The partitions in a response and how many bytes each has.
fn named(response: &FetchResponse) -> Vec<(i32, usize)> {
    assert_eq!(response.error_code, ErrorCode::NONE);
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    partitions
        .map(|data| (data.partition_index, data.records.len()))
        .collect()
}

#[test]
fn an_incremental_answer_names_what_changed() {
    let mut scene = Scene::with_topic(3, &[]);
    let one = batch(&["a"]).len();
    let full = scene.ask(&in_session(0, 0, &[(0, 0), (1, 0), (2, 0)]));
    assert_eq!(named(&full), vec![(0, 0), (1, 0), (2, 0)]);
    let id = full.session_id;
    assert!(id > 0);
    assert_eq!(named(&scene.ask(&in_session(id, 1, &[]))), vec![]);
    scene.put(1, "a");
    assert_eq!(named(&scene.ask(&in_session(id, 2, &[]))), vec![(1, one)]);
    assert_eq!(
        named(&scene.ask(&in_session(id, 3, &[]))),
        vec![(1, one)],
        "records again"
    );
    let moved = scene.ask(&in_session(id, 4, &[(1, 1)]));
    assert_eq!(named(&moved), vec![], "its high watermark was told");
    assert_eq!(moved.session_id, id);
}

#[test]
fn a_high_watermark_or_log_start_that_moved_is_told_without_records() {
    let mut scene = Scene::with_topic(1, &[]);
    scene.put(0, "a");
    let id = scene.begin(&[(0, 1)]);
    scene.put(0, "b");
    let told = scene.ask(&in_session(id, 1, &[(0, 2)]));
    assert_eq!(named(&told), vec![(0, 0)]);
    let log = scene.log(0);
    scene.harness.broker.advance_log_start(log, 2);
    let told = scene.ask(&in_session(id, 2, &[]));
    assert_eq!(fetched(told).log_start_offset, 2);
    assert_eq!(named(&scene.ask(&in_session(id, 3, &[]))), vec![]);
}

#[test]
fn an_error_is_told_each_time_and_its_end_too() {
    let mut scene = Scene::with_topic(1, &[]);
    let id = scene.begin(&[(0, 5)]);
    for epoch in 1..3 {
        let data = fetched(scene.ask(&in_session(id, epoch, &[])));
        assert_eq!(data.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    assert_eq!(
        named(&scene.ask(&in_session(id, 3, &[(0, 0)]))),
        vec![(0, 0)]
    );
    assert_eq!(named(&scene.ask(&in_session(id, 4, &[]))), vec![]);
}

#[test]
fn partitions_with_records_go_to_the_end_of_the_session() {
    let mut scene = Scene::with_topic(3, &[]);
    for partition in 0..3 {
        scene.put(partition, "a");
    }
    let one = batch(&["a"]).len();
    let id = scene.begin(&[(0, 0), (1, 0), (2, 0)]);
    let mut request = in_session(id, 1, &[]);
    request.max_bytes = 1;
    let mut turns = Vec::new();
    for epoch in 1..=4 {
        request.session_epoch = epoch;
        turns.push(named(&scene.ask(&request)));
    }
    let turn = |partition| vec![(partition, one)];
    assert_eq!(turns, vec![turn(0), turn(1), turn(2), turn(0)]);
}

#[test]
fn partitions_are_added_and_forgotten() {
    let mut scene = Scene::with_topic(3, &[]);
    let id = scene.begin(&[(0, 0)]);
    let added = scene.ask(&in_session(id, 1, &[(2, 0)]));
    assert_eq!(named(&added), vec![(2, 0)], "its bounds are news");
    scene.put(0, "a");
    scene.put(2, "b");
    let mut request = in_session(id, 2, &[]);
    request.forgotten_topics_data = vec![ForgottenTopic {
        topic: TOPIC.to_owned(),
        partitions: vec![0],
        ..ForgottenTopic::default()
    }];
    let left = scene.ask(&request);
    assert_eq!(
        named(&left)
            .iter()
            .map(|&(partition, _)| partition)
            .collect::<Vec<_>>(),
        [2]
    );
    request.session_epoch = 3;
    request.forgotten_topics_data[0].partitions = vec![2];
    let empty = scene.ask(&request);
    assert_eq!(
        (empty.session_id, named(&empty)),
        (0, vec![]),
        "nothing left: it ends"
    );
    let ended = scene.ask(&in_session(id, 4, &[]));
    assert_eq!(ended.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn wrong_ids_and_epochs_are_refused() {
    let mut scene = Scene::with_topic(1, &[]);
    let id = scene.begin(&[(0, 0)]);
    let refused = |scene: &mut Scene, id, epoch| {
        let response = scene.ask(&in_session(id, epoch, &[]));
        assert_eq!((response.session_id, response.responses.len()), (0, 0));
        response.error_code
    };
    let unknown = if id == 77 { 78 } else { 77 };
    assert_eq!(
        refused(&mut scene, unknown, 1),
        ErrorCode::FETCH_SESSION_ID_NOT_FOUND
    );
    assert_eq!(
        refused(&mut scene, id, 2),
        ErrorCode::INVALID_FETCH_SESSION_EPOCH
    );
    assert_eq!(named(&scene.ask(&in_session(id, 1, &[]))), vec![]);
    assert_eq!(
        refused(&mut scene, id, 1),
        ErrorCode::INVALID_FETCH_SESSION_EPOCH
    );
    let mut scene = scene.crash();
    assert_eq!(
        refused(&mut scene, id, 2),
        ErrorCode::FETCH_SESSION_ID_NOT_FOUND
    );
}

#[test]
fn names_and_ids_do_not_mix_in_a_session() {
    let mut scene = Scene::with_topic(1, &[]);
    let id = scene.begin(&[(0, 0)]);
    let response = scene
        .harness
        .request(scene.client, &in_session(id, 1, &[]), 13);
    assert_eq!(response.error_code, ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
}

#[test]
fn a_full_request_ends_the_session_it_names() {
    let mut scene = Scene::with_topic(1, &[]);
    let first = scene.begin(&[(0, 0)]);
    let response = scene.ask(&in_session(first, 0, &[(0, 0)]));
    let second = response.session_id;
    assert!(second != 0 && second != first);
    let gone = scene.ask(&in_session(first, 1, &[]));
    assert_eq!(gone.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    let last = scene.ask(&in_session(second, -1, &[(0, 0)]));
    assert_eq!((last.session_id, named(&last)), (0, vec![(0, 0)]));
    let gone = scene.ask(&in_session(second, 1, &[]));
    assert_eq!(gone.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn without_a_free_slot_there_is_no_session_and_no_error() {
    let slots = [("max.incremental.fetch.session.cache.slots", "2")];
    let mut scene = Scene::on(Harness::with_config(&slots), 3, &[]);
    let small = scene.begin(&[(0, 0)]);
    let large = scene.begin(&[(0, 0), (1, 0)]);
    assert_eq!(
        scene.begin(&[(0, 0), (1, 0), (2, 0)]),
        0,
        "the others are young"
    );
    scene.harness.advance(EVICTION / 2);
    scene.ask(&in_session(small, 1, &[]));
    scene.ask(&in_session(large, 1, &[]));
    scene.harness.advance(EVICTION / 2 + 1);
    assert_eq!(scene.begin(&[(0, 0)]), 0, "no larger than the smallest");
    let third = scene.begin(&[(0, 0), (1, 0)]);
    assert!(third != 0, "larger than an old one");
    let gone = scene.ask(&in_session(small, 2, &[]));
    assert_eq!(gone.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    scene.harness.advance(1);
    assert_eq!(
        scene.ask(&in_session(large, 2, &[])).error_code,
        ErrorCode::NONE
    );
    scene.harness.advance(EVICTION + 1);
    assert!(scene.begin(&[(0, 0)]) != 0, "in place of an idle one");
    let gone = scene.ask(&in_session(third, 1, &[]));
    assert_eq!(gone.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn a_request_repeated_while_the_first_waits_wins() {
    let mut scene = Scene::with_topic(1, &[]);
    let id = scene.begin(&[(0, 0)]);
    let mut waits = in_session(id, 1, &[]);
    waits.max_wait_ms = 10_000;
    scene.harness.send(scene.client, &waits, FETCH);
    let other = scene.harness.connect();
    let again = scene.harness.request(other, &in_session(id, 2, &[]), FETCH);
    assert_eq!(again.error_code, ErrorCode::NONE);
    scene.harness.advance(10_000);
    let first = scene
        .harness
        .receive::<FetchRequest>(scene.client, FETCH)
        .unwrap();
    assert_eq!(first.error_code, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
    assert_eq!(first.session_id, id);
}
