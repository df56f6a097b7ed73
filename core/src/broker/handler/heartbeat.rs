//! Heartbeat (key 12), versions 0 to 4: a member of a classic group is still there.
//!
//! Errors: `INVALID_GROUP_ID`, `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, `ILLEGAL_GENERATION`,
//! `REBALANCE_IN_PROGRESS` (join again), and those of the coordinator; while that is loading the
//! member is told that all is well, since its session begins when the load ends.

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::protocol::ErrorCode;
use crate::protocol::messages::{HeartbeatRequest, HeartbeatResponse};
use crate::sabotage::{Rule, broken};

/// Renews the member's session; answers when what it relies on is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: HeartbeatRequest) {
    broker.describe_request(context.id, |_| {
        format!("{}, generation {}", request.group_id, request.generation_id)
    });
    let id = context.id;
    if broken(Rule::RequestsAreAnswered) && request.generation_id % 2 == 0 {
        return;
    }
    let beat = match beat(broker, &request) {
        Ok(partition) => {
            return broker.after_group_write(
                partition,
                Box::new(move |broker, written| {
                    respond(broker, id, written.err().unwrap_or(ErrorCode::NONE));
                }),
            );
        }
        Err(error) => error,
    };
    respond(broker, id, beat);
}

fn beat(broker: &mut Broker, request: &HeartbeatRequest) -> Result<i32, ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    let partition = match broker.coordinator_of(&request.group_id) {
        Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => return Err(ErrorCode::NONE),
        found => found?,
    };
    let (beat, _) = broker.with_group(partition, &request.group_id, |group, _, out| {
        let instance_id = request.group_instance_id.as_deref();
        group.heartbeat(&request.member_id, instance_id, request.generation_id, out)
    });
    beat.unwrap_or(Err(ErrorCode::UNKNOWN_MEMBER_ID))?;
    Ok(partition)
}

fn respond(broker: &mut Broker, id: crate::broker::connection::RequestId, error_code: ErrorCode) {
    broker.note_error(id, error_code);
    broker.respond(
        id,
        &HeartbeatResponse {
            error_code,
            ..HeartbeatResponse::default()
        },
    );
}
