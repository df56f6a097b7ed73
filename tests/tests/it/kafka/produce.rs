//! Produce: what is appended, and everything that is refused.

use bytes::Bytes;
use partita_core::protocol::messages::ProduceResponse;
use partita_core::records::{BatchBuilder, Compression, Level};
use partita_core::types::Uuid;

use super::records::{AT, batch, batch_at, compressed, produce};
use super::scribe::Scribe;

/// An id that no topic has.
const UNKNOWN: Uuid = Uuid(*b"0123456789abcdef");

pub(super) fn ask(scribe: &mut Scribe) {
    let topics = [
        ("plain", vec![]),
        ("compact", vec![("cleanup.policy", "compact")]),
        ("stamped", vec![("message.timestamp.type", "LogAppendTime")]),
        ("gzip", vec![("compression.type", "gzip")]),
        ("zstd", vec![("compression.type", "zstd")]),
        ("uncompressed", vec![("compression.type", "uncompressed")]),
        (
            "segment",
            vec![
                ("segment.bytes", "1048576"),
                ("max.message.bytes", "4000000"),
            ],
        ),
        ("young", vec![("message.timestamp.before.max.ms", "1000")]),
        ("replicas", vec![("min.insync.replicas", "2")]),
        ("small", vec![("max.message.bytes", "100")]),
    ];
    let mut topics: Vec<(&str, Uuid)> = topics
        .into_iter()
        .map(|(name, configs)| (name, scribe.create(name, 2, &configs)))
        .collect();
    topics.push(("unknown", UNKNOWN));
    for version in 3..=13 {
        for (what, topic, acks, batch) in cases() {
            let id = topics.iter().find(|(name, _)| *name == topic).unwrap().1;
            let partition = if what == "unknown partition" { 9 } else { 0 };
            let name = scribe.name(topic);
            let mut request = produce(&name, id, partition, acks, batch);
            if what == "transaction of nobody" {
                request.transactional_id = Some(scribe.name("nobody"));
            }
            scribe.ask(what, version, &request);
        }
        several(scribe, version, topics[0].1);
    }
    idempotent(scribe);
    largest(scribe);
}

/// Name, topic, acks and batch.
fn cases() -> Vec<(&'static str, &'static str, i16, Bytes)> {
    let new = BatchBuilder::new;
    let made = |values: &[&str], builder| batch_at(values, AT, builder);
    let changed = |at: usize, to: u8| {
        let mut bytes = batch(&["a"]).to_vec();
        bytes[at] = to;
        Bytes::from(bytes)
    };
    let two = Bytes::from([batch(&["a"]), batch(&["b"])].concat());
    let zstd = compressed(&["a"], AT, Compression::Zstd);
    let transactional = || made(&["a"], new().producer(7, 0, 0).transactional(true));
    vec![
        ("ok", "plain", -1, batch(&["a", "b"])),
        ("acks 1", "plain", 1, batch(&["a"])),
        ("unknown topic", "unknown", -1, batch(&["a"])),
        ("unknown partition", "plain", -1, batch(&["a"])),
        ("acks 2", "plain", 2, batch(&["a"])),
        ("acks -2", "plain", -2, batch(&["a"])),
        ("two batches", "plain", -1, two),
        ("no batch", "plain", -1, Bytes::new()),
        ("garbage", "plain", -1, Bytes::from_static(&[1; 80])),
        ("cut short", "plain", -1, batch(&["abc"]).slice(..66)),
        (
            "control batch",
            "plain",
            -1,
            made(&["a"], new().control(true)),
        ),
        (
            "negative sequence",
            "plain",
            -1,
            made(&["a"], new().producer(7, 0, -1)),
        ),
        (
            "base offset",
            "plain",
            -1,
            made(&["a"], new().base_offset(5, -1)),
        ),
        ("unnamed transaction", "plain", -1, transactional()),
        ("transaction of nobody", "plain", -1, transactional()),
        ("checksum", "plain", -1, changed(20, 0x55)),
        ("magic 1", "plain", -1, changed(16, 1)),
        ("magic 3", "plain", -1, changed(16, 3)),
        ("record count", "plain", -1, changed(60, 3)),
        ("no key", "compact", -1, batch(&["a", "b"])),
        (
            "future",
            "plain",
            -1,
            batch_at(&["a"], 4_000_000_000_000, new()),
        ),
        ("past", "young", -1, batch(&["a", "b"])),
        ("append time", "stamped", -1, batch(&["a"])),
        (
            "claimed append time",
            "plain",
            -1,
            made(&["a"], new().log_append_time(AT)),
        ),
        (
            "claimed append time with a topic's",
            "stamped",
            -1,
            made(&["a"], new().log_append_time(AT)),
        ),
        ("zstd", "plain", -1, zstd),
        ("min.insync.replicas", "replicas", -1, batch(&["a"])),
        ("too large", "small", -1, batch(&[&"x".repeat(50)])),
        (
            "larger than a segment",
            "segment",
            -1,
            batch(&[&"x".repeat(1 << 20)]),
        ),
        ("compressed anew", "gzip", -1, batch(&["a", "b", "c"])),
        ("compressed with zstd", "zstd", -1, batch(&["a", "b", "c"])),
        (
            "decompressed",
            "uncompressed",
            -1,
            compressed(&["a", "b", "c"], AT, Compression::Gzip),
        ),
        ("acks 0 unknown topic", "unknown", 0, batch(&["a"])),
    ]
}

/// Several partitions in one request, one of them unknown; and none at all.
fn several(scribe: &mut Scribe, version: i16, id: Uuid) {
    let mut request = produce(&scribe.name("plain"), id, 0, -1, batch(&["a"]));
    let partition = request.topic_data[0].partition_data[0].clone();
    for index in [9, 1] {
        let mut other = partition.clone();
        other.index = index;
        request.topic_data[0].partition_data.push(other);
    }
    let mut response = scribe.call(version, &request).unwrap();
    for topic in &mut response.responses {
        // Kafka answers in the order of a hash map.
        topic
            .partition_responses
            .sort_by_key(|partition| partition.index);
    }
    scribe.note("several partitions", version, Some(format!("{response:?}")));
    request.topic_data.clear();
    scribe.ask("nothing", version, &request);
}

fn idempotent(scribe: &mut Scribe) {
    let name = scribe.name("plain");
    let mut ask = |what: &str, producer: i64, epoch: i16, sequence: i32, count: usize| {
        let builder = BatchBuilder::new().producer(producer, epoch, sequence);
        let batch = batch_at(&vec!["v"; count], AT, builder);
        let request = produce(&name, Uuid::ZERO, 1, -1, batch);
        let _: Option<ProduceResponse> = scribe.ask(&format!("idempotent {what}"), 12, &request);
    };
    ask("unknown producer from 5", 4_000, 0, 5, 2);
    ask("duplicate", 4_000, 0, 5, 2);
    ask("gap", 4_000, 0, 9, 1);
    ask("next", 4_000, 0, 7, 1);
    ask("older, other length", 4_000, 0, 5, 1);
    ask("older, that never was", 4_000, 0, 2, 1);
    ask("new epoch from 3", 4_000, 1, 3, 1);
    ask("new epoch from 0", 4_000, 1, 0, 1);
    ask("old epoch", 4_000, 0, 8, 1);
    ask("duplicate in the new epoch", 4_000, 1, 0, 1);
    ask("negative epoch", 4_000, -1, 1, 1);
    // Five batches are remembered.
    for sequence in 0..7 {
        ask(&format!("another's {sequence}"), 5_000, 0, sequence, 1);
    }
    for sequence in (0..7).rev() {
        ask(
            &format!("another's {sequence} again"),
            5_000,
            0,
            sequence,
            1,
        );
    }
    // Sequences wrap around.
    ask("the last sequence but one", 6_000, 0, i32::MAX - 1, 1);
    ask("over the end", 6_000, 0, i32::MAX, 2);
    ask("over the end again", 6_000, 0, i32::MAX, 2);
    ask("after the end", 6_000, 0, 1, 1);
    ask("after the end from 0", 6_000, 0, 0, 1);
}

/// The default limit of a batch is 1 MiB and 12 bytes.
fn largest(scribe: &mut Scribe) {
    let name = scribe.name("plain");
    // A value so long that the sizes before it take as many bytes.
    let overhead = batch(&[&"x".repeat(1_000_000)]).len() - 1_000_000;
    let limit = (1 << 20) + 12;
    for (what, size) in [("largest", limit), ("one byte too large", limit + 1)] {
        let batch = batch(&[&"x".repeat(size - overhead)]);
        assert_eq!(batch.len(), size);
        scribe.ask(what, 12, &produce(&name, Uuid::ZERO, 1, -1, batch));
    }
    // What counts is the size as sent.
    let builder = BatchBuilder::new().compression(Compression::Gzip, Level::Default);
    let batch = batch_at(&[&"x".repeat(2 << 20)], AT, builder);
    let request = produce(&name, Uuid::ZERO, 1, -1, batch);
    scribe.ask("two MiB compressed", 12, &request);
}
