//! A group driven by hand: requests by member name, timers by key, writes when the test says so.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod join;
mod leave;
mod random;
mod rebalance;
mod states;
mod static_members;
mod sync;

use crate::sorted::SortedMap;

use bytes::Bytes;

use super::*;
use crate::broker::connection::{ConnectionId, RequestId};
use crate::protocol::ErrorCode;
use crate::protocol::internal::consumer_offsets::GroupMetadataValue;
use crate::protocol::messages::{JoinGroupResponse, SyncGroupResponse};

/// What a request was answered with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Join(JoinGroupResponse),
    Sync(SyncGroupResponse),
}

/// A group, its armed timers, its answers by request number, and its writes under way.
pub(super) struct Driver {
    pub(super) group: ClassicGroup,
    pub(super) settings: Settings,
    pub(super) timers: SortedMap<TimerKey, i64>,
    pub(super) answers: SortedMap<u64, Answer>,
    pub(super) writes: Vec<(GroupMetadataValue, Written)>,
    next_request: u64,
}

/// A consumer's subscription to topics, in version 0.
pub(super) fn subscription_to(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.bytes());
    }
    bytes.extend((-1_i32).to_be_bytes());
    bytes.into()
}

pub(super) fn protocols(names: &[&str]) -> Vec<Protocol> {
    let metadata = subscription_to(&["orders"]);
    names
        .iter()
        .map(|&name| Protocol {
            name: name.to_owned(),
            metadata: metadata.clone(),
        })
        .collect()
}

impl Driver {
    pub(super) fn new() -> Self {
        Self {
            group: ClassicGroup::new("g".into(), 1, Some(0)),
            settings: Settings {
                initial_rebalance_delay: 0,
                max_size: usize::MAX,
                new_member_join_timeout: 300_000,
                now: 1_000,
            },
            timers: SortedMap::new(),
            answers: SortedMap::new(),
            writes: Vec::new(),
            next_request: 0,
        }
    }

    /// A Stable group of generation 1: `a` leads, `b` follows; both offer `range` and `roundrobin`.
    pub(super) fn stable() -> Self {
        let mut driver = Self::completing();
        driver.sync("a", 1);
        driver.sync("b", 1);
        driver.written(Ok(()));
        assert_eq!(driver.group.state, State::Stable);
        driver
    }

    /// The same group before its members have synced.
    pub(super) fn completing() -> Self {
        let mut driver = Self::new();
        driver.join("a");
        driver.join("b");
        driver.expire(&TimerKey::Join);
        assert_eq!(driver.group.state, State::CompletingRebalance);
        driver
    }

    fn run<T>(
        &mut self,
        handle: impl FnOnce(&mut ClassicGroup, &Settings, &mut Actions) -> T,
    ) -> T {
        let mut actions = Actions::default();
        let result = handle(&mut self.group, &self.settings, &mut actions);
        for action in actions.0 {
            match action {
                Action::Join(to, answer) => self.answer(to, Answer::Join(*answer)),
                Action::Sync(to, answer) => self.answer(to, Answer::Sync(answer)),
                Action::Arm(key, millis) => {
                    self.timers.insert(key, millis);
                }
                Action::Cancel(key) => {
                    self.timers.remove(&key);
                }
                Action::Write(record, then) => self.writes.push((*record, then)),
            }
        }
        self.check();
        result
    }

    fn answer(&mut self, to: RequestId, answer: Answer) {
        let twice = self.answers.insert(to.number, answer);
        assert_eq!(twice, None, "request {} was answered twice", to.number);
    }

    /// The invariants of the group, and that whoever can fail has a timer.
    fn check(&self) {
        let group = &self.group;
        let joined = group
            .members
            .values()
            .filter(|member| member.has_joined())
            .count();
        assert_eq!(group.joined, joined);
        assert_eq!(
            group.leader.is_some(),
            !group.members.is_empty(),
            "{group:?}"
        );
        if let Some(leader) = &group.leader {
            assert!(group.members.contains_key(leader));
        }
        for (instance_id, member_id) in &group.static_members {
            assert_eq!(
                group.members[member_id].instance_id.as_ref(),
                Some(instance_id)
            );
        }
        for member_id in &group.pending_syncs {
            assert!(group.members.contains_key(member_id));
        }
        if !group.members.is_empty() {
            assert!(
                group
                    .offered
                    .values()
                    .any(|&count| count == group.members.len())
            );
        }
    }

    pub(super) fn request(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId {
            connection: ConnectionId(1),
            number: self.next_request,
        }
    }

    /// A JoinGroup of version 9 for a member that is known or may make up its own id.
    pub(super) fn a_join(&mut self, name: &str) -> Join {
        let known =
            self.group.members.contains_key(name) || self.group.pending_joins.contains(name);
        Join {
            request: self.request(),
            member_id: if known {
                name.to_owned()
            } else {
                String::new()
            },
            instance_id: None,
            client_id: "client".into(),
            client_host: "/127.0.0.1".into(),
            session_timeout: 10_000,
            rebalance_timeout: 60_000,
            protocol_type: "consumer".into(),
            protocols: protocols(&["range", "roundrobin"]),
            fresh_member_id: name.to_owned(),
            id_required: false,
            can_skip_assignment: true,
        }
    }

    pub(super) fn send(&mut self, join: Join) -> u64 {
        let number = join.request.number;
        self.run(|group, settings, out| group.join(join, settings, out));
        number
    }

    /// Sends a plain JoinGroup; returns the request's number.
    pub(super) fn join(&mut self, name: &str) -> u64 {
        let join = self.a_join(name);
        self.send(join)
    }

    /// Sends a SyncGroup; a leader assigns to each member its own name.
    pub(super) fn sync(&mut self, name: &str, generation: i32) -> u64 {
        let mut assignments = SortedMap::new();
        if self.group.is_leader(name) {
            let members = self.group.members.keys();
            assignments.extend(members.map(|id| (id.clone(), Bytes::from(id.clone()))));
        }
        let sync = Sync {
            request: self.request(),
            generation,
            member_id: name.to_owned(),
            instance_id: None,
            protocol_type: None,
            protocol: None,
            assignments,
        };
        self.send_sync(sync)
    }

    pub(super) fn send_sync(&mut self, sync: Sync) -> u64 {
        let number = sync.request.number;
        self.run(|group, _, out| group.sync(sync, out));
        number
    }

    pub(super) fn heartbeat(&mut self, name: &str, generation: i32) -> Result<(), ErrorCode> {
        self.run(|group, _, out| group.heartbeat(name, None, generation, out))
    }

    pub(super) fn commit(&mut self, name: &str, generation: i32) -> Result<(), ErrorCode> {
        self.run(|group, _, out| group.commit(name, None, generation, out))
    }

    pub(super) fn leave(&mut self, names: &[&str]) -> Vec<ErrorCode> {
        let leavers: Vec<Leaver> = names
            .iter()
            .map(|&name| Leaver {
                member_id: name.to_owned(),
                instance_id: None,
            })
            .collect();
        self.leave_as(&leavers)
    }

    pub(super) fn leave_as(&mut self, leavers: &[Leaver]) -> Vec<ErrorCode> {
        self.run(|group, settings, out| group.leave(leavers, settings, out))
    }

    /// Lets a timer expire, armed or not.
    pub(super) fn expire(&mut self, key: &TimerKey) {
        self.timers.remove(key);
        self.run(|group, settings, out| match key {
            TimerKey::Session(name) => group.session_timed_out(name, settings, out),
            TimerKey::Join => group.join_timed_out(settings, out),
            TimerKey::Sync => group.sync_timed_out(settings, out),
            TimerKey::Persist => group.persist_timed_out(out),
        });
        // Without an initial delay the timer is put off by nothing for as long as members came.
        if self.timers.get(key) == Some(&0) {
            self.expire(key);
        }
    }

    /// Ends the oldest write.
    pub(super) fn written(&mut self, result: Result<(), ErrorCode>) -> GroupMetadataValue {
        let (record, then) = self.writes.remove(0);
        self.run(|group, settings, out| group.written(then, result, settings, out));
        record
    }

    pub(super) fn session(name: &str) -> TimerKey {
        TimerKey::Session(name.to_owned())
    }

    pub(super) fn joined(&self, request: u64) -> &JoinGroupResponse {
        match self.answers.get(&request) {
            Some(Answer::Join(answer)) => answer,
            other => panic!("request {request}: {other:?}"),
        }
    }

    pub(super) fn synced(&self, request: u64) -> &SyncGroupResponse {
        match self.answers.get(&request) {
            Some(Answer::Sync(answer)) => answer,
            other => panic!("request {request}: {other:?}"),
        }
    }

    /// The error of an answer, or `None` while the request waits.
    pub(super) fn error(&self, request: u64) -> Option<ErrorCode> {
        self.answers.get(&request).map(|answer| match answer {
            Answer::Join(answer) => answer.error_code,
            Answer::Sync(answer) => answer.error_code,
        })
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.group.members.keys().map(String::as_str).collect()
    }
}
