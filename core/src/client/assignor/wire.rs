//! Subscriptions and assignments as bytes, with Kafka's schemas and Java's conventions.

use super::{Assignor, Subscription};
use crate::protocol::internal::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicPartition as Topic,
};
use crate::protocol::internal::write_versioned;
use crate::protocol::{DecodeError, EncodeError, Message, Reader};
use crate::sorted;
use crate::types::TopicPartition;
use bytes::Bytes;

/// A member's metadata for JoinGroup. The instance id is left out: it has a place of its own there.
///
/// Java sorts topics and owned partitions; KafkaJS leaves topics as they are.
///
/// # Errors
/// [`EncodeError`] for a name longer than the protocol allows.
pub fn encode_subscription(
    assignor: Assignor,
    subscription: &Subscription,
) -> Result<Bytes, EncodeError> {
    let mut topics = subscription.topics.clone();
    if assignor != Assignor::KafkaJsRoundRobin {
        sorted::sort(&mut topics);
    }
    let mut owned = subscription.owned_partitions.clone();
    sorted::sort(&mut owned);
    let message = ConsumerProtocolSubscription {
        topics,
        user_data: subscription.user_data.clone(),
        owned_partitions: by_topic(&owned),
        generation_id: subscription.generation_id,
        rack_id: subscription.rack_id.clone(),
    };
    write_versioned(&message, assignor.wire_version())
}

/// A member's metadata from JoinGroup's response; a version that is newer than ours is read as
/// ours, and what older ones lack is as if it had not been said.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_subscription(
    bytes: Bytes,
    group_instance_id: Option<String>,
) -> Result<Subscription, DecodeError> {
    let message: ConsumerProtocolSubscription = read(bytes)?;
    Ok(Subscription {
        topics: message.topics,
        user_data: message.user_data,
        owned_partitions: flat(message.owned_partitions),
        generation_id: message.generation_id,
        rack_id: message.rack_id.filter(|rack| !rack.is_empty()),
        group_instance_id,
    })
}

/// What a member gets, for SyncGroup. None of our assignors sends user data with it; KafkaJS's
/// sends an empty one.
///
/// # Errors
/// [`EncodeError`] for a name longer than the protocol allows.
pub fn encode_assignment(
    assignor: Assignor,
    partitions: &[TopicPartition],
) -> Result<Bytes, EncodeError> {
    let message = ConsumerProtocolAssignment {
        assigned_partitions: by_topic(partitions),
        user_data: match assignor {
            Assignor::KafkaJsRoundRobin => Some(Bytes::new()),
            Assignor::Range
            | Assignor::RoundRobin
            | Assignor::Sticky
            | Assignor::CooperativeSticky => None,
        },
    };
    write_versioned(&message, assignor.wire_version())
}

/// What this member gets, from SyncGroup's response, with its user data. No bytes at all mean no
/// partitions: so KafkaJS's leader, and the broker, speak to a member that gets none.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_assignment(
    bytes: Bytes,
) -> Result<(Vec<TopicPartition>, Option<Bytes>), DecodeError> {
    if bytes.is_empty() {
        return Ok((Vec::new(), None));
    }
    let message: ConsumerProtocolAssignment = read(bytes)?;
    Ok((flat(message.assigned_partitions), message.user_data))
}

fn read<M: Message>(bytes: Bytes) -> Result<M, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?.min(M::VERSIONS.max);
    M::read_version(&mut reader, version)
}

/// Partitions under their topics, in the order in which topics first appear.
pub(super) fn by_topic(partitions: &[TopicPartition]) -> Vec<Topic> {
    let mut topics: Vec<Topic> = Vec::new();
    for TopicPartition { topic, partition } in partitions {
        // Partitions of a topic mostly come together: look at the last one first.
        let known = topics.iter_mut().rev().find(|known| known.topic == *topic);
        match known {
            Some(known) => known.partitions.push(*partition),
            None => topics.push(Topic {
                topic: topic.clone(),
                partitions: vec![*partition],
            }),
        }
    }
    topics
}

pub(super) fn flat(topics: Vec<Topic>) -> Vec<TopicPartition> {
    topics
        .into_iter()
        .flat_map(|Topic { topic, partitions }| {
            partitions
                .into_iter()
                .map(move |partition| TopicPartition::new(topic.clone(), partition))
        })
        .collect()
}
