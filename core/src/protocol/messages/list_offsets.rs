//! ListOffsets: API key 2, versions 1-11, flexible from 6.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request ListOffsetsRequest(ListOffsets, versions [1-11], flexible [6+], answer ListOffsetsResponse) {
        replica_id [0+]: i32,
        isolation_level [2+]: i8,
        topics [0+]: Vec<ListOffsetsTopic>,
        timeout_ms [10+]: i32,
    }

    struct ListOffsetsTopic {
        name [0+]: String,
        partitions [0+]: Vec<ListOffsetsPartition>,
    }

    struct ListOffsetsPartition {
        partition_index [0+]: i32,
        current_leader_epoch [4+]: i32 = -1,
        timestamp [0+]: i64,
    }

    /// The response.
    response ListOffsetsResponse(ListOffsets, versions [1-11], flexible [6+]) {
        throttle_time_ms [2+]: i32,
        topics [0+]: Vec<ListOffsetsTopicResponse>,
    }

    struct ListOffsetsTopicResponse {
        name [0+]: String,
        partitions [0+]: Vec<ListOffsetsPartitionResponse>,
    }

    struct ListOffsetsPartitionResponse {
        partition_index [0+]: i32,
        error_code [0+]: ErrorCode,
        timestamp [0+]: i64 = -1,
        offset [0+]: i64 = -1,
        leader_epoch [4+]: i32 = -1,
    }
}
