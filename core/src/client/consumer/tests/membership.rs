//! Joining, staying in and leaving a group.

#![allow(clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::client::ErrorKind;
use crate::protocol::messages::{
    FindCoordinatorRequest, FindCoordinatorResponse, LeaveGroupRequest, LeaveGroupResponse,
};

#[test]
fn the_configuration_is_checked() {
    let fails = |config: ConsumerConfig| Consumer::new(config, [0; 32]).is_err();
    assert!(fails(ConsumerConfig {
        group_id: Some(String::new()),
        ..config()
    }));
    assert!(fails(ConsumerConfig {
        heartbeat_interval_ms: 30_000,
        ..config()
    }));
    assert!(fails(ConsumerConfig {
        assignors: Vec::new(),
        ..config()
    }));
}

#[test]
fn joining_takes_two_steps_and_ends_with_the_assignment() {
    let mut fake = fake(config(), 2);
    let subscribed = fake
        .client
        .subscribe(fake.now, &[TopicSubscription::new("t")]);
    fake.settle();
    let done = |op| ConsumerEvent::Done { op, result: Ok(()) };
    assert_eq!(fake.events(), [done(subscribed)]);
    let start = fake.client.start(fake.now);
    let (seen, first) = fake.expect::<JoinGroupRequest>();
    assert_eq!(first.member_id, "");
    assert_eq!(first.session_timeout_ms, 30_000);
    assert_eq!(first.rebalance_timeout_ms, 60_000);
    assert_eq!(first.protocols.len(), 1);
    let response = JoinGroupResponse {
        error_code: ErrorCode::MEMBER_ID_REQUIRED,
        member_id: "m".to_owned(),
        ..JoinGroupResponse::default()
    };
    fake.answer(&seen, &response);
    fake.pass(250);
    let second = fake.let_join(3);
    assert_eq!(second.member_id, "m");
    let sync = fake.let_sync(&[1]);
    assert_eq!((sync.generation_id, sync.member_id.as_str()), (3, "m"));
    assert_eq!(sync.assignments, []);
    let events = fake.notable();
    let joined = GroupJoin {
        generation: 3,
        member_id: "m".to_owned(),
        leader_id: "leader".to_owned(),
        is_leader: false,
        protocol: "range".to_owned(),
        assignment: vec![tp(1)],
        duration_ms: 250,
    };
    let partitions = vec![tp(1)];
    let expected = [
        ConsumerEvent::Joined(joined),
        ConsumerEvent::Assigned { partitions },
        done(start),
    ];
    assert_eq!(events, expected);
    assert_eq!(fake.client.state(), ConsumerState::Stable);
}

#[test]
fn the_leader_shares_out_what_everybody_wants() {
    let mut fake = started(config(), 3);
    fake.topics.insert(
        "u".to_owned(),
        crate::client::fake::FakeTopic {
            id: crate::types::Uuid([9; 16]),
            partitions: vec![(0, 0)],
            error: ErrorCode::NONE,
        },
    );
    let other = assignor::Subscription {
        topics: vec!["t".to_owned(), "u".to_owned()],
        generation_id: -1,
        ..assignor::Subscription::default()
    };
    let other = assignor::encode_subscription(Assignor::Range, &other).unwrap();
    fake.let_lead(1, &[("n", other)]);
    // Of "u" nothing was known before.
    let sync = fake.let_sync(&[0, 1]);
    let shares: Vec<_> = sync
        .assignments
        .iter()
        .map(|it| {
            let (share, _) = assignor::decode_assignment(it.assignment.clone()).unwrap();
            let share: Vec<String> = share.iter().map(ToString::to_string).collect();
            (it.member_id.as_str(), share.join(" "))
        })
        .collect();
    let expected = [("m", "t-0 t-1".to_owned()), ("n", "t-2 u-0".to_owned())];
    assert_eq!(shares, expected);
    assert!(fake.client.is_leader());
}

#[test]
fn heartbeats_go_by_the_coordinators_own_connection() {
    let mut fake = consuming(config(), &[0]);
    let (fetch, _, _) = fake.fetch();
    fake.pass(2_999);
    assert!(fake.take::<HeartbeatRequest>().is_none());
    fake.pass(1);
    let (seen, request) = fake.expect::<HeartbeatRequest>();
    assert_ne!(seen.conn, fetch.conn);
    assert_eq!(request.generation_id, 1);
    fake.answer(&seen, &HeartbeatResponse::default());
    let beat = ConsumerEvent::Heartbeat {
        member_id: "m".to_owned(),
        generation: 1,
    };
    assert_eq!(fake.events(), [beat]);
    fake.pass(3_000);
    fake.beat(ErrorCode::NONE);
}

#[test]
fn a_coordinator_that_has_moved_is_found_again_and_nothing_else_changes() {
    let mut fake = consuming(config(), &[0]);
    fake.coordinator = None;
    fake.pass(3_000);
    fake.beat(ErrorCode::NOT_COORDINATOR);
    fake.pass(300);
    let (seen, _) = fake.expect::<FindCoordinatorRequest>();
    fake.brokers = vec![0, 1];
    let found = crate::protocol::messages::find_coordinator::Coordinator {
        key: "g".to_owned(),
        node_id: 1,
        host: "broker".to_owned(),
        port: 9093,
        ..Default::default()
    };
    let response = FindCoordinatorResponse {
        coordinators: vec![found],
        ..FindCoordinatorResponse::default()
    };
    fake.answer(&seen, &response);
    let (seen, request) = fake.expect::<HeartbeatRequest>();
    assert_eq!((seen.port, request.generation_id), (9093, 1));
    assert_eq!(fake.notable(), []);
    assert_eq!(fake.client.state(), ConsumerState::Stable);
}

#[test]
fn an_unknown_member_loses_everything_and_joins_without_its_id() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a"]))]);
    let held = fake.poll().unwrap();
    assert!(fake.client.mark_processed(fake.now, held.id, 1));
    fake.events();
    fake.pass(3_000);
    fake.beat(ErrorCode::UNKNOWN_MEMBER_ID);
    let partitions = vec![tp(0)];
    let rebalancing = ConsumerEvent::Rebalancing {
        reason: Rebalance::UnknownMember,
        member_id: String::new(),
    };
    let expected = [ConsumerEvent::Lost { partitions }, rebalancing];
    assert_eq!(fake.notable(), expected);
    assert!(fake.client.is_stale(held.id));
    assert!(!fake.client.mark_processed(fake.now, held.id, 1));
    fake.client.complete(fake.now, held.id);
    fake.settle();
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    let request = fake.let_join(2);
    assert_eq!(request.member_id, "");
}

#[test]
fn a_coordinator_that_forgets_the_member_between_its_steps_is_joined_anew() {
    let mut fake = started(config(), 1);
    fake.refuse_join(ErrorCode::MEMBER_ID_REQUIRED);
    fake.refuse_join(ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(fake.let_join(1).member_id, "");
    let (seen, request) = fake.expect::<SyncGroupRequest>();
    assert_eq!(request.member_id, "m");
    let unknown = SyncGroupResponse {
        error_code: ErrorCode::UNKNOWN_MEMBER_ID,
        ..SyncGroupResponse::default()
    };
    fake.answer(&seen, &unknown);
    assert_eq!(fake.let_join(2).member_id, "");
    fake.let_sync(&[0]);
    assert_eq!(fake.client.state(), ConsumerState::Stable);
}

#[test]
fn an_illegal_generation_keeps_the_member_id() {
    let mut fake = consuming(config(), &[0]);
    fake.pass(3_000);
    fake.beat(ErrorCode::ILLEGAL_GENERATION);
    let events = fake.notable();
    assert!(matches!(&events[0], ConsumerEvent::Lost { partitions } if *partitions == [tp(0)]));
    let request = fake.let_join(2);
    assert_eq!(request.member_id, "m");
}

#[test]
fn a_fenced_static_member_crashes_for_good() {
    let config = ConsumerConfig {
        group_instance_id: Some("i".to_owned()),
        ..config()
    };
    let mut fake = consuming(config, &[0]);
    fake.pass(3_000);
    let beat = fake.beat(ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(beat.group_instance_id.as_deref(), Some("i"));
    let events = fake.notable();
    let ConsumerEvent::Crashed { error, restart, .. } = &events[1] else {
        panic!("{events:?}")
    };
    assert_eq!(error.error_code(), Some(ErrorCode::FENCED_INSTANCE_ID));
    assert!(!restart);
    assert_eq!(fake.client.state(), ConsumerState::Crashed);
    fake.client.stop(fake.now);
    fake.settle();
    assert!(fake.take::<LeaveGroupRequest>().is_none());
    assert_eq!(fake.client.state(), ConsumerState::Idle);
}

#[test]
fn joining_is_tried_again_while_the_coordinator_loads() {
    let mut fake = started(config(), 1);
    for wait in [300, 600, 1_200, 2_400, 4_800] {
        fake.refuse_join(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        fake.pass(wait - 1);
        assert_eq!(fake.waiting(), 0);
        fake.pass(1);
    }
    fake.refuse_join(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    let events = fake.notable();
    let Some(ConsumerEvent::Crashed {
        error,
        restart,
        restart_after_ms,
    }) = events.last()
    else {
        panic!("{events:?}")
    };
    assert!(matches!(
        error.kind,
        ErrorKind::NumberOfRetriesExceeded { retry_count: 5, .. }
    ));
    assert!(restart);
    assert_eq!(*restart_after_ms, 9_600);
}

#[test]
fn what_the_coordinator_refuses_for_good_crashes_as_it_is() {
    for code in [
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ErrorCode::INVALID_SESSION_TIMEOUT,
        ErrorCode::GROUP_MAX_SIZE_REACHED,
    ] {
        let mut fake = started(config(), 1);
        fake.events();
        fake.refuse_join(code);
        let events = fake.notable();
        let [
            ConsumerEvent::Done { result: Err(_), .. },
            ConsumerEvent::Crashed { error, restart, .. },
        ] = events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert_eq!(error.name(), "KafkaJSProtocolError");
        assert_eq!(error.error_code(), Some(code));
        assert!(!restart);
    }
}

#[test]
fn stopping_commits_leaves_and_can_be_followed_by_a_start() {
    let mut fake = consuming(config(), &[0]);
    let (fetch, _, _) = fake.fetch();
    fake.records(&fetch, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, held.id, 1);
    fake.events();
    let stop = fake.client.stop(fake.now);
    assert_eq!(fake.client.state(), ConsumerState::Revoking);
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    fake.client.complete(fake.now, held.id);
    assert_eq!(
        fake.let_commit(ErrorCode::NONE),
        (1, "m".to_owned(), vec![(0, 2)])
    );
    let (seen, leave) = fake.expect::<LeaveGroupRequest>();
    assert_eq!(leave.members[0].member_id, "m");
    fake.answer(&seen, &LeaveGroupResponse::default());
    let events = fake.notable();
    assert!(matches!(&events[0], ConsumerEvent::Revoking { .. }));
    assert!(matches!(
        &events[1],
        ConsumerEvent::Committed { result: Ok(()), .. }
    ));
    assert!(matches!(&events[2], ConsumerEvent::Revoked { .. }));
    let result = Ok(());
    assert_eq!(events[3], ConsumerEvent::Done { op: stop, result });
    assert_eq!(fake.client.state(), ConsumerState::Idle);
    assert_eq!(fake.client.poll(fake.now), None);
    fake.client.start(fake.now);
    assert_eq!(fake.let_join(2).member_id, "");
}

#[test]
fn a_static_member_does_not_leave() {
    let config = ConsumerConfig {
        group_instance_id: Some("i".to_owned()),
        ..config()
    };
    let mut fake = consuming(config, &[0]);
    let op = fake.client.disconnect(fake.now);
    let events = fake.notable();
    assert_eq!(
        events.last(),
        Some(&ConsumerEvent::Done { op, result: Ok(()) })
    );
    assert!(fake.open.is_empty());
}

#[test]
fn stopping_while_joining_does_not_wait_for_the_join() {
    let mut fake = started(config(), 1);
    fake.refuse_join(ErrorCode::MEMBER_ID_REQUIRED);
    let (join, request) = fake.expect::<JoinGroupRequest>();
    assert_eq!(request.member_id, "given");
    fake.events();
    fake.client.stop(fake.now);
    let (leave, request) = fake.expect::<LeaveGroupRequest>();
    assert_eq!(request.members[0].member_id, "given");
    assert_ne!(leave.conn, join.conn);
    fake.answer(&leave, &LeaveGroupResponse::default());
    let events = fake.notable();
    assert!(matches!(
        &events[0],
        ConsumerEvent::Done { result: Err(_), .. }
    ));
    assert!(matches!(
        &events[1],
        ConsumerEvent::Done { result: Ok(()), .. }
    ));
}

#[test]
fn an_unknown_topic_fails_the_subscription_but_stays() {
    let mut fake = fake(config(), 1);
    let op = fake
        .client
        .subscribe(fake.now, &[TopicSubscription::new("new")]);
    let events = fake.events();
    let [
        ConsumerEvent::Done {
            op: of,
            result: Err(error),
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(*of, op);
    assert_eq!(error.name(), "KafkaJSProtocolError");
    assert_eq!(
        error.error_code(),
        Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    );
    assert_eq!(fake.client.subscription(), ["new"]);
    assert_eq!(
        fake.asked.last().unwrap(),
        &(Some(vec!["new".to_owned()]), true)
    );
}

#[test]
fn connecting_is_tried_as_often_as_configured() {
    let mut fake = fake(config(), 1);
    fake.refused.insert(9092);
    let op = fake.client.connect(fake.now);
    fake.pass(300 + 600 + 1_200 + 2_400 + 4_800 + 6_000);
    let events = fake.events();
    let [
        ConsumerEvent::Done {
            op: of,
            result: Err(error),
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(*of, op);
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    assert_eq!(
        error.cause.as_ref().unwrap().name(),
        "KafkaJSConnectionError"
    );
    fake.refused.clear();
    let op = fake.client.connect(fake.now);
    fake.pass(2_000);
    assert_eq!(fake.events(), [ConsumerEvent::Done { op, result: Ok(()) }]);
}

#[test]
fn topics_are_listed_without_the_clusters_own() {
    let mut fake = fake(config(), 1);
    let op = fake.client.list_topics(fake.now);
    let names = vec!["t".to_owned()];
    assert_eq!(fake.events(), [ConsumerEvent::Topics { op, names }]);
}

#[test]
fn a_member_that_heard_nothing_for_a_session_delivers_nothing_until_it_does() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a"]))]);
    // The host stood still, so that nothing was sent.
    fake.now.monotonic.0 += 30_000;
    assert!(!fake.client.has_records(fake.now));
    assert!(fake.client.may_have_lost(fake.now));
    assert_eq!(fake.client.poll(fake.now), None);
    fake.pass(0);
    fake.beat(ErrorCode::NONE);
    fake.settle();
    assert!(!fake.client.may_have_lost(fake.now));
    assert!(fake.client.has_records(fake.now));
    assert_eq!(values(&fake.poll().unwrap()), [(0, "a".to_owned())]);
}

#[test]
fn heartbeats_go_on_while_a_stopping_host_ends_what_it_has_in_hand() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    fake.client.stop(fake.now);
    for _ in 0..3 {
        fake.pass(3_000);
        fake.beat(ErrorCode::NONE);
    }
    // The group may rebalance meanwhile; the member leaves it anyway.
    fake.pass(3_000);
    fake.beat(ErrorCode::REBALANCE_IN_PROGRESS);
    fake.client.note_processed(held.id, 1);
    fake.client.release(fake.now, held.id);
    fake.settle();
    let (_, _, offsets) = fake.let_commit(ErrorCode::NONE);
    assert_eq!(offsets, [(0, 1)]);
    fake.expect::<LeaveGroupRequest>();
}

#[test]
fn a_stopping_member_that_was_thrown_out_commits_nothing() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    let op = fake.client.stop(fake.now);
    fake.pass(3_000);
    fake.beat(ErrorCode::UNKNOWN_MEMBER_ID);
    assert!(!fake.client.note_processed(held.id, 1));
    fake.client.release(fake.now, held.id);
    let done = ConsumerEvent::Done { op, result: Ok(()) };
    assert!(fake.events().contains(&done));
    assert!(fake.take::<OffsetCommitRequest>().is_none());
}
