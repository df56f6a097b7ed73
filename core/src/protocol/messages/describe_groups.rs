//! DescribeGroups (API key 15): state and members of classic groups.
//!
//! Versions 0 to 6, flexible from 5.
//!
//! - 1: throttle time.
//! - 3: authorised operations (KIP-430).
//! - 4: group instance ids (KIP-345).
//! - 5: flexible.
//! - 6: `GROUP_ID_NOT_FOUND` in place of a group in state Dead, with a message (KIP-1043).

use bytes::Bytes;

use crate::protocol::ErrorCode;

message! {
    /// Groups to describe.
    request DescribeGroupsRequest(
        DescribeGroups, versions [0-6], flexible [5+], answer DescribeGroupsResponse
    ) {
        groups [0+]: Vec<String>,
        include_authorized_operations [3+]: bool,
    }

    /// Each group's state, protocol and members.
    response DescribeGroupsResponse(DescribeGroups, versions [0-6], flexible [5+]) {
        throttle_time_ms [1+]: i32,
        groups [0+]: Vec<DescribedGroup>,
    }

    struct DescribedGroup {
        error_code [0+]: ErrorCode,
        error_message [6+] nullable [0+]: Option<String>,
        group_id [0+]: String,
        group_state [0+]: String,
        protocol_type [0+]: String,
        protocol_data [0+]: String,
        members [0+]: Vec<DescribedGroupMember>,
        authorized_operations [3+]: i32 = -2147483648,
    }

    struct DescribedGroupMember {
        member_id [0+]: String,
        group_instance_id [4+] nullable [0+]: Option<String>,
        client_id [0+]: String,
        client_host [0+]: String,
        member_metadata [0+]: Bytes,
        member_assignment [0+]: Bytes,
    }
}
