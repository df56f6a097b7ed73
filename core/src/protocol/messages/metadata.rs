//! Metadata: API key 3, versions 0-13, flexible from 9.

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// The request.
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

    /// The response.
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
