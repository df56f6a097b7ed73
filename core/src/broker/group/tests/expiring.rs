//! Retention of offsets (KIP-211).

use super::*;

const DAY: u64 = 24 * 60 * 60 * 1_000;

fn in_days(days: u64) -> World {
    World::with(&[
        ("offsets.retention.minutes", &(days * 24 * 60).to_string()),
        ("offsets.retention.check.interval.ms", "600000"),
    ])
}

/// A simple group: after the last commit.
#[test]
fn offsets_of_a_simple_group_expire_after_the_commit() {
    let mut world = in_days(7);
    world.commit(("g", "", -1), "orders", 0, 1);
    world.pass(6 * DAY);
    world.commit(("g", "", -1), "orders", 1, 1);
    world.pass(DAY + 600_000);
    assert_eq!(world.committed("g", "orders", 0), -1);
    assert_eq!(world.committed("g", "orders", 1), 1);
    assert_eq!(world.state_of("g"), "Empty");
    world.pass(6 * DAY);
    assert_eq!(world.state_of("g"), "Dead", "nothing is left of it");
    world.restart();
    assert_eq!(world.state_of("g"), "Dead");
}

/// `offsetExpirationCondition` for a group with members: not as long as it has any.
#[test]
fn retention_begins_when_the_group_empties() {
    let mut world = in_days(7);
    let ids = world.a_group("g", 1);
    world.commit(("g", &ids[0], 1), "orders", 0, 1);
    for _ in 0..80 {
        world.pass(9_000);
        assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    }
    world.set_wall_clock_ahead(i64::try_from(30 * DAY).unwrap());
    for _ in 0..80 {
        world.pass(9_000);
        assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    }
    assert_eq!(world.committed("g", "orders", 0), 1, "it is consumed");
    world.pass(11_000);
    assert_eq!(world.state_of("g"), "Empty");
    world.pass(7 * DAY - 600_000);
    assert_eq!(world.committed("g", "orders", 0), 1);
    world.pass(1_200_000);
    assert_eq!(world.committed("g", "orders", 0), -1);
    assert_eq!(world.state_of("g"), "Dead");
}

/// The same: of a topic that the consumers no longer subscribe to, after the commit.
#[test]
fn offsets_of_topics_no_longer_consumed_expire_while_the_group_lives() {
    let mut world = World::with(&[
        ("offsets.retention.minutes", "20"),
        ("offsets.retention.check.interval.ms", "60000"),
    ]);
    let ids = world.a_group("g", 1);
    world.commit(("g", &ids[0], 1), "orders", 0, 1);
    world.commit(("g", &ids[0], 1), "other", 0, 1);
    for _ in 0..145 {
        world.pass(9_000);
        assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    }
    assert_eq!(world.committed("g", "other", 0), -1);
    assert_eq!(world.committed("g", "orders", 0), 1);
}

/// OffsetCommit 2 to 4: the commit says how long.
#[test]
fn a_commit_with_a_retention_of_its_own_lives_for_that() {
    let mut world = in_days(7);
    let mut request = a_commit(("g", "", -1), "orders", &[(0, 1)]);
    request.retention_time_ms = 3_600_000;
    world.ask_in(4, &request);
    world.pass(3_000_000);
    assert_eq!(world.committed("g", "orders", 0), 1);
    world.restart();
    world.pass(1_200_000);
    assert_eq!(world.committed("g", "orders", 0), -1);
}

/// SEMANTICS "Configuration": clean-up never runs during open.
#[test]
fn nothing_expires_while_a_database_is_opened() {
    let mut world = in_days(7);
    world.commit(("g", "", -1), "orders", 0, 1);
    world.set_wall_clock_ahead(i64::try_from(30 * DAY).unwrap());
    world.restart();
    assert_eq!(world.committed("g", "orders", 0), 1);
    world.pass(599_999);
    assert_eq!(world.committed("g", "orders", 0), 1);
    world.pass(1);
    assert_eq!(world.committed("g", "orders", 0), -1);
}

/// `cleanupGroupMetadata`: a group that nobody ever used.
#[test]
fn an_empty_group_without_offsets_goes_with_the_next_check() {
    let mut world = in_days(7);
    let join = world.a_join("g", "");
    world.ask(&join);
    assert_eq!(world.state_of("g"), "Empty");
    world.pass(600_000);
    assert_eq!(world.state_of("g"), "Dead");
}
