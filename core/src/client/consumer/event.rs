//! What a consumer tells its host.

use bytes::Bytes;

use super::super::OpId;
use super::super::error::ClientError;
use super::subscription::SeekTo;
use crate::time::Monotonic;
use crate::types::TopicPartition;

/// Something that has happened, or that the host is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum ConsumerEvent {
    /// A command is done. (Commits are reported by [`ConsumerEvent::Committed`].)
    Done {
        /// Which command.
        op: OpId,
        /// How it went.
        result: Result<(), ClientError>,
    },
    /// The answer to [`list_topics`](super::Consumer::list_topics).
    Topics {
        /// Which command.
        op: OpId,
        /// All topics by name, the cluster's own left out.
        names: Vec<String>,
    },
    /// A generation of the group has begun, and this member knows its partitions.
    Joined(GroupJoin),
    /// The group rebalances: this member will join again.
    Rebalancing {
        /// Why.
        reason: Rebalance,
        /// This member's id; empty if it has lost it.
        member_id: String,
    },
    /// The leader has assigned topics that this member does not subscribe to; they are left out.
    UnsubscribedTopics {
        /// The generation.
        generation: i32,
        /// This member's id.
        member_id: String,
        /// All topics that were assigned.
        assigned: Vec<String>,
        /// The topics subscribed to.
        subscribed: Vec<String>,
        /// Those that were assigned and are not subscribed to.
        not_subscribed: Vec<String>,
    },
    /// These partitions are about to be given up. Nothing more of them is delivered. The host ends
    /// what it is doing with records of theirs, and reports each batch by
    /// [`complete`](super::Consumer::complete) or [`release`](super::Consumer::release), or says
    /// [`revoked`](super::Consumer::revoked) at once; then what was processed is committed. It has
    /// time until the deadline.
    Revoking {
        /// Which.
        partitions: Vec<TopicPartition>,
        /// After this, what is still being processed is not waited for.
        deadline: Monotonic,
    },
    /// These partitions are given up now, in order.
    Revoked {
        /// Which.
        partitions: Vec<TopicPartition>,
    },
    /// These partitions have come: to be followed by records from where the group stands.
    Assigned {
        /// Which.
        partitions: Vec<TopicPartition>,
    },
    /// These partitions are somebody else's already: what was not committed will be seen there.
    Lost {
        /// Which.
        partitions: Vec<TopicPartition>,
    },
    /// The member is about to join: the host says how its own assignors take part, by
    /// [`protocols`](super::Consumer::protocols).
    ProtocolsNeeded {
        /// The names of the host's assignors.
        names: Vec<String>,
        /// The topics subscribed to.
        topics: Vec<String>,
    },
    /// This member leads, and one of the host's assignors was chosen: the host shares out the
    /// partitions, by [`assignment`](super::Consumer::assignment).
    AssignmentNeeded {
        /// The generation.
        generation: i32,
        /// The assignor's name.
        protocol: String,
        /// Every member's id, with what its assignor gave as metadata.
        members: Vec<(String, Bytes)>,
        /// The topics that this member itself subscribes to.
        topics: Vec<String>,
    },
    /// The coordinator has heard of us.
    Heartbeat {
        /// The member's id.
        member_id: String,
        /// The generation.
        generation: i32,
    },
    /// Offsets were committed, or not.
    Committed {
        /// The command, or the automatic commit's own number.
        op: OpId,
        /// What brought it about.
        cause: CommitCause,
        /// The member's id; empty if partitions are assigned by hand.
        member_id: String,
        /// The generation; −1 if partitions are assigned by hand.
        generation: i32,
        /// What was to be committed.
        offsets: Vec<OffsetToCommit>,
        /// Whether it was.
        result: Result<(), ClientError>,
    },
    /// A partition's position is known; records are fetched from there.
    Positioned {
        /// Which partition.
        partition: TopicPartition,
        /// The offset of the next record.
        offset: i64,
        /// How it was found.
        origin: Origin,
    },
    /// The position lies outside of the log; it follows the reset policy.
    OutOfRange {
        /// Which partition.
        partition: TopicPartition,
        /// Where it was.
        offset: i64,
    },
    /// There is no committed offset, or the position lies outside of the log, and the policy is
    /// [`OffsetReset::None`](super::OffsetReset::None): nothing is fetched until the host seeks.
    NoPosition {
        /// Which partition.
        partition: TopicPartition,
    },
    /// A fetch was sent.
    FetchStart {
        /// To which broker.
        node: i32,
    },
    /// A fetch was answered.
    Fetched {
        /// By which broker.
        node: i32,
        /// How long that took, in milliseconds.
        duration_ms: u64,
        /// From how many partitions there were records.
        batches: usize,
    },
    /// Something failed that repeating does not help, or was repeated in vain. Nothing is fetched
    /// and no heartbeat sent any more; the host calls [`stop`](super::Consumer::stop), and
    /// [`start`](super::Consumer::start) again if it is to go on.
    Crashed {
        /// What failed.
        error: ClientError,
        /// Whether starting again may help, by KafkaJS's rule.
        restart: bool,
        /// How long to wait before that, in milliseconds.
        restart_after_ms: u64,
    },
}

/// What a member knows when a generation begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupJoin {
    /// The generation.
    pub generation: i32,
    /// This member's id.
    pub member_id: String,
    /// The leader's id.
    pub leader_id: String,
    /// Whether that is this member.
    pub is_leader: bool,
    /// The assignor that was chosen.
    pub protocol: String,
    /// All partitions that this member has now, in the leader's order.
    pub assignment: Vec<TopicPartition>,
    /// From the start of the rebalance until now, in milliseconds.
    pub duration_ms: u64,
}

/// Why a member joins again.
#[derive(Debug, Clone, PartialEq)]
pub enum Rebalance {
    /// The coordinator said so: `REBALANCE_IN_PROGRESS`.
    InProgress,
    /// The coordinator is in another generation: `ILLEGAL_GENERATION`.
    IllegalGeneration,
    /// The coordinator does not know the member: `UNKNOWN_MEMBER_ID`.
    UnknownMember,
    /// This member subscribes to other topics than when it joined.
    SubscriptionChanged,
    /// Topics have other numbers of partitions than when this member, the leader, shared them out.
    TopicsChanged,
    /// Partitions were given up in the cooperative way: their next owner can have them now.
    PartitionsRevoked,
}

/// What brought a commit about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitCause {
    /// The host's [`commit`](super::Consumer::commit).
    Asked,
    /// The host's [`commit_processed`](super::Consumer::commit_processed), or interval or threshold.
    Auto,
    /// Partitions are given up, or the consumer stops.
    Revoke,
    /// The group had no offset.
    Initial,
}

/// An offset for the group: that of the next record to process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetToCommit {
    /// Whose.
    pub partition: TopicPartition,
    /// The offset.
    pub offset: i64,
    /// Any text to store with it.
    pub metadata: Option<String>,
}

/// How a position was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The group had committed it.
    Committed,
    /// By the reset policy, because nothing was committed.
    NothingCommitted,
    /// By the reset policy, because the position was outside of the log.
    OutOfRange,
    /// The host sought it.
    Seek(SeekTo),
    /// The host gave back a batch: this is the first record that it did not process.
    Released,
}
