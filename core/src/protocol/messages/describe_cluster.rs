//! DescribeCluster: API key 60, versions 0-2, flexible from 0.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request DescribeClusterRequest(DescribeCluster, versions [0-2], flexible [0+], answer DescribeClusterResponse) {
        include_cluster_authorized_operations [0+]: bool,
        endpoint_type [1+]: i8 = 1,
        include_fenced_brokers [2+]: bool,
    }

    /// The response.
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
