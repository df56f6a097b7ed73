//! What reads: Fetch with its sessions, ListOffsets, OffsetForLeaderEpoch; and two views that the
//! protocol does not have: a log's bounds, and what of it is stored.

use bytes::Bytes;
use partita_core::protocol::messages::fetch::{
    FetchPartition, FetchTopic, ForgottenTopic, PartitionData,
};
use partita_core::protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use partita_core::protocol::messages::offset_for_leader_epoch::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use partita_core::protocol::messages::{
    FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
};
use partita_core::types::TopicPartition;

use super::produce::former;
use super::{Command, by_topic, error};
use crate::known::Known;
use crate::records::{self, Facts};
use crate::words::{Result, Words, number, partition, partitions, show_wall, wall};
use crate::world::World;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "fetch [PARTITION OFFSET...] [wait=SPAN] [min=BYTES] [max=BYTES] \
                [partition-max=BYTES] [committed] [leader-epoch=N] [last-epoch=N] \
                [session=NAME] [session-id=N] [session-epoch=N] [forget=PARTITION,...] \
                [show=times|batches] [id-of=former] [replica=N] [version=N]",
        run: fetch,
    },
    Command {
        usage: "list-offsets PARTITION earliest|latest|max|local|tiered|pending|@TIME... \
                [committed] [leader-epoch=N] [version=N]",
        run: list_offsets,
    },
    Command {
        usage: "epoch-end PARTITION EPOCH... [leader-epoch=N] [version=N]",
        run: epoch_end,
    },
    Command {
        usage: "log PARTITION...",
        run: log,
    },
    Command {
        usage: "stored PARTITION [times]",
        run: stored,
    },
];

fn fetch(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version: Option<i16> = words.number("version")?;
    let max_wait_ms = words.millis("wait", 0)?;
    let min_bytes = words.number("min")?.unwrap_or(1);
    let max_bytes = words.number("max")?.unwrap_or(50 << 20);
    let partition_max_bytes = words.number("partition-max")?.unwrap_or(1 << 20);
    let isolation_level = i8::from(words.flag("committed"));
    let current_leader_epoch = words.number("leader-epoch")?.unwrap_or(-1);
    let last_fetched_epoch = words.number("last-epoch")?.unwrap_or(-1);
    let replica_id = words.number("replica")?.unwrap_or(-1);
    let forgotten = partitions(&words.option("forget").unwrap_or_default())?;
    let before = former(words)?;
    let facts = match words.option("show").as_deref() {
        None => Facts::default(),
        Some("times") => Facts {
            times: true,
            ..Facts::default()
        },
        Some("batches") => Facts {
            batches: true,
            ..Facts::default()
        },
        Some(other) => return Err(format!("show={other}: times or batches")),
    };
    let (session, session_id, session_epoch) = fetch_session(world, words)?;
    let wanted = FetchPartition {
        current_leader_epoch,
        last_fetched_epoch,
        partition_max_bytes,
        ..FetchPartition::default()
    };
    let topics = fetch_topics(world, words, before, &wanted)?;
    let forgotten = by_topic(forgotten.into_iter().map(|partition| (partition, ())));
    let forgotten_topics_data = forgotten
        .into_iter()
        .map(|(topic, partitions)| ForgottenTopic {
            topic_id: world.known.topic_id(&topic, before),
            topic,
            partitions: partitions
                .into_iter()
                .map(|(partition, ())| partition)
                .collect(),
        });
    let mut request = FetchRequest {
        replica_id,
        max_wait_ms,
        min_bytes,
        max_bytes,
        isolation_level,
        session_id,
        session_epoch,
        topics,
        forgotten_topics_data: forgotten_topics_data.collect(),
        ..FetchRequest::default()
    };
    request.replica_state.replica_id = replica_id;
    world.send(
        client,
        &request,
        version,
        move |known, answer: FetchResponse| {
            let mut lines = Vec::new();
            if let Some(name) = session {
                lines.extend(answered_session(known, name, session_epoch, &answer));
            }
            if answer.error_code.is_error() {
                lines.push(error(answer.error_code, None));
            }
            for topic in &answer.responses {
                let name = known.topic_name(&topic.topic, topic.topic_id);
                for one in &topic.partitions {
                    lines.push(format!(
                        "{name}-{}{}",
                        one.partition_index,
                        show(one, facts)
                    ));
                }
            }
            if lines.is_empty() {
                lines.push("nothing changed".to_owned());
            }
            lines
        },
    )?;
    Ok(Vec::new())
}

/// The partitions that are left, each wanted from its offset.
fn fetch_topics(
    world: &World,
    words: &mut Words,
    before: usize,
    wanted: &FetchPartition,
) -> Result<Vec<FetchTopic>> {
    let mut partitions = Vec::new();
    while let Some(word) = words.next_if_any() {
        let mut one = wanted.clone();
        let TopicPartition { topic, partition } = partition(&word)?;
        one.fetch_offset = number(&words.next("an offset")?)?;
        one.partition = partition;
        partitions.push((TopicPartition::new(topic, partition), one));
    }
    let topics = by_topic(partitions)
        .into_iter()
        .map(|(topic, partitions)| FetchTopic {
            topic_id: world.known.topic_id(&topic, before),
            topic,
            partitions: partitions.into_iter().map(|(_, one)| one).collect(),
        });
    Ok(topics.collect())
}

/// The session that a fetch belongs to, its id and epoch: none; a new one; or the next in one.
fn fetch_session(world: &mut World, words: &mut Words) -> Result<(Option<String>, i32, i32)> {
    let name = words.option("session");
    let (mut id, mut epoch) = (0, -1);
    if let Some(name) = &name {
        let session = world.known.sessions.entry(name.clone()).or_default();
        (id, epoch) = (session.id, session.epoch);
        session.epoch += 1;
    }
    id = words.number("session-id")?.unwrap_or(id);
    epoch = words.number("session-epoch")?.unwrap_or(epoch);
    Ok((name, id, epoch))
}

fn answered_session(
    known: &mut Known,
    name: String,
    epoch: i32,
    answer: &FetchResponse,
) -> Option<String> {
    if epoch != 0 || answer.error_code.is_error() {
        return None;
    }
    let session = known.sessions.entry(name.clone()).or_default();
    session.id = answer.session_id;
    Some(if answer.session_id == 0 {
        "no session".to_owned()
    } else {
        format!("session {name}")
    })
}

fn show(partition: &PartitionData, facts: Facts) -> String {
    if partition.error_code.is_error() {
        return format!(": {}", error(partition.error_code, None));
    }
    let (start, high) = (partition.log_start_offset, partition.high_watermark);
    let mut head = format!(" [{start}..{high}]");
    if partition.last_stable_offset != high {
        head = format!("{head} stable to {}", partition.last_stable_offset);
    }
    let diverging = &partition.diverging_epoch;
    if diverging.epoch >= 0 {
        return format!(
            "{head}: epoch {} ended at {}",
            diverging.epoch, diverging.end_offset
        );
    }
    let bytes = partition.records.bytes().cloned().unwrap_or_default();
    match records::show(&bytes, facts) {
        Ok(batches) if batches.is_empty() => format!("{head}: nothing"),
        Ok(batches) => format!("{head}: {}", batches.join(" | ")),
        Err(damage) => format!("{head}: {damage}"),
    }
}

fn list_offsets(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let isolation_level = i8::from(words.flag("committed"));
    let current_leader_epoch = words.number("leader-epoch")?.unwrap_or(-1);
    let mut topics = Vec::new();
    for (name, partitions) in by_topic(words.by_partition("a time")?) {
        let mut list = Vec::new();
        for (partition_index, time) in partitions {
            list.push(ListOffsetsPartition {
                partition_index,
                current_leader_epoch,
                timestamp: timestamp(&time)?,
            });
        }
        topics.push(ListOffsetsTopic {
            name,
            partitions: list,
        });
    }
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level,
        topics,
        timeout_ms: 30_000,
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: ListOffsetsResponse| {
            let mut lines = Vec::new();
            for topic in &answer.topics {
                for one in &topic.partitions {
                    let mut line = format!("{}-{}: ", topic.name, one.partition_index);
                    if one.error_code.is_error() {
                        line.push_str(&error(one.error_code, None));
                    } else if one.offset < 0 {
                        line.push_str("none");
                    } else {
                        line = format!("{line}offset {}", one.offset);
                        if one.timestamp >= 0 {
                            line = format!("{line}, time {}", show_wall(one.timestamp));
                        }
                        line = format!("{line}, epoch {}", one.leader_epoch);
                    }
                    lines.push(line);
                }
            }
            lines
        },
    )?;
    Ok(Vec::new())
}

/// A time, or one of ListOffsets' special values.
fn timestamp(text: &str) -> Result<i64> {
    Ok(match text {
        "latest" => -1,
        "earliest" => -2,
        "max" => -3,
        "local" => -4,
        "tiered" => -5,
        "pending" => -6,
        _ => wall(text)?,
    })
}

fn epoch_end(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let current_leader_epoch = words.number("leader-epoch")?.unwrap_or(-1);
    let mut topics = Vec::new();
    for (topic, partitions) in by_topic(words.by_partition("an epoch")?) {
        let mut list = Vec::new();
        for (partition, epoch) in partitions {
            list.push(OffsetForLeaderPartition {
                partition,
                current_leader_epoch,
                leader_epoch: number(&epoch)?,
            });
        }
        topics.push(OffsetForLeaderTopic {
            topic,
            partitions: list,
        });
    }
    let request = OffsetForLeaderEpochRequest {
        topics,
        ..OffsetForLeaderEpochRequest::default()
    };
    let render = |_: &mut _, answer: OffsetForLeaderEpochResponse| {
        let mut lines = Vec::new();
        for topic in &answer.topics {
            lines.extend(topic.partitions.iter().map(|one| {
                let partition = format!("{}-{}", topic.topic, one.partition);
                match one.error_code.is_error() {
                    true => format!("{partition}: {}", error(one.error_code, None)),
                    false if one.leader_epoch < 0 => format!("{partition}: none"),
                    false => {
                        let (epoch, end) = (one.leader_epoch, one.end_offset);
                        format!("{partition}: epoch {epoch} ends at {end}")
                    }
                }
            }));
        }
        lines
    };
    world.send(client, &request, version, render)?;
    Ok(Vec::new())
}

fn log(world: &mut World, _: &str, words: &mut Words) -> Result<Vec<String>> {
    world.settle()?;
    let mut lines = Vec::new();
    for word in words.rest() {
        let Some(view) = world.partition(&partition(&word)?) else {
            lines.push(format!("{word}: not there"));
            continue;
        };
        let mut line = format!(
            "{word}: start {}, high watermark {}, end {}, epoch {}",
            view.log_start_offset, view.high_watermark, view.log_end_offset, view.leader_epoch
        );
        if !view.online {
            line.push_str(", offline");
        }
        lines.push(line);
    }
    Ok(lines)
}

/// What storage holds of a log, whoever may see it.
fn stored(world: &mut World, _: &str, words: &mut Words) -> Result<Vec<String>> {
    let times = words.flag("times");
    let TopicPartition { topic, partition } = partition(&words.next("a partition")?)?;
    let former = former(words)?;
    world.settle()?;
    let internal = topic == "__consumer_offsets";
    let topic = world.known.topic_id(&topic, former);
    let chunks = &world.harness().storage.stored().chunks;
    let of_log = chunks
        .iter()
        .filter(|((log, _), _)| log.topic == topic && log.partition == partition);
    let bytes: Vec<Bytes> = of_log.map(|(_, bytes)| bytes.clone()).collect();
    let facts = Facts {
        times,
        internal,
        batches: !internal,
    };
    let mut lines = records::show(&Bytes::from(bytes.concat()), facts)?;
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    Ok(lines)
}
