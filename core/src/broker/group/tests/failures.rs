//! What happens when the log fails (SEMANTICS "Coordinators", "Errors that make clients retry").

use super::*;

/// A simple group whose making failed is not there; nor is one that was to be deleted gone.
#[test]
fn groups_come_and_go_only_durably() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 1);
    world.writes = Writes::Held;
    world.send_in(9, &a_commit(("new", "", -1), "orders", &[(0, 1)]));
    let deletion = world.send(&DeleteGroupsRequest {
        groups_names: vec!["g".into()],
    });
    world.release(Writes::Failed);
    let answer = world.answer(deletion).unwrap();
    assert_eq!(answer.results[0].error_code, ErrorCode::NOT_COORDINATOR);
    world.writes = Writes::Done;
    world.pass(2_000);
    assert_eq!(
        (world.state_of("g"), world.state_of("new")),
        ("Empty".into(), "Dead".into())
    );
    assert_eq!(world.committed("g", "orders", 0), 1);
}

/// KIP-447's readers too: what they would have read was taken back.
#[test]
fn a_stable_read_of_a_failed_commit_is_told() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 1);
    world.writes = Writes::Held;
    world.send_in(9, &a_commit(("g", "", -1), "orders", &[(0, 2)]));
    let mut request = a_fetch("g", "orders", &[0]);
    (request.require_stable, request.group_id, request.topics) =
        (true, String::new(), Some(vec![]));
    let read = world.send_in(9, &request);
    world.release(Writes::Failed);
    let answer = world.answer(read).unwrap();
    assert_eq!(answer.groups[0].error_code, ErrorCode::NOT_COORDINATOR);
    assert!(answer.groups[0].topics.is_empty());
}

/// A member of a group whose making failed is sent to look for its coordinator.
#[test]
fn a_join_that_made_a_group_that_is_lost_is_told() {
    let mut world = World::with(&[("group.initial.rebalance.delay.ms", "3000")]);
    world.writes = Writes::Held;
    let join = world.a_join("g", "");
    let sent = world.send_in(3, &join);
    world.release(Writes::Failed);
    assert_eq!(
        world.answer(sent).unwrap().error_code,
        ErrorCode::NOT_COORDINATOR
    );
    assert_eq!(world.state_of("g"), "Dead");
}

/// The same for the leader's assignments: the group does not wait for ever.
#[test]
fn assignments_that_take_too_long_to_write_begin_a_rebalance() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    let (generation, _) = world.rejoin("g", &ids);
    world.writes = Writes::Held;
    let sync = world.a_sync("g", &ids[0], generation, &ids);
    let sent = world.send(&sync);
    world.pass(5_000);
    let answer = world.answer(sent).unwrap();
    assert_eq!(answer.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    world.release(Writes::Done);
    assert_eq!(
        world.state_of("g"),
        "PreparingRebalance",
        "the write came too late"
    );
}

/// A LeaveGroup that empties the group answers when that is durable.
#[test]
fn leaving_is_answered_when_it_is_durable() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    world.writes = Writes::Held;
    let leave = LeaveGroupRequest {
        group_id: "g".into(),
        members: vec![leave_group::MemberIdentity {
            member_id: ids[0].clone(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let sent = world.send(&leave);
    assert_eq!(world.answer(sent), None);
    world.release(Writes::Failed);
    assert_eq!(
        world.answer(sent).unwrap().error_code,
        ErrorCode::NOT_COORDINATOR
    );
}

/// An unknown outcome that turns out to be a success: what was denied has happened.
#[test]
fn a_write_of_unknown_outcome_is_read_back() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 1);
    world.commit(("doomed", "", -1), "orders", 0, 1);
    world.writes = Writes::Held;
    let commit = world.send_in(9, &a_commit(("g", "", -1), "orders", &[(0, 2)]));
    world.send_in(9, &a_commit(("new", "", -1), "orders", &[(0, 3)]));
    world.send(&DeleteGroupsRequest {
        groups_names: vec!["doomed".into()],
    });
    world.release(Writes::Unknown);
    let answer = world.answer(commit).unwrap();
    assert_eq!(
        answer.topics[0].partitions[0].error_code,
        ErrorCode::NOT_COORDINATOR
    );
    world.writes = Writes::Done;
    world.pass(2_000);
    assert_eq!(world.committed("g", "orders", 0), 2);
    let before = [world.state_of("new"), world.state_of("doomed")];
    world.restart();
    assert_eq!(world.committed("g", "orders", 0), 2);
    assert_eq!([world.state_of("new"), world.state_of("doomed")], before);
}

/// The offsets topic is deleted: groups have no coordinator until it is made again.
#[test]
fn without_its_log_a_group_is_gone() {
    let mut world = World::with(&[("group.initial.rebalance.delay.ms", "3000")]);
    let join = world.a_join("g", "");
    let waiting = world.send_in(3, &join);
    world.commit(("h", "", -1), "orders", 0, 1);
    let logs: Vec<_> = world
        .broker
        .metadata
        .offsets_topic()
        .unwrap()
        .logs()
        .collect();
    for log in logs {
        world.broker.drop_log(log);
    }
    world.broker.settle();
    world.connect();
    world.pump();
    assert_eq!(
        world.answer(waiting).unwrap().error_code,
        ErrorCode::NOT_COORDINATOR
    );
    let error = world.commit(("h", "", -1), "orders", 0, 1);
    assert_eq!(error, ErrorCode::NOT_COORDINATOR);
    world.pass(1_000_000);
}
