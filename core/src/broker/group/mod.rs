//! The group coordinator: classic groups and committed offsets, from `__consumer_offsets`.
//!
//! It decides who is in which group, what each member is told, and which offsets are committed;
//! assignments and member metadata are the members' own business and pass through unread (but for
//! the topics a consumer group subscribes to).
//!
//! Each partition of `__consumer_offsets` is a coordinator of its own ([`partition`]), which reads
//! its log before it serves (`COORDINATOR_LOAD_IN_PROGRESS`). A write joins the pending values at
//! once; what it answers leaves when it is durable, or with an error when the log fails or takes
//! longer than `offsets.commit.timeout.ms`. Readers (OffsetFetch, DescribeGroups, ListGroups) see
//! what is durable only.
//!
//! - [`classic`]: a group as a state machine, without I/O.
//! - [`partition`], [`records`]: hard state and its records. [`load`]: reading it, taking it back.
//! - [`run`]: carries out what a group asks for; writes, and who waits for them.
//! - [`offsets`], [`expiry`], [`compaction`]: commits, their end, and how the log stays short.
//! - [`view`]: what watchers see.
//!
//! Invariants: those of [`classic`] and [`partition`]; a timer that is cancelled or replaced never
//! acts; a timer whose write failed acts again after 500 ms.
//!
//! Sources: Kafka's module `group-coordinator` of 4.3 (`GroupCoordinatorService`,
//! `GroupMetadataManager`, `OffsetMetadataManager`), its `CoordinatorRuntime`; KIP-211, KIP-848.

mod classic;
mod compaction;
mod expiry;
mod load;
mod offsets;
mod partition;
mod records;
mod run;
mod view;

use crate::sorted::SortedMap;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::Broker;
use super::effect::LogId;
use super::timers::{TimerId, Timers};
use crate::protocol::ErrorCode;
use crate::time::Monotonic;
use crate::types::Uuid;

pub(crate) use classic::{ClassicGroup, Join, Leaver, State, Sync, join_error};
pub(crate) use offsets::{Committed, Committer, ToCommit};
pub(crate) use records::Commit;

use classic::TimerKey;
use partition::{Partition, Phase};
use run::{Gather, Wait};

/// What is due when a timer of the coordinator expires.
#[derive(Debug, Clone, PartialEq, Eq)]
enum GroupTimer {
    /// One of a group's own timers.
    Group {
        partition: i32,
        group: Arc<str>,
        key: TimerKey,
    },
    /// A write has taken too long; the number names the wait.
    WriteTimeout(u64),
    /// Time to drop offsets and groups that have expired.
    Expiry,
    /// Offsets of deleted topics could not be dropped: try again.
    Orphans { partition: i32 },
    /// A log could not be read: try again.
    Reload { partition: i32 },
}

/// Every group this broker coordinates.
#[derive(Default)]
pub(crate) struct Groups {
    /// The id of `__consumer_offsets` and how many partitions it had when first used: later ones
    /// would move groups to other partitions.
    topic: Option<(Uuid, i32)>,
    partitions: SortedMap<i32, Partition>,
    timers: Timers<GroupTimer>,
    expiry: Option<TimerId>,
    waits: SortedMap<u64, Wait>,
    gathers: SortedMap<u64, Gather>,
    /// The last number given to a group, wait or gathering.
    last_number: u64,
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups")
            .field("topic", &self.topic)
            .field("partitions", &self.partitions)
            .field("timers", &self.timers)
            .field("waits", &self.waits.len())
            .finish_non_exhaustive()
    }
}

impl Groups {
    /// When the next timer is due.
    pub(super) fn next_deadline(&self) -> Option<Monotonic> {
        self.timers.next_deadline()
    }

    /// Puts everything off: the broker was away, not those it waits for.
    pub(super) fn extend_deadlines(&mut self, millis: u64) {
        self.timers.extend_all(millis);
    }

    fn next_number(&mut self) -> u64 {
        self.last_number = self.last_number.wrapping_add(1);
        self.last_number
    }

    fn of_log(&mut self, log: LogId) -> Option<&mut Partition> {
        self.partitions
            .get_mut(&log.partition)
            .filter(|partition| partition.log == log)
    }
}

impl Broker {
    /// Begins to read `__consumer_offsets`; called once the metadata is there.
    pub(crate) fn load_groups(&mut self) {
        let Some((topic, partitions)) = self.offsets_topic() else {
            return;
        };
        for partition in 0..partitions {
            let has_data = self
                .log_bounds(LogId { topic, partition })
                .is_some_and(|(high_watermark, _)| high_watermark > 0);
            if has_data {
                self.open_group_partition(topic, partition);
            }
        }
    }

    /// The id and the number of partitions of `__consumer_offsets`.
    fn offsets_topic(&mut self) -> Option<(Uuid, i32)> {
        let topic = self.metadata.offsets_topic()?;
        match self.groups.topic {
            Some((id, partitions)) if id == topic.id => Some((id, partitions)),
            _ => {
                self.groups.topic = Some((topic.id, topic.partitions));
                self.groups.topic
            }
        }
    }

    /// The partition that coordinates the group, if it is ready to.
    ///
    /// # Errors
    /// `NOT_COORDINATOR`, `COORDINATOR_LOAD_IN_PROGRESS`.
    pub(crate) fn coordinator_of(&mut self, group: &str) -> Result<i32, ErrorCode> {
        let (topic, partitions) = self.offsets_topic().ok_or(ErrorCode::NOT_COORDINATOR)?;
        let partition = partition_for(group, partitions);
        if !self.groups.partitions.contains_key(&partition) {
            self.open_group_partition(topic, partition);
        }
        match self
            .groups
            .partitions
            .get(&partition)
            .map(|found| &found.phase)
        {
            Some(Phase::Ready) => Ok(partition),
            Some(Phase::Loading) => Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS),
            Some(Phase::Failed(_)) | None => Err(ErrorCode::NOT_COORDINATOR),
        }
    }

    /// Whether every partition with groups is ready to be read.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS`.
    pub(crate) fn coordinators_ready(&self) -> Result<(), ErrorCode> {
        let loading = |partition: &Partition| partition.phase == Phase::Loading;
        if self.groups.partitions.values().any(loading) {
            return Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        }
        Ok(())
    }

    /// A group whose making is durable, as readers may see it.
    pub(crate) fn durable_group(
        &self,
        partition: i32,
        group: &str,
    ) -> Option<Cow<'_, ClassicGroup>> {
        let found = self.groups.partitions.get(&partition)?;
        found.durable_group(&found.shared_id(group))
    }

    /// All groups that readers may see, by partition and id.
    pub(crate) fn durable_groups(&self) -> impl Iterator<Item = Cow<'_, ClassicGroup>> {
        self.groups
            .partitions
            .values()
            .filter(|partition| partition.phase == Phase::Ready)
            .flat_map(|partition| {
                let ids = partition.exists.iter_durable().map(|(id, _)| id);
                ids.filter_map(|id| partition.durable_group(id))
            })
    }

    /// Runs whatever is due.
    pub(super) fn group_timers_due(&mut self) {
        let now = self.clock.monotonic();
        while let Some(timer) = self.groups.timers.pop_due(now) {
            match timer {
                GroupTimer::Group {
                    partition,
                    group,
                    key,
                } => {
                    self.group_timed_out(partition, &group, &key);
                }
                GroupTimer::WriteTimeout(wait) => {
                    self.end_wait(wait, Err(ErrorCode::COORDINATOR_NOT_AVAILABLE));
                }
                GroupTimer::Expiry => self.expire_offsets(),
                GroupTimer::Orphans { partition } => self.drop_orphans(partition),
                GroupTimer::Reload { partition } => self.reload_group_partition(partition),
            }
            self.settle();
        }
    }
}

/// The partition of `__consumer_offsets` for a group: Java's hash with the sign bit cleared, modulo
/// the number of partitions.
pub(crate) fn partition_for(group: &str, partitions: i32) -> i32 {
    (java_hash(group) & i32::MAX)
        .checked_rem(partitions)
        .unwrap_or(0)
}

/// Java's `String.hashCode`, over UTF-16.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests;
