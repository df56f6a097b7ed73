//! Describing, listing and deleting groups and offsets.

use super::*;

fn deleted(world: &mut World, groups: &[&str]) -> Vec<(String, ErrorCode)> {
    let request = DeleteGroupsRequest {
        groups_names: groups.iter().map(|&group| group.to_owned()).collect(),
    };
    let answer = world.ask(&request);
    answer
        .results
        .into_iter()
        .map(|result| (result.group_id, result.error_code))
        .collect()
}

fn listed(world: &mut World, states: &[&str], types: &[&str]) -> Vec<String> {
    let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let request = ListGroupsRequest {
        states_filter: own(states),
        types_filter: own(types),
    };
    let answer = world.ask(&request);
    assert_eq!(answer.error_code, ErrorCode::NONE);
    let mut ids: Vec<String> = answer
        .groups
        .into_iter()
        .map(|group| group.group_id)
        .collect();
    ids.sort();
    ids
}

/// `describeGroups`: metadata while the group is Stable, and for members that are there.
#[test]
fn a_group_is_described_in_each_state() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    let request = DescribeGroupsRequest {
        groups: vec!["g".into()],
        include_authorized_operations: true,
    };
    let group = world.ask(&request).groups.remove(0);
    assert_eq!(
        group.authorized_operations, 0b1101_0100_1000,
        "all that a group allows"
    );
    assert_eq!(group.members[0].client_id, "harness");
    assert_eq!(
        group.members[0].member_metadata,
        subscription_to(&["orders"])
    );
    world.rejoin("g", &ids);
    let group = world.ask(&request).groups.remove(0);
    let said = (group.group_state.as_str(), group.protocol_type.as_str());
    assert_eq!(said, ("CompletingRebalance", "consumer"));
    assert_eq!((group.protocol_data.as_str(), group.members.len()), ("", 1));
    assert!(group.members[0].member_metadata.is_empty());
}

/// KIP-518 and KIP-848: filters by state and type, whatever their case.
#[test]
fn groups_are_listed_by_state_and_type() {
    let mut world = World::new();
    world.a_group("stable", 1);
    world.commit(("simple", "", -1), "orders", 0, 1);
    assert_eq!(listed(&mut world, &[], &[]), ["simple", "stable"]);
    assert_eq!(listed(&mut world, &["STABLE "], &[]), ["stable"]);
    assert_eq!(
        listed(&mut world, &["Empty", "Stable"], &["Classic"]),
        ["simple", "stable"]
    );
    assert_eq!(listed(&mut world, &["Dead"], &[]), [""; 0]);
    assert_eq!(listed(&mut world, &[], &["consumer"]), [""; 0]);
    let answer = world.ask(&ListGroupsRequest::default());
    let simple = answer
        .groups
        .iter()
        .find(|group| group.group_id == "simple")
        .unwrap();
    assert_eq!(
        (simple.protocol_type.as_str(), simple.group_type.as_str()),
        ("", "classic")
    );
}

/// SEMANTICS: readers see a group when its making is durable.
#[test]
fn a_group_shows_when_it_is_durable() {
    let mut world = World::new();
    world.writes = Writes::Held;
    let join = world.a_join("g", "");
    assert_eq!(world.ask(&join).error_code, ErrorCode::MEMBER_ID_REQUIRED);
    assert_eq!(world.state_of("g"), "Dead");
    assert_eq!(listed(&mut world, &[], &[]), [""; 0]);
    world.release(Writes::Done);
    assert_eq!(world.state_of("g"), "Empty");
    assert_eq!(listed(&mut world, &[], &[]), ["g"]);
}

/// KIP-229: `deleteGroups`.
#[test]
fn a_group_without_members_is_deleted_with_its_offsets() {
    let mut world = World::new();
    world.a_group("busy", 1);
    world.commit(("idle", "", -1), "orders", 0, 1);
    world.commit(("idle", "", -1), "orders", 1, 1);
    let results = deleted(&mut world, &["busy", "idle", "nowhere", "idle"]);
    let expected = [
        ("busy".to_owned(), ErrorCode::NON_EMPTY_GROUP),
        ("idle".to_owned(), ErrorCode::NONE),
        ("nowhere".to_owned(), ErrorCode::GROUP_ID_NOT_FOUND),
    ];
    assert_eq!(results, expected);
    assert_eq!(world.committed("idle", "orders", 0), -1);
    world.restart();
    assert_eq!(listed(&mut world, &[], &[]), ["busy"]);
    assert_eq!(world.committed("idle", "orders", 1), -1);
}

/// A deletion answers when it is durable, and until then nobody reads it; a commit counts it.
#[test]
fn a_deletion_is_pending_until_it_is_durable() {
    let mut world = World::new();
    world.commit(("g", "", -1), "orders", 0, 1);
    world.writes = Writes::Held;
    let request = DeleteGroupsRequest {
        groups_names: vec!["g".into()],
    };
    let first = world.send(&request);
    let second = world.send(&request);
    assert_eq!(world.answer(first), None);
    let answer = world.answer(second).unwrap();
    assert_eq!(
        answer.results[0].error_code,
        ErrorCode::GROUP_ID_NOT_FOUND,
        "it is going"
    );
    assert_eq!(world.committed("g", "orders", 0), 1);
    let commit = world.send_in(9, &a_commit(("g", "", -1), "orders", &[(1, 2)]));
    world.release(Writes::Done);
    assert_eq!(
        world.answer(first).unwrap().results[0].error_code,
        ErrorCode::NONE
    );
    assert!(world.answer(commit).is_some());
    assert_eq!(world.committed("g", "orders", 0), -1);
    assert_eq!(
        world.committed("g", "orders", 1),
        2,
        "a new group of that name"
    );
}

/// KIP-496: `deleteOffsets`.
#[test]
fn offsets_of_topics_that_are_consumed_cannot_be_deleted() {
    let mut world = World::new();
    let ids = world.a_group("g", 1);
    world.commit(("g", &ids[0], 1), "orders", 0, 1);
    world.commit(("g", &ids[0], 1), "other", 0, 1);
    let topic = |name: &str, partitions: &[i32]| offset_delete::OffsetDeleteRequestTopic {
        name: name.into(),
        partitions: partitions
            .iter()
            .map(|&partition_index| offset_delete::OffsetDeleteRequestPartition { partition_index })
            .collect(),
    };
    let mut request = OffsetDeleteRequest {
        group_id: "g".into(),
        topics: vec![
            topic("orders", &[0, 9]),
            topic("other", &[7, 0]),
            topic("nowhere", &[0]),
        ],
    };
    let answer = world.ask(&request);
    let errors: Vec<_> = answer
        .topics
        .iter()
        .flat_map(|t| {
            t.partitions
                .iter()
                .map(|p| (&*t.name, p.partition_index, p.error_code))
        })
        .collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let expected = [
        ("orders", 0, ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC),
        ("orders", 9, unknown),
        ("other", 7, unknown),
        ("other", 0, ErrorCode::NONE),
        ("nowhere", 0, unknown),
    ];
    assert_eq!(errors, expected);
    assert_eq!(world.committed("g", "orders", 0), 1);
    assert_eq!(world.committed("g", "other", 0), -1);
    request.group_id = "no such group".into();
    assert_eq!(
        world.ask(&request).error_code,
        ErrorCode::GROUP_ID_NOT_FOUND
    );
    request.group_id = String::new();
    assert_eq!(world.ask(&request).error_code, ErrorCode::INVALID_GROUP_ID);
}

/// `ClassicGroup.validateOffsetDelete` for members that are no consumers.
#[test]
fn offsets_of_other_kinds_of_groups_stay_while_there_are_members() {
    let mut world = World::new();
    let mut join = world.a_join("g", "");
    join.protocol_type = "connect".into();
    let sent = world.send_in(3, &join);
    world.pass(0);
    assert!(world.answer(sent).is_some());
    let request = OffsetDeleteRequest {
        group_id: "g".into(),
        topics: vec![],
    };
    assert_eq!(world.ask(&request).error_code, ErrorCode::NON_EMPTY_GROUP);
}
