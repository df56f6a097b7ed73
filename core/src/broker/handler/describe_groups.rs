//! DescribeGroups (key 15), versions 0 to 6: classic groups with their members.
//!
//! A group that does not exist is described as Dead; version 6 adds `GROUP_ID_NOT_FOUND` with a
//! message (KIP-1043). Metadata and protocol are shown while the group is Stable. Without an
//! authorizer everyone may do everything a group allows (version 3 up, on request).

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::broker::group::{ClassicGroup, State};
use crate::protocol::ErrorCode;
use crate::protocol::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use crate::protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};

/// The operations on a group as bits: READ 3, DELETE 6, DESCRIBE 8, DESCRIBE_CONFIGS 10,
/// ALTER_CONFIGS 11.
const ALL_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// Describes each group as it is known to be durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: DescribeGroupsRequest) {
    broker.describe_request(context.id, |_| request.groups.join(", "));
    let mut groups = Vec::with_capacity(request.groups.len());
    for id in request.groups {
        let mut described = describe(broker, context.version, &id);
        described.group_id = id;
        if request.include_authorized_operations && described.error_code.is_none() {
            described.authorized_operations = ALL_OPERATIONS;
        }
        broker.note_error(context.id, described.error_code);
        groups.push(described);
    }
    let response = DescribeGroupsResponse {
        groups,
        ..DescribeGroupsResponse::default()
    };
    broker.respond(context.id, &response);
}

fn describe(broker: &mut Broker, version: i16, id: &str) -> DescribedGroup {
    let partition = match broker.coordinator_of(id) {
        Ok(partition) => partition,
        Err(error_code) => {
            return DescribedGroup {
                error_code,
                ..DescribedGroup::default()
            };
        }
    };
    match broker.durable_group(partition, id) {
        Some(group) => describe_group(&group),
        None if version >= 6 => DescribedGroup {
            error_code: ErrorCode::GROUP_ID_NOT_FOUND,
            error_message: Some(format!("Group {id} not found.")),
            group_state: State::Dead.name().to_owned(),
            ..DescribedGroup::default()
        },
        None => DescribedGroup {
            group_state: State::Dead.name().to_owned(),
            ..DescribedGroup::default()
        },
    }
}

fn describe_group(group: &ClassicGroup) -> DescribedGroup {
    let protocol = group.protocol().filter(|_| group.state() == State::Stable);
    let members = group.members().map(|member| DescribedGroupMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        member_metadata: match protocol {
            Some(protocol) => member.metadata(Some(protocol)),
            None => bytes::Bytes::new(),
        },
        member_assignment: member.assignment.clone(),
    });
    DescribedGroup {
        group_state: group.state().name().to_owned(),
        protocol_type: group.protocol_type().unwrap_or_default().to_owned(),
        protocol_data: protocol.unwrap_or_default().to_owned(),
        members: members.collect(),
        ..DescribedGroup::default()
    }
}
