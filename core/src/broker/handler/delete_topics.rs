//! DeleteTopics (key 20), versions 1 to 6: by name, or from 6 on also by id (KIP-516).
//!
//! A delete is answered when it is durable. Its logs and committed offsets go with it; recovery
//! finishes what a crash cut short.

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::metadata::METADATA_LOG;
use crate::protocol::ErrorCode;
use crate::protocol::messages::delete_topics::{DeletableTopicResult, DeleteTopicState};
use crate::protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use crate::sorted::SortedSet;
use crate::types::Uuid;

/// Deletes what can be deleted and answers when that is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: DeleteTopicsRequest) {
    let asked: Vec<DeleteTopicState> = if context.version >= 6 {
        request.topics
    } else {
        let by_name = |name| DeleteTopicState {
            name: Some(name),
            topic_id: Uuid::ZERO,
        };
        request.topic_names.into_iter().map(by_name).collect()
    };
    broker.describe_request(context.id, |_| {
        let names = asked
            .iter()
            .map(|topic| topic.name.clone().unwrap_or_default());
        names.collect::<Vec<String>>().join(", ")
    });
    let enabled = broker.config.flag("delete.topic.enable");
    let (asked, mut responses) = without_duplicates(broker, asked);
    for topic in asked {
        let result = if !enabled {
            // Version 3 brought the code of its own.
            let code = if context.version < 3 {
                ErrorCode::INVALID_REQUEST
            } else {
                ErrorCode::TOPIC_DELETION_DISABLED
            };
            refusal(topic, code, None)
        } else if topic.name.is_some() && !topic.topic_id.is_zero() {
            let why = "You may not specify both topic name and topic id.";
            refusal(topic, ErrorCode::INVALID_REQUEST, Some(why))
        } else if topic.name.is_none() && topic.topic_id.is_zero() {
            let why = "Neither topic name nor id were specified.";
            refusal(topic, ErrorCode::INVALID_REQUEST, Some(why))
        } else {
            delete(broker, topic)
        };
        responses.push(result);
    }
    if let Some(result) = responses.iter().find(|result| result.error_code.is_error()) {
        broker.note_error(context.id, result.error_code);
    }
    let id = context.id;
    let response = DeleteTopicsResponse {
        responses,
        ..DeleteTopicsResponse::default()
    };
    broker.when_durable(
        METADATA_LOG,
        Box::new(move |broker, written| {
            let mut response = response;
            if written.is_err() {
                for result in response
                    .responses
                    .iter_mut()
                    .filter(|r| r.error_code.is_none())
                {
                    result.error_code = ErrorCode::KAFKA_STORAGE_ERROR;
                    result.error_message = Some(result.error_code.message().to_owned());
                }
            }
            broker.respond(id, &response);
        }),
    );
}

/// Refuses once, and does not delete, what is named more than once: by name, by id, or by both.
fn without_duplicates(
    broker: &Broker,
    asked: Vec<DeleteTopicState>,
) -> (Vec<DeleteTopicState>, Vec<DeletableTopicResult>) {
    let key = |topic: &DeleteTopicState| (topic.name.clone(), topic.topic_id);
    let mut seen = SortedSet::new();
    let mut twice = SortedSet::new();
    for topic in &asked {
        let one_of_both = topic.name.is_some() == topic.topic_id.is_zero();
        if one_of_both && !seen.insert(key(topic)) {
            twice.insert(key(topic));
        }
    }
    let mut refused: Vec<DeletableTopicResult> = twice
        .iter()
        .map(|(name, topic_id)| {
            let why = match name {
                Some(_) => "Duplicate topic name.",
                None => "Duplicate topic id.",
            };
            let topic = DeleteTopicState {
                name: name.clone(),
                topic_id: *topic_id,
            };
            refusal(topic, ErrorCode::INVALID_REQUEST, Some(why))
        })
        .collect();
    let mut left: Vec<DeleteTopicState> = asked
        .into_iter()
        .filter(|topic| !twice.contains(&key(topic)))
        .collect();
    let by_id = |id| (None, id);
    let named: Vec<DeleteTopicState> = left
        .iter()
        .filter(|topic| topic.topic_id.is_zero())
        .filter_map(|topic| {
            let name = topic.name.as_ref()?;
            let topic_id = broker.metadata.latest_id(name)?;
            seen.contains(&by_id(topic_id)).then(|| DeleteTopicState {
                name: Some(name.clone()),
                topic_id,
            })
        })
        .collect();
    for both in named {
        left.retain(|topic| match &topic.name {
            Some(_) => topic.name != both.name || !topic.topic_id.is_zero(),
            None => topic.topic_id != both.topic_id,
        });
        let why = "The provided topic name maps to an ID that was already supplied.";
        refused.push(refusal(both, ErrorCode::INVALID_REQUEST, Some(why)));
    }
    (left, refused)
}

fn delete(broker: &mut Broker, topic: DeleteTopicState) -> DeletableTopicResult {
    let found = match &topic.name {
        Some(name) => broker.metadata.latest_id(name).map(|id| (name.clone(), id)),
        None => broker
            .metadata
            .latest_name(topic.topic_id)
            .map(|name| (name, topic.topic_id)),
    };
    let Some((name, topic_id)) = found else {
        let code = if topic.name.is_some() {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        } else {
            ErrorCode::UNKNOWN_TOPIC_ID
        };
        return refusal(topic, code, None);
    };
    match broker.append_metadata(&[Broker::deletion_record(topic_id)]) {
        Ok(()) => DeletableTopicResult {
            name: Some(name),
            topic_id,
            ..DeletableTopicResult::default()
        },
        Err(code) => refusal(topic, code, None),
    }
}

fn refusal(
    topic: DeleteTopicState,
    error_code: ErrorCode,
    message: Option<&str>,
) -> DeletableTopicResult {
    DeletableTopicResult {
        name: topic.name,
        topic_id: topic.topic_id,
        error_code,
        error_message: Some(message.unwrap_or_else(|| error_code.message()).to_owned()),
    }
}
