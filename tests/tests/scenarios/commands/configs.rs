//! Configs of topics and of the broker. A resource is `topic:NAME`, `broker:ID`, or `broker:` for
//! what holds for all brokers.

use partita_core::protocol::messages::alter_configs as all;
use partita_core::protocol::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult,
};
use partita_core::protocol::messages::incremental_alter_configs as each;
use partita_core::protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::{Command, error, outcome};
use crate::words::{Result, Words, pair};
use crate::world::World;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "configs RESOURCE [NAME...] [synonyms] [version=N]",
        run: describe,
    },
    Command {
        usage: "alter RESOURCE NAME=VALUE|NAME+=ITEM|NAME-=ITEM|NAME!... [validate-only] [version=N]",
        run: alter,
    },
    Command {
        usage: "replace-configs RESOURCE [NAME=VALUE...] [validate-only] [version=N]",
        run: replace,
    },
];

fn resource(words: &mut Words) -> Result<(i8, String)> {
    let word = words.next("a resource")?;
    match word.split_once(':') {
        Some(("topic", name)) => Ok((2, name.to_owned())),
        Some(("broker", name)) => Ok((4, name.to_owned())),
        _ => Err(format!(
            "{word:?} is not a resource such as topic:orders or broker:1"
        )),
    }
}

fn show_resource(kind: i8, name: &str) -> String {
    let kind = if kind == 2 { "topic" } else { "broker" };
    format!("{kind}:{name}")
}

/// Where a value comes from (`DescribeConfigsResponse.ConfigSource`).
fn source(code: i8) -> &'static str {
    match code {
        1 => "topic",
        2 => "this broker",
        3 => "all brokers",
        4 => "at start",
        5 => "default",
        _ => "unknown",
    }
}

fn describe(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let include_synonyms = words.flag("synonyms");
    let (resource_type, resource_name) = resource(words)?;
    let names = words.rest();
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type,
            resource_name,
            configuration_keys: (!names.is_empty()).then_some(names),
        }],
        include_synonyms,
        ..DescribeConfigsRequest::default()
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: DescribeConfigsResponse| {
            let mut lines = Vec::new();
            for result in &answer.results {
                if result.error_code.is_error() {
                    let resource = show_resource(result.resource_type, &result.resource_name);
                    let error = error(result.error_code, result.error_message.as_deref());
                    lines.push(format!("{resource}: {error}"));
                }
                lines.extend(result.configs.iter().map(show_config));
            }
            lines
        },
    )?;
    Ok(Vec::new())
}

fn show_config(config: &DescribeConfigsResourceResult) -> String {
    let value = config.value.as_deref().unwrap_or("null");
    let mut shown = format!(
        "{} = {value} ({}",
        config.name,
        source(config.config_source)
    );
    if config.read_only {
        shown.push_str(", read-only");
    }
    shown.push(')');
    for synonym in &config.synonyms {
        let value = synonym.value.as_deref().unwrap_or("null");
        let source = source(synonym.source);
        shown = format!("{shown}; {} = {value} ({source})", synonym.name);
    }
    shown
}

fn alter(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let validate_only = words.flag("validate-only");
    let (resource_type, resource_name) = resource(words)?;
    let configs: Result<Vec<_>> = words.rest().iter().map(|word| change(word)).collect();
    let request = IncrementalAlterConfigsRequest {
        resources: vec![each::AlterConfigsResource {
            resource_type,
            resource_name,
            configs: configs?,
        }],
        validate_only,
    };
    let render = |_: &mut _, answer: IncrementalAlterConfigsResponse| {
        let all = answer.responses.iter().map(|one| {
            let resource = show_resource(one.resource_type, &one.resource_name);
            format!(
                "{resource}: {}",
                outcome(one.error_code, one.error_message.as_deref())
            )
        });
        all.collect::<Vec<_>>()
    };
    world.send(client, &request, version, render)?;
    Ok(Vec::new())
}

fn change(word: &str) -> Result<each::AlterableConfig> {
    if let Some(name) = word.strip_suffix('!') {
        return Ok(each::AlterableConfig {
            name: name.to_owned(),
            config_operation: 1,
            value: None,
        });
    }
    let (name, value) = pair(word)?;
    let (name, config_operation) = match (name.strip_suffix('+'), name.strip_suffix('-')) {
        (Some(name), _) => (name, 2),
        (_, Some(name)) => (name, 3),
        (None, None) => (name.as_str(), 0),
    };
    Ok(each::AlterableConfig {
        name: name.to_owned(),
        config_operation,
        value: Some(value),
    })
}

fn replace(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let validate_only = words.flag("validate-only");
    let (resource_type, resource_name) = resource(words)?;
    let configs: Result<Vec<_>> = words.rest().iter().map(|word| pair(word)).collect();
    let configs = configs?
        .into_iter()
        .map(|(name, value)| all::AlterableConfig {
            name,
            value: Some(value),
        });
    let request = AlterConfigsRequest {
        resources: vec![all::AlterConfigsResource {
            resource_type,
            resource_name,
            configs: configs.collect(),
        }],
        validate_only,
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: AlterConfigsResponse| {
            let all = answer.responses.iter().map(|one| {
                let resource = show_resource(one.resource_type, &one.resource_name);
                format!(
                    "{resource}: {}",
                    outcome(one.error_code, one.error_message.as_deref())
                )
            });
            all.collect::<Vec<_>>()
        },
    )?;
    Ok(Vec::new())
}
