//! Commits: one after the other, in the order in which they were asked for.
//!
//! A commit carries member and generation of the moment it is sent. While the member joins, none is
//! sent: the coordinator would answer nothing else on the connection. What was asked for in an
//! earlier generation is sent in the present one only if the member still has all its partitions,
//! since otherwise it would undo what their new owners commit; else it fails with
//! `ILLEGAL_GENERATION`. What was asked for before the member lost its partitions fails whatever
//! comes: others may have had them meanwhile, and a generation's number comes again if the broker
//! crashed before it was durable.

use std::collections::VecDeque;

use super::super::OpId;
use super::super::cluster::{Answer, RequestOptions, Target, Token};
use super::super::error::{ClientError, ErrorKind};
use super::super::retry::{Retry, Verdict};
use super::event::{CommitCause, OffsetToCommit, Rebalance};
use super::{Asked, Consumer, ConsumerEvent};
use crate::protocol::ErrorCode;
use crate::protocol::messages::OffsetCommitRequest;
use crate::time::{Monotonic, Now};
use crate::types::TopicPartition;

/// A commit that is not done.
#[derive(Debug)]
struct Job {
    op: OpId,
    cause: CommitCause,
    offsets: Vec<OffsetToCommit>,
    /// The generation in which it was asked for.
    generation: i32,
    /// The member has lost its partitions since.
    lost: bool,
    retry: Option<Retry>,
    token: Option<Token>,
}

/// All commits that are not done.
#[derive(Debug, Default)]
pub(super) struct Commits {
    queue: VecDeque<Job>,
    /// When the last one was made, or counting began.
    last: Monotonic,
}

impl Commits {
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// The member has lost its partitions: what is under way is not its to commit any more.
    pub(super) fn lose(&mut self) {
        for job in &mut self.queue {
            job.lost = true;
        }
    }

    /// A generation has begun in which this member has these partitions: what it asked for of others
    /// is theirs now, even if they come back later.
    pub(super) fn lose_all_but(&mut self, has: impl Fn(&TopicPartition) -> bool) {
        for job in &mut self.queue {
            job.lost |= !job.offsets.iter().all(|it| has(&it.partition));
        }
    }

    /// Counts the interval of automatic commits from here.
    pub(super) fn start_counting(&mut self, now: Now) {
        self.last = now.monotonic;
    }

    /// When the next attempt may start, if the last one has failed.
    pub(super) fn due(&self) -> Option<Monotonic> {
        let first = self.queue.front().filter(|job| job.token.is_none())?;
        first.retry.as_ref().map(Retry::due)
    }
}

impl Consumer {
    /// Commits offsets for the group: of each partition that of the next record to process.
    /// [`ConsumerEvent::Committed`] follows. Partitions that are not assigned are allowed.
    pub fn commit(&mut self, now: Now, offsets: Vec<OffsetToCommit>) -> OpId {
        let now = self.clock(now);
        let op = self.enqueue_commit(CommitCause::Asked, offsets);
        self.advance_own(now);
        op
    }

    /// Commits what is [processed](Consumer::mark_processed) and not committed, with or without
    /// automatic commits. [`ConsumerEvent::Committed`] follows. `None` if there is nothing.
    pub fn commit_processed(&mut self, now: Now) -> Option<OpId> {
        let now = self.clock(now);
        let op = self.commit_automatically(now);
        self.advance_own(now);
        op
    }

    /// As [`Consumer::commit_processed`], if interval or threshold of
    /// [`AutoCommit`](super::AutoCommit) say so, whether or not it is enabled, or such a commit is
    /// under way already.
    pub fn commit_if_due(&mut self, now: Now) -> Option<OpId> {
        let now = self.clock(now);
        let under_way = self.automatic_commit();
        if under_way.is_some() || !self.commit_is_due(now) {
            return under_way;
        }
        self.commit_processed(now)
    }

    /// What is [processed](Consumer::mark_processed) and not committed.
    #[must_use]
    pub fn uncommitted(&self) -> Vec<(TopicPartition, i64)> {
        let uncommitted = self
            .partitions
            .iter()
            .filter_map(|(name, it)| Some((name.clone(), it.uncommitted()?)));
        uncommitted.collect()
    }

    /// Whether it is time for an automatic commit.
    pub(super) fn auto_commit_is_due(&self, now: Now) -> bool {
        self.config.auto_commit.enabled && self.commit_is_due(now)
    }

    /// Whether interval or threshold say that it is time.
    fn commit_is_due(&self, now: Now) -> bool {
        let auto = &self.config.auto_commit;
        if auto.threshold.is_none() && auto.interval_ms.is_none() {
            return false;
        }
        let waited = now.monotonic.since(self.commits.last);
        let mut any = false;
        let mut count = 0_u64;
        for (_, it) in self.partitions.iter() {
            if let Some(processed) = it.uncommitted() {
                any = true;
                let records = processed.saturating_sub(it.committed.unwrap_or(0));
                count = count.saturating_add(u64::try_from(records).unwrap_or(0));
            }
        }
        let by_interval = auto.interval_ms.is_some_and(|it| waited >= it);
        any && (by_interval || auto.threshold.is_some_and(|it| count >= it))
    }

    /// When automatic commits are due by their interval, if there is anything to commit.
    pub(super) fn auto_commit_at(&self) -> Option<Monotonic> {
        let auto = &self.config.auto_commit;
        let interval = auto.interval_ms.filter(|_| auto.enabled)?;
        let mut partitions = self.partitions.iter();
        let any = partitions.any(|(_, it)| it.uncommitted().is_some());
        let idle = any && self.is_running() && self.automatic_commit().is_none();
        idle.then(|| Monotonic(self.commits.last.0.saturating_add(interval)))
    }

    /// The automatic commit that is under way.
    fn automatic_commit(&self) -> Option<OpId> {
        let mut queue = self.commits.queue.iter();
        let found = queue.find(|job| job.cause == CommitCause::Auto);
        found.map(|job| job.op)
    }

    /// Commits what is processed. What is not sent yet is brought up to date.
    pub(super) fn commit_automatically(&mut self, now: Now) -> Option<OpId> {
        let offsets = self.processed_offsets(|_| true);
        if offsets.is_empty() {
            return None;
        }
        self.commits.last = now.monotonic;
        let generation = self.group.generation;
        let mut queue = self.commits.queue.iter_mut();
        let waiting = queue.find(|job| job.cause == CommitCause::Auto && job.token.is_none());
        if let Some(job) = waiting {
            job.offsets = offsets;
            job.generation = generation;
            return Some(job.op);
        }
        Some(self.enqueue_commit(CommitCause::Auto, offsets))
    }

    /// What is processed and not committed of some partitions.
    pub(super) fn processed_offsets(
        &self,
        of: impl Fn(&TopicPartition) -> bool,
    ) -> Vec<OffsetToCommit> {
        let uncommitted = self.uncommitted().into_iter();
        let offsets =
            uncommitted
                .filter(|(partition, _)| of(partition))
                .map(|(partition, offset)| OffsetToCommit {
                    partition,
                    offset,
                    metadata: None,
                });
        offsets.collect()
    }

    pub(super) fn enqueue_commit(
        &mut self,
        cause: CommitCause,
        offsets: Vec<OffsetToCommit>,
    ) -> OpId {
        let op = self.new_op();
        self.commits.queue.push_back(Job {
            op,
            cause,
            offsets,
            generation: self.group.generation,
            lost: false,
            retry: None,
            token: None,
        });
        op
    }

    /// Sends the next commit, if it may be sent.
    pub(super) fn drive_commits(&mut self, now: Now) {
        if self.is_running() && self.automatic_commit().is_none() && self.auto_commit_is_due(now) {
            self.commit_automatically(now);
        }
        while let Some(first) = self.commits.queue.front() {
            let waits = first
                .retry
                .as_ref()
                .is_some_and(|it| it.due() > now.monotonic);
            if first.token.is_some() || waits {
                return;
            }
            match self.commit_refused(first) {
                Some(error) => self.commit_done(now, Err(error)),
                None if first.offsets.is_empty() => self.commit_done(now, Ok(())),
                None if self.coordinator_is_free() => return self.send_commit(now),
                None => return,
            }
        }
    }

    /// Why a commit cannot be made, if so.
    fn commit_refused(&self, job: &Job) -> Option<ClientError> {
        if self.config.group_id.is_none() {
            return Some(ClientError::protocol(ErrorCode::INVALID_GROUP_ID));
        }
        if self.subscription.by_hand {
            return None;
        }
        if job.lost {
            return Some(ClientError::protocol(ErrorCode::ILLEGAL_GENERATION));
        }
        if !self.is_member() {
            let message = "Consumer group was not initialized, consumer#run must be called first";
            return Some(ClientError::non_retriable(message));
        }
        // While the member joins, the next generation will say, if there is to be one.
        let settled = self.coordinator_is_free() || !self.is_running();
        let mut partitions = job.offsets.iter().map(|it| &it.partition);
        let stays = job.generation == self.group.generation
            || partitions.all(|name| self.partitions.contains(name));
        let lost = self.group.generation < 0;
        (settled && (lost || !stays)).then(|| ClientError::protocol(ErrorCode::ILLEGAL_GENERATION))
    }

    fn send_commit(&mut self, now: Now) {
        let group_id = self.config.group_id.clone().unwrap_or_default();
        let (member_id, generation) = self.identity();
        let Some(first) = self.commits.queue.front() else {
            return;
        };
        let committer = super::wire::Committer {
            group_id: &group_id,
            member_id: &member_id,
            group_instance_id: self
                .config
                .group_instance_id
                .as_deref()
                .filter(|_| !member_id.is_empty()),
            generation,
        };
        let metadata = self.cluster.metadata();
        let request = super::wire::offset_commit(&committer, &first.offsets, metadata);
        let options = RequestOptions {
            lane: self.coordinator_lane(),
            max_version: request.max_version,
            ..RequestOptions::default()
        };
        let target = self.commit_target();
        let token = self
            .cluster
            .request_with(now, target, request.message, options);
        self.asked.insert(token, Asked::Commit(generation));
        if let Some(first) = self.commits.queue.front_mut() {
            first.token = Some(token);
            first.generation = generation;
        }
    }

    fn commit_target(&self) -> Target {
        let known = self.cluster.coordinator(&self.group_key());
        match known.filter(|_| self.group.detour) {
            Some(coordinator) => Target::Node(coordinator),
            None => self.group_target(),
        }
    }

    /// OffsetCommit was answered, or has failed.
    pub(super) fn commit_answered(
        &mut self,
        now: Now,
        generation: i32,
        result: Result<Answer, ClientError>,
    ) {
        let answered = result.and_then(|answer| {
            let response = answer.decode::<OffsetCommitRequest>()?;
            let metadata = self.cluster.metadata();
            Ok(super::wire::commit_results(
                response,
                answer.version,
                metadata,
            ))
        });
        let error = match answered {
            Ok(results) => self.take_commit_results(results),
            Err(error) => Some(error),
        };
        let Some(first) = self.commits.queue.front_mut() else {
            return;
        };
        first.token = None;
        let Some(error) = error else {
            return self.commit_done(now, Ok(()));
        };
        let (config, rng) = (&self.config.retry, &mut self.rng);
        let retry = first
            .retry
            .get_or_insert_with(|| Retry::new(config, rng, now.monotonic));
        let verdict = retry.failed(config, rng, now.monotonic, error.clone());
        self.note_coordinator_error(&error);
        if let Verdict::GiveUp(last) = verdict {
            self.commit_done(now, Err(last));
        }
        if generation == self.group.generation {
            match error.error_code() {
                Some(ErrorCode::REBALANCE_IN_PROGRESS) => self.rejoin(now, Rebalance::InProgress),
                Some(ErrorCode::ILLEGAL_GENERATION) => {
                    self.lose_membership(now, Rebalance::IllegalGeneration);
                }
                Some(ErrorCode::UNKNOWN_MEMBER_ID) => {
                    self.lose_membership(now, Rebalance::UnknownMember);
                }
                Some(ErrorCode::FENCED_INSTANCE_ID) => self.fenced(now, error),
                _ => {}
            }
        }
    }

    /// Notes what is committed; returns the first error.
    fn take_commit_results(
        &mut self,
        results: Vec<(TopicPartition, ErrorCode)>,
    ) -> Option<ClientError> {
        let first = self.commits.queue.front()?;
        let mut error = None;
        for (name, code) in results {
            if code.is_error() {
                let about = || ClientError::protocol_about(code, None, &name.to_string());
                error.get_or_insert_with(about);
                continue;
            }
            let mut offsets = first.offsets.iter();
            let committed = offsets.find(|it| it.partition == name).map(|it| it.offset);
            if let Some(partition) = self.partitions.get_mut(&name) {
                partition.committed = committed;
            }
        }
        error
    }

    /// Stopped: what is not committed by now will not be.
    pub(super) fn abandon_commits(&mut self, now: Now) {
        while let Some(first) = self.commits.queue.front() {
            if let Some(token) = first.token {
                self.asked.remove(&token);
                self.cluster.cancel(token);
            }
            let error = ClientError::fatal(ErrorKind::Timeout, "the consumer was stopped");
            self.commit_done(now, Err(error));
        }
    }

    /// The first commit is done, one way or the other.
    fn commit_done(&mut self, now: Now, result: Result<(), ClientError>) {
        let Some(job) = self.commits.queue.pop_front() else {
            return;
        };
        self.commits.last = now.monotonic;
        let (member_id, _) = self.identity();
        self.tell(ConsumerEvent::Committed {
            op: job.op,
            cause: job.cause,
            member_id,
            generation: job.generation,
            offsets: job.offsets,
            result,
        });
    }
}
