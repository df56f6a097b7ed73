//! ListOffsets (key 2), versions 1 to 11: offsets of a partition by time.
//!
//! The latest offset (−1) is what a consumer of this isolation level reads up to, the earliest (−2)
//! the log start. By time: the first record at or after it, looked for inside batches, compressed
//! ones too. Since version 7 (KIP-734) −3 is the record with the largest timestamp; since 8 −4 is
//! the earliest local offset, here the log start; −5 (since 9) and −6 (since 11) ask for tiered
//! storage, which there is none of: the answer is −1 without an error. What is not found is −1 too.

use crate::sorted::SortedSet;

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::Context;
use crate::broker::effect::LogId;
use crate::broker::log::TimestampAndOffset;
use crate::protocol::ErrorCode;
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use crate::protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// A ListOffsets whose records are being looked for.
#[derive(Debug)]
pub(crate) struct DelayedOffsets {
    id: RequestId,
    response: ListOffsetsResponse,
    /// How many partitions are still looked for.
    waiting: usize,
}

/// Where a partition's answer is in the response.
type At = (usize, usize);

/// Answers what is known, and has the rest looked for.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: ListOffsetsRequest) {
    let mut seen = SortedSet::new();
    let mut twice = SortedSet::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            if !seen.insert((topic.name.clone(), partition.partition_index)) {
                twice.insert((topic.name.clone(), partition.partition_index));
            }
        }
    }
    let mut delayed = DelayedOffsets {
        id: context.id,
        response: ListOffsetsResponse::default(),
        waiting: 0,
    };
    let mut lookups = Vec::new();
    let consumer = request.replica_id == -1;
    let read_committed = request.isolation_level == 1;
    let understood = matches!(request.isolation_level, 0 | 1);
    for topic in request.topics {
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let key = (topic.name.clone(), partition.partition_index);
            let result = if twice.contains(&key) {
                // A partition that is named twice is answered once, and refused.
                if !seen.remove(&key) {
                    continue;
                }
                Err(ErrorCode::INVALID_REQUEST)
            } else if !understood {
                Err(ErrorCode::UNKNOWN_SERVER_ERROR)
            } else {
                let limit = consumer.then_some(read_committed);
                broker.list_offset(context.version, &topic.name, partition, limit)
            };
            let at = (delayed.response.topics.len(), answers.len());
            answers.push(match result {
                Ok(Listed::Now(answer)) => answer,
                Ok(Listed::Later(log)) => {
                    lookups.push((at, log, partition.timestamp));
                    unknown(partition.partition_index, ErrorCode::NONE)
                }
                Err(code) => unknown(partition.partition_index, code),
            });
        }
        delayed.response.topics.push(ListOffsetsTopicResponse {
            name: topic.name,
            partitions: answers,
        });
    }
    if lookups.is_empty() {
        return broker.offsets_listed(&delayed);
    }
    delayed.waiting = lookups.len();
    let number = broker.purgatory.hold_offsets(delayed);
    for (at, log, timestamp) in lookups {
        let answer = Box::new(move |broker: &mut Broker, found| {
            broker.offset_found(number, at, found);
        });
        if timestamp == MAX_TIMESTAMP {
            broker.offset_of_max_timestamp(log, answer);
        } else {
            broker.offset_by_timestamp(log, timestamp, answer);
        }
    }
}

/// An offset, or the log in which it has to be looked for.
enum Listed {
    Now(ListOffsetsPartitionResponse),
    Later(LogId),
}

impl Broker {
    /// `consumer` is the isolation level if a consumer asks.
    fn list_offset(
        &self,
        version: i16,
        topic: &str,
        asked: &ListOffsetsPartition,
        consumer: Option<bool>,
    ) -> Result<Listed, ErrorCode> {
        let since = match asked.timestamp {
            0.. | LATEST | EARLIEST => 1,
            MAX_TIMESTAMP => 7,
            EARLIEST_LOCAL => 8,
            LATEST_TIERED => 9,
            EARLIEST_PENDING_UPLOAD => 11,
            i64::MIN..EARLIEST_PENDING_UPLOAD => i16::MAX,
        };
        if version < since {
            return Err(ErrorCode::UNSUPPORTED_VERSION);
        }
        let id = self
            .metadata
            .topic_by_name(topic)
            .and_then(|topic| topic.log(asked.partition_index))
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let log = self
            .logs
            .get(id)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        if !log.is_online() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        log.check_epoch(asked.current_leader_epoch)?;
        let (offset, epoch) = match asked.timestamp {
            LATEST => {
                let offset = match consumer {
                    Some(true) => log.last_stable_offset(),
                    Some(false) => log.high_watermark(),
                    None => log.log_end_offset(),
                };
                (offset, log.leader_epoch())
            }
            EARLIEST | EARLIEST_LOCAL => {
                (log.log_start_offset(), log.earliest_epoch().unwrap_or(-1))
            }
            LATEST_TIERED | EARLIEST_PENDING_UPLOAD => (-1, -1),
            _ => return Ok(Listed::Later(id)),
        };
        Ok(Listed::Now(ListOffsetsPartitionResponse {
            partition_index: asked.partition_index,
            offset,
            leader_epoch: epoch,
            ..ListOffsetsPartitionResponse::default()
        }))
    }

    fn offset_found(
        &mut self,
        number: u64,
        (topic, partition): At,
        found: Result<Option<TimestampAndOffset>, ErrorCode>,
    ) {
        let Some(delayed) = self.purgatory.offsets_mut(number) else {
            return;
        };
        let answer = delayed
            .response
            .topics
            .get_mut(topic)
            .and_then(|topic| topic.partitions.get_mut(partition));
        if let Some(answer) = answer {
            match found {
                Ok(None) => {}
                Ok(Some(found)) => {
                    answer.timestamp = found.timestamp;
                    answer.offset = found.offset;
                    answer.leader_epoch = found.leader_epoch;
                }
                Err(code) => answer.error_code = code,
            }
        }
        delayed.waiting = delayed.waiting.saturating_sub(1);
        if delayed.waiting == 0
            && let Some(delayed) = self.purgatory.take_offsets(number)
        {
            self.offsets_listed(&delayed);
        }
    }

    fn offsets_listed(&mut self, delayed: &DelayedOffsets) {
        let answers = delayed.response.topics.iter().flat_map(|t| &t.partitions);
        for answer in answers {
            self.note_error(delayed.id, answer.error_code);
        }
        self.respond(delayed.id, &delayed.response);
    }
}

fn unknown(partition_index: i32, error_code: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse {
        partition_index,
        error_code,
        ..ListOffsetsPartitionResponse::default()
    }
}
