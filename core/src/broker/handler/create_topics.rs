//! CreateTopics (key 19), versions 2 to 7: topics with partitions, configs, perhaps assignments.
//!
//! Each topic is created or refused alone. A create is answered when it is durable; with
//! `validate_only` nothing is written. Version 5 adds what was created (KIP-525), 7 its id.

use crate::sorted::{SortedMap, SortedSet};

use super::describe_configs::topic_entries;
use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::metadata::{CheckedTopic, METADATA_LOG, NewTopic, Refusal};
use crate::protocol::ErrorCode;
use crate::protocol::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult,
};
use crate::protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};

/// Creates what can be created and answers when that is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: CreateTopicsRequest) {
    broker.describe_request(context.id, |_| {
        let names: Vec<&str> = request
            .topics
            .iter()
            .map(|topic| topic.name.as_str())
            .collect();
        names.join(", ")
    });
    let mut seen = SortedSet::new();
    let mut twice = SortedSet::new();
    for topic in &request.topics {
        if !seen.insert(topic.name.as_str()) {
            twice.insert(topic.name.clone());
        }
    }
    let mut results: Vec<CreatableTopicResult> = twice
        .iter()
        .map(|name| {
            refusal(
                name,
                (
                    ErrorCode::INVALID_REQUEST,
                    "Duplicate topic name.".to_owned(),
                ),
            )
        })
        .collect();
    for topic in request
        .topics
        .iter()
        .filter(|topic| !twice.contains(&topic.name))
    {
        let result = create(broker, topic, request.validate_only);
        results.push(result.unwrap_or_else(|why| refusal(&topic.name, why)));
    }
    if let Some(result) = results.iter().find(|result| result.error_code.is_error()) {
        broker.note_error(context.id, result.error_code);
    }
    let id = context.id;
    let response = CreateTopicsResponse {
        topics: results,
        ..CreateTopicsResponse::default()
    };
    broker.when_durable(
        METADATA_LOG,
        Box::new(move |broker, written| {
            let mut response = response;
            if written.is_err() {
                for result in response
                    .topics
                    .iter_mut()
                    .filter(|r| r.error_code.is_none())
                {
                    let error = ErrorCode::KAFKA_STORAGE_ERROR;
                    *result = refusal(&result.name, (error, error.message().to_owned()));
                }
            }
            broker.respond(id, &response);
        }),
    );
}

fn create(
    broker: &mut Broker,
    topic: &CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, Refusal> {
    let mut configs = SortedMap::new();
    for config in &topic.configs {
        // Kafka refuses null where a config is set.
        let value = config.value.clone().ok_or_else(|| {
            (
                ErrorCode::INVALID_CONFIG,
                format!(
                    "Null value not supported for topic configs: {}",
                    config.name
                ),
            )
        })?;
        configs.insert(config.name.clone(), value);
    }
    let checked = broker.check_new_topic(&NewTopic {
        name: topic.name.clone(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|assignment| (assignment.partition_index, assignment.broker_ids.clone()))
            .collect(),
        configs,
    })?;
    let mut result = created(broker, &checked);
    // What is only checked gets an id as well, as in Kafka; no topic will have it.
    let (topic_id, records) = broker.creation_records(&checked);
    result.topic_id = topic_id;
    if !validate_only {
        broker
            .append_metadata(&records)
            .map_err(|error| (error, error.message().to_owned()))?;
    }
    Ok(result)
}

fn created(broker: &Broker, topic: &CheckedTopic) -> CreatableTopicResult {
    let configs =
        topic_entries(&topic.configs, &broker.config).map(|entry| CreatableTopicConfigs {
            name: entry.name.to_owned(),
            value: Some(entry.value),
            read_only: false,
            config_source: entry.source.code(),
            is_sensitive: false,
        });
    CreatableTopicResult {
        name: topic.name.clone(),
        error_message: None,
        num_partitions: topic.partitions,
        replication_factor: 1,
        configs: Some(configs.collect()),
        ..CreatableTopicResult::default()
    }
}

fn refusal(name: &str, (error_code, message): Refusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.to_owned(),
        error_code,
        error_message: Some(message),
        ..CreatableTopicResult::default()
    }
}
