//! OffsetCommit, OffsetFetch and OffsetDelete.

use partita_core::protocol::messages::create_topics::CreatableTopic;
use partita_core::protocol::messages::delete_topics::DeleteTopicState;
use partita_core::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use partita_core::protocol::messages::offset_delete::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use partita_core::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use partita_core::protocol::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest, OffsetFetchResponse,
};
use partita_core::types::Uuid;

use super::members::{join, sync};
use super::scribe::Scribe;

/// An id that no topic has.
const UNKNOWN: Uuid = Uuid(*b"0123456789abcdef");

pub(super) fn ask(scribe: &mut Scribe) {
    let id = scribe.create("plain", 2, &[]);
    for version in 2..=10 {
        commits(scribe, version, id);
    }
    for version in 1..=10 {
        fetches(scribe, version, id);
    }
    deletes(scribe);
    deleted_topic(scribe);
}

fn partition(
    partition_index: i32,
    offset: i64,
    metadata: Option<String>,
) -> OffsetCommitRequestPartition {
    OffsetCommitRequestPartition {
        partition_index,
        committed_offset: offset,
        committed_leader_epoch: 0,
        committed_metadata: metadata,
    }
}

/// A commit without a member, of partition 0 and what else is to be.
fn commit(
    group: &str,
    topic: &str,
    id: Uuid,
    partitions: Vec<OffsetCommitRequestPartition>,
) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: group.to_owned(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.to_owned(),
            topic_id: id,
            partitions,
        }],
        ..OffsetCommitRequest::default()
    }
}

fn commits(scribe: &mut Scribe, version: i16, id: Uuid) {
    let group = scribe.group(&format!("none-{version}"));
    let (plain, unknown) = (scribe.name("plain"), scribe.name("unknown"));
    let one = |offset| vec![partition(0, offset, Some("note".to_owned()))];
    let base = commit(&group, &plain, id, one(1));
    scribe.ask("commit without members", version, &base);
    let with_unknown = vec![
        partition(0, 2, None),
        partition(9, 2, None),
        partition(-1, 2, None),
    ];
    let request = commit(&group, &plain, id, with_unknown);
    scribe.ask("commit of unknown partitions", version, &request);
    let request = commit(&group, &unknown, UNKNOWN, one(1));
    scribe.ask("commit of an unknown topic", version, &request);
    for size in [4_096, 4_097] {
        let long = vec![partition(1, 3, Some("x".repeat(size)))];
        let request = commit(&group, &plain, id, long);
        scribe.ask(
            &format!("commit with metadata of {size}"),
            version,
            &request,
        );
    }
    for offset in [0, -1, -2, i64::MAX] {
        let request = commit(&group, &plain, id, one(offset));
        scribe.ask(&format!("commit of offset {offset}"), version, &request);
    }
    let mut request = base.clone();
    request.topics.clear();
    scribe.ask("commit of nothing", version, &request);
    request = base.clone();
    request.group_id.clear();
    scribe.ask("commit of no group", version, &request);
    let as_member = |what: &str,
                     scribe: &mut Scribe,
                     group: &str,
                     member: &str,
                     generation,
                     instance: Option<&str>| {
        let mut request = commit(group, &plain, id, one(5));
        request.member_id = member.to_owned();
        request.generation_id_or_member_epoch = generation;
        request.group_instance_id = instance.map(str::to_owned);
        scribe.ask(what, version, &request);
    };
    as_member(
        "commit of a generation, no member",
        scribe,
        &group,
        "",
        0,
        None,
    );
    as_member(
        "commit of an unknown member",
        scribe,
        &group,
        "nobody",
        1,
        None,
    );
    as_member(
        "commit of a member without generation",
        scribe,
        &group,
        "nobody",
        -1,
        None,
    );
    let new = scribe.group(&format!("new-{version}"));
    as_member("commit in a new group", scribe, &new, "nobody", 1, None);
    as_member("commit of generation -2", scribe, &new, "", -2, None);
    let (group, member, generation) = scribe.stable_group(&format!("some-{version}"));
    let mut at = |what: &str, member: &str, generation, instance| {
        let what = format!("commit with members, {what}");
        as_member(&what, scribe, &group, member, generation, instance);
    };
    at("right", &member, generation, None);
    at("no member", "", -1, None);
    at("no generation", &member, -1, None);
    at("old generation", &member, generation - 1, None);
    at("next generation", &member, generation + 1, None);
    at("unknown member", "nobody", generation, None);
    if version >= 7 {
        at("unknown instance", &member, generation, Some("nobody"));
    }
    // It joins again and has not its assignment yet.
    let joined = scribe.call(9, &join(&group, &member)).unwrap();
    let generation = joined.generation_id;
    as_member(
        "commit while completing",
        scribe,
        &group,
        &member,
        generation,
        None,
    );
    as_member(
        "commit while completing, no member",
        scribe,
        &group,
        "",
        -1,
        None,
    );
    let synced = scribe.call(5, &sync(&group, generation, &member, &[]));
    assert!(synced.unwrap().error_code.is_none());
    as_member(
        "commit when stable again",
        scribe,
        &group,
        &member,
        generation,
        None,
    );
    if version >= 7 {
        let group = scribe.group(&format!("static-{version}"));
        let mut join = join(&group, "");
        join.group_instance_id = Some("instance".to_owned());
        let first = scribe.joined(&join).member_id;
        let second = scribe.joined(&join);
        let generation = second.generation_id;
        let instance = Some("instance");
        as_member(
            "commit of a fenced instance",
            scribe,
            &group,
            &first,
            generation,
            instance,
        );
        as_member(
            "commit of a replaced member",
            scribe,
            &group,
            &first,
            generation,
            None,
        );
    }
}

/// Fetches in the form of the version: groups one at a time, or many.
fn fetch(
    version: i16,
    group: &str,
    topics: Option<Vec<(String, Uuid, Vec<i32>)>>,
) -> OffsetFetchRequest {
    if version < 8 {
        let topic = |(name, _, partition_indexes)| OffsetFetchRequestTopic {
            name,
            partition_indexes,
        };
        return OffsetFetchRequest {
            group_id: group.to_owned(),
            topics: topics.map(|topics| topics.into_iter().map(topic).collect()),
            ..OffsetFetchRequest::default()
        };
    }
    let topic = |(name, topic_id, partition_indexes)| OffsetFetchRequestTopics {
        name,
        topic_id,
        partition_indexes,
    };
    OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.to_owned(),
            topics: topics.map(|topics| topics.into_iter().map(topic).collect()),
            ..OffsetFetchRequestGroup::default()
        }],
        ..OffsetFetchRequest::default()
    }
}

/// Asks; where all of a group is asked for, Kafka answers in the order of a hash map.
fn ask_fetch(scribe: &mut Scribe, what: &str, version: i16, request: &OffsetFetchRequest) {
    let response = scribe
        .call(version, request)
        .map(|mut response: OffsetFetchResponse| {
            for topic in &mut response.topics {
                topic
                    .partitions
                    .sort_by_key(|partition| partition.partition_index);
            }
            for topic in response
                .groups
                .iter_mut()
                .flat_map(|group| &mut group.topics)
            {
                topic
                    .partitions
                    .sort_by_key(|partition| partition.partition_index);
            }
            format!("{response:?}").replace(&"x".repeat(4_096), "x*4096")
        });
    scribe.note(what, version, response);
}

fn fetches(scribe: &mut Scribe, version: i16, id: Uuid) {
    let group = scribe.group(&format!("fetched-{version}"));
    let (plain, unknown) = (scribe.name("plain"), scribe.name("unknown"));
    let committed = vec![
        partition(0, 7, Some("x".repeat(4_096))),
        partition(1, 8, None),
    ];
    let committed = scribe
        .call(9, &commit(&group, &plain, id, committed))
        .unwrap();
    assert!(
        committed.topics[0]
            .partitions
            .iter()
            .all(|p| p.error_code.is_none())
    );
    let of_plain = |partitions| Some(vec![(plain.clone(), id, partitions)]);
    let of_unknown = || Some(vec![(unknown.clone(), UNKNOWN, vec![0])]);
    let mut ask = |what: &str, request: &OffsetFetchRequest| {
        ask_fetch(scribe, what, version, request);
    };
    ask("fetch", &fetch(version, &group, of_plain(vec![0, 1, 9])));
    ask(
        "fetch of an unknown topic",
        &fetch(version, &group, of_unknown()),
    );
    ask("fetch of nothing", &fetch(version, &group, Some(vec![])));
    ask(
        "fetch of no partitions",
        &fetch(version, &group, of_plain(vec![])),
    );
    ask("fetch twice", &fetch(version, &group, of_plain(vec![1, 1])));
    ask("fetch of no group", &fetch(version, "", of_plain(vec![0])));
    if version >= 2 {
        ask("fetch of all", &fetch(version, &group, None));
    }
    if version >= 7 {
        let mut stable = fetch(version, &group, of_plain(vec![0]));
        stable.require_stable = true;
        ask("fetch of what is stable", &stable);
    }
    if version >= 9 {
        for (member, epoch) in [
            (Some("nobody"), -1),
            (Some("nobody"), 3),
            (None, 3),
            (Some(""), 0),
        ] {
            let mut request = fetch(version, &group, of_plain(vec![0]));
            request.groups[0].member_id = member.map(str::to_owned);
            request.groups[0].member_epoch = epoch;
            ask(&format!("fetch as {member:?} of epoch {epoch}"), &request);
        }
    }
    let new = scribe.group(&format!("never-{version}"));
    let mut request = fetch(version, &new, of_plain(vec![0, 9]));
    ask_fetch(scribe, "fetch of an unknown group", version, &request);
    if version >= 2 {
        let all = fetch(version, &new, None);
        ask_fetch(scribe, "fetch of all of an unknown group", version, &all);
    }
    if version >= 8 {
        request
            .groups
            .extend(fetch(version, &group, of_plain(vec![1])).groups);
        ask_fetch(scribe, "fetch of two groups", version, &request);
        request.groups.clear();
        ask_fetch(scribe, "fetch of no groups", version, &request);
    }
}

fn delete(group: &str, topic: &str, partitions: &[i32]) -> OffsetDeleteRequest {
    OffsetDeleteRequest {
        group_id: group.to_owned(),
        topics: vec![OffsetDeleteRequestTopic {
            name: topic.to_owned(),
            partitions: partitions
                .iter()
                .map(|&partition_index| OffsetDeleteRequestPartition { partition_index })
                .collect(),
        }],
    }
}

fn deletes(scribe: &mut Scribe) {
    let (group, plain, unknown) = (
        scribe.group("fetched-9"),
        scribe.name("plain"),
        scribe.name("unknown"),
    );
    let never = scribe.group("never-9");
    scribe.ask(
        "delete of an unknown group",
        0,
        &delete(&never, &plain, &[0]),
    );
    scribe.ask("delete of no group", 0, &delete("", &plain, &[0]));
    scribe.ask(
        "delete of an unknown topic",
        0,
        &delete(&group, &unknown, &[0]),
    );
    scribe.ask(
        "delete of an unknown partition",
        0,
        &delete(&group, &plain, &[9]),
    );
    scribe.ask("delete", 0, &delete(&group, &plain, &[0]));
    scribe.ask("delete again", 0, &delete(&group, &plain, &[0]));
    scribe.ask("delete of nothing", 0, &delete(&group, &plain, &[]));
    let all = fetch(9, &group, None);
    ask_fetch(scribe, "fetch of all after the delete", 9, &all);
    // A member of this group subscribes to `plain`, by its plain name.
    let (group, _, _) = scribe.stable_group("subscribed");
    scribe.ask("delete with members", 0, &delete(&group, &plain, &[0]));
}

/// With a topic go the offsets committed for it.
fn deleted_topic(scribe: &mut Scribe) {
    let id = scribe.create("short", 1, &[]);
    let (group, short) = (scribe.group("fetched-8"), scribe.name("short"));
    let committed = vec![partition(0, 7, None)];
    let committed = scribe
        .call(9, &commit(&group, &short, id, committed))
        .unwrap();
    assert!(committed.topics[0].partitions[0].error_code.is_none());
    let request = fetch(9, &group, Some(vec![(short.clone(), id, vec![0])]));
    ask_fetch(scribe, "fetch before the topic's end", 9, &request);
    let gone = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            name: Some(short.clone()),
            ..DeleteTopicState::default()
        }],
        timeout_ms: 5_000,
        ..DeleteTopicsRequest::default()
    };
    scribe.ask("topic deleted", 6, &gone);
    scribe.peer.settle(1_000);
    ask_fetch(scribe, "fetch after the topic's end", 9, &request);
    let again = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: short.clone(),
            num_partitions: 1,
            replication_factor: 1,
            ..CreatableTopic::default()
        }],
        timeout_ms: 5_000,
        ..CreateTopicsRequest::default()
    };
    assert!(
        scribe.call(7, &again).unwrap().topics[0]
            .error_code
            .is_none()
    );
    scribe.await_topic(&short, 1);
    ask_fetch(scribe, "fetch of the topic's successor", 9, &request);
}
