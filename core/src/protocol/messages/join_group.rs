//! JoinGroup: API key 11, versions 0-9, flexible from 6.

use bytes::Bytes;

use crate::protocol::ErrorCode;

message! {
    /// The request.
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

    /// The response.
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
