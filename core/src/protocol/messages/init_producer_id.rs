//! InitProducerId: API key 22, versions 0-5, flexible from 2.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request InitProducerIdRequest(InitProducerId, versions [0-5], flexible [2+], answer InitProducerIdResponse) {
        transactional_id [0+] nullable [0+]: Option<String> = Some(String::new()),
        transaction_timeout_ms [0+]: i32,
        producer_id [3+]: i64 = -1,
        producer_epoch [3+]: i16 = -1,
    }

    /// The response.
    response InitProducerIdResponse(InitProducerId, versions [0-5], flexible [2+]) {
        throttle_time_ms [0+]: i32,
        error_code [0+]: ErrorCode,
        producer_id [0+]: i64 = -1,
        producer_epoch [0+]: i16,
    }
}
