//! Reading a partition's log, and taking back what its log has lost.

use crate::sorted::{self, SortedMap};
use bytes::Bytes;
use std::sync::Arc;

use super::GroupTimer;
use super::classic::RETRY_MILLIS;
use super::partition::{Entry, Partition, Phase, ReadChange, changes_in};
use super::records::{Change, StoredGroup};
use crate::broker::Broker;
use crate::broker::effect::{LogId, StorageError};
use crate::broker::log::ReplayFailed;
use crate::sabotage::{Rule, broken};
use crate::types::Uuid;

impl Broker {
    /// Makes the coordinator of a partition: ready at once if its log is empty, else when that is
    /// read.
    pub(super) fn open_group_partition(&mut self, topic: Uuid, partition: i32) {
        let log = LogId { topic, partition };
        let Some((high_watermark, _)) = self.log_bounds(log) else {
            return;
        };
        self.start_expiry();
        let phase = if high_watermark > 0 {
            Phase::Loading
        } else {
            Phase::Ready
        };
        let load = phase == Phase::Loading;
        self.groups
            .partitions
            .insert(partition, Partition::new(log, phase));
        if load {
            self.replay(log);
        }
    }

    /// Reads a log again that could not be read.
    pub(super) fn reload_group_partition(&mut self, partition: i32) {
        let Some(found) = self.groups.partitions.get(&partition) else {
            return;
        };
        let topic = found.log.topic;
        self.open_group_partition(topic, partition);
    }

    /// Batches of a log that is being read, or what turned out to be durable after a failure.
    pub(in crate::broker) fn group_replayed(&mut self, log: LogId, batches: &Bytes) {
        let Some(found) = self.groups.of_log(log) else {
            return;
        };
        let applied = match found.phase {
            Phase::Loading => found.replay(batches),
            Phase::Ready => self.catch_up_group_log(log.partition, batches),
            Phase::Failed(_) => return,
        };
        if let Err(why) = applied {
            self.fail_group_partition(log.partition, why);
        }
    }

    /// The partition's log cannot be understood: its groups have no coordinator.
    fn fail_group_partition(&mut self, partition: i32, why: String) {
        let Some(found) = self.groups.partitions.get_mut(&partition) else {
            return;
        };
        found.phase = Phase::Failed(why);
        let ids: Vec<Arc<str>> = found.groups.keys().cloned().collect();
        for id in ids {
            self.drop_group(partition, &id);
        }
    }

    /// Applies records whose write was reported as failed, but is durable: they happened.
    fn catch_up_group_log(&mut self, partition: i32, batches: &Bytes) -> Result<(), String> {
        for read in changes_in(batches) {
            let ReadChange {
                offset,
                timestamp,
                change,
            } = read?;
            let Some(found) = self.groups.partitions.get_mut(&partition) else {
                return Ok(());
            };
            if offset < found.applied_to {
                continue;
            }
            found.applied_to = offset.saturating_add(1);
            found.replayable = found.replayable.saturating_add(1);
            let (id, exists) = match change {
                None => continue,
                Some(Change::Commit(key, commit)) => {
                    self.observer.commit(&key.group, &key.topic, key.partition);
                    let id = key.group.clone();
                    let exists = commit.is_some() || found.exists.durable(&id).is_some();
                    found.offsets.set_durable(offset, key, commit);
                    (id, exists)
                }
                Some(Change::Group(id, value)) => {
                    let exists = value.is_some();
                    let value = value.map(|value| StoredGroup { value, timestamp });
                    found.metadata.set_durable(offset, id.clone(), value);
                    (id, exists)
                }
            };
            found
                .exists
                .set_durable(offset, id.clone(), exists.then_some(()));
            if !exists {
                self.drop_group(partition, &id);
            } else if !found.groups.contains_key(&id) {
                self.revive_group(partition, &id);
            }
        }
        Ok(())
    }

    /// A log has been read: its groups begin, and every member's session with them.
    pub(in crate::broker) fn group_replay_ended(
        &mut self,
        log: LogId,
        result: &Result<(), ReplayFailed>,
    ) {
        if self
            .groups
            .of_log(log)
            .is_none_or(|found| found.phase != Phase::Loading)
        {
            return;
        }
        if let Err(ReplayFailed(why)) = result {
            let lost = |why: &StorageError| matches!(why, StorageError::Corrupt(_));
            if self
                .logs
                .get(log)
                .and_then(|found| found.failure())
                .is_some_and(lost)
            {
                return self.fail_group_partition(log.partition, why.clone());
            }
            let deadline = self.clock.monotonic().after_millis(RETRY_MILLIS);
            let timer = GroupTimer::Reload {
                partition: log.partition,
            };
            self.groups.timers.schedule(deadline, timer);
            return;
        }
        let mut number = self.groups.last_number;
        let Some(found) = self.groups.of_log(log) else {
            return;
        };
        let built = found.build_groups(|| {
            number = number.wrapping_add(1);
            number
        });
        found.phase = Phase::Ready;
        let ids: Vec<Arc<str>> = found.groups.keys().cloned().collect();
        let commits: Vec<_> = found
            .offsets
            .iter_durable()
            .map(|(key, _)| key.clone())
            .collect();
        self.groups.last_number = number;
        if let Err(error) = built {
            return self.fail_group_partition(log.partition, error.to_string());
        }
        // Whoever watched from the opening on has not seen them: they were not there yet.
        for key in commits {
            self.observer.commit(&key.group, &key.topic, key.partition);
        }
        for id in &ids {
            self.observer.group(id);
        }
        for id in ids {
            let (_, written) = self.with_group(log.partition, &id, |group, settings, out| {
                group.loaded(settings, out);
            });
            // Begins rebalances at most; these write nothing before members have joined.
            written.unwrap_or_default();
        }
        self.drop_orphans(log.partition);
        self.compact_group_log(log.partition);
    }

    /// The log reports more of itself durable: pending values become what readers see.
    pub(in crate::broker) fn group_log_advanced(&mut self, log: LogId, high_watermark: i64) {
        let Some(found) = self
            .groups
            .of_log(log)
            .filter(|found| found.phase == Phase::Ready)
        else {
            return;
        };
        found.applied_to = found.applied_to.max(high_watermark);
        let commits = found.offsets.advance(high_watermark);
        let groups = found.metadata.advance(high_watermark);
        let made = found.exists.advance(high_watermark);
        found.replayable = found
            .replayable
            .saturating_add(commits.len())
            .saturating_add(groups.len());
        if self.observer.watching() {
            for key in commits {
                self.observer.commit(&key.group, &key.topic, key.partition);
            }
            for id in groups.iter().chain(&made) {
                self.observer.group(id);
            }
        }
        self.compact_group_log(log.partition);
    }

    /// The log failed and is back at what is durable, or it is gone: so is what was pending.
    ///
    /// Groups whose making or end was lost begin again as their durable records say. The others go
    /// on; those who wait for a write of theirs are told by it.
    pub(in crate::broker) fn group_log_failed(&mut self, log: LogId) {
        let gone = self.log_bounds(log).is_none();
        let Some(found) = self.groups.of_log(log) else {
            return;
        };
        if !broken(Rule::PendingIsRolledBack) {
            found.offsets.rollback();
        }
        found.metadata.rollback();
        let mut changed: Vec<Arc<str>> = found.exists.rollback();
        if gone {
            changed = found.groups.keys().cloned().collect();
        }
        sorted::sort(&mut changed);
        changed.dedup();
        for id in &changed {
            self.drop_group(log.partition, id);
        }
        if gone {
            self.groups.partitions.remove(&log.partition);
            return;
        }
        for id in changed {
            self.revive_group(log.partition, &id);
        }
        self.renew_sessions(log.partition);
        let Some((high_watermark, _)) = self.log_bounds(log) else {
            return;
        };
        if let Some(found) = self
            .groups
            .of_log(log)
            .filter(|found| found.phase == Phase::Ready)
        {
            // At most: a compaction may have been lost as well as records.
            found.replayable = usize::try_from(high_watermark)
                .unwrap_or(0)
                .max(found.live());
        }
    }

    /// Begins a group again from its durable records, if there are any.
    fn revive_group(&mut self, partition: i32, id: &Arc<str>) {
        let instance = self.groups.next_number();
        let Some(found) = self.groups.partitions.get_mut(&partition) else {
            return;
        };
        if found.exists.durable(id).is_none() {
            return;
        }
        match found.durable_copy(id, instance) {
            Ok(group) => {
                let entry = Entry {
                    group,
                    timers: SortedMap::new(),
                };
                found.groups.insert(id.clone(), entry);
                self.observer.group(id);
            }
            Err(error) => self.fail_group_partition(partition, error.to_string()),
        }
    }

    fn renew_sessions(&mut self, partition: i32) {
        let Some(found) = self.groups.partitions.get(&partition) else {
            return;
        };
        let ids: Vec<Arc<str>> = found.groups.keys().cloned().collect();
        for id in ids {
            let (_, written) =
                self.with_group(partition, &id, |group, _, out| group.renew_sessions(out));
            // Arms timers only.
            written.unwrap_or_default();
        }
    }

    /// Drops the offsets of a deleted topic. If that fails, it is tried again, and a load does it
    /// too: whoever creates a topic of that name finds none.
    pub(crate) fn topic_deleted(&mut self, topic: &crate::broker::metadata::Topic) {
        let partitions: Vec<i32> = self.groups.partitions.keys().copied().collect();
        for partition in partitions {
            let Some(found) = self.groups.partitions.get(&partition) else {
                continue;
            };
            let lost = found
                .offsets
                .range_latest(..)
                .into_iter()
                .filter(|(key, commit)| {
                    *key.topic == *topic.name
                        && (commit.topic_id == topic.id || commit.topic_id.is_zero())
                });
            let tombstones = lost.map(|(key, _)| Change::Commit(key, None)).collect();
            self.append_orphans(partition, tombstones);
        }
    }

    /// Drops the offsets of topics that are no more.
    pub(super) fn drop_orphans(&mut self, partition: i32) {
        let Some(found) = self.groups.partitions.get(&partition) else {
            return;
        };
        if found.phase != Phase::Ready {
            return;
        }
        let mut known: SortedMap<Arc<str>, Option<Uuid>> = SortedMap::new();
        let lost = found
            .offsets
            .range_latest(..)
            .into_iter()
            .filter(|(key, commit)| {
                let id = *known.entry(key.topic.clone()).or_insert_with(|| {
                    self.metadata
                        .topic_by_name(&key.topic)
                        .map(|topic| topic.id)
                });
                id.is_none_or(|id| !commit.topic_id.is_zero() && commit.topic_id != id)
            });
        let tombstones = lost.map(|(key, _)| Change::Commit(key, None)).collect();
        self.append_orphans(partition, tombstones);
    }

    fn append_orphans(&mut self, partition: i32, tombstones: Vec<Change>) {
        if tombstones.is_empty() {
            return;
        }
        match self.append_tombstones(partition, tombstones) {
            Ok(()) => self.after_group_write(
                partition,
                Box::new(move |broker, result| {
                    if result.is_err() {
                        broker.drop_orphans_later(partition);
                    }
                }),
            ),
            Err(_) => self.drop_orphans_later(partition),
        }
    }

    fn drop_orphans_later(&mut self, partition: i32) {
        let deadline = self.clock.monotonic().after_millis(RETRY_MILLIS);
        self.groups
            .timers
            .schedule(deadline, GroupTimer::Orphans { partition });
    }
}
