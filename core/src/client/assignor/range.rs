//! `range`: topic by topic, the partitions in order, cut into runs of equal length, the first
//! members getting one more where they do not divide.
//!
//! Members count in the same order for every topic, so topics with the same number of partitions
//! and the same subscribers are cut alike (co-partitioning).

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
    for topic in topics {
        let subscribers: Vec<&str> = members
            .iter()
            .filter(|(_, subscription)| subscription.topics.iter().any(|t| t == topic))
            .map(|(id, _)| *id)
            .collect();
        let count = usize::try_from(group.partition_count(topic)).unwrap_or(0);
        let each = count / subscribers.len().max(1);
        let longer = count % subscribers.len().max(1);
        let mut partitions = 0..group.partition_count(topic);
        for (index, member) in subscribers.iter().enumerate() {
            let length = each + usize::from(index < longer);
            for partition in partitions.by_ref().take(length) {
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
