//! The producer against a scripted cluster.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use crate::sorted::SortedMap;

use bytes::Bytes;

use super::*;
use crate::client::cluster::NetworkEvent;
use crate::client::error::ErrorKind;
use crate::client::fake::{Fake, Seen};
use crate::protocol::messages::produce::{
    LeaderIdAndEpoch, PartitionProduceResponse, TopicProduceResponse,
};
use crate::protocol::messages::{
    InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse,
};
use crate::protocol::{ApiKey, ErrorCode};
use crate::records::{BatchView, Record};

mod failing;
mod faults;
mod sending;

pub(super) fn value(text: &str) -> ProducerRecord {
    ProducerRecord {
        value: Some(Bytes::copy_from_slice(text.as_bytes())),
        ..ProducerRecord::default()
    }
}

pub(super) fn at(partition: i32, text: &str) -> ProducerRecord {
    ProducerRecord {
        partition: Some(partition),
        ..value(text)
    }
}

pub(super) fn config() -> ProducerConfig {
    let mut config = ProducerConfig::default();
    config.cluster.bootstrap = vec![("broker".to_owned(), 9092)];
    config
}

fn fake(config: ProducerConfig, topics: &[(&str, &[i32])]) -> Fake<Producer> {
    let mut fake = Fake::new(Producer::new(config, [5; 32]), topics);
    fake.client.connect(fake.now);
    fake.settle();
    let connected = fake.client.poll_event();
    assert!(
        matches!(
            connected,
            Some(ProducerEvent::Connected { result: Ok(()), .. })
        ),
        "{connected:?}"
    );
    fake
}

/// A partition's batch in a request.
#[derive(Debug)]
pub(super) struct SentBatch {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) view: BatchView,
}

impl SentBatch {
    fn values(&self) -> Vec<String> {
        let records = self
            .view
            .records(1 << 24)
            .unwrap()
            .map(|record| record.unwrap());
        let values = records.map(|Record { value, .. }| {
            String::from_utf8(value.unwrap_or_default().to_vec()).unwrap()
        });
        values.collect()
    }

    fn sequence(&self) -> (i64, i16, i32) {
        let header = self.view.header();
        (
            header.producer_id,
            header.producer_epoch,
            header.base_sequence,
        )
    }
}

impl Fake<Producer> {
    pub(super) fn send(&mut self, send: Send) -> OpId {
        let op = self.client.send(self.now, send);
        self.settle();
        op
    }

    fn send_values(&mut self, topic: &str, values: &[&str]) -> OpId {
        let records: Vec<_> = values.iter().map(|text| value(text)).collect();
        self.send(Send::new(topic, records))
    }

    /// Sends and acknowledges a record to partition 0 of `t`, so that the producer is known there.
    fn warm_up(&mut self) {
        self.send(Send::new("t", vec![at(0, "first")]));
        self.give_id();
        let (seen, part) = self.single();
        self.accept(&seen, &part, 0);
        self.results();
    }

    /// Hands out producer id 7.
    fn give_id(&mut self) {
        let (seen, request) = self.expect::<InitProducerIdRequest>();
        assert_eq!(request.transactional_id, None);
        let response = InitProducerIdResponse {
            producer_id: 7,
            ..InitProducerIdResponse::default()
        };
        self.answer(&seen, &response);
    }

    pub(super) fn take_produce(&mut self) -> Option<(Seen, Vec<SentBatch>)> {
        let (seen, request) = self.take::<ProduceRequest>()?;
        let mut parts = Vec::new();
        for topic in request.topic_data {
            let by_id = self
                .topics
                .iter()
                .find(|(_, known)| known.id == topic.topic_id);
            let name = by_id.map_or_else(|| topic.name.clone(), |(name, _)| name.clone());
            for data in topic.partition_data {
                let view = BatchView::single(data.records.bytes().unwrap().clone()).unwrap();
                view.validate().unwrap();
                parts.push(SentBatch {
                    topic: name.clone(),
                    partition: data.index,
                    view,
                });
            }
        }
        Some((seen, parts))
    }

    fn produce(&mut self) -> (Seen, Vec<SentBatch>) {
        self.take_produce().expect("a Produce request")
    }

    /// A request of one batch.
    fn single(&mut self) -> (Seen, SentBatch) {
        let (seen, mut parts) = self.produce();
        assert_eq!(parts.len(), 1, "{parts:?}");
        (seen, parts.pop().unwrap())
    }

    pub(super) fn respond(&mut self, seen: &Seen, answers: Vec<(&str, PartitionProduceResponse)>) {
        let by_id = seen.header.api_version >= 13;
        let responses = answers.into_iter().map(|(topic, answer)| {
            let id = self
                .topics
                .get(topic)
                .map(|topic| topic.id)
                .unwrap_or_default();
            TopicProduceResponse {
                name: if by_id {
                    String::new()
                } else {
                    topic.to_owned()
                },
                topic_id: if by_id { id } else { crate::types::Uuid::ZERO },
                partition_responses: vec![answer],
            }
        });
        let response = ProduceResponse {
            responses: responses.collect(),
            ..ProduceResponse::default()
        };
        self.answer(seen, &response);
    }

    fn accept(&mut self, seen: &Seen, part: &SentBatch, base_offset: i64) {
        let answer = PartitionProduceResponse {
            index: part.partition,
            base_offset,
            log_start_offset: 0,
            ..PartitionProduceResponse::default()
        };
        self.respond(seen, vec![(&part.topic, answer)]);
    }

    fn refuse(&mut self, seen: &Seen, part: &SentBatch, error_code: ErrorCode) {
        let answer = PartitionProduceResponse {
            index: part.partition,
            error_code,
            base_offset: -1,
            ..PartitionProduceResponse::default()
        };
        self.respond(seen, vec![(&part.topic, answer)]);
    }

    pub(super) fn results(&mut self) -> SortedMap<OpId, Result<Vec<PartitionResult>, ClientError>> {
        let mut results = SortedMap::new();
        while let Some(event) = self.client.poll_event() {
            if let ProducerEvent::Sent { op, result } = event {
                results.insert(op, result);
            }
        }
        results
    }

    fn offset_of(&mut self, op: OpId) -> i64 {
        let results = self.results();
        let Some(Ok(results)) = results.get(&op) else {
            panic!("{results:?}")
        };
        assert_eq!(results.len(), 1);
        results.first().unwrap().base_offset
    }

    fn error_of(&mut self, op: OpId) -> ClientError {
        let results = self.results();
        let Some(Err(error)) = results.get(&op) else {
            panic!("{results:?}")
        };
        error.clone()
    }
}
