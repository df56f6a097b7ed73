//! DeleteGroups (API key 42): removes empty groups with their offsets (KIP-229).
//!
//! Versions 0 to 2, flexible from 2; otherwise unchanged.

use crate::protocol::ErrorCode;

message! {
    /// Groups to delete.
    request DeleteGroupsRequest(
        DeleteGroups, versions [0-2], flexible [2+], answer DeleteGroupsResponse
    ) {
        groups_names [0+]: Vec<String>,
    }

    /// How each deletion went.
    response DeleteGroupsResponse(DeleteGroups, versions [0-2], flexible [2+]) {
        throttle_time_ms [0+]: i32,
        results [0+]: Vec<DeletableGroupResult>,
    }

    struct DeletableGroupResult {
        group_id [0+]: String,
        error_code [0+]: ErrorCode,
    }
}
