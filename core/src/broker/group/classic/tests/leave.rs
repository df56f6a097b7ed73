//! LeaveGroup.

use super::super::State;
use super::{Driver, Leaver};
use crate::protocol::ErrorCode;

/// KIP-345: `classicGroupLeaveToClassicGroup` answers for each member.
#[test]
fn several_members_leave_at_once_and_the_rest_rebalance_once() {
    let mut driver = Driver::stable();
    driver.join("c");
    let results = driver.leave(&["a", "nobody", "c"]);
    let expected = [
        ErrorCode::NONE,
        ErrorCode::UNKNOWN_MEMBER_ID,
        ErrorCode::NONE,
    ];
    assert_eq!(results, expected);
    assert_eq!(
        (driver.names(), driver.group.leader()),
        (vec!["b"], Some("b"))
    );
    assert!(!driver.timers.contains_key(&Driver::session("a")));
}

/// If nobody could leave, nothing happens.
#[test]
fn a_stranger_that_leaves_disturbs_nobody() {
    let mut driver = Driver::stable();
    assert_eq!(driver.leave(&["nobody"]), [ErrorCode::UNKNOWN_MEMBER_ID]);
    assert_eq!(driver.group.state, State::Stable);
}

/// KIP-345: an administrator removes a static member by its instance id.
#[test]
fn a_static_member_is_removed_by_its_instance_id() {
    let mut driver = Driver::stable();
    let mut join = driver.a_join("s");
    join.instance_id = Some("one".into());
    driver.send(join);
    let by = |member: &str, instance: &str| Leaver {
        member_id: member.into(),
        instance_id: Some(instance.into()),
    };
    let results = driver.leave_as(&[by("", "two"), by("other", "one"), by("", "one")]);
    let expected = [
        ErrorCode::UNKNOWN_MEMBER_ID,
        ErrorCode::FENCED_INSTANCE_ID,
        ErrorCode::NONE,
    ];
    assert_eq!(results, expected);
    assert_eq!(driver.names(), ["a", "b"]);
}

/// A member that was promised an id may give it back.
#[test]
fn a_pending_member_leaves() {
    let mut driver = Driver::new();
    let mut join = driver.a_join("a");
    join.id_required = true;
    driver.send(join);
    assert_eq!(driver.leave(&["a"]), [ErrorCode::NONE]);
    assert!(driver.group.pending_joins.is_empty() && driver.timers.is_empty());
    assert_eq!(driver.group.state, State::Empty);
}

/// The last one the others waited for.
#[test]
fn leaving_ends_a_rebalance_that_waited_for_it() {
    let mut driver = Driver::stable();
    let waiting = driver.join("a");
    driver.leave(&["b"]);
    assert_eq!(driver.joined(waiting).generation_id, 2);
}
