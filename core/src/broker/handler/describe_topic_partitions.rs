//! DescribeTopicPartitions (key 75), version 0: topics in order of name, in pages (KIP-966).
//!
//! At most as many partitions as the request and `max.request.partition.size.limit` allow; a cursor
//! says where to go on.

use crate::sorted::SortedSet;

use super::metadata::TOPIC_OPERATIONS;
use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::metadata::{Topic, validate_topic_name};
use crate::protocol::ErrorCode;
use crate::protocol::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use crate::protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};

/// Answers with one page.
pub(super) fn handle(
    broker: &mut Broker,
    context: &Context,
    request: DescribeTopicPartitionsRequest,
) {
    let mut names: SortedSet<String> = if request.topics.is_empty() {
        broker
            .metadata
            .topics()
            .map(|topic| topic.name.clone())
            .collect()
    } else {
        request
            .topics
            .iter()
            .map(|topic| topic.name.clone())
            .collect()
    };
    let mut first_partition = 0;
    if let Some(cursor) = &request.cursor {
        let listed = request.topics.is_empty() || names.contains(&cursor.topic_name);
        if cursor.partition_index < 0 || !listed {
            return refuse(broker, context, request);
        }
        names = names.split_off(&cursor.topic_name);
        if names.contains(&cursor.topic_name) {
            first_partition = cursor.partition_index;
        }
    }
    let limit = broker.config.long("max.request.partition.size.limit");
    let mut room = i64::from(request.response_partition_limit).clamp(1, limit.max(1));
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        if room == 0 {
            response.next_cursor = Some(Cursor {
                topic_name: name,
                partition_index: 0,
            });
            break;
        }
        let from = std::mem::take(&mut first_partition);
        let Some(topic) = broker.metadata.topic_by_name(&name) else {
            response.topics.push(unknown(name));
            continue;
        };
        let to = i64::from(topic.partitions).min(i64::from(from).saturating_add(room));
        let to = i32::try_from(to).unwrap_or(topic.partitions).max(from);
        room = room.saturating_sub(i64::from(to.saturating_sub(from)));
        response.topics.push(page(broker, topic, from, to));
        if to < topic.partitions {
            response.next_cursor = Some(Cursor {
                topic_name: name,
                partition_index: to,
            });
            break;
        }
    }
    broker.respond(context.id, &response);
}

/// The cursor points nowhere: the error is every topic's.
fn refuse(broker: &mut Broker, context: &Context, request: DescribeTopicPartitionsRequest) {
    let error_code = ErrorCode::INVALID_REQUEST;
    broker.note_error(context.id, error_code);
    let topics = request.topics.into_iter();
    let response = DescribeTopicPartitionsResponse {
        topics: topics
            .map(|topic| DescribeTopicPartitionsResponseTopic {
                error_code,
                name: Some(topic.name),
                ..DescribeTopicPartitionsResponseTopic::default()
            })
            .collect(),
        ..DescribeTopicPartitionsResponse::default()
    };
    broker.respond(context.id, &response);
}

fn unknown(name: String) -> DescribeTopicPartitionsResponseTopic {
    let error_code = if validate_topic_name(&name).is_err() {
        ErrorCode::INVALID_TOPIC_EXCEPTION
    } else {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    };
    DescribeTopicPartitionsResponseTopic {
        error_code,
        name: Some(name),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn page(
    broker: &Broker,
    topic: &Topic,
    from: i32,
    to: i32,
) -> DescribeTopicPartitionsResponseTopic {
    let node = broker.config.node_id();
    let partitions = (from..to).filter_map(|index| {
        Some(DescribeTopicPartitionsResponsePartition {
            partition_index: index,
            leader_id: node,
            leader_epoch: broker.leader_epoch(topic.log(index)?),
            replica_nodes: vec![node],
            isr_nodes: vec![node],
            eligible_leader_replicas: Some(Vec::new()),
            last_known_elr: Some(Vec::new()),
            ..DescribeTopicPartitionsResponsePartition::default()
        })
    });
    DescribeTopicPartitionsResponseTopic {
        name: Some(topic.name.clone()),
        topic_id: topic.id,
        is_internal: topic.internal,
        partitions: partitions.collect(),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}
