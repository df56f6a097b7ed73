//! CreatePartitions (API key 37): more partitions for topics (KIP-195).
//!
//! Versions 0 to 3, flexible from 2.
//!
//! - 2: flexible.
//! - 3: may answer `THROTTLING_QUOTA_EXCEEDED` (KIP-599).

use crate::protocol::ErrorCode;

message! {
    /// Topics, each with its new number of partitions.
    request CreatePartitionsRequest(
        CreatePartitions, versions [0-3], flexible [2+], answer CreatePartitionsResponse
    ) {
        topics [0+]: Vec<CreatePartitionsTopic>,
        timeout_ms [0+]: i32,
        validate_only [0+]: bool,
    }

    struct CreatePartitionsTopic {
        name [0+]: String,
        count [0+]: i32,
        assignments [0+] nullable [0+]: Option<Vec<CreatePartitionsAssignment>> = Some(Vec::new()),
    }

    struct CreatePartitionsAssignment {
        broker_ids [0+]: Vec<i32>,
    }

    /// How each topic's change went.
    response CreatePartitionsResponse(CreatePartitions, versions [0-3], flexible [2+]) {
        throttle_time_ms [0+]: i32,
        results [0+]: Vec<CreatePartitionsTopicResult>,
    }

    struct CreatePartitionsTopicResult {
        name [0+]: String,
        error_code [0+]: ErrorCode,
        error_message [0+] nullable [0+]: Option<String>,
    }
}
