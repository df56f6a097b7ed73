//! CreatePartitions (key 37), versions 0 to 3: topics grow (KIP-195). They never shrink.

use crate::sorted::SortedSet;

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::metadata::{METADATA_LOG, Refusal};
use crate::protocol::ErrorCode;
use crate::protocol::messages::create_partitions::{
    CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use crate::protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

/// Grows what can grow and answers when that is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: CreatePartitionsRequest) {
    let mut seen = SortedSet::new();
    let mut twice = SortedSet::new();
    for topic in &request.topics {
        if !seen.insert(topic.name.as_str()) {
            twice.insert(topic.name.clone());
        }
    }
    let mut results: Vec<CreatePartitionsTopicResult> = twice
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
        let result = grow(broker, topic, request.validate_only);
        results.push(match result {
            Ok(()) => CreatePartitionsTopicResult {
                name: topic.name.clone(),
                ..CreatePartitionsTopicResult::default()
            },
            Err(why) => refusal(&topic.name, why),
        });
    }
    if let Some(result) = results.iter().find(|result| result.error_code.is_error()) {
        broker.note_error(context.id, result.error_code);
    }
    let id = context.id;
    let response = CreatePartitionsResponse {
        results,
        ..CreatePartitionsResponse::default()
    };
    broker.when_durable(
        METADATA_LOG,
        Box::new(move |broker, written| {
            let mut response = response;
            if written.is_err() {
                for result in response
                    .results
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

fn grow(
    broker: &mut Broker,
    topic: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), Refusal> {
    let assignments: Option<Vec<Vec<i32>>> = topic.assignments.as_ref().map(|given| {
        given
            .iter()
            .map(|assignment| assignment.broker_ids.clone())
            .collect()
    });
    let records = broker.growth_records(&topic.name, topic.count, assignments.as_deref())?;
    if validate_only {
        return Ok(());
    }
    broker
        .append_metadata(&records)
        .map_err(|error| (error, error.message().to_owned()))
}

fn refusal(name: &str, (error_code, message): Refusal) -> CreatePartitionsTopicResult {
    CreatePartitionsTopicResult {
        name: name.to_owned(),
        error_code,
        error_message: Some(message).filter(|message| !message.is_empty()),
    }
}
