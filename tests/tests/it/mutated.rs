//! Frames that nobody should send, to a whole broker: each is answered or its connection is closed,
//! and the broker goes on as if nothing had been.
//!
//! A world is a broker with a topic, a group and records. It gets requests of every served API and
//! version, made at random or sensible for that world, most of them damaged, and noise; storage
//! works now and then. In the end time passes until nothing can wait any more; then the broker must
//! take and give records as ever. `PARTITA_FRAMES` says how many frames there are in all, and
//! `PARTITA_SEED` runs one world alone.

use std::collections::BTreeMap;

use bytes::Bytes;
use partita_core::broker::ConnectionId;
use partita_core::protocol::arbitrary::{self, Arbitrary};
use partita_core::protocol::messages::create_topics::CreatableTopic;
use partita_core::protocol::messages::fetch::{FetchPartition, FetchTopic};
use partita_core::protocol::messages::join_group::JoinGroupRequestProtocol;
use partita_core::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use partita_core::protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use partita_core::protocol::messages::*;
use partita_core::protocol::{Records, Request, encode_request, join};
use partita_core::records::{BatchBuilder, Record};
use partita_core::testing::Harness;

use crate::protocol::hostile::{mutate, noise};
use partita_tests::numbers::Numbers;

/// Frames of one world.
const WORLD: usize = 2_000;
/// How many there are without `PARTITA_FRAMES`: as many worlds as take a few seconds.
const FRAMES: usize = 20_000;
const TOPIC: &str = "orders";
const GROUP: &str = "billing";
/// Longer than any time that a request can name.
const FOR_EVER: u64 = 1 << 31;

#[test]
fn the_broker_outlives_a_million_frames() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let worlds = number("PARTITA_FRAMES").unwrap_or(FRAMES).div_ceil(WORLD);
    let seeds: Vec<u64> = match number("PARTITA_SEED") {
        Some(seed) => vec![u64::try_from(seed).unwrap()],
        None => (0..u64::try_from(worlds).unwrap()).collect(),
    };
    let half = seeds.len().div_ceil(2).max(1);
    std::thread::scope(|scope| {
        for part in seeds.chunks(half) {
            scope.spawn(move || {
                for &seed in part {
                    if let Err(panic) = std::panic::catch_unwind(|| live(seed)) {
                        eprintln!(
                            "this replays it: PARTITA_SEED={seed} cargo test --profile sim \
                             -p partita-tests --test it -- mutated::"
                        );
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}

/// One world, from beginning to end.
fn live(seed: u64) {
    let mut numbers = Numbers(seed);
    let mut harness = Harness::new();
    let first = harness.connect();
    let create = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: TOPIC.to_owned(),
            num_partitions: 2,
            replication_factor: 1,
            ..CreatableTopic::default()
        }],
        timeout_ms: 1_000,
        ..CreateTopicsRequest::default()
    };
    harness.request(first, &create, 7);
    let kinds = kinds();
    let mut sent: Vec<(ConnectionId, Bytes)> = Vec::new();
    for _ in 0..WORLD {
        let frame = any_frame(&kinds, &mut numbers);
        // Half of them come on a connection of their own, half behind others.
        let connection = match sent.last() {
            Some((last, _)) if numbers.below(2) == 0 && harness.closed(*last).is_none() => *last,
            _ => harness.connect(),
        };
        harness.send_frame(connection, frame.clone());
        sent.push((connection, frame));
        match numbers.below(8) {
            0 => harness.run(),
            1 => drop(harness.step_storage()),
            2 => harness.disconnect_one(&sent, &mut numbers),
            3 => harness.advance(u64::try_from(numbers.below(3_000)).unwrap()),
            _ => {}
        }
    }
    harness.advance_and_run(FOR_EVER);
    harness.run();
    check_answers(&mut harness, &sent);
    goes_on(&mut harness);
}

/// Nothing waits any more, and what was answered was answered in order. A request without an answer
/// is a Produce with acks=0, or its connection has ended.
fn check_answers(harness: &mut Harness, sent: &[(ConnectionId, Bytes)]) {
    let mut by_connection: BTreeMap<ConnectionId, Vec<&Bytes>> = BTreeMap::new();
    for (connection, frame) in sent {
        by_connection.entry(*connection).or_default().push(frame);
    }
    let mut answered = 0;
    for (connection, frames) in by_connection {
        // One that was closed, or whose client has gone, accepts nothing.
        let open = harness.broker.can_accept(connection);
        let waiting = harness.broker.unanswered_bytes(connection);
        assert_eq!(waiting, 0, "neither answered nor closed: {frames:?}");
        let mut answers = std::iter::from_fn(|| harness.receive_frame(connection)).peekable();
        for frame in &frames {
            let correlation = frame.get(4..8);
            let mine = |answer: &Bytes| answer.get(..4) == correlation;
            if answers.next_if(mine).is_some() {
                answered += 1;
            } else {
                let silent = frame.get(..2) == Some(&[0, 0]);
                assert!(silent || !open, "no answer to {frame:?} of {frames:?}");
            }
        }
        assert_eq!(answers.next(), None, "an answer too many, to {frames:?}");
    }
    assert!(answered > WORLD / 20, "only {answered} were answered");
}

/// An ordinary client finds an ordinary broker.
fn goes_on(harness: &mut Harness) {
    let connection = harness.connect();
    let create = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "afterwards".to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            ..CreatableTopic::default()
        }],
        timeout_ms: 1_000,
        ..CreateTopicsRequest::default()
    };
    harness.request(connection, &create, 7);
    let produced = harness.request(connection, &produce("afterwards", 0, "still here"), 9);
    let answer = &produced.responses[0].partition_responses[0];
    assert!(answer.error_code.is_none(), "{answer:?}");
    let fetched = harness.request(connection, &fetch("afterwards", 0, answer.base_offset), 11);
    let data = &fetched.responses[0].partitions[0];
    assert!(data.error_code.is_none(), "{data:?}");
    let bytes = data.records.bytes().cloned().unwrap_or_default();
    assert!(
        bytes.windows(10).any(|part| part == b"still here"),
        "{data:?}"
    );
}

trait Disconnect {
    fn disconnect_one(&mut self, sent: &[(ConnectionId, Bytes)], numbers: &mut Numbers);
}

impl Disconnect for Harness {
    /// One of the clients goes.
    fn disconnect_one(&mut self, sent: &[(ConnectionId, Bytes)], numbers: &mut Numbers) {
        let (connection, _) = sent[numbers.below(sent.len())];
        if self.closed(connection).is_none() {
            self.disconnect(connection);
        }
    }
}

/// A kind of request.
struct Kind {
    versions: Vec<i16>,
    /// One of any content.
    any: fn(i16, &mut Numbers) -> Option<Bytes>,
}

fn kind<R: Request + Arbitrary>() -> Kind {
    Kind {
        versions: R::VERSIONS.iter().collect(),
        any: |version, numbers| {
            let request: R = arbitrary::message(version, &mut || numbers.next());
            frame(&request, version, numbers)
        },
    }
}

fn frame<R: Request>(request: &R, version: i16, numbers: &mut Numbers) -> Option<Bytes> {
    let correlation = i32::from_be_bytes(numbers.next().to_be_bytes()[..4].try_into().unwrap());
    let parts = encode_request(request, version, correlation, Some("mutated")).ok()?;
    join(parts).ok()
}

macro_rules! kinds {
    ($($request:ident),* $(,)?) => {
        vec![$( kind::<$request>() ),*]
    };
}

fn kinds() -> Vec<Kind> {
    kinds![
        ProduceRequest,
        FetchRequest,
        ListOffsetsRequest,
        MetadataRequest,
        OffsetCommitRequest,
        OffsetFetchRequest,
        FindCoordinatorRequest,
        JoinGroupRequest,
        HeartbeatRequest,
        LeaveGroupRequest,
        SyncGroupRequest,
        DescribeGroupsRequest,
        ListGroupsRequest,
        SaslHandshakeRequest,
        ApiVersionsRequest,
        CreateTopicsRequest,
        DeleteTopicsRequest,
        DeleteRecordsRequest,
        InitProducerIdRequest,
        OffsetForLeaderEpochRequest,
        DescribeConfigsRequest,
        AlterConfigsRequest,
        CreatePartitionsRequest,
        DeleteGroupsRequest,
        IncrementalAlterConfigsRequest,
        OffsetDeleteRequest,
        DescribeClusterRequest,
        DescribeTopicPartitionsRequest,
    ]
}

fn any_frame(kinds: &[Kind], numbers: &mut Numbers) -> Bytes {
    let whole = match numbers.below(10) {
        0 => return noise(numbers),
        1..5 => sensible(numbers),
        _ => {
            let kind = &kinds[numbers.below(kinds.len())];
            let version = kind.versions[numbers.below(kind.versions.len())];
            (kind.any)(version, numbers)
        }
    };
    match whole {
        Some(whole) if numbers.below(4) == 0 => whole,
        Some(whole) => mutate(whole, numbers),
        None => noise(numbers),
    }
}

/// A request that has something to do in this world.
fn sensible(numbers: &mut Numbers) -> Option<Bytes> {
    let partition: i32 = numbers.below(2);
    match numbers.below(6) {
        0 | 1 => {
            let version = i16::try_from(3 + numbers.below(10)).unwrap();
            frame(&produce(TOPIC, partition, "a record"), version, numbers)
        }
        2 => {
            let version = i16::try_from(4 + numbers.below(9)).unwrap();
            let offset: i64 = numbers.below(4);
            frame(&fetch(TOPIC, partition, offset), version, numbers)
        }
        3 => {
            let request = JoinGroupRequest {
                group_id: GROUP.to_owned(),
                session_timeout_ms: 6_000,
                rebalance_timeout_ms: 6_000,
                protocol_type: "consumer".to_owned(),
                protocols: vec![JoinGroupRequestProtocol {
                    name: "range".to_owned(),
                    metadata: Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                }],
                ..JoinGroupRequest::default()
            };
            let version = i16::try_from(numbers.below(10)).unwrap();
            frame(&request, version, numbers)
        }
        4 => {
            let request = OffsetCommitRequest {
                group_id: GROUP.to_owned(),
                generation_id_or_member_epoch: -1,
                topics: vec![OffsetCommitRequestTopic {
                    name: TOPIC.to_owned(),
                    partitions: vec![OffsetCommitRequestPartition {
                        partition_index: partition,
                        committed_offset: 1,
                        ..OffsetCommitRequestPartition::default()
                    }],
                    ..OffsetCommitRequestTopic::default()
                }],
                ..OffsetCommitRequest::default()
            };
            let version = i16::try_from(2 + numbers.below(8)).unwrap();
            frame(&request, version, numbers)
        }
        _ => {
            let version = i16::try_from(numbers.below(14)).unwrap();
            frame(&MetadataRequest::default(), version, numbers)
        }
    }
}

fn produce(topic: &str, partition: i32, value: &'static str) -> ProduceRequest {
    let mut batch = BatchBuilder::new();
    let value = Bytes::from_static(value.as_bytes());
    batch
        .push(&Record::new(1_770_000_000_000, None, Some(value)))
        .unwrap();
    ProduceRequest {
        acks: -1,
        timeout_ms: 1_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Records::from(batch.build().unwrap()),
            }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    }
}

fn fetch(topic: &str, partition: i32, offset: i64) -> FetchRequest {
    FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: vec![FetchPartition {
                partition,
                fetch_offset: offset,
                current_leader_epoch: -1,
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}
