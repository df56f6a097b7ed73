//! Segments that Apache Kafka wrote for its own producer and for librdkafka's.

use super::*;
use bytes::BytesMut;

const TIME: i64 = 1_700_000_000_000;

macro_rules! golden {
    ($name:literal) => {
        (
            $name,
            Bytes::from_static(include_bytes!(concat!(
                "../../../../tests/golden/batches/",
                $name,
                ".log"
            ))),
        )
    };
}

/// The segments of Kafka's producer, written by `Batches.java` beside them.
fn java() -> Vec<(&'static str, Bytes)> {
    vec![
        golden!("java-none"),
        golden!("java-gzip"),
        golden!("java-snappy"),
        golden!("java-lz4"),
        golden!("java-zstd"),
    ]
}

/// Those of kcat: keys and values from a file, one header.
fn kcat() -> Vec<(&'static str, Bytes)> {
    vec![
        golden!("kcat-gzip"),
        golden!("kcat-snappy"),
        golden!("kcat-lz4"),
        golden!("kcat-zstd"),
    ]
}

pub(super) fn all() -> Vec<Bytes> {
    java()
        .into_iter()
        .chain(kcat())
        .chain([golden!("java-transaction"), golden!("java-append-time")])
        .map(|(_, bytes)| bytes)
        .collect()
}

/// What `Batches.java` sent.
fn sent(long: bool) -> Vec<Record> {
    let bytes = |text: &str| Some(Bytes::copy_from_slice(text.as_bytes()));
    let mut records = vec![
        Record::new(TIME, bytes("key"), bytes("value")),
        Record::new(TIME - 5, None, bytes("")),
        Record::new(TIME + 100_000, bytes(""), None),
        Record {
            headers: vec![
                ("trace".into(), bytes("abc")),
                ("trace".into(), None),
                (String::new(), bytes("")),
            ],
            ..Record::new(TIME + 1, bytes("headers"), bytes("é🎹"))
        },
    ];
    if long {
        let text: String = (0..20_000)
            .map(|i| format!("{}{}", i * 31 % 97, if i % 1000 == 0 { "\n" } else { " " }))
            .collect();
        records.push(Record::new(TIME + 2, None, bytes(&text)));
    }
    for (offset, record) in (0..).zip(&mut records) {
        record.offset = offset;
    }
    records
}

#[test]
fn kafkas_producer_is_understood_with_every_codec() {
    for (name, bytes) in java() {
        let batch = view(bytes);
        batch.validate().unwrap();
        let codec = batch.compression().unwrap();
        assert!(name.ends_with(codec.name()));
        assert_eq!(batch.max_timestamp, TIME + 100_000);
        assert_eq!(batch.partition_leader_epoch, 0);
        assert_eq!((batch.producer_epoch, batch.base_sequence), (0, 0));
        assert_eq!(
            read(&batch).unwrap(),
            sent(codec != Compression::None),
            "{name}"
        );
    }
}

#[test]
fn librdkafka_is_understood_with_every_codec() {
    for (name, bytes) in kcat() {
        let mut codecs = Vec::new();
        let mut records = Vec::new();
        for batch in Batches::new(bytes) {
            let batch = batch.unwrap();
            batch.validate().unwrap();
            codecs.push(batch.compression().unwrap().name());
            records.extend(read(&batch).unwrap());
        }
        assert!(codecs.iter().any(|codec| name.ends_with(codec)), "{name}");
        let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
        assert_eq!(offsets, [0, 1, 2]);
        let keys: Vec<_> = records.iter().map(|record| record.key.clone()).collect();
        let key = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
        assert_eq!(keys, [key("key"), key(""), key("big")]);
        let big: String = (0..20_000).map(|i| format!("{} ", i * 31 % 97)).collect();
        assert_eq!(records[2].value.as_deref(), Some(big.as_bytes()));
        assert_eq!(records[0].headers, [("trace".into(), key("abc"))]);
    }
}

#[test]
fn our_builder_writes_the_same_bytes_as_kafkas_producer() {
    let (_, theirs) = golden!("java-none");
    let mut builder = BatchBuilder::new().producer(0, 0, 0).base_offset(0, 0);
    for record in sent(false) {
        builder.push(&record).unwrap();
    }
    assert_eq!(builder.build().unwrap(), theirs);
}

#[test]
fn log_append_time_gives_the_same_bytes_as_kafkas_broker() {
    let (_, theirs) = golden!("java-append-time");
    let stamped = view(theirs.clone());
    stamped.validate().unwrap();
    assert_eq!(stamped.timestamp_type(), TimestampType::LogAppendTime);
    let now = stamped.max_timestamp;
    assert!(read(&stamped).unwrap().iter().all(|r| r.timestamp == now));

    let mut builder = BatchBuilder::new().producer(stamped.producer_id, 0, 0);
    for record in sent(false) {
        builder.push(&record).unwrap();
    }
    let mut ours = BytesMut::from(&builder.build().unwrap()[..]);
    set_base_offset_and_epoch(&mut ours, 0, 0).unwrap();
    set_max_timestamp(&mut ours, TimestampType::LogAppendTime, now).unwrap();
    assert_eq!(ours.freeze(), theirs);
}

#[test]
fn a_transaction_is_a_data_batch_and_a_control_batch() {
    let (_, bytes) = golden!("java-transaction");
    let batches: Vec<BatchView> = Batches::new(bytes).map(Result::unwrap).collect();
    let [data, marker] = &batches[..] else {
        panic!("{} batches", batches.len());
    };
    assert!(data.is_transactional() && !data.is_control());
    assert!(marker.is_transactional() && marker.is_control());
    assert_eq!(read(data).unwrap(), sent(false));
    assert_eq!(marker.producer_id, data.producer_id);
    assert_eq!(marker.base_sequence, NO_SEQUENCE);
    let marker = &read(marker).unwrap()[0];
    // Version 0, type 1: commit.
    assert_eq!(marker.key.as_deref(), Some(&[0, 0, 0, 1][..]));
    assert_eq!(marker.offset, 4);
}
