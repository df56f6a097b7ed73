//! Topics: create, delete, grow, describe.

use partita_core::protocol::messages::create_partitions::CreatePartitionsTopic;
use partita_core::protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use partita_core::protocol::messages::delete_topics::DeleteTopicState;
use partita_core::protocol::messages::describe_topic_partitions::TopicRequest;
use partita_core::protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
};

use super::{Command, error, outcome};
use crate::words::{Result, Words, number, pair};
use crate::world::World;

/// How long the broker may take for a change of topics.
const TIMEOUT_MS: i32 = 60_000;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "create TOPIC [partitions=N] [replicas=N] [CONFIG=VALUE...] [validate-only] [version=N]",
        run: create,
    },
    Command {
        usage: "delete TOPIC... [by-id] [version=N]",
        run: delete,
    },
    Command {
        usage: "grow TOPIC PARTITIONS [validate-only] [version=N]",
        run: grow,
    },
    Command {
        usage: "describe-topic TOPIC... [version=N]",
        run: describe,
    },
];

fn create(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let validate_only = words.flag("validate-only");
    let num_partitions = words.number("partitions")?.unwrap_or(1);
    let replication_factor = words.number("replicas")?.unwrap_or(1);
    let name = words.next("a topic")?;
    let configs: Result<Vec<_>> = words.rest().iter().map(|word| pair(word)).collect();
    let configs = configs?
        .into_iter()
        .map(|(name, value)| CreatableTopicConfig {
            name,
            value: Some(value),
        });
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name,
            num_partitions,
            replication_factor,
            configs: configs.collect(),
            ..CreatableTopic::default()
        }],
        timeout_ms: TIMEOUT_MS,
        validate_only,
    };
    world.send(
        client,
        &request,
        version,
        |known, answer: CreateTopicsResponse| {
            let topics = answer.topics.iter().map(|topic| {
                if topic.error_code.is_error() {
                    let error = error(topic.error_code, topic.error_message.as_deref());
                    return format!("{}: {error}", topic.name);
                }
                if !topic.topic_id.is_zero() {
                    known.topic(&topic.name, topic.topic_id);
                }
                match topic.num_partitions {
                    -1 => format!("{}: created", topic.name),
                    1 => format!("{}: created, 1 partition", topic.name),
                    many => format!("{}: created, {many} partitions", topic.name),
                }
            });
            topics.collect::<Vec<_>>()
        },
    )?;
    Ok(Vec::new())
}

fn delete(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let by_id = words.flag("by-id");
    let names = words.rest();
    let topics = names.iter().map(|name| {
        if by_id {
            DeleteTopicState {
                name: None,
                topic_id: world.known.topic_id(name, 0),
            }
        } else {
            DeleteTopicState {
                name: Some(name.clone()),
                ..DeleteTopicState::default()
            }
        }
    });
    let request = DeleteTopicsRequest {
        topics: topics.collect(),
        topic_names: names.clone(),
        timeout_ms: TIMEOUT_MS,
    };
    world.send(
        client,
        &request,
        version,
        |known, answer: DeleteTopicsResponse| {
            let topics = answer.responses.iter().map(|topic| {
                let name = topic.name.clone().unwrap_or_default();
                let name = known.topic_name(&name, topic.topic_id);
                if topic.error_code.is_error() {
                    let error = error(topic.error_code, topic.error_message.as_deref());
                    format!("{name}: {error}")
                } else {
                    format!("{name}: deleted")
                }
            });
            topics.collect::<Vec<_>>()
        },
    )?;
    Ok(Vec::new())
}

fn grow(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let validate_only = words.flag("validate-only");
    let request = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: words.next("a topic")?,
            count: number(&words.next("the number of partitions")?)?,
            assignments: None,
        }],
        timeout_ms: TIMEOUT_MS,
        validate_only,
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: CreatePartitionsResponse| {
            let topics = answer.results.iter().map(|topic| {
                let outcome = outcome(topic.error_code, topic.error_message.as_deref());
                format!("{}: {outcome}", topic.name)
            });
            topics.collect::<Vec<_>>()
        },
    )?;
    Ok(Vec::new())
}

fn describe(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let topics = words.rest().into_iter().map(|name| TopicRequest { name });
    let request = DescribeTopicPartitionsRequest {
        topics: topics.collect(),
        ..DescribeTopicPartitionsRequest::default()
    };
    let render = |_: &mut _, answer: DescribeTopicPartitionsResponse| {
        let topics = answer.topics.iter().map(|topic| {
            let name = topic.name.clone().unwrap_or_default();
            if topic.error_code.is_error() {
                return format!("{name}: {}", topic.error_code);
            }
            let partitions = topic.partitions.iter().map(|partition| {
                let (index, leader) = (partition.partition_index, partition.leader_id);
                format!(
                    "{index} led by {leader} in epoch {}",
                    partition.leader_epoch
                )
            });
            format!("{name}: {}", partitions.collect::<Vec<_>>().join(", "))
        });
        topics.collect::<Vec<_>>()
    };
    world.send(client, &request, version, render)?;
    Ok(Vec::new())
}
