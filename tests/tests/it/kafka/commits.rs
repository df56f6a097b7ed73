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
        commits_of_members(scribe, version, id);
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
    for first_known in [true, false] {
        let mut request = commit(&group, &plain, id, one(1));
        let unknown = commit(&group, &unknown, UNKNOWN, one(1)).topics.remove(0);
        let at = usize::from(first_known);
        request.topics.insert(at, unknown);
        let what = format!("commit of two topics, the first known: {first_known}");
        scribe.ask(&what.replace(": ", " "), version, &request);
    }
    let mut request = commit(&group, &plain, id, one(1));
    let again = request.topics[0].clone();
    request.topics.push(again);
    scribe.ask("commit of one topic twice", version, &request);
    let request = commit(&group, &plain, id, [one(1), one(2)].concat());
    scribe.ask("commit of one partition twice", version, &request);
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
}

/// Who commits: a member of a group, by its id and generation.
struct Committer<'a> {
    group: &'a str,
    member: &'a str,
    generation: i32,
}

impl Committer<'_> {
    fn ask(&self, scribe: &mut Scribe, what: &str, version: i16, id: Uuid) {
        self.ask_as(scribe, what, version, id, None);
    }

    fn ask_as(
        &self,
        scribe: &mut Scribe,
        what: &str,
        version: i16,
        id: Uuid,
        instance: Option<&str>,
    ) {
        let one = vec![partition(0, 5, Some("note".to_owned()))];
        let mut request = commit(self.group, &scribe.name("plain"), id, one);
        request.member_id = self.member.to_owned();
        request.generation_id_or_member_epoch = self.generation;
        request.group_instance_id = instance.map(str::to_owned);
        scribe.ask(&format!("commit {what}"), version, &request);
    }
}

/// Members commit, and those who say they are.
fn commits_of_members(scribe: &mut Scribe, version: i16, id: Uuid) {
    let group = scribe.group(&format!("none-{version}"));
    let in_group = |group, member, generation| Committer {
        group,
        member,
        generation,
    };
    in_group(&group, "", 0).ask(scribe, "of a generation, no member", version, id);
    in_group(&group, "nobody", 1).ask(scribe, "of an unknown member", version, id);
    in_group(&group, "nobody", -1).ask(scribe, "of a member without generation", version, id);
    let new = scribe.group(&format!("new-{version}"));
    in_group(&new, "nobody", 1).ask(scribe, "in a new group", version, id);
    in_group(&new, "", -2).ask(scribe, "of generation -2", version, id);
    let (group, member, generation) = scribe.stable_group(&format!("some-{version}"));
    for (what, member, generation) in [
        ("right", member.as_str(), generation),
        ("no member", "", -1),
        ("no generation", &member, -1),
        ("old generation", &member, generation - 1),
        ("next generation", &member, generation + 1),
        ("unknown member", "nobody", generation),
    ] {
        let what = format!("with members, {what}");
        in_group(&group, member, generation).ask(scribe, &what, version, id);
    }
    if version >= 7 {
        let unknown = Some("nobody");
        let what = "with members, unknown instance";
        in_group(&group, &member, generation).ask_as(scribe, what, version, id, unknown);
    }
    // It joins again and has not its assignment yet.
    let joined = scribe.call(9, &join(&group, &member)).unwrap();
    let generation = joined.generation_id;
    in_group(&group, &member, generation).ask(scribe, "while completing", version, id);
    in_group(&group, "", -1).ask(scribe, "while completing, no member", version, id);
    let synced = scribe.call(5, &sync(&group, generation, &member, &[]));
    assert!(synced.unwrap().error_code.is_none());
    in_group(&group, &member, generation).ask(scribe, "when stable again", version, id);
    if version >= 7 {
        let group = scribe.group(&format!("static-{version}"));
        let mut join = join(&group, "");
        join.group_instance_id = Some("instance".to_owned());
        let first = scribe.joined(&join).member_id;
        let generation = scribe.joined(&join).generation_id;
        let replaced = in_group(&group, &first, generation);
        replaced.ask_as(
            scribe,
            "of a fenced instance",
            version,
            id,
            Some("instance"),
        );
        replaced.ask(scribe, "of a replaced member", version, id);
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
