//! Failed writes: who gets which error, what is left, and how the log comes back.

use super::*;
use crate::broker::{BrokerState, Reply, StorageError};
use crate::protocol::messages::{DeleteTopicsRequest, MetadataRequest};

fn other() -> StorageError {
    StorageError::Other("the disk is gone".to_owned())
}

fn quota() -> StorageError {
    StorageError::QuotaExceeded("only 40 MB are allowed".to_owned())
}

impl Scene {
    fn fail(&mut self, why: StorageError) {
        let reply = self.harness.storage.fail_write(why).unwrap();
        self.harness.reply(reply);
    }

    fn is_online(&self) -> bool {
        self.harness
            .broker
            .logs
            .get(self.log(0))
            .unwrap()
            .is_online()
    }

    fn epoch(&self) -> i32 {
        self.harness.broker.leader_epoch(self.log(0))
    }

    fn failed(&mut self) {
        let response = self.answered().unwrap();
        assert_eq!(response.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
        assert_eq!(response.base_offset, -1);
    }
}

#[test]
fn a_log_is_offline_until_its_next_epoch_is_durable() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let epoch = scene.epoch();
    scene.send(batch(&["b"]));
    scene.send(batch(&["c"]));
    scene.fail(other());
    assert!(!scene.is_online());
    scene.failed();
    scene.failed();
    for request in 0..2 {
        scene.send(batch(&["d"]));
        let refused = scene.answered().unwrap();
        assert_eq!(
            refused.error_code,
            ErrorCode::KAFKA_STORAGE_ERROR,
            "{request}"
        );
        assert!(refused.error_message.unwrap().contains("the disk is gone"));
    }
    scene
        .harness
        .send(scene.client, &from_offset(0, 0, 5_000), FETCH);
    let response = scene
        .harness
        .receive::<FetchRequest>(scene.client, FETCH)
        .unwrap();
    assert_eq!(fetched(response).error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(scene.harness.step_storage(), "the doomed write");
    assert!(scene.harness.step_storage(), "the manifest is read");
    assert!(!scene.is_online());
    assert!(scene.harness.step_storage(), "the new epoch is written");
    assert!(scene.is_online());
    assert_eq!(scene.epoch(), epoch + 1);
    for opening in 2..5 {
        scene = scene.crash();
        assert_eq!(scene.epoch(), epoch + opening, "never the same again");
    }
}

#[test]
fn writes_behind_a_failed_one_fail_with_it_and_other_logs_in_them() {
    let mut scene = Scene::with_topic(2, &[]);
    scene.send(batch(&["a"]));
    scene
        .harness
        .send(scene.client, &to_partition(1, -1, batch(&["b"])), PRODUCE);
    assert_eq!(scene.harness.writes_waiting(), 2);
    scene.fail(other());
    scene.failed();
    scene.failed();
    scene
        .harness
        .send(scene.client, &to_partition(1, -1, batch(&["c"])), PRODUCE);
    scene.failed();
    scene.harness.run();
    scene
        .harness
        .send(scene.client, &to_partition(1, -1, batch(&["d"])), PRODUCE);
    scene.harness.run();
    assert_eq!(scene.answered().unwrap().base_offset, 0);
}

#[test]
fn nothing_new_is_written_until_doomed_writes_are_answered() {
    let mut scene = Scene::with_topic(3, &[]);
    scene.send(batch(&["a"]));
    scene
        .harness
        .send(scene.client, &to_partition(1, -1, batch(&["b"])), PRODUCE);
    scene.fail(other());
    scene
        .harness
        .send(scene.client, &to_partition(2, -1, batch(&["c"])), PRODUCE);
    assert_eq!(scene.harness.writes_waiting(), 1, "only the doomed one");
    scene.harness.run();
    scene.failed();
    scene.failed();
    assert_eq!(scene.answered().unwrap().error_code, ErrorCode::NONE);
}

/// A deletion whose outcome was unknown and that did happen leaves the name free.
#[test]
fn a_topic_found_to_be_deleted_can_be_created_again() {
    let mut scene = Scene::new();
    let request = DeleteTopicsRequest {
        topic_names: vec![TOPIC.to_owned()],
        timeout_ms: 1_000,
        ..DeleteTopicsRequest::default()
    };
    scene.harness.send(scene.client, &request, 5);
    let reply = scene.harness.storage.lose_answer().unwrap();
    scene.harness.reply(reply);
    scene.harness.run();
    assert!(scene.harness.broker.metadata.topic_by_name(TOPIC).is_none());
    scene
        .harness
        .receive::<DeleteTopicsRequest>(scene.client, 5)
        .unwrap();
    scene.create(TOPIC, 1, &[]);
    assert_eq!(scene.produce_values(&["a"]), 0);
}

#[test]
fn reading_back_is_tried_again_every_half_second() {
    let mut scene = Scene::new();
    scene.send(batch(&["a"]));
    scene.fail(other());
    scene.failed();
    for _ in 0..3 {
        let reply = scene.harness.storage.fail_read(other()).unwrap();
        scene.harness.reply(reply);
        assert!(!scene.harness.storage_waits());
        scene.harness.advance(499);
        assert!(!scene.harness.storage_waits());
        scene.harness.advance(1);
        assert!(scene.harness.storage_waits());
    }
    scene.harness.run();
    assert_eq!(scene.produce_values(&["b"]), 0);
}

#[test]
fn a_new_epoch_that_cannot_be_written_is_tried_again_every_half_second() {
    let mut scene = Scene::new();
    scene.send(batch(&["a"]));
    scene.fail(other());
    for _ in 0..3 {
        scene.harness.step_storage();
        scene.fail(other());
        assert!(!scene.harness.storage_waits());
        scene.harness.advance(500);
    }
    scene.failed();
    scene.harness.run();
    assert!(scene.is_online());
}

#[test]
fn without_room_produce_says_so_and_goes_on_when_there_is_some() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    scene.send(batch(&["b"]));
    scene.fail(quota());
    let response = scene.answered().unwrap();
    assert_eq!(response.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    let message = response.error_message.unwrap();
    assert!(message.contains("storage is full: only 40 MB"), "{message}");
    let full = BrokerState::StorageFull("only 40 MB are allowed".to_owned());
    assert_eq!(scene.harness.broker.state(), full);
    scene.harness.run();
    assert_eq!(
        scene.harness.broker.state(),
        full,
        "a manifest alone proves nothing"
    );
    assert_eq!(scene.values(0), listed(&[(0, "a")]), "reading goes on");
    scene.produce_values(&["c"]);
    assert_eq!(scene.harness.broker.state(), BrokerState::Running);
}

#[test]
fn that_something_else_than_records_was_written_does_not_mean_that_there_is_room() {
    let mut scene = Scene::new();
    scene.send(batch(&["a"]));
    scene.fail(quota());
    scene.failed();
    scene.harness.run();
    scene.create("another", 1, &[]);
    let full = BrokerState::StorageFull("only 40 MB are allowed".to_owned());
    assert_eq!(scene.harness.broker.state(), full);
    scene.produce_values(&["b"]);
    assert_eq!(scene.harness.broker.state(), BrokerState::Running);
}

#[test]
fn while_the_host_says_that_there_is_no_room_records_are_refused_and_all_else_goes_on() {
    let mut scene = Scene::new();
    let first = sequenced(&["a"], 7, 0, 0);
    assert_eq!(scene.produce(first.clone()).error_code, ErrorCode::NONE);
    let epoch = scene.epoch();
    scene.harness.set_room(Some("2 MB are kept"));
    let full = BrokerState::StorageFull("2 MB are kept".to_owned());
    assert_eq!(scene.harness.broker.state(), full);
    let refused = scene.produce(sequenced(&["b"], 7, 0, 1));
    assert_eq!(refused.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(
        refused.error_message.as_deref(),
        Some("storage is full: 2 MB are kept")
    );
    assert!(!scene.harness.storage_waits(), "nothing is written");
    let again = scene.produce(first);
    assert_eq!(
        (again.error_code, again.base_offset),
        (ErrorCode::NONE, 0),
        "what is stored already needs no room"
    );
    scene.create("another", 1, &[]);
    assert_eq!(scene.harness.broker.state(), full);

    scene.harness.set_room(None);
    assert_eq!(scene.harness.broker.state(), BrokerState::Running);
    let taken = scene.produce(sequenced(&["b"], 7, 0, 1));
    assert_eq!((taken.error_code, taken.base_offset), (ErrorCode::NONE, 1));
    assert_eq!(scene.epoch(), epoch, "the log never failed");
}

#[test]
fn a_fenced_broker_stops_and_closes_every_connection() {
    let mut scene = Scene::new();
    let idle = scene.harness.connect();
    scene.send(batch(&["a"]));
    scene.fail(StorageError::Fenced("epoch 7 is newer".to_owned()));
    for connection in [scene.client, idle] {
        assert!(scene.harness.closed(connection).is_some());
    }
    assert!(matches!(
        scene.harness.broker.state(),
        BrokerState::Failed(_)
    ));
    scene.harness.run();
    assert!(!scene.harness.storage_waits());
    let late = scene.harness.connect();
    assert!(scene.harness.closed(late).is_some());
}

#[test]
fn a_fenced_read_stops_the_broker_too() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    scene
        .harness
        .send(scene.client, &from_offset(0, 0, 0), FETCH);
    let why = StorageError::Fenced("epoch 7 is newer".to_owned());
    let reply = scene.harness.storage.fail_read(why).unwrap();
    scene.harness.reply(reply);
    assert!(scene.harness.closed(scene.client).is_some());
}

#[test]
fn replies_that_do_not_follow_stop_the_broker() {
    let mut scene = Scene::new();
    scene.send(batch(&["a"]));
    scene.send(batch(&["b"]));
    let first = scene.harness.storage.complete_write().unwrap();
    let second = scene.harness.storage.complete_write().unwrap();
    scene.harness.reply(second);
    assert!(matches!(
        scene.harness.broker.state(),
        BrokerState::Failed(_)
    ));
    scene.harness.reply(first);
    assert_eq!(scene.answered(), None, "nothing is acknowledged");

    let mut scene = Scene::new();
    scene.send(batch(&["a"]));
    scene.send(batch(&["b"]));
    scene.fail(other());
    let Some(Reply::Written { id, .. }) = scene.harness.storage.complete_write() else {
        panic!("the second write waits");
    };
    scene.harness.reply(Reply::Written { id, result: Ok(()) });
    assert!(matches!(
        scene.harness.broker.state(),
        BrokerState::Failed(_)
    ));
}

#[test]
fn a_deletion_of_a_log_that_fails_is_tried_again() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    let log = scene.log(0);
    scene.harness.broker.drop_log(log);
    // The next event lets the deletion be written.
    scene
        .harness
        .send(scene.client, &MetadataRequest::default(), 12);
    scene.fail(other());
    assert!(scene.harness.storage.stored().manifests.contains_key(&log));
    scene.harness.advance_and_run(500);
    assert!(!scene.harness.storage.stored().manifests.contains_key(&log));
    assert!(
        scene
            .harness
            .storage
            .stored()
            .chunks
            .keys()
            .all(|key| key.0 != log)
    );
}
