//! Which partitions are paused: single ones, or whole topics with all partitions that they may yet
//! get. Pauses outlast rebalances; they end when the consumer stops.

use crate::sorted::{SortedMap, SortedSet};

use crate::types::TopicPartition;

#[derive(Debug, Default)]
pub(super) struct Pauses {
    topics: SortedMap<String, Topic>,
}

/// Either all partitions but these, or only these.
#[derive(Debug, Default)]
struct Topic {
    all: bool,
    exceptions: SortedSet<i32>,
}

impl Pauses {
    /// Pauses partitions of a topic, or all of it.
    pub(super) fn pause(&mut self, topic: &str, partitions: Option<&[i32]>) {
        self.set(topic, partitions, true);
    }

    /// The opposite.
    pub(super) fn resume(&mut self, topic: &str, partitions: Option<&[i32]>) {
        if self.topics.contains_key(topic) {
            self.set(topic, partitions, false);
        }
    }

    fn set(&mut self, topic: &str, partitions: Option<&[i32]>, paused: bool) {
        let entry = self.topics.entry(topic.to_owned()).or_default();
        match partitions {
            None => {
                entry.all = paused;
                entry.exceptions.clear();
            }
            Some(partitions) if entry.all == paused => {
                entry.exceptions.retain(|it| !partitions.contains(it));
            }
            Some(partitions) => entry.exceptions.extend(partitions.iter().copied()),
        }
    }

    pub(super) fn contains(&self, partition: &TopicPartition) -> bool {
        self.topics
            .get(&partition.topic)
            .is_some_and(|topic| topic.all != topic.exceptions.contains(&partition.partition))
    }

    pub(super) fn clear(&mut self) {
        self.topics.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_for_topics_and_for_partitions() {
        let mut pauses = Pauses::default();
        let paused = |pauses: &Pauses| {
            let partitions = (0..4).map(|partition| TopicPartition::new("t", partition));
            let paused = partitions.filter(|it| pauses.contains(it));
            paused.map(|it| it.partition).collect::<Vec<_>>()
        };
        pauses.resume("t", None);
        assert!(paused(&pauses).is_empty());
        pauses.pause("t", Some(&[1, 2]));
        assert_eq!(paused(&pauses), [1, 2]);
        pauses.resume("t", Some(&[2, 3]));
        assert_eq!(paused(&pauses), [1]);
        pauses.pause("t", None);
        assert_eq!(paused(&pauses), [0, 1, 2, 3]);
        pauses.resume("t", Some(&[0]));
        assert_eq!(paused(&pauses), [1, 2, 3]);
        pauses.pause("t", Some(&[0]));
        assert_eq!(paused(&pauses), [0, 1, 2, 3]);
        pauses.resume("t", None);
        assert!(paused(&pauses).is_empty());
        pauses.pause("t", Some(&[3]));
        pauses.clear();
        assert!(paused(&pauses).is_empty());
    }
}
