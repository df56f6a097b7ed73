//! The same frames to Apache Kafka 4.3.1 and to us: what Kafka answered is in `kafka.txt`, and we
//! answer the same, but for the differences listed here.
//!
//! `PARTITA_KAFKA=HOST:PORT` records the answers again, from a broker that was started for it
//! (`auto.create.topics.enable=false`, nothing stored).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::*;
use crate::protocol::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsTopic};
use crate::protocol::messages::fetch::ReplicaState;
use crate::protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use crate::protocol::messages::offset_for_leader_epoch::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use crate::protocol::messages::{
    DeleteRecordsRequest, DeleteRecordsResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
};
use crate::protocol::{Request, decode_response, encode_request, join};
use crate::types::Uuid;

const RECORDED: &str = include_str!("kafka.txt");

/// Where we answer otherwise: a request, the last version in which, and why.
const DIFFERENCES: &[(&str, i16, &str)] = &[
    (
        "list deleted -3",
        11,
        "a record below the log start is not the one with the largest timestamp",
    ),
    (
        "fetch all with zstd",
        9,
        "SEMANTICS: a client that cannot know zstd gets an error instead of it",
    ),
    ("fetch zstd by config", 9, "the same"),
];

/// Which of the differences a line is about.
fn difference(line: &str) -> Option<usize> {
    let (name, rest) = line.split_once(" v")?;
    let version: i16 = rest.split_once(':')?.0.parse().ok()?;
    DIFFERENCES
        .iter()
        .position(|(about, last, _)| *about == name && version <= *last)
}

/// Someone who answers requests.
trait Peer {
    fn call<R: Request>(&mut self, request: &R, version: i16) -> Option<R::Response>;
    fn now(&self) -> i64;
}

struct Ours(Scene);

impl Peer for Ours {
    fn call<R: Request>(&mut self, request: &R, version: i16) -> Option<R::Response> {
        let scene = &mut self.0;
        scene.harness.send(scene.client, request, version);
        scene.harness.run();
        scene.harness.advance_and_run(1_000);
        let response = scene.harness.receive::<R>(scene.client, version);
        if scene.harness.closed(scene.client).is_some() {
            scene.client = scene.harness.connect();
        }
        response
    }

    fn now(&self) -> i64 {
        now()
    }
}

struct Kafka {
    address: String,
    stream: TcpStream,
    now: i64,
}

impl Peer for Kafka {
    fn call<R: Request>(&mut self, request: &R, version: i16) -> Option<R::Response> {
        let frame = join(encode_request(request, version, 1, None).unwrap()).unwrap();
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        self.stream
            .write_all(&[&length, &frame[..]].concat())
            .unwrap();
        let mut length = [0; 4];
        if self.stream.read_exact(&mut length).is_err() {
            self.stream = TcpStream::connect(&self.address).unwrap();
            return None;
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut frame).unwrap();
        Some(decode_response(frame.into(), version).unwrap().1)
    }

    fn now(&self) -> i64 {
        self.now
    }
}

/// Asks one peer everything and writes down the answers, a line each.
struct Asked<P> {
    peer: P,
    ids: BTreeMap<String, Uuid>,
    lines: String,
}

impl<P: Peer> Asked<P> {
    fn line(&mut self, name: &str, version: i16, answer: Option<String>) {
        let answer = answer.unwrap_or_else(|| "closed".to_owned());
        writeln!(self.lines, "{name} v{version}: {answer}").unwrap();
    }

    fn create(&mut self, name: &str, configs: &[(&str, &str)]) {
        let configs = configs.iter().map(|(name, value)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        });
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: 2,
                replication_factor: 1,
                configs: configs.collect(),
                ..CreatableTopic::default()
            }],
            timeout_ms: 5_000,
            ..CreateTopicsRequest::default()
        };
        let response = self.peer.call(&request, 7).unwrap();
        self.ids
            .insert(name.to_owned(), response.topics[0].topic_id);
        // Kafka tells the topic's leader a little later.
        for _ in 0..100 {
            let mut list = list(-1);
            list.topics[0].name = name.to_owned();
            let found = self.peer.call(&list, 1).unwrap();
            if found.topics[0].partitions[0].error_code.is_none() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn id(&self, topic: &str) -> Uuid {
        let unknown = Uuid(*b"0123456789abcdef");
        self.ids.get(topic).copied().unwrap_or(unknown)
    }

    fn produce(&mut self, name: &str, topic: &str, acks: i16, batch: Bytes, version: i16) {
        let mut request = to_partition(i32::from(name.starts_with("idempotent")), acks, batch);
        if name == "unknown partition" {
            request.topic_data[0].partition_data[0].index = 9;
        }
        request.topic_data[0].name = topic.to_owned();
        if version >= 13 {
            request.topic_data[0].topic_id = self.id(topic);
        }
        let answer = self
            .peer
            .call(&request, version)
            .map(|r| told_of_produce(&r));
        self.line(&format!("produce {name}"), version, answer);
    }

    fn fetch(&mut self, name: &str, topic: &str, version: i16, with: impl Fn(&mut FetchRequest)) {
        let mut request = from_offset(0, 0, 200);
        request.topics[0].topic = topic.to_owned();
        with(&mut request);
        if version >= 13 {
            let id = self.id(topic);
            for topic in &mut request.topics {
                topic.topic_id = id;
            }
        }
        let answer = self.peer.call(&request, version).map(|r| told_of_fetch(&r));
        self.line(&format!("fetch {name}"), version, answer);
    }

    fn list(&mut self, name: &str, version: i16, request: &ListOffsetsRequest) {
        let now = self.peer.now();
        let answer = self
            .peer
            .call(request, version)
            .map(|r| told_of_list(&r, now));
        self.line(&format!("list {name}"), version, answer);
    }
}

fn told_of_produce(response: &ProduceResponse) -> String {
    let partition = &response.responses[0].partition_responses[0];
    let indexes = partition
        .record_errors
        .iter()
        .map(|error| error.batch_index);
    format!(
        "{} base {} append time {} start {} records {:?} message {}",
        partition.error_code,
        partition.base_offset,
        if partition.log_append_time_ms > 0 {
            "now"
        } else {
            "-1"
        },
        partition.log_start_offset,
        indexes.collect::<Vec<_>>(),
        // Kafka has words for a magic of 3, and for faulty records, as we have.
        partition.error_message.is_some() && !partition.record_errors.is_empty(),
    )
}

fn told_of_fetch(response: &FetchResponse) -> String {
    let mut told = format!(
        "{} session {}",
        response.error_code,
        response.session_id != 0
    );
    for topic in &response.responses {
        for data in &topic.partitions {
            write!(
                told,
                "; {} {} {}..{} {} aborted {:?}, {} bytes, leader {} {}, diverging {} {}",
                data.partition_index,
                data.error_code,
                data.log_start_offset,
                data.high_watermark,
                data.last_stable_offset,
                data.aborted_transactions.as_ref().map(Vec::len),
                data.records.len(),
                data.current_leader.leader_id,
                data.current_leader.leader_epoch,
                data.diverging_epoch.epoch,
                data.diverging_epoch.end_offset,
            )
            .unwrap();
        }
    }
    write!(told, "; {} endpoints", response.node_endpoints.len()).unwrap();
    told
}

fn told_of_list(response: &ListOffsetsResponse, now: i64) -> String {
    let mut told = Vec::new();
    for partition in response.topics.iter().flat_map(|topic| &topic.partitions) {
        let timestamp = match partition.timestamp {
            at if at == now => "now".to_owned(),
            at => at.to_string(),
        };
        told.push(format!(
            "{} {} {timestamp} at {} epoch {}",
            partition.partition_index,
            partition.error_code,
            partition.offset,
            partition.leader_epoch
        ));
    }
    told.join("; ")
}

fn told_of_epochs(response: &OffsetForLeaderEpochResponse) -> String {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let told = partitions.map(|p| {
        format!(
            "{} {} epoch {} ends {}",
            p.partition, p.error_code, p.leader_epoch, p.end_offset
        )
    });
    told.collect::<Vec<_>>().join("; ")
}

fn told_of_delete(response: &DeleteRecordsResponse) -> String {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let told =
        partitions.map(|p| format!("{} {} {}", p.partition_index, p.error_code, p.low_watermark));
    told.collect::<Vec<_>>().join("; ")
}

fn list(timestamp: i64) -> ListOffsetsRequest {
    ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: "plain".to_owned(),
            partitions: vec![ListOffsetsPartition {
                partition_index: 1,
                timestamp,
                ..ListOffsetsPartition::default()
            }],
        }],
        timeout_ms: 1_000,
        ..ListOffsetsRequest::default()
    }
}

impl<P: Peer> Asked<P> {
    fn everything(mut self) -> String {
        self.create("plain", &[]);
        self.create("empty", &[]);
        self.create("compact", &[("cleanup.policy", "compact")]);
        self.create("stamped", &[("message.timestamp.type", "LogAppendTime")]);
        self.create("gzip", &[("compression.type", "gzip")]);
        self.create("zstd", &[("compression.type", "zstd")]);
        self.create(
            "segment",
            &[
                ("segment.bytes", "1048576"),
                ("max.message.bytes", "4000000"),
            ],
        );
        self.create("young", &[("message.timestamp.before.max.ms", "1000")]);
        self.create("replicas", &[("min.insync.replicas", "2")]);
        self.create("small", &[("max.message.bytes", "100")]);
        for version in [3, 5, 7, 8, 10, 12, 13] {
            self.produces(version);
        }
        self.idempotent_produces();
        for version in [4, 5, 6, 7, 9, 11, 12, 13, 16, 17, 18] {
            self.fetches(version);
        }
        for version in 1..=11 {
            self.lists(version);
        }
        self.epochs();
        self.deletes();
        self.lines
    }

    fn produces(&mut self, version: i16) {
        let at = self.peer.now();
        let made = |values: &[&str], builder| batch_with(values, builder, at);
        let plain = |values: &[&str]| made(values, BatchBuilder::new());
        let new = BatchBuilder::new;
        let changed = |at: usize, to: u8| {
            let mut bytes = plain(&["a"]).to_vec();
            bytes[at] = to;
            Bytes::from(bytes)
        };
        let zstd = made(&["a"], new().compression(Compression::Zstd, Level::Default));
        let two = Bytes::from([plain(&["a"]), plain(&["b"])].concat());
        let transactional = made(&["a"], new().producer(7, 0, 0).transactional(true));
        let cases: Vec<(&str, &str, i16, Bytes)> = vec![
            ("ok", "plain", -1, plain(&["a", "b"])),
            ("acks 1", "plain", 1, plain(&["a"])),
            ("unknown topic", "nope", -1, plain(&["a"])),
            ("unknown partition", "plain", -1, plain(&["a"])),
            ("acks 2", "plain", 2, plain(&["a"])),
            ("two batches", "plain", -1, two),
            ("no batch", "plain", -1, Bytes::new()),
            ("garbage", "plain", -1, Bytes::from_static(&[1; 80])),
            ("cut short", "plain", -1, plain(&["abc"]).slice(..66)),
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
            ("unnamed transaction", "plain", -1, transactional),
            ("checksum", "plain", -1, changed(20, 0x55)),
            ("magic 1", "plain", -1, changed(16, 1)),
            ("magic 3", "plain", -1, changed(16, 3)),
            ("no key", "compact", -1, plain(&["a", "b"])),
            (
                "future",
                "plain",
                -1,
                batch_with(&["a"], new(), 4_000_000_000_000),
            ),
            ("past", "young", -1, batch_with(&["a", "b"], new(), 1_000)),
            ("append time", "stamped", -1, plain(&["a"])),
            (
                "claimed append time",
                "plain",
                -1,
                made(&["a"], new().log_append_time(at)),
            ),
            ("zstd", "plain", -1, zstd),
            ("min.insync.replicas", "replicas", -1, plain(&["a"])),
            ("too large", "small", -1, plain(&[&"x".repeat(50)])),
            (
                "larger than a segment",
                "segment",
                -1,
                plain(&[&"x".repeat(1 << 20)]),
            ),
            ("compressed anew", "gzip", -1, plain(&["a", "b", "c"])),
            ("compressed with zstd", "zstd", -1, plain(&["a", "b", "c"])),
        ];
        for (name, topic, acks, batch) in cases {
            self.produce(name, topic, acks, batch, version);
        }
        self.produce("acks 0 unknown topic", "nope", 0, plain(&["a"]), version);
    }

    fn idempotent_produces(&mut self) {
        let at = self.peer.now();
        let cases = [
            ("first", 0, 5, 2),
            ("duplicate", 0, 5, 2),
            ("gap", 0, 9, 1),
            ("next", 0, 7, 1),
            ("old", 0, 5, 1),
            ("new epoch from 3", 1, 3, 1),
            ("new epoch from 0", 1, 0, 1),
            ("old epoch", 0, 8, 1),
            ("duplicate of the new epoch", 1, 0, 1),
        ];
        for (name, epoch, sequence, count) in cases {
            let builder = BatchBuilder::new().producer(4_000, epoch, sequence);
            let batch = batch_with(&vec!["v"; count], builder, at);
            self.produce(&format!("idempotent {name}"), "plain", -1, batch, 12);
        }
    }

    fn fetches(&mut self, version: i16) {
        let one = |request: &mut FetchRequest, with: &dyn Fn(&mut FetchPartition)| {
            with(&mut request.topics[0].partitions[0]);
        };
        let partition = |set: fn(&mut FetchPartition)| move |r: &mut FetchRequest| one(r, &set);
        self.fetch("unknown topic", "nope", version, |_| {});
        self.fetch("all with zstd", "plain", version, |_| {});
        self.fetch("zstd by config", "zstd", version, |_| {});
        self.fetch("records", "plain", version, partition(|p| p.partition = 1));
        self.fetch(
            "end",
            "plain",
            version,
            partition(|p| {
                p.partition = 1;
                p.fetch_offset = 4;
            }),
        );
        self.fetch(
            "beyond",
            "plain",
            version,
            partition(|p| p.fetch_offset = 999),
        );
        self.fetch(
            "negative",
            "plain",
            version,
            partition(|p| p.fetch_offset = -1),
        );
        self.fetch(
            "unknown partition",
            "plain",
            version,
            partition(|p| p.partition = 9),
        );
        self.fetch("committed", "plain", version, |r| {
            r.isolation_level = 1;
            r.topics[0].partitions[0].partition = 1;
        });
        if version >= 9 {
            let newer = partition(|p| p.current_leader_epoch = 99);
            self.fetch("newer epoch", "empty", version, newer);
        }
        if version >= 12 {
            let newer = partition(|p| p.last_fetched_epoch = 99);
            self.fetch("fetched in a newer epoch", "empty", version, newer);
            let known = partition(|p| {
                p.last_fetched_epoch = 0;
                p.partition = 1;
            });
            self.fetch("fetched in this epoch", "plain", version, known);
        }
        self.fetch("tiny limits", "plain", version, |r| {
            r.max_bytes = 1;
            one(r, &|p| {
                p.partition_max_bytes = 1;
                p.partition = 1;
            });
        });
        self.fetch("replica", "empty", version, |r| {
            r.replica_id = 3;
            r.replica_state = ReplicaState {
                replica_id: 3,
                ..ReplicaState::default()
            };
        });
        self.fetch("one of two unknown", "empty", version, |r| {
            let unknown = FetchPartition {
                partition: 9,
                ..r.topics[0].partitions[0].clone()
            };
            r.topics[0].partitions.push(unknown);
        });
        self.fetch("one twice", "empty", version, |r| {
            let again = r.topics[0].partitions[0].clone();
            r.topics[0].partitions.push(again);
        });
        if version >= 7 {
            self.fetch("unknown session", "empty", version, |r| {
                (r.session_id, r.session_epoch) = (12_345, 3);
            });
            self.fetch("new session", "empty", version, |r| r.session_epoch = 0);
            self.fetch("session of nothing", "empty", version, |r| {
                r.session_epoch = 0;
                r.topics.clear();
            });
        }
    }

    fn lists(&mut self, version: i16) {
        let now = self.peer.now();
        let times = [("now", now), ("later", now + 1), ("0", 0)];
        let known = [-1, -2, -3, -4, -5, -6, -7].map(|t| (t.to_string(), t));
        let times = times.map(|(name, time)| (name.to_owned(), time));
        for (name, time) in known.into_iter().chain(times) {
            self.list(&name, version, &list(time));
            let mut empty = list(time);
            empty.topics[0].name = "empty".to_owned();
            self.list(&format!("in an empty log {name}"), version, &empty);
        }
        let changed = |with: &dyn Fn(&mut ListOffsetsRequest)| {
            let mut request = list(-1);
            with(&mut request);
            request
        };
        let unknown = changed(&|r| r.topics[0].name = "nope".to_owned());
        self.list("unknown topic", version, &unknown);
        let unknown = changed(&|r| r.topics[0].partitions[0].partition_index = 9);
        self.list("unknown partition", version, &unknown);
        let newer = changed(&|r| r.topics[0].partitions[0].current_leader_epoch = 50);
        self.list("newer epoch", version, &newer);
        self.list("committed", version, &changed(&|r| r.isolation_level = 1));
        self.list("debugging", version, &changed(&|r| r.replica_id = -2));
        let twice = changed(&|r| {
            let again = r.topics[0].partitions[0].clone();
            r.topics[0].partitions.push(again);
        });
        self.list("twice", version, &twice);
    }

    fn epochs(&mut self) {
        for version in 2..=4 {
            for (epoch, believed) in [(0, -1), (0, 0), (5, -1), (-1, -1), (0, 7)] {
                let asked = |partition| OffsetForLeaderPartition {
                    partition,
                    current_leader_epoch: believed,
                    leader_epoch: epoch,
                };
                let request = OffsetForLeaderEpochRequest {
                    topics: vec![OffsetForLeaderTopic {
                        topic: "plain".to_owned(),
                        partitions: vec![asked(1), asked(9)],
                    }],
                    ..OffsetForLeaderEpochRequest::default()
                };
                let answer = self
                    .peer
                    .call(&request, version)
                    .map(|r| told_of_epochs(&r));
                self.line(
                    &format!("epoch {epoch} believed {believed}"),
                    version,
                    answer,
                );
            }
        }
    }

    fn deletes(&mut self) {
        let cases = [
            ("plain", 1, 2),
            ("plain", 1, 1),
            ("plain", 1, 999),
            ("plain", 1, -2),
            ("plain", 1, -1),
            ("nope", 0, 0),
            ("plain", 7, 0),
            ("compact", 0, 0),
            ("empty", 0, 0),
        ];
        for (topic, partition_index, offset) in cases {
            let request = DeleteRecordsRequest {
                topics: vec![DeleteRecordsTopic {
                    name: topic.to_owned(),
                    partitions: vec![DeleteRecordsPartition {
                        partition_index,
                        offset,
                    }],
                }],
                timeout_ms: 3_000,
            };
            let answer = self.peer.call(&request, 2).map(|r| told_of_delete(&r));
            self.line(
                &format!("delete {topic}-{partition_index} below {offset}"),
                2,
                answer,
            );
        }
        for time in [-2, -1, -3, 0] {
            self.list(&format!("deleted {time}"), 11, &list(time));
        }
        self.fetch("deleted", "plain", 12, |r| {
            r.topics[0].partitions[0].partition = 1
        });
    }
}

#[test]
fn we_answer_as_apache_kafka_answered() {
    let ours = Asked {
        peer: Ours(Scene::new()),
        ids: BTreeMap::new(),
        lines: String::new(),
    };
    let ours = ours.everything();
    let recorded = match std::env::var("PARTITA_KAFKA") {
        Ok(address) => record(address),
        Err(_) => RECORDED.to_owned(),
    };
    assert_eq!(ours.lines().count(), recorded.lines().count());
    let mut seen = vec![false; DIFFERENCES.len()];
    for (ours, kafka) in ours.lines().zip(recorded.lines()) {
        if ours != kafka
            && let Some(at) = difference(ours)
        {
            seen[at] = true;
            continue;
        }
        assert_eq!(ours, kafka);
    }
    assert!(
        seen.iter().all(|seen| *seen),
        "a difference is gone: {seen:?}"
    );
}

fn record(address: String) -> String {
    let elapsed = std::time::UNIX_EPOCH.elapsed().unwrap();
    let kafka = Asked {
        peer: Kafka {
            stream: TcpStream::connect(&address).unwrap(),
            address,
            now: i64::try_from(elapsed.as_millis()).unwrap(),
        },
        ids: BTreeMap::new(),
        lines: String::new(),
    };
    let answers = kafka.everything();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/broker/log/tests/kafka.txt"
    );
    std::fs::write(path, &answers).unwrap();
    answers
}
