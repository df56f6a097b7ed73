//! What can be asked of a consumer at any time: for a page that shows it, and for KafkaJS's
//! `paused`.

use super::group::GroupState;
use super::lifecycle::Phase;
use super::partitions::{Partition, Position};
use super::{Consumer, Isolation};
use crate::types::TopicPartition;

/// Where a consumer stands with its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerState {
    /// Not started, or stopped.
    Idle,
    /// Following partitions that were assigned by hand.
    ByHand,
    /// Giving up partitions before it joins again or leaves.
    Revoking,
    /// Waiting for the other members, or about to join.
    Joining,
    /// Leading, and sharing out the partitions.
    Assigning,
    /// Waiting for its share.
    Syncing,
    /// A member with its share, which may be empty.
    Stable,
    /// Leaving.
    Stopping,
    /// Failed.
    Crashed,
}

/// One assigned partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    /// Which.
    pub partition: TopicPartition,
    /// The offset of the next record to be delivered, if it is known.
    pub position: Option<i64>,
    /// The offset after the last record that was processed.
    pub processed: Option<i64>,
    /// What the group has committed, as far as this member has seen.
    pub committed: Option<i64>,
    /// The high watermark that the last fetch brought.
    pub high_watermark: Option<i64>,
    /// The last stable offset that the last fetch brought.
    pub last_stable_offset: Option<i64>,
    /// The log start offset that the last fetch brought.
    pub log_start_offset: Option<i64>,
    /// How many offsets there are from the position to the end, as far as the isolation level lets
    /// this consumer see.
    pub lag: Option<u64>,
    /// Whether it is paused.
    pub paused: bool,
    /// Whether it is being given up.
    pub revoking: bool,
    /// Whether a batch of it is in the host's hands.
    pub in_hand: bool,
    /// How many bytes of it wait to be polled.
    pub buffered: usize,
}

impl Consumer {
    /// Where the consumer stands.
    #[must_use]
    pub fn state(&self) -> ConsumerState {
        match (&self.phase, &self.group.state) {
            (Phase::Idle, _) => ConsumerState::Idle,
            (Phase::Crashed, _) => ConsumerState::Crashed,
            (_, GroupState::Revoking(_)) => ConsumerState::Revoking,
            (Phase::Stopping { .. }, _) => ConsumerState::Stopping,
            (Phase::Running, _) if self.subscription.by_hand => ConsumerState::ByHand,
            (
                Phase::Running,
                GroupState::Out
                | GroupState::Waiting(_)
                | GroupState::ProtocolsNeeded
                | GroupState::Joining(_),
            ) => ConsumerState::Joining,
            (Phase::Running, GroupState::TopicsNeeded(_) | GroupState::AssignmentNeeded) => {
                ConsumerState::Assigning
            }
            (Phase::Running, GroupState::Syncing(_)) => ConsumerState::Syncing,
            (Phase::Running, GroupState::Stable) => ConsumerState::Stable,
        }
    }

    /// Whether the group is rebalancing, as far as this member has heard: what KafkaJS's
    /// `heartbeat()` rejects with `REBALANCE_IN_PROGRESS` for.
    #[must_use]
    pub fn is_rebalancing(&self) -> bool {
        let settled = self.group.state == GroupState::Stable && self.group.rejoin.is_none();
        self.is_running() && !self.subscription.by_hand && !settled
    }

    /// This member's id; empty if it has none.
    #[must_use]
    pub fn member_id(&self) -> &str {
        &self.group.member_id
    }

    /// The generation; negative outside of any.
    #[must_use]
    pub fn generation(&self) -> i32 {
        self.group.generation
    }

    /// Whether this member leads its generation.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.group.is_leader()
    }

    /// The assignor that the group has chosen; empty before.
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.group.protocol
    }

    /// The topics subscribed to.
    #[must_use]
    pub fn subscription(&self) -> Vec<String> {
        self.subscription.topics()
    }

    /// The partitions that are assigned.
    #[must_use]
    pub fn assignment_now(&self) -> Vec<TopicPartition> {
        self.partitions.names()
    }

    /// The assigned partitions that are paused.
    #[must_use]
    pub fn paused(&self) -> Vec<TopicPartition> {
        let names = self.partitions.iter().map(|(name, _)| name);
        names
            .filter(|it| self.pauses.contains(it))
            .cloned()
            .collect()
    }

    /// Everything about an assigned partition.
    #[must_use]
    pub fn partition(&self, name: &TopicPartition) -> Option<PartitionStatus> {
        Some(self.status_of(name, self.partitions.get(name)?))
    }

    /// Everything about all assigned partitions.
    #[must_use]
    pub fn partitions(&self) -> Vec<PartitionStatus> {
        let all = self.partitions.iter();
        all.map(|(name, it)| self.status_of(name, it)).collect()
    }

    fn status_of(&self, name: &TopicPartition, it: &Partition) -> PartitionStatus {
        let position = match it.position {
            Position::At(offset) => Some(offset),
            Position::Unknown
            | Position::AskingCommitted
            | Position::Find(..)
            | Position::Finding(..)
            | Position::Nowhere => None,
        };
        let end = match self.config.isolation {
            Isolation::ReadCommitted => it.last_stable_offset.or(it.high_watermark),
            Isolation::ReadUncommitted => it.high_watermark,
        };
        let lag = end
            .zip(position)
            .map(|(end, at)| u64::try_from(end.saturating_sub(at)).unwrap_or(0));
        PartitionStatus {
            partition: name.clone(),
            position,
            processed: it.processed,
            committed: it.committed,
            high_watermark: it.high_watermark,
            last_stable_offset: it.last_stable_offset,
            log_start_offset: it.log_start_offset,
            lag,
            paused: self.pauses.contains(name),
            revoking: it.revoking,
            in_hand: it.in_hand.is_some(),
            buffered: it.buffered(),
        }
    }
}
