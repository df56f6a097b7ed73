//! ListGroups (key 16), versions 0 to 5: all groups, or those in some states (version 4, KIP-518)
//! and of some types (version 5, KIP-848). All groups here are of the type `classic`.
//!
//! States and types are compared without regard to case. While any coordinator is loading the
//! answer is `COORDINATOR_LOAD_IN_PROGRESS`: a list must not be short without saying so.

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::protocol::messages::list_groups::ListedGroup;
use crate::protocol::messages::{ListGroupsRequest, ListGroupsResponse};

/// The type of every group here.
const CLASSIC: &str = "classic";

/// Lists the groups that are known to be durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: ListGroupsRequest) {
    let normal = |names: Vec<String>| -> Vec<String> {
        names
            .iter()
            .map(|name| name.trim().to_ascii_lowercase())
            .collect()
    };
    let states = normal(request.states_filter);
    let types = normal(request.types_filter);
    let mut response = ListGroupsResponse::default();
    match broker.coordinators_ready() {
        Ok(()) if types.is_empty() || types.iter().any(|name| name == CLASSIC) => {
            let groups = broker.durable_groups().filter(|group| {
                let state = group.state().name().to_ascii_lowercase();
                states.is_empty() || states.contains(&state)
            });
            response.groups = groups
                .map(|group| ListedGroup {
                    group_id: group.id.to_string(),
                    protocol_type: group.protocol_type().unwrap_or_default().to_owned(),
                    group_state: group.state().name().to_owned(),
                    group_type: CLASSIC.to_owned(),
                })
                .collect();
        }
        Ok(()) => {}
        Err(error) => response.error_code = error,
    }
    broker.note_error(context.id, response.error_code);
    broker.respond(context.id, &response);
}
