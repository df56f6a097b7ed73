//! InitProducerId (key 22), versions 0 to 5: an id for an idempotent producer (KIP-98).
//!
//! Without a transactional id the answer is always a fresh id at epoch 0, whatever the request
//! says of an old one; but an old id without its epoch, or the other way round, is
//! `INVALID_REQUEST`. With one it is refused with `UNSUPPORTED_VERSION` until transactions exist
//! here (COMPATIBILITY.md); an empty one is `INVALID_REQUEST`, as in Kafka.

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::protocol::ErrorCode;
use crate::protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use crate::records::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID};

/// Answers when the block that the id is from is durable.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: InitProducerIdRequest) {
    let id = context.id;
    let refuse = move |broker: &mut Broker, error_code| {
        broker.note_error(id, error_code);
        let response = InitProducerIdResponse {
            error_code,
            producer_epoch: -1,
            ..InitProducerIdResponse::default()
        };
        broker.respond(id, &response);
    };
    if (request.producer_id == NO_PRODUCER_ID) != (request.producer_epoch == NO_PRODUCER_EPOCH) {
        return refuse(broker, ErrorCode::INVALID_REQUEST);
    }
    match request.transactional_id.as_deref() {
        Some("") => refuse(broker, ErrorCode::INVALID_REQUEST),
        Some(_) => refuse(broker, ErrorCode::UNSUPPORTED_VERSION),
        None => broker.with_producer_id(move |broker, result| match result {
            Ok(producer_id) => {
                let response = InitProducerIdResponse {
                    producer_id,
                    producer_epoch: 0,
                    ..InitProducerIdResponse::default()
                };
                broker.respond(id, &response);
            }
            Err(error) => refuse(broker, error),
        }),
    }
}
