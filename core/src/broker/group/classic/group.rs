//! The group itself: its data, its records, and the changes that keep its invariants.

use crate::sorted::{SortedMap, SortedSet};
use std::cmp::Reverse;
use std::sync::Arc;

use bytes::Bytes;

use super::action::Actions;
use super::{Member, Protocol, State};
use crate::broker::connection::RequestId;
use crate::broker::group::java_hash;
use crate::protocol::ErrorCode;
use crate::protocol::internal::consumer_offsets::{GroupMetadataValue, MemberMetadata};
use crate::protocol::internal::consumer_protocol::ConsumerProtocolSubscription;
use crate::protocol::{Message as _, Reader};

/// The protocol type of consumer groups; others (Connect's workers) are opaque.
const CONSUMER: &str = "consumer";

/// A classic group. See the [module](super).
#[derive(Debug, Clone)]
pub(crate) struct ClassicGroup {
    pub(crate) id: Arc<str>,
    /// Tells this group from an earlier or later one of the same id.
    pub(crate) instance: u64,
    pub(super) state: State,
    pub(super) previous_state: State,
    /// Wall time of the last change of state; old records do not say.
    pub(super) state_since: Option<i64>,
    /// What kind of members it has; `None` for a group that never had any.
    pub(super) protocol_type: Option<String>,
    /// The protocol of the present generation.
    pub(super) protocol: Option<String>,
    pub(super) generation: i32,
    pub(super) leader: Option<String>,
    pub(super) members: SortedMap<String, Member>,
    /// Member ids by group instance id.
    pub(super) static_members: SortedMap<String, String>,
    /// Ids given out with `MEMBER_ID_REQUIRED` whose owners have not come back yet.
    pub(super) pending_joins: SortedSet<String>,
    /// Members of the generation that have not sent SyncGroup yet.
    pub(super) pending_syncs: SortedSet<String>,
    /// How many members wait for the others to join.
    pub(super) joined: usize,
    /// How many members offer each protocol.
    pub(super) offered: SortedMap<String, usize>,
    /// What the members subscribe to, if they are consumers and their metadata can be read.
    pub(super) subscribed: Option<SortedSet<String>>,
    /// The initial rebalance: its delay in milliseconds and how much more it may be put off.
    pub(super) initial: Option<(i64, i64)>,
    /// Whether a member came during the initial rebalance since its delay was last begun.
    pub(super) member_came: bool,
}

impl ClassicGroup {
    /// A group without members, since `since` in wall time if that is known.
    pub(crate) fn new(id: Arc<str>, instance: u64, since: Option<i64>) -> Self {
        Self {
            id,
            instance,
            state: State::Empty,
            previous_state: State::Dead,
            state_since: since,
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: SortedMap::new(),
            static_members: SortedMap::new(),
            pending_joins: SortedSet::new(),
            pending_syncs: SortedSet::new(),
            joined: 0,
            offered: SortedMap::new(),
            subscribed: None,
            initial: None,
            member_came: false,
        }
    }

    /// The group as its record says: Stable if it has members, otherwise Empty.
    pub(crate) fn from_record(id: Arc<str>, instance: u64, value: GroupMetadataValue) -> Self {
        let since = Some(value.current_state_timestamp).filter(|&since| since != -1);
        let mut group = Self::new(id, instance, since);
        group.protocol_type = Some(value.protocol_type).filter(|name| !name.is_empty());
        group.protocol = value.protocol;
        group.generation = value.generation;
        for stored in value.members {
            let rebalance_timeout = match stored.rebalance_timeout {
                -1 => stored.session_timeout,
                timeout => timeout,
            };
            group.insert(Member {
                id: stored.member_id,
                instance_id: stored.group_instance_id,
                client_id: stored.client_id,
                client_host: stored.client_host,
                rebalance_timeout,
                session_timeout: stored.session_timeout,
                protocols: vec![Protocol {
                    name: group.protocol.clone().unwrap_or_default(),
                    metadata: stored.subscription,
                }],
                assignment: stored.assignment,
                join: None,
                sync: None,
                is_new: false,
            });
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
            let leader = value
                .leader
                .filter(|leader| group.members.contains_key(leader));
            group.leader = leader.or(group.leader);
        }
        group.subscribed = group.compute_subscribed();
        group
    }

    /// The group as a record, with these assignments.
    pub(crate) fn to_record(&self, assignments: &SortedMap<String, Bytes>) -> GroupMetadataValue {
        let members = self.members.values().map(|member| MemberMetadata {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: member.rebalance_timeout,
            session_timeout: member.session_timeout,
            subscription: member.metadata(self.protocol.as_deref()),
            assignment: assignments.get(&member.id).cloned().unwrap_or_default(),
        });
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_since.unwrap_or(-1),
            members: members.collect(),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn generation(&self) -> i32 {
        self.generation
    }

    pub(crate) fn protocol_type(&self) -> Option<&str> {
        self.protocol_type.as_deref()
    }

    pub(crate) fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    pub(crate) fn leader(&self) -> Option<&str> {
        self.leader.as_deref()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Whether the member's SyncGroup for the present generation has come.
    pub(crate) fn has_synced(&self, member_id: &str) -> bool {
        matches!(self.state, State::CompletingRebalance | State::Stable)
            && !self.pending_syncs.contains(member_id)
    }

    pub(crate) fn state_since(&self) -> Option<i64> {
        self.state_since
    }

    pub(crate) fn is_consumer_group(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether the members' subscriptions are known.
    pub(crate) fn knows_subscriptions(&self) -> bool {
        self.subscribed.is_some()
    }

    /// Whether the group consumes the topic; if that cannot be told, consumers are taken to.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer_group(),
        }
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    pub(super) fn become_state(&mut self, state: State, now: i64) {
        debug_assert!(
            self.state.may_become(state),
            "{:?} -> {state:?}",
            self.state
        );
        self.previous_state = self.state;
        self.state = state;
        self.state_since = Some(now);
    }

    /// Whether the request comes from a present member: static id first, then member id.
    ///
    /// # Errors
    /// `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`.
    pub(crate) fn validate_member(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UNKNOWN_MEMBER_ID),
                Some(present) if present != member_id => {
                    return Err(ErrorCode::FENCED_INSTANCE_ID);
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ErrorCode::UNKNOWN_MEMBER_ID)
        }
    }

    /// Adds a member; the first becomes leader and decides the protocol type.
    pub(super) fn insert(&mut self, member: Member) {
        if let Some(instance_id) = &member.instance_id {
            self.static_members
                .insert(instance_id.clone(), member.id.clone());
        }
        self.leader.get_or_insert_with(|| member.id.clone());
        self.pending_joins.remove(&member.id);
        if member.join.is_some() {
            self.joined = self.joined.saturating_add(1);
        }
        self.offer(&member.protocols, true);
        self.members.insert(member.id.clone(), member);
    }

    /// Takes a member, or an id that was only promised, out. Requests of it that wait are answered
    /// with `UNKNOWN_MEMBER_ID`; if it led, another member leads.
    pub(super) fn remove(&mut self, member_id: &str, out: &mut Actions) {
        if let Some(mut member) = self.members.remove(member_id) {
            if let Some(waiting) = member.join.take() {
                self.joined = self.joined.saturating_sub(1);
                out.join_error(waiting, "", ErrorCode::UNKNOWN_MEMBER_ID);
            }
            if let Some(waiting) = member.sync.take() {
                out.sync_error(waiting, ErrorCode::UNKNOWN_MEMBER_ID);
            }
            self.offer(&member.protocols, false);
            if let Some(instance_id) = &member.instance_id {
                self.static_members.remove(instance_id);
            }
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_joins.remove(member_id);
        self.pending_syncs.remove(member_id);
    }

    /// Takes what a JoinGroup says over into its member; `join` is the request if it is to wait.
    pub(super) fn update(
        &mut self,
        member_id: &str,
        protocols: Vec<Protocol>,
        timeouts: (i32, i32),
        join: Option<RequestId>,
        out: &mut Actions,
    ) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        let before = std::mem::replace(&mut member.protocols, protocols);
        let now = member.protocols.clone();
        (member.rebalance_timeout, member.session_timeout) = timeouts;
        let replaced = std::mem::replace(&mut member.join, join);
        if let Some(waiting) = replaced {
            self.joined = self.joined.saturating_sub(1);
            out.join_error(waiting, member_id, ErrorCode::REBALANCE_IN_PROGRESS);
        }
        if join.is_some() {
            self.joined = self.joined.saturating_add(1);
        }
        self.offer(&before, false);
        self.offer(&now, true);
    }

    /// Takes a member's waiting JoinGroup in order to answer it.
    pub(super) fn take_join(&mut self, member_id: &str) -> Option<RequestId> {
        let waiting = self.members.get_mut(member_id)?.join.take()?;
        self.joined = self.joined.saturating_sub(1);
        Some(waiting)
    }

    /// Whether all members wait for the next generation, and nobody who was promised an id is due.
    pub(super) fn all_joined(&self) -> bool {
        self.joined == self.members.len() && self.pending_joins.is_empty()
    }

    /// The longest that any member wants the others to wait for it.
    pub(super) fn rebalance_timeout(&self) -> i64 {
        let longest = self
            .members
            .values()
            .map(|member| member.rebalance_timeout)
            .max();
        i64::from(longest.unwrap_or(0).max(0))
    }

    fn offer(&mut self, protocols: &[Protocol], add: bool) {
        // A name that a member gives twice counts once, or it would outnumber the members.
        let names: SortedSet<&str> = protocols
            .iter()
            .map(|offered| offered.name.as_str())
            .collect();
        for name in names {
            let count = self.offered.entry(name.to_owned()).or_default();
            *count = if add {
                count.saturating_add(1)
            } else {
                count.saturating_sub(1)
            };
            if *count == 0 {
                self.offered.remove(name);
            }
        }
    }

    /// Whether someone with this protocol type and these protocols could be a member.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols
                .iter()
                .any(|offered| self.is_common(&offered.name))
    }

    /// Whether all members offer the protocol.
    fn is_common(&self, protocol: &str) -> bool {
        self.offered.get(protocol).copied().unwrap_or(0) == self.members.len()
    }

    /// The protocol most members prefer among those that all offer. Of several that are preferred
    /// alike Kafka takes the first that a small `HashMap` of Java has, and so does this.
    pub(super) fn elect_protocol(&self) -> Option<String> {
        let mut votes: SortedMap<&str, usize> = SortedMap::new();
        for member in self.members.values() {
            let vote = member
                .protocols
                .iter()
                .find(|offered| self.is_common(&offered.name))?;
            let count = votes.entry(&vote.name).or_default();
            *count = count.saturating_add(1);
        }
        let (name, _) = votes
            .into_iter()
            .max_by_key(|&(name, count)| (count, Reverse(bucket(name))))?;
        Some(name.to_owned())
    }

    /// The union of the members' subscriptions, read in version 0, with which all begin.
    pub(super) fn compute_subscribed(&self) -> Option<SortedSet<String>> {
        if !self.is_consumer_group() {
            return None;
        }
        let mut topics = SortedSet::new();
        for member in self.members.values() {
            let metadata = member.metadata(Some(self.protocol.as_deref()?));
            topics.extend(subscription(metadata)?.topics);
        }
        Some(topics)
    }
}

/// The place of a key in a `HashMap` of Java's with up to twelve.
fn bucket(key: &str) -> u32 {
    let hash = java_hash(key).cast_unsigned();
    (hash ^ (hash >> 16)) & 15
}

/// A consumer's subscription as far as version 0 has it.
pub(crate) fn subscription(metadata: Bytes) -> Option<ConsumerProtocolSubscription> {
    let mut reader = Reader::new(metadata);
    let version = reader.i16().ok()?;
    if version < 0 {
        return None;
    }
    ConsumerProtocolSubscription::read_version(&mut reader, 0).ok()
}
