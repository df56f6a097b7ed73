//! DescribeConfigs (key 32), versions 1 to 4: configs of topics and of this broker, with their
//! sources and synonyms (KIP-133, KIP-226), types and documentation (KIP-569).
//!
//! Documentation is not kept here: it is null, as it is in Kafka where it is not asked for.

use crate::sorted::SortedMap;

use crate::broker::Broker;
use crate::broker::config::{
    BROKER_CONFIGS, BrokerConfig, Definition, Source, TOPIC_CONFIGS, effective,
};
use crate::broker::dispatch::Context;
use crate::broker::metadata::{RESOURCE_BROKER, RESOURCE_TOPIC, Refusal, validate_topic_name};
use crate::protocol::ErrorCode;
use crate::protocol::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
    DescribeConfigsSynonym,
};
use crate::protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

/// A config as it is described.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) source: Source,
    synonyms: Vec<(&'static str, String, Source)>,
    definition: &'static Definition,
}

/// Answers with durable configs.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: DescribeConfigsRequest) {
    let results: Vec<DescribeConfigsResult> = request
        .resources
        .iter()
        .map(|resource| {
            let described = describe(broker, resource, request.include_synonyms);
            let (error_code, error_message, configs) = match described {
                // Kafka answers with an empty message here, not with null.
                Ok(configs) => (ErrorCode::NONE, Some(String::new()), configs),
                Err((code, why)) => (code, Some(why), Vec::new()),
            };
            DescribeConfigsResult {
                error_code,
                error_message,
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                configs,
            }
        })
        .collect();
    if let Some(result) = results.iter().find(|result| result.error_code.is_error()) {
        broker.note_error(context.id, result.error_code);
    }
    let response = DescribeConfigsResponse {
        results,
        ..DescribeConfigsResponse::default()
    };
    broker.respond(context.id, &response);
}

fn describe(
    broker: &Broker,
    resource: &DescribeConfigsResource,
    with_synonyms: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
    let name = &resource.resource_name;
    let entries: Vec<(Entry, bool)> = match resource.resource_type {
        RESOURCE_TOPIC => {
            validate_topic_name(name).map_err(|why| (ErrorCode::INVALID_TOPIC_EXCEPTION, why))?;
            let topic = broker
                .metadata
                .topic_by_name(name)
                .ok_or_else(|| (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, String::new()))?;
            topic_entries(&topic.overrides, &broker.config)
                .map(|entry| (entry, false))
                .collect()
        }
        RESOURCE_BROKER if name.is_empty() => broker
            .config
            .dynamic_default
            .iter()
            .filter_map(|(name, value)| dynamic_default_entry(name, value))
            .collect(),
        RESOURCE_BROKER => {
            let node = broker.config.node_id();
            let expected = format!("{node} or empty string");
            check_broker_name(broker, name, "Broker", &expected)?;
            broker_entries(&broker.config).collect()
        }
        _ => {
            let code = ErrorCode::INVALID_REQUEST;
            return Err((code, code.message().to_owned()));
        }
    };
    // Null asks for all; so does an empty list from version 1 on in Kafka's own clients.
    let wanted = resource
        .configuration_keys
        .as_ref()
        .filter(|keys| !keys.is_empty());
    Ok(entries
        .into_iter()
        .filter(|(entry, _)| wanted.is_none_or(|keys| keys.iter().any(|key| key == entry.name)))
        .map(|(entry, read_only)| result(entry, read_only, with_synonyms))
        .collect())
}

/// Checks that a broker resource names this broker; `what` and `expected` are for the words.
///
/// # Errors
/// `INVALID_REQUEST`, in Kafka's words.
pub(super) fn check_broker_name(
    broker: &Broker,
    name: &str,
    what: &str,
    expected: &str,
) -> Result<(), Refusal> {
    let why = match name.parse::<i32>() {
        Ok(node) if node == broker.config.node_id() => return Ok(()),
        Ok(_) => format!("Unexpected broker id, expected {expected}, but received {name}"),
        Err(_) => format!("{what} id must be an integer, but it is: {name}"),
    };
    Err((ErrorCode::INVALID_REQUEST, why))
}

/// Every config of a topic on which `overrides` are set.
pub(super) fn topic_entries<'a>(
    overrides: &'a SortedMap<String, String>,
    broker: &'a BrokerConfig,
) -> impl Iterator<Item = Entry> + 'a {
    TOPIC_CONFIGS.iter().map(move |definition| {
        let name = definition.name;
        let mut synonyms = Vec::new();
        if let Some(value) = overrides.get(name) {
            synonyms.push((name, value.clone(), Source::DynamicTopic));
        }
        let coarser: &[&'static str] = match name {
            "retention.ms" => &["log.retention.minutes", "log.retention.hours"],
            "segment.ms" => &["log.roll.hours"],
            "segment.jitter.ms" => &["log.roll.jitter.hours"],
            _ => &[],
        };
        if let Some(broker_name) = definition.synonym {
            for (source, value) in broker.synonyms(broker_name) {
                synonyms.push((broker_name, value, source));
            }
            for &coarse in coarser {
                // Kafka lists the coarser units only where they are set.
                for (source, value) in broker.synonyms(coarse) {
                    if source != Source::Default {
                        synonyms.push((coarse, value, source));
                    }
                }
            }
        }
        Entry {
            name,
            value: effective(name, overrides, broker),
            source: synonyms
                .first()
                .map_or(Source::Default, |(_, _, source)| *source),
            synonyms,
            definition,
        }
    })
}

fn broker_entries(config: &BrokerConfig) -> impl Iterator<Item = (Entry, bool)> + '_ {
    BROKER_CONFIGS.iter().map(|definition| {
        let synonyms: Vec<_> = config
            .synonyms(definition.name)
            .into_iter()
            .map(|(source, value)| (definition.name, value, source))
            .collect();
        let entry = Entry {
            name: definition.name,
            value: config.value(definition.name).unwrap_or_default().to_owned(),
            source: synonyms
                .first()
                .map_or(Source::Default, |(_, _, source)| *source),
            synonyms,
            definition,
        };
        (entry, !definition.dynamic)
    })
}

fn dynamic_default_entry(name: &str, value: &str) -> Option<(Entry, bool)> {
    let definition = BROKER_CONFIGS
        .iter()
        .find(|definition| definition.name == name)?;
    let source = Source::DynamicDefaultBroker;
    let entry = Entry {
        name: definition.name,
        value: value.to_owned(),
        source,
        synonyms: vec![(definition.name, value.to_owned(), source)],
        definition,
    };
    Some((entry, false))
}

fn result(entry: Entry, read_only: bool, with_synonyms: bool) -> DescribeConfigsResourceResult {
    let null = entry.synonyms.is_empty() && entry.definition.default.is_none();
    let synonyms = entry.synonyms.into_iter().filter(|_| with_synonyms);
    DescribeConfigsResourceResult {
        name: entry.name.to_owned(),
        value: (!null).then_some(entry.value),
        read_only,
        config_source: entry.source.code(),
        is_sensitive: false,
        synonyms: synonyms
            .map(|(name, value, source)| DescribeConfigsSynonym {
                name: name.to_owned(),
                value: Some(value),
                source: source.code(),
            })
            .collect(),
        config_type: entry.definition.kind.code(),
        documentation: None,
    }
}
