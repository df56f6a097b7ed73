//! DescribeCluster (API key 60): cluster id, controller, brokers (KIP-700).
//!
//! Versions 0 to 2, flexible from 0.
//!
//! - 1: type of endpoint, 1 broker, 2 controller (KIP-919).
//! - 2: fenced brokers can be included (KIP-1073).

use crate::protocol::ErrorCode;

message! {
    /// What to tell of the cluster.
    request DescribeClusterRequest(
        DescribeCluster, versions [0-2], flexible [0+], answer DescribeClusterResponse
    ) {
        include_cluster_authorized_operations [0+]: bool,
        endpoint_type [1+]: i8 = 1,
        include_fenced_brokers [2+]: bool,
    }

    /// The cluster's id, controller and brokers.
    response DescribeClusterResponse(DescribeCluster, versions [0-2], flexible [0+]) {
        throttle_time_ms [0+]: i32,
        error_code [0+]: ErrorCode,
        error_message [0+] nullable [0+]: Option<String>,
        endpoint_type [1+]: i8 = 1,
        cluster_id [0+]: String,
        controller_id [0+]: i32 = -1,
        brokers [0+]: Vec<DescribeClusterBroker>,
        cluster_authorized_operations [0+]: i32 = -2147483648,
    }

    struct DescribeClusterBroker {
        broker_id [0+]: i32,
        host [0+]: String,
        port [0+]: i32,
        rack [0+] nullable [0+]: Option<String>,
        is_fenced [2+]: bool,
    }
}
