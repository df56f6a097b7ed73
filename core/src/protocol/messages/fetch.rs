//! Fetch (API key 1): record batches from partitions, with a long poll.
//!
//! Versions 4 to 18, flexible from 12.
//!
//! - 4: isolation level, last stable offset, aborted transactions; batches of format 2.
//! - 5: log start offset.
//! - 6: may answer `KAFKA_STORAGE_ERROR`.
//! - 7: fetch sessions: only what changed is sent (KIP-227).
//! - 9: the leader epoch the client knows, for fencing (KIP-320).
//! - 10: zstd allowed (KIP-110).
//! - 11: rack, preferred read replica (KIP-392).
//! - 12: flexible; last fetched epoch, diverging epoch, current leader (KIP-595).
//! - 13: topic ids in place of names (KIP-516).
//! - 14: may answer `OFFSET_MOVED_TO_TIERED_STORAGE` (KIP-405).
//! - 15: replica state in place of replica id (KIP-903).
//! - 16: addresses of the leaders that are named (KIP-951).
//! - 17: a follower's directory id (KIP-853).
//! - 18: the high watermark a follower knows (KIP-1166).
//!
//! Partitions are served in the order of the request.

use crate::protocol::{ErrorCode, Records};
use crate::types::Uuid;

message! {
    /// What to read: partitions, each from an offset, within limits of bytes and time.
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

    /// Record batches, and where each partition stands.
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
