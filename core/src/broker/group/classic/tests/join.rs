//! JoinGroup: new members, protocols, limits, the protocol vote.

use super::super::State;
use super::{Driver, TimerKey, protocols};
use crate::protocol::ErrorCode;

/// KIP-394: `classicGroupJoinNewDynamicMember` in version 4 and above.
#[test]
fn a_new_member_must_come_back_with_the_id_it_is_given() {
    let mut driver = Driver::new();
    let mut first = driver.a_join("a");
    first.id_required = true;
    let request = driver.send(first);
    let answer = driver.joined(request);
    assert_eq!(answer.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    assert_eq!((answer.member_id.as_str(), answer.generation_id), ("a", -1));
    assert_eq!((driver.group.state, driver.names()), (State::Empty, vec![]));
    assert_eq!(driver.timers[&Driver::session("a")], 10_000);
    let request = driver.join("a");
    assert_eq!(driver.error(request), None);
    assert_eq!(driver.group.state, State::PreparingRebalance);
    assert_eq!(
        driver.timers[&Driver::session("a")],
        300_000,
        "no session yet"
    );
    driver.expire(&TimerKey::Join);
    let answer = driver.joined(request);
    assert_eq!((answer.generation_id, answer.leader.as_str()), (1, "a"));
    assert_eq!(answer.protocol_name.as_deref(), Some("range"));
    assert_eq!(answer.members.len(), 1);
    assert_eq!(driver.timers[&Driver::session("a")], 10_000);
}

/// `expireClassicGroupMemberHeartbeat` of a pending member.
#[test]
fn an_id_nobody_comes_back_for_is_forgotten_and_holds_nobody_up_longer() {
    let mut driver = Driver::stable();
    let mut promised = driver.a_join("c");
    promised.id_required = true;
    driver.send(promised);
    assert_eq!(
        driver.group.state,
        State::Stable,
        "a promise begins no rebalance"
    );
    driver.join("a");
    let waiting = driver.join("b");
    assert_eq!(driver.error(waiting), None, "the third is due");
    driver.expire(&Driver::session("c"));
    assert_eq!(driver.joined(waiting).generation_id, 2);
    let mut late = driver.a_join("c");
    late.member_id = "c".into();
    let request = driver.send(late);
    assert_eq!(driver.error(request), Some(ErrorCode::UNKNOWN_MEMBER_ID));
}

/// `ClassicGroup.supportsProtocols`.
#[test]
fn a_member_must_share_type_and_a_protocol_with_all_others() {
    let refused = Some(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let mut driver = Driver::new();
    for (protocol_type, names) in [("", &["range"][..]), ("consumer", &[])] {
        let mut join = driver.a_join("a");
        join.protocol_type = protocol_type.into();
        join.protocols = protocols(names);
        let request = driver.send(join);
        assert_eq!(driver.error(request), refused);
    }
    let mut driver = Driver::stable();
    for (protocol_type, names) in [("connect", &["range"][..]), ("consumer", &["sticky"])] {
        let mut join = driver.a_join("c");
        join.protocol_type = protocol_type.into();
        join.protocols = protocols(names);
        let request = driver.send(join);
        assert_eq!(driver.error(request), refused);
        assert_eq!(driver.joined(request).member_id, "");
    }
    let mut join = driver.a_join("b");
    join.protocols = protocols(&["sticky"]);
    let request = driver.send(join);
    assert_eq!(
        (driver.error(request), driver.group.state),
        (refused, State::Stable)
    );
}

/// `ClassicGroup.selectProtocol`: each member votes for the first of its own that all support.
#[test]
fn the_protocol_most_members_prefer_among_the_common_ones_wins() {
    let mut driver = Driver::new();
    for (name, names) in [
        ("a", &["sticky", "range", "roundrobin"][..]),
        ("b", &["roundrobin", "range"]),
        ("c", &["roundrobin", "range", "sticky"]),
    ] {
        let mut join = driver.a_join(name);
        join.protocols = protocols(names);
        driver.send(join);
    }
    driver.expire(&TimerKey::Join);
    // `sticky` is not common, so `a` votes for `range`.
    assert_eq!(driver.group.protocol(), Some("roundrobin"));
}

/// A member that names a protocol twice has one vote and one voice.
#[test]
fn a_protocol_named_twice_counts_once() {
    let mut driver = Driver::new();
    let mut join = driver.a_join("a");
    join.protocols = protocols(&["range", "range"]);
    driver.send(join);
    driver.join("b");
    driver.expire(&TimerKey::Join);
    assert_eq!(driver.group.protocol(), Some("range"));
    assert_eq!(driver.names(), ["a", "b"]);
}

/// `acceptJoiningMember` with `group.max.size`.
#[test]
fn a_full_group_turns_new_members_away() {
    let mut driver = Driver::stable();
    driver.settings.max_size = 2;
    let third = driver.join("c");
    assert_eq!(driver.error(third), Some(ErrorCode::GROUP_MAX_SIZE_REACHED));
    assert_eq!(
        (driver.joined(third).member_id.as_str(), driver.group.state),
        ("", State::Stable)
    );
    let known = driver.join("a");
    assert_eq!(driver.error(known), None, "a member is no newcomer");
}

/// `acceptJoiningMember` while members join: the last ones must go.
#[test]
fn a_group_over_a_lowered_limit_shrinks_as_its_members_join_again() {
    let mut driver = Driver::stable();
    driver.settings.max_size = 1;
    let first = driver.join("a");
    let second = driver.join("b");
    assert_eq!(driver.error(first), None);
    assert_eq!(
        driver.error(second),
        Some(ErrorCode::GROUP_MAX_SIZE_REACHED)
    );
    assert_eq!(driver.names(), ["a"]);
}

/// `GroupMetadataManager.onLoaded`.
#[test]
fn a_group_read_back_over_its_limit_rebalances() {
    let record = Driver::completing().group.to_record(&Default::default());
    let mut driver = Driver::new();
    driver.group = super::ClassicGroup::from_record("g".into(), 2, record);
    driver.settings.max_size = 1;
    driver.run(|group, settings, out| group.loaded(settings, out));
    assert_eq!(driver.group.state, State::PreparingRebalance);
    assert_eq!(driver.timers[&Driver::session("b")], 10_000);
}

/// The JoinGroup that is parked belongs to a connection that is probably gone.
#[test]
fn a_join_of_the_same_member_takes_the_place_of_the_parked_one() {
    let mut driver = Driver::stable();
    let first = driver.join("a");
    let second = driver.join("a");
    assert_eq!(driver.error(first), Some(ErrorCode::REBALANCE_IN_PROGRESS));
    assert_eq!(driver.error(second), None);
    driver.join("b");
    assert_eq!(driver.joined(second).generation_id, 2);
}

/// `ClassicGroup.computeSubscribedTopics` and `isSubscribedToTopic`.
#[test]
fn a_consumer_group_knows_what_it_subscribes_to() {
    let driver = Driver::stable();
    assert!(driver.group.is_subscribed_to("orders"));
    assert!(!driver.group.is_subscribed_to("other"));
    let mut driver = Driver::new();
    let mut join = driver.a_join("a");
    join.protocols[0].metadata = bytes::Bytes::from_static(b"?");
    driver.send(join);
    driver.expire(&TimerKey::Join);
    assert!(
        driver.group.is_subscribed_to("anything"),
        "consumers that cannot be read"
    );
}
