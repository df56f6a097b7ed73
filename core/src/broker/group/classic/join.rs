//! JoinGroup: who may become or stay a member, and when that takes a rebalance.

use bytes::Bytes;

use super::action::{Actions, Settings, TimerKey};
use super::rebalance::Replacement;
use super::{ClassicGroup, Member, Protocol, State, Written};
use crate::broker::connection::RequestId;
use crate::protocol::ErrorCode;
use crate::protocol::messages::JoinGroupResponse;
use crate::protocol::messages::join_group::JoinGroupResponseMember;

/// A JoinGroup as the group sees it.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) request: RequestId,
    /// Empty: a new member.
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    /// In milliseconds, already within the broker's limits.
    pub(crate) session_timeout: i32,
    /// In milliseconds.
    pub(crate) rebalance_timeout: i32,
    pub(crate) protocol_type: String,
    pub(crate) protocols: Vec<Protocol>,
    /// The id for a new member.
    pub(crate) fresh_member_id: String,
    /// Whether a new dynamic member must come back with its id (version 4 up, KIP-394).
    pub(crate) id_required: bool,
    /// Whether a static leader that returns can be told not to assign (version 9 up, KIP-814).
    pub(crate) can_skip_assignment: bool,
}

impl ClassicGroup {
    /// Takes a JoinGroup; the answer comes now or when the rebalance ends.
    pub(crate) fn join(&mut self, join: Join, settings: &Settings, out: &mut Actions) {
        if !self.has_room_for(&join.member_id, settings.max_size) {
            self.remove(&join.member_id, out);
            out.join_error(join.request, "", ErrorCode::GROUP_MAX_SIZE_REACHED);
        } else if self.state == State::Dead {
            let error = ErrorCode::COORDINATOR_NOT_AVAILABLE;
            out.join_error(join.request, &join.member_id, error);
        } else if !self.supports(&join.protocol_type, &join.protocols) {
            let error = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            out.join_error(join.request, &join.member_id, error);
        } else if join.member_id.is_empty() {
            self.join_as_new(join, settings, out);
        } else {
            self.join_again(join, settings, out);
        }
    }

    /// Whether the group may take the member. While members join, those that have joined count:
    /// the last to come are turned away when `group.max.size` was lowered.
    fn has_room_for(&self, member_id: &str, max_size: usize) -> bool {
        match self.state {
            State::Empty | State::Dead => true,
            State::PreparingRebalance => {
                self.members.get(member_id).is_some_and(Member::has_joined)
                    || self.joined < max_size
            }
            State::CompletingRebalance | State::Stable => {
                self.members.contains_key(member_id) || self.members.len() < max_size
            }
        }
    }

    fn join_as_new(&mut self, join: Join, settings: &Settings, out: &mut Actions) {
        if let Some(instance_id) = &join.instance_id {
            match self.static_members.get(instance_id).cloned() {
                Some(present) => self.join_in_place_of(present, join, settings, out),
                None => self.add(join, settings, out),
            }
        } else if join.id_required {
            self.pending_joins.insert(join.fresh_member_id.clone());
            let session = TimerKey::Session(join.fresh_member_id.clone());
            out.arm(session, i64::from(join.session_timeout));
            out.join_error(
                join.request,
                &join.fresh_member_id,
                ErrorCode::MEMBER_ID_REQUIRED,
            );
        } else {
            self.add(join, settings, out);
        }
    }

    fn join_again(&mut self, mut join: Join, settings: &Settings, out: &mut Actions) {
        if join.instance_id.is_none() && self.pending_joins.contains(&join.member_id) {
            join.fresh_member_id = join.member_id.clone();
            return self.add(join, settings, out);
        }
        if let Err(error) = self.validate_member(&join.member_id, join.instance_id.as_deref()) {
            return out.join_error(join.request, &join.member_id, error);
        }
        let unchanged = self
            .members
            .get(&join.member_id)
            .is_some_and(|member| member.protocols == join.protocols);
        let answer_at_once = match self.state {
            State::CompletingRebalance => unchanged,
            // A leader joins again because it saw something that calls for another assignment.
            State::Stable => unchanged && !self.is_leader(&join.member_id),
            State::PreparingRebalance => false,
            State::Empty | State::Dead => {
                let error = ErrorCode::UNKNOWN_MEMBER_ID;
                return out.join_error(join.request, &join.member_id, error);
            }
        };
        if answer_at_once {
            let answer = self.generation_for(&join.member_id);
            return out.join(join.request, answer);
        }
        let timeouts = (join.rebalance_timeout, join.session_timeout);
        self.update(
            &join.member_id,
            join.protocols,
            timeouts,
            Some(join.request),
            out,
        );
        self.rebalance_or_complete(settings, out);
    }

    fn add(&mut self, join: Join, settings: &Settings, out: &mut Actions) {
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type);
        }
        if self.state == State::PreparingRebalance && self.previous_state == State::Empty {
            self.member_came = true;
        }
        // Its session begins with its first answer; until then this bounds how long a member whose
        // client has gone can hold the rebalance up.
        let session = TimerKey::Session(join.fresh_member_id.clone());
        self.insert(Member {
            id: join.fresh_member_id,
            instance_id: join.instance_id,
            client_id: join.client_id,
            client_host: join.client_host,
            rebalance_timeout: join.rebalance_timeout,
            session_timeout: join.session_timeout,
            protocols: join.protocols,
            assignment: Bytes::new(),
            join: Some(join.request),
            sync: None,
            is_new: true,
        });
        out.arm(session, settings.new_member_join_timeout);
        self.rebalance_or_complete(settings, out);
    }

    /// A static member is back under a new member id. In a Stable group that keeps its protocol it
    /// takes its old place, assignment included, as soon as that is written (KIP-345).
    fn join_in_place_of(
        &mut self,
        old_id: String,
        join: Join,
        settings: &Settings,
        out: &mut Actions,
    ) {
        let Some(old) = self.members.get(&old_id) else {
            return;
        };
        let replacement = Replacement {
            new_id: join.fresh_member_id.clone(),
            old_protocols: old.protocols.clone(),
            old_timeouts: (old.rebalance_timeout, old.session_timeout),
            old_leader: self.leader.clone().unwrap_or_default(),
            can_skip_assignment: join.can_skip_assignment,
            old_id,
        };
        self.rename(
            &replacement.old_id,
            &replacement.new_id,
            ErrorCode::FENCED_INSTANCE_ID,
            out,
        );
        let timeouts = (join.rebalance_timeout, join.session_timeout);
        let new_id = &replacement.new_id;
        out.cancel(TimerKey::Session(replacement.old_id.clone()));
        out.arm(
            TimerKey::Session(new_id.clone()),
            i64::from(replacement.old_timeouts.1),
        );
        self.update(new_id, join.protocols, timeouts, Some(join.request), out);
        match self.state {
            State::Stable if self.elect_protocol() == self.protocol => {
                let record = self.to_record(&self.assignments());
                out.write(record, Written::Replaced(Box::new(replacement)));
            }
            // The leader may already be assigning to the old member id.
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(settings, out),
            State::PreparingRebalance | State::Empty | State::Dead => {
                self.complete_join_if_ready(settings, out);
            }
        }
    }

    /// The present generation, as JoinGroup answers it to a member: its leader sees all.
    pub(super) fn generation_for(&self, member_id: &str) -> JoinGroupResponse {
        let members = if self.is_leader(member_id) {
            self.join_members()
        } else {
            Vec::new()
        };
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member_id.to_owned(),
            members,
            ..JoinGroupResponse::default()
        }
    }

    fn join_members(&self) -> Vec<JoinGroupResponseMember> {
        let members = self.members.values().map(|member| JoinGroupResponseMember {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            metadata: member.metadata(self.protocol.as_deref()),
        });
        members.collect()
    }
}
