//! How the leader of a group shares out partitions among its members.
//!
//! The broker does not look inside: members say what they subscribe to and what they own, the
//! leader computes, and the broker passes the result on. So these must agree with the Java
//! client's assignors of the same names, in what they write and in what they compute: a group may
//! mix our members with Java's, and with KafkaJS's under its own assigner's name.
//!
//! Guarantees, checked by property tests: every partition of a subscribed topic has exactly one
//! owner, which subscribes to that topic (cooperative-sticky withholds for one round what must be
//! revoked first); members with equal subscriptions differ by at most one partition (range: by one
//! per topic).
//!
//! Left out: racks (KIP-881). All members count as being in no rack, as with brokers that have no
//! `broker.rack`.
//!
//! Sources: KIP-54 (sticky), KIP-345 (static members), KIP-429 (cooperative), KIP-792
//! (generations); Kafka 4.3's `RangeAssignor`, `RoundRobinAssignor`, `StickyAssignor` and
//! `CooperativeStickyAssignor`; KafkaJS 2.2's `RoundRobinAssigner`.

mod kafkajs;
mod order;
mod range;
mod round_robin;
mod sticky;
mod wire;

use crate::sorted::SortedMap;
use crate::types::TopicPartition;
use bytes::Bytes;

pub use wire::{decode_assignment, decode_subscription, encode_assignment, encode_subscription};

/// What a member says of itself when it joins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscription {
    /// The topics it wants, in the order in which it subscribed.
    pub topics: Vec<String>,
    /// Data for the assignor; see [`Assignor::user_data`].
    pub user_data: Option<Bytes>,
    /// The partitions that it still owns: none for an eager member.
    pub owned_partitions: Vec<TopicPartition>,
    /// The generation in which it got them; −1 if none.
    pub generation_id: i32,
    /// Its rack, if it has one. Sent, but not used by our assignors.
    pub rack_id: Option<String>,
    /// Its `group.instance.id`; not part of the subscription on the wire, but of JoinGroup.
    pub group_instance_id: Option<String>,
}

/// What the leader knows when it assigns.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// All members by member id.
    pub members: &'a SortedMap<String, Subscription>,
    /// The number of partitions of each topic that exists.
    pub partitions: &'a SortedMap<String, i32>,
    /// The leader's member id.
    pub leader: &'a str,
}

/// Who gets what. Every member has an entry.
pub type Assignments = SortedMap<String, Vec<TopicPartition>>;

/// The built-in assignors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assignor {
    /// Each topic's partitions in contiguous runs, so that partition n of all topics with as many
    /// partitions goes to the same member.
    Range,
    /// All partitions one after the other to the members in turn.
    RoundRobin,
    /// As balanced as possible, then as unchanged as possible.
    Sticky,
    /// As sticky, in two steps: what changes hands is first revoked, then assigned.
    CooperativeSticky,
    /// KafkaJS's only built-in one.
    KafkaJsRoundRobin,
}

impl Assignor {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Range,
        Self::RoundRobin,
        Self::Sticky,
        Self::CooperativeSticky,
        Self::KafkaJsRoundRobin,
    ];

    /// The protocol's name in JoinGroup.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::Sticky => "sticky",
            Self::CooperativeSticky => "cooperative-sticky",
            Self::KafkaJsRoundRobin => "RoundRobinAssigner",
        }
    }

    /// The assignor with this protocol name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|assignor| assignor.name() == name)
    }

    /// Whether members keep their partitions while they rejoin (KIP-429). A consumer is
    /// cooperative only if all of its assignors are; else it is eager and gives up everything
    /// before it rejoins.
    #[must_use]
    pub fn is_cooperative(self) -> bool {
        self == Self::CooperativeSticky
    }

    /// The version in which subscriptions and assignments are written.
    #[must_use]
    pub fn wire_version(self) -> i16 {
        match self {
            Self::KafkaJsRoundRobin => 0,
            Self::Range | Self::RoundRobin | Self::Sticky | Self::CooperativeSticky => 3,
        }
    }

    /// What a member sends along with its subscription.
    ///
    /// `last` is what it was assigned most recently, with the generation of that: `None` until it
    /// has been assigned something for the first time. An eager member has revoked it by now, and
    /// wants it back.
    #[must_use]
    pub fn user_data(self, last: Option<(&[TopicPartition], i32)>) -> Option<Bytes> {
        match self {
            Self::Range | Self::RoundRobin => None,
            Self::Sticky => last.map(|(owned, generation)| sticky::user_data(owned, generation)),
            Self::CooperativeSticky => {
                let generation = last.map_or(-1, |(_, generation)| generation);
                Some(Bytes::copy_from_slice(&generation.to_be_bytes()))
            }
            Self::KafkaJsRoundRobin => Some(Bytes::new()),
        }
    }

    /// Computes who gets what. Topics that nobody has metadata of are left out.
    #[must_use]
    pub fn assign(self, group: &Group<'_>) -> Assignments {
        match self {
            Self::Range => range::assign(group),
            Self::RoundRobin => round_robin::assign(group),
            Self::Sticky => sticky::assign(group),
            Self::CooperativeSticky => sticky::assign_cooperatively(group),
            Self::KafkaJsRoundRobin => kafkajs::assign(group),
        }
    }
}

impl Group<'_> {
    /// How many partitions `topic` has; 0 if there is no such topic.
    fn partition_count(&self, topic: &str) -> i32 {
        self.partitions.get(topic).copied().unwrap_or(0).max(0)
    }

    /// An entry without partitions for each member.
    fn empty_assignments(&self) -> Assignments {
        self.members
            .keys()
            .map(|member| (member.clone(), Vec::new()))
            .collect()
    }
}

/// Adds a partition to what a member gets.
fn give(assignments: &mut Assignments, member: &str, partition: TopicPartition) {
    match assignments.get_mut(member) {
        Some(partitions) => partitions.push(partition),
        None => {
            assignments.insert(member.to_owned(), vec![partition]);
        }
    }
}

#[cfg(test)]
mod tests;
