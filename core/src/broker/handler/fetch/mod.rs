//! Fetch (key 1), versions 4 to 18: record batches from an offset on, waited for if need be.
//!
//! An answer comes when `min_bytes` are there, when something is wrong with a partition, or after
//! `max_wait_ms`. It holds whole batches, from the one with the offset on, as far as the limits
//! allow; the first batch of the first partition that has one comes whatever they say. Consumers
//! see what is durable only.
//!
//! Stored bytes do not pass through here: the answer refers to them ([`read`]). What it says about
//! a partition is captured before the read and checked again after it.
//!
//! Sessions since version 7 (KIP-227, [`crate::broker::log::FetchSessions`]), leader epochs since
//! 9 (KIP-320), zstd since 10 (KIP-110), topic ids since 13 (KIP-516), the leader's address since
//! 16 (KIP-951). There are no replicas to serve.

mod answer;
mod plan;
mod read;

use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::dispatch::{Context, StoredPiece};
use crate::broker::effect::LogId;
use crate::broker::log::{SessionKey, SessionPartition, SessionUse};
use crate::broker::purgatory::Parked;
use crate::protocol::ErrorCode;
use crate::protocol::messages::{FetchRequest, FetchResponse};
use crate::time::Monotonic;
use crate::types::Uuid;

/// The first version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;
/// The first version in which the request names its replica in a struct of its own.
const REPLICA_STATE_SINCE: i16 = 15;

/// A Fetch in work.
#[derive(Debug)]
pub(crate) struct DelayedFetch {
    id: RequestId,
    version: i16,
    min_bytes: u64,
    max_bytes: u64,
    read_committed: bool,
    /// The request claims to be a replica's.
    replica: bool,
    session: SessionUse,
    deadline: Monotonic,
    /// It is answered now, whatever there is.
    final_try: bool,
    parts: Vec<Part>,
}

/// A partition in a Fetch.
#[derive(Debug)]
struct Part {
    key: SessionKey,
    wanted: SessionPartition,
    /// The log, or why there is none.
    log: Result<LogId, ErrorCode>,
    /// Where reading begins: above the wanted offset, if compaction left nothing there.
    from: i64,
    look: Look,
}

/// What was found out about a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Look {
    /// Nothing yet.
    None,
    /// It cannot be read.
    Error(ErrorCode),
    /// The consumer's log and ours went apart: the epoch and its end here.
    Diverging(Bounds, (i32, i64)),
    /// It can be read; and the chunks, once they were looked for.
    Readable(Bounds, Vec<ChunkPart>),
    /// It was read.
    Answer(Bounds, Vec<StoredPiece>),
}

/// A partition's bounds as they were before the read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    high_watermark: i64,
    last_stable_offset: i64,
    log_start: i64,
    /// Batches from here on are not handed out.
    below: i64,
    generation: u64,
}

/// A chunk that a Fetch may take from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ChunkPart {
    base: i64,
    last: i64,
    size: u32,
}

/// Takes the request into its session, and answers or waits.
pub(super) fn handle(broker: &mut Broker, context: &Context, request: FetchRequest) {
    broker.describe_request(context.id, |broker| describe(broker, &request));
    let by_ids = context.version >= TOPIC_IDS_SINCE;
    if !matches!(request.isolation_level, 0 | 1) {
        let code = ErrorCode::UNKNOWN_SERVER_ERROR;
        broker.note_error(context.id, code);
        let response = answer::refusal(request, by_ids, code);
        return broker.respond(context.id, &response);
    }
    let wanted = wanted(&request);
    let forgotten = forgotten(&request);
    let taken = broker.fetch_sessions.take(
        (request.session_id, request.session_epoch),
        by_ids,
        wanted,
        &forgotten,
        broker.clock.monotonic(),
    );
    let (session, parts) = match taken {
        Ok(taken) => taken,
        Err(error_code) => {
            broker.note_error(context.id, error_code);
            let response = FetchResponse {
                error_code,
                ..FetchResponse::default()
            };
            return broker.respond(context.id, &response);
        }
    };
    let limit = broker.config.long("fetch.max.bytes");
    let max_bytes = i64::from(request.max_bytes).min(limit);
    let min_bytes = i64::from(request.min_bytes).min(max_bytes);
    let replica_id = if context.version >= REPLICA_STATE_SINCE {
        request.replica_state.replica_id
    } else {
        request.replica_id
    };
    let parts: Vec<Part> = parts
        .into_iter()
        .map(|(key, wanted)| broker.fetch_part(key, wanted))
        .collect();
    let fetch = DelayedFetch {
        id: context.id,
        version: context.version,
        min_bytes: u64::try_from(min_bytes).unwrap_or(0),
        max_bytes: u64::try_from(max_bytes).unwrap_or(0),
        read_committed: request.isolation_level == 1,
        replica: replica_id >= 0,
        session,
        deadline: broker
            .clock
            .monotonic()
            .after_millis(i64::from(request.max_wait_ms)),
        // With nothing that can be read there is nothing to wait for.
        final_try: request.max_wait_ms <= 0 || parts.iter().all(|part| part.log.is_err()),
        parts,
    };
    if let Some(fetch) = broker.try_fetch(fetch) {
        broker.park_fetch(fetch);
    }
}

fn wanted(request: &FetchRequest) -> Vec<(SessionKey, SessionPartition)> {
    let mut wanted = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            wanted.push((
                key(&topic.topic, topic.topic_id, partition.partition),
                SessionPartition {
                    current_leader_epoch: partition.current_leader_epoch,
                    fetch_offset: partition.fetch_offset,
                    last_fetched_epoch: partition.last_fetched_epoch,
                    max_bytes: partition.partition_max_bytes,
                },
            ));
        }
    }
    wanted
}

fn forgotten(request: &FetchRequest) -> Vec<SessionKey> {
    let mut forgotten = Vec::new();
    for topic in &request.forgotten_topics_data {
        for partition in &topic.partitions {
            forgotten.push(key(&topic.topic, topic.topic_id, *partition));
        }
    }
    forgotten
}

fn key(topic: &str, topic_id: Uuid, partition: i32) -> SessionKey {
    SessionKey {
        topic: topic.to_owned(),
        topic_id,
        partition,
    }
}

fn describe(broker: &Broker, request: &FetchRequest) -> String {
    let mut parts = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let name = broker.topic_title(&topic.topic, topic.topic_id);
            parts.push(format!(
                "{name}-{} from {}",
                partition.partition, partition.fetch_offset
            ));
        }
    }
    if parts.is_empty() {
        return "new records of its session's partitions".to_owned();
    }
    parts.join("; ")
}

impl Broker {
    /// Finds a partition's log.
    fn fetch_part(&self, key: SessionKey, wanted: SessionPartition) -> Part {
        let (topic, unknown) = if key.topic.is_empty() {
            let topic = self.metadata.topic_by_id(key.topic_id);
            (topic, ErrorCode::UNKNOWN_TOPIC_ID)
        } else {
            let topic = self.metadata.topic_by_name(&key.topic);
            (topic, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
        };
        let log = topic.ok_or(unknown).and_then(|topic| {
            topic
                .log(key.partition)
                .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
        });
        Part {
            key,
            from: wanted.fetch_offset,
            wanted,
            log,
            look: Look::None,
        }
    }

    fn park_fetch(&mut self, fetch: DelayedFetch) {
        let logs = fetch
            .parts
            .iter()
            .filter_map(|part| part.log.ok())
            .collect();
        let deadline = fetch.deadline;
        self.park(Parked::Fetch(fetch), logs, Some(deadline));
    }

    /// The time of a Fetch is over.
    pub(in crate::broker) fn fetch_timed_out(&mut self, mut fetch: DelayedFetch) {
        fetch.final_try = true;
        if let Some(fetch) = self.try_fetch(fetch) {
            // Chunks are just being replaced: it is looked at again when that is done.
            let logs = fetch
                .parts
                .iter()
                .filter_map(|part| part.log.ok())
                .collect();
            self.park(Parked::Fetch(fetch), logs, None);
        }
    }
}
