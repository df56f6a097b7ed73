//! DeleteGroups (key 42), versions 0 to 2: groups without members, with all their offsets (KIP-229).
//!
//! Each is deleted or refused alone, and all are answered when what was deleted is durably so.
//!
//! Errors: `NON_EMPTY_GROUP`, `GROUP_ID_NOT_FOUND`, and those of the coordinator.

use crate::sorted::SortedSet;

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::protocol::ErrorCode;
use crate::protocol::messages::delete_groups::DeletableGroupResult;
use crate::protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

/// Deletes what can be deleted; a group that is named twice is deleted once.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: DeleteGroupsRequest) {
    broker.describe_request(context.id, |_| request.groups_names.join(", "));
    let mut seen = SortedSet::new();
    let mut groups = request.groups_names;
    groups.retain(|group| seen.insert(group.clone()));
    let writes = groups
        .iter()
        .map(|group| broker.delete_group(group).map_err(Err))
        .collect();
    let id = context.id;
    broker.after_group_writes(
        writes,
        Box::new(move |broker, outcomes| {
            let results = groups.into_iter().zip(outcomes).map(|(group_id, outcome)| {
                let error_code = outcome.err().unwrap_or(ErrorCode::NONE);
                DeletableGroupResult {
                    group_id,
                    error_code,
                }
            });
            let response = DeleteGroupsResponse {
                results: results.collect(),
                ..DeleteGroupsResponse::default()
            };
            for result in &response.results {
                broker.note_error(id, result.error_code);
            }
            broker.respond(id, &response);
        }),
    );
}
