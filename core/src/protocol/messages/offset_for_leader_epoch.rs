//! OffsetForLeaderEpoch: API key 23, versions 2-4, flexible from 4.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request OffsetForLeaderEpochRequest(OffsetForLeaderEpoch, versions [2-4], flexible [4+], answer OffsetForLeaderEpochResponse) {
        replica_id [3+]: i32 = -2,
        topics [0+]: Vec<OffsetForLeaderTopic>,
    }

    struct OffsetForLeaderTopic {
        topic [0+]: String,
        partitions [0+]: Vec<OffsetForLeaderPartition>,
    }

    struct OffsetForLeaderPartition {
        partition [0+]: i32,
        current_leader_epoch [0+]: i32 = -1,
        leader_epoch [0+]: i32,
    }

    /// The response.
    response OffsetForLeaderEpochResponse(OffsetForLeaderEpoch, versions [2-4], flexible [4+]) {
        throttle_time_ms [0+]: i32,
        topics [0+]: Vec<OffsetForLeaderTopicResult>,
    }

    struct OffsetForLeaderTopicResult {
        topic [0+]: String,
        partitions [0+]: Vec<EpochEndOffset>,
    }

    struct EpochEndOffset {
        error_code [0+]: ErrorCode,
        partition [0+]: i32,
        leader_epoch [0+]: i32 = -1,
        end_offset [0+]: i64 = -1,
    }
}
