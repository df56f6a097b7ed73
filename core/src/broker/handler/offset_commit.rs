//! OffsetCommit (key 8), versions 2 to 10: how far a group has consumed.
//!
//! A member commits in its generation; who is no member (generation -1) may commit for a group
//! without members, which is made if it is new. Partitions that do not exist are refused one by one,
//! so is metadata above `offset.metadata.max.bytes`; all else is written as one batch and answered
//! when that is durable. Versions 2 to 4 may give a retention time (KIP-211 ended that); version 10
//! names topics by id (KIP-848).
//!
//! Errors: `UNKNOWN_TOPIC_OR_PARTITION`, `UNKNOWN_TOPIC_ID`, `OFFSET_METADATA_TOO_LARGE`; for all
//! partitions `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, `ILLEGAL_GENERATION`,
//! `REBALANCE_IN_PROGRESS`, from version 9 on `GROUP_ID_NOT_FOUND`, and those of the coordinator.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::Context;
use crate::broker::group::{Committer, ToCommit};
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequestTopic, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

/// Checks which partitions there are, commits those, and answers for all.
pub(super) fn handle(broker: &mut Broker, context: &Context, mut request: OffsetCommitRequest) {
    let topics = std::mem::take(&mut request.topics).into_iter();
    let mut taken: Vec<(OffsetCommitResponseTopic, Vec<ToCommit>)> = topics
        .map(|topic| take_topic(broker, context.version, topic))
        .collect();
    // What is refused at once comes first, as in Kafka.
    let goes_on = |partition: &OffsetCommitResponsePartition| partition.error_code == TO_COME;
    taken.sort_by_key(|(answer, _)| answer.partitions.iter().all(goes_on));
    let (mut answers, offsets): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
    let offsets: Vec<ToCommit> = offsets.into_iter().flatten().collect();
    broker.describe_request(context.id, |_| {
        let said: Vec<String> = offsets
            .iter()
            .map(|offset| format!("{}-{}@{}", offset.topic, offset.partition, offset.offset))
            .collect();
        format!("{}: {}", request.group_id, said.join(", "))
    });
    if offsets.is_empty() {
        return respond(broker, context.id, answers);
    }
    let committer = Committer {
        group: &request.group_id,
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id_or_member_epoch,
        retention: request.retention_time_ms,
        version: context.version,
    };
    let id = context.id;
    match broker.commit_offsets(&committer, offsets) {
        Ok((partition, errors)) => {
            fill(&mut answers, errors.into_iter());
            broker.after_group_write(
                partition,
                Box::new(move |broker, written| {
                    if let Err(error) = written {
                        replace(&mut answers, ErrorCode::NONE, error);
                    }
                    respond(broker, id, answers);
                }),
            );
        }
        Err(error) => {
            replace(&mut answers, TO_COME, error);
            respond(broker, id, answers);
        }
    }
}

/// Stands in answers for what the coordinator has still to say: a number that is no error's.
const TO_COME: ErrorCode = ErrorCode(i16::MAX);

/// Makes a topic's answer, and what can be committed of it, in order.
fn take_topic(
    broker: &Broker,
    version: i16,
    topic: OffsetCommitRequestTopic,
) -> (OffsetCommitResponseTopic, Vec<ToCommit>) {
    let mut offsets = Vec::new();
    let (known, unknown) = if version >= 10 {
        (
            broker.metadata.topic_by_id(topic.topic_id),
            ErrorCode::UNKNOWN_TOPIC_ID,
        )
    } else {
        (
            broker.metadata.topic_by_name(&topic.name),
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        )
    };
    let name: Arc<str> = known
        .map(|known| known.name.as_str())
        .unwrap_or_default()
        .into();
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for partition in topic.partitions {
        let error_code = match known {
            None => unknown,
            Some(known) if known.log(partition.partition_index).is_none() => {
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            }
            Some(known) => {
                offsets.push(ToCommit {
                    topic: name.clone(),
                    topic_id: known.id,
                    partition: partition.partition_index,
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: partition.committed_metadata,
                });
                TO_COME
            }
        };
        let partition_index = partition.partition_index;
        partitions.push(OffsetCommitResponsePartition {
            partition_index,
            error_code,
        });
    }
    partitions.sort_by_key(|partition| partition.error_code == TO_COME);
    let answer = OffsetCommitResponseTopic {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions,
    };
    (answer, offsets)
}

/// Puts the coordinator's answers in their places.
fn fill(answers: &mut [OffsetCommitResponseTopic], mut errors: impl Iterator<Item = ErrorCode>) {
    for partition in answers.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if partition.error_code == TO_COME {
            partition.error_code = errors.next().unwrap_or(ErrorCode::UNKNOWN_SERVER_ERROR);
        }
    }
}

fn replace(answers: &mut [OffsetCommitResponseTopic], from: ErrorCode, to: ErrorCode) {
    for partition in answers.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if partition.error_code == from {
            partition.error_code = to;
        }
    }
}

fn respond(broker: &mut Broker, id: RequestId, topics: Vec<OffsetCommitResponseTopic>) {
    for partition in topics.iter().flat_map(|topic| &topic.partitions) {
        broker.note_error(id, partition.error_code);
    }
    let response = OffsetCommitResponse {
        topics,
        ..OffsetCommitResponse::default()
    };
    broker.respond(id, &response);
}
