//! Idempotent producers: duplicates, order, and what a rollback and a crash leave of them.

use super::*;
use crate::broker::{BrokerState, Effect, Read, ReadWhat, StorageError};

fn outcome(response: PartitionProduceResponse) -> (ErrorCode, i64) {
    (response.error_code, response.base_offset)
}

fn fail_write(scene: &mut Scene) {
    let why = StorageError::Other("no".to_owned());
    let reply = scene.harness.storage.fail_write(why).unwrap();
    scene.harness.reply(reply);
}

#[test]
fn a_batch_that_turned_out_durable_is_not_lost() {
    let mut scene = Scene::new();
    scene.send(sequenced(&["a"], 7, 0, 0));
    scene.send(sequenced(&["b"], 7, 0, 1));
    let reply = scene.harness.storage.lose_answer().unwrap();
    scene.harness.reply(reply);
    scene.harness.run();
    for _ in 0..2 {
        assert_eq!(
            scene.answered().unwrap().error_code,
            ErrorCode::KAFKA_STORAGE_ERROR
        );
    }
    assert_eq!(scene.bounds(), (0, 1, 1), "the first write took place");
    assert_eq!(
        outcome(scene.produce(sequenced(&["a"], 7, 0, 0))),
        (ErrorCode::NONE, 0)
    );
    assert_eq!(
        outcome(scene.produce(sequenced(&["b"], 7, 0, 1))),
        (ErrorCode::NONE, 1)
    );
}

/// With many producers their state is a page of its own, and the batches after it are read back.
#[test]
fn many_producers_are_known_after_a_crash() {
    let mut scene = Scene::new();
    for producer in 0..150 {
        scene.produce(sequenced(&["a"], producer, 0, 0));
    }
    let log = scene.log(0);
    assert!(
        scene
            .harness
            .storage
            .stored()
            .pages
            .contains_key(&(log, -1))
    );
    for producer in 0..40 {
        scene.produce(sequenced(&["b"], producer, 0, 1));
    }
    let mut scene = scene.crash();
    for producer in 0..150 {
        let next = i32::from(producer < 40) + 1;
        let gap = scene.produce(sequenced(&["z"], producer, 0, next + 1));
        assert_eq!(
            gap.error_code,
            ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            "{producer}"
        );
        let duplicate = scene.produce(sequenced(&["a"], producer, 0, 0));
        assert_eq!(outcome(duplicate), (ErrorCode::NONE, producer));
    }
    assert_eq!(scene.bounds(), (0, 190, 190));
}

/// A log that is still being read when the broker begins to serve gets its new leader epoch too
/// (SEMANTICS, "Epochs": every open raises every partition's).
#[test]
fn a_log_that_opens_late_begins_a_new_epoch() {
    let mut scene = Scene::new();
    for producer in 0..100 {
        scene.produce(sequenced(&["a"], producer, 0, 0));
    }
    let log = scene.log(0);
    let before = scene.harness.broker.leader_epoch(log);
    scene.harness = scene.harness.crash_opening();
    let of_producers = |effect: &Effect| {
        let page = |read: &Read| matches!(read.what, ReadWhat::Page { .. });
        matches!(effect, Effect::Read(read) if page(read))
    };
    while let Some(reply) = scene.harness.storage.complete_unless(of_producers) {
        scene.harness.reply(reply);
    }
    assert_eq!(scene.harness.broker.state(), BrokerState::Running);
    assert!(scene.harness.storage_waits(), "the log is being read");
    scene.harness.run();
    assert!(scene.harness.broker.leader_epoch(log) > before);
}

#[test]
fn many_producers_are_known_after_a_rollback() {
    let mut scene = Scene::new();
    for producer in 0..100 {
        scene.produce(sequenced(&["a"], producer, 0, 0));
    }
    scene.send(sequenced(&["b"], 5, 0, 1));
    fail_write(&mut scene);
    scene.harness.run();
    scene.answered().unwrap();
    let later = scene.produce(sequenced(&["c"], 5, 0, 2));
    assert_eq!(later.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(
        outcome(scene.produce(sequenced(&["b"], 5, 0, 1))),
        (ErrorCode::NONE, 100)
    );
    assert_eq!(
        outcome(scene.produce(sequenced(&["a"], 99, 0, 0))),
        (ErrorCode::NONE, 99)
    );
}

#[test]
fn producers_expire_when_they_have_not_written_for_long() {
    let harness = Harness::with_config(&[("producer.id.expiration.ms", "600000")]);
    let mut scene = Scene::on(harness, 1, &[]);
    scene.produce(sequenced(&["a"], 7, 0, 0));
    scene.harness.advance_and_run(599_000);
    let gap = scene.produce(sequenced(&["z"], 7, 0, 50));
    assert_eq!(gap.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    scene.harness.advance_and_run(310_000);
    assert_eq!(
        scene.produce(sequenced(&["z"], 7, 0, 50)).error_code,
        ErrorCode::NONE
    );
}
