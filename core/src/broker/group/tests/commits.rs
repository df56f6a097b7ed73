//! OffsetCommit and OffsetFetch.

use super::*;
use crate::types::Uuid;

/// `validateOffsetCommit`: who is no member may commit while there are none.
#[test]
fn a_simple_group_is_made_by_its_first_commit() {
    let mut world = World::new();
    assert_eq!(world.commit(("g", "", -1), "orders", 0, 5), ErrorCode::NONE);
    assert_eq!(world.committed("g", "orders", 0), 5);
    assert_eq!(world.state_of("g"), "Empty");
    world.restart();
    assert_eq!(world.committed("g", "orders", 0), 5);
    assert_eq!(world.state_of("g"), "Empty");
}

/// `ClassicGroup.validateOffsetCommit`.
#[test]
fn a_member_commits_in_its_generation_only() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    assert_eq!(
        world.commit(("g", &ids[0], 1), "orders", 0, 7),
        ErrorCode::NONE
    );
    assert_eq!(
        world.commit(("g", &ids[0], 0), "orders", 0, 8),
        ErrorCode::ILLEGAL_GENERATION
    );
    assert_eq!(
        world.commit(("g", "other", 1), "orders", 0, 8),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(
        world.commit(("g", "", -1), "orders", 0, 8),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    let (generation, _) = world.rejoin("g", &ids);
    let who = ("g", ids[0].as_str(), generation);
    assert_eq!(
        world.commit(who, "orders", 0, 8),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    assert_eq!(world.committed("g", "orders", 0), 7);
}

/// `KafkaApis.handleOffsetCommitRequest` and `isMetadataInvalid`, partition by partition.
#[test]
fn each_partition_is_refused_alone() {
    let mut world = World::new();
    let mut request = a_commit(("g", "", -1), "orders", &[(0, 1), (9, 2), (1, 3), (2, 4)]);
    let partitions = &mut request.topics[0].partitions;
    partitions[2].committed_metadata = Some("x".repeat(4_096));
    partitions[3].committed_metadata = Some("x".repeat(4_097));
    request.topics.push(
        a_commit(("g", "", -1), "nowhere", &[(0, 1)])
            .topics
            .remove(0),
    );
    let answer = world.ask_in(9, &request);
    let errors: Vec<_> = answer
        .topics
        .iter()
        .flat_map(|t| &t.partitions)
        .map(|p| p.error_code)
        .collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    // What is unknown is said first, as Kafka says it.
    let expected = [
        unknown,
        ErrorCode::NONE,
        ErrorCode::NONE,
        ErrorCode::OFFSET_METADATA_TOO_LARGE,
        unknown,
    ];
    assert_eq!(errors, expected);
    let answer = world.ask_in(9, &a_fetch("g", "orders", &[0, 1, 2]));
    let read: Vec<_> = answer.groups[0].topics[0]
        .partitions
        .iter()
        .map(|p| {
            (
                p.committed_offset,
                p.committed_leader_epoch,
                p.metadata.as_ref().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(read, [(1, 3, 4), (3, 3, 4_096), (-1, -1, 0)]);
}

/// Java measures strings in units of UTF-16.
#[test]
fn metadata_is_measured_as_java_measures_it() {
    let mut world = World::new();
    for (text, error) in [
        ("\u{20ac}".repeat(4_096), ErrorCode::NONE),
        ("\u{1F600}".repeat(2_048), ErrorCode::NONE),
        (
            "\u{1F600}".repeat(2_049),
            ErrorCode::OFFSET_METADATA_TOO_LARGE,
        ),
    ] {
        let mut request = a_commit(("g", "", -1), "orders", &[(0, 1)]);
        request.topics[0].partitions[0].committed_metadata = Some(text.clone());
        let answer = world.ask_in(9, &request);
        assert_eq!(answer.topics[0].partitions[0].error_code, error);
        if error == ErrorCode::NONE {
            let answer = world.ask_in(9, &a_fetch("g", "orders", &[0]));
            let partition = &answer.groups[0].topics[0].partitions[0];
            assert_eq!(partition.metadata.as_deref(), Some(text.as_str()));
        }
    }
}

/// KIP-848's version 10: topics by id.
#[test]
fn version_10_names_topics_by_id() {
    let mut world = World::new();
    let id = world.broker.metadata.topic_by_name("orders").unwrap().id;
    let mut request = a_commit(("g", "", -1), "", &[(0, 5)]);
    request.topics[0].topic_id = id;
    let mut unknown = request.topics[0].clone();
    unknown.topic_id = Uuid([7; 16]);
    request.topics.push(unknown);
    let answer = world.ask_in(10, &request);
    let errors: Vec<_> = answer
        .topics
        .iter()
        .map(|t| (t.topic_id, t.partitions[0].error_code))
        .collect();
    assert_eq!(
        errors,
        [
            (Uuid([7; 16]), ErrorCode::UNKNOWN_TOPIC_ID),
            (id, ErrorCode::NONE)
        ]
    );
    let mut fetch = a_fetch("g", "", &[0]);
    fetch.topics = Some(vec![]);
    fetch.group_id = String::new();
    let topics = fetch.groups[0].topics.as_mut().unwrap();
    topics[0].topic_id = id;
    topics.push(OffsetFetchRequestTopics {
        topic_id: Uuid([7; 16]),
        ..topics[0].clone()
    });
    let answer = world.ask_in(10, &fetch);
    let read: Vec<_> = answer.groups[0]
        .topics
        .iter()
        .map(|t| {
            (
                t.topic_id,
                t.partitions[0].committed_offset,
                t.partitions[0].error_code,
            )
        })
        .collect();
    let expected = [
        (id, 5, ErrorCode::NONE),
        (Uuid([7; 16]), -1, ErrorCode::UNKNOWN_TOPIC_ID),
    ];
    assert_eq!(read, expected);
    fetch.groups[0].topics = None;
    let answer = world.ask_in(10, &fetch);
    assert_eq!(answer.groups[0].topics[0].topic_id, id);
    assert_eq!(
        world.committed("g", "orders", 0),
        5,
        "by name it is the same offset"
    );
}

/// `OffsetMetadataManager.fetchOffsets`: a group that is not there has committed nothing.
#[test]
fn every_version_reads_what_is_committed_and_nothing_where_nothing_is() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 1, 42);
    for version in 1..=9 {
        let mut known = a_fetch("g", "orders", &[0, 1]);
        let mut unknown = a_fetch("no such group", "orders", &[0]);
        for request in [&mut known, &mut unknown] {
            if version >= 8 {
                (request.group_id, request.topics) = (String::new(), Some(vec![]));
            } else {
                request.groups.clear();
            }
        }
        let offsets = |answer: &OffsetFetchResponse| -> Vec<(i64, ErrorCode)> {
            let old = answer.topics.iter().flat_map(|t| &t.partitions);
            let old = old.map(|p| (p.committed_offset, p.error_code));
            let new = answer
                .groups
                .iter()
                .flat_map(|g| &g.topics)
                .flat_map(|t| &t.partitions);
            old.chain(new.map(|p| (p.committed_offset, p.error_code)))
                .collect()
        };
        let answer = world.ask_in(version, &known);
        assert_eq!(
            offsets(&answer),
            [(-1, ErrorCode::NONE), (42, ErrorCode::NONE)]
        );
        let answer = world.ask_in(version, &unknown);
        assert_eq!(
            offsets(&answer),
            [(-1, ErrorCode::NONE)],
            "version {version}"
        );
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
}

/// `fetchAllOffsets`: null topics.
#[test]
fn null_topics_ask_for_everything() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 3, 1);
    world.commit(("g", "", -1), "orders", 1, 2);
    world.commit(("g", "", -1), "other", 0, 3);
    world.commit(("h", "", -1), "other", 0, 4);
    let request = OffsetFetchRequest {
        group_id: "g".into(),
        topics: None,
        ..Default::default()
    };
    let answer = world.ask_in(2, &request);
    let read: Vec<_> = answer
        .topics
        .iter()
        .flat_map(|t| {
            t.partitions
                .iter()
                .map(|p| (&*t.name, p.partition_index, p.committed_offset))
        })
        .collect();
    assert_eq!(read, [("orders", 1, 2), ("orders", 3, 1), ("other", 0, 3)]);
}

/// KIP-709: several groups in one request, each answered by its own coordinator.
#[test]
fn several_groups_are_read_at_once() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 1);
    world.commit(("h", "", -1), "orders", 0, 2);
    let mut request = a_fetch("g", "orders", &[0]);
    request.groups.extend(a_fetch("h", "orders", &[0]).groups);
    request.groups.extend(a_fetch("i", "orders", &[0]).groups);
    (request.group_id, request.topics) = (String::new(), Some(vec![]));
    let answer = world.ask_in(8, &request);
    let read: Vec<_> = answer
        .groups
        .iter()
        .map(|g| (&*g.group_id, g.topics[0].partitions[0].committed_offset))
        .collect();
    assert_eq!(read, [("g", 1), ("h", 2), ("i", -1)]);
}

/// The same if the broker dies between the deletion and the tombstones.
#[test]
fn commits_of_a_deleted_topic_are_dropped_by_recovery_if_need_be() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 5);
    world.writes = Writes::Held;
    let delete = a_deletion("orders");
    let deletion = world.send(&delete);
    // The deletion becomes durable, the tombstones do not.
    world.release_one();
    assert_eq!(
        world.answer(deletion).unwrap().responses[0].error_code,
        ErrorCode::NONE
    );
    assert_eq!(world.records_of("g").len(), 1);
    world.writes = Writes::Done;
    world.restart();
    assert_eq!(world.records_of("g").len(), 2, "the tombstone");
    world.create_topic("orders", 1);
    assert_eq!(world.committed("g", "orders", 0), -1);
}

/// SEMANTICS "Coordinators": what a timer could not write it tries again after 500 ms.
#[test]
fn commits_of_a_deleted_topic_are_dropped_in_the_end() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 5);
    world.writes = Writes::Held;
    world.send(&a_deletion("orders"));
    world.release_one();
    world.release(Writes::Failed);
    assert_eq!(world.committed("g", "orders", 0), 5);
    world.writes = Writes::Done;
    world.pass(2_000);
    assert_eq!(world.committed("g", "orders", 0), -1);
    world.restart();
    assert_eq!(world.committed("g", "orders", 0), -1);
}

fn a_deletion(topic: &str) -> DeleteTopicsRequest {
    DeleteTopicsRequest {
        topics: vec![delete_topics::DeleteTopicState {
            name: Some(topic.into()),
            ..Default::default()
        }],
        timeout_ms: 1_000,
        ..Default::default()
    }
}

/// A commit of many partitions is one batch, and is not slow.
#[test]
fn a_large_commit_is_one_batch() {
    let mut world = World::new();
    world.create_topic("wide", 1_000);
    let offsets: Vec<(i32, i64)> = (0..1_000).map(|p| (p, i64::from(p))).collect();
    world.writes = Writes::Held;
    world.send_in(9, &a_commit(("g", "", -1), "wide", &offsets));
    assert_eq!(world.writes_waiting(), 1);
    world.release(Writes::Done);
    assert_eq!(world.committed("g", "wide", 999), 999);
    assert_eq!(world.records_of("g").len(), 1_000);
}
