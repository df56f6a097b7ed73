//! FindCoordinator (key 10), versions 0 to 6: which broker coordinates a group.
//!
//! This broker coordinates all of them, and answers with the address of the listener that was asked.
//! The first question creates `__consumer_offsets`; until that is durable the answer is
//! `COORDINATOR_NOT_AVAILABLE`, which clients retry. Version 4 asks for many keys at once (KIP-699).
//!
//! Transactions have no coordinator here yet: `COORDINATOR_NOT_AVAILABLE` would make a client wait
//! for one for ever, so they are refused with `INVALID_REQUEST`, as Kafka refuses a kind of key
//! whose coordinator it does not run.

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::metadata::OFFSETS_TOPIC;
use crate::protocol::ErrorCode;
use crate::protocol::messages::find_coordinator::Coordinator;
use crate::protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};

/// The kind of key that names a group.
const GROUP: i8 = 0;

/// The kind that names a transactional id.
const TRANSACTION: i8 = 1;
/// The kind that names a partition of a share group (KIP-932).
const SHARE: i8 = 2;

/// Answers for one key or for several.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: FindCoordinatorRequest) {
    let keys = if context.version >= 4 {
        request.coordinator_keys
    } else {
        vec![request.key]
    };
    broker.describe_request(context.id, |_| keys.join(", "));
    let coordinators: Vec<Coordinator> = keys
        .into_iter()
        .map(|key| find(broker, context, request.key_type, key))
        .collect();
    for coordinator in &coordinators {
        broker.note_error(context.id, coordinator.error_code);
    }
    let response = if context.version >= 4 {
        FindCoordinatorResponse {
            coordinators,
            ..FindCoordinatorResponse::default()
        }
    } else {
        let only = coordinators.into_iter().next().unwrap_or_default();
        FindCoordinatorResponse {
            error_code: only.error_code,
            error_message: only.error_message,
            node_id: only.node_id,
            host: only.host,
            port: only.port,
            ..FindCoordinatorResponse::default()
        }
    };
    broker.respond(context.id, &response);
}

fn find(broker: &mut Broker, context: &Context, key_type: i8, key: String) -> Coordinator {
    let (found, error_code) = match locate(broker, context, key_type) {
        Ok((host, port)) => ((broker.config.node_id(), host, port), ErrorCode::NONE),
        Err(error) => ((-1, String::new(), -1), error),
    };
    let (node_id, host, port) = found;
    let error_message = match error_code {
        ErrorCode::NONE if context.version < 4 => "NONE",
        // Kafka says nothing where the error says all.
        ErrorCode::NONE | ErrorCode::COORDINATOR_NOT_AVAILABLE if context.version >= 4 => "",
        ErrorCode::INVALID_REQUEST if key_type == TRANSACTION => {
            "Only groups have coordinators here, transactions have none."
        }
        ErrorCode::INVALID_REQUEST if key_type == SHARE && context.version >= 4 => "",
        other => other.message(),
    };
    Coordinator {
        key,
        node_id,
        host,
        port,
        error_code,
        error_message: Some(error_message.to_owned()),
    }
}

fn locate(
    broker: &mut Broker,
    context: &Context,
    key_type: i8,
) -> Result<(String, i32), ErrorCode> {
    if key_type != GROUP {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    if broker.metadata.offsets_topic().is_none() {
        broker.create_internal_topic(OFFSETS_TOPIC);
        return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
    }
    let open = broker.connections.get(context.id.connection);
    let listener = &open
        .ok_or(ErrorCode::COORDINATOR_NOT_AVAILABLE)?
        .peer
        .listener;
    Ok((listener.host.clone(), listener.port))
}
