//! Produce: API key 0, versions 3-13, flexible from 9.

use crate::protocol::{ErrorCode, Records};
use crate::types::Uuid;

message! {
    /// The request.
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

    /// The response.
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
