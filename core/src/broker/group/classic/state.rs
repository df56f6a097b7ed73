//! The states of a classic group.

/// What a group is doing. Each variant says what it answers, and where it may go.
///
/// Every state answers an unknown member with `UNKNOWN_MEMBER_ID`, a static member whose place was
/// taken with `FENCED_INSTANCE_ID`, a wrong generation with `ILLEGAL_GENERATION`, in this order,
/// before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// No members. The group stays for its committed offsets; one that never had members (a simple
    /// group) is only for them.
    ///
    /// - JoinGroup: accepted; the first member begins the initial rebalance.
    /// - SyncGroup, Heartbeat, LeaveGroup: `UNKNOWN_MEMBER_ID`, since there are no members. A member
    ///   that was promised an id and has not come back may leave.
    /// - OffsetCommit: only with generation -1.
    ///
    /// Goes to PreparingRebalance when a member joins; to Dead when it is deleted or expires.
    Empty,
    /// Members are asked to join again; their JoinGroups wait until all have.
    ///
    /// - JoinGroup: waits.
    /// - SyncGroup, Heartbeat: `REBALANCE_IN_PROGRESS`; the heartbeat counts.
    /// - LeaveGroup: accepted, and may be what the others waited for.
    /// - OffsetCommit: from members of the last generation, and counts as a heartbeat.
    ///
    /// Goes to CompletingRebalance when all have joined or the rebalance timeout has passed; to Empty
    /// if none are left then; to Dead.
    PreparingRebalance,
    /// The generation is formed and the leader makes assignments; SyncGroups wait for them.
    ///
    /// - JoinGroup: of a member with the same metadata, the present generation (its answer was
    ///   lost); anything else begins another rebalance.
    /// - SyncGroup: waits; the leader's writes the assignments.
    /// - Heartbeat: accepted. LeaveGroup: accepted, and begins another rebalance.
    /// - OffsetCommit: `REBALANCE_IN_PROGRESS`.
    ///
    /// Goes to Stable when the assignments are written; to PreparingRebalance if they cannot be, or
    /// a member comes, changes, leaves, fails, or does not sync in time; to Dead.
    CompletingRebalance,
    /// Every member has, or can ask for, its assignment.
    ///
    /// - JoinGroup: of a follower with the same metadata, the present generation; of the leader, or
    ///   with other metadata, or of a new member, it begins a rebalance. A static member that
    ///   returns under the same instance id takes its old place without one.
    /// - SyncGroup: the assignment.
    /// - Heartbeat, OffsetCommit: accepted. LeaveGroup: accepted, and begins a rebalance.
    ///
    /// Goes to PreparingRebalance; to Dead.
    Stable,
    /// The group is gone, or its coordinator is.
    ///
    /// - Everything: `COORDINATOR_NOT_AVAILABLE`.
    ///
    /// Goes nowhere.
    Dead,
}

impl State {
    /// Every state.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] = [
        Self::Empty,
        Self::PreparingRebalance,
        Self::CompletingRebalance,
        Self::Stable,
        Self::Dead,
    ];

    /// Kafka's name of the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Dead => "Dead",
        }
    }

    /// Whether a group may go from this state to `next`.
    pub(crate) fn may_become(self, next: Self) -> bool {
        match next {
            Self::Empty | Self::CompletingRebalance => self == Self::PreparingRebalance,
            Self::PreparingRebalance => {
                matches!(self, Self::Empty | Self::CompletingRebalance | Self::Stable)
            }
            Self::Stable => self == Self::CompletingRebalance,
            Self::Dead => true,
        }
    }
}
