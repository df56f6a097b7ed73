//! What a member says of itself when it joins, and how the leader shares out partitions.

use crate::sorted::{SortedMap, SortedSet};

use bytes::Bytes;

use super::super::assignor::{
    Assignor, Group, Subscription as MemberSubscription, decode_assignment, decode_subscription,
    encode_assignment, encode_subscription,
};
use super::super::cluster::Answer;
use super::super::error::ClientError;
use super::config::GroupAssignor;
use super::event::Rebalance;
use super::group::GroupState;
use super::{Asked, Consumer, ConsumerEvent};
use crate::protocol::ErrorCode;
use crate::protocol::messages::join_group::JoinGroupRequestProtocol;
use crate::protocol::messages::sync_group::SyncGroupRequestAssignment;
use crate::protocol::messages::{JoinGroupResponse, SyncGroupRequest};
use crate::time::Now;

/// What tells consumer groups from other kinds of groups.
pub(super) const PROTOCOL_TYPE: &str = "consumer";

impl Consumer {
    /// The names of the assignors that are the host's.
    pub(super) fn custom_assignors(&self) -> Vec<String> {
        let custom = self.config.assignors.iter().filter_map(|it| match it {
            GroupAssignor::Custom(name) => Some(name.clone()),
            GroupAssignor::BuiltIn(_) => None,
        });
        custom.collect()
    }

    /// Every assignor with what it says of this member.
    pub(super) fn join_protocols(&self) -> Result<Vec<JoinGroupRequestProtocol>, ClientError> {
        let last = self.group.last_assigned.as_ref();
        let last = last.map(|(partitions, generation)| (partitions.as_slice(), *generation));
        let mut protocols = Vec::new();
        for assignor in &self.config.assignors {
            let metadata = match assignor {
                GroupAssignor::BuiltIn(built_in) => {
                    let subscription = MemberSubscription {
                        topics: self.group.joined_topics.clone(),
                        user_data: built_in.user_data(last),
                        owned_partitions: self.partitions.names(),
                        generation_id: self.group.generation,
                        rack_id: None,
                        group_instance_id: None,
                    };
                    encode_subscription(*built_in, &subscription).map_err(unwritable)?
                }
                GroupAssignor::Custom(name) => {
                    let metadata = self.group.custom.get(name);
                    metadata.cloned().unwrap_or_default()
                }
            };
            protocols.push(JoinGroupRequestProtocol {
                name: assignor.name().to_owned(),
                metadata,
            });
        }
        Ok(protocols)
    }

    /// This member leads its generation.
    pub(super) fn lead(&mut self, now: Now, response: JoinGroupResponse) {
        let topics = group_topics(&response);
        let watched = topics.into_iter().map(|topic| (topic, 0)).collect();
        self.group.watched = Some(watched);
        self.track_topics();
        let asked_for = self.unknown_group_topics();
        if asked_for.is_empty() {
            return self.share_out(now, &response);
        }
        let names = asked_for.iter().map(String::as_str);
        self.cluster.track_topics(now, names);
        self.group.state = GroupState::TopicsNeeded(Box::new(response));
    }

    /// Topics were answered, or cannot be: a leader that has waited for that goes on.
    pub(super) fn group_topics_answered(&mut self, now: Now, failed: bool) {
        if let GroupState::TopicsNeeded(response) = &self.group.state
            && (failed || self.unknown_group_topics().is_empty())
        {
            let response = response.clone();
            self.share_out(now, &response);
        }
    }

    /// The group's topics that nothing is known of: neither partitions nor an error.
    fn unknown_group_topics(&self) -> Vec<String> {
        let metadata = self.cluster.metadata();
        let topics = self.group.watched.iter().flat_map(SortedMap::keys);
        let unknown =
            topics.filter(|it| metadata.topic(it).is_none() && metadata.topic_error(it).is_none());
        unknown.cloned().collect()
    }

    /// How many partitions the group's topics have now.
    fn partition_counts(&self) -> SortedMap<String, i32> {
        let metadata = self.cluster.metadata();
        let topics = self.group.watched.iter().flat_map(SortedMap::keys);
        let counted = topics.map(|name| {
            let count = metadata.topic(name).map_or(0, |it| it.partitions.len());
            (name.clone(), i32::try_from(count).unwrap_or(i32::MAX))
        });
        counted.collect()
    }

    /// As leader: whether topics have other numbers of partitions than when they were shared out.
    pub(super) fn group_topics_changed(&self) -> bool {
        let watched = self.group.watched.as_ref();
        watched.is_some_and(|before| *before != self.partition_counts())
    }

    /// Shares out the partitions, or lets the host do it.
    fn share_out(&mut self, now: Now, response: &JoinGroupResponse) {
        let partitions = self.partition_counts();
        self.group.watched = Some(partitions.clone());
        // KIP-814: a static leader that has come back changes nothing.
        if response.skip_assignment {
            return self.send_sync(now, Vec::new());
        }
        let mut assignors = self.config.assignors.iter();
        let chosen = assignors.find(|it| it.name() == self.group.protocol);
        match chosen {
            Some(GroupAssignor::BuiltIn(assignor)) => {
                match assign(*assignor, response, &partitions) {
                    Ok(assignments) => self.send_sync(now, assignments),
                    Err(error) => self.crash(now, error),
                }
            }
            Some(GroupAssignor::Custom(_)) => {
                self.group.state = GroupState::AssignmentNeeded;
                let members = response.members.iter();
                let members = members.map(|it| (it.member_id.clone(), it.metadata.clone()));
                self.tell(ConsumerEvent::AssignmentNeeded {
                    generation: self.group.generation,
                    protocol: self.group.protocol.clone(),
                    members: members.collect(),
                    topics: self.group.joined_topics.clone(),
                });
            }
            None => {
                let error = ClientError::non_retriable(format!(
                    "Unsupported partition assigner \"{}\", the assigner wasn't found in the \
                     assigners list",
                    self.group.protocol
                ));
                self.crash(now, error);
            }
        }
    }

    /// What each member gets, by the host's assignor; or why there is nothing. The answer to
    /// [`ConsumerEvent::AssignmentNeeded`] of the same generation; one to an earlier generation
    /// does nothing. An error makes the consumer crash.
    pub fn assignment(
        &mut self,
        now: Now,
        generation: i32,
        assignments: Result<Vec<(String, Bytes)>, ClientError>,
    ) {
        let now = self.clock(now);
        if self.group.state == GroupState::AssignmentNeeded && self.group.generation == generation {
            match assignments {
                Ok(assignments) => self.send_sync(now, assignments),
                Err(error) => self.crash(now, error),
            }
        }
        self.advance_own(now);
    }

    /// Asks for this member's part, with everybody's if this member leads.
    pub(super) fn send_sync(&mut self, now: Now, assignments: Vec<(String, Bytes)>) {
        let assignments = assignments.into_iter();
        let assignments = assignments.map(|(member_id, assignment)| SyncGroupRequestAssignment {
            member_id,
            assignment,
        });
        let request = SyncGroupRequest {
            group_id: self.config.group_id.clone().unwrap_or_default(),
            generation_id: self.group.generation,
            member_id: self.group.member_id.clone(),
            group_instance_id: self.config.group_instance_id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: Some(self.group.protocol.clone()),
            assignments: assignments.collect(),
        };
        let options = self.group_options();
        let token = self
            .cluster
            .request_with(now, self.group_target(), request, options);
        self.asked.insert(token, Asked::Sync);
        self.group.state = GroupState::Syncing(token);
    }

    /// SyncGroup was answered, or has failed.
    pub(super) fn sync_answered(&mut self, now: Now, result: Result<Answer, ClientError>) {
        // Nothing is under way any more, until what follows begins it.
        self.group.state = GroupState::Waiting(now.monotonic);
        let response = match result.and_then(|answer| answer.decode::<SyncGroupRequest>()) {
            Ok(response) => response,
            Err(error) => return self.group_failed(now, error),
        };
        self.schedule_heartbeat(now);
        match response.error_code {
            ErrorCode::NONE => match decode_assignment(response.assignment) {
                Ok((partitions, _)) => self.assigned(now, partitions),
                Err(error) => {
                    let message = format!("the assignment cannot be read: {error}");
                    self.crash(now, ClientError::non_retriable(message));
                }
            },
            // Somebody has come or gone meanwhile.
            ErrorCode::REBALANCE_IN_PROGRESS => self.join(now),
            ErrorCode::ILLEGAL_GENERATION => {
                self.lose_membership(now, Rebalance::IllegalGeneration);
            }
            ErrorCode::UNKNOWN_MEMBER_ID => self.lose_membership(now, Rebalance::UnknownMember),
            code => self.group_failed(now, ClientError::protocol(code)),
        }
    }
}

/// Every topic that a member of the group wants. A member that cannot be understood wants none.
fn group_topics(response: &JoinGroupResponse) -> SortedSet<String> {
    let members = response.members.iter();
    let subscriptions =
        members.filter_map(|it| decode_subscription(it.metadata.clone(), None).ok());
    subscriptions.flat_map(|it| it.topics).collect()
}

fn assign(
    assignor: Assignor,
    response: &JoinGroupResponse,
    partitions: &SortedMap<String, i32>,
) -> Result<Vec<(String, Bytes)>, ClientError> {
    let mut members = SortedMap::new();
    for member in &response.members {
        let instance = member.group_instance_id.clone();
        let subscription = decode_subscription(member.metadata.clone(), instance);
        let subscription = subscription.map_err(|error| {
            let member_id = &member.member_id;
            let message = format!("the subscription of {member_id} cannot be read: {error}");
            ClientError::non_retriable(message)
        })?;
        members.insert(member.member_id.clone(), subscription);
    }
    let group = Group {
        members: &members,
        partitions,
        leader: &response.leader,
    };
    let shares = assignor.assign(&group).into_iter();
    let encoded = shares.map(|(member_id, share)| {
        let bytes = encode_assignment(assignor, &share).map_err(unwritable)?;
        Ok((member_id, bytes))
    });
    encoded.collect()
}

fn unwritable(error: crate::protocol::EncodeError) -> ClientError {
    ClientError::non_retriable(format!("a name is too long for the protocol: {error}"))
}
