//! What the engine itself costs: append and fetch in memory, without clock, disk or network.
//!
//! `cargo xtask bench` runs it natively (`src/bin/memory-bench.rs`) and as wasm in a page
//! (`tests/bench/memory.mjs`), where the exports at the end are all that a page needs. The time is
//! taken outside. The baseline is the least that any broker has to do with the same bytes: to copy
//! them once and to compute their CRC-32C once.

use bytes::Bytes;
use partita_core::broker::ConnectionId;
use partita_core::protocol::messages::create_topics::CreatableTopic;
use partita_core::protocol::messages::fetch::{FetchPartition, FetchTopic};
use partita_core::protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use partita_core::protocol::messages::{CreateTopicsRequest, FetchRequest, ProduceRequest};
use partita_core::protocol::{ErrorCode, Records, encode_request, join};
use partita_core::records::{BatchBuilder, Batches, Record, crc32c};
use partita_core::testing::Harness;

const TOPIC: &str = "bench";
const VERSION: i16 = 12;
/// Values of 1 KiB, as many as fit into a request of 1 MiB.
const VALUE: usize = 1024;
const RECORDS: i64 = 1000;

/// A broker with one partition, and a request to append to it.
#[derive(Debug)]
pub struct MemoryBench {
    harness: Harness,
    client: ConnectionId,
    produce: Bytes,
    copy: Vec<u8>,
    appended: i64,
}

impl Default for MemoryBench {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryBench {
    /// A broker on empty storage.
    #[must_use]
    pub fn new() -> Self {
        let mut harness = Harness::new();
        let client = harness.connect();
        let create = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: TOPIC.to_owned(),
                num_partitions: 1,
                replication_factor: 1,
                ..CreatableTopic::default()
            }],
            timeout_ms: 1_000,
            ..CreateTopicsRequest::default()
        };
        let created = harness.request(client, &create, 7);
        let errors = created.topics.iter().map(|topic| topic.error_code);
        assert!(
            errors.eq([ErrorCode::NONE]),
            "no topic was made: {created:?}"
        );
        harness.run();
        let wall = harness.now().wall.0;
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 5_000,
            topic_data: vec![TopicProduceData {
                name: TOPIC.to_owned(),
                partition_data: vec![PartitionProduceData {
                    index: 0,
                    records: Records::from(batch(wall)),
                }],
                ..TopicProduceData::default()
            }],
            ..ProduceRequest::default()
        };
        let parts = encode_request(&request, VERSION, 1, Some("bench"))
            .expect("the request can be written");
        Self {
            harness,
            client,
            produce: join(parts).expect("the request is whole"),
            copy: Vec::new(),
            appended: 0,
        }
    }

    /// Forgets what was appended.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// One request of 1 MiB comes in from outside, is checked, stored and answered; its bytes.
    pub fn append(&mut self) -> usize {
        let frame = Bytes::copy_from_slice(&self.produce);
        self.harness.send_frame(self.client, frame);
        self.harness.run();
        let answer = self.harness.receive::<ProduceRequest>(self.client, VERSION);
        let offset = answer.as_ref().and_then(|answer| {
            let partition = answer.responses.first()?.partition_responses.first()?;
            (partition.error_code == ErrorCode::NONE).then_some(partition.base_offset)
        });
        assert_eq!(offset, Some(self.appended), "not appended: {answer:?}");
        self.appended = self.appended.saturating_add(RECORDS);
        self.produce.len()
    }

    /// Fetches everything that was appended, checked as a consumer checks it; its bytes.
    pub fn fetch(&mut self) -> usize {
        let (mut offset, mut bytes) = (0, 0_usize);
        while offset < self.appended {
            let request = FetchRequest {
                max_wait_ms: 0,
                min_bytes: 1,
                max_bytes: 50 << 20,
                topics: vec![FetchTopic {
                    topic: TOPIC.to_owned(),
                    partitions: vec![FetchPartition {
                        partition: 0,
                        fetch_offset: offset,
                        partition_max_bytes: 1 << 20,
                        ..FetchPartition::default()
                    }],
                    ..FetchTopic::default()
                }],
                ..FetchRequest::default()
            };
            let answer = self.harness.request(self.client, &request, VERSION);
            let topic = answer.responses.first();
            let data = topic.and_then(|topic| topic.partitions.first());
            let records = data.and_then(|data| data.records.bytes());
            let records = records.expect("there are records").clone();
            bytes = bytes.saturating_add(records.len());
            let from = offset;
            for batch in Batches::new(records) {
                let batch = batch.expect("batches are whole");
                batch.check_crc().expect("the checksum is right");
                offset = offset.saturating_add(RECORDS);
            }
            assert!(offset > from, "nothing was fetched");
        }
        bytes
    }

    /// The least: the bytes of one request copied, and the checksum of the copy.
    pub fn baseline(&mut self) -> usize {
        self.copy.clear();
        self.copy.extend_from_slice(&self.produce);
        std::hint::black_box(crc32c::checksum(std::hint::black_box(&self.copy)));
        self.copy.len()
    }
}

/// Values that no compression makes smaller.
fn batch(wall: i64) -> Bytes {
    let mut state = 2_654_435_761_u32;
    let mut builder = BatchBuilder::new();
    for _ in 0..RECORDS {
        let value: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()
        })
        .take(VALUE / 4)
        .flatten()
        .collect();
        builder
            .push(&Record::new(wall, None, Some(value.into())))
            .expect("the record fits");
    }
    builder.build().expect("the batch is whole")
}

/// For a page: one bench per instance.
#[cfg(target_arch = "wasm32")]
mod exports {
    use std::cell::RefCell;

    use super::MemoryBench;

    thread_local! {
        static BENCH: RefCell<MemoryBench> = RefCell::new(MemoryBench::new());
    }

    fn with(act: impl FnOnce(&mut MemoryBench) -> usize) -> usize {
        BENCH.with_borrow_mut(act)
    }

    #[unsafe(no_mangle)]
    extern "C" fn clear() {
        BENCH.with_borrow_mut(MemoryBench::clear);
    }

    #[unsafe(no_mangle)]
    extern "C" fn append() -> usize {
        with(MemoryBench::append)
    }

    #[unsafe(no_mangle)]
    extern "C" fn fetch() -> usize {
        with(MemoryBench::fetch)
    }

    #[unsafe(no_mangle)]
    extern "C" fn baseline() -> usize {
        with(MemoryBench::baseline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_what_is_fetched() {
        let mut bench = MemoryBench::new();
        let request = bench.append();
        bench.append();
        let fetched = bench.fetch();
        let values = 2 * 1000 * VALUE;
        assert!((values..=2 * request).contains(&fetched), "{fetched}");
        assert_eq!(bench.baseline(), request);
        bench.clear();
        assert_eq!(bench.fetch(), 0);
    }
}
