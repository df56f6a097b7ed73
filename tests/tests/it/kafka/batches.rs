//! Produce of batches that break the format's rules, their checksum right: what is refused, and what
//! is stored of what is not.

use bytes::Bytes;
use partita_core::records::{
    BATCH_OVERHEAD, BatchBuilder, BatchHeader, BatchView, Compression, LOG_OVERHEAD, Level, Record,
    compress, varint,
};
use partita_core::types::Uuid;

use super::records::{AT, batches_told, fetch, produce};
use super::scribe::Scribe;

/// The version of Produce and Fetch in which everything is told.
const VERSION: i16 = 11;

/// Where every batch is sent to.
const TOPICS: &[&str] = &["plain", "stamped", "gzip"];

/// A change of a batch's header and of its records before they are compressed.
type Change<'a> = &'a dyn Fn(&mut BatchHeader, &mut Vec<u8>);

pub(super) fn ask(scribe: &mut Scribe) {
    scribe.create("plain", 1, &[]);
    scribe.create("stamped", 1, &[("message.timestamp.type", "LogAppendTime")]);
    scribe.create("gzip", 1, &[("compression.type", "gzip")]);
    for kept in ["producer", "uncompressed", "snappy", "lz4", "zstd"] {
        scribe.create(kept, 1, &[("compression.type", kept)]);
        for codec in Compression::ALL {
            let (header, records) = changed(codec, &|_, _| ());
            ask_batch(
                scribe,
                &format!("{codec}, kept"),
                &sealed(header, &records),
                &[kept],
            );
        }
    }
    for codec in Compression::ALL {
        headers(scribe, codec);
        records(scribe, codec);
        compressed(scribe, codec);
    }
}

/// Two records in a batch that is as it should be, but for a change.
fn changed(codec: Compression, change: Change<'_>) -> (BatchHeader, Vec<u8>) {
    let mut builder = BatchBuilder::new();
    for (timestamp, value) in [(AT, "a"), (AT + 1, "b")] {
        let value = Bytes::from_static(value.as_bytes());
        let key = Some(Bytes::from_static(b"k"));
        builder
            .push(&Record::new(timestamp, key, Some(value)))
            .unwrap();
    }
    let batch = builder.build().unwrap();
    let mut header = BatchHeader::parse(&batch).unwrap();
    let mut records = batch[BATCH_OVERHEAD..].to_vec();
    header.attributes = i16::from(codec.id());
    change(&mut header, &mut records);
    let mut stored = Vec::new();
    compress(codec, Level::Default, &records, &mut stored).unwrap();
    (header, stored)
}

/// The batch's bytes, with length and checksum made right.
fn sealed(mut header: BatchHeader, records: &[u8]) -> Bytes {
    let length = BATCH_OVERHEAD - LOG_OVERHEAD + records.len();
    header.batch_length = i32::try_from(length).unwrap();
    header.seal(records);
    Bytes::from([&header.to_bytes()[..], records].concat())
}

/// Produces to each topic; what was appended is fetched. Offsets are counted from the batch's first,
/// so that each answer stands for itself.
fn ask_batch(scribe: &mut Scribe, what: &str, batch: &Bytes, topics: &[&str]) {
    for topic in topics {
        let name = scribe.name(topic);
        let request = produce(&name, Uuid::ZERO, 0, -1, batch.clone());
        let mut response = scribe.call(VERSION, &request).unwrap();
        let answer = &mut response.responses[0].partition_responses[0];
        let base = answer.base_offset;
        answer.base_offset = answer.base_offset.min(0);
        let mut told = format!("{answer:?}");
        if base >= 0 {
            let fetched = scribe.call(VERSION, &fetch(&name, Uuid::ZERO, 0, base));
            let records = &fetched.unwrap().responses[0].partitions[0].records;
            let (stored, _) = BatchView::parse(records.bytes().unwrap().clone()).unwrap();
            let mut header = *stored.header();
            header.set_base_offset_and_epoch(0, header.partition_leader_epoch);
            let stored = stored.with_header(&header);
            told.push_str(&batches_told(stored));
        }
        scribe.note(&format!("{what}, to {topic}"), VERSION, Some(told));
    }
}

fn ask_changed(scribe: &mut Scribe, codec: Compression, what: &str, change: Change<'_>) {
    let (header, records) = changed(codec, change);
    ask_batch(
        scribe,
        &format!("{codec}, {what}"),
        &sealed(header, &records),
        TOPICS,
    );
}

fn headers(scribe: &mut Scribe, codec: Compression) {
    let mut ask = |what: &str, change: &dyn Fn(&mut BatchHeader)| {
        ask_changed(scribe, codec, what, &|header, _| change(header));
    };
    ask("as it should be", &|_| ());
    for id in [5, 6, 7] {
        ask(&format!("codec {id}"), &|header| header.attributes = id);
    }
    ask("timestamp type", &|header| header.attributes |= 0x08);
    ask("delete horizon", &|header| header.attributes |= 0x40);
    ask("unused attributes", &|header| header.attributes |= 0x7f80);
    ask("negative attributes", &|header| {
        header.attributes |= i16::MIN
    });
    for (count, delta) in [
        (2, 0),
        (2, 2),
        (2, -1),
        (1, 0),
        (3, 2),
        (0, 0),
        (0, -1),
        (-1, 1),
        (1, 1),
    ] {
        ask(&format!("{count} records to offset {delta}"), &|header| {
            header.records_count = count;
            header.last_offset_delta = delta;
        });
    }
    ask("largest timestamp too small", &|header| {
        header.max_timestamp = AT - 5
    });
    ask("largest timestamp too large", &|header| {
        header.max_timestamp = AT + 5
    });
    ask("no largest timestamp", &|header| header.max_timestamp = -1);
    ask("no base timestamp", &|header| header.base_timestamp = -1);
    ask("producer -2", &|header| header.producer_id = -2);
    ask("producer without epoch and sequence", &|header| {
        header.producer_id = 70
    });
    ask("epoch without producer", &|header| {
        header.producer_epoch = 3
    });
    ask("sequence without producer", &|header| {
        header.base_sequence = 3
    });
    ask("leader epoch", &|header| header.partition_leader_epoch = 99);
    ask("base offset -1", &|header| header.base_offset = -1);
    let (header, records) = changed(codec, &|_, _| ());
    let whole = sealed(header, &records);
    for by in [-1, 1, i32::MIN, 1 << 20] {
        let mut header = BatchHeader::parse(&whole).unwrap();
        header.batch_length = header.batch_length.wrapping_add(by);
        let batch = Bytes::from([&header.to_bytes()[..], &records].concat());
        ask_batch(
            scribe,
            &format!("{codec}, length wrong by {by}"),
            &batch,
            TOPICS,
        );
    }
}

/// A record's fields as they are written, in their order.
#[derive(Clone)]
struct Raw {
    /// Added to the length.
    longer: i32,
    attributes: u8,
    timestamp_delta: i64,
    offset_delta: i32,
    key_length: i32,
    key: &'static [u8],
    value_length: i32,
    value: &'static [u8],
    headers: i32,
    header: Vec<u8>,
    /// Written behind everything.
    behind: &'static [u8],
}

const RIGHT: Raw = Raw {
    longer: 0,
    attributes: 0,
    timestamp_delta: 0,
    offset_delta: 0,
    key_length: 1,
    key: b"k",
    value_length: 1,
    value: b"a",
    headers: 0,
    header: Vec::new(),
    behind: b"",
};

impl Raw {
    fn bytes(&self) -> Vec<u8> {
        let mut body = vec![self.attributes];
        varint::write_i64(self.timestamp_delta, &mut body);
        varint::write_i32(self.offset_delta, &mut body);
        varint::write_i32(self.key_length, &mut body);
        body.extend_from_slice(self.key);
        varint::write_i32(self.value_length, &mut body);
        body.extend_from_slice(self.value);
        varint::write_i32(self.headers, &mut body);
        body.extend_from_slice(&self.header);
        let mut bytes = Vec::new();
        let length = i32::try_from(body.len()).unwrap();
        varint::write_i32(length.wrapping_add(self.longer), &mut bytes);
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(self.behind);
        bytes
    }
}

/// One header of a record.
fn header(key_length: i32, key: &[u8], value_length: i32, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint::write_i32(key_length, &mut bytes);
    bytes.extend_from_slice(key);
    varint::write_i32(value_length, &mut bytes);
    bytes.extend_from_slice(value);
    bytes
}

/// A record that is not as it should be, the only one in its batch.
fn records(scribe: &mut Scribe, codec: Compression) {
    let with = |change: &dyn Fn(&mut Raw)| {
        let mut raw = RIGHT;
        change(&mut raw);
        raw.bytes()
    };
    let headers = |count: i32, header: Vec<u8>| {
        with(&|raw| {
            raw.headers = count;
            raw.header.clone_from(&header);
        })
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("right", with(&|_| ())),
        ("nothing", Vec::new()),
        ("one byte longer than it is", with(&|raw| raw.longer = 1)),
        ("one byte shorter than it is", with(&|raw| raw.longer = -1)),
        ("of negative length", with(&|raw| raw.longer = -100)),
        ("of a length without end", vec![0xff; 12]),
        (
            "of the largest length",
            with(&|raw| raw.longer = i32::MAX - 7),
        ),
        ("with attributes", with(&|raw| raw.attributes = 0xff)),
        ("from before", with(&|raw| raw.timestamp_delta = -5)),
        (
            "from long before",
            with(&|raw| raw.timestamp_delta = i64::MIN),
        ),
        ("at the second offset", with(&|raw| raw.offset_delta = 1)),
        ("at a negative offset", with(&|raw| raw.offset_delta = -1)),
        (
            "without a key",
            with(&|raw| (raw.key_length, raw.key) = (-1, b"")),
        ),
        (
            "with a key of length -2",
            with(&|raw| (raw.key_length, raw.key) = (-2, b"")),
        ),
        (
            "with a key beyond its end",
            with(&|raw| raw.key_length = 50),
        ),
        (
            "without a value",
            with(&|raw| (raw.value_length, raw.value) = (-1, b"")),
        ),
        (
            "with a value of length -2",
            with(&|raw| (raw.value_length, raw.value) = (-2, b"")),
        ),
        (
            "with a value beyond its end",
            with(&|raw| raw.value_length = 50),
        ),
        ("with -1 headers", headers(-1, Vec::new())),
        (
            "with a header too many",
            headers(2, header(1, b"h", 1, b"v")),
        ),
        ("with the most headers", headers(i32::MAX, Vec::new())),
        ("with a header", headers(1, header(1, b"h", 1, b"v"))),
        ("with an empty header", headers(1, header(0, b"", -1, b""))),
        (
            "with a header without a key",
            headers(1, header(-1, b"", 1, b"v")),
        ),
        (
            "with a header beyond its end",
            headers(1, header(9, b"h", 1, b"v")),
        ),
        (
            "with a header's value of length -2",
            headers(1, header(1, b"h", -2, b"")),
        ),
        (
            "with a header that is not UTF-8",
            headers(1, header(1, b"\xff", 1, b"v")),
        ),
        ("with bytes behind it", with(&|raw| raw.behind = b"behind")),
        ("with a zero behind it", with(&|raw| raw.behind = b"\0")),
    ];
    for (what, bytes) in cases {
        ask_changed(
            scribe,
            codec,
            &format!("a record {what}"),
            &|header, records| {
                (header.records_count, header.last_offset_delta) = (1, 0);
                records.clone_from(&bytes);
            },
        );
    }
}

/// What is no longer what the codec wrote.
fn compressed(scribe: &mut Scribe, codec: Compression) {
    if codec == Compression::None {
        return;
    }
    let (header, records) = changed(codec, &|_, _| ());
    let mut ask = |what: &str, records: &[u8]| {
        ask_batch(
            scribe,
            &format!("{codec}, compressed {what}"),
            &sealed(header, records),
            TOPICS,
        );
    };
    ask("to nothing", &[]);
    ask("to ones", &vec![1; records.len()]);
    ask("and cut short by one", &records[..records.len() - 1]);
    ask("and cut in half", &records[..records.len() / 2]);
    ask("with bytes behind", &[&records[..], b"behind"].concat());
    ask("twice over", &[&records[..], &records[..]].concat());
    ask("as if it were not", &[0x12, 0, 0, 0, 2, b'k', 2, b'a', 0]);
}
