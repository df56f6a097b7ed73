//! OffsetForLeaderEpoch (API key 23): where a leader epoch ended, to find a truncation.
//!
//! Versions 2 to 4, flexible from 4.
//!
//! - 2: the leader epoch the client knows (KIP-320); throttle time.
//! - 3: replica id; consumers send -1.
//! - 4: flexible.

use crate::protocol::ErrorCode;

message! {
    /// Partitions, each with a leader epoch.
    request OffsetForLeaderEpochRequest(
        OffsetForLeaderEpoch, versions [2-4], flexible [4+], answer OffsetForLeaderEpochResponse
    ) {
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

    /// Where each epoch ended.
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
