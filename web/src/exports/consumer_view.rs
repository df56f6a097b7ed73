//! What a consumer tells, as KafkaJS shows it. Offsets are strings.

use bytes::Bytes;
use js_sys::{Array, Int32Array, Reflect, Uint8Array};
use partita_core::client::consumer::{
    ConsumerEvent, FetchedBatch, GroupJoin, OffsetToCommit, Rebalance,
};
use partita_core::records::PackedRecords;
use partita_core::types::TopicPartition;
use serde::{Serialize, Serializer};
use wasm_bindgen::prelude::*;

use super::error::{ErrorView, Outcome};
use crate::num::{to_f64, to_u32};
use crate::port::to_js;

/// Something that has happened and ends no operation.
#[derive(Debug, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum EventView {
    Joined {
        member_id: String,
        leader_id: String,
        is_leader: bool,
        group_protocol: String,
        /// Topics with their partitions, these by number.
        assignment: Vec<(String, Vec<i32>)>,
        duration: u64,
    },
    Rebalancing {
        reason: &'static str,
        member_id: String,
    },
    UnsubscribedTopics {
        generation_id: i32,
        member_id: String,
        assigned_topics: Vec<String>,
        topics_subscribed: Vec<String>,
        topics_not_subscribed: Vec<String>,
    },
    ProtocolsNeeded {
        names: Vec<String>,
        topics: Vec<String>,
    },
    AssignmentNeeded {
        generation: i32,
        protocol: String,
        members: Vec<(String, Raw)>,
        topics: Vec<String>,
    },
    Heartbeat {
        member_id: String,
        generation: i32,
    },
    Committed {
        member_id: String,
        generation: i32,
        topics: Vec<TopicOffsets>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorView>,
    },
    OutOfRange {
        topic: String,
        partition: i32,
    },
    FetchStart {
        node_id: i32,
    },
    Fetched {
        node_id: i32,
        duration: u64,
        number_of_batches: usize,
    },
    Crashed {
        error: ErrorView,
    },
}

/// Bytes of the protocol, as a `Uint8Array`.
#[derive(Debug)]
struct Raw(Bytes);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// A topic's offsets.
#[derive(Debug, Serialize)]
pub(super) struct TopicOffsets {
    topic: String,
    partitions: Vec<PartitionOffset>,
}

#[derive(Debug, Serialize)]
struct PartitionOffset {
    partition: i32,
    offset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
}

/// Adds an event to those that JavaScript gets, if it is told of at all.
pub(super) fn push(events: &Array, event: ConsumerEvent) -> Result<(), JsValue> {
    let view = match event {
        ConsumerEvent::Done { op, result } => {
            events.push(&to_js(&Outcome::new(op, result))?);
            return Ok(());
        }
        ConsumerEvent::Topics { op, names } => {
            events.push(&to_js(&Outcome::new(op, Ok(names)))?);
            return Ok(());
        }
        ConsumerEvent::Committed {
            op,
            member_id,
            generation,
            offsets,
            result,
            ..
        } => {
            // Listeners hear of it before whoever waits for it.
            let error = result.clone().err().map(Into::into);
            events.push(&to_js(&EventView::Committed {
                member_id,
                generation,
                topics: by_topic(offsets),
                error,
            })?);
            events.push(&to_js(&Outcome::new(op, result))?);
            return Ok(());
        }
        // KafkaJS does not tell of these.
        ConsumerEvent::Revoking { .. }
        | ConsumerEvent::Revoked { .. }
        | ConsumerEvent::Assigned { .. }
        | ConsumerEvent::Lost { .. }
        | ConsumerEvent::Positioned { .. }
        | ConsumerEvent::NoPosition { .. } => return Ok(()),
        ConsumerEvent::Joined(join) => joined(join),
        ConsumerEvent::Rebalancing { reason, member_id } => EventView::Rebalancing {
            reason: words(&reason),
            member_id,
        },
        ConsumerEvent::UnsubscribedTopics {
            generation,
            member_id,
            assigned,
            subscribed,
            not_subscribed,
        } => EventView::UnsubscribedTopics {
            generation_id: generation,
            member_id,
            assigned_topics: assigned,
            topics_subscribed: subscribed,
            topics_not_subscribed: not_subscribed,
        },
        ConsumerEvent::ProtocolsNeeded { names, topics } => {
            EventView::ProtocolsNeeded { names, topics }
        }
        ConsumerEvent::AssignmentNeeded {
            generation,
            protocol,
            members,
            topics,
        } => EventView::AssignmentNeeded {
            generation,
            protocol,
            members: members
                .into_iter()
                .map(|(member_id, metadata)| (member_id, Raw(metadata)))
                .collect(),
            topics,
        },
        ConsumerEvent::Heartbeat {
            member_id,
            generation,
        } => EventView::Heartbeat {
            member_id,
            generation,
        },
        ConsumerEvent::OutOfRange { partition, .. } => EventView::OutOfRange {
            topic: partition.topic,
            partition: partition.partition,
        },
        ConsumerEvent::FetchStart { node } => EventView::FetchStart { node_id: node },
        ConsumerEvent::Fetched {
            node,
            duration_ms,
            batches,
        } => EventView::Fetched {
            node_id: node,
            duration: duration_ms,
            number_of_batches: batches,
        },
        ConsumerEvent::Crashed { error, .. } => EventView::Crashed {
            error: error.into(),
        },
    };
    events.push(&to_js(&view)?);
    Ok(())
}

fn joined(join: GroupJoin) -> EventView {
    let mut assignment = partitions_by_topic(join.assignment);
    for (_, partitions) in &mut assignment {
        partitions.sort_unstable();
    }
    EventView::Joined {
        member_id: join.member_id,
        leader_id: join.leader_id,
        is_leader: join.is_leader,
        group_protocol: join.protocol,
        assignment,
        duration: join.duration_ms,
    }
}

fn words(reason: &Rebalance) -> &'static str {
    match reason {
        Rebalance::InProgress => "The group is rebalancing",
        Rebalance::IllegalGeneration => "The group has gone on to another generation",
        Rebalance::UnknownMember => "The coordinator is not aware of this member",
        Rebalance::SubscriptionChanged => "Other topics are subscribed to",
        Rebalance::TopicsChanged => "Topics have other partitions than before",
        Rebalance::PartitionsRevoked => "Partitions were given up for other members",
    }
}

/// Partitions by topic, in the order in which each comes first.
pub(super) fn partitions_by_topic(partitions: Vec<TopicPartition>) -> Vec<(String, Vec<i32>)> {
    let pairs = partitions.into_iter().map(|it| (it.topic, it.partition));
    grouped(pairs)
}

/// Offsets by topic, in the order in which each topic comes first.
pub(super) fn by_topic(offsets: Vec<OffsetToCommit>) -> Vec<TopicOffsets> {
    let pairs = offsets.into_iter().map(|it| {
        let offset = PartitionOffset {
            partition: it.partition.partition,
            offset: it.offset.to_string(),
            metadata: it.metadata,
        };
        (it.partition.topic, offset)
    });
    let topics = grouped(pairs).into_iter();
    topics
        .map(|(topic, partitions)| TopicOffsets { topic, partitions })
        .collect()
}

fn grouped<T>(pairs: impl Iterator<Item = (String, T)>) -> Vec<(String, Vec<T>)> {
    let mut groups: Vec<(String, Vec<T>)> = Vec::new();
    for (name, item) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, items)) => items.push(item),
            None => groups.push((name, vec![item])),
        }
    }
    groups
}

/// A batch without its records.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchHead {
    id: f64,
    topic: String,
    partition: i32,
    high_watermark: String,
    first_offset: String,
    last_offset: String,
    /// The position after it, as a number.
    next_offset: f64,
    /// How many records.
    count: usize,
}

/// A batch as a plain object, its records packed in `data` and `table`: see
/// `partita_core::records::PackedRecords`.
pub(super) fn show_batch(batch: FetchedBatch, packed: PackedRecords) -> Result<JsValue, JsValue> {
    let (first_offset, last_offset) = (batch.first_offset(), batch.last_offset());
    let next_offset = u64::try_from(batch.next_offset).unwrap_or(0);
    let head = BatchHead {
        id: to_f64(batch.id.0),
        topic: batch.topic,
        partition: batch.partition,
        high_watermark: batch.high_watermark.to_string(),
        first_offset: first_offset.to_string(),
        last_offset: last_offset.to_string(),
        next_offset: to_f64(next_offset),
        count: packed.len(),
    };
    let object = to_js(&head)?;
    let (data, table) = packed.into_parts();
    // Copied by exact length: neither keeps room that it does not use.
    let bytes = Uint8Array::new_with_length(to_u32(data.len()));
    bytes.copy_from(&data);
    let words = Int32Array::new_with_length(to_u32(table.len()));
    words.copy_from(&table);
    Reflect::set(&object, &"data".into(), &bytes)?;
    Reflect::set(&object, &"table".into(), &words)?;
    Ok(object)
}
