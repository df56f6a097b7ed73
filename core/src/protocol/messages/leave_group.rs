//! LeaveGroup (API key 13): members leave a classic group.
//!
//! Versions 0 to 5, flexible from 4.
//!
//! - 1: throttle time.
//! - 3: several members at once, by member id or group instance id (KIP-345).
//! - 4: flexible.
//! - 5: the reason (KIP-800).

use crate::protocol::ErrorCode;

message! {
    /// Members that leave.
    request LeaveGroupRequest(
        LeaveGroup, versions [0-5], flexible [4+], answer LeaveGroupResponse
    ) {
        group_id [0+]: String,
        member_id [0-2]: String,
        members [3+]: Vec<MemberIdentity>,
    }

    struct MemberIdentity {
        member_id [0+]: String,
        group_instance_id [0+] nullable [0+]: Option<String>,
        reason [5+] nullable [0+]: Option<String>,
    }

    /// How each member's leaving went.
    response LeaveGroupResponse(LeaveGroup, versions [0-5], flexible [4+]) {
        throttle_time_ms [1+]: i32,
        error_code [0+]: ErrorCode,
        members [3+]: Vec<MemberResponse>,
    }

    struct MemberResponse {
        member_id [0+]: String,
        group_instance_id [0+] nullable [0+]: Option<String> = Some(String::new()),
        error_code [0+]: ErrorCode,
    }
}
