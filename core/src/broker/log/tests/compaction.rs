//! Replacing the beginning of a log by batches whose records keep their offsets, and replay: what
//! coordinators build on.

use super::*;
use crate::broker::log::LogNotice;
use crate::broker::{BrokerState, StorageError};
use crate::protocol::messages::MetadataRequest;

/// Batches of single records at these offsets.
fn kept(offsets: &[i64]) -> Vec<Bytes> {
    let at = |&offset: &i64| {
        let builder = BatchBuilder::new().base_offset(offset, 0);
        batch_with(&[&offset.to_string()], builder, now())
    };
    offsets.iter().map(at).collect()
}

fn numbered(count: i64) -> Scene {
    let mut scene = Scene::new();
    for i in 0..count {
        scene.produce_values(&[&i.to_string()]);
    }
    scene
}

fn expected(offsets: &[i64]) -> Vec<(i64, String)> {
    offsets
        .iter()
        .map(|offset| (*offset, offset.to_string()))
        .collect()
}

impl Scene {
    fn replace(&mut self, below: i64, offsets: &[i64]) -> bool {
        let log = self.log(0);
        let begun = self.harness.broker.replace_below(log, below, kept(offsets));
        // The next event lets it be written.
        let other = self.harness.connect();
        self.harness.send(other, &MetadataRequest::default(), 12);
        begun
    }

    fn all(&mut self) -> Vec<(i64, String)> {
        let mut found = Vec::new();
        let mut next = 0;
        loop {
            let more = self.values(next);
            let Some((last, _)) = more.last() else {
                return found;
            };
            next = last + 1;
            found.extend(more);
        }
    }
}

#[test]
fn records_that_stand_keep_their_offsets_and_the_rest_is_gone() {
    let mut scene = numbered(10);
    assert!(scene.replace(10, &[3, 8]));
    scene.harness.run();
    assert_eq!(scene.bounds(), (0, 10, 10));
    scene.produce_values(&["10"]);
    for _ in 0..2 {
        assert_eq!(scene.all(), expected(&[3, 8, 10]));
        assert_eq!(scene.values(0), expected(&[3, 8, 10]), "in one go");
        assert_eq!(scene.values(4), expected(&[8, 10]));
        assert_eq!(scene.values(9), expected(&[10]), "behind a gap");
        scene = scene.crash();
    }
    assert_eq!(scene.produce_values(&["11"]), 11);
}

#[test]
fn a_log_of_which_nothing_stands_keeps_its_end() {
    let mut scene = numbered(5);
    assert!(scene.replace(5, &[]));
    scene.harness.run();
    let mut scene = scene.crash();
    assert_eq!(scene.bounds(), (0, 5, 5));
    assert_eq!(scene.all(), vec![]);
    assert_eq!(scene.produce_values(&["5"]), 5);
    assert_eq!(scene.values(0), expected(&[5]));
}

#[test]
fn pages_are_replaced_too() {
    let mut scene = numbered(400);
    let standing: Vec<i64> = (0..400).step_by(3).collect();
    assert!(scene.replace(400, &standing));
    scene.harness.run();
    for _ in 0..2 {
        assert_eq!(scene.all(), expected(&standing));
        scene = scene.crash();
    }
    let log = scene.log(0);
    let stored = scene.harness.storage.stored();
    assert!(
        stored.pages.keys().all(|key| key.0 != log),
        "one chunk is left"
    );
    assert_eq!(stored.chunks.keys().filter(|key| key.0 == log).count(), 1);
}

#[test]
fn what_is_appended_meanwhile_follows() {
    let mut scene = numbered(4);
    scene.send(batch(&["4"]));
    assert_eq!(scene.harness.writes_waiting(), 1);
    assert!(scene.replace(4, &[1]), "while a write is under way");
    scene.send(batch(&["5"]));
    assert_eq!(scene.harness.writes_waiting(), 1, "it has to be alone");
    scene.harness.run();
    while scene.answered().is_some() {}
    for _ in 0..2 {
        assert_eq!(scene.all(), expected(&[1, 4, 5]));
        scene = scene.crash();
    }
}

#[test]
fn a_fetch_waits_while_chunks_are_replaced() {
    let mut scene = numbered(4);
    assert!(scene.replace(4, &[1]));
    scene
        .harness
        .send(scene.client, &from_offset(0, 0, 0), FETCH);
    assert_eq!(scene.harness.storage.waiting().count(), 1, "only the write");
    scene.harness.run();
    let response = scene
        .harness
        .receive::<FetchRequest>(scene.client, FETCH)
        .unwrap();
    assert_eq!(values(&fetched(response)), expected(&[1]));
}

#[test]
fn a_read_under_way_when_chunks_are_replaced_is_done_again() {
    let mut scene = numbered(4);
    let consumer = scene.harness.connect();
    scene.harness.send(consumer, &from_offset(0, 0, 0), FETCH);
    assert!(scene.replace(4, &[1]));
    let reply = scene.harness.storage.complete_write().unwrap();
    scene.harness.reply(reply);
    scene.harness.run();
    let response = scene
        .harness
        .receive::<FetchRequest>(consumer, FETCH)
        .unwrap();
    assert_eq!(values(&fetched(response)), expected(&[1]));
}

#[test]
fn a_replacement_that_fails_leaves_everything() {
    let mut scene = numbered(4);
    assert!(scene.replace(4, &[1]));
    let why = StorageError::Other("no".to_owned());
    let reply = scene.harness.storage.fail_write(why).unwrap();
    scene.harness.reply(reply);
    scene.harness.run();
    assert_eq!(scene.all(), expected(&[0, 1, 2, 3]));
}

#[test]
fn only_what_is_durable_can_be_replaced_by_what_lies_below() {
    let mut scene = numbered(4);
    assert!(!scene.replace(3, &[1]), "not at the high watermark");
    assert!(!scene.replace(4, &[4]), "not below");
    assert!(!scene.replace(4, &[2, 1]), "not ascending");
    assert_eq!(scene.all(), expected(&[0, 1, 2, 3]));
}

#[test]
fn replay_hands_over_all_durable_batches_in_order() {
    let mut scene = numbered(300);
    scene.send(batch(&["not durable"]));
    let log = scene.log(0);
    scene.harness.broker.replay(log);
    let mut replayed = Vec::new();
    let ended = loop {
        while let Some(output) = scene.harness.broker.poll_output() {
            if let crate::broker::Output::Effect(effect) = output {
                scene.harness.storage.accept(effect);
            }
        }
        let reply = scene.harness.storage.complete_read();
        scene.harness.broker.storage_replied(reply.unwrap());
        let mut end = None;
        while let Some(notice) = scene.harness.broker.logs.poll_notice() {
            match notice {
                LogNotice::Replayed { batches, .. } => replayed.push(batches),
                LogNotice::ReplayEnded { result, .. } => end = Some(result),
                LogNotice::Advanced { .. } | LogNotice::Failed { .. } => {}
            }
        }
        if let Some(result) = end {
            break result;
        }
    };
    assert_eq!(ended, Ok(()));
    let offsets: Vec<i64> = replayed
        .iter()
        .flat_map(|bytes| Batches::new(bytes.clone()))
        .map(|batch| batch.unwrap().base_offset)
        .collect();
    assert_eq!(offsets, (0..300).collect::<Vec<_>>());
}

/// The answer to a write of the metadata log is lost, but it took place: the topic is there.
#[test]
fn hard_state_that_turned_out_durable_is_applied() {
    let mut scene = Scene::new();
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "late".to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            ..CreatableTopic::default()
        }],
        timeout_ms: 1_000,
        ..CreateTopicsRequest::default()
    };
    scene.harness.send(scene.client, &request, 7);
    let reply = scene.harness.storage.lose_answer().unwrap();
    scene.harness.reply(reply);
    let response = scene
        .harness
        .receive::<CreateTopicsRequest>(scene.client, 7)
        .unwrap();
    assert!(response.topics[0].error_code.is_error());
    assert!(
        scene
            .harness
            .broker
            .metadata
            .topic_by_name("late")
            .is_none()
    );
    scene.harness.run();
    assert_eq!(scene.harness.broker.state(), BrokerState::Running);
    let id = scene
        .harness
        .broker
        .metadata
        .topic_by_name("late")
        .unwrap()
        .id;
    let scene = scene.crash();
    assert_eq!(
        scene
            .harness
            .broker
            .metadata
            .topic_by_name("late")
            .unwrap()
            .id,
        id
    );
}
