//! What the broker says of itself: versions, features, addresses, coordinators.

use partita_core::protocol::ApiKey;
use partita_core::protocol::messages::metadata::{MetadataRequestTopic, MetadataResponseTopic};
use partita_core::protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, DescribeClusterRequest, FindCoordinatorRequest,
    FindCoordinatorResponse, MetadataRequest, MetadataResponse,
};

use super::{Command, error};
use crate::known::Known;
use crate::words::{Result, Words};
use crate::world::{Answer, World};

/// How often a client asks again for a coordinator that is not there yet.
const RETRIES: u32 = 100;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "api-versions [API...] [version=N]",
        run: api_versions,
    },
    Command {
        usage: "metadata [TOPIC...|none] [no-auto-create] [version=N]",
        run: metadata,
    },
    Command {
        usage: "describe-cluster [version=N]",
        run: describe_cluster,
    },
    Command {
        usage: "find-coordinator [retry] [transaction] KEY... [version=N]",
        run: find_coordinator,
    },
];

fn api_versions(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let wanted = words.rest();
    let request = ApiVersionsRequest {
        client_software_name: "scenario".to_owned(),
        client_software_version: "1".to_owned(),
    };
    world.send(
        client,
        &request,
        version,
        move |_, answer: ApiVersionsResponse| {
            let mut lines = Vec::new();
            if answer.error_code.is_error() {
                lines.push(error(answer.error_code, None));
            }
            for name in &wanted {
                let api = answer.api_keys.iter().find(|api| {
                    ApiKey::try_from(api.api_key).is_ok_and(|key| key.name() == name.as_str())
                });
                lines.push(match api {
                    Some(api) => format!("{name} {}-{}", api.min_version, api.max_version),
                    None => format!("{name} is not served"),
                });
            }
            lines.extend(answer.finalized_features.iter().map(|feature| {
                format!("feature {} at {}", feature.name, feature.max_version_level)
            }));
            lines
        },
    )?;
    Ok(Vec::new())
}

fn metadata(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let allow_auto_topic_creation = !words.flag("no-auto-create");
    let none = words.flag("none");
    let names = words.rest();
    let topics = names.iter().map(|name| MetadataRequestTopic {
        name: Some(name.clone()),
        ..MetadataRequestTopic::default()
    });
    let request = MetadataRequest {
        topics: (none || !names.is_empty()).then(|| topics.collect()),
        allow_auto_topic_creation,
        ..MetadataRequest::default()
    };
    world.send(
        client,
        &request,
        version,
        |known, answer: MetadataResponse| {
            for topic in answer
                .topics
                .iter()
                .filter(|topic| !topic.topic_id.is_zero())
            {
                known.topic(topic.name.as_deref().unwrap_or_default(), topic.topic_id);
            }
            let brokers = answer.brokers.iter();
            let mut lines: Vec<String> = brokers
                .map(|broker| format!("node {} at {}:{}", broker.node_id, broker.host, broker.port))
                .collect();
            lines.extend(answer.topics.iter().map(show_topic));
            lines
        },
    )?;
    Ok(Vec::new())
}

fn show_topic(topic: &MetadataResponseTopic) -> String {
    let name = topic.name.clone().unwrap_or_default();
    if topic.error_code.is_error() {
        return format!("{name}: {}", error(topic.error_code, None));
    }
    let partitions = topic.partitions.iter().map(|partition| {
        let mut shown = format!(
            "{} epoch {}",
            partition.partition_index, partition.leader_epoch
        );
        if partition.error_code.is_error() {
            shown = format!("{shown} {}", error(partition.error_code, None));
        }
        shown
    });
    // Dozens of partitions are one thing to a reader.
    let list = if topic.partitions.len() > 8 {
        format!("{} partitions", topic.partitions.len())
    } else {
        partitions.collect::<Vec<_>>().join(", ")
    };
    let internal = if topic.is_internal { " (internal)" } else { "" };
    format!("{name}{internal}: {list}")
}

fn describe_cluster(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    world.send(
        client,
        &DescribeClusterRequest::default(),
        version,
        |_, answer| {
            if answer.error_code.is_error() {
                return vec![error(answer.error_code, answer.error_message.as_deref())];
            }
            let brokers = answer.brokers.iter();
            brokers
                .map(|broker| {
                    format!(
                        "node {} at {}:{}",
                        broker.broker_id, broker.host, broker.port
                    )
                })
                .collect()
        },
    )?;
    Ok(Vec::new())
}

fn find_coordinator(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let retries = if words.flag("retry") { RETRIES } else { 0 };
    let key_type = i8::from(words.flag("transaction"));
    let keys = words.rest();
    let request = FindCoordinatorRequest {
        key: keys.first().cloned().unwrap_or_default(),
        key_type,
        coordinator_keys: keys,
    };
    ask_for_coordinators(world, client.to_owned(), request, version, retries)?;
    Ok(Vec::new())
}

fn ask_for_coordinators(
    world: &mut World,
    client: String,
    request: FindCoordinatorRequest,
    version: Option<i16>,
    retries: u32,
) -> Result<()> {
    let again = request.clone();
    let asker = client.clone();
    let render = move |_: &mut Known, answer: FindCoordinatorResponse| {
        let lines = show_coordinators(&answer);
        if retries > 0 && lines.iter().any(|line| line.contains("NOT_AVAILABLE")) {
            let next = move |world: &mut World| {
                ask_for_coordinators(world, asker, again, version, retries - 1)
            };
            return Answer {
                lines: Vec::new(),
                next: Some(Box::new(next)),
            };
        }
        Answer::from(lines)
    };
    world.send(&client, &request, version, render)
}

fn show_coordinators(answer: &FindCoordinatorResponse) -> Vec<String> {
    if answer.coordinators.is_empty() {
        let message = answer.error_message.as_deref();
        return vec![if answer.error_code.is_error() {
            error(answer.error_code, message)
        } else {
            format!("node {} at {}:{}", answer.node_id, answer.host, answer.port)
        }];
    }
    let coordinators = answer.coordinators.iter().map(|found| {
        if found.error_code.is_error() {
            let error = error(found.error_code, found.error_message.as_deref());
            format!("{}: {error}", found.key)
        } else {
            let (node, host, port) = (found.node_id, &found.host, found.port);
            format!("{}: node {node} at {host}:{port}", found.key)
        }
    });
    coordinators.collect()
}
