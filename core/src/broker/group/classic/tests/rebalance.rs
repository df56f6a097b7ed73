//! Rebalances: the initial delay, who is waited for, generations, timers.

use super::super::{Settings, State};
use super::{Driver, TimerKey};
use crate::protocol::ErrorCode;

/// KIP-134: `tryCompleteInitialRebalanceElseSchedule`.
#[test]
fn the_initial_rebalance_waits_longer_for_each_newcomer_up_to_the_rebalance_timeout() {
    let mut driver = Driver::new();
    driver.settings = Settings {
        initial_rebalance_delay: 3_000,
        ..driver.settings
    };
    let mut join = driver.a_join("a");
    join.rebalance_timeout = 7_000;
    let first = driver.send(join);
    assert_eq!(driver.timers[&TimerKey::Join], 3_000);
    driver.join("b");
    driver.expire(&TimerKey::Join);
    assert_eq!(
        driver.timers[&TimerKey::Join],
        3_000,
        "put off, 4,000 were left"
    );
    driver.join("c");
    driver.expire(&TimerKey::Join);
    assert_eq!(driver.timers[&TimerKey::Join], 1_000, "the last 1,000");
    driver.join("d");
    driver.expire(&TimerKey::Join);
    assert_eq!(driver.joined(first).members.len(), 4, "no more time");
}

/// The same without newcomers.
#[test]
fn the_initial_rebalance_ends_after_its_delay_if_nobody_else_comes() {
    let mut driver = Driver::new();
    driver.settings = Settings {
        initial_rebalance_delay: 3_000,
        ..driver.settings
    };
    let first = driver.join("a");
    driver.expire(&TimerKey::Join);
    assert_eq!(driver.joined(first).generation_id, 1);
}

/// `maybeCompleteJoinPhase`: the initial rebalance is not cut short.
#[test]
fn leaving_does_not_end_the_initial_delay() {
    let mut driver = Driver::new();
    let only = driver.join("a");
    driver.leave(&["a"]);
    assert_eq!(driver.error(only), Some(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!(driver.group.state, State::PreparingRebalance);
    driver.expire(&TimerKey::Join);
    assert_eq!(
        (driver.group.state, driver.group.generation),
        (State::Empty, 1)
    );
}

/// `completeClassicGroupJoin`: members that have not joined by the rebalance timeout are out.
#[test]
fn who_does_not_join_in_time_is_out_and_another_leads() {
    let mut driver = Driver::stable();
    let follower = {
        let mut join = driver.a_join("b");
        join.protocols.pop();
        driver.send(join)
    };
    assert_eq!(driver.timers[&TimerKey::Join], 60_000);
    driver.expire(&TimerKey::Join);
    assert_eq!(
        (driver.names(), driver.group.leader()),
        (vec!["b"], Some("b"))
    );
    assert_eq!(driver.joined(follower).leader, "b");
    assert!(!driver.timers.contains_key(&Driver::session("a")));
}

/// `ClassicGroup.maybeElectNewJoinedLeader`: a static leader that is late stays, but leads no more.
#[test]
fn a_late_static_leader_stays_a_member() {
    let mut driver = Driver::new();
    let mut join = driver.a_join("s");
    join.instance_id = Some("one".into());
    driver.send(join);
    driver.join("b");
    driver.expire(&TimerKey::Join);
    assert_eq!(driver.group.leader(), Some("s"));
    let mut join = driver.a_join("b");
    join.protocols.pop();
    driver.send(join);
    driver.expire(&TimerKey::Join);
    assert_eq!(
        (driver.names(), driver.group.leader()),
        (vec!["b", "s"], Some("b"))
    );
    assert_eq!(driver.group.state, State::CompletingRebalance);
}

/// The same when nobody joined: the rebalance waits for the sessions to end.
#[test]
fn a_rebalance_that_nobody_joins_waits_until_the_static_members_fail() {
    let mut driver = Driver::new();
    let mut join = driver.a_join("s");
    join.instance_id = Some("one".into());
    driver.send(join);
    driver.join("b");
    driver.expire(&TimerKey::Join);
    driver.leave(&["b"]);
    driver.expire(&TimerKey::Join);
    assert_eq!(driver.group.state, State::PreparingRebalance);
    assert_eq!(driver.timers[&TimerKey::Join], 60_000, "again");
    driver.expire(&Driver::session("s"));
    assert_eq!(driver.group.state, State::Empty);
    assert_eq!(driver.writes.len(), 1, "that it is empty");
}

/// `rebalanceTimeoutMs`: the longest of the members'.
#[test]
fn the_rebalance_lasts_as_long_as_its_most_patient_member_wants() {
    let mut driver = Driver::stable();
    let mut join = driver.a_join("c");
    join.rebalance_timeout = 120_000;
    driver.send(join);
    assert_eq!(driver.timers[&TimerKey::Join], 120_000);
}

/// `hasSatisfiedHeartbeat`: whoever the broker keeps waiting is not silent.
#[test]
fn a_member_that_is_kept_waiting_does_not_fail_but_a_new_one_may() {
    let mut driver = Driver::stable();
    let new = driver.join("c");
    driver.join("b");
    driver.expire(&Driver::session("b"));
    assert_eq!(driver.names(), ["a", "b", "c"]);
    driver.expire(&Driver::session("c"));
    assert_eq!(
        driver.names(),
        ["a", "b"],
        "its JoinGroup waited for five minutes"
    );
    assert_eq!(driver.error(new), Some(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!(driver.joined(new).member_id, "");
}

/// `removeMemberAndUpdateClassicGroup`: the one all waited for fails.
#[test]
fn a_rebalance_ends_when_the_last_missing_member_fails() {
    let mut driver = Driver::stable();
    let waiting = driver.join("a");
    driver.expire(&Driver::session("b"));
    assert_eq!(driver.joined(waiting).generation_id, 2);
    assert_eq!(driver.names(), ["a"]);
}

/// `prepareRebalance` while syncing: waiting members are told to join again.
#[test]
fn a_rebalance_takes_assignments_under_way_back() {
    let mut driver = Driver::completing();
    let waiting = driver.sync("b", 1);
    let leader = driver.sync("a", 1);
    driver.join("c");
    for request in [waiting, leader] {
        let answer = driver.synced(request);
        assert_eq!(answer.error_code, ErrorCode::REBALANCE_IN_PROGRESS);
        assert!(answer.assignment.is_empty() && answer.protocol_name.is_none());
    }
    driver.written(Ok(()));
    assert_eq!(
        driver.group.state,
        State::PreparingRebalance,
        "the write comes too late"
    );
    driver.join("a");
    driver.join("b");
    assert_eq!(
        (driver.group.state, driver.group.generation),
        (State::CompletingRebalance, 2)
    );
}

/// KAFKA-13495: `expirePendingSync`.
#[test]
fn who_does_not_sync_in_time_is_out() {
    let mut driver = Driver::completing();
    assert_eq!(driver.timers[&TimerKey::Sync], 60_000);
    let leader = driver.sync("a", 1);
    driver.written(Ok(()));
    assert_eq!(driver.error(leader), Some(ErrorCode::NONE));
    assert!(
        driver.timers.contains_key(&TimerKey::Sync),
        "the follower has not"
    );
    driver.expire(&TimerKey::Sync);
    assert_eq!(
        (driver.names(), driver.group.state),
        (vec!["a"], State::PreparingRebalance)
    );
}

/// `removePendingSyncMember`: the last sync disarms the timer.
#[test]
fn when_all_have_synced_nobody_is_waited_for() {
    let driver = Driver::stable();
    assert!(!driver.timers.contains_key(&TimerKey::Sync));
    assert!(!driver.timers.contains_key(&TimerKey::Join));
}

/// That a group is empty is hard state; a write that failed is tried again.
#[test]
fn a_group_that_empties_is_written_until_it_succeeds() {
    let mut driver = Driver::stable();
    driver.leave(&["a", "b"]);
    let record = driver.written(Err(ErrorCode::NOT_COORDINATOR));
    assert_eq!((record.generation, record.members.len()), (2, 0));
    assert_eq!((record.protocol, record.leader), (None, None));
    assert_eq!(record.protocol_type, "consumer");
    assert_eq!(driver.timers.remove(&TimerKey::Persist), Some(500));
    driver.expire(&TimerKey::Persist);
    driver.written(Ok(()));
    assert!(driver.timers.is_empty() && driver.writes.is_empty());
}

/// The retry is of no use once members are back.
#[test]
fn a_group_that_is_not_empty_any_more_is_not_written_as_empty() {
    let mut driver = Driver::stable();
    driver.leave(&["a", "b"]);
    driver.written(Err(ErrorCode::NOT_COORDINATOR));
    driver.join("c");
    driver.expire(&TimerKey::Persist);
    assert!(driver.writes.is_empty());
}

/// The record is what a new coordinator begins with.
#[test]
fn a_record_brings_the_group_back_stable() {
    let mut driver = Driver::completing();
    driver.sync("b", 1);
    driver.sync("a", 1);
    let record = driver.written(Ok(()));
    let back = super::ClassicGroup::from_record("g".into(), 2, record.clone());
    assert_eq!(
        (back.state, back.generation, back.leader()),
        (State::Stable, 1, Some("a"))
    );
    assert_eq!(back.members["b"].assignment, "b");
    assert_eq!(back.to_record(&back.assignments()), record);
    assert!(back.is_subscribed_to("orders"));
}
