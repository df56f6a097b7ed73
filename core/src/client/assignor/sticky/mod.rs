//! `sticky` and `cooperative-sticky`: balance first, then as few moves as possible.
//!
//! Members that subscribe to the same topics, the usual case, are served by [`constrained`], which
//! fills quotas; others by [`general`], which moves partitions one by one until no move helps.
//! Both results are those of the Java client, member for member; see [`super::order`] for what
//! that takes.
//!
//! Where Java's fails or breaks its promises this one does not follow: claims of partitions that
//! do not exist are ignored (Java throws), a partition is not given back to a former owner that no
//! longer subscribes to its topic, and a member without topics makes subscriptions unequal.

mod constrained;
mod general;
mod movements;

use super::{Assignments, Group, Subscription, order, wire};
use crate::protocol::Message;
use crate::protocol::internal::consumer_protocol::StickyAssignorUserData;
use crate::sorted::{self, SortedMap, SortedSet};
use crate::types::TopicPartition;
use bytes::Bytes;

const NO_GENERATION: i32 = -1;

/// Assigns; eager members may be given anything at once.
pub(super) fn assign(group: &Group<'_>) -> Assignments {
    run(group, claim_from_user_data).0
}

/// Assigns, and withholds every partition that another member has to give up first: it revokes,
/// everyone joins again, and then there is an owner for it.
pub(super) fn assign_cooperatively(group: &Group<'_>) -> Assignments {
    let (mut assignments, transferring) = run(group, claim_from_subscription);
    for (partition, member) in transferring {
        if let Some(partitions) = assignments.get_mut(&member) {
            partitions.retain(|other| *other != partition);
        }
    }
    assignments
}

/// The user data of a `sticky` member, version 1.
pub(super) fn user_data(owned: &[TopicPartition], generation: i32) -> Bytes {
    let mut topics = wire::by_topic(owned);
    let order = order::hash_order(topics.iter().map(|topic| topic.topic.as_str()));
    let rank: SortedMap<String, usize> = order.into_iter().map(str::to_owned).zip(0..).collect();
    sorted::sort_by_key(&mut topics, |topic| rank.get(&topic.topic).copied());
    let message = StickyAssignorUserData {
        previous_assignment: topics,
        generation,
    };
    // It cannot fail: topics that were assigned have names that fit, and empty bytes would only
    // mean that nothing was owned.
    message.encode(1).unwrap_or_default()
}

/// What a member says it owned, and when.
#[derive(Debug, Clone, Default)]
struct Claim {
    partitions: Vec<TopicPartition>,
    generation: Option<i32>,
}

/// Eager members have given everything up; what they had is in the user data.
fn claim_from_user_data(subscription: &Subscription) -> Claim {
    let Some(bytes) = subscription.user_data.as_ref().filter(|b| !b.is_empty()) else {
        return Claim::default();
    };
    if let Ok(data) = StickyAssignorUserData::decode(bytes.clone(), 1) {
        return Claim {
            partitions: wire::flat(data.previous_assignment),
            generation: Some(data.generation),
        };
    }
    match StickyAssignorUserData::decode(bytes.clone(), 0) {
        Ok(data) => Claim {
            partitions: wire::flat(data.previous_assignment),
            generation: None,
        },
        Err(_) => Claim {
            partitions: Vec::new(),
            generation: Some(NO_GENERATION),
        },
    }
}

/// Cooperative members own what they say; the generation was once in the user data only.
fn claim_from_subscription(subscription: &Subscription) -> Claim {
    let generation = if subscription.generation_id >= 0 {
        Some(subscription.generation_id)
    } else {
        subscription.user_data.as_ref().map(|bytes| {
            bytes
                .first_chunk::<4>()
                .map_or(NO_GENERATION, |bytes| i32::from_be_bytes(*bytes))
        })
    };
    Claim {
        partitions: subscription.owned_partitions.clone(),
        generation,
    }
}

/// One member, with its claims sorted out.
#[derive(Debug)]
struct Member<'a> {
    id: &'a str,
    /// The topics it subscribes to.
    wanted: SortedSet<&'a str>,
    /// Those of them that exist.
    topics: SortedSet<&'a str>,
    /// What it owns and nobody with a newer claim does.
    owned: Vec<TopicPartition>,
    /// What it claimed, and the generation of that.
    claim: Claim,
}

/// Everything that both algorithms start from. Members are in Java's order.
#[derive(Debug)]
struct Problem<'a> {
    members: Vec<Member<'a>>,
    /// Existing topics that anyone subscribes to.
    topics: SortedMap<&'a str, i32>,
    /// Claimed by two members in the same generation: nobody's.
    contested: SortedSet<TopicPartition>,
    /// The newest generation of any claim.
    max_generation: i32,
}

/// Partitions that go from one member to another, with the new one.
type Transfers = SortedMap<TopicPartition, String>;

fn run(group: &Group<'_>, claim: fn(&Subscription) -> Claim) -> (Assignments, Transfers) {
    let problem = Problem::new(group, claim);
    let Some(first) = problem.members.first() else {
        return Default::default();
    };
    let equal = problem
        .members
        .iter()
        .all(|member| member.wanted == first.wanted);
    if equal {
        return constrained::assign(&problem);
    }
    let assignments = general::assign(&problem);
    let transfers = transfers(group, &assignments);
    (assignments, transfers)
}

impl<'a> Problem<'a> {
    fn new(group: &Group<'a>, claim: fn(&Subscription) -> Claim) -> Self {
        let mut problem = Self {
            members: Vec::new(),
            topics: SortedMap::new(),
            contested: SortedSet::new(),
            max_generation: NO_GENERATION,
        };
        for (id, subscription) in order::members(group) {
            let wanted: SortedSet<&str> = subscription.topics.iter().map(String::as_str).collect();
            let mut topics = wanted.clone();
            topics.retain(|topic| group.partition_count(topic) > 0);
            for topic in &topics {
                problem.topics.insert(topic, group.partition_count(topic));
            }
            let claim = claim(subscription);
            let generation = claim.generation.unwrap_or(NO_GENERATION);
            problem.max_generation = problem.max_generation.max(generation);
            problem.members.push(Member {
                id,
                wanted,
                topics,
                owned: Vec::new(),
                claim,
            });
        }
        problem.settle_claims(group);
        problem
    }

    /// Gives each claimed partition to the claim of the newest generation; to nobody if two are
    /// equally new.
    fn settle_claims(&mut self, group: &Group<'_>) {
        let mut owners: SortedMap<TopicPartition, usize> = SortedMap::new();
        // Java compares with the generation in the other's subscription, not in its user data.
        let said: Vec<i32> = self
            .members
            .iter()
            .map(|member| {
                group
                    .members
                    .get(member.id)
                    .map_or(NO_GENERATION, |subscription| subscription.generation_id)
                    .max(NO_GENERATION)
            })
            .collect();
        for index in 0..self.members.len() {
            let Some(member) = self.members.get(index) else {
                continue;
            };
            let generation = member.claim.generation.unwrap_or(NO_GENERATION);
            let claimed: SortedSet<TopicPartition> = member
                .claim
                .partitions
                .iter()
                .filter(|partition| self.exists(partition))
                .cloned()
                .collect();
            for partition in claimed {
                let newer = match owners.get(&partition) {
                    None => true,
                    Some(other) => {
                        let other_generation = said.get(*other).copied().unwrap_or(NO_GENERATION);
                        if generation == other_generation {
                            self.contested.insert(partition.clone());
                            self.disown(*other, &partition);
                            owners.insert(partition, index);
                            continue;
                        }
                        generation > other_generation
                    }
                };
                if newer {
                    if let Some(other) = owners.insert(partition.clone(), index) {
                        self.disown(other, &partition);
                    }
                    if let Some(member) = self.members.get_mut(index) {
                        member.owned.push(partition);
                    }
                }
            }
        }
    }

    fn disown(&mut self, member: usize, partition: &TopicPartition) {
        if let Some(member) = self.members.get_mut(member) {
            member.owned.retain(|owned| owned != partition);
        }
    }

    fn exists(&self, partition: &TopicPartition) -> bool {
        self.topics
            .get(partition.topic.as_str())
            .is_some_and(|count| (0..*count).contains(&partition.partition))
    }

    fn total_partitions(&self) -> usize {
        self.topics
            .values()
            .map(|count| usize::try_from(*count).unwrap_or(0))
            .sum()
    }
}

/// What some member still owns and another is given.
fn transfers(group: &Group<'_>, assignments: &Assignments) -> Transfers {
    let mut revoked: SortedSet<&TopicPartition> = SortedSet::new();
    for (member, assigned) in assignments {
        let Some(subscription) = group.members.get(member) else {
            continue;
        };
        let assigned: SortedSet<&TopicPartition> = assigned.iter().collect();
        let owned = subscription.owned_partitions.iter();
        revoked.extend(owned.filter(|partition| !assigned.contains(partition)));
    }
    let mut transfers = Transfers::new();
    for (member, assigned) in assignments {
        let owned: SortedSet<&TopicPartition> = group
            .members
            .get(member)
            .map(|subscription| subscription.owned_partitions.iter().collect())
            .unwrap_or_default();
        for partition in assigned {
            if revoked.contains(partition) && !owned.contains(partition) {
                transfers.insert(partition.clone(), member.clone());
            }
        }
    }
    transfers
}
