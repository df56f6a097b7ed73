//! DescribeTopicPartitions (API key 75): topics and partitions, in pages (KIP-966).
//!
//! Version 0, flexible.
//!
//! The topics come sorted by name, at most so many partitions as asked for; a cursor names the
//! first one left.

use crate::protocol::ErrorCode;
use crate::types::Uuid;

message! {
    /// Topics to describe, and where to go on.
    request DescribeTopicPartitionsRequest(
        DescribeTopicPartitions, versions [0], flexible [0+], answer DescribeTopicPartitionsResponse
    ) {
        topics [0+]: Vec<TopicRequest>,
        response_partition_limit [0+]: i32 = 2000,
        cursor [0+] nullable [0+]: Option<Cursor>,
    }

    struct TopicRequest {
        name [0+]: String,
    }

    struct Cursor {
        topic_name [0+]: String,
        partition_index [0+]: i32,
    }

    /// Partitions with their replicas, and where to go on.
    response DescribeTopicPartitionsResponse(DescribeTopicPartitions, versions [0], flexible [0+]) {
        throttle_time_ms [0+]: i32,
        topics [0+]: Vec<DescribeTopicPartitionsResponseTopic>,
        next_cursor [0+] nullable [0+]: Option<Cursor>,
    }

    struct DescribeTopicPartitionsResponseTopic {
        error_code [0+]: ErrorCode,
        name [0+] nullable [0+]: Option<String> = Some(String::new()),
        topic_id [0+]: Uuid,
        is_internal [0+]: bool,
        partitions [0+]: Vec<DescribeTopicPartitionsResponsePartition>,
        topic_authorized_operations [0+]: i32 = -2147483648,
    }

    struct DescribeTopicPartitionsResponsePartition {
        error_code [0+]: ErrorCode,
        partition_index [0+]: i32,
        leader_id [0+]: i32,
        leader_epoch [0+]: i32 = -1,
        replica_nodes [0+]: Vec<i32>,
        isr_nodes [0+]: Vec<i32>,
        eligible_leader_replicas [0+] nullable [0+]: Option<Vec<i32>>,
        last_known_elr [0+] nullable [0+]: Option<Vec<i32>>,
        offline_replicas [0+]: Vec<i32>,
    }
}
