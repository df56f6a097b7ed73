//! Fetching, delivery and what is dropped.

#![allow(clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::protocol::messages::MetadataRequest;
use crate::protocol::messages::fetch::{AbortedTransaction, LeaderIdAndEpoch};

#[test]
fn records_are_delivered_one_batch_of_a_partition_at_a_time() {
    let mut fake = consuming(config(), &[0, 1]);
    let (seen, request, asked) = fake.fetch();
    assert_eq!(asked, [(0, 0), (1, 0)]);
    assert_eq!((request.min_bytes, request.max_wait_ms), (1, 5_000));
    assert_eq!(request.isolation_level, 1);
    let records = [(0, batch(0, &["a", "b"])), (1, batch(0, &["x"]))];
    fake.records(&seen, 7, &records);
    let first = fake.poll().unwrap();
    assert_eq!((first.topic.as_str(), first.partition), ("t", 0));
    assert_eq!((first.fetched_offset, first.next_offset), (0, 2));
    assert_eq!((first.first_offset(), first.last_offset()), (0, 1));
    assert_eq!(first.high_watermark, 100);
    assert_eq!(values(&first), [(0, "a".to_owned()), (1, "b".to_owned())]);
    let second = fake.poll().unwrap();
    assert_eq!(second.partition, 1);
    assert_eq!(fake.poll(), None);
    // More is fetched meanwhile, from where the answers ended, and only that is said.
    let (seen, request, asked) = fake.fetch();
    assert_eq!((request.session_id, request.session_epoch), (7, 1));
    assert_eq!(asked, [(0, 2), (1, 1)]);
    fake.records(&seen, 7, &[(0, batch(2, &["c"]))]);
    assert_eq!(fake.poll(), None);
    fake.client.complete(fake.now, first.id);
    let third = fake.poll().unwrap();
    assert_eq!(values(&third), [(2, "c".to_owned())]);
    fake.client.complete(fake.now, third.id);
    let status = fake.client.partition(&tp(0)).unwrap();
    assert_eq!(status.position, Some(3));
    assert_eq!(status.processed, Some(3));
    assert_eq!(status.lag, Some(97));
}

#[test]
fn packed_records_are_those_of_the_iterator() {
    let mut fake = consuming(config(), &[0]);
    fake.client.seek(fake.now, &tp(0), SeekTo::Offset(1));
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[]);
    let (seen, _, asked) = fake.fetch();
    assert_eq!(asked, [(0, 1)]);
    // A broker answers with the whole batch that holds the offset.
    let two = [batch(0, &["a", "b"]), batch(2, &["c"])].concat();
    fake.records(&seen, 0, &[(0, two.into())]);
    let held = fake.poll().unwrap();
    let records: Vec<Record> = held.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 2);
    let packed: Vec<Record> = held.pack().unwrap().iter().collect();
    assert_eq!(packed, records);
}

#[test]
fn what_is_released_comes_again() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b", "c"]))]);
    let held = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, held.id, 2);
    fake.client.release(fake.now, held.id);
    // The long poll under way is for offset 3: this one goes by express, on another connection.
    let (long, _, asked) = fake.fetch();
    assert_eq!(asked, [(0, 3)]);
    let (express, request, asked) = fake.fetch();
    assert_eq!(asked, [(0, 2)]);
    assert_eq!((request.session_id, request.session_epoch), (0, -1));
    assert_eq!(request.max_wait_ms, 250);
    assert_ne!(express.conn, long.conn);
    fake.records(&express, 0, &[(0, batch(0, &["a", "b", "c"]))]);
    let again = fake.poll().unwrap();
    assert_eq!(values(&again), [(2, "c".to_owned())]);
    // What the long poll brings belongs to the position before.
    fake.records(&long, 0, &[(0, batch(3, &["d"]))]);
    fake.client.complete(fake.now, again.id);
    assert_eq!(fake.poll(), None);
    let (_, _, asked) = fake.fetch();
    assert_eq!(asked, [(0, 3)]);
}

#[test]
fn a_seek_makes_everything_before_it_stale() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(2, &["c"]))]);
    assert!(fake.client.seek(fake.now, &tp(0), SeekTo::Offset(50)));
    assert!(fake.client.is_stale(held.id));
    assert!(!fake.client.mark_processed(fake.now, held.id, 1));
    let status = fake.client.partition(&tp(0)).unwrap();
    assert_eq!(status.buffered, 0);
    assert_eq!((status.position, status.processed), (Some(50), Some(50)));
    // Until the host is done with the old batch, there is no other one.
    fake.records_by_express(&[(0, batch(50, &["z"]))]);
    assert_eq!(fake.poll(), None);
    fake.client.complete(fake.now, held.id);
    let next = fake.poll().unwrap();
    assert_eq!(values(&next), [(50, "z".to_owned())]);
    let status = fake.client.partition(&tp(0)).unwrap();
    assert_eq!(status.processed, Some(50));
}

impl Fake<Consumer> {
    /// Answers the fetch that is not a long poll.
    pub(super) fn records_by_express(&mut self, records: &[(i32, Bytes)]) {
        let (first, request, _) = self.fetch();
        if request.session_epoch == -1 {
            return self.records(&first, 0, records);
        }
        let (express, request, _) = self.fetch();
        assert_eq!(request.session_epoch, -1);
        self.records(&express, 0, records);
    }
}

#[test]
fn a_paused_partition_is_neither_fetched_nor_delivered_and_keeps_what_it_has() {
    let mut fake = consuming(config(), &[0, 1]);
    let (seen, _, _) = fake.fetch();
    fake.client.pause("t", Some(&[0]));
    fake.records(&seen, 7, &[(0, batch(0, &["a"]))]);
    assert_eq!(fake.poll(), None);
    assert_eq!(fake.client.paused(), [tp(0)]);
    let (seen, request, asked) = fake.fetch();
    assert!(asked.is_empty());
    assert_eq!(request.forgotten_topics_data[0].partitions, [0]);
    fake.client.resume(fake.now, "t", None);
    assert_eq!(values(&fake.poll().unwrap()), [(0, "a".to_owned())]);
    // The long poll of the others does not hold it up.
    let (express, request, asked) = fake.fetch();
    assert_eq!((request.session_epoch, asked), (-1, vec![(0, 1)]));
    fake.records(&express, 0, &[]);
    fake.records(&seen, 7, &[]);
    let (_, request, asked) = fake.fetch();
    assert_eq!(request.session_epoch, -1);
    assert_eq!(asked, [(0, 1)]);
    let (_, request, asked) = fake.fetch();
    assert_eq!(request.session_epoch, 2);
    assert!(asked.is_empty());
}

#[test]
fn fetching_stops_while_enough_waits() {
    let config = ConsumerConfig {
        prefetch_bytes: 100,
        ..config()
    };
    let mut fake = consuming(config, &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b", "c", "d", "e", "f"]))]);
    assert_eq!(fake.waiting(), 0);
    fake.poll().unwrap();
    assert_eq!(fake.fetch().2, [(0, 6)]);
}

#[test]
fn a_partition_with_a_full_answer_waiting_is_left_out() {
    let config = ConsumerConfig {
        max_bytes_per_partition: 70,
        ..config()
    };
    let mut fake = consuming(config, &[0, 1]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b", "c"]))]);
    assert_eq!(fake.fetch().2, [(1, 0)]);
}

#[test]
fn a_session_that_the_broker_has_forgotten_is_begun_again_at_once() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 7, &[]);
    let (seen, request, _) = fake.fetch();
    assert_eq!((request.session_id, request.session_epoch), (7, 1));
    let forgotten = FetchResponse {
        error_code: ErrorCode::FETCH_SESSION_ID_NOT_FOUND,
        ..FetchResponse::default()
    };
    fake.answer(&seen, &forgotten);
    let (seen, request, asked) = fake.fetch();
    assert_eq!((request.session_id, request.session_epoch), (0, 0));
    assert_eq!(asked, [(0, 0)]);
    // Twice in a row is not in order.
    fake.answer(&seen, &forgotten);
    assert!(fake.take::<FetchRequest>().is_none());
    fake.pass(300);
    fake.fetch();
}

#[test]
fn a_moved_leader_is_followed() {
    let mut fake = consuming(config(), &[0]);
    fake.brokers = vec![0, 1];
    let (seen, _, _) = fake.fetch();
    fake.answer_metadata = false;
    let refused = PartitionData {
        partition_index: 0,
        error_code: ErrorCode::NOT_LEADER_OR_FOLLOWER,
        current_leader: LeaderIdAndEpoch {
            leader_id: 1,
            leader_epoch: 5,
        },
        ..PartitionData::default()
    };
    fake.fetched(&seen, 7, vec![refused]);
    fake.topics.get_mut("t").unwrap().partitions = vec![(1, 5)];
    let (seen, request) = fake.expect::<MetadataRequest>();
    assert!(!request.allow_auto_topic_creation);
    let response = fake.metadata_for(&request);
    fake.answer(&seen, &response);
    fake.answer_metadata = true;
    fake.pass(300);
    let (seen, request, asked) = fake.fetch();
    assert_eq!((seen.port, asked), (9093, vec![(0, 0)]));
    assert_eq!(request.topics[0].partitions[0].current_leader_epoch, 5);
    assert_eq!(fake.notable(), []);
}

#[test]
fn a_broker_that_is_away_is_tried_as_often_as_configured() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.refused.insert(9092);
    for conn in fake.open.keys().copied().collect::<Vec<_>>() {
        fake.cut(conn);
    }
    assert_ne!(seen.port, 0);
    fake.pass(8_000);
    assert_eq!(fake.client.state(), ConsumerState::Stable);
    fake.pass(4_000);
    let events = fake.notable();
    let Some(ConsumerEvent::Crashed { error, restart, .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    assert!(restart);
}

#[test]
fn a_broker_that_comes_back_is_fetched_from_again() {
    let mut fake = consuming(config(), &[0]);
    fake.fetch();
    fake.refused.insert(9092);
    for conn in fake.open.keys().copied().collect::<Vec<_>>() {
        fake.cut(conn);
    }
    fake.pass(2_000);
    fake.refused.clear();
    fake.pass(4_000);
    let (seen, _, asked) = fake.fetch();
    assert_eq!(asked, [(0, 0)]);
    fake.records(&seen, 0, &[(0, batch(0, &["a"]))]);
    assert!(fake.poll().is_some());
    assert_eq!(fake.notable(), []);
}

#[test]
fn damaged_records_are_fetched_again_and_in_the_end_crash() {
    let mut fake = consuming(config(), &[0]);
    let mut damaged = batch(0, &["a"]).to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let damaged = Bytes::from(damaged);
    let config = &fake.client.config().retry;
    let attempts = config.retries.unwrap() + 1;
    for _ in 0..attempts {
        let (seen, _, asked) = fake.fetch();
        assert_eq!(asked, [(0, 0)]);
        fake.records(&seen, 0, &[(0, damaged.clone())]);
        // The next long poll is under way already.
        assert_eq!(fake.poll(), None);
        fake.pass(5_000);
        if let Some((seen, request)) = fake.take::<FetchRequest>()
            && request.topics[0].partitions[0].fetch_offset == 1
        {
            fake.records(&seen, 0, &[]);
        }
    }
    let error = fake.crash().unwrap();
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    let cause = error.cause.unwrap();
    assert_eq!(cause.error_code(), Some(ErrorCode::CORRUPT_MESSAGE));
}

#[test]
fn damage_goes_unseen_only_if_asked_for() {
    let config = ConsumerConfig {
        check_crcs: false,
        ..config()
    };
    let mut fake = consuming(config, &[0]);
    let mut damaged = batch(0, &["a"]).to_vec();
    let at = damaged.len() - 2;
    damaged[at] = b'b';
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, damaged.into())]);
    assert_eq!(values(&fake.poll().unwrap()), [(0, "b".to_owned())]);
}

/// A transactional batch with one record, or the marker that ends its transaction.
fn transactional(base: i64, producer: i64, marker: Option<u8>) -> Bytes {
    let mut builder = BatchBuilder::new()
        .base_offset(base, 0)
        .producer(producer, 0, if marker.is_some() { -1 } else { 0 })
        .transactional(true)
        .control(marker.is_some());
    let record = match marker {
        Some(kind) => {
            let key = Bytes::copy_from_slice(&[0, 0, 0, kind]);
            Record::new(7, Some(key), Some(Bytes::from_static(&[0; 6])))
        }
        None => Record::new(7, None, Some(Bytes::from(format!("p{producer}")))),
    };
    builder.push(&record).unwrap();
    builder.build().unwrap()
}

#[test]
fn aborted_transactions_and_markers_are_left_out() {
    const ABORT: Option<u8> = Some(0);
    const COMMIT: Option<u8> = Some(1);
    let log = [
        transactional(0, 1, None),
        transactional(1, 2, None),
        transactional(2, 1, ABORT),
        transactional(3, 1, None),
        transactional(4, 2, COMMIT),
        batch(5, &["plain"]),
        transactional(6, 1, COMMIT),
    ];
    let log = Bytes::from(log.concat());
    let aborted = vec![AbortedTransaction {
        producer_id: 1,
        first_offset: 0,
    }];
    let seen = |isolation, expected: &[(i64, &str)]| {
        let config = ConsumerConfig {
            isolation,
            ..config()
        };
        let mut fake = consuming(config, &[0]);
        let (seen, _, _) = fake.fetch();
        let data = PartitionData {
            high_watermark: 7,
            last_stable_offset: 7,
            aborted_transactions: Some(aborted.clone()),
            records: log.clone().into(),
            ..PartitionData::default()
        };
        fake.fetched(&seen, 0, vec![data]);
        let held = fake.poll().unwrap();
        let expected: Vec<_> = expected
            .iter()
            .map(|(at, value)| (*at, (*value).to_owned()))
            .collect();
        assert_eq!(values(&held), expected);
        assert_eq!(held.next_offset, 7);
        fake.client.complete(fake.now, held.id);
        let status = fake.client.partition(&tp(0)).unwrap();
        assert_eq!((status.position, status.processed), (Some(7), Some(7)));
    };
    let committed = [(1, "p2"), (3, "p1"), (5, "plain")];
    seen(Isolation::ReadCommitted, &committed);
    let all = [(0, "p1"), (1, "p2"), (3, "p1"), (5, "plain")];
    seen(Isolation::ReadUncommitted, &all);
}

#[test]
fn markers_alone_move_the_position_and_what_is_committed() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    let log = [batch(0, &["a"]), transactional(1, 1, Some(1))].concat();
    fake.records(&seen, 0, &[(0, log.into())]);
    let held = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, held.id, 2);
    fake.client.complete(fake.now, held.id);
    let (seen, _, asked) = fake.fetch();
    assert_eq!(asked, [(0, 2)]);
    fake.records(&seen, 0, &[(0, transactional(2, 1, Some(1)))]);
    assert_eq!(fake.poll(), None);
    assert_eq!(fake.client.uncommitted(), [(tp(0), 3)]);
    assert_eq!(fake.fetch().2, [(0, 3)]);
}

#[test]
fn a_batch_cut_short_at_the_end_is_fetched_with_the_next() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    let whole = batch(0, &["a"]);
    let cut = batch(1, &["b"]).slice(..40);
    fake.records(&seen, 0, &[(0, [whole, cut].concat().into())]);
    assert_eq!(values(&fake.poll().unwrap()), [(0, "a".to_owned())]);
    assert_eq!(fake.fetch().2, [(0, 1)]);
}

#[test]
fn older_brokers_are_asked_by_name() {
    let mut fake = fake(config(), 1);
    fake.versions
        .insert(crate::protocol::ApiKey::Fetch, (4, 11));
    fake.client
        .subscribe(fake.now, &[TopicSubscription::new("t")]);
    fake.settle();
    fake.client.start(fake.now);
    fake.let_join(1);
    fake.let_sync(&[0]);
    fake.committed(&[0]);
    let (seen, request, _) = fake.fetch();
    assert_eq!(request.topics[0].topic, "t");
    let data = PartitionData {
        records: batch(0, &["a"]).into(),
        ..PartitionData::default()
    };
    let response = FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: "t".to_owned(),
            partitions: vec![data],
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    };
    fake.answer(&seen, &response);
    assert!(fake.poll().is_some());
}

#[test]
fn what_cannot_be_decoded_crashes() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a"]))]);
    let held = fake.poll().unwrap();
    let error = crate::records::BatchError::Truncated;
    fake.client.corrupt(fake.now, held.id, &error);
    let error = fake.crash().unwrap();
    assert_eq!(error.name(), "KafkaJSNonRetriableError");
    assert_eq!(fake.client.partition(&tp(0)).unwrap().position, Some(0));
}
