//! From one generation to the next: partitions are given up in order, or lost, and new ones come.
//!
//! Giving up has two steps. First nothing more is delivered, and the host ends the batches in its
//! hands; then what it has processed is committed. Both together are bounded by three quarters of
//! the rebalance timeout, so that the coordinator does not give the member up meanwhile.

use crate::sorted::SortedSet;

use super::event::{CommitCause, GroupJoin, Rebalance};
use super::group::GroupState;
use super::{Consumer, ConsumerEvent};
use crate::client::error::ClientError;
use crate::time::{Monotonic, Now};
use crate::types::TopicPartition;

/// Partitions on their way out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revocation {
    partitions: SortedSet<TopicPartition>,
    /// After this nothing is waited for.
    pub(super) deadline: Monotonic,
    /// Whether the host has said that it is done.
    acknowledged: bool,
    /// Whether what was processed is being committed.
    committing: bool,
    next: Next,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Join,
    Leave,
}

impl Consumer {
    /// The host is done with the partitions of [`ConsumerEvent::Revoking`]; batches that it has not
    /// reported as complete or released do not count any more. Not needed once all are.
    pub fn revoked(&mut self, now: Now) {
        let now = self.clock(now);
        if let GroupState::Revoking(revocation) = &mut self.group.state {
            revocation.acknowledged = true;
        }
        self.advance_own(now);
    }

    /// The group rebalances: as soon as this member is settled, it joins again.
    pub(super) fn rejoin(&mut self, _now: Now, reason: Rebalance) {
        if self.group.state == GroupState::Stable {
            self.group.rejoin = Some(reason);
        }
    }

    /// Gives up what is to be given up, then joins.
    pub(super) fn begin_rejoin(&mut self, now: Now, reason: Rebalance) {
        self.tell(ConsumerEvent::Rebalancing {
            reason,
            member_id: self.group.member_id.clone(),
        });
        self.group.began = now.monotonic;
        let all = self.partitions.names().into_iter();
        let partitions: SortedSet<_> = if self.config.is_cooperative() {
            all.filter(|it| !self.subscription.wants(&it.topic))
                .collect()
        } else {
            all.collect()
        };
        self.start_revocation(now, partitions, Next::Join);
    }

    /// Begins to give up partitions.
    pub(super) fn start_revocation(
        &mut self,
        now: Now,
        partitions: SortedSet<TopicPartition>,
        next: Next,
    ) {
        for name in &partitions {
            if let Some(partition) = self.partitions.get_mut(name) {
                partition.revoking = true;
            }
        }
        let grace = self.config.rebalance_timeout_ms.saturating_mul(3) / 4;
        let deadline = Monotonic(now.monotonic.0.saturating_add(grace));
        if !partitions.is_empty() {
            self.tell(ConsumerEvent::Revoking {
                partitions: partitions.iter().cloned().collect(),
                deadline,
            });
        }
        self.group.state = GroupState::Revoking(Revocation {
            partitions,
            deadline,
            acknowledged: false,
            committing: false,
            next,
        });
    }

    /// Goes on with giving up partitions, as far as that is possible now.
    pub(super) fn drive_revocation(&mut self, now: Now) {
        let GroupState::Revoking(revocation) = &self.group.state else {
            return;
        };
        let expired = revocation.deadline <= now.monotonic;
        if !revocation.committing {
            let busy = revocation
                .partitions
                .iter()
                .filter_map(|name| self.partitions.get(name))
                .any(|it| it.in_hand.is_some());
            if busy && !revocation.acknowledged && !expired {
                return;
            }
            if self.config.auto_commit.enabled {
                let going = revocation.partitions.clone();
                let offsets = self.processed_offsets(|name| going.contains(name));
                if !offsets.is_empty() && self.config.group_id.is_some() {
                    self.enqueue_commit(CommitCause::Revoke, offsets);
                }
            }
        }
        // What has not even been sent when time is up goes out just before the join.
        self.drive_commits(now);
        let done = expired || self.commits.is_idle();
        let GroupState::Revoking(revocation) = &mut self.group.state else {
            return;
        };
        revocation.committing = true;
        if !done {
            return;
        }
        let next = revocation.next;
        let partitions: Vec<_> = std::mem::take(&mut revocation.partitions)
            .into_iter()
            .collect();
        for name in &partitions {
            self.partitions.remove(name);
            if self.subscription.by_hand {
                // For the next start.
                self.partitions.insert(name.clone());
            }
        }
        if !partitions.is_empty() {
            self.tell(ConsumerEvent::Revoked { partitions });
        }
        match next {
            Next::Join => self.join(now),
            Next::Leave => self.leave(now),
        }
    }

    /// This member's part of a generation has come.
    pub(super) fn assigned(&mut self, now: Now, mut assignment: Vec<TopicPartition>) {
        self.leave_out_unsubscribed(&mut assignment);
        let wanted: SortedSet<_> = assignment.iter().cloned().collect();
        let owned = self.partitions.names();
        // What was claimed at the join, lost meanwhile and not given back: nobody has it, for the
        // leader waits for this member to let go of it.
        let claimed = std::mem::take(&mut self.group.claimed);
        let ownerless = claimed
            .iter()
            .any(|it| !wanted.contains(it) && !owned.contains(it));
        let gone: SortedSet<_> = owned
            .into_iter()
            .filter(|it| !wanted.contains(it))
            .collect();
        self.group.last_assigned = Some((assignment.clone(), self.group.generation));
        self.group.trouble = None;
        self.group.heard = now.monotonic;
        self.group.state = GroupState::Stable;
        let protocol = self.group.protocol.clone();
        self.tell(ConsumerEvent::Joined(GroupJoin {
            generation: self.group.generation,
            member_id: self.group.member_id.clone(),
            leader_id: self.group.leader_id.clone(),
            is_leader: self.group.is_leader(),
            protocol,
            assignment,
            duration_ms: now.monotonic.since(self.group.began),
        }));
        let mut come = Vec::new();
        for name in wanted {
            if !self.partitions.contains(&name) {
                self.partitions.insert(name.clone());
                come.push(name);
            }
        }
        let partitions = &self.partitions;
        self.commits.lose_all_but(|name| partitions.contains(name));
        let sought = std::mem::take(&mut self.early_seeks);
        self.tell(ConsumerEvent::Assigned { partitions: come });
        for (name, to) in sought {
            if self.partitions.contains(&name) {
                self.seek_assigned(&name, to);
            }
        }
        if let Some(op) = self.group.start.take() {
            self.done(op, Ok(()));
        }
        if !gone.is_empty() || ownerless {
            self.tell(ConsumerEvent::Rebalancing {
                reason: Rebalance::PartitionsRevoked,
                member_id: self.group.member_id.clone(),
            });
            self.group.began = now.monotonic;
            self.start_revocation(now, gone, Next::Join);
        }
    }

    /// The leader may assign what this member did not ask for: KafkaJS's does.
    fn leave_out_unsubscribed(&mut self, assignment: &mut Vec<TopicPartition>) {
        let mut assigned: Vec<String> = Vec::new();
        for name in assignment.iter() {
            if !assigned.contains(&name.topic) {
                assigned.push(name.topic.clone());
            }
        }
        // With what the member joined with, not with what it may want by now.
        let subscribed = self.group.joined_topics.clone();
        let strange = assigned.iter().filter(|topic| !subscribed.contains(topic));
        let not_subscribed: Vec<String> = strange.cloned().collect();
        if not_subscribed.is_empty() {
            return;
        }
        assignment.retain(|name| !not_subscribed.contains(&name.topic));
        self.tell(ConsumerEvent::UnsubscribedTopics {
            generation: self.group.generation,
            member_id: self.group.member_id.clone(),
            assigned,
            subscribed,
            not_subscribed,
        });
    }

    /// The coordinator has gone on without this member: it joins as if anew.
    pub(super) fn lose_membership(&mut self, now: Now, reason: Rebalance) {
        if let GroupState::Joining(_) = self.group.state {
            // It is joining already, and that answer will say whether it keeps its id.
            self.group.generation = -1;
            return self.lose_partitions();
        }
        self.forget_generation();
        if reason == Rebalance::UnknownMember {
            self.group.member_id.clear();
        }
        self.lose_partitions();
        if !self.is_running() {
            // Stopping: there is nothing to commit and no place to leave.
            return;
        }
        self.tell(ConsumerEvent::Rebalancing {
            reason,
            member_id: self.group.member_id.clone(),
        });
        self.group.began = now.monotonic;
        self.group.state = GroupState::Waiting(now.monotonic);
    }

    /// Another member has taken this one's group instance id: that is the end.
    pub(super) fn fenced(&mut self, now: Now, error: ClientError) {
        self.forget_generation();
        self.group.member_id.clear();
        self.lose_partitions();
        self.crash(now, error);
    }

    /// Drops everything under way that belongs to the present generation.
    fn forget_generation(&mut self) {
        self.group.generation = -1;
        self.group.rejoin = None;
        self.group.watched = None;
        self.cancel_group_requests();
    }

    pub(super) fn cancel_group_requests(&mut self) {
        let state = match self.group.state {
            GroupState::Joining(token) | GroupState::Syncing(token) => Some(token),
            GroupState::Out
            | GroupState::Revoking(_)
            | GroupState::Waiting(_)
            | GroupState::ProtocolsNeeded
            | GroupState::TopicsNeeded(_)
            | GroupState::AssignmentNeeded
            | GroupState::Stable => None,
        };
        self.group.detour |= state.is_some();
        for token in state.into_iter().chain(self.group.heartbeat.take()) {
            self.asked.remove(&token);
            self.cluster.cancel(token);
        }
    }

    fn lose_partitions(&mut self) {
        let partitions = self.partitions.names();
        self.partitions.clear();
        self.commits.lose();
        if !partitions.is_empty() {
            self.tell(ConsumerEvent::Lost { partitions });
        }
    }
}
