//! OffsetCommit: API key 8, versions 2-10, flexible from 8.

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// The request.
    request OffsetCommitRequest(OffsetCommit, versions [2-10], flexible [8+], answer OffsetCommitResponse) {
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

    /// The response.
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
