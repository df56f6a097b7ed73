//! OffsetDelete (key 47), version 0: forget a group's offsets for some partitions (KIP-496).
//!
//! A group with members must be one of consumers; offsets of topics they subscribe to are kept:
//! `GROUP_SUBSCRIBED_TO_TOPIC`. An offset that is not there is deleted already.
//!
//! Errors: `UNKNOWN_TOPIC_OR_PARTITION` for a partition that does not exist; for the whole request
//! `INVALID_GROUP_ID`, `GROUP_ID_NOT_FOUND`, `NON_EMPTY_GROUP`, and those of the coordinator.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::Context;
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequestTopic, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use crate::protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

/// Deletes what may be deleted and answers when that is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: OffsetDeleteRequest) {
    broker.describe_request(context.id, |_| {
        let names: Vec<&str> = request
            .topics
            .iter()
            .map(|topic| topic.name.as_str())
            .collect();
        format!("{}: {}", request.group_id, names.join(", "))
    });
    let id = context.id;
    if request.group_id.is_empty() {
        return respond(broker, id, Err(ErrorCode::INVALID_GROUP_ID));
    }
    let known: Vec<(Arc<str>, Vec<i32>)> = request
        .topics
        .iter()
        .map(|topic| known_partitions(broker, topic))
        .collect();
    match broker.delete_offsets(&request.group_id, &known) {
        Ok((partition, errors)) => {
            let topics = request
                .topics
                .iter()
                .zip(known.iter().zip(errors))
                .map(|(asked, ((_, known), errors))| answer(asked, known, &errors))
                // Kafka says nothing of a topic without partitions.
                .filter(|topic| !topic.partitions.is_empty());
            let topics = topics.collect();
            broker.after_group_write(
                partition,
                Box::new(move |broker, written| {
                    respond(broker, id, written.map(|()| topics));
                }),
            );
        }
        Err(error) => respond(broker, id, Err(error)),
    }
}

fn known_partitions(broker: &Broker, topic: &OffsetDeleteRequestTopic) -> (Arc<str>, Vec<i32>) {
    let known = broker.metadata.topic_by_name(&topic.name);
    let partitions = topic
        .partitions
        .iter()
        .map(|partition| partition.partition_index);
    let exists = |&index: &i32| known.is_some_and(|known| known.log(index).is_some());
    (
        topic.name.as_str().into(),
        partitions.filter(exists).collect(),
    )
}

/// One topic's answer: `errors` are those of the partitions that are `known`, in order.
fn answer(
    asked: &OffsetDeleteRequestTopic,
    known: &[i32],
    errors: &[ErrorCode],
) -> OffsetDeleteResponseTopic {
    let mut results = known.iter().zip(errors).peekable();
    let partitions = asked.partitions.iter().map(|partition| {
        let partition_index = partition.partition_index;
        let result = results.next_if(|&(&index, _)| index == partition_index);
        OffsetDeleteResponsePartition {
            partition_index,
            error_code: match result {
                Some((_, &error)) => error,
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            },
        }
    });
    OffsetDeleteResponseTopic {
        name: asked.name.clone(),
        partitions: partitions.collect(),
    }
}

fn respond(
    broker: &mut Broker,
    id: RequestId,
    result: Result<Vec<OffsetDeleteResponseTopic>, ErrorCode>,
) {
    let response = match result {
        Ok(topics) => OffsetDeleteResponse {
            topics,
            ..OffsetDeleteResponse::default()
        },
        Err(error_code) => OffsetDeleteResponse {
            error_code,
            ..OffsetDeleteResponse::default()
        },
    };
    broker.note_error(id, response.error_code);
    for partition in response.topics.iter().flat_map(|topic| &topic.partitions) {
        broker.note_error(id, partition.error_code);
    }
    broker.respond(id, &response);
}
