//! Where a partition begins: what the group has committed, or else what the reset policy says; and
//! wherever the host seeks.

use super::super::cluster::{Answer, CoordinatorKey, RequestOptions, Target};
use super::super::error::ClientError;
use super::config::OffsetReset;
use super::event::{CommitCause, OffsetToCommit, Origin};
use super::group::GroupState;
use super::partitions::Position;
use super::subscription::SeekTo;
use super::{Asked, Consumer, ConsumerEvent};
use crate::protocol::ErrorCode;
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopic,
};
use crate::protocol::messages::{ListOffsetsRequest, OffsetFetchRequest};
use crate::sorted::SortedMap;
use crate::time::Now;
use crate::types::TopicPartition;

/// A partition with the epoch in which something was asked about it.
pub(super) type Asking = (TopicPartition, u64);

/// In ListOffsets, what the timestamps stand for that are none.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

impl Consumer {
    /// Moves a partition's position. What was fetched from the old one is dropped, and a batch in
    /// the host's hands does not count any more. With automatic commits, the new position is what
    /// is committed next.
    ///
    /// While the group is being joined, the move is kept for when the partition is assigned.
    /// Returns false, and does nothing, if it is not assigned and will not be.
    pub fn seek(&mut self, now: Now, partition: &TopicPartition, to: SeekTo) -> bool {
        let now = self.clock(now);
        if self.partitions.contains(partition) {
            self.seek_assigned(partition, to);
            self.advance_own(now);
            return true;
        }
        let joining = self.is_running()
            && !self.subscription.by_hand
            && self.group.state != GroupState::Stable;
        if joining {
            self.early_seeks.insert(partition.clone(), to);
        }
        joining
    }

    pub(super) fn seek_assigned(&mut self, partition: &TopicPartition, to: SeekTo) {
        if let Some(sought) = self.partitions.get_mut(partition) {
            sought.failures = None;
        }
        if let SeekTo::Offset(offset) = to {
            self.place_at(partition, offset, Origin::Seek(to));
            self.count_as_processed(partition, offset);
        } else {
            let position = Position::Find(to, Origin::Seek(to));
            self.partitions.place(partition, position);
            if let Some(sought) = self.partitions.get_mut(partition) {
                sought.processed = None;
            }
        }
    }

    /// Asks for what is needed to know positions.
    pub(super) fn drive_positions(&mut self, now: Now) {
        if !self.is_running() {
            return;
        }
        let mut unknown = Vec::new();
        let mut find = Vec::new();
        for (name, partition) in self.partitions.iter() {
            if partition.revoking || partition.due().is_some_and(|due| due > now.monotonic) {
                continue;
            }
            match partition.position {
                Position::Unknown => unknown.push((name.clone(), partition.epoch)),
                Position::Find(to, origin) => {
                    find.push(((name.clone(), partition.epoch), to, origin));
                }
                Position::AskingCommitted
                | Position::Finding(..)
                | Position::At(_)
                | Position::Nowhere => {}
            }
        }
        if !unknown.is_empty() {
            if self.config.group_id.is_none() {
                for (name, _) in unknown {
                    self.reset(&name, Origin::NothingCommitted);
                }
                return self.drive_positions(now);
            }
            // A broker answers nothing else on the connection while a join is under way.
            if self.coordinator_is_free() {
                self.ask_committed(now, unknown);
            }
        }
        if !find.is_empty() {
            self.ask_offsets(now, find);
        }
    }

    fn ask_committed(&mut self, now: Now, asking: Vec<Asking>) {
        let group_id = self.config.group_id.clone().unwrap_or_default();
        for (name, _) in &asking {
            self.set_position(name, Position::AskingCommitted);
        }
        let names = asking.iter().map(|(name, _)| name);
        let request = super::wire::offset_fetch(&group_id, names, self.cluster.metadata());
        let options = RequestOptions {
            max_version: request.max_version,
            ..RequestOptions::default()
        };
        let target = Target::Coordinator(CoordinatorKey::Group(group_id));
        let token = self
            .cluster
            .request_with(now, target, request.message, options);
        self.asked.insert(token, Asked::Committed(asking));
    }

    /// OffsetFetch was answered, or has failed.
    pub(super) fn committed_answered(
        &mut self,
        now: Now,
        asking: Vec<Asking>,
        result: Result<Answer, ClientError>,
    ) {
        let answered = result.and_then(|answer| {
            let response = answer.decode::<OffsetFetchRequest>()?;
            super::wire::committed_offsets(response, answer.version, self.cluster.metadata())
        });
        if let Err(error) = &answered {
            self.note_coordinator_error(error);
        }
        for (name, epoch) in asking {
            let Some(partition) = self.partitions.at_epoch(&name, epoch) else {
                continue;
            };
            partition.position = Position::Unknown;
            let found = match &answered {
                Ok(found) => found.get(&name).copied().unwrap_or(Ok(-1)),
                Err(error) => {
                    self.partition_failed(now, &name, error.clone());
                    continue;
                }
            };
            match found {
                Ok(offset) if offset >= 0 => {
                    partition.trouble = None;
                    partition.committed = Some(offset);
                    self.place_at(&name, offset, Origin::Committed);
                }
                Ok(_) => {
                    partition.trouble = None;
                    self.reset(&name, Origin::NothingCommitted);
                }
                Err(code) => {
                    let error = ClientError::protocol_about(code, None, &name.to_string());
                    self.partition_failed(now, &name, error);
                }
            }
        }
    }

    /// The log has no record at a position, nor will it have one next.
    pub(super) fn out_of_range(&mut self, now: Now, name: &TopicPartition, offset: i64) {
        // The log may have grown again under a new leader: topics are asked for in any case.
        self.cluster.refresh_metadata(now);
        self.tell(ConsumerEvent::OutOfRange {
            partition: name.clone(),
            offset,
        });
        self.reset(name, Origin::OutOfRange);
    }

    /// Lets the reset policy decide.
    fn reset(&mut self, name: &TopicPartition, origin: Origin) {
        match self.reset_policy(&name.topic) {
            Some(to) => self.partitions.place(name, Position::Find(to, origin)),
            None => {
                self.partitions.place(name, Position::Nowhere);
                self.tell(ConsumerEvent::NoPosition {
                    partition: name.clone(),
                });
            }
        }
    }

    fn reset_policy(&self, topic: &str) -> Option<SeekTo> {
        let policy = self.subscription.reset(topic);
        match policy.unwrap_or(self.config.offset_reset) {
            OffsetReset::Earliest => Some(SeekTo::Beginning),
            OffsetReset::Latest => Some(SeekTo::End),
            OffsetReset::None => None,
        }
    }

    fn ask_offsets(&mut self, now: Now, find: Vec<(Asking, SeekTo, Origin)>) {
        let mut by_leader: SortedMap<i32, Vec<(Asking, i64, i32)>> = SortedMap::new();
        for ((name, epoch), to, origin) in find {
            let Some(timestamp) = self.timestamp_of(&name.topic, to) else {
                self.reset(&name, origin);
                continue;
            };
            let metadata = self.cluster.metadata();
            let Some(leader) = metadata.leader(&name.topic, name.partition) else {
                self.no_leader(now, &name);
                continue;
            };
            let known = metadata.partition(&name.topic, name.partition);
            let leader_epoch = known.map_or(-1, |it| it.leader_epoch);
            self.set_position(&name, Position::Finding(to, origin));
            let entry = by_leader.entry(leader).or_default();
            entry.push(((name, epoch), timestamp, leader_epoch));
        }
        for (leader, list) in by_leader {
            let mut topics: Vec<ListOffsetsTopic> = Vec::new();
            for ((name, _), timestamp, current_leader_epoch) in &list {
                let partition = ListOffsetsPartition {
                    partition_index: name.partition,
                    current_leader_epoch: *current_leader_epoch,
                    timestamp: *timestamp,
                };
                match topics.last_mut() {
                    Some(last) if last.name == name.topic => last.partitions.push(partition),
                    _ => topics.push(ListOffsetsTopic {
                        name: name.topic.clone(),
                        partitions: vec![partition],
                    }),
                }
            }
            let request = ListOffsetsRequest {
                replica_id: -1,
                isolation_level: self.config.isolation.wire(),
                topics,
                timeout_ms: i32::try_from(self.config.cluster.request_timeout_ms)
                    .unwrap_or(i32::MAX),
            };
            let token = self.cluster.request(now, Target::Node(leader), request);
            let asking = list.into_iter().map(|(asking, _, _)| asking);
            self.asked.insert(token, Asked::Offsets(asking.collect()));
        }
    }

    /// How ListOffsets is asked for a place; `None` if the reset policy is to have none.
    fn timestamp_of(&self, topic: &str, to: SeekTo) -> Option<i64> {
        let to = if to == SeekTo::Default {
            self.reset_policy(topic)?
        } else {
            to
        };
        Some(match to {
            SeekTo::Beginning => EARLIEST,
            SeekTo::Timestamp(timestamp) => timestamp.max(0),
            // An offset needs no question, and the policy is a place: neither gets here.
            SeekTo::End | SeekTo::Offset(_) | SeekTo::Default => LATEST,
        })
    }

    /// ListOffsets was answered, or has failed.
    pub(super) fn offsets_answered(
        &mut self,
        now: Now,
        asking: Vec<Asking>,
        result: Result<Answer, ClientError>,
    ) {
        let answered = result.and_then(|answer| answer.decode::<ListOffsetsRequest>());
        let topics = answered.as_ref().map(|response| &response.topics);
        let found: SortedMap<_, _> = topics
            .into_iter()
            .flatten()
            .flat_map(|topic| {
                let named = |it: &ListOffsetsPartitionResponse| {
                    let name = TopicPartition::new(topic.name.clone(), it.partition_index);
                    (name, (it.error_code, it.offset))
                };
                topic.partitions.iter().map(named)
            })
            .collect();
        for (name, epoch) in asking {
            let Some(partition) = self.partitions.at_epoch(&name, epoch) else {
                continue;
            };
            let Position::Finding(to, origin) = partition.position else {
                continue;
            };
            partition.position = Position::Find(to, origin);
            let answer = match &answered {
                Ok(_) => found.get(&name).copied(),
                Err(error) => {
                    self.cluster.refresh_metadata(now);
                    self.partition_failed(now, &name, error.clone());
                    continue;
                }
            };
            match answer.unwrap_or((ErrorCode::UNKNOWN_SERVER_ERROR, -1)) {
                (ErrorCode::NONE, offset) if offset >= 0 => {
                    self.position_found(&name, offset, origin);
                }
                // No record is that young.
                (ErrorCode::NONE, _) => partition.position = Position::Find(SeekTo::End, origin),
                (code, _) => {
                    self.cluster.refresh_metadata(now);
                    let error = ClientError::protocol_about(code, None, &name.to_string());
                    self.partition_failed(now, &name, error);
                }
            }
        }
    }

    fn position_found(&mut self, name: &TopicPartition, offset: i64, origin: Origin) {
        self.place_at(name, offset, origin);
        match origin {
            Origin::Seek(_) => self.count_as_processed(name, offset),
            Origin::NothingCommitted if self.config.commit_initial_offset => {
                let offset = OffsetToCommit {
                    partition: name.clone(),
                    offset,
                    metadata: None,
                };
                self.enqueue_commit(CommitCause::Initial, vec![offset]);
            }
            Origin::NothingCommitted
            | Origin::OutOfRange
            | Origin::Committed
            | Origin::Released => {}
        }
    }

    /// With automatic commits, where the host sought to is what is committed next.
    fn count_as_processed(&mut self, name: &TopicPartition, offset: i64) {
        let enabled = self.config.auto_commit.enabled;
        if let Some(partition) = self.partitions.get_mut(name) {
            partition.processed = enabled.then_some(offset);
        }
    }

    fn set_position(&mut self, name: &TopicPartition, position: Position) {
        if let Some(partition) = self.partitions.get_mut(name) {
            partition.position = position;
        }
    }
}
