//! SyncGroup (key 14), versions 0 to 5: the leader's assignments, and each member's own.
//!
//! The leader's are written to `__consumer_offsets`; all members are answered when that is durable.
//! From version 5 on the protocol's type and name must be given, and are checked (KIP-559).
//!
//! Errors: `INVALID_GROUP_ID`, `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, `ILLEGAL_GENERATION`,
//! `INCONSISTENT_GROUP_PROTOCOL`, `REBALANCE_IN_PROGRESS`, and those of the coordinator.

use bytes::Bytes;

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::group::Sync;
use crate::protocol::ErrorCode;
use crate::protocol::messages::{SyncGroupRequest, SyncGroupResponse};

/// Hands the assignments to the group, which answers.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: SyncGroupRequest) {
    broker.describe_request(context.id, |_| {
        let (group, generation) = (&request.group_id, request.generation_id);
        match request.assignments.len() {
            0 => format!("{group}, generation {generation}"),
            count => format!("{group}, generation {generation}, {count} assignments"),
        }
    });
    if let Err(error_code) = sync(broker, context, request) {
        let answer = SyncGroupResponse {
            error_code,
            ..SyncGroupResponse::default()
        };
        broker.answer_sync(context.id, &answer);
    }
}

fn sync(
    broker: &mut Broker,
    context: &Context,
    request: SyncGroupRequest,
) -> Result<(), ErrorCode> {
    let unnamed = request.protocol_type.is_none() || request.protocol_name.is_none();
    if context.version >= 5 && unnamed {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    if request.group_id.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    let partition = broker.coordinator_of(&request.group_id)?;
    let assignments = request.assignments.into_iter().map(|given| {
        // The request's bytes would otherwise stay in memory as long as the group.
        (given.member_id, Bytes::copy_from_slice(&given.assignment))
    });
    let sync = Sync {
        request: context.id,
        generation: request.generation_id,
        member_id: request.member_id,
        instance_id: request.group_instance_id,
        protocol_type: request.protocol_type,
        protocol: request.protocol_name,
        assignments: assignments.collect(),
    };
    // The error of a write that cannot be begun reaches this request through the group.
    let (handled, _) = broker.with_group(partition, &request.group_id, |group, _, out| {
        group.sync(sync, out)
    });
    handled.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
}
