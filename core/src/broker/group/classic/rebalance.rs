//! From one generation to the next: preparing, completing the join, timers, static replacements.

use crate::sorted::SortedMap;

use bytes::Bytes;

use super::action::{Actions, Settings, TimerKey};
use super::{ClassicGroup, Protocol, State, Written};
use crate::protocol::ErrorCode;
use crate::protocol::messages::{JoinGroupResponse, SyncGroupResponse};

/// A static member that takes its old place in a Stable group: how to undo it if it cannot be
/// written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replacement {
    pub(super) new_id: String,
    pub(super) old_id: String,
    pub(super) old_protocols: Vec<Protocol>,
    /// Rebalance and session timeout in milliseconds.
    pub(super) old_timeouts: (i32, i32),
    pub(super) old_leader: String,
    pub(super) can_skip_assignment: bool,
}

impl ClassicGroup {
    /// Begins a rebalance if the state allows one; in one that is under way, ends the join phase if
    /// all have joined.
    pub(super) fn rebalance_or_complete(&mut self, settings: &Settings, out: &mut Actions) {
        if self.state.may_become(State::PreparingRebalance) {
            self.prepare_rebalance(settings, out);
        } else {
            self.complete_join_if_ready(settings, out);
        }
    }

    /// Asks all members to join again. The first rebalance of an empty group waits for
    /// `group.initial.rebalance.delay.ms`, so that consumers that start together make one
    /// generation (KIP-134).
    pub(crate) fn prepare_rebalance(&mut self, settings: &Settings, out: &mut Actions) {
        if self.state == State::CompletingRebalance {
            self.drop_assignments(ErrorCode::REBALANCE_IN_PROGRESS, out);
        }
        self.pending_syncs.clear();
        out.cancel(TimerKey::Sync);
        let initial = self.state == State::Empty;
        self.become_state(State::PreparingRebalance, settings.now);
        if initial {
            let delay = settings.initial_rebalance_delay;
            let more = self.rebalance_timeout().saturating_sub(delay).max(0);
            self.initial = Some((delay, more));
            self.member_came = false;
            out.arm(TimerKey::Join, delay);
        } else if self.all_joined() {
            self.complete_join(settings, out);
        } else {
            out.arm(TimerKey::Join, self.rebalance_timeout());
        }
    }

    /// Ends the join phase if everyone has joined; an initial rebalance waits for its delay.
    pub(super) fn complete_join_if_ready(&mut self, settings: &Settings, out: &mut Actions) {
        if self.state == State::PreparingRebalance
            && self.previous_state != State::Empty
            && self.all_joined()
        {
            self.complete_join(settings, out);
        }
    }

    /// The join timer has expired.
    pub(crate) fn join_timed_out(&mut self, settings: &Settings, out: &mut Actions) {
        if self.state != State::PreparingRebalance {
            return;
        }
        match self.initial.take() {
            Some((delay, more)) if self.member_came && more != 0 => {
                self.member_came = false;
                let next = settings.initial_rebalance_delay.min(more);
                self.initial = Some((next, more.saturating_sub(delay).max(0)));
                out.arm(TimerKey::Join, next);
            }
            _ => self.complete_join(settings, out),
        }
    }

    /// Ends the join phase with those who have joined. Dynamic members who have not are out; static
    /// ones stay until their session ends.
    fn complete_join(&mut self, settings: &Settings, out: &mut Actions) {
        out.cancel(TimerKey::Join);
        self.initial = None;
        let missing: Vec<String> = self
            .members
            .values()
            .filter(|member| !member.has_joined() && member.instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        for member_id in missing {
            self.remove(&member_id, out);
            out.cancel(TimerKey::Session(member_id));
        }
        if !self.elect_joined_leader() && !self.members.is_empty() {
            // Only static members are left and none has joined: wait for one, or for their
            // sessions to end.
            return out.arm(TimerKey::Join, self.rebalance_timeout());
        }
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.pending_syncs.clear();
        if self.members.is_empty() {
            self.protocol = None;
            self.subscribed = self.compute_subscribed();
            self.become_state(State::Empty, settings.now);
            self.write_empty(out);
        } else {
            self.protocol = self.elect_protocol();
            self.subscribed = self.compute_subscribed();
            self.become_state(State::CompletingRebalance, settings.now);
            self.announce_generation(out);
        }
    }

    fn announce_generation(&mut self, out: &mut Actions) {
        let member_ids: Vec<String> = self.members.keys().cloned().collect();
        for member_id in member_ids {
            if let Some(waiting) = self.take_join(&member_id) {
                out.join(waiting, self.generation_for(&member_id));
            }
            if let Some(member) = self.members.get_mut(&member_id) {
                member.is_new = false;
                let session = TimerKey::Session(member_id.clone());
                out.arm(session, i64::from(member.session_timeout));
            }
            self.pending_syncs.insert(member_id);
        }
        out.arm(TimerKey::Sync, self.rebalance_timeout());
    }

    /// Makes a member that has joined leader unless the leader has; false if nobody has joined.
    fn elect_joined_leader(&mut self) -> bool {
        let leader = self.leader.as_ref().and_then(|id| self.members.get(id));
        if leader.is_some_and(|leader| leader.has_joined()) {
            return true;
        }
        match self.members.values().find(|member| member.has_joined()) {
            Some(member) => {
                self.leader = Some(member.id.clone());
                true
            }
            None => false,
        }
    }

    /// The sync timer has expired: members that have not sent SyncGroup are out (KAFKA-13495).
    pub(crate) fn sync_timed_out(&mut self, settings: &Settings, out: &mut Actions) {
        let waits = matches!(self.state, State::CompletingRebalance | State::Stable);
        if !waits || self.pending_syncs.is_empty() {
            return;
        }
        for member_id in std::mem::take(&mut self.pending_syncs) {
            self.remove(&member_id, out);
            out.cancel(TimerKey::Session(member_id));
        }
        self.prepare_rebalance(settings, out);
    }

    /// A member has not been heard of for its session timeout.
    pub(crate) fn session_timed_out(
        &mut self,
        member_id: &str,
        settings: &Settings,
        out: &mut Actions,
    ) {
        let kept_waiting = match self.members.get(member_id) {
            Some(member) => member.is_kept_waiting(),
            None => !self.pending_joins.contains(member_id),
        };
        if kept_waiting || self.state == State::Dead {
            return;
        }
        let was_member = self.members.contains_key(member_id);
        self.remove(member_id, out);
        match self.state {
            State::Stable | State::CompletingRebalance if was_member => {
                self.prepare_rebalance(settings, out);
            }
            State::PreparingRebalance if self.all_joined() => self.complete_join(settings, out),
            State::Stable
            | State::CompletingRebalance
            | State::PreparingRebalance
            | State::Empty
            | State::Dead => {}
        }
    }

    /// Gives every member its assignment, or none with an error, and answers the SyncGroups that
    /// wait. Sessions begin anew: one that ended meanwhile was not counted.
    pub(super) fn propagate(&mut self, error: ErrorCode, out: &mut Actions) {
        let (protocol_type, protocol_name) = if error.is_none() {
            (self.protocol_type.clone(), self.protocol.clone())
        } else {
            (None, None)
        };
        for member in self.members.values_mut() {
            if let Some(waiting) = member.sync.take() {
                let answer = SyncGroupResponse {
                    error_code: error,
                    protocol_type: protocol_type.clone(),
                    protocol_name: protocol_name.clone(),
                    assignment: member.assignment.clone(),
                    ..SyncGroupResponse::default()
                };
                out.sync(waiting, answer);
                let session = TimerKey::Session(member.id.clone());
                out.arm(session, i64::from(member.session_timeout));
            }
        }
    }

    /// Takes all assignments back and answers the SyncGroups that wait with the error.
    fn drop_assignments(&mut self, error: ErrorCode, out: &mut Actions) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
        }
        self.propagate(error, out);
    }

    pub(super) fn assignments(&self) -> SortedMap<String, Bytes> {
        let pairs = self
            .members
            .values()
            .map(|member| (member.id.clone(), &member.assignment));
        pairs
            .map(|(id, assignment)| (id, assignment.clone()))
            .collect()
    }

    fn write_empty(&self, out: &mut Actions) {
        let then = Written::Emptied {
            generation: self.generation,
        };
        out.write(self.to_record(&SortedMap::new()), then);
    }

    /// Tries again to write that the group is empty, if it still is.
    pub(crate) fn persist_timed_out(&self, out: &mut Actions) {
        if self.state == State::Empty && self.generation > 0 {
            self.write_empty(out);
        }
    }

    /// A record that the group asked for is written, or could not be.
    pub(crate) fn written(
        &mut self,
        then: Written,
        result: Result<(), ErrorCode>,
        settings: &Settings,
        out: &mut Actions,
    ) {
        match (then, result) {
            (Written::Emptied { .. }, Ok(())) => {}
            (Written::Emptied { generation }, Err(_)) => {
                if self.state == State::Empty && self.generation == generation {
                    out.arm(TimerKey::Persist, RETRY_MILLIS);
                }
            }
            (
                Written::Assigned {
                    generation,
                    mut assignments,
                },
                result,
            ) => {
                // Another rebalance may have begun meanwhile; then this is of no interest.
                if self.state != State::CompletingRebalance || self.generation != generation {
                    return;
                }
                match result {
                    Ok(()) => {
                        for member in self.members.values_mut() {
                            let assignment = assignments.remove(&member.id);
                            member.assignment = assignment.unwrap_or_default();
                        }
                        self.propagate(ErrorCode::NONE, out);
                        self.become_state(State::Stable, settings.now);
                    }
                    Err(error) => {
                        self.drop_assignments(error, out);
                        self.prepare_rebalance(settings, out);
                    }
                }
            }
            (Written::Replaced(replacement), Ok(())) => self.replaced(&replacement, out),
            (Written::Replaced(replacement), Err(error)) => {
                self.undo_replacement(*replacement, error, out);
            }
        }
    }

    /// Answers a static member that took its old place, unless a rebalance has done so already.
    fn replaced(&mut self, replacement: &Replacement, out: &mut Actions) {
        if self.state != State::Stable {
            return;
        }
        let new_id = &replacement.new_id;
        let Some(waiting) = self.take_join(new_id) else {
            return;
        };
        let answer = if replacement.can_skip_assignment {
            JoinGroupResponse {
                skip_assignment: self.is_leader(new_id),
                ..self.generation_for(new_id)
            }
        } else {
            // Older clients must not take themselves for the leader, or they would assign.
            JoinGroupResponse {
                leader: replacement.old_leader.clone(),
                members: Vec::new(),
                ..self.generation_for(new_id)
            }
        };
        out.join(waiting, answer);
    }

    /// Gives the old member its place back, if the new one still waits for it.
    fn undo_replacement(&mut self, replacement: Replacement, error: ErrorCode, out: &mut Actions) {
        let Replacement {
            new_id,
            old_id,
            old_protocols,
            old_timeouts,
            old_leader,
            ..
        } = replacement;
        let Some(waiting) = self.take_join(&new_id) else {
            return;
        };
        out.join(
            waiting,
            JoinGroupResponse {
                error_code: error,
                generation_id: self.generation,
                protocol_type: self.protocol_type.clone(),
                protocol_name: self.protocol.clone(),
                leader: old_leader,
                ..JoinGroupResponse::default()
            },
        );
        self.update(&new_id, old_protocols, old_timeouts, None, out);
        self.rename(&new_id, &old_id, error, out);
        out.cancel(TimerKey::Session(new_id));
        out.arm(TimerKey::Session(old_id), i64::from(old_timeouts.1));
    }

    /// Gives a static member another member id. Requests of the old one that wait are answered with
    /// `error`.
    pub(super) fn rename(
        &mut self,
        old_id: &str,
        new_id: &str,
        error: ErrorCode,
        out: &mut Actions,
    ) {
        let join = self.take_join(old_id);
        if let Some(waiting) = join {
            out.join_error(waiting, old_id, error);
        }
        let Some(mut member) = self.members.remove(old_id) else {
            return;
        };
        if let Some(waiting) = member.sync.take() {
            out.sync_error(waiting, error);
        }
        new_id.clone_into(&mut member.id);
        // It knows its id and is past its first join, as far as sessions are concerned.
        member.is_new = false;
        if let Some(instance_id) = &member.instance_id {
            self.static_members
                .insert(instance_id.clone(), new_id.to_owned());
        }
        if self.is_leader(old_id) {
            self.leader = Some(new_id.to_owned());
        }
        if self.pending_syncs.remove(old_id) {
            self.pending_syncs.insert(new_id.to_owned());
        }
        self.members.insert(new_id.to_owned(), member);
    }

    /// The group, or its coordinator, is gone: whoever waits looks for another.
    pub(crate) fn die(&mut self, now: i64, out: &mut Actions) {
        let member_ids: Vec<String> = self.members.keys().cloned().collect();
        for member_id in member_ids {
            if let Some(waiting) = self.take_join(&member_id) {
                out.join_error(waiting, &member_id, ErrorCode::NOT_COORDINATOR);
            }
            if let Some(waiting) = self
                .members
                .get_mut(&member_id)
                .and_then(|member| member.sync.take())
            {
                out.sync_error(waiting, ErrorCode::NOT_COORDINATOR);
            }
        }
        self.become_state(State::Dead, now);
    }
}

/// After how long a write by a timer that failed is tried again.
pub(crate) const RETRY_MILLIS: i64 = 500;
