//! The consumer against a scripted cluster: one file per part of it.

mod commits;
mod fetching;
mod handing_back;
mod member;
mod membership;
mod positions;
mod rebalances;
#[cfg(feature = "broker")]
mod turmoil;
#[cfg(feature = "broker")]
mod workflows;
#[cfg(feature = "broker")]
mod world;

use bytes::Bytes;

use super::*;
use crate::client::assignor::{self, Assignor};
use crate::client::fake::{Fake, Seen};
use crate::client::{ClusterConfig, RetryConfig};
use crate::protocol::ErrorCode;
use crate::protocol::messages::fetch::{FetchableTopicResponse, PartitionData};
use crate::protocol::messages::join_group::JoinGroupResponseMember;
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use crate::protocol::messages::offset_commit::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use crate::protocol::messages::{
    FetchRequest, FetchResponse, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest,
    JoinGroupResponse, ListOffsetsRequest, ListOffsetsResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, SyncGroupRequest,
    SyncGroupResponse,
};
use crate::records::{BatchBuilder, Record};

fn tp(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

fn config() -> ConsumerConfig {
    ConsumerConfig {
        cluster: ClusterConfig {
            client_id: "c".to_owned(),
            bootstrap: vec![("broker".to_owned(), 9092)],
            ..ClusterConfig::default()
        },
        group_id: Some("g".to_owned()),
        assignors: vec![GroupAssignor::BuiltIn(Assignor::Range)],
        offset_reset: OffsetReset::Earliest,
        retry: RetryConfig {
            factor: 0.0,
            ..RetryConfig::default()
        },
        ..ConsumerConfig::default()
    }
}

fn cooperative() -> ConsumerConfig {
    ConsumerConfig {
        assignors: vec![GroupAssignor::BuiltIn(Assignor::CooperativeSticky)],
        ..config()
    }
}

/// A consumer, and a topic `t` with this many partitions.
fn fake(config: ConsumerConfig, partitions: usize) -> Fake<Consumer> {
    let consumer = Consumer::new(config, [9; 32]).unwrap();
    Fake::new(consumer, &[("t", &vec![0; partitions])])
}

/// Subscribed to `t` and started: JoinGroup waits.
fn started(config: ConsumerConfig, partitions: usize) -> Fake<Consumer> {
    let mut fake = fake(config, partitions);
    fake.client
        .subscribe(fake.now, &[TopicSubscription::new("t")]);
    fake.settle();
    fake.client.start(fake.now);
    fake.settle();
    fake
}

/// A member with these partitions, whose positions are not known yet.
fn member(config: ConsumerConfig, partitions: &[i32]) -> Fake<Consumer> {
    let count = partitions.iter().max().map_or(1, |max| max + 1);
    let mut fake = started(config, usize::try_from(count).unwrap());
    fake.let_join(1);
    fake.let_sync(partitions);
    fake
}

/// A member with these partitions, all at offset 0: Fetch waits.
fn consuming(config: ConsumerConfig, partitions: &[i32]) -> Fake<Consumer> {
    let mut fake = member(config, partitions);
    fake.committed(&[0; 8]);
    fake.events();
    fake
}

/// Record batches with one record for each value, from this offset on.
fn batch(base: i64, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new().base_offset(base, 0);
    for value in values {
        let value = Bytes::copy_from_slice(value.as_bytes());
        builder.push(&Record::new(7, None, Some(value))).unwrap();
    }
    builder.build().unwrap()
}

fn values(batch: &FetchedBatch) -> Vec<(i64, String)> {
    let records = batch.records().map(Result::unwrap);
    let text = |it: Record| String::from_utf8(it.value.unwrap().to_vec()).unwrap();
    records.map(|it| (it.offset, text(it))).collect()
}

impl Fake<Consumer> {
    fn events(&mut self) -> Vec<ConsumerEvent> {
        self.settle();
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    /// The events but for the frequent ones.
    fn notable(&mut self) -> Vec<ConsumerEvent> {
        let mut events = self.events();
        events.retain(|event| {
            !matches!(
                event,
                ConsumerEvent::FetchStart { .. }
                    | ConsumerEvent::Fetched { .. }
                    | ConsumerEvent::Heartbeat { .. }
                    | ConsumerEvent::Positioned { .. }
            )
        });
        events
    }

    fn crash(&mut self) -> Option<ClientError> {
        self.events().into_iter().find_map(|event| match event {
            ConsumerEvent::Crashed { error, .. } => Some(error),
            _ => None,
        })
    }

    /// Answers JoinGroup: `m` follows, somebody else leads.
    fn let_join(&mut self, generation: i32) -> JoinGroupRequest {
        let (seen, request) = self.expect::<JoinGroupRequest>();
        let response = JoinGroupResponse {
            generation_id: generation,
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some(request.protocols[0].name.clone()),
            leader: "leader".to_owned(),
            member_id: "m".to_owned(),
            ..JoinGroupResponse::default()
        };
        self.answer(&seen, &response);
        request
    }

    /// Answers JoinGroup: `m` leads itself and others.
    fn let_lead(&mut self, generation: i32, others: &[(&str, Bytes)]) -> JoinGroupRequest {
        let (seen, request) = self.expect::<JoinGroupRequest>();
        let own = [("m", request.protocols[0].metadata.clone())];
        let members = own.iter().chain(others);
        let members = members.map(|(member_id, metadata)| JoinGroupResponseMember {
            member_id: (*member_id).to_owned(),
            metadata: metadata.clone(),
            ..JoinGroupResponseMember::default()
        });
        let response = JoinGroupResponse {
            generation_id: generation,
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some(request.protocols[0].name.clone()),
            leader: "m".to_owned(),
            member_id: "m".to_owned(),
            members: members.collect(),
            ..JoinGroupResponse::default()
        };
        self.answer(&seen, &response);
        request
    }

    fn refuse_join(&mut self, error_code: ErrorCode) {
        let (seen, _) = self.expect::<JoinGroupRequest>();
        let response = JoinGroupResponse {
            error_code,
            member_id: "given".to_owned(),
            ..JoinGroupResponse::default()
        };
        self.answer(&seen, &response);
    }

    /// Answers SyncGroup with these partitions of `t`.
    fn let_sync(&mut self, partitions: &[i32]) -> SyncGroupRequest {
        let (seen, request) = self.expect::<SyncGroupRequest>();
        let assignment: Vec<_> = partitions.iter().copied().map(tp).collect();
        let response = SyncGroupResponse {
            assignment: assignor::encode_assignment(Assignor::Range, &assignment).unwrap(),
            ..SyncGroupResponse::default()
        };
        self.answer(&seen, &response);
        request
    }

    /// Answers OffsetFetch: of each partition this offset.
    fn committed(&mut self, offsets: &[i64]) {
        let (seen, request) = self.expect::<OffsetFetchRequest>();
        let asked = request.groups.into_iter().flat_map(|group| group.topics);
        let topics = asked.flatten().map(|topic| OffsetFetchResponseTopics {
            topic_id: topic.topic_id,
            partitions: topic
                .partition_indexes
                .iter()
                .map(|partition| OffsetFetchResponsePartitions {
                    partition_index: *partition,
                    committed_offset: offsets[usize::try_from(*partition).unwrap()],
                    ..OffsetFetchResponsePartitions::default()
                })
                .collect(),
            ..OffsetFetchResponseTopics::default()
        });
        let response = OffsetFetchResponse {
            groups: vec![OffsetFetchResponseGroup {
                group_id: "g".to_owned(),
                topics: topics.collect(),
                ..OffsetFetchResponseGroup::default()
            }],
            ..OffsetFetchResponse::default()
        };
        self.answer(&seen, &response);
    }

    /// Answers ListOffsets with this offset; returns what was asked for.
    fn list_offsets(&mut self, offset: i64) -> Vec<(i32, i64)> {
        let (seen, request) = self.expect::<ListOffsetsRequest>();
        let mut asked = Vec::new();
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|it| {
                asked.push((it.partition_index, it.timestamp));
                ListOffsetsPartitionResponse {
                    partition_index: it.partition_index,
                    offset,
                    ..ListOffsetsPartitionResponse::default()
                }
            });
            ListOffsetsTopicResponse {
                name: topic.name.clone(),
                partitions: partitions.collect(),
            }
        });
        let topics = topics.collect();
        let response = ListOffsetsResponse {
            topics,
            ..ListOffsetsResponse::default()
        };
        self.answer(&seen, &response);
        asked
    }

    /// Answers a Fetch with records of `t`.
    fn records(&mut self, seen: &Seen, session_id: i32, records: &[(i32, Bytes)]) {
        let partitions = records.iter().map(|(partition, bytes)| PartitionData {
            partition_index: *partition,
            high_watermark: 100,
            last_stable_offset: 100,
            log_start_offset: 0,
            records: bytes.clone().into(),
            ..PartitionData::default()
        });
        self.fetched(seen, session_id, partitions.collect());
    }

    fn fetched(&mut self, seen: &Seen, session_id: i32, partitions: Vec<PartitionData>) {
        let response = FetchResponse {
            session_id,
            responses: vec![FetchableTopicResponse {
                topic_id: self.topics["t"].id,
                partitions,
                ..FetchableTopicResponse::default()
            }],
            ..FetchResponse::default()
        };
        self.answer(seen, &response);
    }

    /// The next Fetch, with partitions and offsets asked for.
    fn fetch(&mut self) -> (Seen, FetchRequest, Vec<(i32, i64)>) {
        let (seen, request) = self.expect::<FetchRequest>();
        let partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
        let asked = partitions.map(|it| (it.partition, it.fetch_offset));
        let asked = asked.collect();
        (seen, request, asked)
    }

    fn beat(&mut self, error_code: ErrorCode) -> HeartbeatRequest {
        let (seen, request) = self.expect::<HeartbeatRequest>();
        let response = HeartbeatResponse {
            error_code,
            ..HeartbeatResponse::default()
        };
        self.answer(&seen, &response);
        request
    }

    /// Answers OffsetCommit; returns generation, member and offsets.
    fn let_commit(&mut self, error_code: ErrorCode) -> (i32, String, Vec<(i32, i64)>) {
        let (seen, request) = self.expect::<OffsetCommitRequest>();
        let mut offsets = Vec::new();
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|it| {
                offsets.push((it.partition_index, it.committed_offset));
                OffsetCommitResponsePartition {
                    partition_index: it.partition_index,
                    error_code,
                }
            });
            OffsetCommitResponseTopic {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: partitions.collect(),
            }
        });
        let topics = topics.collect();
        let response = OffsetCommitResponse {
            topics,
            ..OffsetCommitResponse::default()
        };
        self.answer(&seen, &response);
        let generation = request.generation_id_or_member_epoch;
        (generation, request.member_id, offsets)
    }

    fn poll(&mut self) -> Option<FetchedBatch> {
        let batch = self.client.poll(self.now);
        self.settle();
        batch
    }
}
