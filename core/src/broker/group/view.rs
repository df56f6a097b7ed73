//! What watchers see of groups and commits: the group as it is in memory, commits as they are
//! durable.

use std::sync::Arc;

use bytes::Bytes;

use super::classic::{Member, TimerKey, subscription};
use super::partition::{Entry, Partition};
use super::records::OffsetKey;
use super::{State, partition_for};
use crate::broker::Broker;
use crate::broker::event::{CommitView, GroupView, MemberView};
use crate::protocol::internal::consumer_protocol::ConsumerProtocolAssignment;
use crate::protocol::{Message as _, Reader};

impl Broker {
    /// A group as it is now.
    pub(crate) fn group_view(&self, group: &str) -> Option<GroupView> {
        let (_, partitions) = self.groups.topic?;
        let found = self
            .groups
            .partitions
            .get(&partition_for(group, partitions))?;
        let entry = found.groups.get(group)?;
        let state = &entry.group;
        let members = state
            .members()
            .map(|member| self.member_view(entry, member));
        Some(GroupView {
            group: group.to_owned(),
            state: state.state().name().to_owned(),
            generation: state.generation(),
            protocol_type: state.protocol_type().unwrap_or_default().to_owned(),
            protocol: state.protocol().unwrap_or_default().to_owned(),
            leader: state.leader().unwrap_or_default().to_owned(),
            rebalance_ends_in: self.time_left(entry, &TimerKey::Join),
            members: members.collect(),
        })
    }

    fn member_view(&self, entry: &Entry, member: &Member) -> MemberView {
        let group = &entry.group;
        let is_consumer = group.is_consumer_group();
        let metadata = || {
            // Between generations the preferred protocol's metadata is the newest there is.
            let protocol = group
                .protocol()
                .or_else(|| member.protocols.first().map(|p| p.name.as_str()));
            member.metadata(protocol)
        };
        let subscribed = if is_consumer {
            subscription(metadata())
        } else {
            None
        }
        .map(|said| said.topics);
        let assigned = is_consumer && group.state() == State::Stable;
        MemberView {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            joined: member.has_joined(),
            synced: group.has_synced(&member.id),
            session_ends_in: self.time_left(entry, &TimerKey::Session(member.id.clone())),
            session_timeout: member.session_timeout,
            assigned: if assigned {
                assignment(&member.assignment)
            } else {
                Vec::new()
            },
            subscribed: subscribed.unwrap_or_default(),
        }
    }

    fn time_left(&self, entry: &Entry, key: &TimerKey) -> Option<u64> {
        let deadline = self.groups.timers.deadline(*entry.timers.get(key)?)?;
        Some(deadline.since(self.clock.monotonic()))
    }

    /// The ids of all groups.
    pub(crate) fn all_group_ids(&self) -> Vec<String> {
        let partitions = self.groups.partitions.values();
        partitions
            .flat_map(|found| found.groups.keys())
            .map(|id| id.to_string())
            .collect()
    }

    /// A committed offset and the record that says so.
    pub(crate) fn commit_view(
        &self,
        group: &str,
        topic: &str,
        partition: i32,
    ) -> Option<CommitView> {
        let (_, partitions) = self.groups.topic?;
        let found = self
            .groups
            .partitions
            .get(&partition_for(group, partitions))?;
        let key = OffsetKey {
            group: found.shared_id(group),
            topic: topic.into(),
            partition,
        };
        let versioned = found.offsets.durable_versioned(&key)?;
        Some(commit_view(found, &key, versioned.offset, &versioned.value))
    }

    /// Group, topic and partition of all committed offsets.
    pub(crate) fn all_commits(&self) -> Vec<(String, String, i32)> {
        let partitions = self.groups.partitions.values();
        let keys = partitions
            .flat_map(|found| found.offsets.iter_durable())
            .map(|(key, _)| key);
        keys.map(|key| (key.group.to_string(), key.topic.to_string(), key.partition))
            .collect()
    }
}

fn commit_view(
    found: &Partition,
    key: &OffsetKey,
    log_offset: i64,
    commit: &super::records::Commit,
) -> CommitView {
    let name = |name: &Arc<str>| name.as_ref().to_owned();
    CommitView {
        group: name(&key.group),
        topic: name(&key.topic),
        partition: key.partition,
        offset: commit.offset,
        metadata: name(&commit.metadata),
        log_partition: found.log.partition,
        log_offset,
    }
}

/// The partitions in a consumer's assignment; none if it cannot be read.
fn assignment(bytes: &Bytes) -> Vec<(String, i32)> {
    let mut reader = Reader::new(bytes.clone());
    let read = reader
        .i16()
        .and_then(|_| ConsumerProtocolAssignment::read_version(&mut reader, 0));
    let topics = read
        .map(|assignment| assignment.assigned_partitions)
        .unwrap_or_default();
    topics
        .into_iter()
        .flat_map(|topic| {
            let name = topic.topic;
            topic
                .partitions
                .into_iter()
                .map(move |partition| (name.clone(), partition))
        })
        .collect()
}
