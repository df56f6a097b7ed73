//! Fetching: which partitions are asked for, of which broker, and what becomes of the answers.
//!
//! A broker has one *long poll* at a time, in a session, with every partition of its own that may
//! be fetched. A partition that becomes fetchable while a long poll is under way, because the host
//! sought, resumed or has emptied its buffer, is not made to wait for it: an *express* fetch, brief
//! and without a session, goes by another connection, until the long poll ends and takes it in.
//!
//! A fetch is never called off: an answer that nobody wants any more is dropped, and until it has
//! come, others go by express.
//!
//! A partition is in one fetch at a time, and is fetched as long as less than one answer's worth of
//! it waits to be polled. While [`prefetch_bytes`](super::ConsumerConfig::prefetch_bytes) wait in
//! all, nothing is fetched.

use crate::sorted::{self, SortedMap};

use super::super::cluster::{Answer, Lane, RequestOptions, Target, Token};
use super::super::error::ClientError;
use super::super::retry::{Retry, Verdict};
use super::session::{Session, Wanted, ask_without_session};
use super::{Asked, Consumer, ConsumerEvent};
use crate::protocol::ErrorCode;
use crate::protocol::messages::FetchRequest;
use crate::protocol::messages::FetchResponse;
use crate::time::{Monotonic, Now};
use crate::types::{TopicPartition, Uuid};

/// How long an express fetch waits at most.
const EXPRESS_WAIT_MS: i32 = 250;

/// The last version of Fetch that has names in place of topic ids.
const LAST_WITH_NAMES: i16 = 12;

/// Which of a broker's two fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Long,
    Express,
}

/// A fetch under way.
#[derive(Debug)]
pub(super) struct Fetch {
    token: Token,
    started: Monotonic,
    /// What was asked for: partitions, each with its epoch and offset then.
    pub(super) partitions: SortedMap<TopicPartition, (u64, i64)>,
    topics: SortedMap<Uuid, String>,
}

/// Fetching from one broker.
#[derive(Debug, Default)]
pub(super) struct Node {
    session: Session,
    long: Option<Fetch>,
    express: Option<Fetch>,
    /// The failures of late, if the last attempt was one.
    trouble: Option<Retry>,
}

/// Fetching from all brokers.
pub(super) type Nodes = SortedMap<i32, Node>;

impl Node {
    fn fetch(&mut self, kind: Kind) -> &mut Option<Fetch> {
        match kind {
            Kind::Long => &mut self.long,
            Kind::Express => &mut self.express,
        }
    }

    /// When the next attempt may start, if the last one has failed.
    pub(super) fn due(&self) -> Option<Monotonic> {
        self.trouble.as_ref().map(Retry::due)
    }
}

impl Consumer {
    /// Sends what fetches may be sent.
    pub(super) fn drive_fetches(&mut self, now: Now) {
        if !self.is_running() {
            return;
        }
        let buffered = self.partitions.iter().map(|(_, it)| it.buffered());
        if buffered.fold(0, usize::saturating_add) >= self.config.prefetch_bytes {
            return;
        }
        for (node, wanted) in self.fetchable(now) {
            let state = self.nodes.entry(node).or_default();
            if state.due().is_some_and(|due| due > now.monotonic) {
                continue;
            }
            let kind = match (&state.long, &state.express) {
                (None, _) => Kind::Long,
                (Some(_), None) => Kind::Express,
                (Some(_), Some(_)) => continue,
            };
            self.send_fetch(now, node, kind, wanted);
        }
    }

    /// The partitions to ask for, by broker; those first that have waited the longest.
    fn fetchable(&mut self, now: Now) -> SortedMap<i32, Vec<(TopicPartition, Wanted)>> {
        let full = usize::try_from(self.config.max_bytes_per_partition).unwrap_or(0);
        let mut found: SortedMap<i32, Vec<(u64, TopicPartition, Wanted)>> = SortedMap::new();
        let mut leaderless = Vec::new();
        for (name, partition) in self.partitions.iter() {
            let Some(offset) = partition.fetch_offset() else {
                continue;
            };
            if partition.fetching.is_some()
                || partition.revoking
                || partition.due().is_some_and(|due| due > now.monotonic)
                || self.pauses.contains(name)
                || partition.buffered() >= full.max(1)
            {
                continue;
            }
            let metadata = self.cluster.metadata();
            let Some(leader) = metadata.leader(&name.topic, name.partition) else {
                leaderless.push(name.clone());
                continue;
            };
            let topic_id = metadata.topic(&name.topic).map_or(Uuid::ZERO, |it| it.id);
            let known = metadata.partition(&name.topic, name.partition);
            let wanted = Wanted {
                topic_id,
                offset,
                leader_epoch: known.map_or(-1, |it| it.leader_epoch),
                max_bytes: self.config.max_bytes_per_partition,
            };
            let entry = found.entry(leader).or_default();
            entry.push((partition.turn, name.clone(), wanted));
        }
        for name in leaderless {
            self.no_leader(now, &name);
        }
        let sorted = found.into_iter().map(|(node, mut list)| {
            sorted::sort_by_key(&mut list, |(turn, _, _)| *turn);
            let list = list.into_iter().map(|(_, name, wanted)| (name, wanted));
            (node, list.collect())
        });
        sorted.collect()
    }

    fn send_fetch(
        &mut self,
        now: Now,
        node: i32,
        kind: Kind,
        wanted: Vec<(TopicPartition, Wanted)>,
    ) {
        let wait = self.config.max_wait_ms;
        let mut request = FetchRequest {
            replica_id: -1,
            max_wait_ms: match kind {
                Kind::Long => wait,
                Kind::Express => wait.min(EXPRESS_WAIT_MS),
            },
            min_bytes: self.config.min_bytes,
            max_bytes: self.config.max_bytes,
            isolation_level: self.config.isolation.wire(),
            ..FetchRequest::default()
        };
        let state = self.nodes.entry(node).or_default();
        match kind {
            Kind::Long => state.session.ask(&mut request, &wanted),
            Kind::Express => ask_without_session(&mut request, &wanted),
        }
        let without_id = wanted.iter().any(|(_, it)| it.topic_id.is_zero());
        let request_timeout = self.config.cluster.request_timeout_ms;
        let options = RequestOptions {
            lane: match kind {
                Kind::Long => Lane::Fetch,
                Kind::Express => Lane::Main,
            },
            max_version: without_id.then_some(LAST_WITH_NAMES),
            // The broker's wait comes on top.
            timeout_ms: self.config.cluster.enforce_request_timeout.then(|| {
                request_timeout.saturating_add(u64::try_from(request.max_wait_ms).unwrap_or(0))
            }),
            ..RequestOptions::default()
        };
        let token = self
            .cluster
            .request_with(now, Target::Node(node), request, options);
        self.asked.insert(token, Asked::Fetch(node, kind));
        let mut fetch = Fetch {
            token,
            started: now.monotonic,
            partitions: SortedMap::new(),
            topics: SortedMap::new(),
        };
        for (name, wanted) in wanted {
            if let Some(partition) = self.partitions.get_mut(&name) {
                partition.fetching = Some(token);
                fetch.topics.insert(wanted.topic_id, name.topic.clone());
                fetch
                    .partitions
                    .insert(name, (partition.epoch, wanted.offset));
            }
        }
        *self.nodes.entry(node).or_default().fetch(kind) = Some(fetch);
        self.tell(ConsumerEvent::FetchStart { node });
    }

    /// A fetch was answered, or has failed.
    pub(super) fn fetch_answered(
        &mut self,
        now: Now,
        node: i32,
        kind: Kind,
        result: Result<Answer, ClientError>,
    ) {
        let state = self.nodes.entry(node).or_default();
        let Some(fetch) = state.fetch(kind).take() else {
            return;
        };
        for name in fetch.partitions.keys() {
            if let Some(partition) = self.partitions.get_mut(name)
                && partition.fetching == Some(fetch.token)
            {
                partition.fetching = None;
            }
        }
        let decoded = result.and_then(|answer| {
            let response = answer.decode::<FetchRequest>()?;
            Ok((response, answer.version))
        });
        let state = self.nodes.entry(node).or_default();
        match decoded {
            Err(error) => {
                if kind == Kind::Long {
                    state.session.failed(None);
                }
                self.node_failed(now, node, error);
            }
            Ok((response, _)) if response.error_code.is_error() => {
                let code = response.error_code;
                state.session.failed(Some(code));
                // Once is in order, for instance after the broker's restart; then something is wrong.
                if is_of_session(code) && state.trouble.is_none() {
                    state.trouble =
                        Some(Retry::new(&self.config.retry, &mut self.rng, now.monotonic));
                } else {
                    self.node_failed(now, node, ClientError::protocol(code));
                }
            }
            Ok((response, version)) => {
                if kind == Kind::Long {
                    state.session.answered(response.session_id);
                }
                state.trouble = None;
                let batches = self.take_records(now, &fetch, version, response);
                self.tell(ConsumerEvent::Fetched {
                    node,
                    duration_ms: now.monotonic.since(fetch.started),
                    batches,
                });
            }
        }
    }

    /// Takes in what an answer holds; returns from how many partitions there were records.
    fn take_records(
        &mut self,
        now: Now,
        fetch: &Fetch,
        version: i16,
        response: FetchResponse,
    ) -> usize {
        let mut batches = 0_usize;
        for topic in response.responses {
            let name = if version > LAST_WITH_NAMES {
                fetch.topics.get(&topic.topic_id)
            } else {
                Some(&topic.topic)
            };
            let Some(name) = name else { continue };
            for data in topic.partitions {
                let name = TopicPartition::new(name.clone(), data.partition_index);
                let Some(&(epoch, offset)) = fetch.partitions.get(&name) else {
                    continue;
                };
                // A paused partition keeps what comes; one that was placed elsewhere drops it.
                if self.partitions.at_epoch(&name, epoch).is_some()
                    && self.take_partition(now, &name, offset, data)
                {
                    batches = batches.saturating_add(1);
                }
            }
        }
        batches
    }

    /// Asking a broker has failed.
    fn node_failed(&mut self, now: Now, node: i32, error: ClientError) {
        if !self.is_running() {
            return;
        }
        self.cluster.refresh_metadata(now);
        let state = self.nodes.entry(node).or_default();
        let (config, rng) = (&self.config.retry, &mut self.rng);
        let retry = state
            .trouble
            .get_or_insert_with(|| Retry::new(config, rng, now.monotonic));
        if let Verdict::GiveUp(error) = retry.failed(config, rng, now.monotonic, error) {
            state.trouble = None;
            self.crash(now, error);
        }
    }
}

fn is_of_session(code: ErrorCode) -> bool {
    [
        ErrorCode::FETCH_SESSION_ID_NOT_FOUND,
        ErrorCode::INVALID_FETCH_SESSION_EPOCH,
        ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR,
    ]
    .contains(&code)
}
