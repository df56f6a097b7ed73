//! DeleteGroups: API key 42, versions 0-2, flexible from 2.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request DeleteGroupsRequest(DeleteGroups, versions [0-2], flexible [2+], answer DeleteGroupsResponse) {
        groups_names [0+]: Vec<String>,
    }

    /// The response.
    response DeleteGroupsResponse(DeleteGroups, versions [0-2], flexible [2+]) {
        throttle_time_ms [0+]: i32,
        results [0+]: Vec<DeletableGroupResult>,
    }

    struct DeletableGroupResult {
        group_id [0+]: String,
        error_code [0+]: ErrorCode,
    }
}
