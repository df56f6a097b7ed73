//! Static members (KIP-345): they keep their place across restarts.

use super::super::State;
use super::{Driver, Join, TimerKey, protocols};
use crate::protocol::ErrorCode;

/// A Stable group of generation 1 with the static leader `s1` and the follower `b`.
fn with_static_leader() -> Driver {
    let mut driver = Driver::new();
    let join = by_instance(&mut driver, "s1");
    driver.send(join);
    driver.join("b");
    driver.expire(&TimerKey::Join);
    driver.sync("s1", 1);
    driver.sync("b", 1);
    driver.written(Ok(()));
    assert_eq!(driver.group.leader(), Some("s1"));
    driver
}

/// The static member joins without a member id and is to be called `name`.
fn by_instance(driver: &mut Driver, name: &str) -> Join {
    let mut join = driver.a_join(name);
    join.member_id = String::new();
    join.instance_id = Some("one".into());
    join.fresh_member_id = name.into();
    join
}

/// KIP-814: `updateStaticMemberThenRebalanceOrCompleteJoin` in a Stable group.
#[test]
fn a_static_leader_that_returns_leads_on_without_assigning() {
    let mut driver = with_static_leader();
    let join = by_instance(&mut driver, "s2");
    let request = driver.send(join);
    assert_eq!(driver.error(request), None, "it is written first");
    let record = driver.written(Ok(()));
    assert_eq!(
        record
            .members
            .iter()
            .filter(|m| m.member_id == "s2")
            .count(),
        1
    );
    let answer = driver.joined(request);
    assert_eq!((answer.generation_id, answer.leader.as_str()), (1, "s2"));
    assert!(answer.skip_assignment);
    assert_eq!(answer.members.len(), 2);
    assert_eq!(
        (driver.group.state, driver.names()),
        (State::Stable, vec!["b", "s2"])
    );
    let sync = driver.sync("s2", 1);
    assert_eq!(driver.synced(sync).assignment, "s1", "its old assignment");
    let heartbeat = driver.run(|group, _, out| group.heartbeat("s1", Some("one"), 1, out));
    assert_eq!(heartbeat, Err(ErrorCode::FENCED_INSTANCE_ID));
}

/// The same below version 9: it must not take itself for the leader.
#[test]
fn an_older_static_leader_that_returns_is_told_of_its_former_self() {
    let mut driver = with_static_leader();
    let mut join = by_instance(&mut driver, "s2");
    join.can_skip_assignment = false;
    let request = driver.send(join);
    driver.written(Ok(()));
    let answer = driver.joined(request);
    assert_eq!(
        (answer.leader.as_str(), answer.member_id.as_str()),
        ("s1", "s2")
    );
    assert!(answer.members.is_empty() && !answer.skip_assignment);
    assert_eq!(driver.group.leader(), Some("s2"));
}

/// `appendFuture` of the replacement, failed: the old member is back.
#[test]
fn a_replacement_that_cannot_be_written_is_undone() {
    let mut driver = with_static_leader();
    let mut join = by_instance(&mut driver, "s2");
    join.protocols = protocols(&["range"]);
    let request = driver.send(join);
    driver.written(Err(ErrorCode::NOT_COORDINATOR));
    let answer = driver.joined(request);
    assert_eq!(answer.error_code, ErrorCode::NOT_COORDINATOR);
    assert_eq!(
        (answer.member_id.as_str(), answer.leader.as_str()),
        ("", "s1")
    );
    assert_eq!(
        (driver.names(), driver.group.leader()),
        (vec!["b", "s1"], Some("s1"))
    );
    assert_eq!(driver.group.members["s1"].protocols.len(), 2);
    assert!(driver.timers.contains_key(&Driver::session("s1")));
    assert!(!driver.timers.contains_key(&Driver::session("s2")));
    assert_eq!(driver.heartbeat("s1", 1), Ok(()));
}

/// The old one's requests that wait are fenced at once.
#[test]
fn the_member_that_is_replaced_is_fenced() {
    let mut driver = Driver::new();
    let join = by_instance(&mut driver, "s1");
    let first = driver.send(join);
    let join = by_instance(&mut driver, "s2");
    let second = driver.send(join);
    assert_eq!(driver.error(first), Some(ErrorCode::FENCED_INSTANCE_ID));
    assert_eq!(driver.joined(first).member_id, "s1");
    driver.expire(&TimerKey::Join);
    assert_eq!(driver.joined(second).generation_id, 1);
    assert_eq!(driver.names(), ["s2"]);
}

/// `selectProtocol` would change: the assignment cannot be kept.
#[test]
fn a_static_member_that_changes_the_groups_protocol_begins_a_rebalance() {
    let mut driver = with_static_leader();
    let mut join = by_instance(&mut driver, "s2");
    join.protocols = protocols(&["roundrobin"]);
    let request = driver.send(join);
    assert_eq!(
        (driver.error(request), driver.group.state),
        (None, State::PreparingRebalance)
    );
    assert!(driver.writes.is_empty());
    driver.join("b");
    assert_eq!(
        driver.joined(request).protocol_name.as_deref(),
        Some("roundrobin")
    );
}

/// While the leader assigns it may already be assigning to the old member id.
#[test]
fn a_static_member_that_returns_while_the_leader_assigns_begins_a_rebalance() {
    let mut driver = Driver::new();
    driver.join("b");
    let join = by_instance(&mut driver, "s1");
    driver.send(join);
    driver.expire(&TimerKey::Join);
    let waiting = driver.sync("b", 1);
    let join = by_instance(&mut driver, "s2");
    driver.send(join);
    assert_eq!(
        driver.error(waiting),
        Some(ErrorCode::REBALANCE_IN_PROGRESS)
    );
    assert_eq!(driver.group.state, State::PreparingRebalance);
}

/// A rebalance overtakes the write of a replacement: its join is answered by the rebalance.
#[test]
fn a_rebalance_during_a_replacement_answers_it() {
    let mut driver = with_static_leader();
    let join = by_instance(&mut driver, "s2");
    let request = driver.send(join);
    driver.join("c");
    driver.written(Ok(()));
    assert_eq!(driver.error(request), None, "it waits for the others");
    driver.join("b");
    assert_eq!(driver.joined(request).generation_id, 2);
}

/// `validateMember`: a static member that is rejoining must have kept its place.
#[test]
fn a_static_member_with_a_member_id_must_still_have_its_place() {
    let mut driver = with_static_leader();
    let mut join = by_instance(&mut driver, "s1");
    join.member_id = "other".into();
    let request = driver.send(join);
    assert_eq!(driver.error(request), Some(ErrorCode::FENCED_INSTANCE_ID));
    let mut join = by_instance(&mut driver, "s1");
    join.member_id = "s1".into();
    join.instance_id = Some("two".into());
    let request = driver.send(join);
    assert_eq!(driver.error(request), Some(ErrorCode::UNKNOWN_MEMBER_ID));
}
