//! OffsetForLeaderEpoch (key 23), versions 2 to 4: where a leader epoch ends in a log.
//!
//! A consumer asks when it finds a new leader: an end below its position means that what it read
//! is gone. KIP-101, KIP-279, KIP-320.

use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderPartition, OffsetForLeaderTopicResult,
};
use crate::protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

/// Answers from the epochs that the logs remember.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: OffsetForLeaderEpochRequest) {
    let mut response = OffsetForLeaderEpochResponse::default();
    for topic in request.topics {
        let partitions: Vec<EpochEndOffset> = topic
            .partitions
            .iter()
            .map(
                |partition| match broker.end_of_epoch(&topic.topic, partition) {
                    Ok((leader_epoch, end_offset)) => EpochEndOffset {
                        partition: partition.partition,
                        leader_epoch,
                        end_offset,
                        ..EpochEndOffset::default()
                    },
                    Err(error_code) => EpochEndOffset {
                        partition: partition.partition,
                        error_code,
                        ..EpochEndOffset::default()
                    },
                },
            )
            .collect();
        for partition in &partitions {
            broker.note_error(context.id, partition.error_code);
        }
        response.topics.push(OffsetForLeaderTopicResult {
            topic: topic.topic,
            partitions,
        });
    }
    broker.respond(context.id, &response);
}

impl Broker {
    fn end_of_epoch(
        &self,
        topic: &str,
        asked: &OffsetForLeaderPartition,
    ) -> Result<(i32, i64), ErrorCode> {
        let log = self
            .metadata
            .topic_by_name(topic)
            .and_then(|topic| self.logs.get(topic.log(asked.partition)?))
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        if !log.is_online() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        log.check_epoch(asked.current_leader_epoch)?;
        Ok(log.end_of_epoch(asked.leader_epoch).unwrap_or((-1, -1)))
    }
}
