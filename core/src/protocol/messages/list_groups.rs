//! ListGroups (API key 16): the groups a broker coordinates.
//!
//! Versions 0 to 5, flexible from 3.
//!
//! - 1: throttle time.
//! - 3: flexible.
//! - 4: state of each group, and a filter by states (KIP-518).
//! - 5: type of each group, and a filter by types (KIP-848).

use crate::protocol::ErrorCode;

message! {
    /// Which groups to list: all, or by state and type.
    request ListGroupsRequest(
        ListGroups, versions [0-5], flexible [3+], answer ListGroupsResponse
    ) {
        states_filter [4+]: Vec<String>,
        types_filter [5+]: Vec<String>,
    }

    /// Groups that this broker coordinates.
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
