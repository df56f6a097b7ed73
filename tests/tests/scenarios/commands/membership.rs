//! What members do: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. A member is known by its name, has
//! a connection of its own, and follows the protocol as clients do: it joins again with the id that
//! it is given, and goes on in the generation that it was told.

use std::collections::BTreeMap;

use bytes::Bytes;
use partita_core::protocol::ErrorCode;
use partita_core::protocol::internal::consumer_protocol::{
    self, ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use partita_core::protocol::internal::{read_versioned_or_newer, write_versioned};
use partita_core::protocol::messages::join_group::JoinGroupRequestProtocol;
use partita_core::protocol::messages::leave_group::MemberIdentity;
use partita_core::protocol::messages::sync_group::SyncGroupRequestAssignment;
use partita_core::protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};

use super::{Command, by_topic, error, outcome};
use crate::known::{Known, Member};
use crate::words::{Result, Words, list, pair, partitions};
use crate::world::{Answer, World};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "join GROUP MEMBER [TOPIC,...] [instance=ID] [protocols=NAME,...] [type=NAME] \
                [session=SPAN] [rebalance=SPAN] [id=MEMBER|-] [version=N]",
        run: join,
    },
    Command {
        usage: "sync GROUP MEMBER [MEMBER=PARTITION,...]... [generation=N] [protocol=NAME] \
                [type=NAME] [instance=ID] [id=MEMBER|-] [version=N]",
        run: sync,
    },
    Command {
        usage: "heartbeat GROUP MEMBER [generation=N] [instance=ID] [id=MEMBER|-] [version=N]",
        run: heartbeat,
    },
    Command {
        usage: "leave GROUP MEMBER... [instance=ID] [version=N]",
        run: leave,
    },
];

/// Who sends what a member says: the member itself, unless the script names another client.
pub(super) fn sender<'a>(client: &'a str, member: &'a str) -> &'a str {
    if client == super::CLIENT {
        member
    } else {
        client
    }
}

fn join(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let group = words.next("a group")?;
    let name = words.next("a member")?;
    let mut member = world.known.member(&group, &name);
    let session_timeout_ms = words.millis("session", 10_000)?;
    let rebalance_timeout_ms = words.millis("rebalance", 60_000)?;
    let protocol_type = words
        .option("type")
        .unwrap_or_else(|| "consumer".to_owned());
    let protocols = words
        .option("protocols")
        .unwrap_or_else(|| "range".to_owned());
    let group_instance_id = words.option("instance");
    let id = words.option("id");
    if let Some(topics) = words.next_if_any() {
        member.topics = topics;
    }
    let subscription = ConsumerProtocolSubscription {
        topics: list(&member.topics),
        ..ConsumerProtocolSubscription::default()
    };
    let metadata = write_versioned(&subscription, 1).map_err(|error| error.to_string())?;
    let protocols = list(&protocols)
        .into_iter()
        .map(|name| JoinGroupRequestProtocol {
            name,
            metadata: metadata.clone(),
        });
    let request = JoinGroupRequest {
        session_timeout_ms,
        rebalance_timeout_ms,
        member_id: match &id {
            Some(word) => world.known.member_id(&group, word),
            None => member.id.clone(),
        },
        group_instance_id,
        protocol_type,
        protocols: protocols.collect(),
        group_id: group.clone(),
        ..JoinGroupRequest::default()
    };
    world.known.set_member(&group, &name, member);
    let client = sender(client, &name).to_owned();
    send_join(world, client, name, request, version, id.is_none())?;
    Ok(Vec::new())
}

/// Sends a JoinGroup, and again with the member id that it is given if `follow`.
fn send_join(
    world: &mut World,
    client: String,
    name: String,
    request: JoinGroupRequest,
    version: Option<i16>,
    follow: bool,
) -> Result<()> {
    let mut again = request.clone();
    let sender = client.clone();
    let render = move |known: &mut Known, answer: JoinGroupResponse| {
        let mut member = known.member(&again.group_id, &name);
        if answer.error_code == ErrorCode::MEMBER_ID_REQUIRED {
            member.id = answer.member_id.clone();
            known.set_member(&again.group_id, &name, member);
            let lines = match follow {
                true => Vec::new(),
                false => vec![error(answer.error_code, None)],
            };
            again.member_id = answer.member_id;
            let next =
                move |world: &mut World| send_join(world, sender, name, again, version, false);
            return Answer {
                lines,
                next: follow.then(|| Box::new(next) as Box<_>),
            };
        }
        if answer.error_code.is_error() {
            return Answer::from(error(answer.error_code, None));
        }
        member.id = answer.member_id.clone();
        member.generation = answer.generation_id;
        member.protocol = answer.protocol_name.clone();
        known.set_member(&again.group_id, &name, member);
        Answer::from(show_join(known, &answer))
    };
    world.send(&client, &request, version, render)
}

fn show_join(known: &Known, answer: &JoinGroupResponse) -> String {
    let protocol = answer.protocol_name.as_deref().unwrap_or("no protocol");
    let leader = known.member_name(&answer.leader);
    let mut shown = format!(
        "generation {}, {protocol}, leader {leader}",
        answer.generation_id
    );
    if !answer.members.is_empty() {
        let members = answer.members.iter();
        let mut names: Vec<_> = members
            .map(|member| known.member_name(&member.member_id))
            .collect();
        names.sort();
        shown = format!("{shown}, members {}", names.join(" "));
    }
    if answer.skip_assignment {
        shown.push_str(", skips the assignment");
    }
    shown
}

/// An assignment as members exchange it.
fn assignment(text: &str) -> Result<Bytes> {
    let partitions = partitions(text)?
        .into_iter()
        .map(|partition| (partition, ()));
    let topics = by_topic(partitions).into_iter();
    let assignment = ConsumerProtocolAssignment {
        assigned_partitions: topics
            .map(|(topic, partitions)| consumer_protocol::TopicPartition {
                topic,
                partitions: partitions.into_iter().map(|(index, ())| index).collect(),
            })
            .collect(),
        user_data: None,
    };
    write_versioned(&assignment, 1).map_err(|error| error.to_string())
}

/// The partitions of an assignment.
pub(super) fn show_assignment(bytes: &Bytes) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    let Ok(assignment) = read_versioned_or_newer::<ConsumerProtocolAssignment>(bytes.clone())
    else {
        return format!("{bytes:?}");
    };
    let topics = assignment.assigned_partitions.iter();
    let partitions = topics.flat_map(|topic| {
        let indexes = topic.partitions.iter();
        indexes.map(|index| format!("{}-{index}", topic.topic))
    });
    let all: Vec<_> = partitions.collect();
    if all.is_empty() {
        return "no partition".to_owned();
    }
    all.join(" ")
}

fn sync(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let group = words.next("a group")?;
    let name = words.next("a member")?;
    let member = said_by(world, words, &group, &name)?;
    let group_instance_id = words.option("instance");
    let protocol_type = words.option("type");
    let protocol_name = words.option("protocol").or_else(|| member.protocol.clone());
    let given: Result<BTreeMap<_, _>> = words.rest().iter().map(|word| pair(word)).collect();
    let mut assignments = Vec::new();
    for (to, what) in given? {
        let member_id = match world.known.member(&group, &to).id {
            id if id.is_empty() => world.known.member_id(&group, &to),
            id => id,
        };
        assignments.push(SyncGroupRequestAssignment {
            member_id,
            assignment: assignment(&what)?,
        });
    }
    let request = SyncGroupRequest {
        group_id: group,
        generation_id: member.generation,
        member_id: member.id,
        group_instance_id,
        protocol_type: Some(protocol_type.unwrap_or_else(|| "consumer".to_owned())),
        protocol_name,
        assignments,
    };
    let client = sender(client, &name);
    world.send(client, &request, version, |_, answer: SyncGroupResponse| {
        if answer.error_code.is_error() {
            return error(answer.error_code, None);
        }
        show_assignment(&answer.assignment)
    })?;
    Ok(Vec::new())
}

/// A member as it is known, but for the id and generation that the script gives it.
pub(super) fn said_by(
    world: &mut World,
    words: &mut Words,
    group: &str,
    name: &str,
) -> Result<Member> {
    let mut member = world.known.member(group, name);
    if let Some(generation) = words.number("generation")? {
        member.generation = generation;
    }
    if let Some(word) = words.option("id") {
        member.id = world.known.member_id(group, &word);
    }
    Ok(member)
}

fn heartbeat(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let group = words.next("a group")?;
    let name = words.next("a member")?;
    let member = said_by(world, words, &group, &name)?;
    let request = HeartbeatRequest {
        group_id: group,
        generation_id: member.generation,
        member_id: member.id,
        group_instance_id: words.option("instance"),
    };
    let client = sender(client, &name);
    world.send(client, &request, version, |_, answer: HeartbeatResponse| {
        outcome(answer.error_code, None)
    })?;
    Ok(Vec::new())
}

fn leave(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let group = words.next("a group")?;
    let instance = words.option("instance");
    let names = words.rest();
    let mut members: Vec<MemberIdentity> = names
        .iter()
        .map(|name| MemberIdentity {
            member_id: world.known.member(&group, name).id,
            group_instance_id: None,
            reason: None,
        })
        .collect();
    if let Some(instance) = instance {
        members.push(MemberIdentity {
            group_instance_id: Some(instance),
            ..MemberIdentity::default()
        });
    }
    let request = LeaveGroupRequest {
        group_id: group,
        member_id: members
            .first()
            .map_or_else(String::new, |member| member.member_id.clone()),
        members,
    };
    let client = match names.first() {
        Some(name) => sender(client, name),
        None => client,
    };
    world.send(
        client,
        &request,
        version,
        |known, answer: LeaveGroupResponse| {
            if answer.error_code.is_error() || answer.members.is_empty() {
                return vec![outcome(answer.error_code, None)];
            }
            let members = answer.members.iter().map(|member| {
                let name = match &member.group_instance_id {
                    Some(instance) => instance.clone(),
                    None => known.member_name(&member.member_id),
                };
                format!("{name}: {}", outcome(member.error_code, None))
            });
            members.collect::<Vec<_>>()
        },
    )?;
    Ok(Vec::new())
}
