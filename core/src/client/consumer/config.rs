//! What a consumer is told once, when it is made. Defaults are KafkaJS 2.2's.

use super::super::assignor::Assignor;
use super::super::cluster::ClusterConfig;
use super::super::error::ClientError;
use super::super::retry::RetryConfig;

/// A consumer's configuration. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerConfig {
    /// How the cluster is reached: addresses, client id, timeouts, age of metadata, creation of
    /// topics.
    pub cluster: ClusterConfig,
    /// The group; without one, partitions can only be assigned by hand and nothing is committed.
    pub group_id: Option<String>,
    /// Makes the member a static one (KIP-345): it keeps its place over a restart, and does not
    /// leave the group when it stops.
    pub group_instance_id: Option<String>,
    /// How the group may share out partitions, the preferred way first.
    pub assignors: Vec<GroupAssignor>,
    /// For how long the coordinator waits for a heartbeat before it gives the member up.
    pub session_timeout_ms: u64,
    /// For how long the coordinator waits for members to rejoin.
    pub rebalance_timeout_ms: u64,
    /// How often the member says that it is alive.
    pub heartbeat_interval_ms: u64,
    /// A long poll ends when there are this many bytes.
    pub min_bytes: i32,
    /// The most bytes in an answer, unless a single batch is larger.
    pub max_bytes: i32,
    /// As `max_bytes`, of a partition.
    pub max_bytes_per_partition: i32,
    /// A long poll ends after this time at the latest.
    pub max_wait_ms: i32,
    /// Fetching stops while this many bytes wait to be polled.
    pub prefetch_bytes: usize,
    /// Which records are seen.
    pub isolation: Isolation,
    /// Where to start without a committed offset, in topics that were subscribed without saying.
    pub offset_reset: OffsetReset,
    /// Commits that the consumer makes by itself.
    pub auto_commit: AutoCommit,
    /// Whether a group that has no committed offset for a partition gets one at once: where this
    /// consumer starts.
    pub commit_initial_offset: bool,
    /// Whether checksums of batches are checked.
    pub check_crcs: bool,
    /// When failed requests are repeated, and how often before the consumer crashes.
    pub retry: RetryConfig,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            cluster: ClusterConfig::default(),
            group_id: None,
            group_instance_id: None,
            assignors: vec![GroupAssignor::BuiltIn(Assignor::KafkaJsRoundRobin)],
            session_timeout_ms: 30_000,
            rebalance_timeout_ms: 60_000,
            heartbeat_interval_ms: 3_000,
            min_bytes: 1,
            max_bytes: 10 << 20,
            max_bytes_per_partition: 1 << 20,
            max_wait_ms: 5_000,
            prefetch_bytes: 16 << 20,
            isolation: Isolation::ReadCommitted,
            offset_reset: OffsetReset::Latest,
            auto_commit: AutoCommit::default(),
            commit_initial_offset: false,
            check_crcs: true,
            retry: RetryConfig::default(),
        }
    }
}

/// A way to share out partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupAssignor {
    /// One of ours.
    BuiltIn(Assignor),
    /// The host's, under this name. It is asked by
    /// [`ConsumerEvent::ProtocolsNeeded`](super::ConsumerEvent::ProtocolsNeeded) and
    /// [`ConsumerEvent::AssignmentNeeded`](super::ConsumerEvent::AssignmentNeeded).
    Custom(String),
}

impl GroupAssignor {
    /// The protocol's name in JoinGroup.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(assignor) => assignor.name(),
            Self::Custom(name) => name,
        }
    }
}

/// Where to start where nothing is committed (`auto.offset.reset`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OffsetReset {
    /// At the first record that is there.
    Earliest,
    /// After the last one.
    #[default]
    Latest,
    /// Nowhere, until the host seeks.
    None,
}

/// Which records are seen (`isolation.level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// All below the high watermark.
    ReadUncommitted,
    /// Those below the first open transaction that no transaction has taken back.
    #[default]
    ReadCommitted,
}

impl Isolation {
    pub(super) fn wire(self) -> i8 {
        match self {
            Self::ReadUncommitted => 0,
            Self::ReadCommitted => 1,
        }
    }
}

/// Which offsets the consumer commits by itself. What is committed is what was
/// [processed](super::Consumer::mark_processed), never what was merely delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoCommit {
    /// Whether at all. If so, also before partitions are given up and when the consumer stops.
    pub enabled: bool,
    /// So long after the last commit.
    pub interval_ms: Option<u64>,
    /// When so many records are processed and not committed.
    pub threshold: Option<u64>,
}

impl Default for AutoCommit {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_ms: None,
            threshold: None,
        }
    }
}

impl ConsumerConfig {
    pub(super) fn validate(&self) -> Result<(), ClientError> {
        if self.group_id.as_ref().is_some_and(String::is_empty) {
            let message = "Consumer groupId must be a non-empty string.";
            return Err(ClientError::non_retriable(message));
        }
        if self.heartbeat_interval_ms >= self.session_timeout_ms {
            return Err(ClientError::non_retriable(format!(
                "Consumer heartbeatInterval ({}) must be lower than sessionTimeout ({}). It is \
                 recommended to set heartbeatInterval to approximately a third of the \
                 sessionTimeout.",
                self.heartbeat_interval_ms, self.session_timeout_ms
            )));
        }
        if self.group_id.is_some() && self.assignors.is_empty() {
            let message = "A consumer in a group needs at least one partition assigner";
            return Err(ClientError::non_retriable(message));
        }
        Ok(())
    }

    /// Whether members keep their partitions while they rejoin: only if all assignors can.
    pub(super) fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|assignor| match assignor {
            GroupAssignor::BuiltIn(assignor) => assignor.is_cooperative(),
            GroupAssignor::Custom(_) => false,
        })
    }
}
