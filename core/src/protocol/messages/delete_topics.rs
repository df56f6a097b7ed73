//! DeleteTopics (API key 20): topics go, with their records.
//!
//! Versions 1 to 6, flexible from 4.
//!
//! - 1: throttle time.
//! - 3: may answer `TOPIC_DELETION_DISABLED`.
//! - 4: flexible.
//! - 5: error messages; may answer `THROTTLING_QUOTA_EXCEEDED` (KIP-599).
//! - 6: topics by name or by id, in a list of structs (KIP-516).

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// Topics to delete, by name or id.
    request DeleteTopicsRequest(
        DeleteTopics, versions [1-6], flexible [4+], answer DeleteTopicsResponse
    ) {
        topics [6+]: Vec<DeleteTopicState>,
        topic_names [0-5]: Vec<String>,
        timeout_ms [0+]: i32,
    }

    struct DeleteTopicState {
        name [0+] nullable [0+]: Option<String>,
        topic_id [0+]: Uuid,
    }

    /// How each deletion went.
    response DeleteTopicsResponse(DeleteTopics, versions [1-6], flexible [4+]) {
        throttle_time_ms [0+]: i32,
        responses [0+]: Vec<DeletableTopicResult>,
    }

    struct DeletableTopicResult {
        name [0+] nullable [6+]: Option<String> = Some(String::new()),
        topic_id [6+]: Uuid,
        error_code [0+]: ErrorCode,
        error_message [5+] nullable [0+]: Option<String>,
    }
}
