//! `roundrobin`: all partitions in order, to the members in turn; who does not subscribe to a
//! partition's topic loses the turn.

use super::{Assignments, Group, give, order};
use crate::sorted::SortedSet;
use crate::types::TopicPartition;

pub(super) fn assign(group: &Group<'_>) -> Assignments {
    let members = order::static_first(group);
    let topics: SortedSet<&str> = members
        .iter()
        .flat_map(|(_, subscription)| subscription.topics.iter().map(String::as_str))
        .collect();
    let mut assignments = group.empty_assignments();
    let mut turns = members.iter().cycle();
    for topic in topics {
        for partition in 0..group.partition_count(topic) {
            // The topic comes from a subscription, so one round of turns finds a subscriber.
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
