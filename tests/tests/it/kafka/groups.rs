//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup: the classic protocol, and every way to be
//! refused.

use partita_core::protocol::messages::leave_group::MemberIdentity;
use partita_core::protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
};

use super::members::{SUBSCRIBED, join, protocol, sync};
use super::peer::Connection;
use super::scribe::Scribe;

pub(super) fn ask(scribe: &mut Scribe) {
    for version in 0..=9 {
        joins(scribe, version);
        first_member(scribe, version);
        second_member(scribe, version);
    }
    for version in 5..=9 {
        instances(scribe, version);
    }
    for version in 0..=5 {
        syncs(scribe, version);
        leaves(scribe, version);
    }
    for version in 0..=4 {
        heartbeats(scribe, version);
    }
}

fn joins(scribe: &mut Scribe, version: i16) {
    let group = scribe.group(&format!("refused-{version}"));
    let mut ask = |what: &str, change: &dyn Fn(&mut JoinGroupRequest)| {
        let mut request = join(&group, "");
        change(&mut request);
        scribe.ask(&format!("join {what}"), version, &request);
    };
    ask("no group", &|r| r.group_id.clear());
    ask("session of 5,999 ms", &|r| r.session_timeout_ms = 5_999);
    ask("session of 1,800,001 ms", &|r| {
        r.session_timeout_ms = 1_800_001
    });
    ask("unknown member", &|r| r.member_id = "nobody".to_owned());
    ask("no protocol type", &|r| r.protocol_type.clear());
    ask("no protocols", &|r| r.protocols.clear());
    for session in [6_000, 1_800_000] {
        let group = scribe.group(&format!("session-{session}-{version}"));
        let mut request = join(&group, "");
        request.session_timeout_ms = session;
        scribe.ask(
            &format!("join with session of {session} ms"),
            version,
            &request,
        );
    }
}

/// Joins and, from version 4 on, once more with the member id that is then required.
fn let_in(
    scribe: &mut Scribe,
    what: &str,
    version: i16,
    request: &JoinGroupRequest,
) -> JoinGroupResponse {
    let joined = scribe.ask(what, version, request).unwrap();
    if version < 4 || request.group_instance_id.is_some() {
        return joined;
    }
    let mut request = request.clone();
    request.member_id = joined.member_id;
    scribe
        .ask(&format!("{what}, with its id"), version, &request)
        .unwrap()
}

fn first_member(scribe: &mut Scribe, version: i16) {
    let group = scribe.group(&format!("one-{version}"));
    let mut request = join(&group, "");
    request.protocols.push(protocol("other", SUBSCRIBED));
    let joined = let_in(scribe, "first member", version, &request);
    request.member_id = joined.member_id;
    scribe.ask("first member again, completing", version, &request);
    let mut other = join(&group, "");
    other.protocol_type = "other".to_owned();
    scribe.ask("another protocol type", version, &other);
    let mut other = join(&group, "");
    other.protocols = vec![protocol("unheard", SUBSCRIBED)];
    scribe.ask("no common protocol", version, &other);
    request.protocols = vec![protocol("unheard", SUBSCRIBED)];
    scribe.ask("first member with another protocol", version, &request);
    let mut request = sync(&group, 1, &request.member_id, &[]);
    request.protocol_name = Some("range".to_owned());
    scribe.ask(
        &format!("first member's sync of generation 1, joined in {version}"),
        4,
        &request,
    );
}

/// As [`SUBSCRIBED`], with user data.
const SECOND: &[u8] = b"\0\0\0\0\0\x01\0\x05plain\0\0\0\x06second";

/// Two members share a group.
fn second_member(scribe: &mut Scribe, version: i16) {
    let (group, first, generation) = scribe.stable_group(&format!("two-{version}"));
    let other = scribe.peer.connect();
    let mut request = join(&group, "");
    request.protocols = vec![protocol("range", SECOND)];
    if version >= 4 {
        let told = scribe
            .ask_on(other, "second member", version, &request)
            .unwrap();
        request.member_id = told.member_id;
    }
    scribe.send(other, version, &request);
    scribe.peer.settle(100);
    let beat = |generation_id| HeartbeatRequest {
        group_id: group.clone(),
        generation_id,
        member_id: first.clone(),
        group_instance_id: None,
    };
    let what = |of: &str| format!("{of}, second joined in {version}");
    scribe.ask(&what("heartbeat while preparing"), 4, &beat(generation));
    let late = sync(&group, generation, &first, &[]);
    scribe.ask(&what("sync while preparing"), 5, &late);
    let leader = join(&group, &first);
    scribe.send(Connection::FIRST, version, &leader);
    for (on, of) in [
        (Connection::FIRST, "leader's join"),
        (other, "follower's join"),
    ] {
        let mut joined = scribe.receive::<JoinGroupRequest>(on, version).unwrap();
        joined.members.sort_by(|a, b| a.metadata.cmp(&b.metadata));
        scribe.note(of, version, Some(format!("{joined:?}")));
        request.member_id.clone_from(&joined.member_id);
    }
    let second = request.member_id.clone();
    scribe.ask(
        &what("heartbeat while completing"),
        4,
        &beat(generation + 1),
    );
    let follower = sync(&group, generation + 1, &second, &[]);
    scribe.send(other, 5, &follower);
    scribe.peer.settle(50);
    let sync = sync(&group, generation + 1, &first, &[&second]);
    scribe.ask(&what("leader's sync"), 5, &sync);
    scribe.await_answer::<partita_core::protocol::messages::SyncGroupRequest>(
        other,
        &what("follower's sync"),
        5,
    );
    scribe.ask(&what("heartbeat when stable"), 4, &beat(generation + 1));
    // The follower joins again with what it said before: it is told what is.
    scribe.ask_on(other, "follower joins again", version, &request);
}

/// Static members (KIP-345).
fn instances(scribe: &mut Scribe, version: i16) {
    let group = scribe.group(&format!("static-{version}"));
    let mut request = join(&group, "");
    request.group_instance_id = Some("instance".to_owned());
    let first = let_in(scribe, "static member", version, &request);
    let synced = sync(
        &group,
        first.generation_id,
        &first.member_id,
        &[&first.member_id],
    );
    scribe.call(5, &synced).unwrap();
    let second = let_in(scribe, "static member's successor", version, &request);
    request.member_id.clone_from(&first.member_id);
    scribe.ask("fenced static member joins", version, &request);
    request.member_id = "nobody".to_owned();
    scribe.ask("unknown static member joins", version, &request);
    request.member_id.clone_from(&second.member_id);
    request.group_instance_id = Some("unheard".to_owned());
    scribe.ask("member of another instance joins", version, &request);
    let what = |of: &str| format!("{of}, joined in {version}");
    for (of, member, instance) in [
        ("fenced", &first.member_id, Some("instance")),
        ("replaced", &first.member_id, None),
        ("successor", &second.member_id, Some("instance")),
        ("successor without instance", &second.member_id, None),
        ("other instance", &second.member_id, Some("unheard")),
    ] {
        let instance = instance.map(str::to_owned);
        let mut request = sync(&group, second.generation_id, member, &[]);
        request.group_instance_id.clone_from(&instance);
        scribe.ask(&what(&format!("{of} syncs")), 5, &request);
        let request = HeartbeatRequest {
            group_id: group.clone(),
            generation_id: second.generation_id,
            member_id: member.clone(),
            group_instance_id: instance.clone(),
        };
        scribe.ask(&what(&format!("{of} beats")), 4, &request);
        if of != "successor" && of != "successor without instance" {
            scribe.ask(
                &what(&format!("{of} leaves")),
                5,
                &leave(&group, &[(member, instance.as_deref())]),
            );
        }
    }
    let by_name = leave(&group, &[("", Some("instance"))]);
    scribe.ask(&what("instance is put out"), 5, &by_name);
    scribe.ask(&what("instance is put out again"), 5, &by_name);
}

fn syncs(scribe: &mut Scribe, version: i16) {
    let group = scribe.group(&format!("synced-{version}"));
    let joined = scribe.joined(&join(&group, ""));
    let (member, generation) = (joined.member_id, joined.generation_id);
    let unknown = scribe.group(&format!("never-{version}"));
    let mut ask = |what: &str, group: &str, member: &str, generation, of: &[&str]| {
        let request = sync(group, generation, member, of);
        scribe.ask(&format!("sync {what}"), version, &request);
    };
    ask("unknown group", &unknown, &member, generation, &[]);
    ask("no group", "", &member, generation, &[]);
    ask("unknown member", &group, "nobody", generation, &[]);
    ask("no member", &group, "", generation, &[]);
    ask("old generation", &group, &member, generation - 1, &[]);
    ask("next generation", &group, &member, generation + 1, &[]);
    if version >= 5 {
        let mut request = sync(&group, generation, &member, &[]);
        request.protocol_type = Some("other".to_owned());
        scribe.ask("sync another protocol type", version, &request);
        let mut request = sync(&group, generation, &member, &[]);
        request.protocol_name = Some("other".to_owned());
        scribe.ask("sync another protocol", version, &request);
        request.protocol_name = None;
        request.protocol_type = None;
        scribe.ask("sync no protocol", version, &request);
    }
    let mut ask = |what: &str, group: &str, member: &str, generation, of: &[&str]| {
        let request = sync(group, generation, member, of);
        scribe.ask(&format!("sync {what}"), version, &request);
    };
    let of = [member.as_str(), "nobody"];
    ask("leader", &group, &member, generation, &of);
    ask("leader again", &group, &member, generation, &[]);
    let group = scribe.group(&format!("unassigned-{version}"));
    let joined = scribe.joined(&join(&group, ""));
    let request = sync(&group, joined.generation_id, &joined.member_id, &[]);
    scribe.ask("sync leader assigns nothing", version, &request);
}

fn leave(group: &str, members: &[(&str, Option<&str>)]) -> LeaveGroupRequest {
    LeaveGroupRequest {
        group_id: group.to_owned(),
        member_id: members
            .first()
            .map(|(id, _)| (*id).to_owned())
            .unwrap_or_default(),
        members: members
            .iter()
            .map(|(member_id, instance)| MemberIdentity {
                member_id: (*member_id).to_owned(),
                group_instance_id: instance.map(str::to_owned),
                ..MemberIdentity::default()
            })
            .collect(),
    }
}

fn leaves(scribe: &mut Scribe, version: i16) {
    let (group, member, _) = scribe.stable_group(&format!("left-{version}"));
    let unknown = scribe.group(&format!("unleft-{version}"));
    let mut ask = |what: &str, group: &str, members: &[(&str, Option<&str>)]| {
        scribe.ask(&format!("leave {what}"), version, &leave(group, members));
    };
    ask("unknown group", &unknown, &[(&member, None)]);
    ask("no group", "", &[(&member, None)]);
    ask("unknown member", &group, &[("nobody", None)]);
    ask("no member", &group, &[("", None)]);
    if version >= 3 {
        ask("nobody at all", &group, &[]);
        ask("unknown instance", &group, &[("", Some("nobody"))]);
        ask(
            "unknown instance of a member",
            &group,
            &[(&member, Some("nobody"))],
        );
        ask(
            "one of three",
            &group,
            &[("nobody", None), (&member, None), (&member, None)],
        );
    } else {
        ask("group", &group, &[(&member, None)]);
    }
    ask("left before", &group, &[(&member, None)]);
    // Who was only told its id can leave as well.
    let request = join(&group, "");
    let told = scribe.call(9, &request).unwrap();
    scribe.ask(
        "leave before joining",
        version,
        &leave(&group, &[(&told.member_id, None)]),
    );
}

fn heartbeats(scribe: &mut Scribe, version: i16) {
    let (group, member, generation) = scribe.stable_group(&format!("beaten-{version}"));
    let unknown = scribe.group(&format!("unbeaten-{version}"));
    let mut ask = |what: &str, group: &str, member: &str, generation_id, instance: Option<&str>| {
        let request = HeartbeatRequest {
            group_id: group.to_owned(),
            generation_id,
            member_id: member.to_owned(),
            group_instance_id: instance.map(str::to_owned),
        };
        scribe.ask(&format!("heartbeat {what}"), version, &request);
    };
    ask("right", &group, &member, generation, None);
    ask("unknown group", &unknown, &member, generation, None);
    ask("no group", "", &member, generation, None);
    ask("unknown member", &group, "nobody", generation, None);
    ask("no member", &group, "", generation, None);
    ask("old generation", &group, &member, generation - 1, None);
    ask("next generation", &group, &member, generation + 1, None);
    ask("generation -1", &group, &member, -1, None);
    if version >= 3 {
        ask(
            "unknown instance",
            &group,
            &member,
            generation,
            Some("nobody"),
        );
    }
    scribe.call(5, &leave(&group, &[(&member, None)])).unwrap();
    ask_after(scribe, version, &group, &member, generation);
}

fn ask_after(scribe: &mut Scribe, version: i16, group: &str, member: &str, generation_id: i32) {
    let request = HeartbeatRequest {
        group_id: group.to_owned(),
        generation_id,
        member_id: member.to_owned(),
        group_instance_id: None,
    };
    scribe.ask("heartbeat of who left", version, &request);
    let joined = scribe.joined(&join(group, ""));
    let request = HeartbeatRequest {
        member_id: joined.member_id,
        generation_id: joined.generation_id,
        ..request
    };
    scribe.ask("heartbeat before its sync", version, &request);
}
