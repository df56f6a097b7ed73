//! ListOffsets (API key 2): the offset that belongs to a time.
//!
//! Versions 1 to 11, flexible from 6.
//!
//! - 1: one offset, with its timestamp.
//! - 2: isolation level; throttle time.
//! - 4: leader epochs (KIP-320).
//! - 5: may answer `OFFSET_NOT_AVAILABLE`.
//! - 6: flexible.
//! - 7: timestamp -3, the record of the highest timestamp (KIP-734).
//! - 8: timestamp -4, the first offset of the local log (KIP-405).
//! - 9: timestamp -5, the last offset in tiered storage (KIP-1005).
//! - 10: time limit for looking into tiered storage (KIP-1075).
//! - 11: timestamp -6, the first offset not yet in tiered storage (KIP-1023).
//!
//! Since ever: -1 the end of the log (the last stable offset under read committed), -2 its start.

use crate::protocol::ErrorCode;

message! {
    /// Partitions, each with a timestamp or one of the special values below.
    request ListOffsetsRequest(
        ListOffsets, versions [1-11], flexible [6+], answer ListOffsetsResponse
    ) {
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

    /// The offset found for each partition, -1 if there is none.
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
