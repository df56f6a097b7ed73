//! SyncGroup (API key 14): the leader's assignment to each member of a generation.
//!
//! Versions 0 to 5, flexible from 4.
//!
//! - 1: throttle time.
//! - 3: group instance id (KIP-345).
//! - 4: flexible.
//! - 5: protocol type and name both ways, checked against the group's (KIP-559).

use bytes::Bytes;

use crate::protocol::ErrorCode;

message! {
    /// A member asks for its assignment; the leader brings those of all.
    request SyncGroupRequest(SyncGroup, versions [0-5], flexible [4+], answer SyncGroupResponse) {
        group_id [0+]: String,
        generation_id [0+]: i32,
        member_id [0+]: String,
        group_instance_id [3+] nullable [0+]: Option<String>,
        protocol_type [5+] nullable [0+]: Option<String>,
        protocol_name [5+] nullable [0+]: Option<String>,
        assignments [0+]: Vec<SyncGroupRequestAssignment>,
    }

    struct SyncGroupRequestAssignment {
        member_id [0+]: String,
        assignment [0+]: Bytes,
    }

    /// What the member was assigned.
    response SyncGroupResponse(SyncGroup, versions [0-5], flexible [4+]) {
        throttle_time_ms [1+]: i32,
        error_code [0+]: ErrorCode,
        protocol_type [5+] nullable [0+]: Option<String>,
        protocol_name [5+] nullable [0+]: Option<String>,
        assignment [0+]: Bytes,
    }
}
