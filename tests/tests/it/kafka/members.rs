//! Members of groups, for the suites that need some.

use bytes::Bytes;
use partita_core::protocol::ErrorCode;
use partita_core::protocol::messages::join_group::JoinGroupRequestProtocol;
use partita_core::protocol::messages::sync_group::SyncGroupRequestAssignment;
use partita_core::protocol::messages::{
    DescribeGroupsRequest, FindCoordinatorRequest, JoinGroupRequest, JoinGroupResponse,
    SyncGroupRequest,
};

use super::scribe::Scribe;

/// A JoinGroup of someone new, with the protocol `range`.
pub(super) fn join(group: &str, member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol("range", SUBSCRIBED)],
        ..JoinGroupRequest::default()
    }
}

/// A subscription in the consumers' format: version 0, the topic `plain`, no user data.
pub(super) const SUBSCRIBED: &[u8] = b"\0\0\0\0\0\x01\0\x05plain\xff\xff\xff\xff";

pub(super) fn protocol(name: &str, metadata: &'static [u8]) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol {
        name: name.to_owned(),
        metadata: Bytes::from_static(metadata),
    }
}

/// A SyncGroup with an assignment for each of these members.
pub(super) fn sync(group: &str, generation_id: i32, member: &str, of: &[&str]) -> SyncGroupRequest {
    SyncGroupRequest {
        group_id: group.to_owned(),
        generation_id,
        member_id: member.to_owned(),
        protocol_type: Some("consumer".to_owned()),
        protocol_name: Some("range".to_owned()),
        assignments: of
            .iter()
            .map(|member| SyncGroupRequestAssignment {
                member_id: (*member).to_owned(),
                assignment: Bytes::from_static(b"assigned"),
            })
            .collect(),
        ..SyncGroupRequest::default()
    }
}

impl Scribe {
    /// A group whose coordinator is there, by its name in this run.
    pub(super) fn group(&mut self, plain: &str) -> String {
        let group = self.name(plain);
        let find = FindCoordinatorRequest {
            key: group.clone(),
            coordinator_keys: vec![group.clone()],
            ..FindCoordinatorRequest::default()
        };
        let describe = DescribeGroupsRequest {
            groups: vec![group.clone()],
            ..DescribeGroupsRequest::default()
        };
        for _ in 0..500 {
            let found = self.call(4, &find).unwrap().coordinators[0].error_code;
            let described = self.call(0, &describe).unwrap().groups[0].error_code;
            if found.is_none() && described.is_none() {
                return group;
            }
            self.peer.settle(20);
        }
        panic!("{group} has no coordinator");
    }

    /// Joins a group until it is let in, and takes what a leader is told, without writing it down.
    pub(super) fn joined(&mut self, request: &JoinGroupRequest) -> JoinGroupResponse {
        let mut request = request.clone();
        let joined = self.call(9, &request).unwrap();
        if joined.error_code != ErrorCode::MEMBER_ID_REQUIRED {
            return joined;
        }
        request.member_id = joined.member_id;
        self.call(9, &request).unwrap()
    }

    /// A group with one member, who has its assignment: group, member and generation.
    pub(super) fn stable_group(&mut self, plain: &str) -> (String, String, i32) {
        let group = self.group(plain);
        let joined = self.joined(&join(&group, ""));
        let member = joined.member_id;
        let generation = joined.generation_id;
        let synced = self.call(5, &sync(&group, generation, &member, &[&member]));
        assert!(synced.unwrap().error_code.is_none());
        (group, member, generation)
    }
}
