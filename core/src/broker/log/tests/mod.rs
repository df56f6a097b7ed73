//! Scenarios: each pins a behaviour of Kafka's, or a rule of SEMANTICS, down through requests and
//! storage replies.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod compaction;
mod deletion;
mod failures;
mod fetch;
mod idempotence;
mod offsets;
mod produce;
mod recovery;
mod sessions;

use bytes::Bytes;

use crate::broker::{ConnectionId, LogId};
use crate::protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use crate::protocol::messages::fetch::{FetchPartition, FetchTopic, PartitionData};
use crate::protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData,
};
use crate::protocol::messages::{
    CreateTopicsRequest, FetchRequest, FetchResponse, ProduceRequest, ProduceResponse,
};
use crate::protocol::{ErrorCode, Records};
use crate::records::{BatchBuilder, Batches, Compression, Level, Record};
use crate::testing::Harness;

/// The topic of most scenarios.
const TOPIC: &str = "orders";
/// The version in which scenarios send Produce and Fetch by name, unless the version matters.
const PRODUCE: i16 = 12;
const FETCH: i16 = 12;

/// A broker with the topic `orders` and one client.
struct Scene {
    harness: Harness,
    client: ConnectionId,
}

impl Scene {
    fn new() -> Self {
        Self::with_topic(1, &[])
    }

    fn with_topic(partitions: i32, configs: &[(&str, &str)]) -> Self {
        Self::on(Harness::new(), partitions, configs)
    }

    fn on(mut harness: Harness, partitions: i32, configs: &[(&str, &str)]) -> Self {
        let client = harness.connect();
        let mut scene = Self { harness, client };
        scene.create(TOPIC, partitions, configs);
        scene
    }

    fn create(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: partitions,
                replication_factor: 1,
                configs: configs
                    .iter()
                    .map(|(name, value)| CreatableTopicConfig {
                        name: (*name).to_owned(),
                        value: Some((*value).to_owned()),
                    })
                    .collect(),
                ..CreatableTopic::default()
            }],
            timeout_ms: 1_000,
            ..CreateTopicsRequest::default()
        };
        let response = self.harness.request(self.client, &request, 7);
        assert_eq!(
            response.topics[0].error_code,
            ErrorCode::NONE,
            "{response:?}"
        );
        self.harness.run();
    }

    /// The log of a partition of `orders`.
    fn log(&self, partition: i32) -> LogId {
        let topic = self.harness.broker.metadata.topic_by_name(TOPIC).unwrap();
        topic.log(partition).unwrap()
    }

    /// Log start, high watermark and log end of partition 0.
    fn bounds(&self) -> (i64, i64, i64) {
        let log = self.harness.broker.logs.get(self.log(0)).unwrap();
        let start = log.log_start_offset();
        (start, log.high_watermark(), log.log_end_offset())
    }

    /// Produces to partition 0 with acks=all and waits for the answer.
    fn produce(&mut self, batch: Bytes) -> PartitionProduceResponse {
        let request = to_partition(0, -1, batch);
        only_partition(self.harness.request(self.client, &request, PRODUCE))
    }

    /// Produces values to partition 0; returns the base offset.
    fn produce_values(&mut self, values: &[&str]) -> i64 {
        let response = self.produce(batch(values));
        assert_eq!(response.error_code, ErrorCode::NONE, "{response:?}");
        response.base_offset
    }

    /// Sends a Produce with acks=all to partition 0, without letting storage work.
    fn send(&mut self, batch: Bytes) {
        self.harness
            .send(self.client, &to_partition(0, -1, batch), PRODUCE);
    }

    /// The answer to a Produce, if it is there.
    fn answered(&mut self) -> Option<PartitionProduceResponse> {
        let response = self.harness.receive::<ProduceRequest>(self.client, PRODUCE);
        response.map(only_partition)
    }

    /// Fetches from partition 0 without waiting.
    fn fetch(&mut self, offset: i64) -> PartitionData {
        let response = self
            .harness
            .request(self.client, &from_offset(0, offset, 0), FETCH);
        fetched(response)
    }

    /// The values from an offset of partition 0 on.
    fn values(&mut self, offset: i64) -> Vec<(i64, String)> {
        let data = self.fetch(offset);
        assert_eq!(data.error_code, ErrorCode::NONE, "{data:?}");
        values(&data)
    }

    /// The broker crashes and is opened again; the client connects anew.
    fn crash(self) -> Self {
        let mut harness = self.harness.crash();
        let client = harness.connect();
        Self { harness, client }
    }
}

/// A batch of records with these values.
fn batch(values: &[&str]) -> Bytes {
    batch_with(values, BatchBuilder::new(), now())
}

fn batch_with(values: &[&str], mut builder: BatchBuilder, timestamp: i64) -> Bytes {
    for value in values {
        let value = Bytes::copy_from_slice(value.as_bytes());
        builder
            .push(&Record::new(timestamp, None, Some(value)))
            .unwrap();
    }
    builder.build().unwrap()
}

fn compressed(values: &[&str], compression: Compression) -> Bytes {
    let builder = BatchBuilder::new().compression(compression, Level::Default);
    batch_with(values, builder, now())
}

/// A batch of an idempotent producer.
fn sequenced(values: &[&str], producer: i64, epoch: i16, sequence: i32) -> Bytes {
    let builder = BatchBuilder::new().producer(producer, epoch, sequence);
    batch_with(values, builder, now())
}

/// The wall time at which a harness begins.
fn now() -> i64 {
    1_770_000_000_000
}

fn to_partition(partition: i32, acks: i16, batch: Bytes) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 5_000,
        topic_data: vec![TopicProduceData {
            name: TOPIC.to_owned(),
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Records::from(batch),
            }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    }
}

fn only_partition(mut response: ProduceResponse) -> PartitionProduceResponse {
    assert_eq!(response.responses.len(), 1, "{response:?}");
    let mut topic = response.responses.remove(0);
    assert_eq!(topic.partition_responses.len(), 1);
    topic.partition_responses.remove(0)
}

fn from_offset(partition: i32, offset: i64, max_wait_ms: i32) -> FetchRequest {
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic {
            topic: TOPIC.to_owned(),
            partitions: vec![FetchPartition {
                partition,
                fetch_offset: offset,
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

fn fetched(mut response: FetchResponse) -> PartitionData {
    assert_eq!(response.responses.len(), 1, "{response:?}");
    let mut topic = response.responses.remove(0);
    assert_eq!(topic.partitions.len(), 1);
    topic.partitions.remove(0)
}

/// Offset and value of each record in an answer.
fn values(data: &PartitionData) -> Vec<(i64, String)> {
    let bytes = data.records.bytes().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for batch in Batches::new(bytes) {
        let batch = batch.unwrap();
        batch.check_crc().unwrap();
        for record in batch.records(1 << 20).unwrap() {
            let record = record.unwrap();
            let value = record.value.unwrap_or_default();
            found.push((record.offset, String::from_utf8(value.to_vec()).unwrap()));
        }
    }
    found
}

fn listed(values: &[(i64, &str)]) -> Vec<(i64, String)> {
    values
        .iter()
        .map(|&(offset, value)| (offset, value.to_owned()))
        .collect()
}
