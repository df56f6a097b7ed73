//! Groups as an administrator sees them: ListGroups, DescribeGroups, DeleteGroups.

use partita_core::protocol::messages::describe_groups::DescribedGroup;
use partita_core::protocol::messages::leave_group::MemberIdentity;
use partita_core::protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    LeaveGroupRequest, LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse,
};

use super::membership::show_assignment;
use super::{Command, error, outcome};
use crate::known::Known;
use crate::words::{Result, Words, list};
use crate::world::{Answer, World};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "groups [states=STATE,...] [types=TYPE,...] [version=N]",
        run: list_groups,
    },
    Command {
        usage: "describe GROUP... [version=N]",
        run: describe,
    },
    Command {
        usage: "delete-groups GROUP... [version=N]",
        run: delete,
    },
    Command {
        usage: "remove-members GROUP",
        run: remove_members,
    },
];

fn list_groups(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let request = ListGroupsRequest {
        states_filter: list(&words.option("states").unwrap_or_default()),
        types_filter: list(&words.option("types").unwrap_or_default()),
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: ListGroupsResponse| {
            if answer.error_code.is_error() {
                return vec![error(answer.error_code, None)];
            }
            if answer.groups.is_empty() {
                return vec!["none".to_owned()];
            }
            let groups = answer.groups.iter().map(|group| {
                let parts = [&group.group_state, &group.protocol_type, &group.group_type];
                let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                let said: Vec<_> = said.into_iter().map(String::as_str).collect();
                match said.is_empty() {
                    true => group.group_id.clone(),
                    false => format!("{}: {}", group.group_id, said.join(", ")),
                }
            });
            groups.collect()
        },
    )?;
    Ok(Vec::new())
}

fn describe(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let request = DescribeGroupsRequest {
        groups: words.rest(),
        ..DescribeGroupsRequest::default()
    };
    world.send(
        client,
        &request,
        version,
        |known, answer: DescribeGroupsResponse| {
            let groups = answer.groups.iter();
            groups
                .flat_map(|group| show(known, group))
                .collect::<Vec<_>>()
        },
    )?;
    Ok(Vec::new())
}

fn show(known: &Known, group: &DescribedGroup) -> Vec<String> {
    let id = &group.group_id;
    if group.error_code.is_error() {
        let error = error(group.error_code, group.error_message.as_deref());
        return vec![format!("{id}: {error}")];
    }
    let mut head = format!("{id}: {}", group.group_state);
    for part in [&group.protocol_type, &group.protocol_data] {
        if !part.is_empty() {
            head = format!("{head}, {part}");
        }
    }
    let mut members: Vec<String> = group
        .members
        .iter()
        .map(|member| {
            let name = known.member_name(&member.member_id);
            let instance = match &member.group_instance_id {
                Some(instance) => format!(", instance {instance}"),
                None => String::new(),
            };
            let assigned = show_assignment(&member.member_assignment);
            format!(
                "{name} ({} at {}{instance}): {assigned}",
                member.client_id, member.client_host
            )
        })
        .collect();
    members.sort();
    std::iter::once(head).chain(members).collect()
}

fn delete(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let request = DeleteGroupsRequest {
        groups_names: words.rest(),
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: DeleteGroupsResponse| {
            let results = answer.results.iter();
            results
                .map(|result| format!("{}: {}", result.group_id, outcome(result.error_code, None)))
                .collect::<Vec<_>>()
        },
    )?;
    Ok(Vec::new())
}

/// Asks who is in a group, then removes all of them.
fn remove_members(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let group_id = words.next("a group")?;
    let request = DescribeGroupsRequest {
        groups: vec![group_id.clone()],
        ..DescribeGroupsRequest::default()
    };
    let sender = client.to_owned();
    let render = move |_: &mut Known, answer: DescribeGroupsResponse| {
        let members = answer.groups.iter().flat_map(|group| &group.members);
        let members = members.map(|member| MemberIdentity {
            member_id: member.member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            reason: None,
        });
        let request = LeaveGroupRequest {
            group_id,
            members: members.collect(),
            ..LeaveGroupRequest::default()
        };
        let next = move |world: &mut World| {
            world.send(&sender, &request, None, |_, answer: LeaveGroupResponse| {
                outcome(answer.error_code, None)
            })
        };
        Answer {
            lines: Vec::new(),
            next: Some(Box::new(next)),
        }
    };
    world.send(client, &request, None, render)?;
    Ok(Vec::new())
}
