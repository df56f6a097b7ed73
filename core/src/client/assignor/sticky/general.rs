//! Members subscribe to different topics: partitions are moved one at a time, from a member with
//! more to one with at least two fewer, until no move is left.
//!
//! Everyone first keeps what it owned and may still have; what is left goes to whoever has least.
//! If balancing then ends no better than where it began, its moves are undone.

use super::movements::{Movements, Part};
use super::{Assignments, Problem};
use crate::client::assignor::order;
use crate::sorted::{self, SortedMap, SortedSet};
use crate::types::TopicPartition;

pub(super) fn assign(problem: &Problem<'_>) -> Assignments {
    let mut builder = Builder::new(problem);
    builder.keep_owned();
    builder.balance();
    problem
        .members
        .iter()
        .zip(builder.assigned)
        .map(|(member, assigned)| {
            let assigned = assigned
                .into_iter()
                .map(|(topic, partition)| TopicPartition::new(topic, partition))
                .collect();
            (member.id.to_owned(), assigned)
        })
        .collect()
}

/// Members are meant by their position in `problem.members`.
struct Builder<'p, 'a> {
    problem: &'p Problem<'a>,
    /// Position by id in Java's string order: what decides between members with equal loads.
    rank: Vec<usize>,
    /// Who subscribes to each topic.
    subscribers: SortedMap<&'a str, Vec<usize>>,
    /// All partitions: those of topics with few subscribers first.
    partitions: Vec<Part<'a>>,
    assigned: Vec<Vec<Part<'a>>>,
    owner: SortedMap<Part<'a>, usize>,
    /// Members that take part in balancing, as (partitions, rank, position).
    by_load: SortedSet<(usize, usize, usize)>,
    /// The newest owner in an older generation than the newest.
    former: SortedMap<Part<'a>, usize>,
    movements: Movements<'a>,
    /// Someone owned a partition of a topic that it no longer subscribes to.
    revoked: bool,
}

impl<'p, 'a> Builder<'p, 'a> {
    fn new(problem: &'p Problem<'a>) -> Self {
        let members = &problem.members;
        let mut by_id: Vec<usize> = (0..members.len()).collect();
        sorted::sort_by(&mut by_id, |a, b| {
            let id = |index: &usize| members.get(*index).map_or("", |member| member.id);
            order::compare(id(a), id(b))
        });
        let mut rank = vec![0; members.len()];
        for (place, member) in by_id.into_iter().enumerate() {
            rank[member] = place;
        }
        let subscribers: SortedMap<&str, Vec<usize>> = problem
            .topics
            .keys()
            .map(|topic| {
                let interested = |index: &usize| members[*index].topics.contains(topic);
                (*topic, (0..members.len()).filter(interested).collect())
            })
            .collect();
        let mut topics: Vec<&str> = problem.topics.keys().copied().collect();
        sorted::sort_by_key(&mut topics, |topic| subscribers.get(topic).map(Vec::len));
        let partitions = topics
            .into_iter()
            .flat_map(|topic| {
                let count = problem.topics.get(topic).copied().unwrap_or(0);
                (0..count).map(move |partition| (topic, partition))
            })
            .collect();
        Self {
            problem,
            rank,
            subscribers,
            partitions,
            assigned: vec![Vec::new(); members.len()],
            owner: SortedMap::new(),
            by_load: SortedSet::new(),
            former: former_owners(problem),
            movements: Movements::default(),
            revoked: false,
        }
    }

    /// Lets everyone keep what it owned, unless it no longer subscribes to the topic.
    fn keep_owned(&mut self) {
        for (index, member) in self.problem.members.iter().enumerate() {
            for TopicPartition { topic, partition } in &member.owned {
                match member.topics.get(topic.as_str()) {
                    Some(topic) => {
                        self.assigned[index].push((topic, *partition));
                        self.owner.insert((topic, *partition), index);
                    }
                    None => self.revoked = true,
                }
            }
        }
        for index in 0..self.assigned.len() {
            self.by_load.insert(self.load(index));
        }
    }

    fn balance(&mut self) {
        let initializing = self.assigned.iter().all(Vec::is_empty);
        let mut unassigned: Vec<Part<'a>> = self.partitions.clone();
        unassigned.retain(|partition| !self.owner.contains_key(partition));
        for partition in &unassigned {
            if let Some(member) = self.least_loaded(partition.0) {
                self.place(*partition, member);
            }
        }

        // From here on only what can move takes part.
        let mut all = self.partitions.clone();
        unassigned.retain(|(topic, _)| self.is_shared(topic));
        all.retain(|(topic, _)| self.is_shared(topic));
        for index in 0..self.assigned.len() {
            if !self.takes_part(index) {
                self.by_load.remove(&self.load(index));
            }
        }

        let before = (self.assigned.clone(), self.owner.clone());
        if !self.revoked {
            // New partitions are moved before old ones.
            self.move_what_helps(&unassigned);
        }
        let moved = self.move_what_helps(&all);
        if !initializing && moved && self.imbalance(&self.assigned) >= self.imbalance(&before.0) {
            (self.assigned, self.owner) = before;
        }
    }

    /// Moves partitions to members with less, round after round, until none moves or there is
    /// balance. Returns whether any moved.
    fn move_what_helps(&mut self, partitions: &[Part<'a>]) -> bool {
        let mut any = false;
        loop {
            let mut moved = false;
            for partition @ (topic, _) in partitions {
                if self.is_balanced() {
                    break;
                }
                let Some(owner) = self.owner.get(partition).copied() else {
                    continue;
                };
                let too_many = |other: usize| self.count(owner) > self.count(other) + 1;
                let former = self.former.get(partition).copied();
                let to = match former.filter(|former| {
                    self.by_load.contains(&self.load(*former))
                        && self.subscribes(*former, topic)
                        && too_many(*former)
                }) {
                    Some(former) => Some(former),
                    None => self
                        .subscribers
                        .get(topic)
                        .is_some_and(|subscribers| subscribers.iter().any(|o| too_many(*o)))
                        .then(|| self.least_loaded(topic))
                        .flatten(),
                };
                if let Some(to) = to {
                    let instead = self.movements.instead_of(*partition, owner, to);
                    self.place(instead, to);
                    moved = true;
                }
            }
            any |= moved;
            if !moved {
                return any;
            }
        }
    }

    /// Gives a partition to a member, taking it from its owner if it has one.
    fn place(&mut self, partition: Part<'a>, to: usize) {
        let from = self.owner.insert(partition, to);
        self.by_load.remove(&self.load(to));
        if let Some(from) = from {
            self.by_load.remove(&self.load(from));
            self.movements.note(partition, from, to);
            self.assigned[from].retain(|other| *other != partition);
            self.by_load.insert(self.load(from));
        }
        self.assigned[to].push(partition);
        self.by_load.insert(self.load(to));
    }

    /// Who has least among those that subscribe to the topic and take part.
    fn least_loaded(&self, topic: &str) -> Option<usize> {
        self.by_load
            .iter()
            .map(|(_, _, member)| *member)
            .find(|member| self.subscribes(*member, topic))
    }

    /// Whether no single move makes the loads more equal.
    fn is_balanced(&self) -> bool {
        let (Some((least, ..)), Some((most, ..))) = (self.by_load.first(), self.by_load.last())
        else {
            return true;
        };
        if *least + 1 >= *most {
            return true;
        }
        // The largest load among each topic's owners: a subscriber with two fewer could take one.
        let mut largest: SortedMap<&str, usize> = SortedMap::new();
        for ((topic, _), owner) in &self.owner {
            let largest = largest.entry(topic).or_default();
            *largest = self.count(*owner).max(*largest);
        }
        self.by_load.iter().all(|(count, _, member)| {
            let topics = &self.problem.members[*member].topics;
            topics
                .iter()
                .filter_map(|topic| largest.get(topic))
                .all(|largest| count + 1 >= *largest)
        })
    }

    /// Whether a member could get or lose anything.
    fn takes_part(&self, member: usize) -> bool {
        let possible: usize = self.problem.members[member]
            .topics
            .iter()
            .filter_map(|topic| self.problem.topics.get(topic))
            .map(|count| usize::try_from(*count).unwrap_or(0))
            .sum();
        self.count(member) < possible
            || self.assigned[member]
                .iter()
                .any(|(topic, _)| self.is_shared(topic))
    }

    /// The sum of all pairs' differences: 0 when everyone has the same.
    fn imbalance(&self, assigned: &[Vec<Part<'a>>]) -> usize {
        // Only those that take part: the others are the same before and after.
        let counts: Vec<usize> = self
            .by_load
            .iter()
            .filter_map(|(_, _, member)| assigned.get(*member).map(Vec::len))
            .collect();
        counts
            .iter()
            .enumerate()
            .map(|(index, a)| {
                counts[..index]
                    .iter()
                    .map(|b| a.abs_diff(*b))
                    .sum::<usize>()
            })
            .sum()
    }

    fn is_shared(&self, topic: &str) -> bool {
        self.subscribers.get(topic).is_some_and(|s| s.len() > 1)
    }

    fn subscribes(&self, member: usize, topic: &str) -> bool {
        self.problem.members[member].topics.contains(topic)
    }

    fn count(&self, member: usize) -> usize {
        self.assigned[member].len()
    }

    fn load(&self, member: usize) -> (usize, usize, usize) {
        (self.count(member), self.rank[member], member)
    }
}

/// For each partition the newest claim that is older than the newest generation.
fn former_owners<'a>(problem: &Problem<'a>) -> SortedMap<Part<'a>, usize> {
    let mut former: SortedMap<Part<'a>, (i32, usize)> = SortedMap::new();
    for (index, member) in problem.members.iter().enumerate() {
        let generation = member.claim.generation.unwrap_or(super::NO_GENERATION);
        if generation >= problem.max_generation {
            continue;
        }
        for TopicPartition { topic, partition } in &member.claim.partitions {
            let Some((topic, _)) = problem.topics.get_key_value(topic.as_str()) else {
                continue;
            };
            let newer = former
                .get(&(*topic, *partition))
                .is_none_or(|(known, _)| generation > *known);
            if newer {
                former.insert((topic, *partition), (generation, index));
            }
        }
    }
    former
        .into_iter()
        .map(|(partition, (_, member))| (partition, member))
        .collect()
}
