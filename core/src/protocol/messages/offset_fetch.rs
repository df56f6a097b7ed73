//! OffsetFetch (API key 9): the offsets that groups have committed.
//!
//! Versions 1 to 10, flexible from 6.
//!
//! - 1: offsets of `__consumer_offsets`.
//! - 2: null topics mean all; an error code of the group.
//! - 3: throttle time.
//! - 5: leader epochs (KIP-320).
//! - 6: flexible.
//! - 7: offsets of open transactions can be waited for (KIP-447).
//! - 8: several groups at once (KIP-709); the fields of one group move into a list.
//! - 9: member id and epoch, for groups of KIP-848.
//! - 10: topic ids in place of names (KIP-848).

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// Whose offsets, of which partitions.
    request OffsetFetchRequest(
        OffsetFetch, versions [1-10], flexible [6+], answer OffsetFetchResponse
    ) {
        group_id [0-7]: String,
        topics [0-7] nullable [2-7]: Option<Vec<OffsetFetchRequestTopic>> = Some(Vec::new()),
        groups [8+]: Vec<OffsetFetchRequestGroup>,
        require_stable [7+]: bool,
    }

    struct OffsetFetchRequestTopic {
        name [0-7]: String,
        partition_indexes [0-7]: Vec<i32>,
    }

    struct OffsetFetchRequestGroup {
        group_id [0+]: String,
        member_id [9+] nullable [0+]: Option<String>,
        member_epoch [9+]: i32 = -1,
        topics [0+] nullable [0+]: Option<Vec<OffsetFetchRequestTopics>> = Some(Vec::new()),
    }

    struct OffsetFetchRequestTopics {
        name [0-9]: String,
        topic_id [10+]: Uuid,
        partition_indexes [0+]: Vec<i32>,
    }

    /// The committed offsets; -1 where there is none.
    response OffsetFetchResponse(OffsetFetch, versions [1-10], flexible [6+]) {
        throttle_time_ms [3+]: i32,
        topics [0-7]: Vec<OffsetFetchResponseTopic>,
        error_code [2-7]: ErrorCode,
        groups [8+]: Vec<OffsetFetchResponseGroup>,
    }

    struct OffsetFetchResponseTopic {
        name [0-7]: String,
        partitions [0-7]: Vec<OffsetFetchResponsePartition>,
    }

    struct OffsetFetchResponsePartition {
        partition_index [0-7]: i32,
        committed_offset [0-7]: i64,
        committed_leader_epoch [5-7]: i32 = -1,
        metadata [0-7] nullable [0+]: Option<String> = Some(String::new()),
        error_code [0-7]: ErrorCode,
    }

    struct OffsetFetchResponseGroup {
        group_id [0+]: String,
        topics [0+]: Vec<OffsetFetchResponseTopics>,
        error_code [0+]: ErrorCode,
    }

    struct OffsetFetchResponseTopics {
        name [0-9]: String,
        topic_id [10+]: Uuid,
        partitions [0+]: Vec<OffsetFetchResponsePartitions>,
    }

    struct OffsetFetchResponsePartitions {
        partition_index [0+]: i32,
        committed_offset [0+]: i64,
        committed_leader_epoch [0+]: i32 = -1,
        metadata [0+] nullable [0+]: Option<String> = Some(String::new()),
        error_code [0+]: ErrorCode,
    }
}
