//! JoinGroup (key 11), versions 0 to 9: become or stay a member of a classic group.
//!
//! The answer comes when the group's next generation is formed. From version 4 on a new dynamic
//! member is first given its id with `MEMBER_ID_REQUIRED` (KIP-394); from 5 on members may be static
//! (KIP-345); from 9 on a static leader that returns may be told not to assign (KIP-814).
//!
//! Errors: `INVALID_GROUP_ID`, `INVALID_SESSION_TIMEOUT`, `UNKNOWN_MEMBER_ID`,
//! `FENCED_INSTANCE_ID`, `INCONSISTENT_GROUP_PROTOCOL`, `GROUP_MAX_SIZE_REACHED`, and those of the
//! coordinator.

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::group::{Join, join_error};
use crate::protocol::ErrorCode;
use crate::protocol::messages::JoinGroupRequest;

/// Hands the member to its group, which is made if it is new.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: JoinGroupRequest) {
    broker.describe_request(context.id, |_| {
        let who = if request.member_id.is_empty() {
            "a new member"
        } else {
            &request.member_id
        };
        match request.reason.as_deref() {
            None | Some("") => format!("{}, {who}", request.group_id),
            Some(reason) => format!("{}, {who}: {reason}", request.group_id),
        }
    });
    let id = context.id;
    let member_id = request.member_id.clone();
    if let Err(error) = join(broker, context, request) {
        broker.answer_join(id, join_error(&member_id, error));
    }
}

fn join(
    broker: &mut Broker,
    context: &Context,
    request: JoinGroupRequest,
) -> Result<(), ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    let session_timeout = i64::from(request.session_timeout_ms);
    let allowed = broker.config.long("group.min.session.timeout.ms")
        ..=broker.config.long("group.max.session.timeout.ms");
    if !allowed.contains(&session_timeout) {
        return Err(ErrorCode::INVALID_SESSION_TIMEOUT);
    }
    let partition = broker.coordinator_of(&request.group_id)?;
    let client_id = context.client_id.clone().unwrap_or_default();
    let prefix = request.group_instance_id.as_ref().unwrap_or(&client_id);
    let join = Join {
        request: context.id,
        fresh_member_id: format!("{prefix}-{}", broker.rng.member_suffix()),
        member_id: request.member_id,
        instance_id: request.group_instance_id,
        client_id,
        client_host: broker.client_host(context.id),
        session_timeout: request.session_timeout_ms,
        // Version 0 has one timeout for both.
        rebalance_timeout: if context.version == 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        protocol_type: request.protocol_type,
        protocols: request.protocols.into_iter().map(Into::into).collect(),
        id_required: context.version >= 4,
        can_skip_assignment: context.version >= 9,
    };
    broker.join_group(partition, &request.group_id, join)
}
