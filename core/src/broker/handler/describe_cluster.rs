//! DescribeCluster (key 60), versions 0 to 2: the cluster's id, controller and brokers (KIP-700).
//!
//! Only brokers can be described here, not controllers (KIP-919): `UNSUPPORTED_ENDPOINT_TYPE`, and
//! `MISMATCHED_ENDPOINT_TYPE`, as a broker of Kafka answers.

use super::metadata::CLUSTER_OPERATIONS;
use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::protocol::ErrorCode;
use crate::protocol::messages::describe_cluster::DescribeClusterBroker;
use crate::protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};

/// The number of brokers among endpoint types.
const ENDPOINT_BROKER: i8 = 1;
/// The number of controllers.
const ENDPOINT_CONTROLLER: i8 = 2;

/// Answers at once.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: DescribeClusterRequest) {
    if request.endpoint_type != ENDPOINT_BROKER {
        let (error_code, message) = if request.endpoint_type == ENDPOINT_CONTROLLER {
            let message = "The request was sent to an endpoint of type BROKER, but we wanted an \
                           endpoint of type CONTROLLER";
            (ErrorCode::MISMATCHED_ENDPOINT_TYPE, message.to_owned())
        } else {
            let message = format!("Unsupported endpoint type {}", request.endpoint_type);
            (ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, message)
        };
        broker.note_error(context.id, error_code);
        let response = DescribeClusterResponse {
            error_code,
            error_message: Some(message),
            ..DescribeClusterResponse::default()
        };
        return broker.respond(context.id, &response);
    }
    let Some((host, port)) = broker.advertised(context.id.connection) else {
        return;
    };
    let broker_id = broker.config.node_id();
    let mut response = DescribeClusterResponse {
        cluster_id: broker.metadata.cluster_id(),
        controller_id: broker_id,
        brokers: vec![DescribeClusterBroker {
            broker_id,
            host,
            port,
            rack: None,
            is_fenced: false,
        }],
        ..DescribeClusterResponse::default()
    };
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    broker.respond(context.id, &response);
}
