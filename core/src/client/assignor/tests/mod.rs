//! Tests of all assignors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod golden;
mod known;
mod properties;

use super::*;

/// `orders-0 orders-1` as partitions.
fn partitions(text: &str) -> Vec<TopicPartition> {
    text.split_whitespace()
        .map(|part| {
            let (topic, number) = part.rsplit_once('-').unwrap();
            TopicPartition::new(topic, number.parse().unwrap())
        })
        .collect()
}

/// The opposite of [`partitions`], in order.
fn text(partitions: &[TopicPartition]) -> String {
    let mut sorted = partitions.to_vec();
    sorted.sort();
    let parts: Vec<String> = sorted.iter().map(ToString::to_string).collect();
    parts.join(" ")
}

/// A member that subscribes to topics separated by spaces and owns nothing.
fn member(topics: &str) -> Subscription {
    Subscription {
        topics: topics.split_whitespace().map(str::to_owned).collect(),
        generation_id: -1,
        ..Subscription::default()
    }
}

fn assign(
    assignor: Assignor,
    members: &SortedMap<String, Subscription>,
    topics: &SortedMap<String, i32>,
) -> Assignments {
    assignor.assign(&Group {
        members,
        partitions: topics,
        leader: members.keys().next().map_or("", String::as_str),
    })
}
