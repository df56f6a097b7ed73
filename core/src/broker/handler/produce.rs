//! Produce (key 0), versions 3 to 13: appends record batches.
//!
//! Exactly one batch of format 2 for each partition. With acks=all (−1) the answer waits until the
//! batch is durable, at most for the request's timeout, which takes nothing back; with acks=1 it
//! follows the append; with acks=0 there is none, and an error closes the connection, so that the
//! client learns of it. If far more waits to be written than storage takes, acks 0 and 1 wait as
//! well: that holds the client back.
//!
//! Topic ids since version 13 (KIP-516), record errors and messages since 8 (KIP-467), where the
//! leader's address would be since 10 (KIP-951). KIP-98 for idempotence, KIP-110 for zstd, which
//! versions below 7 do not know.

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::Context;
use crate::broker::effect::LogId;
use crate::broker::log::{AppendPolicy, Refusal};
use crate::broker::metadata::Topic;
use crate::broker::purgatory::Parked;
use crate::protocol::ErrorCode;
use crate::protocol::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, TopicProduceData,
    TopicProduceResponse,
};
use crate::protocol::messages::{ProduceRequest, ProduceResponse};
use crate::records::{BatchHeader, BatchView, Compression, RecordFault};
use crate::sabotage::{Rule, broken};

/// With more than so many bytes waiting in a log, acks 0 and 1 wait until theirs are written.
const MAX_WAITING_BYTES: usize = 16 << 20;
/// The first version whose clients know zstd.
const ZSTD_SINCE: i16 = 7;
/// The first version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;

/// A Produce that waits until its batches are durable.
#[derive(Debug)]
pub(crate) struct DelayedProduce {
    id: RequestId,
    version: i16,
    acks: i16,
    response: ProduceResponse,
    waiting: Vec<Wait>,
}

/// A batch that is not durable yet.
#[derive(Debug)]
struct Wait {
    /// Where its response is.
    topic: usize,
    partition: usize,
    log: LogId,
    incarnation: u64,
    end: i64,
}

/// Appends, and answers or waits.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: ProduceRequest) {
    let mut produce = DelayedProduce {
        id: context.id,
        version: context.version,
        acks: request.acks,
        response: ProduceResponse::default(),
        waiting: Vec::new(),
    };
    broker.describe_request(context.id, |broker| describe(broker, &request));
    // A transaction without a name: nobody may write in that.
    let unnamed = request.transactional_id.is_none() && has_transactional(&request);
    for topic in request.topic_data {
        let answer = if unnamed {
            refuse_all(topic, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        } else {
            broker.produce_topic(&mut produce, topic)
        };
        produce.response.responses.push(answer);
    }
    let held_back = |broker: &Broker, wait: &Wait| {
        let log = broker.logs.get(wait.log);
        log.is_some_and(|log| log.staged_bytes() > MAX_WAITING_BYTES)
    };
    let waits = match request.acks {
        -1 => true,
        _ => produce.waiting.iter().any(|wait| held_back(broker, wait)),
    };
    if !waits {
        return broker.produce_answered(produce);
    }
    if let Some(produce) = broker.try_produce(produce) {
        let logs = produce.waiting.iter().map(|wait| wait.log).collect();
        let deadline = broker
            .clock
            .monotonic()
            .after_millis(i64::from(request.timeout_ms));
        broker.park(Parked::Produce(produce), logs, Some(deadline));
    }
}

fn describe(broker: &Broker, request: &ProduceRequest) -> String {
    let mut parts = Vec::new();
    for topic in &request.topic_data {
        for partition in &topic.partition_data {
            let records = partition
                .records
                .bytes()
                .and_then(|bytes| BatchView::single(bytes.clone()).ok())
                .map_or(0, |batch| batch.records_count);
            let name = broker.topic_title(&topic.name, topic.topic_id);
            let plural = if records == 1 { "" } else { "s" };
            parts.push(format!(
                "{name}-{}, {records} record{plural}",
                partition.index
            ));
        }
    }
    parts.join("; ")
}

impl Broker {
    fn produce_topic(
        &mut self,
        produce: &mut DelayedProduce,
        data: TopicProduceData,
    ) -> TopicProduceResponse {
        let found = if produce.version >= TOPIC_IDS_SINCE {
            self.metadata.topic_by_id(data.topic_id)
        } else {
            self.metadata.topic_by_name(&data.name)
        };
        let found = found.cloned();
        let mut answer = TopicProduceResponse {
            name: data.name,
            topic_id: data.topic_id,
            partition_responses: Vec::with_capacity(data.partition_data.len()),
        };
        for partition in data.partition_data {
            let mut response = PartitionProduceResponse {
                index: partition.index,
                base_offset: -1,
                ..PartitionProduceResponse::default()
            };
            let at = (
                produce.response.responses.len(),
                answer.partition_responses.len(),
            );
            let refused = self
                .produce_partition(produce, found.as_ref(), partition, at, &mut response)
                .err();
            if let Some(refusal) = refused {
                self.refuse(&mut response, refusal, found.as_ref());
            }
            answer.partition_responses.push(response);
        }
        answer
    }

    fn produce_partition(
        &mut self,
        produce: &mut DelayedProduce,
        topic: Option<&Topic>,
        data: PartitionProduceData,
        (topic_at, partition_at): (usize, usize),
        response: &mut PartitionProduceResponse,
    ) -> Result<(), Refusal> {
        let before_the_log = |refusal: Refusal| Refusal {
            with_log_start: false,
            ..refusal
        };
        let unknown = match produce.version {
            TOPIC_IDS_SINCE.. => ErrorCode::UNKNOWN_TOPIC_ID,
            _ => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        };
        let topic = topic.ok_or_else(|| before_the_log(unknown.into()))?;
        let log = topic
            .log(data.index)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let bytes = data.records.bytes().cloned().unwrap_or_default();
        let batch = only_batch(bytes, produce.version).map_err(before_the_log)?;
        if !matches!(produce.acks, -1..=1) {
            return Err(before_the_log(ErrorCode::INVALID_REQUIRED_ACKS.into()));
        }
        if topic.internal {
            return Err(before_the_log(ErrorCode::INVALID_TOPIC_EXCEPTION.into()));
        }
        let policy = AppendPolicy::new(&topic.config, self.clock.wall().0);
        let appended = self.append(log, batch, &policy)?;
        response.base_offset = appended.base_offset;
        response.log_append_time_ms = appended.log_append_time;
        if let Some(found) = self.logs.get(log) {
            response.log_start_offset = found.log_start_offset();
            produce.waiting.push(Wait {
                topic: topic_at,
                partition: partition_at,
                log,
                incarnation: found.incarnation(),
                end: appended.end,
            });
        }
        Ok(())
    }

    fn refuse(
        &self,
        response: &mut PartitionProduceResponse,
        refusal: Refusal,
        topic: Option<&Topic>,
    ) {
        let partition = topic.map_or_else(String::new, |topic| {
            format!("{}-{}", topic.name, response.index)
        });
        let faults: Vec<(i32, String)> = refusal
            .records
            .iter()
            .map(|(index, fault)| (*index, fault_message(*index, *fault, &partition)))
            .collect();
        response.error_code = refusal.code;
        response.error_message = refusal
            .message
            .or_else(|| faults_message(refusal.code, &faults));
        if refusal.with_log_start {
            let log = topic.and_then(|topic| self.logs.get(topic.log(response.index)?));
            response.log_start_offset = log.map_or(-1, |log| log.log_start_offset());
        }
        response.record_errors = faults
            .into_iter()
            .map(|(batch_index, message)| BatchIndexAndErrorMessage {
                batch_index,
                batch_index_error_message: Some(message),
            })
            .collect();
    }

    /// Answers a Produce whose batches are all durable or lost; otherwise it goes on waiting.
    pub(in crate::broker) fn try_produce(
        &mut self,
        mut produce: DelayedProduce,
    ) -> Option<DelayedProduce> {
        let gone = match produce.version {
            TOPIC_IDS_SINCE.. => ErrorCode::UNKNOWN_TOPIC_ID,
            _ => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        };
        let response = &mut produce.response;
        produce.waiting.retain(|wait| {
            let (code, message) = match self.logs.get(wait.log) {
                None => (gone, None),
                Some(log) if log.high_watermark() >= wait.end => return false,
                Some(_) if broken(Rule::AcknowledgedIsDurable) => return false,
                Some(log) if log.incarnation() != wait.incarnation => (
                    ErrorCode::KAFKA_STORAGE_ERROR,
                    log.failure().map(ToString::to_string),
                ),
                Some(_) => return true,
            };
            if let Some(answer) = answer_at(response, wait) {
                answer.error_code = code;
                answer.error_message = message;
                answer.base_offset = -1;
            }
            false
        });
        if !produce.waiting.is_empty() {
            return Some(produce);
        }
        self.produce_answered(produce);
        None
    }

    /// The timeout of a Produce is over. What was appended stays.
    pub(in crate::broker) fn produce_timed_out(&mut self, mut produce: DelayedProduce) {
        for wait in &produce.waiting {
            if let Some(answer) = answer_at(&mut produce.response, wait) {
                answer.error_code = ErrorCode::REQUEST_TIMED_OUT;
            }
        }
        self.produce_answered(produce);
    }

    fn produce_answered(&mut self, produce: DelayedProduce) {
        let error = produce
            .response
            .responses
            .iter()
            .flat_map(|topic| &topic.partition_responses)
            .map(|partition| partition.error_code)
            .find(|code| code.is_error());
        if let Some(code) = error {
            self.note_error(produce.id, code);
        }
        if produce.acks != 0 {
            self.respond(produce.id, &produce.response);
        } else if error.is_some() {
            self.close(
                produce.id.connection,
                "a Produce without acknowledgement failed",
            );
        } else {
            self.finish_without_response(produce.id);
        }
    }
}

/// Whether any batch claims to be part of a transaction.
fn has_transactional(request: &ProduceRequest) -> bool {
    let partitions = request.topic_data.iter().flat_map(|t| &t.partition_data);
    let mut batches = partitions.filter_map(|partition| partition.records.bytes());
    batches.any(|bytes| BatchHeader::parse(bytes).is_ok_and(|batch| batch.is_transactional()))
}

/// The same error for every partition of a topic.
fn refuse_all(data: TopicProduceData, error_code: ErrorCode) -> TopicProduceResponse {
    let partitions = data.partition_data.iter();
    TopicProduceResponse {
        name: data.name,
        topic_id: data.topic_id,
        partition_responses: partitions
            .map(|partition| PartitionProduceResponse {
                index: partition.index,
                error_code,
                base_offset: -1,
                ..PartitionProduceResponse::default()
            })
            .collect(),
    }
}

/// What Kafka says of a record that it does not take.
fn fault_message(index: i32, fault: RecordFault, partition: &str) -> String {
    match fault {
        RecordFault::NoKey => format!(
            "Compacted topic cannot accept message without key in topic partition {partition}"
        ),
        RecordFault::TimestampOutOfRange {
            timestamp,
            earliest,
            latest,
        } => format!(
            "Timestamp {timestamp} of message with offset {index} is out of range. The timestamp \
             should be within [{earliest}, {latest}]"
        ),
        RecordFault::LogAppendTime => format!(
            "Invalid timestamp type in message {index}. Producer should not set timestamp type to \
             LogAppendTime."
        ),
    }
}

/// What Kafka says of a batch with such records.
fn faults_message(code: ErrorCode, faults: &[(i32, String)]) -> Option<String> {
    if faults.is_empty() {
        return None;
    }
    if code == ErrorCode::INVALID_TIMESTAMP {
        let said = "One or more records have been rejected due to invalid timestamp";
        return Some(said.to_owned());
    }
    let first = faults.iter().take(3);
    let first: Vec<String> = first
        .map(|(index, message)| format!("RecordError(batchIndex={index}, message='{message}')"))
        .collect();
    Some(format!(
        "One or more records have been rejected due to {} record errors in total, and only showing \
         the first three errors at most: [{}]",
        faults.len(),
        first.join(", ")
    ))
}

/// The one batch of a partition, in a form that the version's clients may send.
fn only_batch(bytes: bytes::Bytes, version: i16) -> Result<BatchView, Refusal> {
    let batch = BatchView::single(bytes)?;
    if version < ZSTD_SINCE && batch.compression() == Ok(Compression::Zstd) {
        return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE.into());
    }
    Ok(batch)
}

fn answer_at<'a>(
    response: &'a mut ProduceResponse,
    wait: &Wait,
) -> Option<&'a mut PartitionProduceResponse> {
    let topic = response.responses.get_mut(wait.topic)?;
    topic.partition_responses.get_mut(wait.partition)
}
