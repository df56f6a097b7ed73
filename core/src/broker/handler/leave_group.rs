//! LeaveGroup (key 13), versions 0 to 5: members go, or are sent away.
//!
//! From version 3 on several at once, each with an error of its own; an administrator names static
//! members by their instance id alone (KIP-345). Version 5 gives reasons (KIP-800). If the group is
//! empty afterwards, that is written first.
//!
//! Errors: `INVALID_GROUP_ID`, `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, and those of the
//! coordinator.

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::Context;
use crate::broker::group::Leaver;
use crate::protocol::ErrorCode;
use crate::protocol::messages::leave_group::{MemberIdentity, MemberResponse};
use crate::protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

/// Takes the members out and answers when that is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: LeaveGroupRequest) {
    let LeaveGroupRequest {
        group_id,
        member_id,
        members,
    } = request;
    let members = if context.version >= 3 {
        members
    } else {
        vec![MemberIdentity {
            member_id,
            ..MemberIdentity::default()
        }]
    };
    broker.describe_request(context.id, |_| {
        let names: Vec<&str> = members
            .iter()
            .map(|member| match &member.group_instance_id {
                Some(instance_id) if member.member_id.is_empty() => instance_id.as_str(),
                _ => member.member_id.as_str(),
            })
            .collect();
        let reason = members.iter().find_map(|member| member.reason.as_deref());
        match reason {
            None => format!("{group_id}: {}", names.join(", ")),
            Some(reason) => format!("{group_id}: {}: {reason}", names.join(", ")),
        }
    });
    let id = context.id;
    let version = context.version;
    match leave(broker, &group_id, &members) {
        Ok((partition, errors)) => {
            let responses =
                members
                    .into_iter()
                    .zip(errors)
                    .map(|(member, error_code)| MemberResponse {
                        member_id: member.member_id,
                        group_instance_id: member.group_instance_id,
                        error_code,
                    });
            let responses = responses.collect();
            let Some(partition) = partition else {
                return respond(broker, id, version, Ok(responses));
            };
            broker.after_group_write(
                partition,
                Box::new(move |broker, written| {
                    respond(broker, id, version, written.map(|()| responses));
                }),
            );
        }
        Err(error) => respond(broker, id, version, Err(error)),
    }
}

/// How it went for each, and the coordinator whose write to wait for: none if there is no such
/// group.
fn leave(
    broker: &mut Broker,
    group_id: &str,
    members: &[MemberIdentity],
) -> Result<(Option<i32>, Vec<ErrorCode>), ErrorCode> {
    if group_id.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    let partition = broker.coordinator_of(group_id)?;
    let leavers: Vec<Leaver> = members
        .iter()
        .map(|member| Leaver {
            member_id: member.member_id.clone(),
            instance_id: member.group_instance_id.clone(),
        })
        .collect();
    let (errors, written) = broker.with_group(partition, group_id, |group, settings, out| {
        group.leave(&leavers, settings, out)
    });
    written?;
    Ok(match errors {
        Some(errors) => (Some(partition), errors),
        None => (None, vec![ErrorCode::UNKNOWN_MEMBER_ID; members.len()]),
    })
}

fn respond(
    broker: &mut Broker,
    id: RequestId,
    version: i16,
    result: Result<Vec<MemberResponse>, ErrorCode>,
) {
    let mut response = LeaveGroupResponse::default();
    match result {
        Ok(members) if version >= 3 => response.members = members,
        // One member, whose error is the answer's.
        Ok(members) => {
            let only = members.first().map(|member| member.error_code);
            response.error_code = only.unwrap_or(ErrorCode::NONE);
        }
        Err(error) => response.error_code = error,
    }
    broker.note_error(id, response.error_code);
    for member in &response.members {
        broker.note_error(id, member.error_code);
    }
    broker.respond(id, &response);
}
