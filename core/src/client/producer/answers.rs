//! What Produce's answers mean for the batches that were sent.
//!
//! | Answer | Batch |
//! |---|---|
//! | written, or written before | leaves; its sends get their offsets |
//! | an error that passes; no answer | goes back to its place and is sent again as it is |
//! | a sequence out of order | goes back if one before it is missing; else records were lost, which is an error |
//! | the producer is unknown, or fenced | goes back for another producer id if it was sent only once |
//! | too large, or with records that are not valid | is split, so that one send does not fail another |
//! | any other error | is given up |

use crate::sorted::SortedMap;

use super::super::cluster::{Answer, Token};
use super::super::error::{ClientError, ErrorKind};
use super::super::retry::Verdict;
use super::Producer;
use super::batch::Batch;
use super::identity::IdentityState;
use super::sender::Sent;
use super::sends::PartitionResult;
use crate::protocol::ErrorCode;
use crate::protocol::messages::ProduceRequest;
use crate::protocol::messages::produce::PartitionProduceResponse;
use crate::time::Now;
use crate::types::Uuid;

/// What an answer means for a batch.
#[derive(Debug)]
enum Outcome {
    Written(Box<PartitionProduceResponse>),
    /// Written, says the broker, but not where.
    Unsaid,
    /// To be sent again as it is. `ambiguous`: it may have been written.
    Again {
        error: ClientError,
        ambiguous: bool,
    },
    /// Refused because one before it is missing; not written.
    OutOfOrder(ClientError),
    /// The broker knows nothing of the producer, or knows it as an older one.
    Fenced(ClientError),
    /// Refused because of some records in it; `by_send` if smaller batches would not help.
    Refused {
        error: ClientError,
        by_send: bool,
    },
    /// Not written, and never will be.
    Never(ClientError),
}

impl Producer {
    /// A request was answered or has failed.
    pub(super) fn answered(&mut self, now: Now, token: Token, result: Result<Answer, ClientError>) {
        if self.identity == IdentityState::Asked(token) {
            return self.identity_answered(now, result);
        }
        let Some(sent) = self.requests.remove(&token) else {
            return;
        };
        let response = match result {
            Ok(answer) if answer.is_empty() => {
                for sent in sent {
                    self.settle(now, &sent, Outcome::Unsaid);
                }
                return;
            }
            Ok(answer) => answer.decode::<ProduceRequest>(),
            Err(error) => Err(error),
        };
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                for sent in sent {
                    let error = error.clone();
                    let outcome = if error.retriable {
                        Outcome::Again {
                            error,
                            ambiguous: true,
                        }
                    } else {
                        Outcome::Never(error)
                    };
                    self.settle(now, &sent, outcome);
                }
                self.cluster.refresh_metadata(now);
                return;
            }
        };
        for endpoint in response.node_endpoints {
            let address = (endpoint.host, endpoint.port, endpoint.rack);
            self.cluster
                .metadata_mut()
                .learn_broker(endpoint.node_id, address);
        }
        let mut answers = SortedMap::new();
        for topic in response.responses {
            for partition in topic.partition_responses {
                let key = (topic.name.clone(), topic.topic_id, partition.index);
                answers.insert(key, partition);
            }
        }
        for sent in sent {
            let by_name = (sent.topic.clone(), Uuid::ZERO, sent.partition);
            let by_id = (String::new(), sent.topic_id, sent.partition);
            let found = answers.remove(&by_name).or_else(|| answers.remove(&by_id));
            let outcome = match found {
                Some(answer) => self.judge(now, &sent, answer),
                None => Outcome::Never(ClientError::fatal(
                    ErrorKind::PartialMessage,
                    format!("no answer for {}-{}", sent.topic, sent.partition),
                )),
            };
            self.settle(now, &sent, outcome);
        }
    }

    /// What a partition's answer means.
    fn judge(&mut self, now: Now, sent: &Sent, answer: PartitionProduceResponse) -> Outcome {
        let code = answer.error_code;
        let words = answer.error_message.as_deref();
        let words = words.or_else(|| {
            let mut records = answer.record_errors.iter();
            records.find_map(|record| record.batch_index_error_message.as_deref())
        });
        let about = format!("{}-{}", sent.topic, sent.partition);
        let error = || ClientError::protocol_about(code, words, &about);
        match code {
            ErrorCode::NONE => Outcome::Written(Box::new(answer)),
            ErrorCode::DUPLICATE_SEQUENCE_NUMBER => Outcome::Unsaid,
            ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER => Outcome::OutOfOrder(error()),
            ErrorCode::UNKNOWN_PRODUCER_ID
            | ErrorCode::INVALID_PRODUCER_EPOCH
            | ErrorCode::PRODUCER_FENCED => Outcome::Fenced(error()),
            ErrorCode::MESSAGE_TOO_LARGE | ErrorCode::RECORD_LIST_TOO_LARGE => Outcome::Refused {
                error: error(),
                by_send: false,
            },
            ErrorCode::INVALID_RECORD | ErrorCode::INVALID_TIMESTAMP => Outcome::Refused {
                error: error(),
                by_send: true,
            },
            ErrorCode::KAFKA_STORAGE_ERROR if is_about_quota(words) => {
                Outcome::Never(ClientError {
                    kind: ErrorKind::QuotaExceeded {
                        topic: sent.topic.clone(),
                        partition: sent.partition,
                    },
                    retriable: false,
                    ..error()
                })
            }
            code if code.retriable() => {
                let leader = &answer.current_leader;
                let (node, epoch) = (leader.leader_id, leader.leader_epoch);
                let metadata = self.cluster.metadata_mut();
                if !metadata.leader_changed(&sent.topic, sent.partition, node, epoch) {
                    self.cluster.refresh_metadata(now);
                }
                Outcome::Again {
                    error: error(),
                    ambiguous: !CERTAINLY_NOT_WRITTEN.contains(&code),
                }
            }
            _ => Outcome::Never(error()),
        }
    }

    /// Does with a batch what its answer means.
    fn settle(&mut self, now: Now, sent: &Sent, outcome: Outcome) {
        let topic = self.topics.get_mut(&sent.topic);
        let queue = topic.and_then(|topic| topic.queues.get_mut(&sent.partition));
        let Some(queue) = queue else { return };
        let Some(mut batch) = queue.answered(sent.number) else {
            return;
        };
        let sequenced = batch.sequence.is_some();
        if sequenced && matches!(outcome, Outcome::Written(_) | Outcome::Unsaid) {
            queue.note_written();
        }
        let (batch, error) = match outcome {
            Outcome::Written(answer) => {
                let (topic, partition) = (&sent.topic, sent.partition);
                return self.finish_batch(topic, partition, &batch, Ok(Some(&answer)));
            }
            Outcome::Unsaid => {
                let silent = batch.kind.acks == 0;
                let unsaid = PartitionProduceResponse {
                    base_offset: -1,
                    ..PartitionProduceResponse::default()
                };
                let answer = (!silent).then_some(&unsaid);
                return self.finish_batch(&sent.topic, sent.partition, &batch, Ok(answer));
            }
            Outcome::Again { error, ambiguous } => {
                batch.ambiguous |= ambiguous;
                let config = &self.config.retry;
                match batch
                    .retry
                    .failed(config, &mut self.rng, now.monotonic, error)
                {
                    Verdict::Again(_) => return queue.put_back(batch),
                    Verdict::GiveUp(error) => (batch, error),
                }
            }
            Outcome::OutOfOrder(error) => {
                batch.ambiguous = false;
                if queue.has_earlier(sent.number) || queue.has_gap() {
                    return queue.put_back(batch);
                }
                // Nothing of ours is missing before it: the broker has lost records.
                (batch, error)
            }
            Outcome::Fenced(error) => {
                queue.fence();
                if batch.sent <= 1 && sequenced {
                    batch.ambiguous = false;
                    return queue.put_back(batch);
                }
                (batch, error)
            }
            Outcome::Refused { error, by_send } => {
                if !by_send {
                    queue.refuse_size(batch.size());
                }
                if !batch.can_split(by_send) {
                    (batch, error)
                } else {
                    match batch.split() {
                        Ok((first, second)) => {
                            queue.put_back(first);
                            return queue.put_back(second);
                        }
                        Err((batch, error)) => (*batch, error),
                    }
                }
            }
            Outcome::Never(error) => (batch, error),
        };
        if sequenced {
            queue.note_gap();
        }
        self.finish_batch(&sent.topic, sent.partition, &batch, Err(error));
    }

    /// A batch leaves: its sends wait for one thing less.
    pub(super) fn finish_batch(
        &mut self,
        topic: &str,
        partition: i32,
        batch: &Batch,
        result: Result<Option<&PartitionProduceResponse>, ClientError>,
    ) {
        self.used = self.used.saturating_sub(batch.memory);
        for share in &batch.shares {
            match &result {
                Ok(Some(answer)) => {
                    let first = i64::from(share.first);
                    let base_offset = if answer.base_offset < 0 {
                        -1
                    } else {
                        answer.base_offset.saturating_add(first)
                    };
                    let result = PartitionResult {
                        topic: topic.to_owned(),
                        partition,
                        base_offset,
                        log_append_time: answer.log_append_time_ms,
                        log_start_offset: answer.log_start_offset,
                    };
                    self.sends.written(share.op, result);
                }
                Ok(None) => {}
                Err(error) => self.sends.failed(share.op, error.clone()),
            }
            self.finish_one(share.op);
        }
    }
}

/// Codes of refusals that come before anything is written.
const CERTAINLY_NOT_WRITTEN: [ErrorCode; 9] = [
    ErrorCode::CORRUPT_MESSAGE,
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode::LEADER_NOT_AVAILABLE,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::NOT_ENOUGH_REPLICAS,
    ErrorCode::FENCED_LEADER_EPOCH,
    ErrorCode::UNKNOWN_LEADER_EPOCH,
    ErrorCode::UNKNOWN_TOPIC_ID,
    ErrorCode::INCONSISTENT_TOPIC_ID,
];

/// Whether a storage error's words are those of a broker whose storage is full.
fn is_about_quota(words: Option<&str>) -> bool {
    words.is_some_and(|words| words.contains("storage is full"))
}
