//! Requests, and what is often asked.

use bytes::Bytes;

use super::World;
use crate::protocol::ErrorCode;
use crate::protocol::messages::create_topics::CreatableTopic;
use crate::protocol::messages::join_group::JoinGroupRequestProtocol;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_fetch::{OffsetFetchRequestTopic, OffsetFetchRequestTopics};
use crate::protocol::messages::sync_group::SyncGroupRequestAssignment;
use crate::protocol::messages::*;

impl World {
    pub(super) fn create_topic(&mut self, name: &str, partitions: i32) {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..Default::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            timeout_ms: 1_000,
            ..Default::default()
        };
        let answer = self.ask(&request);
        assert_eq!(answer.topics[0].error_code, ErrorCode::NONE, "{answer:?}");
    }

    /// Asks for a group's coordinator until there is one.
    pub(super) fn find(&mut self, group: &str) {
        let request = FindCoordinatorRequest {
            coordinator_keys: vec![group.into()],
            ..Default::default()
        };
        self.ask(&request);
        let answer = self.ask(&request);
        assert_eq!(answer.coordinators[0].error_code, ErrorCode::NONE);
    }

    /// A consumer's JoinGroup.
    pub(super) fn a_join(&self, group: &str, member_id: &str) -> JoinGroupRequest {
        JoinGroupRequest {
            group_id: group.into(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 60_000,
            member_id: member_id.into(),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".into(),
                metadata: subscription_to(&["orders"]),
            }],
            ..Default::default()
        }
    }

    /// Makes a group of so many dynamic members, Stable in its newest generation; returns their
    /// ids, the leader's first.
    pub(super) fn a_group(&mut self, group: &str, members: usize) -> Vec<String> {
        let mut ids: Vec<String> = (0..members)
            .map(|_| {
                let join = self.a_join(group, "");
                let answer = self.ask(&join);
                assert_eq!(answer.error_code, ErrorCode::MEMBER_ID_REQUIRED);
                answer.member_id
            })
            .collect();
        let (generation, leader) = self.rejoin(group, &ids);
        ids.sort_by_key(|id| *id != leader);
        self.sync_all(group, &ids, generation);
        ids
    }

    /// All members join; returns generation and leader.
    pub(super) fn rejoin(&mut self, group: &str, ids: &[String]) -> (i32, String) {
        let sent: Vec<_> = ids
            .iter()
            .map(|id| {
                let join = self.a_join(group, id);
                self.send(&join)
            })
            .collect();
        self.pass(0);
        let answers: Vec<JoinGroupResponse> = sent
            .into_iter()
            .map(|sent| self.answer(sent).unwrap())
            .collect();
        assert!(
            answers
                .iter()
                .all(|answer| answer.error_code == ErrorCode::NONE),
            "{answers:?}"
        );
        (answers[0].generation_id, answers[0].leader.clone())
    }

    /// All members sync; the first leads, and gives each `orders-i`.
    pub(super) fn sync_all(&mut self, group: &str, ids: &[String], generation: i32) {
        let sent: Vec<_> = ids
            .iter()
            .enumerate()
            .rev()
            .map(|(index, id)| {
                let sync = self.a_sync(group, id, generation, if index == 0 { ids } else { &[] });
                self.send(&sync)
            })
            .collect();
        for sent in sent {
            assert_eq!(self.answer(sent).unwrap().error_code, ErrorCode::NONE);
        }
    }

    /// A SyncGroup that assigns `orders-i` to the member `assigned[i]`.
    pub(super) fn a_sync(
        &self,
        group: &str,
        id: &str,
        generation: i32,
        assigned: &[String],
    ) -> SyncGroupRequest {
        let assignments =
            (0..)
                .zip(assigned)
                .map(|(partition, member)| SyncGroupRequestAssignment {
                    member_id: member.clone(),
                    assignment: assignment_of("orders", partition),
                });
        SyncGroupRequest {
            group_id: group.into(),
            generation_id: generation,
            member_id: id.into(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments: assignments.collect(),
            ..Default::default()
        }
    }

    pub(super) fn heartbeat(&mut self, group: &str, id: &str, generation: i32) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: group.into(),
            generation_id: generation,
            member_id: id.into(),
            ..Default::default()
        };
        self.ask(&request).error_code
    }

    /// The error of a commit of one offset in version 9.
    pub(super) fn commit(
        &mut self,
        who: (&str, &str, i32),
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> ErrorCode {
        let answer = self.ask_in(9, &a_commit(who, topic, &[(partition, offset)]));
        answer.topics[0].partitions[0].error_code
    }

    /// What a group has committed for a partition, in version 9.
    pub(super) fn committed(&mut self, group: &str, topic: &str, partition: i32) -> i64 {
        let answer = self.ask_in(9, &a_fetch(group, topic, &[partition]));
        assert_eq!(answer.groups[0].error_code, ErrorCode::NONE);
        answer.groups[0].topics[0].partitions[0].committed_offset
    }

    pub(super) fn state_of(&mut self, group: &str) -> String {
        let request = DescribeGroupsRequest {
            groups: vec![group.into()],
            ..Default::default()
        };
        self.ask(&request).groups[0].group_state.clone()
    }
}

/// An OffsetCommit by (group, member, generation).
pub(super) fn a_commit(
    (group, member_id, generation): (&str, &str, i32),
    topic: &str,
    offsets: &[(i32, i64)],
) -> OffsetCommitRequest {
    let partitions =
        offsets.iter().map(
            |&(partition_index, committed_offset)| OffsetCommitRequestPartition {
                partition_index,
                committed_offset,
                committed_leader_epoch: 3,
                committed_metadata: Some("note".into()),
            },
        );
    OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: generation,
        member_id: member_id.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: partitions.collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// An OffsetFetch that fits versions 1 to 9.
pub(super) fn a_fetch(group: &str, topic: &str, partitions: &[i32]) -> OffsetFetchRequest {
    let old = OffsetFetchRequestTopic {
        name: topic.into(),
        partition_indexes: partitions.to_vec(),
    };
    let new = OffsetFetchRequestTopics {
        name: topic.into(),
        partition_indexes: partitions.to_vec(),
        ..Default::default()
    };
    OffsetFetchRequest {
        group_id: group.into(),
        topics: Some(vec![old]),
        groups: vec![offset_fetch::OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(vec![new]),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A consumer's subscription, version 0.
pub(super) fn subscription_to(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.bytes());
    }
    bytes.extend((-1_i32).to_be_bytes());
    bytes.into()
}

/// A consumer's assignment of one partition, version 0.
pub(super) fn assignment_of(topic: &str, partition: i32) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1];
    bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
    bytes.extend(topic.bytes());
    bytes.extend(1_i32.to_be_bytes());
    bytes.extend(partition.to_be_bytes());
    bytes.extend((-1_i32).to_be_bytes());
    bytes.into()
}
