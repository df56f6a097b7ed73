//! What a group asks of whoever runs it.

use crate::sorted::SortedMap;
use bytes::Bytes;

use crate::broker::connection::RequestId;
use crate::protocol::ErrorCode;
use crate::protocol::internal::consumer_offsets::GroupMetadataValue;
use crate::protocol::messages::{JoinGroupResponse, SyncGroupResponse};

/// The broker configs that the machine follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `group.initial.rebalance.delay.ms`.
    pub(crate) initial_rebalance_delay: i64,
    /// `group.max.size`.
    pub(crate) max_size: usize,
    /// How long the JoinGroup of a new member may wait: such a member has no session yet.
    pub(crate) new_member_join_timeout: i64,
    /// Wall time in milliseconds, for the time of the last change of state.
    pub(crate) now: i64,
}

/// A timer of a group. A group has at most one of each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerKey {
    /// The member has not been heard of for its session timeout.
    Session(String),
    /// The JoinGroups that have come must do.
    Join,
    /// The SyncGroups that have come must do.
    Sync,
    /// That the group is empty could not be written: try again.
    Persist,
}

/// Something to carry out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Answer a JoinGroup. Boxed because it is by far the largest.
    Join(RequestId, Box<JoinGroupResponse>),
    /// Answer a SyncGroup.
    Sync(RequestId, SyncGroupResponse),
    /// Arm a timer in place of one with the same key.
    Arm(TimerKey, i64),
    /// Disarm a timer.
    Cancel(TimerKey),
    /// Append a record of the group, then hand `then` back with the outcome.
    Write(Box<GroupMetadataValue>, Written),
}

/// What to do when a record is written, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// The group has become empty.
    Emptied {
        /// The generation that is empty.
        generation: i32,
    },
    /// The leader's assignments of a generation.
    Assigned {
        /// The generation.
        generation: i32,
        /// By member id.
        assignments: SortedMap<String, Bytes>,
    },
    /// A static member that returned took its old place.
    Replaced(Box<super::rebalance::Replacement>),
}

/// Actions in the order in which they are to be carried out.
#[derive(Debug, Default)]
pub(crate) struct Actions(pub(crate) Vec<Action>);

impl Actions {
    pub(super) fn join(&mut self, to: RequestId, answer: JoinGroupResponse) {
        self.0.push(Action::Join(to, Box::new(answer)));
    }

    /// Answers a JoinGroup with an error.
    pub(super) fn join_error(&mut self, to: RequestId, member_id: &str, error: ErrorCode) {
        self.join(to, join_error(member_id, error));
    }

    pub(super) fn sync(&mut self, to: RequestId, answer: SyncGroupResponse) {
        self.0.push(Action::Sync(to, answer));
    }

    /// Answers a SyncGroup with an error.
    pub(super) fn sync_error(&mut self, to: RequestId, error: ErrorCode) {
        self.sync(
            to,
            SyncGroupResponse {
                error_code: error,
                ..SyncGroupResponse::default()
            },
        );
    }

    pub(super) fn arm(&mut self, key: TimerKey, millis: i64) {
        self.0.push(Action::Arm(key, millis));
    }

    pub(super) fn cancel(&mut self, key: TimerKey) {
        self.0.push(Action::Cancel(key));
    }

    pub(super) fn write(&mut self, record: GroupMetadataValue, then: Written) {
        self.0.push(Action::Write(Box::new(record), then));
    }
}

/// The answer to a JoinGroup that was refused.
pub(crate) fn join_error(member_id: &str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: error,
        member_id: member_id.to_owned(),
        protocol_name: None,
        ..JoinGroupResponse::default()
    }
}
