//! OffsetFetch and OffsetCommit in all their versions: one group or several, topics by name or by
//! id. Where the id of a topic is not known, the last version that has names is used.

use crate::sorted::SortedMap;

use super::super::cluster::Metadata;
use super::super::error::ClientError;
use super::event::OffsetToCommit;
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use crate::protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
};
use crate::types::{TopicPartition, Uuid};

/// The last version of both that has names in place of topic ids.
const LAST_WITH_NAMES: i16 = 9;

/// A request, and the highest version that can carry it.
#[derive(Debug)]
pub(super) struct Capped<R> {
    pub(super) message: R,
    pub(super) max_version: Option<i16>,
}

/// Asks for what a group has committed for these partitions.
pub(super) fn offset_fetch<'a>(
    group_id: &str,
    partitions: impl Iterator<Item = &'a TopicPartition>,
    metadata: &Metadata,
) -> Capped<OffsetFetchRequest> {
    let mut topics: Vec<OffsetFetchRequestTopics> = Vec::new();
    for TopicPartition { topic, partition } in partitions {
        match topics.last_mut() {
            Some(last) if last.name == *topic => last.partition_indexes.push(*partition),
            _ => topics.push(OffsetFetchRequestTopics {
                name: topic.clone(),
                topic_id: topic_id(metadata, topic),
                partition_indexes: vec![*partition],
            }),
        }
    }
    let max_version = cap(topics.iter().map(|topic| topic.topic_id));
    let single = topics.iter().map(|topic| OffsetFetchRequestTopic {
        name: topic.name.clone(),
        partition_indexes: topic.partition_indexes.clone(),
    });
    let message = OffsetFetchRequest {
        group_id: group_id.to_owned(),
        topics: Some(single.collect()),
        groups: vec![OffsetFetchRequestGroup {
            group_id: group_id.to_owned(),
            topics: Some(topics),
            ..OffsetFetchRequestGroup::default()
        }],
        require_stable: true,
    };
    Capped {
        message,
        max_version,
    }
}

/// The committed offset of each partition, negative if there is none, or what is wrong with it.
pub(super) type CommittedOffsets = SortedMap<TopicPartition, Result<i64, ErrorCode>>;

/// Reads the answer to [`offset_fetch`].
///
/// # Errors
/// The group's own error.
pub(super) fn committed_offsets(
    response: OffsetFetchResponse,
    version: i16,
    metadata: &Metadata,
) -> Result<CommittedOffsets, ClientError> {
    let mut found = CommittedOffsets::new();
    let mut take = |name: &str, partition: i32, code: ErrorCode, offset: i64| {
        let result = if code.is_error() {
            Err(code)
        } else {
            Ok(offset)
        };
        found.insert(TopicPartition::new(name, partition), result);
    };
    let code = match response.groups.first() {
        Some(group) => group.error_code,
        None => response.error_code,
    };
    if code.is_error() {
        return Err(ClientError::protocol(code));
    }
    for topic in response.topics {
        for it in topic.partitions {
            take(
                &topic.name,
                it.partition_index,
                it.error_code,
                it.committed_offset,
            );
        }
    }
    for topic in response.groups.into_iter().flat_map(|group| group.topics) {
        let Some(name) = name_of(version, &topic.name, topic.topic_id, metadata) else {
            continue;
        };
        for it in topic.partitions {
            take(name, it.partition_index, it.error_code, it.committed_offset);
        }
    }
    Ok(found)
}

/// Who commits: a member in its generation, or nobody (−1 and no id).
#[derive(Debug)]
pub(super) struct Committer<'a> {
    pub(super) group_id: &'a str,
    pub(super) member_id: &'a str,
    pub(super) group_instance_id: Option<&'a str>,
    pub(super) generation: i32,
}

/// Commits offsets.
pub(super) fn offset_commit(
    committer: &Committer<'_>,
    offsets: &[OffsetToCommit],
    metadata: &Metadata,
) -> Capped<OffsetCommitRequest> {
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for it in offsets {
        let partition = OffsetCommitRequestPartition {
            partition_index: it.partition.partition,
            committed_offset: it.offset,
            committed_leader_epoch: -1,
            committed_metadata: it.metadata.clone(),
        };
        let name = &it.partition.topic;
        match topics.iter_mut().rev().find(|topic| topic.name == *name) {
            Some(topic) => topic.partitions.push(partition),
            None => topics.push(OffsetCommitRequestTopic {
                name: name.clone(),
                topic_id: topic_id(metadata, name),
                partitions: vec![partition],
            }),
        }
    }
    let max_version = cap(topics.iter().map(|topic| topic.topic_id));
    let message = OffsetCommitRequest {
        group_id: committer.group_id.to_owned(),
        generation_id_or_member_epoch: committer.generation,
        member_id: committer.member_id.to_owned(),
        group_instance_id: committer.group_instance_id.map(str::to_owned),
        topics,
        ..OffsetCommitRequest::default()
    };
    Capped {
        message,
        max_version,
    }
}

/// How each partition's commit went, by the answer to [`offset_commit`].
pub(super) fn commit_results(
    response: OffsetCommitResponse,
    version: i16,
    metadata: &Metadata,
) -> Vec<(TopicPartition, ErrorCode)> {
    let mut results = Vec::new();
    for topic in response.topics {
        let Some(name) = name_of(version, &topic.name, topic.topic_id, metadata) else {
            continue;
        };
        let partitions = topic.partitions.into_iter();
        results.extend(
            partitions.map(|it| (TopicPartition::new(name, it.partition_index), it.error_code)),
        );
    }
    results
}

fn topic_id(metadata: &Metadata, topic: &str) -> Uuid {
    metadata.topic(topic).map_or(Uuid::ZERO, |it| it.id)
}

fn cap(mut ids: impl Iterator<Item = Uuid>) -> Option<i16> {
    ids.any(|id| id.is_zero()).then_some(LAST_WITH_NAMES)
}

fn name_of<'a>(version: i16, name: &'a str, id: Uuid, metadata: &'a Metadata) -> Option<&'a str> {
    if version > LAST_WITH_NAMES {
        metadata.topic_name(id)
    } else {
        Some(name)
    }
}
