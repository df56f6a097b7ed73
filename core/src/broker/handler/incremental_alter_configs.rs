//! IncrementalAlterConfigs (key 44), versions 0 and 1: single configs are set or deleted, items
//! added to or taken from lists (KIP-339).

use crate::sorted::SortedMap;

use super::alter_configs::{
    answer, check_keys, duplicate_resource, null_value, present, repeated, replace, split,
};
use crate::broker::Broker;
use crate::broker::config::{Definition, Kind, broker_definition, list_items, topic_definition};
use crate::broker::dispatch::Context;
use crate::broker::metadata::{RESOURCE_TOPIC, Refusal};
use crate::protocol::ErrorCode;
use crate::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig,
};
use crate::protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

/// Changes configs and answers when that is durable.
pub(super) fn handle(
    broker: &mut Broker,
    context: &Context,
    request: IncrementalAlterConfigsRequest,
) {
    let duplicates = repeated(
        request
            .resources
            .iter()
            .map(|r| (r.resource_type, &r.resource_name)),
    );
    let mut outcomes = Vec::with_capacity(request.resources.len());
    for resource in request.resources {
        let (kind, name) = (resource.resource_type, resource.resource_name.clone());
        let result = if duplicates.contains(&(kind, name.clone())) {
            Err(duplicate_resource())
        } else {
            alter(broker, &resource, request.validate_only)
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
        let response = IncrementalAlterConfigsResponse {
            responses: responses.collect(),
            ..IncrementalAlterConfigsResponse::default()
        };
        broker.respond(id, &response);
    });
}

fn alter(
    broker: &mut Broker,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refusal> {
    check_keys(resource.configs.iter().map(|config| &config.name))?;
    let mut configs = present(broker, resource.resource_type, &resource.resource_name)?;
    for config in &resource.configs {
        change(broker, resource.resource_type, &mut configs, config)?;
    }
    replace(
        broker,
        resource.resource_type,
        &resource.resource_name,
        configs,
        validate_only,
    )
}

fn change(
    broker: &Broker,
    kind: i8,
    configs: &mut SortedMap<String, String>,
    config: &AlterableConfig,
) -> Result<(), Refusal> {
    let name = &config.name;
    let value = || config.value.clone().ok_or_else(|| null_value(name));
    match config.config_operation {
        0 => {
            configs.insert(name.clone(), value()?);
        }
        1 => {
            configs.remove(name);
        }
        2 => {
            let mut items = list(broker, kind, configs, name, "APPEND")?;
            for item in list_items(&value()?) {
                if !items.iter().any(|present| present == item) {
                    items.push(item.to_owned());
                }
            }
            configs.insert(name.clone(), items.join(","));
        }
        3 => {
            let mut items = list(broker, kind, configs, name, "SUBTRACT")?;
            let value = value()?;
            items.retain(|present| !list_items(&value).any(|item| item == present));
            configs.insert(name.clone(), items.join(","));
        }
        // Kafka's broker stumbles over it.
        _ => return Err((ErrorCode::UNKNOWN_SERVER_ERROR, String::new())),
    }
    Ok(())
}

/// The items of a list config, its default where it is not set.
fn list(
    broker: &Broker,
    kind: i8,
    configs: &SortedMap<String, String>,
    name: &str,
    operation: &str,
) -> Result<Vec<String>, Refusal> {
    let definition: Option<&Definition> = if kind == RESOURCE_TOPIC {
        topic_definition(name)
    } else {
        broker_definition(name)
    };
    if definition.is_none_or(|definition| definition.kind != Kind::List) {
        let why = if kind == RESOURCE_TOPIC {
            format!("Can't {operation} to key {name} because its type is not LIST.")
        } else {
            let operation = operation.to_lowercase();
            format!("Config value {operation} is not allowed for config key: {name}")
        };
        return Err((ErrorCode::INVALID_CONFIG, why));
    }
    let value = match configs.get(name) {
        Some(value) => value.clone(),
        None if kind == RESOURCE_TOPIC => broker.config.topic_default(name),
        None => broker.config.value(name).unwrap_or_default().to_owned(),
    };
    Ok(list_items(&value).map(str::to_owned).collect())
}
