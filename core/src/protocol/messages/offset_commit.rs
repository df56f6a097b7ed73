//! OffsetCommit (API key 8): how far a group has consumed.
//!
//! Versions 2 to 10, flexible from 8.
//!
//! - 2: retention time of the commit.
//! - 3: throttle time.
//! - 5: no retention time any more: it is the broker's (KIP-211).
//! - 6: leader epoch (KIP-320).
//! - 7: group instance id (KIP-345).
//! - 8: flexible.
//! - 9: for groups of KIP-848 too; may answer `GROUP_ID_NOT_FOUND` and `STALE_MEMBER_EPOCH`.
//! - 10: topic ids in place of names (KIP-848).

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// Offsets to store for a group.
    request OffsetCommitRequest(
        OffsetCommit, versions [2-10], flexible [8+], answer OffsetCommitResponse
    ) {
        group_id [0+]: String,
        generation_id_or_member_epoch [0+]: i32 = -1,
        member_id [0+]: String,
        group_instance_id [7+] nullable [0+]: Option<String>,
        retention_time_ms [0-4]: i64 = -1,
        topics [0+]: Vec<OffsetCommitRequestTopic>,
    }

    struct OffsetCommitRequestTopic {
        name [0-9]: String,
        topic_id [10+]: Uuid,
        partitions [0+]: Vec<OffsetCommitRequestPartition>,
    }

    struct OffsetCommitRequestPartition {
        partition_index [0+]: i32,
        committed_offset [0+]: i64,
        committed_leader_epoch [6+]: i32 = -1,
        committed_metadata [0+] nullable [0+]: Option<String> = Some(String::new()),
    }

    /// How each partition's commit went.
    response OffsetCommitResponse(OffsetCommit, versions [2-10], flexible [8+]) {
        throttle_time_ms [3+]: i32,
        topics [0+]: Vec<OffsetCommitResponseTopic>,
    }

    struct OffsetCommitResponseTopic {
        name [0-9]: String,
        topic_id [10+]: Uuid,
        partitions [0+]: Vec<OffsetCommitResponsePartition>,
    }

    struct OffsetCommitResponsePartition {
        partition_index [0+]: i32,
        error_code [0+]: ErrorCode,
    }
}
