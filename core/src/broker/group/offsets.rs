//! Committed offsets: taken in, read, deleted.
//!
//! An accepted commit is one batch of records, so that it takes effect whole or not at all. Each
//! notes the topic's id: an offset committed for a topic that was deleted is nobody's, even if the
//! deletion could not drop it yet and the name is in use again.

use std::sync::Arc;

use super::State;
use super::partition::Partition;
use super::records::{Change, Commit, OffsetKey};
use crate::broker::Broker;
use crate::protocol::ErrorCode;
use crate::sabotage::{Rule, broken};
use crate::types::Uuid;

/// Who commits, and in which terms.
#[derive(Debug, Clone)]
pub(crate) struct Committer<'a> {
    pub(crate) group: &'a str,
    pub(crate) member_id: &'a str,
    pub(crate) instance_id: Option<&'a str>,
    /// -1: not a member.
    pub(crate) generation: i32,
    /// How long to keep the offsets, in milliseconds; -1: as long as the broker does.
    pub(crate) retention: i64,
    /// The request's version.
    pub(crate) version: i16,
}

/// An offset to commit, for a partition that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToCommit {
    pub(crate) topic: Arc<str>,
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: Option<String>,
}

/// A group's offsets as one reader sees them.
#[derive(Debug, Clone)]
pub(crate) struct Committed<'a> {
    /// None: the group does not exist for this reader.
    group: Option<(&'a Partition, Arc<str>)>,
    latest: bool,
}

/// The outcome of an OffsetDelete: the coordinator whose write to wait for, and an error for each
/// partition asked for.
pub(crate) type OffsetDeletion = (i32, Vec<Vec<ErrorCode>>);

impl Broker {
    /// Takes a commit. Returns the coordinator whose write to wait for, and an error for each
    /// offset, in order.
    ///
    /// # Errors
    /// What all offsets are answered with.
    pub(crate) fn commit_offsets(
        &mut self,
        who: &Committer<'_>,
        offsets: Vec<ToCommit>,
    ) -> Result<(i32, Vec<ErrorCode>), ErrorCode> {
        let partition = self.coordinator_of(who.group)?;
        let (accepted, _) = self.with_group(partition, who.group, |group, _, out| {
            group.commit(who.member_id, who.instance_id, who.generation, out)
        });
        match accepted {
            Some(accepted) => accepted?,
            // Whoever is not a member makes a group for its offsets only: a simple group.
            None if who.generation < 0 => {}
            None if who.version >= 9 => return Err(ErrorCode::GROUP_ID_NOT_FOUND),
            None => return Err(ErrorCode::ILLEGAL_GENERATION),
        }
        let now = self.clock.wall().0;
        let longest = usize::try_from(self.config.long("offset.metadata.max.bytes")).unwrap_or(0);
        let group = self.shared_group_id(partition, who.group);
        let expires = (who.retention != -1).then(|| now.saturating_add(who.retention));
        let mut errors = Vec::with_capacity(offsets.len());
        let mut changes = Vec::with_capacity(offsets.len());
        for offset in offsets {
            let metadata = offset.metadata.unwrap_or_default();
            // As Java counts: in units of UTF-16.
            if metadata.encode_utf16().count() > longest {
                errors.push(ErrorCode::OFFSET_METADATA_TOO_LARGE);
                continue;
            }
            errors.push(ErrorCode::NONE);
            let key = OffsetKey {
                group: group.clone(),
                topic: offset.topic,
                partition: offset.partition,
            };
            let commit = Commit {
                offset: offset.offset,
                leader_epoch: offset.leader_epoch,
                metadata: metadata.into(),
                timestamp: now,
                expires,
                topic_id: offset.topic_id,
            };
            changes.push(Change::Commit(key, Some(commit)));
        }
        if !broken(Rule::CommitsAreWritten) {
            self.append_changes(partition, changes)?;
        }
        Ok((partition, errors))
    }

    fn shared_group_id(&self, partition: i32, group: &str) -> Arc<str> {
        match self.groups.partitions.get(&partition) {
            Some(found) => found.shared_id(group),
            None => group.into(),
        }
    }

    /// A group's offsets at its coordinator: durable ones, or, for a reader that will wait for
    /// their writes, the `latest`. A group that does not exist has none.
    pub(crate) fn committed(&self, partition: i32, group: &str, latest: bool) -> Committed<'_> {
        let group = self.groups.partitions.get(&partition).and_then(|found| {
            let id = found.shared_id(group);
            let exists = if latest {
                found.exists.latest(&id)
            } else {
                found.exists.durable(&id)
            };
            exists.map(|()| (found, id))
        });
        Committed { group, latest }
    }

    /// Deletes offsets of topics that the group does not consume. Those that are not there are
    /// deleted already.
    ///
    /// # Errors
    /// What the whole request is answered with.
    pub(crate) fn delete_offsets(
        &mut self,
        group: &str,
        topics: &[(Arc<str>, Vec<i32>)],
    ) -> Result<OffsetDeletion, ErrorCode> {
        let partition = self.coordinator_of(group)?;
        let found = self
            .groups
            .partitions
            .get(&partition)
            .ok_or(ErrorCode::NOT_COORDINATOR)?;
        let state = found.group(group).ok_or(ErrorCode::GROUP_ID_NOT_FOUND)?;
        match state.state() {
            State::Dead => return Err(ErrorCode::GROUP_ID_NOT_FOUND),
            State::Stable | State::PreparingRebalance | State::CompletingRebalance
                if !state.is_consumer_group() =>
            {
                return Err(ErrorCode::NON_EMPTY_GROUP);
            }
            State::Stable
            | State::PreparingRebalance
            | State::CompletingRebalance
            | State::Empty => {}
        }
        let mut tombstones = Vec::new();
        let mut errors = Vec::with_capacity(topics.len());
        for (topic, partitions) in topics {
            if state.is_subscribed_to(topic) {
                errors.push(vec![ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC; partitions.len()]);
                continue;
            }
            errors.push(vec![ErrorCode::NONE; partitions.len()]);
            for &number in partitions {
                let key = OffsetKey {
                    group: state.id.clone(),
                    topic: topic.clone(),
                    partition: number,
                };
                if found.offsets.latest(&key).is_some() {
                    tombstones.push(Change::Commit(key, None));
                }
            }
        }
        self.append_changes(partition, tombstones)?;
        Ok((partition, errors))
    }

    /// Deletes a group that has no members, with its offsets. Returns the coordinator whose write to
    /// wait for.
    ///
    /// # Errors
    /// `NON_EMPTY_GROUP`, `GROUP_ID_NOT_FOUND`, or that of the coordinator.
    pub(crate) fn delete_group(&mut self, group: &str) -> Result<i32, ErrorCode> {
        let partition = self.coordinator_of(group)?;
        let found = self
            .groups
            .partitions
            .get(&partition)
            .ok_or(ErrorCode::NOT_COORDINATOR)?;
        let state = found.group(group).ok_or(ErrorCode::GROUP_ID_NOT_FOUND)?;
        match state.state() {
            State::Empty => {}
            State::Dead => return Err(ErrorCode::GROUP_ID_NOT_FOUND),
            State::Stable | State::PreparingRebalance | State::CompletingRebalance => {
                return Err(ErrorCode::NON_EMPTY_GROUP);
            }
        }
        let commits = found.latest_commits(&state.id).into_iter();
        let mut tombstones: Vec<Change> =
            commits.map(|(key, _)| Change::Commit(key, None)).collect();
        tombstones.push(Change::Group(state.id.clone(), None));
        self.append_changes(partition, tombstones)?;
        Ok(partition)
    }
}

impl<'a> Committed<'a> {
    /// What is committed for a partition of a topic. `topic_id` is zero if the topic is not known.
    pub(crate) fn get(
        &self,
        topic: &Arc<str>,
        topic_id: Uuid,
        partition: i32,
    ) -> Option<&'a Commit> {
        let (found, group) = self.group.as_ref()?;
        let key = OffsetKey {
            group: group.clone(),
            topic: topic.clone(),
            partition,
        };
        let offsets = &found.offsets;
        let commit = if self.latest {
            offsets.latest(&key)
        } else {
            offsets.durable(&key)
        };
        commit.filter(|commit| {
            topic_id.is_zero() || commit.topic_id.is_zero() || commit.topic_id == topic_id
        })
    }

    /// Everything committed, in order of topic and partition.
    pub(crate) fn all(&self) -> Vec<(OffsetKey, Commit)> {
        match &self.group {
            None => Vec::new(),
            Some((found, group)) if self.latest => found.latest_commits(group),
            Some((found, group)) => {
                let commits = found.durable_commits(group);
                commits
                    .map(|(key, commit)| (key.clone(), commit.clone()))
                    .collect()
            }
        }
    }
}
