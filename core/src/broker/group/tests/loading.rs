//! Opening a database: replay, what it costs, compaction.

use super::*;

/// Members go on after a restart of the broker: their sessions begin anew.
#[test]
fn a_group_goes_on_after_a_restart() {
    let mut world = World::new();
    let ids = world.a_group("g", 2);
    world.commit(("g", &ids[0], 1), "orders", 0, 5);
    world.pass(9_000);
    world.restart();
    world.pass(9_999);
    assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    assert_eq!(world.committed("g", "orders", 0), 5);
    let sync = world.a_sync("g", &ids[1], 1, &[]);
    assert_eq!(world.ask(&sync).assignment, assignment_of("orders", 1));
    assert_eq!(
        world.commit(("g", &ids[1], 1), "orders", 1, 6),
        ErrorCode::NONE
    );
    world.pass(10_000);
    assert_eq!(
        world.heartbeat("g", &ids[0], 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
}

/// `COORDINATOR_LOAD_IN_PROGRESS`, and a heartbeat that is believed.
#[test]
fn while_its_log_is_read_a_group_is_loading() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    let log = world.log_of("g");
    world.restart_until_read_of(log);
    let loading = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
    let join = world.a_join("g", &ids[0]);
    assert_eq!(world.ask(&join).error_code, loading);
    assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    assert_eq!(world.commit(("g", &ids[0], 1), "orders", 0, 1), loading);
    assert_eq!(
        world.ask_in(9, &a_fetch("g", "orders", &[0])).groups[0].error_code,
        loading
    );
    assert_eq!(world.ask(&ListGroupsRequest::default()).error_code, loading);
    let describe = DescribeGroupsRequest {
        groups: vec!["g".into()],
        ..Default::default()
    };
    assert_eq!(world.ask(&describe).groups[0].error_code, loading);
    // Another partition's groups do not wait for it.
    let other = (0..)
        .map(|n| format!("other-{n}"))
        .find(|other| partition_for(other, 50) != partition_for("g", 50));
    assert_eq!(
        world.commit((&other.unwrap(), "", -1), "orders", 0, 1),
        ErrorCode::NONE
    );
    world.hold_reads = false;
    world.pump();
    assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    assert_eq!(world.state_of("g"), "Stable");
}

/// A log that cannot be understood is nobody's, and the other partitions are not touched.
#[test]
fn a_damaged_log_has_no_coordinator() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 1);
    let log = world.log_of("g");
    let other = (0..)
        .map(|n| format!("other-{n}"))
        .find(|other| partition_for(other, 50) != partition_for("g", 50))
        .unwrap();
    world.commit((&other, "", -1), "orders", 0, 1);
    for ((of, _), chunk) in &mut world.storage.stored_mut().chunks {
        if *of == log {
            let mut bytes = chunk.to_vec();
            *bytes.last_mut().unwrap() ^= 0xff;
            *chunk = bytes.into();
        }
    }
    world.restart();
    assert_eq!(
        world.commit(("g", "", -1), "orders", 0, 2),
        ErrorCode::NOT_COORDINATOR
    );
    assert_eq!(world.committed(&other, "orders", 0), 1);
}

/// DESIGN: internal logs are compacted from the start, so that opening stays quick.
#[test]
fn a_log_of_many_commits_stays_short() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    let offsets = |round: i64| -> Vec<(i32, i64)> { (0..4).map(|p| (p, round)).collect() };
    let mut longest = 0;
    for round in 0..2_000 {
        let request = a_commit(("g", &ids[0], 1), "orders", &offsets(round));
        world.ask_in(9, &request);
        longest = longest.max(world.records_of("g").len());
    }
    assert!(longest <= 1_010, "{longest} records at once");
    world.restart();
    assert_eq!(world.committed("g", "orders", 3), 1_999);
    assert_eq!(world.heartbeat("g", &ids[0], 1), ErrorCode::NONE);
    assert_eq!(
        world.commit(("g", &ids[0], 1), "orders", 3, 2_000),
        ErrorCode::NONE
    );
    world.restart();
    assert_eq!(world.committed("g", "orders", 3), 2_000);
}

/// Records keep their offsets, and what was deleted does not come back.
#[test]
fn compaction_keeps_offsets_and_tombstones() {
    let mut world = World::new();
    world.commit(("g", "", -1), "other", 0, 77);
    let first = world.broker.commit_view("g", "other", 0).unwrap();
    world.commit(("g", "", -1), "orders", 2, 1);
    let request = OffsetDeleteRequest {
        group_id: "g".into(),
        topics: vec![offset_delete::OffsetDeleteRequestTopic {
            name: "orders".into(),
            partitions: vec![offset_delete::OffsetDeleteRequestPartition { partition_index: 2 }],
        }],
    };
    world.ask(&request);
    for round in 0..1_200 {
        world.commit(("g", "", -1), "orders", 0, round);
    }
    let records = world.records_of("g");
    assert!(records.len() < 1_000, "{}", records.len());
    assert_eq!(records[0].offset, first.log_offset);
    world.restart();
    assert_eq!(world.broker.commit_view("g", "other", 0), Some(first));
    assert_eq!(world.committed("g", "orders", 2), -1);
    assert_eq!(world.committed("g", "orders", 0), 1_199);
    // The log goes on where it was.
    world.commit(("g", "", -1), "orders", 0, 5);
    assert_eq!(
        world
            .broker
            .commit_view("g", "orders", 0)
            .unwrap()
            .log_offset,
        1_203
    );
}

/// A compaction that fails leaves the log as it was, and is tried again.
#[test]
fn a_compaction_that_fails_is_tried_again() {
    let mut world = World::new();
    for round in 0..999 {
        world.commit(("g", "", -1), "orders", 0, round);
    }
    // The commit after the limit is written; what follows it, the compaction, fails.
    world.writes = Writes::Held;
    world.send_in(9, &a_commit(("g", "", -1), "orders", &[(0, 999)]));
    world.send_in(9, &a_commit(("g", "", -1), "orders", &[(1, 1)]));
    world.release_one();
    world.release(Writes::Failed);
    world.writes = Writes::Done;
    world.pass(2_000);
    world.commit(("g", "", -1), "orders", 1, 1);
    world.commit(("g", "", -1), "orders", 1, 2);
    let count = world.records_of("g").len();
    assert!(count < 1_000, "{count}");
    world.restart();
    assert_eq!(world.committed("g", "orders", 0), 999);
    assert_eq!(world.committed("g", "orders", 1), 2);
}
