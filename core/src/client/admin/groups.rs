//! Groups: which there are, who is in them, deleting them.

use bytes::Bytes;

use super::operation::{Attempt, Operation, Step, coordinator, incomplete};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::{Answer, Target};
use crate::client::error::{ClientError, ErrorKind, GroupFailure};
use crate::protocol::ErrorCode;
use crate::protocol::messages::describe_groups::DescribedGroup;
use crate::protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest, MetadataRequest,
};
use crate::sorted;
use crate::time::Now;

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupListing {
    /// Its id.
    pub group_id: String,
    /// What kind of protocol its members share: `consumer`.
    pub protocol_type: String,
    /// Its state; empty if the broker is too old to say.
    pub state: String,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its id.
    pub group_id: String,
    /// `Stable`, `Empty`, `Dead`, …
    pub state: String,
    /// What kind of protocol its members share: `consumer`.
    pub protocol_type: String,
    /// The assignor they agreed on.
    pub protocol: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The id that the coordinator gave it.
    pub member_id: String,
    /// The id that it keeps across restarts, if it has one.
    pub group_instance_id: Option<String>,
    /// Its client's name for itself.
    pub client_id: String,
    /// The address it connects from.
    pub client_host: String,
    /// What it subscribes to, as its assignor writes it.
    pub metadata: Bytes,
    /// What it was assigned, as its assignor writes it.
    pub assignment: Bytes,
}

impl Admin {
    /// All groups of all brokers: [`AdminResult::Groups`].
    pub fn list_groups(&mut self, now: Now) -> OpId {
        self.run(now, ListGroups::default())
    }

    /// Groups with their members: [`AdminResult::GroupDescriptions`], in the order asked. One that
    /// does not exist is in state `Dead`.
    pub fn describe_groups(&mut self, now: Now, groups: Vec<String>) -> OpId {
        let operation = DescribeGroups {
            found: vec![None; groups.len()],
            groups,
        };
        self.run(now, operation)
    }

    /// Deletes groups without members: [`AdminResult::DeletedGroups`].
    pub fn delete_groups(&mut self, now: Now, groups: Vec<String>) -> OpId {
        let operation = DeleteGroups {
            groups,
            deleted: Vec::new(),
            failures: Vec::new(),
        };
        self.run(now, operation)
    }
}

#[derive(Debug, Default)]
struct ListGroups {
    found: Vec<GroupListing>,
}

impl Operation for ListGroups {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        self.found.clear();
        attempt.ask_for_topics(Some(&[]), 0);
        Step::Wait
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        if tag == 0 {
            let response = match answer.decode::<MetadataRequest>() {
                Ok(response) => response,
                Err(error) => return Step::Failed(error),
            };
            for broker in response.brokers {
                let request = ListGroupsRequest::default();
                attempt.send(Target::Node(broker.node_id), 1, request);
            }
            return Step::Wait;
        }
        let response = match answer.decode::<ListGroupsRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        if response.error_code != ErrorCode::NONE {
            return ClientError::protocol(response.error_code).into();
        }
        let groups = response.groups.into_iter().map(|group| GroupListing {
            group_id: group.group_id,
            protocol_type: group.protocol_type,
            state: group.group_state,
        });
        self.found.extend(groups);
        if !attempt.is_complete() {
            return Step::Wait;
        }
        let mut found = std::mem::take(&mut self.found);
        sorted::sort(&mut found);
        found.dedup_by(|a, b| a.group_id == b.group_id);
        Step::Done(AdminResult::Groups(found))
    }
}

/// Asks a group's coordinator for its description.
pub(super) fn ask_for_group(attempt: &mut Attempt<'_>, group: &str, tag: usize) {
    let request = DescribeGroupsRequest {
        groups: vec![group.to_owned()],
        include_authorized_operations: false,
    };
    attempt.send(coordinator(group), tag, request);
}

/// The description of a group in a coordinator's answer.
pub(super) fn described(
    attempt: &mut Attempt<'_>,
    group: &str,
    answer: &Answer,
) -> Result<GroupDescription, ClientError> {
    let response = answer.decode::<DescribeGroupsRequest>()?;
    let mut groups = response.groups.into_iter();
    let found = groups.find(|found| found.group_id == group);
    let found = found.ok_or_else(|| incomplete(group))?;
    match found.error_code {
        ErrorCode::NONE => Ok(description(found)),
        // Since version 6, what was a group in state Dead.
        ErrorCode::GROUP_ID_NOT_FOUND => Ok(GroupDescription {
            group_id: group.to_owned(),
            state: "Dead".to_owned(),
            protocol_type: String::new(),
            protocol: String::new(),
            members: Vec::new(),
        }),
        code => Err(attempt.group_error(group, code)),
    }
}

fn description(found: DescribedGroup) -> GroupDescription {
    let members = found.members.into_iter().map(|member| GroupMember {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        metadata: member.member_metadata,
        assignment: member.member_assignment,
    });
    GroupDescription {
        group_id: found.group_id,
        state: found.group_state,
        protocol_type: found.protocol_type,
        protocol: found.protocol_data,
        members: members.collect(),
    }
}

#[derive(Debug)]
struct DescribeGroups {
    groups: Vec<String>,
    found: Vec<Option<GroupDescription>>,
}

impl Operation for DescribeGroups {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        let open = self.groups.iter().zip(&self.found).enumerate();
        for (at, (group, _)) in open.filter(|(_, (_, found))| found.is_none()) {
            ask_for_group(attempt, group, at);
        }
        self.end(attempt)
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        let (Some(group), Some(found)) = (self.groups.get(tag), self.found.get_mut(tag)) else {
            return Step::Wait;
        };
        match described(attempt, group, &answer) {
            Ok(description) => *found = Some(description),
            Err(error) if error.retriable => return Step::Failed(error),
            Err(error) => return Step::Raw(error),
        }
        self.end(attempt)
    }
}

impl DescribeGroups {
    fn end(&mut self, attempt: &Attempt<'_>) -> Step {
        if !attempt.is_complete() {
            return Step::Wait;
        }
        let found = std::mem::take(&mut self.found).into_iter().flatten();
        Step::Done(AdminResult::GroupDescriptions(found.collect()))
    }
}

#[derive(Debug)]
struct DeleteGroups {
    /// Those that are not deleted yet.
    groups: Vec<String>,
    deleted: Vec<String>,
    failures: Vec<GroupFailure>,
}

impl Operation for DeleteGroups {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        self.failures.clear();
        for group in &self.groups {
            let request = DeleteGroupsRequest {
                groups_names: vec![group.clone()],
            };
            attempt.send(coordinator(group), 0, request);
        }
        self.end(attempt)
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, _: usize, answer: Answer) -> Step {
        let response = match answer.decode::<DeleteGroupsRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        for result in response.results {
            let (group_id, code) = (result.group_id, result.error_code);
            if code == ErrorCode::NONE {
                self.groups.retain(|group| *group != group_id);
                self.deleted.push(group_id);
            } else {
                attempt.group_error(&group_id, code);
                self.failures.push(GroupFailure { group_id, code });
            }
        }
        self.end(attempt)
    }
}

impl DeleteGroups {
    fn end(&mut self, attempt: &Attempt<'_>) -> Step {
        if !attempt.is_complete() {
            return Step::Wait;
        }
        if self.failures.is_empty() {
            return Step::Done(AdminResult::DeletedGroups(std::mem::take(
                &mut self.deleted,
            )));
        }
        let groups = std::mem::take(&mut self.failures);
        let passes = groups.iter().all(|failure| failure.code.retriable());
        let kind = ErrorKind::DeleteGroups { groups };
        let error = ClientError::passing(kind, "Error in DeleteGroups");
        if passes {
            Step::Failed(error)
        } else {
            Step::Raw(error)
        }
    }
}
