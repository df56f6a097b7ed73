//! Joining, syncing, beating and leaving through the wire.

use super::*;

/// A whole life of a group of two: the classic protocol from KIP-62 on.
#[test]
fn two_consumers_share_a_topic_and_one_takes_over() {
    let mut world = World::new();
    let ids = world.a_group("g", 2);
    assert!(
        ids.iter()
            .all(|id| id.starts_with("harness-") && id.len() == "harness-".len() + 36)
    );
    assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    let describe = DescribeGroupsRequest {
        groups: vec!["g".into()],
        ..Default::default()
    };
    let group = world.ask(&describe).groups.remove(0);
    assert_eq!(
        (group.group_state.as_str(), group.protocol_data.as_str()),
        ("Stable", "range")
    );
    let assigned: Vec<_> = group
        .members
        .iter()
        .map(|member| {
            (
                member.client_host.as_str(),
                member.member_assignment.clone(),
            )
        })
        .collect();
    assert!(assigned.contains(&("/client.test", assignment_of("orders", 0))));
    assert!(assigned.contains(&("/client.test", assignment_of("orders", 1))));
    // The second falls silent; the first goes on.
    world.pass(6_000);
    assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    world.pass(4_001);
    assert_eq!(
        world.heartbeat("g", &ids[0], 1),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    assert_eq!(
        world.heartbeat("g", &ids[1], 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    let (generation, leader) = world.rejoin("g", &ids[..1]);
    assert_eq!((generation, &leader), (2, &ids[0]));
    world.sync_all("g", &ids[..1], 2);
    assert_eq!(world.state_of("g"), "Stable");
}

/// `JoinGroupRequest.requiresKnownMemberId`: from version 4 on.
#[test]
fn older_members_join_at_once() {
    let mut world = World::new();
    let join = world.a_join("g", "");
    let sent = world.send_in(3, &join);
    assert_eq!(world.answer(sent), None);
    world.pass(0);
    let answer = world.answer(sent).unwrap();
    assert_eq!(
        (answer.error_code, answer.generation_id),
        (ErrorCode::NONE, 1)
    );
    assert_eq!(answer.leader, answer.member_id);
}

/// KIP-559: null from version 7 on, empty before.
#[test]
fn no_protocol_is_null_or_empty_as_the_version_has_it() {
    let mut world = World::new();
    let mut join = world.a_join("", "");
    join.rebalance_timeout_ms = -1;
    for (version, none) in [(6, Some(String::new())), (7, None)] {
        let answer = world.ask_in(version, &join);
        assert_eq!(answer.error_code, ErrorCode::INVALID_GROUP_ID);
        assert_eq!(answer.protocol_name, none);
    }
}

/// `classicGroupJoinToClassicGroup`: a member id does not make a group.
#[test]
fn a_member_of_a_group_that_is_not_there_is_unknown() {
    let mut world = World::new();
    let join = world.a_join("g", "somebody");
    let answer = world.ask(&join);
    assert_eq!(answer.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(answer.member_id, "somebody");
    let sync = world.a_sync("g", "somebody", 1, &[]);
    assert_eq!(world.ask(&sync).error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(
        world.heartbeat("g", "somebody", 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(world.state_of("g"), "Dead");
}

/// `areMandatoryProtocolTypeAndNamePresent` (KIP-559).
#[test]
fn a_sync_of_version_5_must_name_the_protocol() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    let mut sync = world.a_sync("g", &ids[0], 1, &[]);
    sync.protocol_name = None;
    assert_eq!(
        world.ask_in(5, &sync).error_code,
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL
    );
    assert_eq!(world.ask_in(4, &sync).error_code, ErrorCode::NONE);
}

/// `LeaveGroupResponse`: one error below version 3, one per member from there on.
#[test]
fn leaving_answers_in_the_form_of_its_version() {
    let mut world = World::new();
    let ids = world.a_group("g", 2);
    let leave = |id: &str| LeaveGroupRequest {
        group_id: "g".into(),
        member_id: id.into(),
        members: vec![leave_group::MemberIdentity {
            member_id: id.into(),
            reason: Some("enough".into()),
            ..Default::default()
        }],
    };
    let old = |id: &str| LeaveGroupRequest {
        members: vec![],
        ..leave(id)
    };
    let new = |id: &str| LeaveGroupRequest {
        member_id: String::new(),
        ..leave(id)
    };
    assert_eq!(
        world.ask_in(2, &old("nobody")).error_code,
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    let answer = world.ask_in(5, &new("nobody"));
    assert_eq!(answer.error_code, ErrorCode::NONE);
    assert_eq!(answer.members[0].error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.ask_in(2, &old(&ids[0])).error_code, ErrorCode::NONE);
    let answer = world.ask_in(5, &new(&ids[1]));
    assert_eq!(answer.members[0].error_code, ErrorCode::NONE);
    assert_eq!(world.state_of("g"), "Empty");
    let mut elsewhere = new("nobody");
    elsewhere.group_id = "no such group".into();
    assert_eq!(
        world.ask(&elsewhere).members[0].error_code,
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    elsewhere.group_id = String::new();
    assert_eq!(
        world.ask(&elsewhere).error_code,
        ErrorCode::INVALID_GROUP_ID
    );
}

/// KIP-345: a static member is called by its instance id, and returns to its place.
#[test]
fn a_static_member_returns_to_its_place_across_restarts_of_the_broker() {
    let mut world = World::new();
    let mut join = world.a_join("g", "");
    join.group_instance_id = Some("one".into());
    let sent = world.send(&join);
    world.pass(0);
    let first = world.answer(sent).unwrap();
    assert!(
        first.member_id.starts_with("one-"),
        "no MEMBER_ID_REQUIRED for static members"
    );
    let ids = [first.member_id.clone()];
    world.sync_all("g", &ids, 1);
    let sent = world.send(&join);
    let second = world.answer(sent).unwrap();
    assert_eq!((second.generation_id, second.skip_assignment), (1, true));
    assert_ne!(second.member_id, first.member_id);
    world.restart();
    let mut sync = world.a_sync("g", &second.member_id, 1, &[]);
    sync.group_instance_id = Some("one".into());
    assert_eq!(world.ask(&sync).assignment, assignment_of("orders", 0));
    sync.member_id = first.member_id;
    assert_eq!(world.ask(&sync).error_code, ErrorCode::FENCED_INSTANCE_ID);
}

/// An expired session that a heartbeat overtook does nothing.
#[test]
fn a_heartbeat_in_time_renews_the_session() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    for _ in 0..5 {
        world.pass(9_999);
        assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    }
    world.pass(10_000);
    assert_eq!(
        world.heartbeat("g", &ids[0], 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(world.state_of("g"), "Empty");
}

/// KAFKA-13495: the pending sync timeout.
#[test]
fn a_member_that_never_syncs_is_put_out() {
    let mut world = World::new();
    let ids = world.a_group("g", 2);
    let (generation, leader) = world.rejoin("g", &ids);
    let other = ids.iter().find(|id| **id != leader).unwrap().clone();
    let sync = world.a_sync("g", &leader, generation, &ids);
    world.ask(&sync);
    for _ in 0..7 {
        world.pass(8_500);
        assert_eq!(
            world.heartbeat("g", &other, generation),
            ErrorCode::NONE,
            "it is alive"
        );
        assert_eq!(world.heartbeat("g", &leader, generation), ErrorCode::NONE);
    }
    world.pass(501);
    assert_eq!(
        world.heartbeat("g", &other, generation),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    let rebalancing = ErrorCode::REBALANCE_IN_PROGRESS;
    assert_eq!(world.heartbeat("g", &leader, generation), rebalancing);
}
