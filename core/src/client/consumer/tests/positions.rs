//! Where a consumer starts, and where it is sent.

#![allow(clippy::indexing_slicing, reason = "tests")]

use super::*;

fn positioned(events: &[ConsumerEvent]) -> Vec<(i32, i64, Origin)> {
    let positions = events.iter().filter_map(|event| match event {
        ConsumerEvent::Positioned {
            partition,
            offset,
            origin,
        } => Some((partition.partition, *offset, *origin)),
        _ => None,
    });
    positions.collect()
}

#[test]
fn what_is_committed_counts_and_else_the_reset_policy() {
    for (reset, timestamp) in [(OffsetReset::Earliest, -2), (OffsetReset::Latest, -1)] {
        let config = ConsumerConfig {
            offset_reset: reset,
            ..config()
        };
        let mut fake = member(config, &[0, 1]);
        fake.committed(&[7, -1]);
        assert_eq!(fake.list_offsets(33), [(1, timestamp)]);
        let expected = [(0, 7, Origin::Committed), (1, 33, Origin::NothingCommitted)];
        assert_eq!(positioned(&fake.events()), expected);
        let (_, _, asked) = fake.fetch();
        assert_eq!(asked, [(0, 7)]);
        let (_, _, asked) = fake.fetch();
        assert_eq!(asked, [(1, 33)]);
        assert!(fake.take::<OffsetCommitRequest>().is_none());
        assert_eq!(fake.client.partition(&tp(0)).unwrap().committed, Some(7));
    }
}

#[test]
fn a_topic_may_have_a_reset_policy_of_its_own() {
    let mut fake = fake(config(), 1);
    let topic = TopicSubscription {
        topic: "t".to_owned(),
        reset: Some(OffsetReset::Latest),
    };
    fake.client.subscribe(fake.now, &[topic]);
    fake.settle();
    fake.client.start(fake.now);
    fake.let_join(1);
    fake.let_sync(&[0]);
    // Offsets below zero stand for places in KafkaJS; they count as none.
    fake.committed(&[-2]);
    assert_eq!(fake.list_offsets(5), [(0, -1)]);
}

#[test]
fn without_a_policy_nothing_is_fetched_until_the_host_seeks() {
    let config = ConsumerConfig {
        offset_reset: OffsetReset::None,
        ..config()
    };
    let mut fake = member(config, &[0]);
    fake.committed(&[-1]);
    let events = fake.events();
    let missing = ConsumerEvent::NoPosition { partition: tp(0) };
    assert!(events.contains(&missing), "{events:?}");
    assert_eq!(fake.waiting(), 0);
    fake.client.seek(fake.now, &tp(0), SeekTo::Beginning);
    assert_eq!(fake.list_offsets(4), [(0, -2)]);
    assert_eq!(fake.fetch().2, [(0, 4)]);
}

#[test]
fn the_starting_position_is_committed_if_asked_for() {
    let config = ConsumerConfig {
        commit_initial_offset: true,
        ..config()
    };
    let mut fake = member(config, &[0, 1]);
    fake.committed(&[7, -1]);
    fake.list_offsets(0);
    let commit = fake.let_commit(ErrorCode::NONE);
    assert_eq!(commit, (1, "m".to_owned(), vec![(1, 0)]));
    let events = fake.events();
    let cause = events.iter().find_map(|event| match event {
        ConsumerEvent::Committed { cause, .. } => Some(*cause),
        _ => None,
    });
    assert_eq!(cause, Some(CommitCause::Initial));
    assert_eq!(fake.client.partition(&tp(1)).unwrap().committed, Some(0));
}

#[test]
fn a_position_outside_of_the_log_is_reset() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    let refused = PartitionData {
        error_code: ErrorCode::OFFSET_OUT_OF_RANGE,
        ..PartitionData::default()
    };
    fake.fetched(&seen, 7, vec![refused]);
    let events = fake.events();
    let expected = ConsumerEvent::OutOfRange {
        partition: tp(0),
        offset: 0,
    };
    assert!(events.contains(&expected), "{events:?}");
    assert_eq!(fake.list_offsets(12), [(0, -2)]);
    assert_eq!(positioned(&fake.events()), [(0, 12, Origin::OutOfRange)]);
    assert_eq!(fake.fetch().2, [(0, 12)]);
}

#[test]
fn seeks_go_to_places_and_times() {
    for (to, timestamp) in [
        (SeekTo::Beginning, -2),
        (SeekTo::End, -1),
        (SeekTo::Timestamp(1_000), 1_000),
        (SeekTo::Default, -2),
    ] {
        let mut fake = consuming(config(), &[0]);
        fake.client.seek(fake.now, &tp(0), to);
        assert_eq!(fake.list_offsets(42), [(0, timestamp)]);
        assert_eq!(positioned(&fake.events()), [(0, 42, Origin::Seek(to))]);
        // Commits are automatic: the position sought is the one to commit.
        assert_eq!(fake.client.uncommitted(), [(tp(0), 42)]);
    }
}

#[test]
fn a_time_after_the_last_record_is_the_end() {
    let mut fake = consuming(config(), &[0]);
    fake.client.seek(fake.now, &tp(0), SeekTo::Timestamp(9_000));
    assert_eq!(fake.list_offsets(-1), [(0, 9_000)]);
    assert_eq!(fake.list_offsets(5), [(0, -1)]);
    assert_eq!(fake.client.partition(&tp(0)).unwrap().position, Some(5));
}

#[test]
fn the_last_of_two_seeks_wins() {
    let mut fake = consuming(config(), &[0]);
    fake.client.seek(fake.now, &tp(0), SeekTo::End);
    fake.client.seek(fake.now, &tp(0), SeekTo::Offset(3));
    fake.list_offsets(50);
    assert_eq!(fake.client.partition(&tp(0)).unwrap().position, Some(3));
}

#[test]
fn a_seek_before_the_assignment_is_kept_for_it() {
    let mut fake = started(config(), 2);
    assert!(fake.client.seek(fake.now, &tp(0), SeekTo::Offset(3)));
    assert!(fake.client.seek(fake.now, &tp(5), SeekTo::Offset(3)));
    fake.let_join(1);
    fake.let_sync(&[0, 1]);
    fake.committed(&[9, 0]);
    assert_eq!(fake.client.partition(&tp(0)).unwrap().position, Some(3));
    assert_eq!(fake.client.partition(&tp(1)).unwrap().position, Some(0));
    assert!(!fake.client.seek(fake.now, &tp(5), SeekTo::Offset(3)));
}

#[test]
fn open_transactions_on_offsets_are_waited_for() {
    let mut fake = member(config(), &[0]);
    let (seen, request) = fake.expect::<OffsetFetchRequest>();
    assert!(request.require_stable);
    let unstable = OffsetFetchResponsePartitions {
        error_code: ErrorCode::UNSTABLE_OFFSET_COMMIT,
        ..OffsetFetchResponsePartitions::default()
    };
    let topic = OffsetFetchResponseTopics {
        topic_id: fake.topics["t"].id,
        partitions: vec![unstable],
        ..OffsetFetchResponseTopics::default()
    };
    let response = OffsetFetchResponse {
        groups: vec![OffsetFetchResponseGroup {
            topics: vec![topic],
            ..OffsetFetchResponseGroup::default()
        }],
        ..OffsetFetchResponse::default()
    };
    fake.answer(&seen, &response);
    assert_eq!(fake.waiting(), 0);
    fake.pass(300);
    fake.committed(&[4]);
    assert_eq!(fake.client.partition(&tp(0)).unwrap().position, Some(4));
}

#[test]
fn a_partition_without_leader_is_waited_for() {
    let mut fake = member(config(), &[0]);
    fake.topics.get_mut("t").unwrap().partitions = vec![(-1, 0)];
    fake.client.cluster_mut().refresh_metadata(Now::default());
    fake.committed(&[0]);
    assert!(fake.take::<FetchRequest>().is_none());
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 1)];
    fake.pass(1_000);
    assert_eq!(fake.fetch().2, [(0, 0)]);
}

#[test]
fn partitions_assigned_by_hand_need_no_group() {
    let config = ConsumerConfig {
        group_id: None,
        ..config()
    };
    let mut fake = fake(config, 2);
    let refused = fake.client.start(fake.now);
    fake.client.assign(fake.now, &[tp(1)]);
    fake.settle();
    let start = fake.client.start(fake.now);
    let events = fake.notable();
    assert!(matches!(&events[0], ConsumerEvent::Done { op, result: Err(_) } if *op == refused));
    assert_eq!(
        events.last(),
        Some(&ConsumerEvent::Done {
            op: start,
            result: Ok(())
        })
    );
    assert_eq!(fake.list_offsets(2), [(1, -2)]);
    assert_eq!(fake.fetch().2, [(1, 2)]);
    assert_eq!(fake.client.state(), ConsumerState::ByHand);
    let offset = OffsetToCommit {
        partition: tp(1),
        offset: 1,
        metadata: None,
    };
    fake.client.commit(fake.now, vec![offset]);
    let events = fake.notable();
    let Some(ConsumerEvent::Committed {
        result: Err(error), ..
    }) = events.last()
    else {
        panic!("{events:?}")
    };
    assert_eq!(error.error_code(), Some(ErrorCode::INVALID_GROUP_ID));
    fake.client.assign(fake.now, &[tp(0)]);
    assert_eq!(fake.list_offsets(0), [(0, -2)]);
    assert_eq!(fake.client.assignment_now(), [tp(0)]);
}

#[test]
fn partitions_assigned_by_hand_may_use_a_groups_offsets() {
    let mut fake = fake(config(), 1);
    fake.client.assign(fake.now, &[tp(0)]);
    fake.settle();
    fake.client.start(fake.now);
    fake.committed(&[3]);
    let (seen, _, asked) = fake.fetch();
    assert_eq!(asked, [(0, 3)]);
    fake.records(&seen, 0, &[(0, batch(3, &["d"]))]);
    let held = fake.poll().unwrap();
    fake.client.complete(fake.now, held.id);
    fake.client.stop(fake.now);
    assert_eq!(
        fake.let_commit(ErrorCode::NONE),
        (-1, String::new(), vec![(0, 4)])
    );
    assert_eq!(fake.client.state(), ConsumerState::Idle);
    // What was assigned stays for the next start.
    fake.client.start(fake.now);
    fake.committed(&[4]);
    assert_eq!(fake.client.partition(&tp(0)).unwrap().position, Some(4));
}
