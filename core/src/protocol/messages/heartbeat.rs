//! Heartbeat: API key 12, versions 0-4, flexible from 4.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request HeartbeatRequest(Heartbeat, versions [0-4], flexible [4+], answer HeartbeatResponse) {
        group_id [0+]: String,
        generation_id [0+]: i32,
        member_id [0+]: String,
        group_instance_id [3+] nullable [0+]: Option<String>,
    }

    /// The response.
    response HeartbeatResponse(Heartbeat, versions [0-4], flexible [4+]) {
        throttle_time_ms [1+]: i32,
        error_code [0+]: ErrorCode,
    }
}
