//! Heartbeat (API key 12): a member of a classic group is alive.
//!
//! Versions 0 to 4, flexible from 4.
//!
//! - 1: throttle time.
//! - 3: group instance id (KIP-345).
//! - 4: flexible.

use crate::protocol::ErrorCode;

message! {
    /// A member is alive.
    request HeartbeatRequest(Heartbeat, versions [0-4], flexible [4+], answer HeartbeatResponse) {
        group_id [0+]: String,
        generation_id [0+]: i32,
        member_id [0+]: String,
        group_instance_id [3+] nullable [0+]: Option<String>,
    }

    /// Whether it is still a member, and whether to join again.
    response HeartbeatResponse(Heartbeat, versions [0-4], flexible [4+]) {
        throttle_time_ms [1+]: i32,
        error_code [0+]: ErrorCode,
    }
}
