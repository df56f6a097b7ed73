//! What happens to partitions when the group changes.

#![allow(clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::client::fake::FakeTopic;
use crate::protocol::messages::LeaveGroupRequest;
use crate::types::Uuid;

/// The member hears that its group rebalances.
fn disturbed(fake: &mut Fake<Consumer>) {
    fake.pass(3_000);
    fake.beat(ErrorCode::REBALANCE_IN_PROGRESS);
}

fn names(events: &[ConsumerEvent]) -> Vec<&'static str> {
    let named = events.iter().map(|event| match event {
        ConsumerEvent::Rebalancing { .. } => "rebalancing",
        ConsumerEvent::Revoking { .. } => "revoking",
        ConsumerEvent::Committed { .. } => "committed",
        ConsumerEvent::Revoked { .. } => "revoked",
        ConsumerEvent::Joined(_) => "joined",
        ConsumerEvent::Assigned { .. } => "assigned",
        ConsumerEvent::Lost { .. } => "lost",
        _ => "other",
    });
    named.collect()
}

#[test]
fn an_eager_member_gives_up_everything_in_order() {
    let mut fake = consuming(config(), &[0, 1]);
    let (seen, _, _) = fake.fetch();
    let records = [(0, batch(0, &["a", "b"])), (1, batch(0, &["x"]))];
    fake.records(&seen, 0, &records);
    let first = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, first.id, 1);
    disturbed(&mut fake);
    assert!(fake.client.is_rebalancing());
    let events = fake.notable();
    assert_eq!(names(&events), ["rebalancing", "revoking"]);
    // Nothing more is delivered; the batch in hand still counts.
    assert_eq!(fake.poll(), None);
    assert!(!fake.client.is_stale(first.id));
    assert!(fake.take::<JoinGroupRequest>().is_none());
    assert!(fake.client.mark_processed(fake.now, first.id, 2));
    fake.client.complete(fake.now, first.id);
    assert!(fake.take::<JoinGroupRequest>().is_none());
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 2)]);
    assert_eq!(names(&fake.notable()), ["committed", "revoked"]);
    assert!(fake.client.assignment_now().is_empty());
    let join = fake.let_join(2);
    let subscription =
        assignor::decode_subscription(join.protocols[0].metadata.clone(), None).unwrap();
    assert!(subscription.owned_partitions.is_empty());
    fake.let_sync(&[1]);
    assert_eq!(names(&fake.notable()), ["joined", "assigned"]);
    // What was fetched in the generation before is gone, and asked for anew.
    assert_eq!(fake.poll(), None);
    fake.committed(&[2, 0]);
    assert!(!fake.client.is_rebalancing());
}

#[test]
fn a_host_that_is_slow_is_waited_for_up_to_a_limit() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, held.id, 1);
    disturbed(&mut fake);
    for _ in 0..14 {
        fake.pass(3_000);
        fake.beat(ErrorCode::REBALANCE_IN_PROGRESS);
    }
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    fake.pass(3_000);
    // Time is up: the commit and the join go out one behind the other.
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 1)]);
    assert!(fake.client.is_stale(held.id));
    assert!(!fake.client.mark_processed(fake.now, held.id, 2));
    fake.client.complete(fake.now, held.id);
    fake.let_join(2);
}

#[test]
fn a_host_may_say_that_it_is_done() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, held.id, 1);
    disturbed(&mut fake);
    fake.client.revoked(fake.now);
    assert_eq!(fake.let_commit(ErrorCode::NONE).2, [(0, 1)]);
    fake.let_join(2);
}

#[test]
fn a_cooperative_member_keeps_fetching_and_gives_up_only_what_has_left() {
    let mut fake = consuming(cooperative(), &[0, 1]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(1, batch(0, &["x", "y"]))]);
    let held = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, held.id, 1);
    disturbed(&mut fake);
    assert_eq!(names(&fake.notable()), ["rebalancing"]);
    let (join, request) = fake.expect::<JoinGroupRequest>();
    let metadata = request.protocols[0].metadata.clone();
    let subscription = assignor::decode_subscription(metadata, None).unwrap();
    assert_eq!(subscription.owned_partitions, [tp(0), tp(1)]);
    assert_eq!(subscription.generation_id, 1);
    // While the others are waited for, records go on.
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a"]))]);
    let other = fake.poll().unwrap();
    assert_eq!(other.partition, 0);
    let response = JoinGroupResponse {
        generation_id: 2,
        protocol_name: Some("cooperative-sticky".to_owned()),
        leader: "leader".to_owned(),
        member_id: "m".to_owned(),
        ..JoinGroupResponse::default()
    };
    fake.answer(&join, &response);
    fake.let_sync(&[0]);
    let events = fake.notable();
    assert_eq!(
        names(&events),
        ["joined", "assigned", "rebalancing", "revoking"]
    );
    let ConsumerEvent::Revoking { partitions, .. } = &events[3] else {
        panic!("{events:?}")
    };
    assert_eq!(*partitions, [tp(1)]);
    fake.client.mark_processed(fake.now, held.id, 2);
    assert!(fake.take::<JoinGroupRequest>().is_none());
    fake.client.complete(fake.now, held.id);
    // What has left is committed in the new generation; what stays is not touched.
    let commit = fake.let_commit(ErrorCode::NONE);
    assert_eq!(commit, (2, "m".to_owned(), vec![(1, 2)]));
    assert!(!fake.client.is_stale(other.id));
    fake.client.complete(fake.now, other.id);
    assert_eq!(fake.client.assignment_now(), [tp(0)]);
    let (_, request) = fake.expect::<JoinGroupRequest>();
    let metadata = request.protocols[0].metadata.clone();
    let subscription = assignor::decode_subscription(metadata, None).unwrap();
    assert_eq!(subscription.owned_partitions, [tp(0)]);
    assert_eq!(subscription.generation_id, 2);
}

/// A member says at its join what it keeps, and then hears that it has lost it: the leader gives that
/// to nobody before this member lets go of it, by joining once more.
#[test]
fn what_was_claimed_at_a_join_and_lost_meanwhile_is_given_up_by_joining_again() {
    let mut fake = consuming(cooperative(), &[0, 1]);
    fake.pass(3_000);
    fake.client
        .subscribe(fake.now, &[TopicSubscription::new("u")]);
    let (join, _) = fake.expect::<JoinGroupRequest>();
    fake.beat(ErrorCode::ILLEGAL_GENERATION);
    assert!(fake.client.assignment_now().is_empty());
    let response = JoinGroupResponse {
        generation_id: 2,
        protocol_name: Some("cooperative-sticky".to_owned()),
        leader: "leader".to_owned(),
        member_id: "m".to_owned(),
        ..JoinGroupResponse::default()
    };
    fake.answer(&join, &response);
    fake.let_sync(&[0]);
    let (_, request) = fake.expect::<JoinGroupRequest>();
    let metadata = request.protocols[0].metadata.clone();
    let subscription = assignor::decode_subscription(metadata, None).unwrap();
    assert_eq!(subscription.owned_partitions, [tp(0)]);
}

#[test]
fn a_commit_asked_for_during_a_join_waits_and_counts_only_if_everything_stays() {
    let mut fake = consuming(config(), &[0, 1]);
    disturbed(&mut fake);
    let offset = |partition| OffsetToCommit {
        partition: tp(partition),
        offset: 5,
        metadata: None,
    };
    let kept = fake.client.commit(fake.now, vec![offset(0)]);
    let left = fake.client.commit(fake.now, vec![offset(0), offset(1)]);
    fake.settle();
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    fake.let_join(2);
    fake.let_sync(&[0]);
    fake.committed(&[0]);
    assert_eq!(
        fake.let_commit(ErrorCode::NONE),
        (2, "m".to_owned(), vec![(0, 5)])
    );
    let results = fake.events().into_iter().filter_map(|event| match event {
        ConsumerEvent::Committed { op, result, .. } => Some((op, result)),
        _ => None,
    });
    let results: Vec<_> = results.collect();
    assert_eq!(results[0], (kept, Ok(())));
    let (op, result) = &results[1];
    assert_eq!(*op, left);
    let error = result.clone().unwrap_err();
    assert_eq!(error.error_code(), Some(ErrorCode::ILLEGAL_GENERATION));
}

#[test]
fn what_is_being_given_up_can_still_be_committed() {
    let mut fake = consuming(cooperative(), &[0, 1]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(1, batch(0, &["x"]))]);
    let held = fake.poll().unwrap();
    disturbed(&mut fake);
    fake.let_join(2);
    fake.let_sync(&[0]);
    let offset = OffsetToCommit {
        partition: tp(1),
        offset: 1,
        metadata: None,
    };
    fake.client.commit(fake.now, vec![offset]);
    assert_eq!(
        fake.let_commit(ErrorCode::NONE),
        (2, "m".to_owned(), vec![(1, 1)])
    );
    // Complete says the same again, which needs no second commit.
    fake.client.complete(fake.now, held.id);
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    fake.let_join(3);
}

#[test]
fn a_rebalance_during_the_sync_joins_again_at_once() {
    let mut fake = started(config(), 1);
    fake.let_join(1);
    let (seen, _) = fake.expect::<SyncGroupRequest>();
    let again = SyncGroupResponse {
        error_code: ErrorCode::REBALANCE_IN_PROGRESS,
        ..SyncGroupResponse::default()
    };
    fake.answer(&seen, &again);
    assert_eq!(fake.let_join(2).member_id, "m");
    fake.let_sync(&[0]);
    assert_eq!(fake.client.generation(), 2);
}

#[test]
fn another_subscription_is_joined_with() {
    let mut fake = consuming(cooperative(), &[0]);
    let other = FakeTopic {
        id: Uuid([9; 16]),
        partitions: vec![(0, 0)],
        error: ErrorCode::NONE,
    };
    fake.topics.insert("u".to_owned(), other);
    fake.client
        .subscribe(fake.now, &[TopicSubscription::new("u")]);
    let request = fake.let_join(2);
    let metadata = request.protocols[0].metadata.clone();
    let subscription = assignor::decode_subscription(metadata, None).unwrap();
    assert_eq!(subscription.topics, ["t", "u"]);
    fake.let_sync(&[0]);
    fake.client.unsubscribe(fake.now);
    fake.settle();
    // Nothing is wanted any more, so it is given up before.
    assert!(fake.client.assignment_now().is_empty());
    let request = fake.let_join(3);
    let metadata = request.protocols[0].metadata.clone();
    let subscription = assignor::decode_subscription(metadata, None).unwrap();
    assert!(subscription.topics.is_empty());
}

#[test]
fn a_leader_notices_a_topic_that_grows() {
    let mut fake = started(config(), 1);
    fake.let_lead(1, &[]);
    fake.let_sync(&[0]);
    fake.committed(&[0]);
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 0), (0, 0)];
    fake.client.cluster_mut().refresh_metadata(fake.now);
    let events = fake.notable();
    let reason = events.iter().find_map(|event| match event {
        ConsumerEvent::Rebalancing { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(reason, Some(Rebalance::TopicsChanged));
    fake.let_lead(2, &[]);
    let sync = fake.let_sync(&[0, 1]);
    let share = sync.assignments[0].assignment.clone();
    let (share, _) = assignor::decode_assignment(share).unwrap();
    assert_eq!(share, [tp(0), tp(1)]);
}

#[test]
fn a_follower_leaves_growing_topics_to_the_leader() {
    let mut fake = consuming(config(), &[0]);
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 0), (0, 0)];
    fake.client.cluster_mut().refresh_metadata(fake.now);
    fake.settle();
    assert!(fake.take::<JoinGroupRequest>().is_none());
}

#[test]
fn topics_that_match_are_joined_as_they_come() {
    let mut fake = fake(config(), 1);
    let rule = Box::new(|name: &str| name.starts_with('t'));
    fake.client.subscribe_matching(fake.now, rule, None);
    fake.settle();
    assert_eq!(fake.client.subscription(), ["t"]);
    fake.client.start(fake.now);
    fake.let_join(1);
    fake.let_sync(&[0]);
    let topic = |id| FakeTopic {
        id: Uuid([id; 16]),
        partitions: vec![(0, 0)],
        error: ErrorCode::NONE,
    };
    fake.topics.insert("t2".to_owned(), topic(8));
    fake.topics.insert("other".to_owned(), topic(9));
    fake.client.cluster_mut().refresh_metadata(fake.now);
    fake.settle();
    let request = fake.let_join(2);
    let metadata = request.protocols[0].metadata.clone();
    let subscription = assignor::decode_subscription(metadata, None).unwrap();
    assert_eq!(subscription.topics, ["t", "t2"]);
}

#[test]
fn what_was_not_asked_for_is_left_out() {
    let mut fake = started(config(), 1);
    fake.events();
    fake.let_join(1);
    let (seen, _) = fake.expect::<SyncGroupRequest>();
    let assignment = [tp(0), TopicPartition::new("u", 0)];
    let response = SyncGroupResponse {
        assignment: assignor::encode_assignment(Assignor::Range, &assignment).unwrap(),
        ..SyncGroupResponse::default()
    };
    fake.answer(&seen, &response);
    let events = fake.notable();
    let expected = ConsumerEvent::UnsubscribedTopics {
        generation: 1,
        member_id: "m".to_owned(),
        assigned: vec!["t".to_owned(), "u".to_owned()],
        subscribed: vec!["t".to_owned()],
        not_subscribed: vec!["u".to_owned()],
    };
    assert_eq!(events[0], expected);
    assert_eq!(fake.client.assignment_now(), [tp(0)]);
}

#[test]
fn the_hosts_assignors_are_asked_before_joining_and_when_leading() {
    let config = ConsumerConfig {
        assignors: vec![
            GroupAssignor::Custom("mine".to_owned()),
            GroupAssignor::BuiltIn(Assignor::Range),
        ],
        ..config()
    };
    let mut fake = started(config, 1);
    let events = fake.notable();
    let needed = ConsumerEvent::ProtocolsNeeded {
        names: vec!["mine".to_owned()],
        topics: vec!["t".to_owned()],
    };
    assert_eq!(events.last(), Some(&needed));
    let subscription = assignor::Subscription {
        topics: vec!["t".to_owned()],
        ..assignor::Subscription::default()
    };
    let metadata = assignor::encode_subscription(Assignor::Range, &subscription).unwrap();
    let protocols = SortedMap::from([("mine".to_owned(), metadata.clone())]);
    fake.client.protocols(fake.now, protocols);
    let request = fake.let_lead(1, &[]);
    assert_eq!(request.protocols[0].metadata, metadata);
    assert_eq!(request.protocols[1].name, "range");
    let events = fake.notable();
    let needed = ConsumerEvent::AssignmentNeeded {
        generation: 1,
        protocol: "mine".to_owned(),
        members: vec![("m".to_owned(), metadata)],
        topics: vec!["t".to_owned()],
    };
    assert_eq!(events, [needed]);
    assert_eq!(fake.client.state(), ConsumerState::Assigning);
    // The host may take its time.
    fake.pass(3_000);
    fake.beat(ErrorCode::NONE);
    let share = Bytes::from_static(b"anything");
    let shares = vec![("m".to_owned(), share.clone())];
    fake.client.assignment(fake.now, 7, Ok(Vec::new()));
    assert!(fake.take::<SyncGroupRequest>().is_none());
    fake.client.assignment(fake.now, 1, Ok(shares));
    let sync = fake.let_sync(&[0]);
    assert_eq!(sync.assignments[0].assignment, share);
    assert_eq!(sync.protocol_name.as_deref(), Some("mine"));
}

#[test]
fn an_assignor_of_the_host_that_fails_crashes_the_consumer() {
    let config = ConsumerConfig {
        assignors: vec![GroupAssignor::Custom("mine".to_owned())],
        ..config()
    };
    let mut fake = started(config, 1);
    fake.client.protocols(fake.now, SortedMap::new());
    fake.let_lead(1, &[]);
    let error = ClientError::non_retriable("cannot");
    fake.client.assignment(fake.now, 1, Err(error.clone()));
    assert_eq!(fake.crash(), Some(error));
    fake.client.stop(fake.now);
    assert!(fake.take::<LeaveGroupRequest>().is_some());
}

#[test]
fn a_member_lost_while_it_gives_up_partitions_commits_nothing() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a"]))]);
    let held = fake.poll().unwrap();
    fake.client.mark_processed(fake.now, held.id, 1);
    disturbed(&mut fake);
    fake.pass(3_000);
    fake.beat(ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(fake.let_join(5).member_id, "");
    assert!(fake.take::<OffsetCommitRequest>().is_none());
    let events = names(&fake.notable());
    assert_eq!(events, ["rebalancing", "revoking", "lost", "rebalancing"]);
}
