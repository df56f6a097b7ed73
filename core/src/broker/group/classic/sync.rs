//! SyncGroup, Heartbeat, and the group's part in OffsetCommit.

use crate::sorted::SortedMap;

use bytes::Bytes;

use super::action::{Actions, Settings, TimerKey};
use super::{ClassicGroup, State, Written};
use crate::broker::connection::RequestId;
use crate::protocol::ErrorCode;
use crate::protocol::messages::SyncGroupResponse;
use crate::sabotage::{Rule, broken};

/// A SyncGroup as the group sees it.
#[derive(Debug, Clone)]
pub(crate) struct Sync {
    pub(crate) request: RequestId,
    pub(crate) generation: i32,
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    /// Checked against the group's if given (version 5 up, KIP-559).
    pub(crate) protocol_type: Option<String>,
    /// Likewise.
    pub(crate) protocol: Option<String>,
    /// From the leader, by member id.
    pub(crate) assignments: SortedMap<String, Bytes>,
}

impl ClassicGroup {
    /// Takes a SyncGroup; the answer comes now or when the leader's assignments are written.
    pub(crate) fn sync(&mut self, sync: Sync, out: &mut Actions) {
        if let Err(error) = self.validate_sync(&sync) {
            return out.sync_error(sync.request, error);
        }
        match self.state {
            State::PreparingRebalance => {
                out.sync_error(sync.request, ErrorCode::REBALANCE_IN_PROGRESS);
            }
            State::CompletingRebalance => self.park_sync(sync, out),
            State::Stable => {
                self.note_synced(&sync.member_id, out);
                let member = self.members.get(&sync.member_id);
                let answer = SyncGroupResponse {
                    protocol_type: self.protocol_type.clone(),
                    protocol_name: self.protocol.clone(),
                    assignment: member.map(|m| m.assignment.clone()).unwrap_or_default(),
                    ..SyncGroupResponse::default()
                };
                out.sync(sync.request, answer);
            }
            // Neither has members, so that the check of the member id was the end of it.
            State::Empty | State::Dead => {
                out.sync_error(sync.request, ErrorCode::UNKNOWN_MEMBER_ID);
            }
        }
    }

    fn validate_sync(&self, sync: &Sync) -> Result<(), ErrorCode> {
        self.validate_generation(
            &sync.member_id,
            sync.instance_id.as_deref(),
            sync.generation,
        )?;
        let differs = |theirs: &Option<String>, ours: &Option<String>| {
            theirs.is_some() && ours.is_some() && theirs != ours
        };
        if differs(&sync.protocol_type, &self.protocol_type)
            || differs(&sync.protocol, &self.protocol)
        {
            return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        Ok(())
    }

    fn validate_generation(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
    ) -> Result<(), ErrorCode> {
        if self.state == State::Dead {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        self.validate_member(member_id, instance_id)?;
        if generation != self.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        Ok(())
    }

    fn park_sync(&mut self, mut sync: Sync, out: &mut Actions) {
        self.note_synced(&sync.member_id, out);
        if let Some(member) = self.members.get_mut(&sync.member_id)
            && let Some(replaced) = member.sync.replace(sync.request)
        {
            out.sync_error(replaced, ErrorCode::REBALANCE_IN_PROGRESS);
        }
        if self.is_leader(&sync.member_id) {
            if broken(Rule::SharesAreTheirs) {
                let first = sync.assignments.values().next().cloned();
                let shares = sync.assignments.values_mut();
                shares.for_each(|share| *share = first.clone().unwrap_or_default());
            }
            let record = self.to_record(&sync.assignments);
            let then = Written::Assigned {
                generation: self.generation,
                assignments: sync.assignments,
            };
            out.write(record, then);
        }
    }

    fn note_synced(&mut self, member_id: &str, out: &mut Actions) {
        self.pending_syncs.remove(member_id);
        if self.pending_syncs.is_empty() {
            out.cancel(TimerKey::Sync);
        }
    }

    /// Takes a Heartbeat.
    ///
    /// # Errors
    /// What it is answered with.
    pub(crate) fn heartbeat(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
        out: &mut Actions,
    ) -> Result<(), ErrorCode> {
        self.validate_generation(member_id, instance_id, generation)?;
        self.renew_session(member_id, out);
        match self.state {
            State::PreparingRebalance => Err(ErrorCode::REBALANCE_IN_PROGRESS),
            State::CompletingRebalance | State::Stable => Ok(()),
            State::Empty | State::Dead => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        }
    }

    fn renew_session(&self, member_id: &str, out: &mut Actions) {
        if let Some(member) = self.members.get(member_id) {
            let session = TimerKey::Session(member_id.to_owned());
            out.arm(session, i64::from(member.session_timeout));
        }
    }

    /// Whether an OffsetCommit is accepted; that of a member counts as a heartbeat, except while
    /// the leader assigns.
    ///
    /// # Errors
    /// What every partition of it is answered with.
    pub(crate) fn commit(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
        out: &mut Actions,
    ) -> Result<(), ErrorCode> {
        if self.state == State::Dead {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        if generation < 0 && self.state == State::Empty {
            // An admin client, or a consumer that assigns itself its partitions.
            return Ok(());
        }
        if broken(Rule::CommitsAreOfTheGeneration) {
            return Ok(());
        }
        if generation >= 0 || !member_id.is_empty() || instance_id.is_some() {
            self.validate_generation(member_id, instance_id, generation)?;
        } else {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        if self.state == State::CompletingRebalance {
            // The member is of this generation, but does not know yet what it owns.
            return Err(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        self.renew_session(member_id, out);
        Ok(())
    }

    /// Begins every session anew: nobody could have been heard of meanwhile. A member that has not
    /// completed its first join has none yet.
    pub(crate) fn renew_sessions(&self, out: &mut Actions) {
        for member in self.members.values().filter(|member| !member.is_new) {
            self.renew_session(&member.id, out);
        }
    }

    /// The group was read from its record. If `group.max.size` was lowered, a rebalance lets the
    /// members commit before some must go.
    pub(crate) fn loaded(&mut self, settings: &Settings, out: &mut Actions) {
        self.renew_sessions(out);
        if self.members.len() > settings.max_size {
            self.prepare_rebalance(settings, out);
        }
    }
}
