//! The answer to a Fetch: what is said about each partition, and what its session leaves out.

use super::{DelayedFetch, Look, Part};
use crate::broker::Broker;
use crate::broker::config::CompressionType;
use crate::broker::dispatch::StoredPiece;
use crate::broker::log::{Answered, SessionUse};
use crate::protocol::messages::fetch::{
    EpochEndOffset, FetchPartition, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint,
    PartitionData,
};
use crate::protocol::messages::{FetchRequest, FetchResponse};
use crate::protocol::{ErrorCode, Records};
use bytes::Bytes;

/// The last version whose clients do not know `KAFKA_STORAGE_ERROR`.
const BEFORE_STORAGE_ERROR: i16 = 5;
/// The first version in which the leader's address is told.
const LEADER_SINCE: i16 = 16;
/// The first version whose clients know zstd.
const ZSTD_SINCE: i16 = 10;

impl Broker {
    /// Answers a Fetch with what was found out about its partitions.
    pub(super) fn answer_fetch(&mut self, fetch: DelayedFetch) {
        let mut response = FetchResponse::default();
        if let SessionUse::Continue { id, next_epoch } = fetch.session {
            response.session_id = id;
            if !self.fetch_sessions.is_at(id, next_epoch) {
                // The same request came again while this one was waiting.
                response.error_code = ErrorCode::INVALID_FETCH_SESSION_EPOCH;
                self.note_error(fetch.id, response.error_code);
                return self.respond(fetch.id, &response);
            }
        }
        let mut stored: Vec<Vec<StoredPiece>> = Vec::new();
        let mut answered = Vec::with_capacity(fetch.parts.len());
        let mut leader_told = false;
        for part in &fetch.parts {
            let data = self.partition_data(&fetch, part, &mut stored);
            let said = said(&data);
            if data.error_code.is_error() {
                self.note_error(fetch.id, data.error_code);
            }
            if let SessionUse::Continue { id, .. } = fetch.session
                && !self.fetch_sessions.answered(id, &part.key, &said)
            {
                continue;
            }
            leader_told |= data.current_leader.leader_id >= 0 && !fetch.replica;
            answered.push((part.key.clone(), part.wanted, said));
            push(&mut response, part, data);
        }
        if let SessionUse::Begin { by_ids } = fetch.session {
            let slots = self
                .config
                .long("max.incremental.fetch.session.cache.slots");
            let rng = &mut self.rng;
            response.session_id = self.fetch_sessions.begin(
                by_ids,
                &answered,
                usize::try_from(slots).unwrap_or(0),
                self.clock.monotonic(),
                || rng.next_u64(),
            );
        }
        if leader_told {
            response.node_endpoints = self.endpoint_of(&fetch).into_iter().collect();
        }
        self.respond_stored(fetch.id, &response, &stored);
    }

    /// What is said about a partition.
    fn partition_data(
        &self,
        fetch: &DelayedFetch,
        part: &Part,
        stored: &mut Vec<Vec<StoredPiece>>,
    ) -> PartitionData {
        let mut data = PartitionData {
            partition_index: part.key.partition,
            high_watermark: -1,
            // Kafka says null, but of a topic that is not there it says nothing.
            aborted_transactions: (fetch.read_committed || part.log.is_err()).then(Vec::new),
            records: Records::Bytes(Some(Bytes::new())),
            ..PartitionData::default()
        };
        let bounds = match &part.look {
            Look::Error(code) => {
                self.say_error(fetch, part, *code, &mut data);
                return data;
            }
            Look::None => {
                self.say_error(fetch, part, ErrorCode::UNKNOWN_SERVER_ERROR, &mut data);
                return data;
            }
            Look::Diverging(bounds, (epoch, end_offset)) => {
                data.diverging_epoch = EpochEndOffset {
                    epoch: *epoch,
                    end_offset: *end_offset,
                };
                bounds
            }
            Look::Readable(bounds, _) => bounds,
            Look::Answer(bounds, pieces) => {
                if self.unreadable_for(fetch, part) {
                    let code = ErrorCode::UNSUPPORTED_COMPRESSION_TYPE;
                    self.say_error(fetch, part, code, &mut data);
                    return data;
                }
                data.records = external(pieces, stored);
                bounds
            }
        };
        data.high_watermark = bounds.high_watermark;
        data.last_stable_offset = bounds.last_stable_offset;
        data.log_start_offset = bounds.log_start;
        data
    }

    /// Whether a topic holds zstd by its config, which the client's version does not know.
    fn unreadable_for(&self, fetch: &DelayedFetch, part: &Part) -> bool {
        let topic = part.log.ok().and_then(|log| self.topic_of(log));
        fetch.version < ZSTD_SINCE
            && topic.is_some_and(|topic| {
                matches!(topic.config.compression_type, CompressionType::Zstd(_))
            })
    }

    fn say_error(
        &self,
        fetch: &DelayedFetch,
        part: &Part,
        code: ErrorCode,
        data: &mut PartitionData,
    ) {
        data.error_code = match code {
            ErrorCode::KAFKA_STORAGE_ERROR if fetch.version <= BEFORE_STORAGE_ERROR => {
                ErrorCode::NOT_LEADER_OR_FOLLOWER
            }
            code => code,
        };
        let who = [
            ErrorCode::NOT_LEADER_OR_FOLLOWER,
            ErrorCode::FENCED_LEADER_EPOCH,
        ];
        if fetch.version >= LEADER_SINCE
            && who.contains(&data.error_code)
            && let Ok(log) = part.log
        {
            data.current_leader = LeaderIdAndEpoch {
                leader_id: self.config.node_id(),
                leader_epoch: self.leader_epoch(log),
            };
        }
    }

    /// Where the client that asked reaches this broker.
    fn endpoint_of(&self, fetch: &DelayedFetch) -> Option<NodeEndpoint> {
        let listener = &self.connections.get(fetch.id.connection)?.peer.listener;
        Some(NodeEndpoint {
            node_id: self.config.node_id(),
            host: listener.host.clone(),
            port: listener.port,
            rack: None,
        })
    }
}

/// The answer to a Fetch that cannot be understood, as Kafka gives it: where topics have names, each
/// partition has the error too.
pub(super) fn refusal(request: FetchRequest, by_ids: bool, error_code: ErrorCode) -> FetchResponse {
    let topics = request.topics.into_iter().filter(|_| !by_ids);
    let partition = |asked: FetchPartition| PartitionData {
        partition_index: asked.partition,
        error_code,
        high_watermark: -1,
        records: Records::Bytes(Some(Bytes::new())),
        ..PartitionData::default()
    };
    FetchResponse {
        error_code,
        session_id: request.session_id,
        responses: topics
            .map(|topic| FetchableTopicResponse {
                topic: topic.topic,
                topic_id: topic.topic_id,
                partitions: topic.partitions.into_iter().map(partition).collect(),
            })
            .collect(),
        ..FetchResponse::default()
    }
}

fn said(data: &PartitionData) -> Answered {
    Answered {
        records: !data.records.is_empty(),
        error: data.error_code.is_error(),
        diverging: data.diverging_epoch.epoch >= 0,
        high_watermark: data.high_watermark,
        log_start: data.log_start_offset,
    }
}

/// Puts pieces aside for the response to refer to.
fn external(pieces: &[StoredPiece], stored: &mut Vec<Vec<StoredPiece>>) -> Records {
    let bytes = pieces.iter().fold(0u32, |sum, piece| {
        sum.saturating_add(piece.range.end.saturating_sub(piece.range.start))
    });
    let Ok(index) = u32::try_from(stored.len()) else {
        return Records::Bytes(Some(Bytes::new()));
    };
    if bytes == 0 {
        return Records::Bytes(Some(Bytes::new()));
    }
    stored.push(pieces.to_vec());
    Records::External { index, len: bytes }
}

/// Adds a partition to its topic, which is the last one or a new one.
fn push(response: &mut FetchResponse, part: &Part, data: PartitionData) {
    match response.responses.last_mut() {
        Some(last) if last.topic == part.key.topic && last.topic_id == part.key.topic_id => {
            last.partitions.push(data);
        }
        _ => response.responses.push(FetchableTopicResponse {
            topic: part.key.topic.clone(),
            topic_id: part.key.topic_id,
            partitions: vec![data],
        }),
    }
}
