//! SyncGroup: API key 14, versions 0-5, flexible from 4.

use bytes::Bytes;

use crate::protocol::ErrorCode;

message! {
    /// The request.
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

    /// The response.
    response SyncGroupResponse(SyncGroup, versions [0-5], flexible [4+]) {
        throttle_time_ms [1+]: i32,
        error_code [0+]: ErrorCode,
        protocol_type [5+] nullable [0+]: Option<String>,
        protocol_name [5+] nullable [0+]: Option<String>,
        assignment [0+]: Bytes,
    }
}
