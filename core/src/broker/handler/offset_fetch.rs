//! OffsetFetch (key 9), versions 1 to 10: what groups have committed.
//!
//! A partition without a commit answers -1 without error; so does every partition of a group that
//! does not exist. Null topics (version 2 up) ask for all. Version 8 asks for several groups
//! (KIP-709); version 10 names topics by id (KIP-848), and answers an unknown one with
//! `UNKNOWN_TOPIC_ID`. With `require_stable` (version 7 up, KIP-447) the answer counts commits that
//! are not durable yet, and leaves when they are.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::Context;
use crate::broker::group::{Commit, Committed};
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponseGroup,
    OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use crate::protocol::messages::{OffsetFetchRequest, OffsetFetchResponse};
use crate::sabotage::{Rule, broken};
use crate::types::Uuid;

/// Reads each group's offsets, and waits for writes if they must be stable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: OffsetFetchRequest) {
    let (id, version) = (context.id, context.version);
    let stable = request.require_stable;
    let groups = groups_of(request, version);
    broker.describe_request(id, |_| {
        let names: Vec<&str> = groups.iter().map(|group| group.group_id.as_str()).collect();
        names.join(", ")
    });
    let mut answers = Vec::with_capacity(groups.len());
    let mut writes = Vec::with_capacity(groups.len());
    for group in &groups {
        let (answer, write) = fetch(broker, version, group, stable);
        answers.push(answer);
        writes.push(write);
    }
    if !stable {
        return respond(broker, id, version, answers);
    }
    broker.after_group_writes(
        writes,
        Box::new(move |broker, outcomes| {
            for ((group, answer), outcome) in groups.iter().zip(&mut answers).zip(outcomes) {
                if outcome.is_err() {
                    // Whatever it was: clients before 3.9 know no other error that they may retry.
                    *answer = refusal(group, version, ErrorCode::NOT_COORDINATOR);
                }
            }
            respond(broker, id, version, answers);
        }),
    );
}

/// The groups asked for, in the form of version 8 up.
fn groups_of(request: OffsetFetchRequest, version: i16) -> Vec<OffsetFetchRequestGroup> {
    if version >= 8 {
        return request.groups;
    }
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..OffsetFetchRequestTopics::default()
        });
        topics.collect()
    });
    vec![OffsetFetchRequestGroup {
        group_id: request.group_id,
        topics,
        ..OffsetFetchRequestGroup::default()
    }]
}

/// A group's answer, and the coordinator whose write makes it stable (or that there is none).
fn fetch(
    broker: &mut Broker,
    version: i16,
    group: &OffsetFetchRequestGroup,
    stable: bool,
) -> (OffsetFetchResponseGroup, Result<i32, Result<(), ErrorCode>>) {
    let partition = match broker.coordinator_of(&group.group_id) {
        Ok(partition) => partition,
        Err(error) => return (refusal(group, version, error), Err(Ok(()))),
    };
    let latest = stable || broken(Rule::ReadersSeeDurableOffsets);
    let committed = broker.committed(partition, &group.group_id, latest);
    let topics = match &group.topics {
        Some(topics) => {
            let topics = topics.iter();
            topics
                .map(|topic| fetch_topic(broker, version, &committed, topic))
                .collect()
        }
        None => fetch_all(broker, version, &committed),
    };
    let answer = OffsetFetchResponseGroup {
        group_id: group.group_id.clone(),
        topics,
        error_code: ErrorCode::NONE,
    };
    (answer, Ok(partition))
}

fn fetch_topic(
    broker: &Broker,
    version: i16,
    committed: &Committed<'_>,
    topic: &OffsetFetchRequestTopics,
) -> OffsetFetchResponseTopics {
    let known = if version >= 10 {
        broker.metadata.topic_by_id(topic.topic_id)
    } else {
        broker.metadata.topic_by_name(&topic.name)
    };
    let name: Arc<str> = match known {
        Some(known) => known.name.as_str().into(),
        None => topic.name.as_str().into(),
    };
    let id = known.map_or(Uuid::ZERO, |known| known.id);
    let unknown = version >= 10 && known.is_none();
    let partitions = topic.partition_indexes.iter().map(|&partition| {
        if unknown {
            return no_offset(partition, ErrorCode::UNKNOWN_TOPIC_ID);
        }
        match committed.get(&name, id, partition) {
            Some(commit) => offset(partition, commit),
            None => no_offset(partition, ErrorCode::NONE),
        }
    });
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions.collect(),
    }
}

/// Every topic with a commit. By id (version 10 up) those that are no more cannot be named.
fn fetch_all(
    broker: &Broker,
    version: i16,
    committed: &Committed<'_>,
) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: Vec<OffsetFetchResponseTopics> = Vec::new();
    for (key, commit) in committed.all() {
        let known = broker.metadata.topic_by_name(&key.topic);
        let id = known.map_or(Uuid::ZERO, |known| known.id);
        let of_an_older_topic =
            !id.is_zero() && !commit.topic_id.is_zero() && commit.topic_id != id;
        if of_an_older_topic || (version >= 10 && id.is_zero()) {
            continue;
        }
        if topics.last().is_none_or(|last| *last.name != *key.topic) {
            topics.push(OffsetFetchResponseTopics {
                name: key.topic.to_string(),
                topic_id: id,
                partitions: Vec::new(),
            });
        }
        if let Some(last) = topics.last_mut() {
            last.partitions.push(offset(key.partition, &commit));
        }
    }
    topics
}

fn offset(partition_index: i32, commit: &Commit) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: commit.offset,
        committed_leader_epoch: commit.leader_epoch,
        metadata: Some(commit.metadata.to_string()),
        error_code: ErrorCode::NONE,
    }
}

fn no_offset(partition_index: i32, error_code: ErrorCode) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(String::new()),
        error_code,
    }
}

/// A group's answer when all of it failed. Version 1 has errors for partitions only.
fn refusal(
    group: &OffsetFetchRequestGroup,
    version: i16,
    error_code: ErrorCode,
) -> OffsetFetchResponseGroup {
    let mut topics = Vec::new();
    if version < 2 {
        for topic in group.topics.iter().flatten() {
            let partitions = topic.partition_indexes.iter();
            topics.push(OffsetFetchResponseTopics {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: partitions
                    .map(|&index| no_offset(index, error_code))
                    .collect(),
            });
        }
    }
    OffsetFetchResponseGroup {
        group_id: group.group_id.clone(),
        topics,
        error_code,
    }
}

fn respond(
    broker: &mut Broker,
    id: RequestId,
    version: i16,
    mut groups: Vec<OffsetFetchResponseGroup>,
) {
    for group in &groups {
        broker.note_error(id, group.error_code);
        for partition in group.topics.iter().flat_map(|topic| &topic.partitions) {
            broker.note_error(id, partition.error_code);
        }
    }
    let mut response = OffsetFetchResponse::default();
    if version >= 8 {
        response.groups = groups;
    } else if let Some(group) = groups.pop() {
        response.error_code = group.error_code;
        response.topics = group.topics.into_iter().map(as_before_version_8).collect();
    }
    broker.respond(id, &response);
}

fn as_before_version_8(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic
        .partitions
        .into_iter()
        .map(|partition| OffsetFetchResponsePartition {
            partition_index: partition.partition_index,
            committed_offset: partition.committed_offset,
            committed_leader_epoch: partition.committed_leader_epoch,
            metadata: partition.metadata,
            error_code: partition.error_code,
        });
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: partitions.collect(),
    }
}
