//! `RoundRobinAssigner`, KafkaJS's own: the leader's topics in the order in which it subscribed,
//! all their partitions, to the members in turn by member id.
//!
//! KafkaJS hands partitions to members that did not subscribe to their topic, which then ignore
//! them. Here such a member loses its turn, and topics that only other members want follow at the
//! end; with equal subscriptions, the only ones that work in KafkaJS, there is no difference.

use super::{Assignments, Group, Subscription, give, order};
use crate::sorted;
use crate::types::TopicPartition;

pub(super) fn assign(group: &Group<'_>) -> Assignments {
    let mut members: Vec<(&str, &Subscription)> = group
        .members
        .iter()
        .map(|(id, subscription)| (id.as_str(), subscription))
        .collect();
    sorted::sort_by(&mut members, |(a, _), (b, _)| order::compare(a, b));

    let mut topics: Vec<&str> = Vec::new();
    let leader = group.members.get(group.leader);
    let others = members.iter().map(|(_, subscription)| *subscription);
    for subscription in leader.into_iter().chain(others) {
        for topic in &subscription.topics {
            if !topics.contains(&topic.as_str()) {
                topics.push(topic);
            }
        }
    }

    let mut assignments = group.empty_assignments();
    let mut turns = members.iter().cycle();
    for topic in topics {
        for partition in 0..group.partition_count(topic) {
            let next = turns
                .by_ref()
                .take(members.len())
                .find(|(_, subscription)| subscription.topics.iter().any(|t| t == topic));
            if let Some((member, _)) = next {
                give(
                    &mut assignments,
                    member,
                    TopicPartition::new(topic, partition),
                );
            }
        }
    }
    assignments
}
