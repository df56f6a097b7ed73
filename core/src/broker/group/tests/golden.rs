//! A segment of `__consumer_offsets` as Apache Kafka 4.3.1 wrote it, and what we write in the same
//! life of the same groups.
//!
//! In order: a static and a dynamic member form `pair`, commit by name and by id, the static one
//! returns; `left` is formed and left; `simple` commits with a retention of its own; `gone` commits
//! and is deleted; `simple` commits two and deletes one; `promised` gives an id to nobody.

use super::*;
use crate::broker::group::classic::{ClassicGroup, State};
use crate::broker::group::partition::{Partition, Phase, changes_in};
use crate::broker::group::records::{Change, group_value, read_group};
use crate::types::Uuid;

const SEGMENT: &[u8] = include_bytes!("../../../../../tests/golden/groups/consumer-offsets.log");

fn partition() -> Partition {
    let log = LogId {
        topic: Uuid([1; 16]),
        partition: 0,
    };
    let mut partition = Partition::new(log, Phase::Loading);
    partition.replay(&SEGMENT.into()).unwrap();
    let mut instance = 0;
    partition
        .build_groups(|| {
            instance += 1;
            instance
        })
        .unwrap();
    partition
}

/// `GroupCoordinatorRecordSerde`: what we read and write again is what Kafka wrote.
#[test]
fn every_record_is_written_as_kafka_wrote_it() {
    let mut count = 0;
    let records = Batches::new(SEGMENT.into())
        .flat_map(|batch| batch.unwrap().records(usize::MAX).unwrap())
        .map(|record| record.unwrap());
    for (record, read) in records.zip(changes_in(&SEGMENT.into())) {
        let read = read.unwrap();
        let change = match read.change.unwrap() {
            Change::Group(id, Some(value)) => {
                let again = group_value(&read_group(&value).unwrap()).unwrap();
                Change::Group(id, Some(again))
            }
            other @ (Change::Group(..) | Change::Commit(..)) => other,
        };
        let written = change.to_record().unwrap();
        assert_eq!(
            (written.key, written.value),
            (record.key, record.value),
            "{change:?}"
        );
        assert_eq!(read.offset, record.offset);
        count += 1;
    }
    assert_eq!(count, 19);
}

/// A group as its record says, and as a record says it again.
#[test]
fn kafkas_groups_are_understood() {
    let partition = partition();
    let ids: Vec<&str> = partition.groups.keys().map(|id| &**id).collect();
    assert_eq!(ids, ["left", "pair", "promised", "simple"]);
    let group = |id: &str| -> &ClassicGroup { partition.group(id).unwrap() };
    let pair = group("pair");
    assert_eq!(
        (pair.state(), pair.generation(), pair.protocol()),
        (State::Stable, 2, Some("range"))
    );
    let members: Vec<_> = pair
        .members()
        .map(|member| (member.instance_id.as_deref(), member.assignment.clone()))
        .collect();
    assert_eq!(
        members,
        [(None, "for B".into()), (Some("one"), "for A".into())]
    );
    assert!(pair.leader().unwrap().starts_with("one-"));
    assert!(pair.is_subscribed_to("orders") && !pair.is_subscribed_to("other"));
    let left = group("left");
    assert_eq!(
        (left.state(), left.generation(), left.protocol()),
        (State::Empty, 2, None)
    );
    assert_eq!(left.protocol_type(), Some("consumer"));
    for id in ["promised", "simple"] {
        assert_eq!(
            (group(id).state(), group(id).protocol_type()),
            (State::Empty, None)
        );
    }
    // `ClassicGroup` and its record say the same.
    let stored = partition.metadata.durable(&"pair".into()).unwrap();
    let record = read_group(&stored.value).unwrap();
    let assignments = record
        .members
        .iter()
        .map(|m| (m.member_id.clone(), m.assignment.clone()));
    let mut again = pair.to_record(&assignments.collect());
    // Kafka's members are in no order.
    let mut members = record.members.clone();
    members.sort_by(|a, b| a.member_id.cmp(&b.member_id));
    again.members.sort_by(|a, b| a.member_id.cmp(&b.member_id));
    assert_eq!(again.members, members);
    assert_eq!(
        (
            again.generation,
            again.leader,
            again.current_state_timestamp
        ),
        (
            record.generation,
            record.leader,
            record.current_state_timestamp
        )
    );
}

/// Commits, with and without what later versions added.
#[test]
fn kafkas_commits_are_understood() {
    let partition = partition();
    let commits = |id: &str| -> Vec<(i32, i64, i32, String, bool)> {
        partition
            .durable_commits(&id.into())
            .map(|(key, commit)| {
                let text = commit.metadata.to_string();
                (
                    key.partition,
                    commit.offset,
                    commit.leader_epoch,
                    text,
                    commit.expires.is_some(),
                )
            })
            .collect()
    };
    assert_eq!(
        commits("pair"),
        [
            (0, 5, 0, "note".to_owned(), false),
            (1, 6, -1, String::new(), false),
            (2, 7, 3, "by id".to_owned(), false)
        ]
    );
    assert_eq!(
        commits("simple"),
        [
            (0, 9, -1, "old".to_owned(), true),
            (2, 2, -1, String::new(), false)
        ]
    );
    assert_eq!(commits("gone"), []);
}

/// The kinds of records, batch by batch: `g` a group's, `c` a commit, capitals for tombstones.
fn kinds(batches: impl Iterator<Item = Bytes>) -> Vec<String> {
    let kind = |batch: Bytes| {
        let changes = changes_in(&batch).map(|read| match read.unwrap().change.unwrap() {
            Change::Group(id, Some(_)) => format!("g {id}"),
            Change::Group(id, None) => format!("G {id}"),
            Change::Commit(key, Some(_)) => format!("c {}", key.group),
            Change::Commit(key, None) => format!("C {}", key.group),
        });
        changes.collect::<Vec<_>>().join(", ")
    };
    batches.map(kind).collect()
}

/// SEMANTICS "Coordinators": classic groups write only when they are new or empty, at the leader's
/// SyncGroup, and when a static member is replaced. The same life leaves the same records.
#[test]
fn groups_write_when_kafka_writes() {
    let mut world = World::with(&[("offsets.topic.num.partitions", "1")]);
    let by_instance = {
        let mut join = world.a_join("pair", "");
        join.group_instance_id = Some("one".into());
        join
    };
    let first = world.send(&by_instance);
    let join = world.a_join("pair", "");
    let dynamic = world.ask(&join).member_id;
    let join = world.a_join("pair", &dynamic);
    let second = world.send(&join);
    world.pass(0);
    let one = world.answer(first).unwrap();
    let generation = world.answer(second).unwrap().generation_id;
    let ids = [one.leader.clone(), dynamic.clone()];
    world.sync_all("pair", &ids, generation);
    let who = ("pair", dynamic.as_str(), generation);
    world.ask_in(9, &a_commit(who, "orders", &[(0, 5), (1, 6)]));
    assert_eq!(
        world.heartbeat("pair", &dynamic, generation),
        ErrorCode::NONE
    );
    world.ask_in(9, &a_commit(who, "orders", &[(2, 7)]));
    world.ask(&by_instance);

    let join = world.a_join("left", "");
    let sent = world.send_in(3, &join);
    world.pass(0);
    let only = world.answer(sent).unwrap().member_id;
    world.sync_all("left", std::slice::from_ref(&only), 1);
    let leave = LeaveGroupRequest {
        group_id: "left".into(),
        member_id: only,
        ..Default::default()
    };
    world.ask_in(2, &leave);

    let mut expiring = a_commit(("simple", "", -1), "orders", &[(0, 9)]);
    expiring.retention_time_ms = 60_000;
    world.ask_in(2, &expiring);
    world.ask_in(9, &a_commit(("gone", "", -1), "orders", &[(0, 1), (1, 2)]));
    world.ask(&DeleteGroupsRequest {
        groups_names: vec!["gone".into()],
    });
    world.ask_in(
        9,
        &a_commit(("simple", "", -1), "orders", &[(1, 1), (2, 2)]),
    );
    let partitions = vec![offset_delete::OffsetDeleteRequestPartition { partition_index: 1 }];
    let topics = vec![offset_delete::OffsetDeleteRequestTopic {
        name: "orders".into(),
        partitions,
    }];
    world.ask(&OffsetDeleteRequest {
        group_id: "simple".into(),
        topics,
    });
    let join = world.a_join("promised", "");
    world.ask(&join);

    let log = world.log_of("pair");
    let chunks = world
        .storage
        .stored()
        .chunks
        .range((log, 0)..=(log, i64::MAX));
    let ours = chunks.flat_map(|(_, chunk)| Batches::new(chunk.clone()));
    let theirs = Batches::new(SEGMENT.into());
    let bytes = |batch: Result<crate::records::BatchView, _>| batch.unwrap().bytes().clone();
    assert_eq!(kinds(ours.map(bytes)), kinds(theirs.map(bytes)));
}
