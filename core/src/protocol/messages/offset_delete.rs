//! OffsetDelete (API key 47): removes committed offsets of topics that a group does not consume
//! (KIP-496).
//!
//! Version 0, not flexible.

use crate::protocol::ErrorCode;

message! {
    /// Partitions whose commits go.
    request OffsetDeleteRequest(
        OffsetDelete, versions [0], flexible [none], answer OffsetDeleteResponse
    ) {
        group_id [0+]: String,
        topics [0+]: Vec<OffsetDeleteRequestTopic>,
    }

    struct OffsetDeleteRequestTopic {
        name [0+]: String,
        partitions [0+]: Vec<OffsetDeleteRequestPartition>,
    }

    struct OffsetDeleteRequestPartition {
        partition_index [0+]: i32,
    }

    /// How each deletion went.
    response OffsetDeleteResponse(OffsetDelete, versions [0], flexible [none]) {
        error_code [0+]: ErrorCode,
        throttle_time_ms [0+]: i32,
        topics [0+]: Vec<OffsetDeleteResponseTopic>,
    }

    struct OffsetDeleteResponseTopic {
        name [0+]: String,
        partitions [0+]: Vec<OffsetDeleteResponsePartition>,
    }

    struct OffsetDeleteResponsePartition {
        partition_index [0+]: i32,
        error_code [0+]: ErrorCode,
    }
}
