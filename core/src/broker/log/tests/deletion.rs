//! DeleteRecords, retention by age and size: what goes, and when.

use super::*;
use crate::broker::StorageError;
use crate::protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsTopic,
};
use crate::protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

const INTERVAL: u64 = 300_000;
const HOUR: u64 = 3_600_000;

fn delete_request(offset: i64) -> DeleteRecordsRequest {
    DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: TOPIC.to_owned(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: 0,
                offset,
            }],
        }],
        timeout_ms: 5_000,
    }
}

fn only(mut response: DeleteRecordsResponse) -> DeleteRecordsPartitionResult {
    response.topics.remove(0).partitions.remove(0)
}

impl Scene {
    pub(super) fn delete_below(&mut self, offset: i64) -> (ErrorCode, i64) {
        let request = delete_request(offset);
        let result = only(self.harness.request(self.client, &request, 2));
        (result.error_code, result.low_watermark)
    }

    /// The keys of the chunks that are stored of partition 0.
    fn chunks(&self) -> Vec<i64> {
        let log = self.log(0);
        let chunks = self.harness.storage.stored().chunks.keys();
        chunks.filter(|key| key.0 == log).map(|key| key.1).collect()
    }

    fn pages(&self) -> Vec<i64> {
        let log = self.log(0);
        let pages = self.harness.storage.stored().pages.keys();
        pages.filter(|key| key.0 == log).map(|key| key.1).collect()
    }

    fn size(&self) -> u64 {
        self.harness.broker.logs.get(self.log(0)).unwrap().size()
    }
}

/// One chunk each of two records.
fn chunks_of_two(configs: &[(&str, &str)], count: usize) -> Scene {
    let mut scene = Scene::with_topic(1, configs);
    for _ in 0..count {
        scene.produce_values(&["a", "b"]);
    }
    scene
}

#[test]
fn the_log_start_moves_durably_and_whole_chunks_below_it_go() {
    let mut scene = chunks_of_two(&[], 4);
    assert_eq!(scene.chunks(), vec![0, 2, 4, 6]);
    scene.harness.send(scene.client, &delete_request(5), 2);
    let early = scene
        .harness
        .receive::<DeleteRecordsRequest>(scene.client, 2);
    assert!(early.is_none(), "not durable yet");
    scene.harness.run();
    let answer = scene
        .harness
        .receive::<DeleteRecordsRequest>(scene.client, 2)
        .unwrap();
    assert_eq!(only(answer).low_watermark, 5);
    assert_eq!(scene.chunks(), vec![4, 6]);
    assert_eq!(scene.bounds(), (5, 8, 8));
    assert_eq!(scene.fetch(4).error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(scene.values(5).len(), 4, "the whole batch that has it");
    let mut scene = scene.crash();
    assert_eq!(scene.bounds(), (5, 8, 8));
    assert_eq!(
        scene.delete_below(3),
        (ErrorCode::NONE, 5),
        "it never goes back"
    );
}

#[test]
fn minus_1_deletes_up_to_the_high_watermark_and_the_log_end_stays() {
    let mut scene = chunks_of_two(&[], 3);
    assert_eq!(scene.delete_below(-1), (ErrorCode::NONE, 6));
    assert_eq!((scene.chunks(), scene.size()), (vec![], 0));
    let mut scene = scene.crash();
    assert_eq!(scene.bounds(), (6, 6, 6), "also when the log is empty");
    assert_eq!(scene.produce_values(&["c"]), 6);
    assert_eq!(scene.values(6), listed(&[(6, "c")]));
}

#[test]
fn what_cannot_be_deleted_is_refused() {
    let mut scene = chunks_of_two(&[], 1);
    assert_eq!(scene.delete_below(3), (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    assert_eq!(scene.delete_below(-2), (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    let mut request = delete_request(1);
    request.topics[0].partitions[0].partition_index = 1;
    let result = only(scene.harness.request(scene.client, &request, 2));
    assert_eq!(result.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let mut scene = Scene::with_topic(1, &[("cleanup.policy", "compact")]);
    assert_eq!(scene.delete_below(0), (ErrorCode::POLICY_VIOLATION, -1));
}

#[test]
fn a_deletion_that_fails_is_taken_back() {
    let mut scene = chunks_of_two(&[], 2);
    scene.harness.send(scene.client, &delete_request(2), 2);
    let why = StorageError::Other("no".to_owned());
    let reply = scene.harness.storage.fail_write(why).unwrap();
    scene.harness.reply(reply);
    let answer = scene
        .harness
        .receive::<DeleteRecordsRequest>(scene.client, 2)
        .unwrap();
    assert_eq!(only(answer).error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    scene.harness.run();
    assert_eq!(scene.bounds(), (0, 4, 4));
    assert_eq!(scene.values(0).len(), 4);
}

#[test]
fn a_deletion_times_out_and_goes_on() {
    let mut scene = chunks_of_two(&[], 2);
    scene.harness.send(scene.client, &delete_request(2), 2);
    scene.harness.advance(5_000);
    let answer = scene
        .harness
        .receive::<DeleteRecordsRequest>(scene.client, 2)
        .unwrap();
    assert_eq!(only(answer).error_code, ErrorCode::REQUEST_TIMED_OUT);
    scene.harness.run();
    assert_eq!(scene.bounds(), (2, 4, 4));
}

#[test]
fn pages_of_the_index_go_with_their_chunks() {
    let scene = chunks_of_two(&[], 400);
    let one = u64::try_from(batch(&["a", "b"]).len()).unwrap();
    assert_eq!(scene.pages(), vec![0, 256]);
    assert_eq!(scene.size(), 400 * one);
    let mut scene = scene.crash();
    assert_eq!(scene.delete_below(300), (ErrorCode::NONE, 300));
    scene.harness.run();
    assert_eq!((scene.chunks().len(), scene.pages()), (250, vec![256]));
    assert_eq!(scene.size(), 250 * one);
    assert_eq!(scene.values(300)[0].0, 300);
    let mut scene = scene.crash();
    assert_eq!(scene.size(), 250 * one);
    assert_eq!(scene.values(301)[0].0, 300);
    assert_eq!(scene.fetch(299).error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(scene.delete_below(700), (ErrorCode::NONE, 700));
    assert_eq!((scene.chunks().len(), scene.pages()), (50, vec![]));
    assert_eq!(scene.size(), 50 * one);
}

#[test]
fn chunks_older_than_retention_ms_go_the_newest_included() {
    let mut scene = chunks_of_two(&[("retention.ms", "3600000")], 2);
    scene.harness.advance_and_run(HOUR / 2);
    let late = batch_with(&["c"], BatchBuilder::new(), scene.harness.now().wall.0);
    scene.produce(late);
    scene.harness.advance_and_run(HOUR / 2);
    assert_eq!(scene.bounds(), (0, 5, 5), "not older, but as old");
    scene.harness.advance_and_run(INTERVAL);
    assert_eq!(scene.bounds(), (4, 5, 5));
    assert_eq!(scene.chunks(), vec![4]);
    scene.harness.advance_and_run(HOUR);
    assert_eq!(scene.bounds(), (5, 5, 5));
    assert_eq!(scene.chunks(), Vec::<i64>::new());
    let scene = scene.crash();
    assert_eq!(scene.bounds(), (5, 5, 5));
}

#[test]
fn an_old_chunk_behind_a_young_one_stays() {
    let mut scene = Scene::with_topic(1, &[("retention.ms", "3600000")]);
    scene.produce(batch_with(&["young"], BatchBuilder::new(), now()));
    scene.produce(batch_with(&["old"], BatchBuilder::new(), 5));
    scene.harness.advance_and_run(2 * INTERVAL);
    assert_eq!(scene.bounds(), (0, 2, 2));
}

#[test]
fn retention_bytes_keeps_at_least_so_much() {
    let one = batch(&["a", "b"]).len();
    let keep = (3 * one - 1).to_string();
    let mut scene = chunks_of_two(&[("retention.bytes", &keep)], 6);
    scene.harness.advance_and_run(INTERVAL);
    assert_eq!(scene.chunks(), vec![6, 8, 10]);
    assert_eq!(scene.bounds(), (6, 12, 12));
    scene.produce_values(&["c", "d"]);
    let mut scene = scene.crash();
    scene.harness.advance_and_run(INTERVAL);
    assert_eq!(scene.chunks(), vec![8, 10, 12]);
}

#[test]
fn retention_looks_through_pages() {
    let one = batch(&["a", "b"]).len();
    let keep = (10 * one).to_string();
    let mut scene = chunks_of_two(&[("retention.bytes", &keep)], 400).crash();
    assert_eq!(scene.pages(), vec![0, 256]);
    scene.harness.advance_and_run(INTERVAL);
    assert_eq!((scene.chunks().len(), scene.pages()), (10, vec![]));
    assert_eq!(scene.bounds(), (780, 800, 800));
}

#[test]
fn nothing_is_cleaned_up_during_opening_or_without_a_limit() {
    let configs = [("retention.ms", "1000"), ("retention.bytes", "-1")];
    let mut scene = chunks_of_two(&configs, 2);
    scene.harness.advance(HOUR);
    let mut scene = scene.crash();
    assert_eq!(scene.bounds(), (0, 4, 4));
    scene.harness.advance_and_run(INTERVAL);
    assert_eq!(scene.bounds(), (4, 4, 4));

    let mut scene = chunks_of_two(&[("retention.ms", "-1")], 2);
    scene.harness.advance_and_run(1_000 * HOUR);
    assert_eq!(scene.bounds(), (0, 4, 4));
    let mut scene = chunks_of_two(&[("cleanup.policy", "compact"), ("retention.ms", "1")], 0);
    let mut builder = BatchBuilder::new();
    let record = Record::new(now(), Some("k".into()), Some("v".into()));
    builder.push(&record).unwrap();
    scene.produce(builder.build().unwrap());
    scene.harness.advance_and_run(HOUR);
    assert_eq!(scene.bounds(), (0, 1, 1));
}

#[test]
fn records_without_timestamps_age_from_their_append() {
    let mut scene = Scene::with_topic(1, &[("retention.ms", "3600000")]);
    scene.produce(batch_with(&["a"], BatchBuilder::new(), -1));
    scene.harness.advance_and_run(HOUR);
    assert_eq!(scene.bounds(), (0, 1, 1));
    scene.harness.advance_and_run(INTERVAL);
    assert_eq!(scene.bounds(), (1, 1, 1));
}

#[test]
fn a_deletion_ends_a_parked_fetch_below_it() {
    let mut scene = chunks_of_two(&[], 2);
    scene
        .harness
        .send(scene.client, &from_offset(0, 1, 0), FETCH);
    let other = scene.harness.connect();
    scene.harness.send(other, &delete_request(3), 2);
    let reply = scene.harness.storage.complete_write().unwrap();
    scene.harness.reply(reply);
    scene.harness.run();
    let response = scene.harness.receive::<FetchRequest>(scene.client, FETCH);
    assert_eq!(
        fetched(response.unwrap()).error_code,
        ErrorCode::OFFSET_OUT_OF_RANGE
    );
}
