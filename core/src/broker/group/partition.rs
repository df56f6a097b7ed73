//! One partition of `__consumer_offsets`: an independent coordinator for the groups it holds.
//!
//! Its hard state is what its records say: committed offsets and each group's last rebalance, both
//! durable and pending. The groups themselves are soft: they begin as their records say, live on in
//! memory, and begin again if the records that made them are lost.
//!
//! Invariant: there is a group in memory exactly for each group that exists by the latest values. A
//! group exists by its own record or, a simple one, since an offset was committed for it, and until
//! the tombstone of its record.

use crate::sorted::{SortedMap, SortedSet};
use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::classic::{ClassicGroup, TimerKey};
use super::records::{Change, Commit, OffsetKey, StoredGroup, read_group};
use crate::broker::effect::LogId;
use crate::broker::overlay::Overlay;
use crate::broker::timers::TimerId;
use crate::protocol::DecodeError;
use crate::records::{BatchError, BatchView, Batches, DEFAULT_DECOMPRESSED_LIMIT, Record};

/// A record that was read.
#[derive(Debug)]
pub(super) struct ReadChange {
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    /// `None` if it is of a kind that is none of ours.
    pub(super) change: Option<Change>,
}

/// What the records in some batches say, in order; an error, in words, ends it.
pub(super) fn changes_in(batches: &Bytes) -> impl Iterator<Item = Result<ReadChange, String>> {
    let read = |batch: Result<BatchView, BatchError>| {
        let batch = batch?;
        batch.check_crc()?;
        if batch.is_control() {
            return Ok(None);
        }
        batch.records(DEFAULT_DECOMPRESSED_LIMIT).map(Some)
    };
    let change = |record: Result<Record, BatchError>| {
        let record = record.map_err(|error| error.to_string())?;
        let (offset, timestamp) = (record.offset, record.timestamp);
        let change = Change::from_record(record.key, record.value);
        let change = change.map_err(|error| format!("the record at offset {offset}: {error}"))?;
        Ok(ReadChange {
            offset,
            timestamp,
            change,
        })
    };
    Batches::new(batches.clone()).flat_map(move |batch| {
        let (records, failed) = match read(batch) {
            Ok(records) => (records, None),
            Err(error) => (None, Some(Err(error.to_string()))),
        };
        failed
            .into_iter()
            .chain(records.into_iter().flatten().map(change))
    })
}

/// Where a partition's coordinator is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its log is being read.
    Loading,
    /// It serves.
    Ready,
    /// Its log holds a record that cannot be read.
    Failed(String),
}

/// A group and its timers.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) group: ClassicGroup,
    pub(super) timers: SortedMap<TimerKey, TimerId>,
}

/// The coordinator of one partition.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) log: LogId,
    pub(super) phase: Phase,
    pub(super) offsets: Overlay<OffsetKey, Commit>,
    pub(super) metadata: Overlay<Arc<str>, StoredGroup>,
    pub(super) exists: Overlay<Arc<str>, ()>,
    pub(super) groups: SortedMap<Arc<str>, Entry>,
    /// Everything below is durable and applied.
    pub(super) applied_to: i64,
    /// How many durable records there are to replay: those since the last compaction, and what it
    /// left.
    pub(super) replayable: usize,
}

impl Partition {
    pub(super) fn new(log: LogId, phase: Phase) -> Self {
        Self {
            log,
            phase,
            offsets: Overlay::default(),
            metadata: Overlay::default(),
            exists: Overlay::default(),
            groups: SortedMap::new(),
            applied_to: 0,
            replayable: 0,
        }
    }

    /// How many records a log that was just compacted would have.
    pub(super) fn live(&self) -> usize {
        self.offsets
            .len_durable()
            .saturating_add(self.metadata.len_durable())
    }

    /// The group's id as the key that everything here shares.
    pub(super) fn shared_id(&self, group: &str) -> Arc<str> {
        match self.groups.get_key_value(group) {
            Some((id, _)) => id.clone(),
            None => group.into(),
        }
    }

    /// The group, if it exists by the latest values.
    pub(super) fn group(&self, group: &str) -> Option<&ClassicGroup> {
        self.groups.get(group).map(|entry| &entry.group)
    }

    /// The group as readers may see it: only if what made it is durable. One whose deletion is not
    /// durable yet is as its record says.
    pub(super) fn durable_group(&self, id: &Arc<str>) -> Option<Cow<'_, ClassicGroup>> {
        self.exists.durable(id)?;
        match self.groups.get(id) {
            Some(entry) => Some(Cow::Borrowed(&entry.group)),
            None => self.durable_copy(id, 0).ok().map(Cow::Owned),
        }
    }

    /// Notes changes that were appended but are not durable yet: record `i` at `base + i`.
    pub(super) fn set_pending(&mut self, base: i64, changes: Vec<Change>, timestamp: i64) {
        for (offset, change) in (base..).zip(changes) {
            match change {
                Change::Commit(key, commit) => {
                    if commit.is_some() && self.exists.latest(&key.group).is_none() {
                        self.exists.set_pending(offset, key.group.clone(), Some(()));
                    }
                    self.offsets.set_pending(offset, key, commit);
                }
                Change::Group(group, value) => {
                    let exists = value.as_ref().map(|_| ());
                    if exists.is_none() || self.exists.latest(&group).is_none() {
                        self.exists.set_pending(offset, group.clone(), exists);
                    }
                    let value = value.map(|value| StoredGroup { value, timestamp });
                    self.metadata.set_pending(offset, group, value);
                }
            }
        }
    }

    /// Applies batches of a log that is being replayed.
    ///
    /// # Errors
    /// In words, if a record cannot be read.
    pub(super) fn replay(&mut self, batches: &Bytes) -> Result<(), String> {
        // Consecutive records often have the same group and topic: share their names.
        let mut names: SortedSet<Arc<str>> = SortedSet::new();
        let mut share = |name: Arc<str>| match names.get(&name) {
            Some(known) => known.clone(),
            None => {
                names.insert(name.clone());
                name
            }
        };
        for read in changes_in(batches) {
            let read = read?;
            self.replayable = self.replayable.saturating_add(1);
            match read.change {
                Some(Change::Commit(key, commit)) => {
                    let key = OffsetKey {
                        group: share(key.group),
                        topic: share(key.topic),
                        partition: key.partition,
                    };
                    self.offsets.set_durable(read.offset, key, commit);
                }
                Some(Change::Group(group, value)) => {
                    let value = value.map(|value| StoredGroup {
                        value,
                        timestamp: read.timestamp,
                    });
                    self.metadata.set_durable(read.offset, share(group), value);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Makes the groups that the durable records tell of; `instance` numbers them.
    pub(super) fn build_groups(
        &mut self,
        mut instance: impl FnMut() -> u64,
    ) -> Result<(), DecodeError> {
        let mut ids: SortedSet<Arc<str>> = self
            .metadata
            .iter_durable()
            .map(|(group, _)| group.clone())
            .collect();
        for (key, _) in self.offsets.iter_durable() {
            if !ids.contains(&key.group) {
                ids.insert(key.group.clone());
            }
        }
        for id in ids {
            let group = self.durable_copy(&id, instance())?;
            self.exists.set_durable(0, id.clone(), Some(()));
            self.groups.insert(
                id,
                Entry {
                    group,
                    timers: SortedMap::new(),
                },
            );
        }
        Ok(())
    }

    /// A group as the durable records have it.
    pub(super) fn durable_copy(
        &self,
        id: &Arc<str>,
        instance: u64,
    ) -> Result<ClassicGroup, DecodeError> {
        match self.metadata.durable(id) {
            Some(stored) => {
                let value = read_group(&stored.value)?;
                Ok(ClassicGroup::from_record(id.clone(), instance, value))
            }
            None => Ok(ClassicGroup::new(id.clone(), instance, None)),
        }
    }

    /// The keys from which, and before which, a group's commits are.
    pub(super) fn keys_of(group: &Arc<str>) -> std::ops::RangeFrom<OffsetKey> {
        OffsetKey {
            group: group.clone(),
            topic: "".into(),
            partition: i32::MIN,
        }..
    }

    /// A group's durable commits.
    pub(super) fn durable_commits<'a>(
        &'a self,
        group: &'a Arc<str>,
    ) -> impl Iterator<Item = (&'a OffsetKey, &'a Commit)> {
        self.offsets
            .range_durable(Self::keys_of(group))
            .take_while(move |(key, _)| key.group == *group)
            .map(|(key, versioned)| (key, &versioned.value))
    }

    /// A group's commits, those that are not durable yet included.
    pub(super) fn latest_commits(&self, group: &Arc<str>) -> Vec<(OffsetKey, Commit)> {
        let end = OffsetKey {
            group: format!("{group}\0").into(),
            topic: "".into(),
            partition: i32::MIN,
        };
        self.offsets.range_latest(Self::keys_of(group).start..end)
    }
}
