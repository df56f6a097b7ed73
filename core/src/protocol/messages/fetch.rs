//! Fetch: API key 1, versions 4-18, flexible from 12.

use crate::protocol::{ErrorCode, Records};
use crate::types::Uuid;

message! {
    /// The request.
    request FetchRequest(Fetch, versions [4-18], flexible [12+], answer FetchResponse) {
        replica_id [0-14]: i32 = -1,
        max_wait_ms [0+]: i32,
        min_bytes [0+]: i32,
        max_bytes [0+]: i32 = i32::MAX,
        isolation_level [0+]: i8,
        session_id [7+]: i32,
        session_epoch [7+]: i32 = -1,
        topics [0+]: Vec<FetchTopic>,
        forgotten_topics_data [7+]: Vec<ForgottenTopic>,
        rack_id [11+]: String,
        cluster_id [12+] nullable [0+] tag 0: Option<String>,
        replica_state [15+] tag 1: ReplicaState,
    }

    struct ReplicaState {
        replica_id [0+]: i32 = -1,
        replica_epoch [0+]: i64 = -1,
    }

    struct FetchTopic {
        topic [0-12]: String,
        topic_id [13+]: Uuid,
        partitions [0+]: Vec<FetchPartition>,
    }

    struct FetchPartition {
        partition [0+]: i32,
        current_leader_epoch [9+]: i32 = -1,
        fetch_offset [0+]: i64,
        last_fetched_epoch [12+]: i32 = -1,
        log_start_offset [5+]: i64 = -1,
        partition_max_bytes [0+]: i32,
        replica_directory_id [17+] tag 0: Uuid,
        high_watermark [18+] tag 1: i64 = i64::MAX,
    }

    struct ForgottenTopic {
        topic [0-12]: String,
        topic_id [13+]: Uuid,
        partitions [0+]: Vec<i32>,
    }

    /// The response.
    response FetchResponse(Fetch, versions [4-18], flexible [12+]) {
        throttle_time_ms [0+]: i32,
        error_code [7+]: ErrorCode,
        session_id [7+]: i32,
        responses [0+]: Vec<FetchableTopicResponse>,
        node_endpoints [16+] tag 0: Vec<NodeEndpoint>,
    }

    struct FetchableTopicResponse {
        topic [0-12]: String,
        topic_id [13+]: Uuid,
        partitions [0+]: Vec<PartitionData>,
    }

    struct PartitionData {
        partition_index [0+]: i32,
        error_code [0+]: ErrorCode,
        high_watermark [0+]: i64,
        last_stable_offset [0+]: i64 = -1,
        log_start_offset [5+]: i64 = -1,
        aborted_transactions [0+] nullable [0+]: Option<Vec<AbortedTransaction>> = Some(Vec::new()),
        preferred_read_replica [11+]: i32 = -1,
        records [0+]: Records,
        diverging_epoch [12+] tag 0: EpochEndOffset,
        current_leader [12+] tag 1: LeaderIdAndEpoch,
        snapshot_id [12+] tag 2: SnapshotId,
    }

    struct EpochEndOffset {
        epoch [0+]: i32 = -1,
        end_offset [0+]: i64 = -1,
    }

    struct LeaderIdAndEpoch {
        leader_id [0+]: i32 = -1,
        leader_epoch [0+]: i32 = -1,
    }

    struct SnapshotId {
        end_offset [0+]: i64 = -1,
        epoch [0+]: i32 = -1,
    }

    struct AbortedTransaction {
        producer_id [0+]: i64,
        first_offset [0+]: i64,
    }

    struct NodeEndpoint {
        node_id [0+]: i32,
        host [0+]: String,
        port [0+]: i32,
        rack [0+] nullable [0+]: Option<String>,
    }
}
