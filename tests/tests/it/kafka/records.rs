//! Batches to send, requests that carry or fetch them, and how fetched ones are written down.

use std::fmt::Write as _;

use bytes::Bytes;
use partita_core::protocol::Records;
use partita_core::protocol::messages::fetch::{FetchPartition, FetchTopic};
use partita_core::protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use partita_core::protocol::messages::{FetchRequest, FetchResponse, ProduceRequest};
use partita_core::records::{
    BatchBuilder, BatchError, BatchView, Batches, Compression, DEFAULT_DECOMPRESSED_LIMIT, Level,
    Record, TimestampType,
};
use partita_core::types::Uuid;

use super::scribe::Scribe;

/// The timestamp of the first record of every batch, in 2023; each later record is one
/// millisecond younger.
pub(super) const AT: i64 = 1_700_000_000_000;

/// A batch of records with these values.
pub(super) fn batch(values: &[&str]) -> Bytes {
    batch_at(values, AT, BatchBuilder::new())
}

/// A compressed one.
pub(super) fn compressed(values: &[&str], at: i64, compression: Compression) -> Bytes {
    let builder = BatchBuilder::new().compression(compression, Level::Default);
    batch_at(values, at, builder)
}

/// Any, with the first record's timestamp.
pub(super) fn batch_at(values: &[&str], at: i64, mut builder: BatchBuilder) -> Bytes {
    for (timestamp, value) in (at..).zip(values) {
        let value = Bytes::copy_from_slice(value.as_bytes());
        let record = Record::new(timestamp, None, Some(value));
        builder.push(&record).unwrap();
    }
    builder.build().unwrap()
}

/// A Produce of one batch to one partition.
pub(super) fn produce(
    name: &str,
    id: Uuid,
    partition: i32,
    acks: i16,
    batch: Bytes,
) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 5_000,
        topic_data: vec![TopicProduceData {
            name: name.to_owned(),
            topic_id: id,
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Records::from(batch),
            }],
        }],
        ..ProduceRequest::default()
    }
}

/// A Fetch of one partition from an offset on.
pub(super) fn fetch(name: &str, id: Uuid, partition: i32, offset: i64) -> FetchRequest {
    FetchRequest {
        max_wait_ms: 20,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic {
            topic: name.to_owned(),
            topic_id: id,
            partitions: vec![FetchPartition {
                partition,
                fetch_offset: offset,
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
        }],
        ..FetchRequest::default()
    }
}

impl Scribe {
    /// Appends a batch, without writing anything down.
    pub(super) fn append(&mut self, plain: &str, partition: i32, batch: Bytes) {
        let request = produce(&self.name(plain), Uuid::ZERO, partition, -1, batch);
        let response = self.call(9, &request).unwrap();
        let appended = &response.responses[0].partition_responses[0];
        assert!(appended.error_code.is_none(), "{appended:?}");
    }

    /// Fetches and writes down the answer, its batches read.
    pub(super) fn ask_fetch(
        &mut self,
        what: &str,
        version: i16,
        request: &FetchRequest,
    ) -> Option<FetchResponse> {
        let response = self.call(version, request);
        self.note(what, version, response.as_ref().map(told));
        response
    }
}

fn told(response: &FetchResponse) -> String {
    let mut response = response.clone();
    let mut batches = String::new();
    for topic in &mut response.responses {
        for partition in &mut topic.partitions {
            let records = std::mem::take(&mut partition.records);
            if let Some(bytes) = records.bytes().filter(|bytes| !bytes.is_empty()) {
                write!(batches, ", {}:", partition.partition_index).unwrap();
                read(bytes.clone(), &mut batches);
            }
        }
    }
    format!("{response:?}{batches}").replace(", records: Bytes(None)", "")
}

/// How batches are written down.
pub(super) fn batches_told(bytes: Bytes) -> String {
    let mut told = String::new();
    read(bytes, &mut told);
    told
}

fn read(bytes: Bytes, told: &mut String) {
    let mut batches = Batches::new(bytes);
    for batch in batches.by_ref() {
        batch_told(&batch.unwrap(), told);
    }
    match batches.rest().len() {
        0 => {}
        rest => write!(told, " and {rest} bytes").unwrap(),
    }
}

fn batch_told(batch: &BatchView, told: &mut String) {
    let header = batch.header();
    let last = header.last_offset();
    write!(
        told,
        " [{}..{last} epoch {} attributes {} times {}..{}",
        header.base_offset,
        header.partition_leader_epoch,
        header.attributes,
        header.base_timestamp,
        header.max_timestamp,
    )
    .unwrap();
    if header.has_producer_id() {
        let (id, epoch) = (header.producer_id, header.producer_epoch);
        write!(told, " producer {id} {epoch} {}", header.base_sequence).unwrap();
    }
    let unchanged = header.timestamp_type() == TimestampType::CreateTime;
    match batch.check_crc() {
        Err(error) => write!(told, " {error}").unwrap(),
        // The broker may have compressed it, which nobody does to the same bytes, or stamped it.
        Ok(()) if header.compression() == Ok(Compression::None) && unchanged => {
            write!(told, " crc {:08x}", header.crc).unwrap();
        }
        Ok(()) => {}
    }
    match batch.records(DEFAULT_DECOMPRESSED_LIMIT) {
        Err(error) => write!(told, " {error}").unwrap(),
        Ok(records) => records_told(records, told),
    }
    told.push(']');
}

fn records_told(records: impl Iterator<Item = Result<Record, BatchError>>, told: &mut String) {
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => return write!(told, " {error}").unwrap(),
        };
        let value = record.value.unwrap_or_default();
        let value = String::from_utf8_lossy(value.get(..8).unwrap_or(&value)).into_owned();
        write!(told, " {}@{} {value:?}", record.offset, record.timestamp).unwrap();
    }
}
