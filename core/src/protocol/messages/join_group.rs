//! JoinGroup (API key 11): a member joins a classic group; the answer comes when all have.
//!
//! Versions 0 to 9, flexible from 6. Versions 0 and 1 stay because old clients need them
//! (KAFKA-19444).
//!
//! - 1: rebalance timeout apart from the session's.
//! - 2: throttle time.
//! - 4: a new member is given its id first, with `MEMBER_ID_REQUIRED` (KIP-394).
//! - 5: group instance id (KIP-345).
//! - 6: flexible.
//! - 7: protocol type in the response, whose protocol name may be null (KIP-559).
//! - 8: the member's reason (KIP-800).
//! - 9: a leader may be told to skip the assignment (KIP-814).

use bytes::Bytes;

use crate::protocol::ErrorCode;

message! {
    /// A member that wants in, and the protocols it can follow.
    request JoinGroupRequest(JoinGroup, versions [0-9], flexible [6+], answer JoinGroupResponse) {
        group_id [0+]: String,
        session_timeout_ms [0+]: i32,
        rebalance_timeout_ms [1+]: i32 = -1,
        member_id [0+]: String,
        group_instance_id [5+] nullable [0+]: Option<String>,
        protocol_type [0+]: String,
        protocols [0+]: Vec<JoinGroupRequestProtocol>,
        reason [8+] nullable [0+]: Option<String>,
    }

    struct JoinGroupRequestProtocol {
        name [0+]: String,
        metadata [0+]: Bytes,
    }

    /// The generation, and for its leader all members.
    response JoinGroupResponse(JoinGroup, versions [0-9], flexible [6+]) {
        throttle_time_ms [2+]: i32,
        error_code [0+]: ErrorCode,
        generation_id [0+]: i32 = -1,
        protocol_type [7+] nullable [0+]: Option<String>,
        protocol_name [0+] nullable [7+]: Option<String> = Some(String::new()),
        leader [0+]: String,
        skip_assignment [9+]: bool,
        member_id [0+]: String,
        members [0+]: Vec<JoinGroupResponseMember>,
    }

    struct JoinGroupResponseMember {
        member_id [0+]: String,
        group_instance_id [5+] nullable [0+]: Option<String>,
        metadata [0+]: Bytes,
    }
}
