//! Commits, automatic and asked for.

#![allow(clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::client::OpId;

fn offset(partition: i32, offset: i64) -> OffsetToCommit {
    OffsetToCommit {
        partition: tp(partition),
        offset,
        metadata: None,
    }
}

fn automatic(interval_ms: Option<u64>, threshold: Option<u64>) -> ConsumerConfig {
    ConsumerConfig {
        auto_commit: AutoCommit {
            enabled: true,
            interval_ms,
            threshold,
        },
        ..config()
    }
}

/// A member that has ten records of partition 0 in hand.
fn with_ten(config: ConsumerConfig) -> (Fake<Consumer>, BatchId) {
    let mut fake = consuming(config, &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["x"; 10]))]);
    let id = fake.poll().unwrap().id;
    fake.events();
    (fake, id)
}

impl Fake<Consumer> {
    fn commit_result(&mut self, op: OpId) -> Result<(), ClientError> {
        let found = self.events().into_iter().find_map(|event| match event {
            ConsumerEvent::Committed { op: of, result, .. } if of == op => Some(result),
            _ => None,
        });
        found.unwrap()
    }
}

#[test]
fn commits_go_out_one_by_one_in_order() {
    let mut fake = consuming(config(), &[0]);
    let first = fake.client.commit(fake.now, vec![offset(0, 5)]);
    let text = OffsetToCommit {
        metadata: Some("text".to_owned()),
        ..offset(3, 6)
    };
    let second = fake.client.commit(fake.now, vec![offset(0, 4), text]);
    assert_eq!(
        fake.let_commit(ErrorCode::NONE),
        (1, "m".to_owned(), vec![(0, 5)])
    );
    assert_eq!(fake.commit_result(first), Ok(()));
    assert_eq!(fake.client.partition(&tp(0)).unwrap().committed, Some(5));
    let (seen, request) = fake.expect::<OffsetCommitRequest>();
    let partitions = &request.topics[0].partitions;
    assert_eq!(partitions[1].committed_metadata.as_deref(), Some("text"));
    assert_eq!(partitions[0].committed_metadata, None);
    // An answer that says nothing of a partition is no error.
    fake.answer(&seen, &OffsetCommitResponse::default());
    assert_eq!(fake.commit_result(second), Ok(()));
    let nothing = fake.client.commit(fake.now, Vec::new());
    assert_eq!(fake.commit_result(nothing), Ok(()));
    assert_eq!(fake.take::<OffsetCommitRequest>().map(|_| ()), None);
}

#[test]
fn errors_that_may_pass_are_repeated_and_others_are_wrapped() {
    let mut fake = consuming(config(), &[0]);
    let op = fake.client.commit(fake.now, vec![offset(0, 5)]);
    for wait in [300, 600, 1_200, 2_400, 4_800] {
        fake.let_commit(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        fake.pass(wait - 1);
        assert!(fake.take::<OffsetCommitRequest>().is_none());
        fake.pass(1);
        if let Some((seen, _)) = fake.take::<HeartbeatRequest>() {
            fake.answer(&seen, &HeartbeatResponse::default());
        }
    }
    fake.let_commit(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let error = fake.commit_result(op).unwrap_err();
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    fake.beat(ErrorCode::NONE);
    let op = fake.client.commit(fake.now, vec![offset(0, 5)]);
    fake.let_commit(ErrorCode::OFFSET_METADATA_TOO_LARGE);
    let error = fake.commit_result(op).unwrap_err();
    assert_eq!(error.name(), "KafkaJSNonRetriableError");
    assert_eq!(fake.client.state(), ConsumerState::Stable);
}

#[test]
fn a_topic_whose_id_is_not_known_is_committed_by_name() {
    let mut fake = consuming(config(), &[0]);
    let other = OffsetToCommit {
        partition: TopicPartition::new("other", 0),
        ..offset(0, 7)
    };
    let op = fake.client.commit(fake.now, vec![offset(0, 1), other]);
    let (seen, request) = fake.expect::<OffsetCommitRequest>();
    assert_eq!(seen.header.api_version, 9);
    let names: Vec<_> = request.topics.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["t", "other"]);
    fake.answer(&seen, &OffsetCommitResponse::default());
    assert_eq!(fake.commit_result(op), Ok(()));
}

#[test]
fn nothing_is_committed_by_itself_but_at_the_end_unless_asked_for() {
    let (mut fake, id) = with_ten(config());
    fake.client.mark_processed(fake.now, id, 4);
    assert_eq!(fake.client.commit_if_due(fake.now), None);
    fake.client.complete(fake.now, id);
    fake.pass(1_000);
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    assert_eq!(fake.client.uncommitted(), [(tp(0), 10)]);
    let op = fake.client.commit_processed(fake.now).unwrap();
    fake.let_commit(ErrorCode::NONE);
    assert_eq!(fake.commit_result(op), Ok(()));
    assert_eq!(fake.client.uncommitted(), []);
    assert_eq!(fake.client.commit_processed(fake.now), None);
}

#[test]
fn a_threshold_counts_records() {
    let (mut fake, id) = with_ten(automatic(None, Some(4)));
    for processed in 1..=3 {
        fake.client.mark_processed(fake.now, id, processed);
        assert_eq!(fake.client.commit_if_due(fake.now), None);
    }
    fake.client.mark_processed(fake.now, id, 4);
    let op = fake.client.commit_if_due(fake.now).unwrap();
    // One that is under way is the one to wait for.
    fake.client.mark_processed(fake.now, id, 5);
    assert_eq!(fake.client.commit_if_due(fake.now), Some(op));
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 4)]);
    assert_eq!(fake.commit_result(op), Ok(()));
    assert_eq!(fake.client.commit_if_due(fake.now), None);
    fake.client.mark_processed(fake.now, id, 8);
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 8)]);
}

#[test]
fn an_interval_counts_from_the_last_commit() {
    let (mut fake, id) = with_ten(automatic(Some(1_000), None));
    fake.pass(999);
    fake.client.mark_processed(fake.now, id, 3);
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    fake.pass(1);
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 3)]);
    fake.client.mark_processed(fake.now, id, 4);
    fake.pass(999);
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    fake.pass(1);
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 4)]);
    fake.pass(5_000);
    assert!(fake.take::<OffsetCommitRequest>().is_none());
}

#[test]
fn what_is_not_committed_stays_to_be_committed() {
    let (mut fake, id) = with_ten(automatic(Some(1_000), None));
    fake.client.mark_processed(fake.now, id, 3);
    fake.pass(1_000);
    fake.let_commit(ErrorCode::GROUP_AUTHORIZATION_FAILED);
    assert_eq!(fake.client.uncommitted(), [(tp(0), 3)]);
    fake.pass(1_000);
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 3)]);
}

#[test]
fn switched_off_means_not_even_at_the_end() {
    let (mut fake, id) = with_ten(ConsumerConfig {
        auto_commit: AutoCommit {
            enabled: false,
            interval_ms: Some(10),
            threshold: Some(1),
        },
        ..config()
    });
    fake.client.complete(fake.now, id);
    fake.pass(100);
    fake.client.stop(fake.now);
    fake.settle();
    assert!(fake.take::<OffsetCommitRequest>().is_none());
}

#[test]
fn a_moved_coordinator_gets_the_commit() {
    let mut fake = consuming(config(), &[0]);
    let op = fake.client.commit(fake.now, vec![offset(0, 5)]);
    fake.brokers = vec![0, 1];
    fake.coordinator = Some(1);
    fake.let_commit(ErrorCode::NOT_COORDINATOR);
    fake.pass(300);
    let (seen, _) = fake.expect::<OffsetCommitRequest>();
    assert_eq!(seen.port, 9093);
    fake.answer(&seen, &OffsetCommitResponse::default());
    assert_eq!(fake.commit_result(op), Ok(()));
}

#[test]
fn a_lost_generation_is_noticed_by_a_commit_too() {
    let mut fake = consuming(config(), &[0]);
    let op = fake.client.commit(fake.now, vec![offset(0, 5)]);
    fake.let_commit(ErrorCode::ILLEGAL_GENERATION);
    let events = fake.notable();
    assert!(
        matches!(&events[0], ConsumerEvent::Committed { op: of, result: Err(_), .. } if *of == op)
    );
    assert!(matches!(&events[1], ConsumerEvent::Lost { .. }));
    assert_eq!(fake.let_join(2).member_id, "m");
}

/// Even if the partition comes back, and even if the generation has the same number: others may
/// have had it meanwhile, and committed beyond.
#[test]
fn what_was_asked_for_before_the_partitions_were_lost_is_never_committed() {
    let mut fake = consuming(config(), &[0]);
    let ops: Vec<_> = (5..8)
        .map(|next| fake.client.commit(fake.now, vec![offset(0, next)]))
        .collect();
    fake.let_commit(ErrorCode::UNKNOWN_MEMBER_ID);
    fake.let_join(1);
    fake.let_sync(&[0]);
    fake.settle();
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    let events = fake.events();
    for op in ops {
        let failed = |event: &ConsumerEvent| matches!(event, ConsumerEvent::Committed { op: of, result: Err(_), .. } if *of == op);
        assert!(events.iter().any(failed), "{op:?}: {events:?}");
    }
}

/// Nor what waited to be repeated while another member had the partition.
#[test]
fn what_another_member_had_meanwhile_is_not_committed_when_it_comes_back() {
    let mut config = config();
    config.retry.initial_retry_time_ms = 200_000;
    config.retry.max_retry_time_ms = 200_000;
    let mut fake = consuming(config, &[0]);
    let op = fake.client.commit(fake.now, vec![offset(0, 5)]);
    fake.let_commit(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    for (generation, partition) in [(2, 1), (3, 0)] {
        fake.pass(3_000);
        fake.beat(ErrorCode::REBALANCE_IN_PROGRESS);
        while fake.client.state() == ConsumerState::Revoking {
            fake.pass(1_000);
            while let Some((seen, _)) = fake.take::<HeartbeatRequest>() {
                fake.answer(&seen, &HeartbeatResponse::default());
            }
        }
        fake.let_join(generation);
        fake.let_sync(&[partition]);
        fake.committed(&[0; 8]);
    }
    for _ in 0..250 {
        fake.pass(1_000);
        while let Some((seen, _)) = fake.take::<HeartbeatRequest>() {
            fake.answer(&seen, &HeartbeatResponse::default());
        }
    }
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    assert!(fake.commit_result(op).is_err());
}

#[test]
fn without_membership_there_is_nothing_to_commit_with() {
    let mut fake = fake(config(), 1);
    let op = fake.client.commit(fake.now, vec![offset(0, 5)]);
    assert!(fake.commit_result(op).is_err());
}

#[test]
fn a_lost_connection_is_no_reason_to_give_up() {
    let mut fake = consuming(config(), &[0]);
    let op = fake.client.commit(fake.now, vec![offset(0, 5)]);
    let (seen, _) = fake.expect::<OffsetCommitRequest>();
    fake.cut(seen.conn);
    fake.pass(300);
    fake.let_commit(ErrorCode::NONE);
    assert_eq!(fake.commit_result(op), Ok(()));
}
