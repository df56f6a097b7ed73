//! Starting, stopping and failing.

use crate::sorted::SortedSet;

use super::super::OpId;
use super::super::cluster::{Answer, RequestOptions, Target};
use super::super::error::{ClientError, ErrorKind};
use super::group::{GroupState, Membership};
use super::rebalance::Next;
use super::{Asked, Consumer, ConsumerEvent};
use crate::protocol::messages::LeaveGroupRequest;
use crate::protocol::messages::leave_group::MemberIdentity;
use crate::time::Now;

/// Where a consumer is in its life.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not started, or stopped.
    #[default]
    Idle,
    /// Joining or consuming.
    Running,
    /// Ending what is under way, for these commands.
    Stopping {
        ops: Vec<OpId>,
        /// Whether connections are closed at the end.
        disconnect: bool,
    },
    /// Failed; to be stopped by the host.
    Crashed,
}

impl Consumer {
    /// Begins to consume: joins the group with what is subscribed to, or fetches what is assigned
    /// by hand. [`ConsumerEvent::Done`] follows when the first generation has begun, or with an
    /// error beside [`ConsumerEvent::Crashed`].
    pub fn start(&mut self, now: Now) -> OpId {
        let now = self.clock(now);
        match self.phase {
            Phase::Idle => {}
            Phase::Running | Phase::Stopping { .. } | Phase::Crashed => {
                return self.refuse("the consumer is running: stop it first");
            }
        }
        let in_group = !self.subscription.by_hand;
        if in_group && self.config.group_id.is_none() {
            return self.refuse("without a group, partitions must be assigned by hand");
        }
        let op = self.new_op();
        self.phase = Phase::Running;
        self.commits.start_counting(now);
        if in_group {
            self.group.start = Some(op);
            self.group.began = now.monotonic;
            self.group.state = GroupState::Waiting(now.monotonic);
        } else {
            self.done(op, Ok(()));
        }
        self.advance_own(now);
        op
    }

    /// Ends consuming. Nothing more is delivered; the host ends the batches in its hands, as for
    /// [`ConsumerEvent::Revoking`]; what was processed is committed, if commits are automatic; then
    /// the group is left, by a member that is not static. Subscriptions stay.
    /// [`ConsumerEvent::Done`] follows.
    pub fn stop(&mut self, now: Now) -> OpId {
        self.end(now, false)
    }

    /// As [`Consumer::stop`], then closes all connections.
    pub fn disconnect(&mut self, now: Now) -> OpId {
        self.end(now, true)
    }

    fn end(&mut self, now: Now, close: bool) -> OpId {
        let now = self.clock(now);
        let op = self.new_op();
        match &mut self.phase {
            Phase::Idle => {
                if close {
                    self.cluster.close(now);
                }
                self.done(op, Ok(()));
            }
            Phase::Stopping { ops, disconnect } => {
                ops.push(op);
                *disconnect |= close;
            }
            Phase::Running | Phase::Crashed => {
                self.phase = Phase::Stopping {
                    ops: vec![op],
                    disconnect: close,
                };
                self.begin_end(now);
            }
        }
        self.advance_own(now);
        op
    }

    fn begin_end(&mut self, now: Now) {
        if let Some(start) = self.group.start.take() {
            let message = "the consumer was stopped before it had joined its group";
            self.done(start, Err(ClientError::non_retriable(message)));
        }
        self.cancel_group_requests();
        let all: SortedSet<_> = self.partitions.names().into_iter().collect();
        self.start_revocation(now, all, Next::Leave);
    }

    /// Everything is given up: the last request is that to leave.
    pub(super) fn leave(&mut self, now: Now) {
        let key = self.group_key();
        let target = self.cluster.coordinator(&key);
        let stays = self.config.group_instance_id.is_some();
        let Some(coordinator) = target.filter(|_| !stays && !self.group.member_id.is_empty())
        else {
            return self.ended(now);
        };
        let request = LeaveGroupRequest {
            group_id: self.config.group_id.clone().unwrap_or_default(),
            member_id: self.group.member_id.clone(),
            members: vec![MemberIdentity {
                member_id: self.group.member_id.clone(),
                group_instance_id: None,
                reason: None,
            }],
        };
        let limit = self.config.session_timeout_ms;
        let options = RequestOptions {
            lane: self.coordinator_lane(),
            timeout_ms: Some(limit.min(self.config.cluster.request_timeout_ms)),
            ..RequestOptions::default()
        };
        let target = Target::Node(coordinator);
        let token = self.cluster.request_with(now, target, request, options);
        self.asked.insert(token, Asked::Leave);
        self.group.state = GroupState::Out;
    }

    /// LeaveGroup was answered, or has failed: the member is gone, or will be when its session ends.
    pub(super) fn leave_answered(&mut self, now: Now, result: Result<Answer, ClientError>) {
        let answered = result.and_then(|answer| answer.decode::<LeaveGroupRequest>());
        if let Ok(response) = answered {
            self.note_coordinator_error(&ClientError::protocol(response.error_code));
        }
        self.ended(now);
    }

    fn ended(&mut self, now: Now) {
        let Phase::Stopping { ops, disconnect } = std::mem::take(&mut self.phase) else {
            return;
        };
        self.group = Membership::default();
        self.abandon_commits(now);
        self.pauses.clear();
        self.early_seeks.clear();
        if disconnect {
            self.cluster.close(now);
        }
        for op in ops {
            self.done(op, Ok(()));
        }
    }

    /// Fails. Membership and what was processed are kept for [`Consumer::stop`].
    pub(super) fn crash(&mut self, _now: Now, error: ClientError) {
        if !self.is_running() {
            return;
        }
        self.phase = Phase::Crashed;
        self.cancel_group_requests();
        self.group.state = GroupState::Out;
        if let Some(start) = self.group.start.take() {
            self.done(start, Err(error.clone()));
        }
        self.tell(ConsumerEvent::Crashed {
            restart: restart_may_help(&error),
            restart_after_ms: restart_after(&error, self.config.retry.initial_retry_time_ms),
            error,
        });
    }
}

/// KafkaJS's rule for starting again after a crash: when retries were used up, or when the first
/// cause of all may pass.
#[must_use]
pub fn restart_may_help(error: &ClientError) -> bool {
    let mut innermost = error;
    while let Some(cause) = &innermost.cause {
        innermost = cause;
    }
    matches!(error.kind, ErrorKind::NumberOfRetriesExceeded { .. }) || innermost.retriable
}

/// How long KafkaJS waits before it starts again, in milliseconds.
#[must_use]
pub fn restart_after(error: &ClientError, initial_retry_time_ms: u64) -> u64 {
    let mut times = vec![initial_retry_time_ms];
    if let ErrorKind::NumberOfRetriesExceeded { retry_time_ms, .. } = error.kind {
        times.insert(0, retry_time_ms);
    }
    times.into_iter().find(|it| *it > 0).unwrap_or(300)
}
