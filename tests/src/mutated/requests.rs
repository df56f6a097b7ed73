//! The requests: any content in every served version, or what has something to do in this world.

use bytes::Bytes;
use partita_core::protocol::arbitrary::{self, Arbitrary};
use partita_core::protocol::messages::fetch::{FetchPartition, FetchTopic};
use partita_core::protocol::messages::join_group::JoinGroupRequestProtocol;
use partita_core::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use partita_core::protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use partita_core::protocol::messages::*;
use partita_core::protocol::{Records, Request, encode_request, join};
use partita_core::records::{BatchBuilder, Record};

use super::damage::{mutate, noise};
use super::{GROUP, TOPIC};
use crate::numbers::Numbers;

/// A kind of request.
pub(super) struct Kind {
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

/// A kind for each API.
pub(super) fn kinds() -> Vec<Kind> {
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

/// A frame, most often damaged.
pub(super) fn any_frame(kinds: &[Kind], numbers: &mut Numbers) -> Bytes {
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

pub(super) fn produce(topic: &str, partition: i32, value: &'static str) -> ProduceRequest {
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

pub(super) fn fetch(topic: &str, partition: i32, offset: i64) -> FetchRequest {
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
