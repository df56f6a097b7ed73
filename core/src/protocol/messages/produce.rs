//! Produce (API key 0): record batches into partitions.
//!
//! Messages 3 to 13, flexible from 9; versions 0 to 2 are only advertised (KAFKA-18659).
//!
//! - 3: transactional id; batches of format 2.
//! - 4: may answer `KAFKA_STORAGE_ERROR`.
//! - 5: log start offset in the response.
//! - 7: zstd allowed (KIP-110).
//! - 8: which records were refused and why (KIP-467).
//! - 9: flexible.
//! - 10: the current leader and its address with `NOT_LEADER_OR_FOLLOWER` (KIP-951).
//! - 11: may answer `TRANSACTION_ABORTABLE` (KIP-890).
//! - 12: adds the partitions to the transaction by itself (KIP-890).
//! - 13: topic ids in place of names (KIP-516).
//!
//! With `acks` 0 there is no response.

use crate::protocol::{ErrorCode, Records};
use crate::types::Uuid;

message! {
    /// Record batches to append, by topic and partition.
    request ProduceRequest(Produce, versions [3-13], flexible [9+], answer ProduceResponse) {
        transactional_id [0+] nullable [0+]: Option<String>,
        acks [0+]: i16,
        timeout_ms [0+]: i32,
        topic_data [0+]: Vec<TopicProduceData>,
    }

    struct TopicProduceData {
        name [0-12]: String,
        topic_id [13+]: Uuid,
        partition_data [0+]: Vec<PartitionProduceData>,
    }

    struct PartitionProduceData {
        index [0+]: i32,
        records [0+]: Records,
    }

    /// Where each batch went, or why it was refused.
    response ProduceResponse(Produce, versions [3-13], flexible [9+]) {
        responses [0+]: Vec<TopicProduceResponse>,
        throttle_time_ms [0+]: i32,
        node_endpoints [10+] tag 0: Vec<NodeEndpoint>,
    }

    struct TopicProduceResponse {
        name [0-12]: String,
        topic_id [13+]: Uuid,
        partition_responses [0+]: Vec<PartitionProduceResponse>,
    }

    struct PartitionProduceResponse {
        index [0+]: i32,
        error_code [0+]: ErrorCode,
        base_offset [0+]: i64,
        log_append_time_ms [0+]: i64 = -1,
        log_start_offset [5+]: i64 = -1,
        record_errors [8+]: Vec<BatchIndexAndErrorMessage>,
        error_message [8+] nullable [0+]: Option<String>,
        current_leader [10+] tag 0: LeaderIdAndEpoch,
    }

    struct BatchIndexAndErrorMessage {
        batch_index [0+]: i32,
        batch_index_error_message [0+] nullable [0+]: Option<String>,
    }

    struct LeaderIdAndEpoch {
        leader_id [0+]: i32 = -1,
        leader_epoch [0+]: i32 = -1,
    }

    struct NodeEndpoint {
        node_id [0+]: i32,
        host [0+]: String,
        port [0+]: i32,
        rack [0+] nullable [0+]: Option<String>,
    }
}
