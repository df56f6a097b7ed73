//! Metadata (API key 3): brokers, topics, partitions and their leaders.
//!
//! Versions 0 to 13, flexible from 9.
//!
//! - 0: an empty list of topics means all.
//! - 1: null means all, empty none; racks, controller, internal topics.
//! - 2: cluster id.
//! - 3: throttle time.
//! - 4: auto-creation can be declined.
//! - 5: offline replicas.
//! - 7: leader epochs (KIP-320).
//! - 8: authorised operations (KIP-430).
//! - 9: flexible.
//! - 10: topic ids in the response; in the request they are not to be used yet (KIP-516).
//! - 11: the cluster's authorised operations left for DescribeCluster (KIP-700).
//! - 12: topics may be asked for by id.
//! - 13: an error code of the whole response (KIP-1102).

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// Topics to describe: by name or id, or all.
    request MetadataRequest(Metadata, versions [0-13], flexible [9+], answer MetadataResponse) {
        topics [0+] nullable [1+]: Option<Vec<MetadataRequestTopic>> = Some(Vec::new()),
        allow_auto_topic_creation [4+]: bool = true,
        include_cluster_authorized_operations [8-10]: bool,
        include_topic_authorized_operations [8+]: bool,
    }

    struct MetadataRequestTopic {
        topic_id [10+]: Uuid,
        name [0+] nullable [10+]: Option<String> = Some(String::new()),
    }

    /// Brokers, topics, partitions, leaders.
    response MetadataResponse(Metadata, versions [0-13], flexible [9+]) {
        throttle_time_ms [3+]: i32,
        brokers [0+]: Vec<MetadataResponseBroker>,
        cluster_id [2+] nullable [0+]: Option<String>,
        controller_id [1+]: i32 = -1,
        topics [0+]: Vec<MetadataResponseTopic>,
        cluster_authorized_operations [8-10]: i32 = -2147483648,
        error_code [13+]: ErrorCode,
    }

    struct MetadataResponseBroker {
        node_id [0+]: i32,
        host [0+]: String,
        port [0+]: i32,
        rack [1+] nullable [0+]: Option<String>,
    }

    struct MetadataResponseTopic {
        error_code [0+]: ErrorCode,
        name [0+] nullable [12+]: Option<String> = Some(String::new()),
        topic_id [10+]: Uuid,
        is_internal [1+]: bool,
        partitions [0+]: Vec<MetadataResponsePartition>,
        topic_authorized_operations [8+]: i32 = -2147483648,
    }

    struct MetadataResponsePartition {
        error_code [0+]: ErrorCode,
        partition_index [0+]: i32,
        leader_id [0+]: i32,
        leader_epoch [7+]: i32 = -1,
        replica_nodes [0+]: Vec<i32>,
        isr_nodes [0+]: Vec<i32>,
        offline_replicas [5+]: Vec<i32>,
    }
}
