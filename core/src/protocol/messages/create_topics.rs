//! CreateTopics (API key 19): new topics.
//!
//! Versions 2 to 7, flexible from 5.
//!
//! - 2: throttle time; already there: validation only, error messages.
//! - 4: partitions and replication factor may be -1, the broker's defaults (KIP-464).
//! - 5: flexible; the created topic's configs come back (KIP-525).
//! - 6: may answer `THROTTLING_QUOTA_EXCEEDED` (KIP-599).
//! - 7: topic id in the response (KIP-516).

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// Topics to create.
    request CreateTopicsRequest(
        CreateTopics, versions [2-7], flexible [5+], answer CreateTopicsResponse
    ) {
        topics [0+]: Vec<CreatableTopic>,
        timeout_ms [0+]: i32 = 60000,
        validate_only [0+]: bool,
    }

    struct CreatableTopic {
        name [0+]: String,
        num_partitions [0+]: i32,
        replication_factor [0+]: i16,
        assignments [0+]: Vec<CreatableReplicaAssignment>,
        configs [0+]: Vec<CreatableTopicConfig>,
    }

    struct CreatableReplicaAssignment {
        partition_index [0+]: i32,
        broker_ids [0+]: Vec<i32>,
    }

    struct CreatableTopicConfig {
        name [0+]: String,
        value [0+] nullable [0+]: Option<String> = Some(String::new()),
    }

    /// What was created, or why not.
    response CreateTopicsResponse(CreateTopics, versions [2-7], flexible [5+]) {
        throttle_time_ms [0+]: i32,
        topics [0+]: Vec<CreatableTopicResult>,
    }

    struct CreatableTopicResult {
        name [0+]: String,
        topic_id [7+]: Uuid,
        error_code [0+]: ErrorCode,
        error_message [0+] nullable [0+]: Option<String> = Some(String::new()),
        num_partitions [5+]: i32 = -1,
        replication_factor [5+]: i16 = -1,
        configs [5+] nullable [0+]: Option<Vec<CreatableTopicConfigs>> = Some(Vec::new()),
        topic_config_error_code [5+] tag 0: ErrorCode,
    }

    struct CreatableTopicConfigs {
        name [0+]: String,
        value [0+] nullable [0+]: Option<String> = Some(String::new()),
        read_only [0+]: bool,
        config_source [0+]: i8 = -1,
        is_sensitive [0+]: bool,
    }
}
