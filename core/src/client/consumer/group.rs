//! Membership in a group: joining, the generation, heartbeats.
//!
//! `Out` → (`Revoking` → `Waiting` →) `ProtocolsNeeded` → `Joining` → for the leader `TopicsNeeded`,
//! `AssignmentNeeded` → `Syncing` → `Stable`, and from there by `Revoking` again, when the group
//! rebalances or the consumer stops.
//!
//! # What it decides
//! - A member keeps its id over everything but `UNKNOWN_MEMBER_ID`. It loses its generation, and
//!   with it all partitions and the right to commit, by that code and by `ILLEGAL_GENERATION`;
//!   `FENCED_INSTANCE_ID` is the end.
//! - Before it rejoins, an eager member gives up everything and a cooperative one what it no longer
//!   subscribes to (KIP-429). What is given up is committed first.
//! - A coordinator that has moved or is loading is asked again; nothing else changes.
//! - Heartbeats are sent from the first answer to JoinGroup on, except while JoinGroup or SyncGroup
//!   is unanswered: then the coordinator knows that the member is there, and answers nothing else.
//!
//! Sources: KIP-62, KIP-345, KIP-394, KIP-429; Kafka's `ConsumerCoordinator`.

use crate::sorted::SortedMap;

use bytes::Bytes;

use super::super::OpId;
use super::super::cluster::{Answer, CoordinatorKey, Lane, RequestOptions, Target, Token};
use super::super::error::ClientError;
use super::super::retry::{Retry, Verdict};
use super::event::Rebalance;
use super::rebalance::Revocation;
use super::{Asked, Consumer, ConsumerEvent};
use crate::protocol::ErrorCode;
use crate::protocol::messages::{HeartbeatRequest, JoinGroupRequest, JoinGroupResponse};
use crate::time::{Monotonic, Now};
use crate::types::TopicPartition;

/// Where a member is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum GroupState {
    /// In no group.
    #[default]
    Out,
    /// Giving up partitions.
    Revoking(Revocation),
    /// About to join, after a failure, at this moment.
    Waiting(Monotonic),
    /// The host is to say how its assignors take part.
    ProtocolsNeeded,
    /// JoinGroup is under way.
    Joining(Token),
    /// Leading; topics of other members are being asked for.
    TopicsNeeded(Box<JoinGroupResponse>),
    /// Leading; the host is to share out the partitions.
    AssignmentNeeded,
    /// SyncGroup is under way.
    Syncing(Token),
    /// A member of its generation, with partitions or without.
    Stable,
}

/// What a member knows of itself.
#[derive(Debug)]
pub(super) struct Membership {
    pub(super) state: GroupState,
    /// Given by the coordinator; empty before.
    pub(super) member_id: String,
    /// Negative outside of any.
    pub(super) generation: i32,
    pub(super) leader_id: String,
    pub(super) protocol: String,
    /// Why to join again, as soon as this generation is settled.
    pub(super) rejoin: Option<Rebalance>,
    /// What was assigned last, and in which generation: for sticky assignors.
    pub(super) last_assigned: Option<(Vec<TopicPartition>, i32)>,
    /// The topics with which the member joined.
    pub(super) joined_topics: Vec<String>,
    /// The partitions that it said it keeps while it joins: the leader gives them to nobody else.
    pub(super) claimed: Vec<TopicPartition>,
    /// As leader: how many partitions the group's topics had when they were shared out.
    pub(super) watched: Option<SortedMap<String, i32>>,
    /// What the host's assignors say of this member.
    pub(super) custom: SortedMap<String, Bytes>,
    /// When the rebalance under way began.
    pub(super) began: Monotonic,
    /// The command that waits for the first generation.
    pub(super) start: Option<OpId>,
    pub(super) trouble: Option<Retry>,
    pub(super) next_heartbeat: Monotonic,
    /// When the coordinator last said that this is a member.
    pub(super) heard: Monotonic,
    pub(super) heartbeat: Option<Token>,
    /// Whether the connection to the coordinator is blocked by a join that was given up.
    pub(super) detour: bool,
}

impl Default for Membership {
    fn default() -> Self {
        Self {
            state: GroupState::Out,
            member_id: String::new(),
            generation: -1,
            leader_id: String::new(),
            protocol: String::new(),
            rejoin: None,
            last_assigned: None,
            joined_topics: Vec::new(),
            claimed: Vec::new(),
            watched: None,
            custom: SortedMap::new(),
            began: Monotonic(0),
            start: None,
            trouble: None,
            next_heartbeat: Monotonic(0),
            heard: Monotonic(0),
            heartbeat: None,
            detour: false,
        }
    }
}

impl Membership {
    /// Whether this member shares out the partitions.
    pub(super) fn is_leader(&self) -> bool {
        !self.member_id.is_empty() && self.member_id == self.leader_id
    }

    /// Whether heartbeats are due at their interval.
    fn beats(&self) -> bool {
        let silent = match self.state {
            GroupState::Out | GroupState::Joining(_) | GroupState::Syncing(_) => true,
            GroupState::Revoking(_)
            | GroupState::Waiting(_)
            | GroupState::ProtocolsNeeded
            | GroupState::TopicsNeeded(_)
            | GroupState::AssignmentNeeded
            | GroupState::Stable => false,
        };
        !silent && self.generation >= 0 && self.heartbeat.is_none()
    }

    /// When something is due.
    pub(super) fn due(&self) -> Option<Monotonic> {
        let state = match &self.state {
            GroupState::Revoking(revocation) => Some(revocation.deadline),
            GroupState::Waiting(until) => Some(*until),
            GroupState::Out
            | GroupState::ProtocolsNeeded
            | GroupState::Joining(_)
            | GroupState::TopicsNeeded(_)
            | GroupState::AssignmentNeeded
            | GroupState::Syncing(_)
            | GroupState::Stable => None,
        };
        let heartbeat = self.beats().then_some(self.next_heartbeat);
        state.into_iter().chain(heartbeat).min()
    }
}

impl Consumer {
    pub(super) fn group_key(&self) -> CoordinatorKey {
        CoordinatorKey::Group(self.config.group_id.clone().unwrap_or_default())
    }

    pub(super) fn group_target(&self) -> Target {
        Target::Coordinator(self.group_key())
    }

    /// By which of the coordinator's connections to say the last words: not behind a join that
    /// nobody waits for any more.
    pub(super) fn coordinator_lane(&self) -> Lane {
        if self.group.detour {
            Lane::Main
        } else {
            Lane::Coordinator
        }
    }

    /// For requests that the coordinator holds back until all members are there.
    pub(super) fn group_options(&self) -> RequestOptions {
        /// What Kafka's clients add to the rebalance timeout.
        const MARGIN_MS: u64 = 5_000;
        let rebalance = self.config.rebalance_timeout_ms.saturating_add(MARGIN_MS);
        RequestOptions {
            timeout_ms: Some(rebalance.max(self.config.cluster.request_timeout_ms)),
            ..RequestOptions::default()
        }
    }

    /// Who this member is to the coordinator: its id and its generation.
    pub(super) fn identity(&self) -> (String, i32) {
        if self.subscription.by_hand {
            (String::new(), -1)
        } else {
            (self.group.member_id.clone(), self.group.generation)
        }
    }

    /// Whether the coordinator would answer, and take commits, now.
    pub(super) fn coordinator_is_free(&self) -> bool {
        let busy = match self.group.state {
            GroupState::Joining(_)
            | GroupState::TopicsNeeded(_)
            | GroupState::AssignmentNeeded
            | GroupState::Syncing(_) => true,
            GroupState::Out
            | GroupState::Revoking(_)
            | GroupState::Waiting(_)
            | GroupState::ProtocolsNeeded
            | GroupState::Stable => false,
        };
        self.subscription.by_hand || (!busy && self.group.generation >= 0)
    }

    /// Whether this consumer takes part in its group, or tries to.
    pub(super) fn is_member(&self) -> bool {
        self.group.state != GroupState::Out || self.group.generation >= 0
    }

    /// Does what is due.
    pub(super) fn drive_group(&mut self, now: Now) {
        self.drive_revocation(now);
        // Also while the host ends what it has in hand: what it processes then is to be committed.
        if self.group.beats() && self.group.next_heartbeat <= now.monotonic {
            self.send_heartbeat(now);
        }
        if !self.is_running() {
            return;
        }
        if let GroupState::Waiting(until) = self.group.state
            && until <= now.monotonic
        {
            self.join(now);
        }
        if self.group.state == GroupState::Stable
            && let Some(reason) = self.group.rejoin.take()
        {
            self.begin_rejoin(now, reason);
        }
    }

    /// Whether this member has not heard of its coordinator for as long as a session lasts, so that
    /// its partitions may be somebody else's already: a thread that stood still comes back so.
    pub(super) fn is_in_doubt(&self, now: Now) -> bool {
        self.group.state == GroupState::Stable
            && now.monotonic.since(self.group.heard) >= self.config.session_timeout_ms
    }

    /// Joins, once the host has said how its own assignors take part, if there are any.
    pub(super) fn join(&mut self, now: Now) {
        let names = self.custom_assignors();
        let topics = self.subscription.topics();
        self.group.joined_topics = topics.clone();
        if names.is_empty() {
            self.send_join(now);
        } else {
            self.group.state = GroupState::ProtocolsNeeded;
            self.tell(ConsumerEvent::ProtocolsNeeded { names, topics });
        }
    }

    /// How the host's own assignors take part: the name of each, with its metadata. The answer to
    /// [`ConsumerEvent::ProtocolsNeeded`].
    pub fn protocols(&mut self, now: Now, metadata: SortedMap<String, Bytes>) {
        let now = self.clock(now);
        if self.group.state == GroupState::ProtocolsNeeded {
            self.group.custom = metadata;
            self.send_join(now);
        }
        self.advance_own(now);
    }

    pub(super) fn send_join(&mut self, now: Now) {
        self.group.claimed = match self.config.is_cooperative() {
            true => self.partitions.names(),
            false => Vec::new(),
        };
        let protocols = match self.join_protocols() {
            Ok(protocols) => protocols,
            Err(error) => return self.crash(now, error),
        };
        let millis = |time: u64| i32::try_from(time).unwrap_or(i32::MAX);
        let request = JoinGroupRequest {
            group_id: self.config.group_id.clone().unwrap_or_default(),
            session_timeout_ms: millis(self.config.session_timeout_ms),
            rebalance_timeout_ms: millis(self.config.rebalance_timeout_ms),
            member_id: self.group.member_id.clone(),
            group_instance_id: self.config.group_instance_id.clone(),
            protocol_type: super::leader::PROTOCOL_TYPE.to_owned(),
            protocols,
            reason: None,
        };
        let options = self.group_options();
        let token = self
            .cluster
            .request_with(now, self.group_target(), request, options);
        self.asked.insert(token, Asked::Join);
        self.group.state = GroupState::Joining(token);
    }

    /// JoinGroup was answered, or has failed.
    pub(super) fn join_answered(&mut self, now: Now, result: Result<Answer, ClientError>) {
        // Nothing is under way any more, until what follows begins it.
        self.group.state = GroupState::Waiting(now.monotonic);
        let response = match result.and_then(|answer| answer.decode::<JoinGroupRequest>()) {
            Ok(response) => response,
            Err(error) => return self.group_failed(now, error),
        };
        match response.error_code {
            ErrorCode::NONE => {
                self.group.member_id.clone_from(&response.member_id);
                self.group.generation = response.generation_id;
                self.group.leader_id.clone_from(&response.leader);
                self.group.protocol = response.protocol_name.clone().unwrap_or_default();
                self.schedule_heartbeat(now);
                if self.group.is_leader() {
                    self.lead(now, response);
                } else {
                    self.group.watched = None;
                    self.track_topics();
                    self.send_sync(now, Vec::new());
                }
            }
            // KIP-394: the second time with the id that was given.
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.group.member_id = response.member_id;
                self.send_join(now);
            }
            ErrorCode::UNKNOWN_MEMBER_ID if !self.group.member_id.is_empty() => {
                self.lose_membership(now, Rebalance::UnknownMember);
            }
            code => self.group_failed(now, ClientError::protocol(code)),
        }
    }

    /// Joining has failed: it is tried again after a while, or the consumer crashes.
    pub(super) fn group_failed(&mut self, now: Now, error: ClientError) {
        self.note_coordinator_error(&error);
        let rejoins = error.error_code() == Some(ErrorCode::REBALANCE_IN_PROGRESS);
        if error.error_code() == Some(ErrorCode::FENCED_INSTANCE_ID) {
            return self.fenced(now, error);
        }
        if !error.retriable && !rejoins {
            return self.crash(now, error);
        }
        let error = ClientError {
            retriable: true,
            ..error
        };
        let (config, rng) = (&self.config.retry, &mut self.rng);
        let retry = self
            .group
            .trouble
            .get_or_insert_with(|| Retry::new(config, rng, now.monotonic));
        match retry.failed(config, rng, now.monotonic, error) {
            Verdict::Again(due) => self.group.state = GroupState::Waiting(due),
            Verdict::GiveUp(error) => self.crash(now, error),
        }
    }

    /// Looks for the coordinator again if an error says that it is another one.
    pub(super) fn note_coordinator_error(&mut self, error: &ClientError) {
        let moved = [
            ErrorCode::NOT_COORDINATOR,
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ];
        if error.error_code().is_some_and(|code| moved.contains(&code)) {
            let key = self.group_key();
            self.cluster.forget_coordinator(&key);
        }
    }

    pub(super) fn schedule_heartbeat(&mut self, now: Now) {
        let interval = self.config.heartbeat_interval_ms;
        self.group.next_heartbeat = Monotonic(now.monotonic.0.saturating_add(interval));
    }

    fn send_heartbeat(&mut self, now: Now) {
        let request = HeartbeatRequest {
            group_id: self.config.group_id.clone().unwrap_or_default(),
            generation_id: self.group.generation,
            member_id: self.group.member_id.clone(),
            group_instance_id: self.config.group_instance_id.clone(),
        };
        let limit = self.config.session_timeout_ms;
        let options = RequestOptions {
            timeout_ms: Some(limit.min(self.config.cluster.request_timeout_ms)),
            ..RequestOptions::default()
        };
        let token = self
            .cluster
            .request_with(now, self.group_target(), request, options);
        self.asked
            .insert(token, Asked::Heartbeat(self.group.generation));
        self.group.heartbeat = Some(token);
        self.schedule_heartbeat(now);
    }

    /// Heartbeat was answered, or has failed.
    pub(super) fn heartbeat_answered(
        &mut self,
        now: Now,
        generation: i32,
        result: Result<Answer, ClientError>,
    ) {
        self.group.heartbeat = None;
        if generation != self.group.generation {
            return;
        }
        let answered = result.and_then(|answer| {
            let response = answer.decode::<HeartbeatRequest>()?;
            match response.error_code {
                ErrorCode::NONE => Ok(()),
                code => Err(ClientError::protocol(code)),
            }
        });
        let Err(error) = answered else {
            self.group.heard = now.monotonic;
            return self.tell(ConsumerEvent::Heartbeat {
                member_id: self.group.member_id.clone(),
                generation,
            });
        };
        match error.error_code() {
            Some(ErrorCode::REBALANCE_IN_PROGRESS) => {
                self.group.heard = now.monotonic;
                self.rejoin(now, Rebalance::InProgress);
            }
            Some(ErrorCode::ILLEGAL_GENERATION) => {
                self.lose_membership(now, Rebalance::IllegalGeneration);
            }
            Some(ErrorCode::UNKNOWN_MEMBER_ID) => {
                self.lose_membership(now, Rebalance::UnknownMember);
            }
            Some(ErrorCode::FENCED_INSTANCE_ID) => self.fenced(now, error),
            _ if !error.retriable => self.crash(now, error),
            _ => {
                // Soon again: the session runs out.
                self.note_coordinator_error(&error);
                let soon = self.config.retry.initial_retry_time_ms;
                let soon = Monotonic(now.monotonic.0.saturating_add(soon));
                self.group.next_heartbeat = self.group.next_heartbeat.min(soon);
            }
        }
    }
}
