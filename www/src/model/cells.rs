//! The records that the strips show: the first two of each log, and the newest.

use partita_core::sorted::SortedMap;

use partita_core::records::Record;
use partita_core::types::TopicPartition;

/// How many records of a partition are kept.
const KEPT: usize = 64;
/// How many of those are from the log's start.
pub(crate) const HEAD: i64 = 2;

/// Records by partition and offset.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    records: SortedMap<TopicPartition, SortedMap<i64, Record>>,
}

impl Cells {
    /// Takes a record in; `log_start` is where its log begins.
    pub(crate) fn push(&mut self, partition: &TopicPartition, record: Record, log_start: i64) {
        let records = match self.records.get_mut(partition) {
            Some(records) => records,
            None => self.records.entry(partition.clone()).or_default(),
        };
        records.insert(record.offset, record);
        if records.len() > KEPT {
            let head = log_start.saturating_add(HEAD);
            let oldest = records.range(head..).next().map(|(offset, _)| *offset);
            let oldest = oldest.or_else(|| records.keys().next().copied());
            if let Some(oldest) = oldest {
                records.remove(&oldest);
            }
        }
    }

    /// A record, if it is kept.
    pub(crate) fn get(&self, partition: &TopicPartition, offset: i64) -> Option<&Record> {
        self.records.get(partition)?.get(&offset)
    }

    /// Forgets a topic's records.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        self.records.retain(|name, _| name.topic != topic);
    }
}

/// Which of the six key colours a key has; 0 is for no key.
pub(crate) fn key_colour(key: Option<&[u8]>) -> u32 {
    match key {
        None => 0,
        Some(key) => {
            let hash = partita_core::client::partitioner::murmur2(key) & i32::MAX;
            u32::try_from(hash % 6).unwrap_or(0).saturating_add(1)
        }
    }
}

/// What fits on a cell of a key: its first letters.
pub(crate) fn key_letters(key: Option<&[u8]>) -> String {
    let Some(key) = key else {
        return String::new();
    };
    let text = String::from_utf8_lossy(key);
    text.chars().take(3).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_and_the_newest_are_kept() {
        let orders = TopicPartition::new("orders", 0);
        let mut cells = Cells::default();
        for offset in 0..1_000 {
            let record = Record {
                offset,
                ..Record::default()
            };
            cells.push(&orders, record, 0);
        }
        let kept = cells.records.get(&orders).unwrap();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(
            kept.keys().take(3).copied().collect::<Vec<_>>(),
            [0, 1, 938]
        );
    }

    #[test]
    fn a_key_has_a_colour_and_letters() {
        assert_eq!(key_colour(None), 0);
        assert!((1..=6).contains(&key_colour(Some(b"de"))));
        assert_eq!(key_letters(Some("über".as_bytes())), "übe");
    }
}
