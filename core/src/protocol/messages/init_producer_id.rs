//! InitProducerId (API key 22): an id for an idempotent or transactional producer (KIP-98).
//!
//! Versions 0 to 5, flexible from 2. Kafka 4.3 has a version 6 (KIP-939), which it does not serve.
//!
//! - 2: flexible.
//! - 3: an id and epoch to go on from (KIP-360).
//! - 4: may answer `PRODUCER_FENCED` (KIP-588).
//! - 5: may answer `TRANSACTION_ABORTABLE` (KIP-890).

use crate::protocol::ErrorCode;

message! {
    /// A producer asks for an id.
    request InitProducerIdRequest(
        InitProducerId, versions [0-5], flexible [2+], answer InitProducerIdResponse
    ) {
        transactional_id [0+] nullable [0+]: Option<String> = Some(String::new()),
        transaction_timeout_ms [0+]: i32,
        producer_id [3+]: i64 = -1,
        producer_epoch [3+]: i16 = -1,
    }

    /// The producer's id and epoch.
    response InitProducerIdResponse(InitProducerId, versions [0-5], flexible [2+]) {
        throttle_time_ms [0+]: i32,
        error_code [0+]: ErrorCode,
        producer_id [0+]: i64 = -1,
        producer_epoch [0+]: i16,
    }
}
