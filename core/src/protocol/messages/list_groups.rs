//! ListGroups: API key 16, versions 0-5, flexible from 3.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request ListGroupsRequest(ListGroups, versions [0-5], flexible [3+], answer ListGroupsResponse) {
        states_filter [4+]: Vec<String>,
        types_filter [5+]: Vec<String>,
    }

    /// The response.
    response ListGroupsResponse(ListGroups, versions [0-5], flexible [3+]) {
        throttle_time_ms [1+]: i32,
        error_code [0+]: ErrorCode,
        groups [0+]: Vec<ListedGroup>,
    }

    struct ListedGroup {
        group_id [0+]: String,
        protocol_type [0+]: String,
        group_state [4+]: String,
        group_type [5+]: String,
    }
}
