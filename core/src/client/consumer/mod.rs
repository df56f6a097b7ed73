//! The consumer: membership in a group, positions, fetching, commits.
//!
//! A [`Consumer`] is driven as [`client`](super) says. On top of that its host
//! 1. subscribes or assigns, then [starts](Consumer::start);
//! 2. after every call takes each [`ConsumerEvent`] by [`Consumer::poll_event`], and records by
//!    [`Consumer::poll`], until there are none;
//! 3. processes each batch, reports how far it has come by [`Consumer::mark_processed`], and ends
//!    the batch by [`Consumer::complete`], [`Consumer::release`] or [`Consumer::failed`];
//! 4. hurries when [`ConsumerEvent::Revoking`] says so;
//! 5. calls [`Consumer::stop`] when it is done, and after [`ConsumerEvent::Crashed`].
//!
//! # What it decides, and what not
//! - The `run` loop, user code and its errors are the host's: nothing here calls user code. So is
//!   the liveness of user code; heartbeats go on while a batch is in the host's hands.
//! - Delivery is at least once: offsets are committed when the host has processed, not when it has
//!   polled. What is given up in order is committed first, so its next owner goes on from there.
//! - Records fetched before a seek, or of partitions that were given up, are never delivered.
//! - Broken connections, moved leaders and coordinators are dealt with silently, as often as
//!   [`ConsumerConfig::retry`] says; then, and for what repeating does not help, the consumer
//!   crashes, as KafkaJS's does.
//!
//! # Map
//! Membership: `group`, `rebalance`, `leader`, `lifecycle`. Records: `fetch` and `session`, `deliver`
//! and `batch`. Offsets: `positions`, `commit`, both in the formats of `wire`. What all share:
//! `partitions`. Each step of these looks at the state and does what is possible; `drive` calls
//! them all after every event, so none needs to know what the others wait for.

mod batch;
mod commit;
mod config;
mod deliver;
mod event;
mod fetch;
mod group;
mod leader;
mod lifecycle;
mod partitions;
mod pauses;
mod positions;
mod rebalance;
mod session;
mod status;
mod subscription;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]
mod tests;
mod topics;
mod wire;

use crate::sorted::SortedMap;
use std::collections::VecDeque;

pub use batch::{BatchId, FetchedBatch};
pub use config::{AutoCommit, ConsumerConfig, GroupAssignor, Isolation, OffsetReset};
pub use event::{CommitCause, ConsumerEvent, GroupJoin, OffsetToCommit, Origin, Rebalance};
pub use lifecycle::{restart_after, restart_may_help};
pub use status::{ConsumerState, PartitionStatus};
pub use subscription::{SeekTo, TopicSubscription};

use super::cluster::{Answer, ClusterEvent, Token};
use super::error::ClientError;
use super::rng::Rng;
use super::{Cluster, Endpoint, OpId};
use crate::time::{Monotonic, Now};
use crate::types::TopicPartition;
use commit::Commits;
use fetch::Kind;
use group::Membership;
use lifecycle::Phase;
use partitions::Partitions;
use pauses::Pauses;
use positions::Asking;
use subscription::Subscription;
use topics::TopicWatch;

/// What a request was for.
#[derive(Debug)]
enum Asked {
    Join,
    Sync,
    /// In this generation.
    Heartbeat(i32),
    Leave,
    Committed(Vec<Asking>),
    Offsets(Vec<Asking>),
    Fetch(i32, Kind),
    /// In this generation.
    Commit(i32),
    Topics(OpId),
}

/// A consumer: see the [module](self).
#[derive(Debug)]
pub struct Consumer {
    config: ConsumerConfig,
    cluster: Cluster,
    rng: Rng,
    phase: Phase,
    next_op: u64,
    asked: SortedMap<Token, Asked>,
    subscription: Subscription,
    watch: TopicWatch,
    group: Membership,
    partitions: Partitions,
    pauses: Pauses,
    /// Seeks in partitions that are not assigned yet.
    early_seeks: SortedMap<TopicPartition, SeekTo>,
    nodes: fetch::Nodes,
    commits: Commits,
    events: VecDeque<ConsumerEvent>,
    /// The latest time seen.
    now: Now,
    /// When everything possible was last done.
    driven: Option<Monotonic>,
}

impl Consumer {
    /// A consumer that does nothing yet.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: ConsumerConfig, seed: [u8; 32]) -> Result<Self, ClientError> {
        config.validate()?;
        let mut rng = Rng::new(seed);
        let cluster = Cluster::new(config.cluster.clone(), rng.fork());
        Ok(Self {
            config,
            cluster,
            rng,
            phase: Phase::Idle,
            next_op: 0,
            asked: SortedMap::new(),
            subscription: Subscription::default(),
            watch: TopicWatch::default(),
            group: Membership::default(),
            partitions: Partitions::default(),
            pauses: Pauses::default(),
            early_seeks: SortedMap::new(),
            nodes: fetch::Nodes::new(),
            commits: Commits::default(),
            events: VecDeque::new(),
            now: Now::default(),
            driven: None,
        })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// Sets which offsets are committed automatically from now on: KafkaJS says so only when the
    /// consumer runs.
    pub fn set_auto_commit(&mut self, auto_commit: AutoCommit) {
        self.config.auto_commit = auto_commit;
    }

    /// Pauses partitions of a topic, or all of it with partitions yet to come: nothing of them is
    /// fetched or delivered. What was fetched is kept. Lasts until resumed, over rebalances too, or
    /// until the consumer stops.
    pub fn pause(&mut self, topic: &str, partitions: Option<&[i32]>) {
        self.pauses.pause(topic, partitions);
    }

    /// Ends a pause.
    pub fn resume(&mut self, now: Now, topic: &str, partitions: Option<&[i32]>) {
        let now = self.clock(now);
        self.pauses.resume(topic, partitions);
        self.advance_own(now);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ConsumerEvent> {
        self.events.pop_front()
    }

    /// Whether [`Consumer::poll_event`] has something.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    fn tell(&mut self, event: ConsumerEvent) {
        self.events.push_back(event);
    }

    fn done(&mut self, op: OpId, result: Result<(), ClientError>) {
        self.tell(ConsumerEvent::Done { op, result });
    }

    fn new_op(&mut self) -> OpId {
        self.next_op = self.next_op.saturating_add(1);
        OpId(self.next_op)
    }

    /// A command that makes no sense now.
    fn refuse(&mut self, message: &str) -> OpId {
        let op = self.new_op();
        self.done(op, Err(ClientError::non_retriable(message)));
        op
    }

    /// Time never goes back: returns the later of `now` and what was seen before.
    fn clock(&mut self, now: Now) -> Now {
        self.now = Now {
            monotonic: now.monotonic.max(self.now.monotonic),
            wall: now.wall,
        };
        self.now
    }

    /// Acts on events of the network layer and does what is possible, until nothing is left.
    fn advance_own(&mut self, now: Now) {
        loop {
            while let Some(event) = self.cluster.poll_event() {
                self.handle(now, event);
            }
            self.drive(now);
            // A request that cannot even be sent is answered at once.
            match self.cluster.poll_event() {
                Some(event) => self.handle(now, event),
                None => return,
            }
        }
    }

    fn drive(&mut self, now: Now) {
        self.driven = Some(now.monotonic);
        self.drive_topics(now);
        self.drive_group(now);
        self.drive_positions(now);
        self.drive_commits(now);
        // What was committed last may have been all that was waited for.
        self.drive_revocation(now);
        self.drive_fetches(now);
    }

    fn handle(&mut self, now: Now, event: ClusterEvent) {
        match event {
            ClusterEvent::Answer { token, result } => self.answered(now, token, result),
            ClusterEvent::MetadataUpdated => self.metadata_updated(now),
            ClusterEvent::MetadataFailed(error) => self.metadata_failed(now, error),
            ClusterEvent::NodeReady(_) | ClusterEvent::NodeFailed(..) => {}
        }
    }

    fn answered(&mut self, now: Now, token: Token, result: Result<Answer, ClientError>) {
        match self.asked.remove(&token) {
            Some(Asked::Join) => self.join_answered(now, result),
            Some(Asked::Sync) => self.sync_answered(now, result),
            Some(Asked::Heartbeat(generation)) => self.heartbeat_answered(now, generation, result),
            Some(Asked::Leave) => self.leave_answered(now, result),
            Some(Asked::Committed(asking)) => self.committed_answered(now, asking, result),
            Some(Asked::Offsets(asking)) => self.offsets_answered(now, asking, result),
            Some(Asked::Fetch(node, kind)) => self.fetch_answered(now, node, kind, result),
            Some(Asked::Commit(generation)) => self.commit_answered(now, generation, result),
            Some(Asked::Topics(op)) => self.topics_answered(op, result),
            None => {}
        }
    }
}

impl Endpoint for Consumer {
    fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    fn advance(&mut self, now: Now) {
        let now = self.clock(now);
        self.advance_own(now);
    }

    fn own_timeout(&self) -> Option<Monotonic> {
        let partitions = self.partitions.iter().filter_map(|(_, it)| it.due());
        let nodes = self.nodes.values().filter_map(fetch::Node::due);
        let again = self.partitions.iter();
        let again = again.filter_map(|(_, it)| it.deliverable_at());
        let waits = partitions
            .chain(nodes)
            .chain(again)
            .filter(|_| self.is_running());
        let group = self.group.due();
        let rest = [
            self.watch.due(),
            group,
            self.commits.due(),
            self.auto_commit_at(),
        ];
        // What was due before was tried then, and waits for something else than time.
        let all = waits.chain(rest.into_iter().flatten());
        all.filter(|due| Some(*due) > self.driven).min()
    }
}
