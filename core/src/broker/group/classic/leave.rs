//! LeaveGroup: members that go, or are sent away by an administrator.

use super::action::{Actions, Settings, TimerKey};
use super::{ClassicGroup, State};
use crate::protocol::ErrorCode;

/// One of the members that a LeaveGroup names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaver {
    /// Empty: whoever has the instance id (KIP-345: removal by an administrator).
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
}

impl ClassicGroup {
    /// Takes members out; the others rebalance once, however many go. Returns how it went for each.
    pub(crate) fn leave(
        &mut self,
        leavers: &[Leaver],
        settings: &Settings,
        out: &mut Actions,
    ) -> Vec<ErrorCode> {
        let results: Vec<ErrorCode> = leavers
            .iter()
            .map(|leaver| self.leave_one(leaver, out).err().unwrap_or(ErrorCode::NONE))
            .collect();
        if results.contains(&ErrorCode::NONE) {
            match self.state {
                State::Stable | State::CompletingRebalance => {
                    self.prepare_rebalance(settings, out);
                }
                State::PreparingRebalance => self.complete_join_if_ready(settings, out),
                State::Empty | State::Dead => {}
            }
        }
        results
    }

    fn leave_one(&mut self, leaver: &Leaver, out: &mut Actions) -> Result<(), ErrorCode> {
        let member_id = if leaver.member_id.is_empty() {
            let instance_id = leaver.instance_id.as_ref();
            let present = instance_id.and_then(|id| self.static_members.get(id));
            present.cloned().ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?
        } else {
            if !self.pending_joins.contains(&leaver.member_id) {
                self.validate_member(&leaver.member_id, leaver.instance_id.as_deref())?;
            }
            leaver.member_id.clone()
        };
        self.remove(&member_id, out);
        out.cancel(TimerKey::Session(member_id));
        Ok(())
    }
}
