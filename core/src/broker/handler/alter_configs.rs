//! AlterConfigs (key 33), versions 0 to 2, and what both ways of altering configs share.
//!
//! AlterConfigs replaces all configs of a resource; what is not named goes back to its default.
//! IncrementalAlterConfigs (KIP-339) changes single ones. Either way the outcome is checked as a
//! whole, and answered when it is durable.

use crate::sorted::{SortedMap, SortedSet};

use super::describe_configs::check_broker_name;
use crate::broker::Broker;
use crate::broker::config::{broker_definition, validate_topic_configs};
use crate::broker::dispatch::Context;
use crate::broker::metadata::{
    METADATA_LOG, RESOURCE_BROKER, RESOURCE_TOPIC, Refusal, validate_topic_name,
};
use crate::protocol::ErrorCode;
use crate::protocol::internal::metadata::MetadataRecord;
use crate::protocol::internal::metadata_records::ConfigRecord;
use crate::protocol::messages::alter_configs::AlterConfigsResourceResponse;
use crate::protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

/// The outcome for one resource: its kind, its name, and the refusal if there is one.
pub(super) type Outcome = (i8, String, Result<(), Refusal>);

/// Replaces configs and answers when that is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: AlterConfigsRequest) {
    let duplicates = repeated(
        request
            .resources
            .iter()
            .map(|r| (r.resource_type, &r.resource_name)),
    );
    let mut outcomes = Vec::with_capacity(request.resources.len());
    for resource in request.resources {
        let (kind, name) = (resource.resource_type, resource.resource_name);
        let result = if duplicates.contains(&(kind, name.clone())) {
            Err(duplicate_resource())
        } else {
            let mut wanted = SortedMap::new();
            let mut refused = check_keys(resource.configs.iter().map(|config| &config.name)).err();
            for config in resource.configs {
                match config.value {
                    Some(value) => {
                        wanted.insert(config.name, value);
                    }
                    None => refused = refused.or_else(|| Some(null_value(&config.name))),
                }
            }
            match refused {
                Some(why) => Err(why),
                None => replace(broker, kind, &name, wanted, request.validate_only),
            }
        };
        outcomes.push((kind, name, result));
    }
    answer(broker, context, outcomes, |broker, id, outcomes| {
        let responses = outcomes
            .into_iter()
            .map(|(resource_type, resource_name, result)| {
                let (error_code, error_message) = split(result);
                AlterConfigsResourceResponse {
                    error_code,
                    error_message,
                    resource_type,
                    resource_name,
                }
            });
        let response = AlterConfigsResponse {
            responses: responses.collect(),
            ..AlterConfigsResponse::default()
        };
        broker.respond(id, &response);
    });
}

/// The resources that a request names more than once.
pub(super) fn repeated<'a>(
    resources: impl Iterator<Item = (i8, &'a String)>,
) -> SortedSet<(i8, String)> {
    let mut seen = SortedSet::new();
    resources
        .filter(|&(kind, name)| !seen.insert((kind, name)))
        .map(|(kind, name)| (kind, name.clone()))
        .collect()
}

/// What is said of such a resource.
pub(super) fn duplicate_resource() -> Refusal {
    let why = "Each resource must appear at most once.";
    (ErrorCode::INVALID_REQUEST, why.to_owned())
}

/// What is said of a config without a value.
pub(super) fn null_value(name: &str) -> Refusal {
    (
        ErrorCode::INVALID_REQUEST,
        format!("Null value not supported for : {name}"),
    )
}

/// Splits an outcome into what goes onto the wire.
pub(super) fn split(result: Result<(), Refusal>) -> (ErrorCode, Option<String>) {
    match result {
        Ok(()) => (ErrorCode::NONE, None),
        Err((code, why)) => (code, Some(why).filter(|why| !why.is_empty())),
    }
}

/// Refuses configs that are named more than once.
///
/// # Errors
/// `INVALID_REQUEST`.
pub(super) fn check_keys<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
    let mut seen = SortedSet::new();
    if names.all(|name| seen.insert(name.as_str())) {
        return Ok(());
    }
    let why = "Error due to duplicate config keys";
    Err((ErrorCode::INVALID_REQUEST, why.to_owned()))
}

/// Makes `wanted` all configs of a resource.
///
/// # Errors
/// `INVALID_CONFIG`, `INVALID_REQUEST`, `UNKNOWN_TOPIC_OR_PARTITION`, in Kafka's words.
pub(super) fn replace(
    broker: &mut Broker,
    kind: i8,
    name: &str,
    wanted: SortedMap<String, String>,
    validate_only: bool,
) -> Result<(), Refusal> {
    let present = present(broker, kind, name)?;
    match kind {
        RESOURCE_TOPIC => validate_topic_configs(&wanted, &broker.config)
            .map_err(|error| (ErrorCode::INVALID_CONFIG, error.0))?,
        _ => validate_broker_configs(&present, &wanted)?,
    }
    if kind == RESOURCE_TOPIC && broker.metadata.latest_id(name).is_none() {
        let why = format!("The topic '{name}' does not exist.");
        return Err((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, why));
    }
    if validate_only {
        return Ok(());
    }
    let record = |config: &str, value: Option<String>| -> MetadataRecord {
        ConfigRecord {
            resource_type: kind,
            resource_name: name.to_owned(),
            name: config.to_owned(),
            value,
        }
        .into()
    };
    let removed = present
        .keys()
        .filter(|config| !wanted.contains_key(*config));
    let mut records: Vec<MetadataRecord> = removed.map(|config| record(config, None)).collect();
    for (config, value) in &wanted {
        if present.get(config) != Some(value) {
            records.push(record(config, Some(value.clone())));
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    broker
        .append_metadata(&records)
        .map_err(|error| (error, error.message().to_owned()))
}

/// The configs that are set on a resource now, durable or pending; none on a topic that is not
/// there, for Kafka says what is wrong with configs first.
///
/// # Errors
/// If the resource can have no configs here.
pub(super) fn present(
    broker: &Broker,
    kind: i8,
    name: &str,
) -> Result<SortedMap<String, String>, Refusal> {
    match kind {
        RESOURCE_TOPIC if name.is_empty() => {
            let why = "Default topic resources are not allowed.";
            Err((ErrorCode::INVALID_REQUEST, why.to_owned()))
        }
        RESOURCE_TOPIC => {
            validate_topic_name(name).map_err(|why| (ErrorCode::INVALID_TOPIC_EXCEPTION, why))?;
            Ok(broker.metadata.latest_configs(kind, name))
        }
        RESOURCE_BROKER => {
            if !name.is_empty() {
                let expected = broker.config.node_id().to_string();
                check_broker_name(broker, name, "Node", &expected)?;
            }
            let mut configs = broker.metadata.latest_configs(kind, name);
            configs.retain(|config, _| broker_definition(config).is_some());
            Ok(configs)
        }
        other => {
            let why = format!("Unknown resource type {other}");
            Err((ErrorCode::INVALID_REQUEST, why))
        }
    }
}

fn validate_broker_configs(
    present: &SortedMap<String, String>,
    wanted: &SortedMap<String, String>,
) -> Result<(), Refusal> {
    let mut fixed = Vec::new();
    for (name, value) in wanted
        .iter()
        .filter(|&(name, value)| present.get(name) != Some(value))
    {
        let definition = broker_definition(name).ok_or_else(|| {
            (
                ErrorCode::INVALID_CONFIG,
                format!("Unknown broker config name: {name}"),
            )
        })?;
        if !definition.dynamic {
            fixed.push(name.as_str());
        }
        definition
            .validate(value)
            .map_err(|error| (ErrorCode::INVALID_REQUEST, error.0))?;
    }
    if fixed.is_empty() {
        return Ok(());
    }
    let why = format!(
        "Cannot update these configs dynamically: [{}]",
        fixed.join(", ")
    );
    Err((ErrorCode::INVALID_REQUEST, why))
}

/// Answers with the outcomes when everything appended is durable.
pub(super) fn answer(
    broker: &mut Broker,
    context: &Context,
    outcomes: Vec<Outcome>,
    respond: impl FnOnce(&mut Broker, crate::broker::connection::RequestId, Vec<Outcome>) + 'static,
) {
    if let Some((_, _, Err((code, _)))) = outcomes.iter().find(|(_, _, result)| result.is_err()) {
        broker.note_error(context.id, *code);
    }
    let id = context.id;
    broker.when_durable(
        METADATA_LOG,
        Box::new(move |broker, written| {
            let mut outcomes = outcomes;
            if written.is_err() {
                for (_, _, result) in outcomes.iter_mut().filter(|(_, _, result)| result.is_ok()) {
                    let error = ErrorCode::KAFKA_STORAGE_ERROR;
                    *result = Err((error, error.message().to_owned()));
                }
            }
            respond(broker, id, outcomes);
        }),
    );
}
