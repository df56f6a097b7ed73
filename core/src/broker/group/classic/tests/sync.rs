//! SyncGroup: assignments reach members when they are written.

use super::super::State;
use super::{Driver, Sync};
use crate::protocol::ErrorCode;

/// `classicGroupSyncToClassicGroup`: nothing leaves before the record is durable.
#[test]
fn assignments_leave_when_they_are_written() {
    let mut driver = Driver::completing();
    let follower = driver.sync("b", 1);
    let leader = driver.sync("a", 1);
    assert_eq!((driver.error(follower), driver.error(leader)), (None, None));
    let record = driver.written(Ok(()));
    assert_eq!(record.members.len(), 2);
    assert_eq!(driver.synced(follower).assignment, "b");
    assert_eq!(driver.synced(leader).assignment, "a");
    assert_eq!(
        driver.synced(leader).protocol_name.as_deref(),
        Some("range")
    );
    assert_eq!(
        driver.synced(leader).protocol_type.as_deref(),
        Some("consumer")
    );
    assert_eq!(driver.group.state, State::Stable);
}

/// The same: a member the leader forgot gets an empty assignment, and a stranger's is not kept.
#[test]
fn a_member_the_leader_forgot_gets_nothing_and_a_stranger_does_not_matter() {
    let mut driver = Driver::completing();
    let sync = Sync {
        request: driver.request(),
        generation: 1,
        member_id: "a".into(),
        instance_id: None,
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        assignments: [("stranger".to_owned(), "x".into())].into(),
    };
    driver.send_sync(sync);
    let record = driver.written(Ok(()));
    assert!(
        record
            .members
            .iter()
            .all(|member| member.assignment.is_empty())
    );
    let follower = driver.sync("b", 1);
    assert!(driver.synced(follower).assignment.is_empty());
}

/// KIP-559: `isProtocolInconsistent`.
#[test]
fn a_sync_for_another_protocol_is_refused() {
    let mut driver = Driver::completing();
    for (protocol_type, protocol) in [("connect", "range"), ("consumer", "sticky")] {
        let sync = Sync {
            request: driver.request(),
            generation: 1,
            member_id: "b".into(),
            instance_id: None,
            protocol_type: Some(protocol_type.into()),
            protocol: Some(protocol.into()),
            assignments: Default::default(),
        };
        let request = driver.send_sync(sync);
        assert_eq!(
            driver.error(request),
            Some(ErrorCode::INCONSISTENT_GROUP_PROTOCOL)
        );
    }
}

/// `validateSyncGroup`: member id, instance id, generation, in this order.
#[test]
fn errors_come_in_kafkas_order() {
    let mut driver = Driver::completing();
    let mut join = driver.a_join("s");
    join.instance_id = Some("one".into());
    driver.send(join);
    let check = |driver: &mut Driver, member: &str, instance: Option<&str>, generation| {
        let instance_id = instance.map(str::to_owned);
        let sync = Sync {
            request: driver.request(),
            generation,
            member_id: member.into(),
            instance_id,
            protocol_type: None,
            protocol: None,
            assignments: Default::default(),
        };
        let request = driver.send_sync(sync);
        let heartbeat =
            driver.run(|group, _, out| group.heartbeat(member, instance, generation, out).err());
        (driver.error(request), heartbeat)
    };
    let both = |error| (Some(error), Some(error));
    let unknown = both(ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(check(&mut driver, "nobody", None, 9), unknown);
    assert_eq!(
        check(&mut driver, "a", Some("no such instance"), 9),
        unknown
    );
    let fenced = both(ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(check(&mut driver, "nobody", Some("one"), 9), fenced);
    assert_eq!(
        check(&mut driver, "s", Some("one"), 9),
        both(ErrorCode::ILLEGAL_GENERATION)
    );
    assert_eq!(
        check(&mut driver, "s", Some("one"), 1),
        both(ErrorCode::REBALANCE_IN_PROGRESS)
    );
}

/// A failed write: everyone who waits gets the error, and the group tries again.
#[test]
fn when_assignments_cannot_be_written_all_are_told_and_the_group_rebalances() {
    let mut driver = Driver::completing();
    let follower = driver.sync("b", 1);
    let leader = driver.sync("a", 1);
    driver.written(Err(ErrorCode::NOT_COORDINATOR));
    for request in [follower, leader] {
        assert_eq!(driver.error(request), Some(ErrorCode::NOT_COORDINATOR));
    }
    assert_eq!(driver.group.state, State::PreparingRebalance);
    assert!(
        driver
            .group
            .members
            .values()
            .all(|member| member.assignment.is_empty())
    );
}

/// A SyncGroup that was sent again takes the place of the first.
#[test]
fn a_sync_of_the_same_member_takes_the_place_of_the_parked_one() {
    let mut driver = Driver::completing();
    let first = driver.sync("b", 1);
    let second = driver.sync("b", 1);
    assert_eq!(driver.error(first), Some(ErrorCode::REBALANCE_IN_PROGRESS));
    driver.sync("a", 1);
    driver.written(Ok(()));
    assert_eq!(driver.synced(second).assignment, "b");
}

/// `validateOffsetCommit`: generation -1 with a member id is a member in the wrong generation.
#[test]
fn a_member_cannot_commit_without_its_generation() {
    let mut driver = Driver::stable();
    assert_eq!(driver.commit("b", -1), Err(ErrorCode::ILLEGAL_GENERATION));
    assert_eq!(
        driver.commit("nobody", -1),
        Err(ErrorCode::UNKNOWN_MEMBER_ID)
    );
    let fenced = driver.run(|group, _, out| group.commit("", Some("one"), -1, out));
    assert_eq!(fenced, Err(ErrorCode::UNKNOWN_MEMBER_ID));
    driver.timers.clear();
    assert_eq!(driver.commit("b", 1), Ok(()));
    assert_eq!(
        driver.timers[&Driver::session("b")],
        10_000,
        "a commit is a sign of life"
    );
}

/// Every request that waits is answered when its member goes.
#[test]
fn a_member_that_leaves_while_its_sync_waits_is_answered() {
    let mut driver = Driver::completing();
    let waiting = driver.sync("b", 1);
    driver.leave(&["b"]);
    assert_eq!(driver.error(waiting), Some(ErrorCode::UNKNOWN_MEMBER_ID));
}
