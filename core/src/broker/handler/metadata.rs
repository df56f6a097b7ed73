//! Metadata (key 3), versions 0 to 13: brokers, topics, partitions and their leaders.
//!
//! The address is that of the listener that was asked. The first request for a topic that is being
//! created by it is answered with `UNKNOWN_TOPIC_OR_PARTITION`, as in KRaft; clients ask again.
//! Topic ids since version 10 (KIP-516), authorized operations since 8 (KIP-430).

use crate::sorted::SortedMap;

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::metadata::{METADATA_TOPIC, Topic, validate_topic_name};
use crate::protocol::ErrorCode;
use crate::protocol::messages::metadata::{
    MetadataRequestTopic, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::{MetadataRequest, MetadataResponse};
use crate::types::Uuid;

/// What one may do with a topic where there is no authorizer: read, write, create, delete, alter,
/// describe, describe and alter its configs, as bits by Kafka's numbers of operations.
pub(super) const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
/// The same of a cluster: create, alter, describe, act within it, describe and alter its configs,
/// write idempotently.
pub(super) const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;

/// Answers with what is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: MetadataRequest) {
    let version = context.version;
    // Version 0 has no null: there an empty list asks for all.
    let all = match &request.topics {
        None => true,
        Some(topics) => version == 0 && topics.is_empty(),
    };
    broker.describe_request(context.id, |_| match &request.topics {
        Some(topics) if !all => {
            let names: Vec<&str> = topics
                .iter()
                .map(|topic| topic.name.as_deref().unwrap_or("(by id)"))
                .collect();
            names.join(", ")
        }
        _ => "all topics".to_owned(),
    });
    if let Some(error_code) = misunderstood(version, &request) {
        broker.note_error(context.id, error_code);
        return broker.respond(context.id, &refusal(version, request, error_code));
    }
    let topics = if all {
        broker
            .metadata
            .topics()
            .map(|topic| describe(broker, topic))
            .collect()
    } else {
        asked_topics(broker, context, &request)
    };
    let mut topics: Vec<MetadataResponseTopic> = topics;
    if request.include_topic_authorized_operations {
        for topic in topics.iter_mut().filter(|topic| topic.error_code.is_none()) {
            topic.topic_authorized_operations = TOPIC_OPERATIONS;
        }
    }
    if let Some(topic) = topics.iter().find(|topic| topic.error_code.is_error()) {
        broker.note_error(context.id, topic.error_code);
    }
    let Some((host, port)) = broker.advertised(context.id.connection) else {
        return;
    };
    let node_id = broker.config.node_id();
    let mut response = MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id,
            host,
            port,
            rack: None,
        }],
        cluster_id: Some(broker.metadata.cluster_id()),
        controller_id: node_id,
        topics,
        ..MetadataResponse::default()
    };
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    broker.respond(context.id, &response);
}

/// What is wrong with a request as a whole: ids before version 12, whose responses have no place
/// for a topic without a name, or neither name nor id.
fn misunderstood(version: i16, request: &MetadataRequest) -> Option<ErrorCode> {
    let mut topics = request.topics.iter().flatten();
    if version < 12 {
        let by_id =
            |topic: &MetadataRequestTopic| topic.name.is_none() || !topic.topic_id.is_zero();
        return topics.any(by_id).then_some(ErrorCode::INVALID_REQUEST);
    }
    let nothing = |topic: &MetadataRequestTopic| topic.name.is_none() && topic.topic_id.is_zero();
    // Kafka's broker stumbles over it.
    topics
        .any(nothing)
        .then_some(ErrorCode::UNKNOWN_SERVER_ERROR)
}

/// The answer to such a request, as Kafka gives it: the error for each topic, and nothing else.
fn refusal(version: i16, request: MetadataRequest, error_code: ErrorCode) -> MetadataResponse {
    let topics = request.topics.into_iter().flatten();
    MetadataResponse {
        topics: topics
            .map(|topic| MetadataResponseTopic {
                error_code,
                name: Some(topic.name.unwrap_or_default()),
                topic_id: topic.topic_id,
                ..MetadataResponseTopic::default()
            })
            .collect(),
        // The field came with version 13.
        error_code: if version >= 13 {
            error_code
        } else {
            ErrorCode::NONE
        },
        ..MetadataResponse::default()
    }
}

fn asked_topics(
    broker: &mut Broker,
    context: &Context,
    request: &MetadataRequest,
) -> Vec<MetadataResponseTopic> {
    let may_create = (context.version < 4 || request.allow_auto_topic_creation)
        && broker.config.flag("auto.create.topics.enable");
    // A topic asked for twice is answered once, as in Kafka, where they are a set.
    let mut asked: SortedMap<(Uuid, Option<&str>), &MetadataRequestTopic> = SortedMap::new();
    for topic in request.topics.iter().flatten() {
        asked.insert((topic.topic_id, topic.name.as_deref()), topic);
    }
    let mut answers = Vec::with_capacity(asked.len());
    for topic in asked.into_values() {
        if !topic.topic_id.is_zero() {
            answers.push(match broker.metadata.topic_by_id(topic.topic_id) {
                Some(found) => describe(broker, found),
                None => MetadataResponseTopic {
                    error_code: ErrorCode::UNKNOWN_TOPIC_ID,
                    topic_id: topic.topic_id,
                    // Null is for versions that know it.
                    name: (context.version < 12).then(String::new),
                    ..MetadataResponseTopic::default()
                },
            });
            continue;
        }
        let name = topic.name.clone().unwrap_or_default();
        let error_code = match broker.metadata.topic_by_name(&name) {
            Some(found) => {
                answers.push(describe(broker, found));
                continue;
            }
            None if validate_topic_name(&name).is_err() => ErrorCode::INVALID_TOPIC_EXCEPTION,
            None => {
                if may_create && name != METADATA_TOPIC {
                    broker.create_on_first_use(&name);
                }
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            }
        };
        answers.push(MetadataResponseTopic {
            error_code,
            name: Some(name),
            ..MetadataResponseTopic::default()
        });
    }
    answers
}

fn describe(broker: &Broker, topic: &Topic) -> MetadataResponseTopic {
    let node = broker.config.node_id();
    let partitions = topic.logs().map(|log| MetadataResponsePartition {
        partition_index: log.partition,
        leader_id: node,
        leader_epoch: broker.leader_epoch(log),
        replica_nodes: vec![node],
        isr_nodes: vec![node],
        ..MetadataResponsePartition::default()
    });
    MetadataResponseTopic {
        name: Some(topic.name.clone()),
        topic_id: topic.id,
        is_internal: topic.internal,
        partitions: partitions.collect(),
        ..MetadataResponseTopic::default()
    }
}
