//! DeleteRecords (key 21), versions 0 to 2: moves the start of logs up.
//!
//! The offset −1 stands for the high watermark. The answer waits until the new start is durable;
//! chunks that lie below it as a whole go with it. Topics that are compacted only refuse
//! (`POLICY_VIOLATION`), internal ones too. KIP-107.

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::Context;
use crate::broker::effect::LogId;
use crate::broker::purgatory::Parked;
use crate::protocol::ErrorCode;
use crate::protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use crate::protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

/// The offset that stands for the high watermark.
const HIGH_WATERMARK: i64 = -1;

/// A DeleteRecords that waits until new log starts are durable.
#[derive(Debug)]
pub(crate) struct DelayedDelete {
    id: RequestId,
    response: DeleteRecordsResponse,
    waiting: Vec<Wait>,
}

#[derive(Debug)]
struct Wait {
    /// Where its result is.
    topic: usize,
    partition: usize,
    log: LogId,
    incarnation: u64,
    start: i64,
}

/// Moves log starts, and waits.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: DeleteRecordsRequest) {
    let mut delete = DelayedDelete {
        id: context.id,
        response: DeleteRecordsResponse::default(),
        waiting: Vec::new(),
    };
    for topic in request.topics {
        let mut results = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let mut result = DeleteRecordsPartitionResult {
                partition_index: partition.partition_index,
                low_watermark: -1,
                ..DeleteRecordsPartitionResult::default()
            };
            match broker.delete_records(&topic.name, partition) {
                Ok((log, start)) => {
                    let found = broker.logs.get(log);
                    delete.waiting.push(Wait {
                        topic: delete.response.topics.len(),
                        partition: results.len(),
                        log,
                        incarnation: found.map_or(0, |log| log.incarnation()),
                        start,
                    });
                }
                Err(code) => result.error_code = code,
            }
            results.push(result);
        }
        delete.response.topics.push(DeleteRecordsTopicResult {
            name: topic.name,
            partitions: results,
        });
    }
    if let Some(delete) = broker.try_delete(delete) {
        let logs = delete.waiting.iter().map(|wait| wait.log).collect();
        let deadline = broker
            .clock
            .monotonic()
            .after_millis(i64::from(request.timeout_ms));
        broker.park(Parked::Delete(delete), logs, Some(deadline));
    }
}

impl Broker {
    /// Moves a log's start; returns up to where.
    fn delete_records(
        &mut self,
        topic: &str,
        asked: &DeleteRecordsPartition,
    ) -> Result<(LogId, i64), ErrorCode> {
        let topic = self
            .metadata
            .topic_by_name(topic)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let id = topic
            .log(asked.partition_index)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        if topic.internal {
            return Err(ErrorCode::INVALID_TOPIC_EXCEPTION);
        }
        let log = self
            .logs
            .get(id)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        if !log.is_online() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        if !topic.config.cleanup_policy.delete {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        let offset = match asked.offset {
            HIGH_WATERMARK => log.high_watermark(),
            offset => offset,
        };
        if offset < 0 || offset > log.high_watermark() {
            return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
        }
        let start = offset.max(log.log_start_offset());
        self.advance_log_start(id, start);
        Ok((id, start))
    }

    /// Answers a DeleteRecords whose log starts are all durable or lost.
    pub(in crate::broker) fn try_delete(
        &mut self,
        mut delete: DelayedDelete,
    ) -> Option<DelayedDelete> {
        let response = &mut delete.response;
        delete.waiting.retain(|wait| {
            let result = match self.logs.get(wait.log) {
                None => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
                Some(log) if log.incarnation() != wait.incarnation => {
                    Err(ErrorCode::KAFKA_STORAGE_ERROR)
                }
                Some(log) if log.durable_start() >= wait.start => Ok(log.log_start_offset()),
                Some(_) => return true,
            };
            if let Some(answer) = answer_at(response, wait) {
                match result {
                    Ok(low_watermark) => answer.low_watermark = low_watermark,
                    Err(code) => answer.error_code = code,
                }
            }
            false
        });
        if !delete.waiting.is_empty() {
            return Some(delete);
        }
        self.delete_answered(&delete);
        None
    }

    /// The timeout of a DeleteRecords is over. What was begun goes on.
    pub(in crate::broker) fn delete_timed_out(&mut self, mut delete: DelayedDelete) {
        for wait in &delete.waiting {
            if let Some(answer) = answer_at(&mut delete.response, wait) {
                answer.error_code = ErrorCode::REQUEST_TIMED_OUT;
            }
        }
        self.delete_answered(&delete);
    }

    fn delete_answered(&mut self, delete: &DelayedDelete) {
        for result in delete.response.topics.iter().flat_map(|t| &t.partitions) {
            self.note_error(delete.id, result.error_code);
        }
        self.respond(delete.id, &delete.response);
    }
}

fn answer_at<'a>(
    response: &'a mut DeleteRecordsResponse,
    wait: &Wait,
) -> Option<&'a mut DeleteRecordsPartitionResult> {
    let topic = response.topics.get_mut(wait.topic)?;
    topic.partitions.get_mut(wait.partition)
}
