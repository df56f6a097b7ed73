//! Committed offsets: OffsetCommit, OffsetFetch, OffsetDelete.

use partita_core::protocol::ErrorCode;
use partita_core::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use partita_core::protocol::messages::offset_delete::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use partita_core::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use partita_core::protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};

use super::membership::{said_by, sender};
use super::produce::former;
use super::{Command, by_topic, error, outcome};
use crate::known::Member;
use crate::records::{repeated, show_text};
use crate::words::{Result, Words, number, pair, partition};
use crate::world::World;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "commit GROUP MEMBER|- PARTITION=OFFSET[/METADATA]... [generation=N] [instance=ID] \
                [id=MEMBER|-] [retention=SPAN] [epoch=N] [id-of=former] [version=N]",
        run: commit,
    },
    Command {
        usage: "offsets GROUP [PARTITION...] [stable] [version=N]",
        run: fetch,
    },
    Command {
        usage: "delete-offsets GROUP PARTITION... [version=N]",
        run: delete,
    },
];

fn commit(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let group = words.next("a group")?;
    let name = words.next("a member, or - for none")?;
    let member = match name.as_str() {
        "-" => Member {
            generation: words.number("generation")?.unwrap_or(-1),
            ..Member::default()
        },
        name => said_by(world, words, &group, name)?,
    };
    let group_instance_id = words.option("instance");
    let retention_time_ms = i64::from(words.millis("retention", -1)?);
    let committed_leader_epoch = words.number("epoch")?.unwrap_or(-1);
    let before = former(words)?;
    let mut commits = Vec::new();
    for word in words.rest() {
        let (of, offset) = pair(&word)?;
        let (offset, metadata) = offset.split_once('/').unwrap_or((&offset, ""));
        let what = (number(offset)?, repeated(metadata)?);
        commits.push((partition(&of)?, what));
    }
    let topics = by_topic(commits)
        .into_iter()
        .map(|(name, partitions)| OffsetCommitRequestTopic {
            topic_id: world.known.topic_id(&name, before),
            name,
            partitions: partitions
                .into_iter()
                .map(|(partition_index, (committed_offset, metadata))| {
                    OffsetCommitRequestPartition {
                        partition_index,
                        committed_offset,
                        committed_leader_epoch,
                        committed_metadata: Some(metadata),
                    }
                })
                .collect(),
        });
    let request = OffsetCommitRequest {
        group_id: group,
        generation_id_or_member_epoch: member.generation,
        member_id: member.id,
        group_instance_id,
        retention_time_ms,
        topics: topics.collect(),
    };
    let client = if name == "-" {
        client
    } else {
        sender(client, &name)
    };
    world.send(
        client,
        &request,
        version,
        |known, answer: OffsetCommitResponse| {
            let mut lines = Vec::new();
            for topic in &answer.topics {
                let name = known.topic_name(&topic.name, topic.topic_id);
                lines.extend(topic.partitions.iter().map(|one| {
                    format!(
                        "{name}-{}: {}",
                        one.partition_index,
                        outcome(one.error_code, None)
                    )
                }));
            }
            lines
        },
    )?;
    Ok(Vec::new())
}

fn fetch(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let require_stable = words.flag("stable");
    let group_id = words.next("a group")?;
    let wanted: Result<Vec<_>> = words.rest().iter().map(|word| partition(word)).collect();
    let wanted = by_topic(wanted?.into_iter().map(|partition| (partition, ())));
    let indexes = |partitions: &[(i32, ())]| partitions.iter().map(|(index, ())| *index).collect();
    let old = wanted
        .iter()
        .map(|(name, partitions)| OffsetFetchRequestTopic {
            name: name.clone(),
            partition_indexes: indexes(partitions),
        });
    let new = wanted
        .iter()
        .map(|(name, partitions)| OffsetFetchRequestTopics {
            name: name.clone(),
            topic_id: world.known.topic_id(name, 0),
            partition_indexes: indexes(partitions),
        });
    let request = OffsetFetchRequest {
        group_id: group_id.clone(),
        topics: (!wanted.is_empty()).then(|| old.collect()),
        groups: vec![OffsetFetchRequestGroup {
            group_id,
            topics: (!wanted.is_empty()).then(|| new.collect()),
            ..OffsetFetchRequestGroup::default()
        }],
        require_stable,
    };
    world.send(
        client,
        &request,
        version,
        |known, answer: OffsetFetchResponse| {
            let mut lines = Vec::new();
            let groups = answer.groups.iter().map(|group| group.error_code);
            for code in groups.chain([answer.error_code]) {
                if code.is_error() {
                    lines.push(error(code, None));
                }
            }
            for topic in &answer.topics {
                lines.extend(topic.partitions.iter().map(|one| {
                    let what = (
                        one.committed_offset,
                        one.metadata.as_deref(),
                        one.error_code,
                    );
                    show(&topic.name, one.partition_index, what)
                }));
            }
            for topic in answer.groups.iter().flat_map(|group| &group.topics) {
                let name = known.topic_name(&topic.name, topic.topic_id);
                lines.extend(topic.partitions.iter().map(|one| {
                    let what = (
                        one.committed_offset,
                        one.metadata.as_deref(),
                        one.error_code,
                    );
                    show(&name, one.partition_index, what)
                }));
            }
            if lines.is_empty() {
                lines.push("none".to_owned());
            }
            lines
        },
    )?;
    Ok(Vec::new())
}

fn show(topic: &str, partition: i32, what: (i64, Option<&str>, ErrorCode)) -> String {
    match what {
        (_, _, code) if code.is_error() => format!("{topic}-{partition}: {}", error(code, None)),
        (-1, ..) => format!("{topic}-{partition}: none"),
        (offset, None | Some(""), _) => format!("{topic}-{partition}: {offset}"),
        (offset, Some(text), _) => {
            format!(
                "{topic}-{partition}: {offset}/{}",
                show_text(text.as_bytes())
            )
        }
    }
}

fn delete(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let group_id = words.next("a group")?;
    let wanted: Result<Vec<_>> = words.rest().iter().map(|word| partition(word)).collect();
    let wanted = by_topic(wanted?.into_iter().map(|partition| (partition, ())));
    let topics = wanted
        .into_iter()
        .map(|(name, partitions)| OffsetDeleteRequestTopic {
            name,
            partitions: partitions
                .into_iter()
                .map(|(partition_index, ())| OffsetDeleteRequestPartition { partition_index })
                .collect(),
        });
    let request = OffsetDeleteRequest {
        group_id,
        topics: topics.collect(),
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: OffsetDeleteResponse| {
            if answer.error_code.is_error() {
                return vec![error(answer.error_code, None)];
            }
            let mut lines = Vec::new();
            for topic in &answer.topics {
                lines.extend(topic.partitions.iter().map(|one| {
                    let outcome = outcome(one.error_code, None);
                    format!("{}-{}: {outcome}", topic.name, one.partition_index)
                }));
            }
            lines
        },
    )?;
    Ok(Vec::new())
}
