//! DeleteRecords (API key 21): raises a partition's log start offset (KIP-107).
//!
//! Versions 0 to 2, flexible from 2; otherwise unchanged.

use crate::protocol::ErrorCode;

message! {
    /// Partitions, each with the offset before which records go.
    request DeleteRecordsRequest(
        DeleteRecords, versions [0-2], flexible [2+], answer DeleteRecordsResponse
    ) {
        topics [0+]: Vec<DeleteRecordsTopic>,
        timeout_ms [0+]: i32,
    }

    struct DeleteRecordsTopic {
        name [0+]: String,
        partitions [0+]: Vec<DeleteRecordsPartition>,
    }

    struct DeleteRecordsPartition {
        partition_index [0+]: i32,
        offset [0+]: i64,
    }

    /// The new log start offset of each partition.
    response DeleteRecordsResponse(DeleteRecords, versions [0-2], flexible [2+]) {
        throttle_time_ms [0+]: i32,
        topics [0+]: Vec<DeleteRecordsTopicResult>,
    }

    struct DeleteRecordsTopicResult {
        name [0+]: String,
        partitions [0+]: Vec<DeleteRecordsPartitionResult>,
    }

    struct DeleteRecordsPartitionResult {
        partition_index [0+]: i32,
        low_watermark [0+]: i64,
        error_code [0+]: ErrorCode,
    }
}
