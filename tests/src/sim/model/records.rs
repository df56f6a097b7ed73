//! The bytes of batches: what was acknowledged, fetched or found in storage at an offset stays
//! there, byte for byte; logs have no holes; idempotent producers' sequences go on by one.
//!
//! Batches of internal logs are looked at only as to their order: compaction replaces them.

use std::collections::BTreeMap;

use bytes::Bytes;
use partita_core::broker::LogId;
use partita_core::protocol::messages::fetch::PartitionData;
use partita_core::protocol::messages::{FetchResponse, ProduceRequest, ProduceResponse};
use partita_core::records::{BatchView, Batches as Reader};
use partita_core::testing::Stored;
use partita_core::types::Uuid;

use crate::digest::Digest;

/// A log of any topic that ever was.
type Log = (Uuid, i32);

/// What comes first in a batch and is the broker's: the base offset.
const BASE_OFFSET: std::ops::Range<usize> = 0..8;
/// The broker's too: the leader epoch.
const LEADER_EPOCH: std::ops::Range<usize> = 12..16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    last: i64,
    /// Of all bytes.
    whole: u64,
    /// Of all bytes but the broker's.
    content: u64,
}

impl Known {
    fn new(batch: &BatchView) -> Self {
        let bytes = batch.bytes();
        Self {
            last: batch.last_offset(),
            whole: Digest::of(bytes),
            content: content(bytes),
        }
    }
}

/// Of everything in a batch that the broker may not touch.
fn content(bytes: &Bytes) -> u64 {
    let mut digest = Digest::new();
    digest.add(&bytes[BASE_OFFSET.end..LEADER_EPOCH.start]);
    digest.add(&bytes[LEADER_EPOCH.end..]);
    digest.value()
}

/// What is known of batches, by log and base offset.
#[derive(Debug, Default)]
pub(super) struct Batches {
    seen: BTreeMap<Log, BTreeMap<i64, Known>>,
    acknowledged: BTreeMap<Log, BTreeMap<i64, u64>>,
}

impl Batches {
    /// A Produce request was answered.
    pub(super) fn produced(&mut self, request: &ProduceRequest, response: &ProduceResponse) {
        for topic in &response.responses {
            assert!(!topic.topic_id.is_zero(), "our client asks by topic id");
            let asked = request.topic_data.iter();
            let asked = asked.filter(|asked| asked.topic_id == topic.topic_id);
            let asked: Vec<_> = asked.flat_map(|asked| &asked.partition_data).collect();
            for answer in &topic.partition_responses {
                if answer.error_code.is_error() || answer.base_offset < 0 {
                    continue;
                }
                let asked = asked.iter().find(|asked| asked.index == answer.index);
                let bytes = asked.and_then(|asked| asked.records.bytes());
                let content = content(bytes.expect("what is acknowledged was sent"));
                let log = (topic.topic_id, answer.index);
                let offset = answer.base_offset;
                let before = self.acknowledged.entry(log).or_default();
                let before = before.insert(offset, content);
                assert!(
                    before.is_none_or(|before| before == content),
                    "two batches were acknowledged at {log:?} {offset}"
                );
                if let Some(seen) = self.seen.get(&log).and_then(|seen| seen.get(&offset)) {
                    assert_eq!(
                        seen.content, content,
                        "another batch was seen at {log:?} {offset} than is acknowledged"
                    );
                }
            }
        }
    }

    /// A Fetch request was answered.
    pub(super) fn fetched(&mut self, response: &FetchResponse) {
        for topic in &response.responses {
            for partition in &topic.partitions {
                if partition.error_code.is_none() {
                    let log = (topic.topic_id, partition.partition_index);
                    self.fetched_partition(log, partition);
                }
            }
        }
    }

    fn fetched_partition(&mut self, log: Log, data: &PartitionData) {
        assert!(
            data.log_start_offset <= data.last_stable_offset
                && data.last_stable_offset <= data.high_watermark,
            "offsets out of order in a Fetch response: {log:?} {data:?}"
        );
        let Some(bytes) = data.records.bytes() else {
            return;
        };
        let mut next = None;
        for batch in Reader::new(bytes.clone()) {
            let batch = batch.expect("batches are whole");
            batch.validate().expect("batches are sound");
            assert!(
                batch.last_offset() < data.high_watermark,
                "{log:?} {} was served at high watermark {}",
                batch.last_offset(),
                data.high_watermark
            );
            assert!(
                next.is_none_or(|next| next == batch.base_offset),
                "a hole in a Fetch response: {log:?} {next:?}, then {}",
                batch.base_offset
            );
            next = Some(batch.next_offset());
            self.see(log, &batch);
        }
    }

    fn see(&mut self, log: Log, batch: &BatchView) {
        let offset = batch.base_offset;
        let known = Known::new(batch);
        let acknowledged = self.acknowledged.get(&log);
        if let Some(content) = acknowledged.and_then(|all| all.get(&offset)) {
            assert_eq!(
                *content, known.content,
                "not the batch that was acknowledged at {log:?} {offset}"
            );
        }
        let before = self.seen.entry(log).or_default().insert(offset, known);
        assert!(
            before.is_none_or(|before| before == known),
            "the batch at {log:?} {offset} has changed"
        );
    }

    /// Looks at everything that is stored. `starts` gives the log start of a log that must be there.
    /// Returns how far each log reaches.
    pub(super) fn stored(
        &mut self,
        stored: &Stored,
        starts: impl Fn(&Uuid, i32) -> Option<i64>,
    ) -> BTreeMap<Log, i64> {
        let mut logs: BTreeMap<LogId, Vec<BatchView>> = BTreeMap::new();
        for ((log, base), bytes) in &stored.chunks {
            let batches = Reader::new(bytes.clone()).map(|batch| batch.expect("batches are whole"));
            let all = logs.entry(*log).or_default();
            let before = all.len();
            all.extend(batches);
            assert_eq!(
                all.get(before).map(|batch| batch.base_offset),
                Some(*base),
                "a chunk of {log} begins elsewhere than its key says"
            );
        }
        let mut ends = BTreeMap::new();
        for (log, batches) in logs {
            let internal = batches.iter().all(|batch| batch.producer_id < 0);
            check_order(log, &batches, internal);
            if internal {
                continue;
            }
            let log = (log.topic, log.partition);
            for batch in &batches {
                self.see(log, batch);
            }
            check_sequences(log, &batches);
            let end = batches.last().map_or(0, |batch| batch.next_offset());
            ends.insert(log, end);
        }
        for (log, all) in &self.acknowledged {
            if let Some(start) = starts(&log.0, log.1) {
                let end = ends.get(log).copied().unwrap_or(0);
                let last = all.keys().next_back().copied().unwrap_or(-1);
                assert!(
                    last < start || last < end,
                    "{log:?} {last} was acknowledged, and is not stored: the log ends at {end}"
                );
            }
        }
        ends
    }
}

/// Offsets rise, without a hole unless compaction may have made one; leader epochs never fall.
fn check_order(log: LogId, batches: &[BatchView], compacted: bool) {
    for pair in batches.windows(2) {
        let [one, other] = pair else { continue };
        assert!(
            one.next_offset() == other.base_offset
                || (compacted && one.next_offset() < other.base_offset),
            "a hole in {log}: {} follows {}",
            other.base_offset,
            one.last_offset()
        );
        assert!(
            compacted || one.partition_leader_epoch <= other.partition_leader_epoch,
            "leader epochs fall in {log} at {}",
            other.base_offset
        );
    }
}

/// A producer's batches follow each other: none twice, none left out.
fn check_sequences(log: Log, batches: &[BatchView]) {
    let mut next: BTreeMap<(i64, i16), i32> = BTreeMap::new();
    for batch in batches {
        if batch.producer_id < 0 {
            continue;
        }
        let producer = (batch.producer_id, batch.producer_epoch);
        if let Some(expected) = next.get(&producer) {
            assert_eq!(
                *expected, batch.base_sequence,
                "{producer:?} is out of sequence in {log:?} at {}",
                batch.base_offset
            );
        }
        next.insert(producer, batch.last_sequence().wrapping_add(1));
    }
}
