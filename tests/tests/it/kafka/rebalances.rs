//! Groups of several members: the vote, who makes a group rebalance and who does not, and who comes
//! too late.

use partita_core::protocol::messages::join_group::JoinGroupRequestProtocol;
use partita_core::protocol::messages::{
    DescribeGroupsRequest, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, SyncGroupRequest,
};

use super::members::{SUBSCRIBED, join, protocol, sync};
use super::peer::Connection;
use super::scribe::Scribe;

/// The version of each request that tells most.
const JOIN: i16 = 9;
const SYNC: i16 = 5;
const BEAT: i16 = 4;

/// Subscriptions that differ in their user data.
const DATA: [&[u8]; 4] = [
    b"\0\0\0\0\0\x01\0\x05plain\0\0\0\x01a",
    b"\0\0\0\0\0\x01\0\x05plain\0\0\0\x01b",
    b"\0\0\0\0\0\x01\0\x05plain\0\0\0\x01c",
    b"\0\0\0\0\0\x01\0\x05plain\0\0\0\x01d",
];

pub(super) fn ask(scribe: &mut Scribe) {
    let on = four(scribe);
    vote(scribe, on);
    let on = four(scribe);
    reasons(scribe, on);
    let on = four(scribe);
    replaced(scribe, on);
    let on = four(scribe);
    late_to_join(scribe, on);
    let on = four(scribe);
    late_to_sync(scribe, on);
    let on = four(scribe);
    static_successors(scribe, on);
    expired(scribe);
}

/// Connections that nobody uses; one that waits for an answer takes nothing else.
fn four(scribe: &mut Scribe) -> [Connection; 4] {
    std::array::from_fn(|_| scribe.peer.connect())
}

/// A group whose members are all to join on connections of their own.
struct Group {
    name: String,
    members: Vec<Member>,
    generation: i32,
}

struct Member {
    on: Connection,
    request: JoinGroupRequest,
}

impl Group {
    fn new(scribe: &mut Scribe, plain: &str) -> Self {
        Self {
            name: scribe.group(plain),
            members: Vec::new(),
            generation: 0,
        }
    }

    /// A member is told its id, and joins again with it. The answer waits.
    fn begin(
        &mut self,
        scribe: &mut Scribe,
        on: Connection,
        protocols: Vec<JoinGroupRequestProtocol>,
        instance: Option<&str>,
    ) {
        let mut request = join(&self.name, "");
        request.protocols = protocols;
        request.rebalance_timeout_ms = 2_000;
        request.group_instance_id = instance.map(str::to_owned);
        if instance.is_none() {
            scribe.send(on, JOIN, &request);
            let told: JoinGroupResponse = scribe.receive::<JoinGroupRequest>(on, JOIN).unwrap();
            request.member_id = told.member_id;
        }
        scribe.send(on, JOIN, &request);
        scribe.peer.settle(50);
        self.members.push(Member { on, request });
    }

    /// A member joins again.
    fn again(&self, scribe: &mut Scribe, member: usize) {
        let member = &self.members[member];
        scribe.send(member.on, JOIN, &member.request);
        scribe.peer.settle(50);
    }

    /// The answers to all joins, written down.
    fn joined(&mut self, scribe: &mut Scribe, what: &str, members: &[usize]) {
        for &at in members {
            let member = &mut self.members[at];
            let mut told = scribe.receive::<JoinGroupRequest>(member.on, JOIN).unwrap();
            told.members.sort_by(|a, b| a.metadata.cmp(&b.metadata));
            scribe.note(
                &format!("{what}, member {at}"),
                JOIN,
                Some(format!("{told:?}")),
            );
            if told.error_code.is_none() {
                member.request.member_id = told.member_id;
                self.generation = told.generation_id;
            }
        }
    }

    /// All syncs, the leader's last; the answers written down.
    fn synced(&self, scribe: &mut Scribe, what: &str, members: &[usize], protocol: &str) {
        let id = |at: usize| self.members[at].request.member_id.as_str();
        for &at in members.iter().rev() {
            let of: Vec<&str> = match at == members[0] {
                true => members.iter().map(|&at| id(at)).collect(),
                false => Vec::new(),
            };
            let mut request = sync(&self.name, self.generation, id(at), &of);
            request.protocol_name = Some(protocol.to_owned());
            request
                .group_instance_id
                .clone_from(&self.members[at].request.group_instance_id);
            scribe.send(self.members[at].on, SYNC, &request);
            scribe.peer.settle(50);
        }
        for &at in members {
            let what = format!("{what}, member {at} syncs");
            scribe.await_answer::<SyncGroupRequest>(self.members[at].on, &what, SYNC);
        }
    }

    fn beat(&self, scribe: &mut Scribe, what: &str, at: usize) {
        let member = &self.members[at];
        let request = HeartbeatRequest {
            group_id: self.name.clone(),
            generation_id: self.generation,
            member_id: member.request.member_id.clone(),
            group_instance_id: member.request.group_instance_id.clone(),
        };
        scribe.ask_on(
            member.on,
            &format!("{what}, member {at} beats"),
            BEAT,
            &request,
        );
    }

    /// State and protocol, and how many members.
    fn described(&self, scribe: &mut Scribe, what: &str) {
        let request = DescribeGroupsRequest {
            groups: vec![self.name.clone()],
            ..DescribeGroupsRequest::default()
        };
        let told = scribe.call(5, &request).unwrap();
        let group = &told.groups[0];
        let (state, protocol) = (&group.group_state, &group.protocol_data);
        let told = format!("{state} {protocol:?} {} members", group.members.len());
        scribe.note(&format!("{what}, described"), 5, Some(told));
    }
}

fn protocols(names: &[&str], data: usize) -> Vec<JoinGroupRequestProtocol> {
    names
        .iter()
        .map(|name| protocol(name, DATA[data]))
        .collect()
}

/// Each member votes for the first of its protocols that all have.
fn vote(scribe: &mut Scribe, on: [Connection; 4]) {
    let cases: [(&str, [&[&str]; 3]); 4] = [
        ("first", [&["x", "y"], &["y", "x"], &["y", "x"]]),
        ("only", [&["x", "y"], &["z", "y"], &["y", "z"]]),
        ("all", [&["x", "y", "z"], &["x", "z"], &["z", "x"]]),
        ("same", [&["y", "x"], &["y", "x"], &["y", "x"]]),
    ];
    for (what, wanted) in cases {
        let mut group = Group::new(scribe, &format!("vote-{what}"));
        let what = format!("vote {what}");
        group.begin(scribe, on[0], protocols(wanted[0], 0), None);
        group.joined(scribe, &format!("{what}, alone"), &[0]);
        group.begin(scribe, on[1], protocols(wanted[1], 1), None);
        group.begin(scribe, on[2], protocols(wanted[2], 2), None);
        group.again(scribe, 0);
        group.joined(scribe, &what, &[0, 1, 2]);
        group.described(scribe, &what);
    }
}

/// Three members, all with their assignments.
fn stable(scribe: &mut Scribe, plain: &str, on: [Connection; 4], instances: bool) -> Group {
    let mut group = Group::new(scribe, plain);
    for (at, &on) in on.iter().take(3).enumerate() {
        let name = format!("instance-{at}");
        let instance = instances.then_some(name.as_str());
        group.begin(scribe, on, protocols(&["range"], at), instance);
        if at == 0 {
            group.joined(scribe, &format!("{plain}, alone"), &[0]);
        }
    }
    group.again(scribe, 0);
    group.joined(scribe, plain, &[0, 1, 2]);
    group.synced(scribe, plain, &[0, 1, 2], "range");
    group
}

/// Who joins a stable group again, and what that does to the others.
fn reasons(scribe: &mut Scribe, on: [Connection; 4]) {
    let mut group = stable(scribe, "reasons", on, false);
    group.again(scribe, 1);
    group.joined(scribe, "a follower joins again", &[1]);
    group.beat(scribe, "a follower joined again", 0);
    group.members[1].request.protocols = protocols(&["range"], 3);
    group.again(scribe, 1);
    group.beat(scribe, "a follower joined with other data", 0);
    group.beat(scribe, "a follower joined with other data", 2);
    group.again(scribe, 0);
    group.again(scribe, 2);
    group.joined(scribe, "after other data", &[0, 1, 2]);
    group.synced(scribe, "after other data", &[0, 1, 2], "range");
    group.again(scribe, 0);
    group.beat(scribe, "the leader joined again", 1);
    group.again(scribe, 1);
    group.again(scribe, 2);
    group.joined(scribe, "after the leader", &[0, 1, 2]);
    group.synced(scribe, "after the leader", &[0, 1, 2], "range");
    // The leader leaves.
    let leave = LeaveGroupRequest {
        group_id: group.name.clone(),
        member_id: group.members[0].request.member_id.clone(),
        ..LeaveGroupRequest::default()
    };
    scribe.ask("the leader leaves", 2, &leave);
    group.beat(scribe, "the leader left", 1);
    group.again(scribe, 1);
    group.described(scribe, "the leader left, one joined");
    group.again(scribe, 2);
    let mut told = scribe.receive::<JoinGroupRequest>(on[1], JOIN).unwrap();
    let other = scribe.receive::<JoinGroupRequest>(on[2], JOIN).unwrap();
    // Which of them leads is the order of a hash map.
    let one_leads = (told.members.len() == 2) != (other.members.len() == 2);
    assert!(
        one_leads && told.leader == other.leader,
        "{told:?} {other:?}"
    );
    told.members.clear();
    (told.leader, told.member_id) = (String::new(), String::new());
    scribe.note("after the leader left", JOIN, Some(format!("{told:?}")));
}

/// A second JoinGroup and SyncGroup of the same member, while the first waits.
fn replaced(scribe: &mut Scribe, on: [Connection; 4]) {
    let mut group = stable(scribe, "replaced", on, false);
    group.members[1].request.protocols = protocols(&["range"], 3);
    group.again(scribe, 1);
    scribe.send(on[3], JOIN, &group.members[1].request);
    scribe.peer.settle(50);
    group.again(scribe, 0);
    group.again(scribe, 2);
    group.joined(scribe, "joined twice", &[0, 2]);
    // Kafka never answers the first.
    scribe.await_answer::<JoinGroupRequest>(on[3], "joined twice, the second", JOIN);
}

/// Who does not join again within the rebalance timeout is out.
fn late_to_join(scribe: &mut Scribe, on: [Connection; 4]) {
    let mut group = stable(scribe, "late", on, false);
    group.members[1].request.protocols = protocols(&["range"], 3);
    group.again(scribe, 1);
    group.again(scribe, 0);
    group.described(scribe, "one is late");
    group.joined(scribe, "one was late", &[0, 1]);
    group.beat(scribe, "one was late", 2);
    group.synced(scribe, "one was late", &[0, 1], "range");
    group.described(scribe, "one was late");
    group.again(scribe, 2);
    scribe.await_answer::<JoinGroupRequest>(on[2], "who was late joins", JOIN);
}

/// So is who does not sync; if that is the leader, the others are told to join again.
fn late_to_sync(scribe: &mut Scribe, on: [Connection; 4]) {
    let mut group = stable(scribe, "unsynced", on, false);
    group.members[1].request.protocols = protocols(&["range"], 3);
    group.again(scribe, 1);
    group.again(scribe, 0);
    group.again(scribe, 2);
    group.joined(scribe, "before late syncs", &[0, 1, 2]);
    let follower = &group.members[1].request.member_id;
    let request = sync(&group.name, group.generation, follower, &[]);
    scribe.ask_on(
        on[1],
        "the leader does not sync, member 1 does",
        SYNC,
        &request,
    );
    group.described(scribe, "the leader did not sync");
    group.beat(scribe, "the leader did not sync", 0);
    group.beat(scribe, "the leader did not sync", 1);
    group.beat(scribe, "the leader did not sync", 2);
}

/// Static members come back: with the same subscription nobody else notices (KIP-345).
fn static_successors(scribe: &mut Scribe, on: [Connection; 4]) {
    let mut group = stable(scribe, "static", on, true);
    group.members[1].request.member_id = String::new();
    group.again(scribe, 1);
    group.joined(scribe, "an instance comes back", &[1]);
    group.beat(scribe, "an instance came back", 0);
    group.members[1].request.member_id = String::new();
    group.members[1].request.protocols = protocols(&["range"], 3);
    group.again(scribe, 1);
    group.beat(scribe, "an instance came back with other data", 0);
    group.again(scribe, 0);
    group.again(scribe, 2);
    group.joined(scribe, "after an instance with other data", &[0, 1, 2]);
    group.synced(
        scribe,
        "after an instance with other data",
        &[0, 1, 2],
        "range",
    );
    group.members[0].request.member_id = String::new();
    group.again(scribe, 0);
    group.joined(scribe, "the leader's instance comes back", &[0]);
    group.beat(scribe, "the leader's instance came back", 1);
}

/// The shortest session ends.
fn expired(scribe: &mut Scribe) {
    let group = scribe.group("expired");
    let mut request = join(&group, "");
    request.session_timeout_ms = 6_000;
    let joined = scribe.joined(&request);
    let (member, generation) = (joined.member_id, joined.generation_id);
    scribe
        .call(SYNC, &sync(&group, generation, &member, &[&member]))
        .unwrap();
    // Who was told its id and never came is forgotten as well.
    let told = scribe.call(JOIN, &request).unwrap();
    scribe.peer.settle(5_000);
    let beat = HeartbeatRequest {
        group_id: group.clone(),
        generation_id: generation,
        member_id: member,
        group_instance_id: None,
    };
    scribe.ask("a heartbeat within the session", BEAT, &beat);
    scribe.peer.settle(5_000);
    scribe.ask("another", BEAT, &beat);
    scribe.peer.settle(7_000);
    scribe.ask("a heartbeat after the session", BEAT, &beat);
    let describe = DescribeGroupsRequest {
        groups: vec![group.clone()],
        ..DescribeGroupsRequest::default()
    };
    scribe.ask("described after the session", 5, &describe);
    request.member_id = told.member_id;
    request.protocols = vec![protocol("range", SUBSCRIBED)];
    scribe.ask("joining with an id told long ago", JOIN, &request);
}
