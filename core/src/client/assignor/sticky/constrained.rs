//! All members subscribe to the same topics: everyone gets the same number of partitions, or one
//! more.
//!
//! First each keeps what it owned, up to its quota; as many members as the remainder demands may
//! keep one more. Then the rest goes round, to those below the smaller quota first.

use super::{Assignments, Member, Problem, Transfers};
use crate::client::assignor::order;
use crate::sorted::{self, SortedMap, SortedSet};
use crate::types::TopicPartition;
use std::collections::VecDeque;

pub(super) fn assign(problem: &Problem<'_>) -> (Assignments, Transfers) {
    let mut builder = Builder::new(problem);
    for member in &problem.members {
        builder.keep(member, &problem.contested);
    }
    sorted::sort_by(&mut builder.below_min, |a, b| order::compare(a, b));
    sorted::sort_by(builder.exactly_min.make_contiguous(), |a, b| {
        order::compare(a, b)
    });

    let kept: SortedSet<TopicPartition> = builder.assignments.values().flatten().cloned().collect();
    for (topic, count) in &problem.topics {
        for partition in 0..*count {
            let partition = TopicPartition::new(*topic, partition);
            if !kept.contains(&partition) {
                builder.give_next(partition, &problem.contested);
            }
        }
    }
    (builder.assignments, builder.transfers)
}

struct Builder<'a> {
    assignments: Assignments,
    transfers: Transfers,
    /// What a former owner had to give up, with that owner.
    given_up: SortedMap<TopicPartition, &'a str>,
    /// Every member gets at least so many …
    min: usize,
    /// … and at most so many …
    max: usize,
    /// … which is more than `min` for this number of members.
    over_min_expected: usize,
    over_min: usize,
    /// Members with fewer than `min`, and whose turn it is.
    below_min: Vec<&'a str>,
    turn: usize,
    /// Members with `min` that may still get one more.
    exactly_min: VecDeque<&'a str>,
}

impl<'a> Builder<'a> {
    fn new(problem: &Problem<'a>) -> Self {
        let members = problem.members.len().max(1);
        let total = problem.total_partitions();
        Self {
            assignments: problem
                .members
                .iter()
                .map(|member| (member.id.to_owned(), Vec::new()))
                .collect(),
            transfers: Transfers::new(),
            given_up: SortedMap::new(),
            min: total / members,
            max: total.div_ceil(members),
            over_min_expected: total % members,
            over_min: 0,
            below_min: Vec::new(),
            turn: 0,
            exactly_min: VecDeque::new(),
        }
    }

    /// Lets a member keep what it owned, as far as its quota goes.
    fn keep(&mut self, member: &Member<'a>, contested: &SortedSet<TopicPartition>) {
        let mut owned: Vec<TopicPartition> = member
            .owned
            .iter()
            .filter(|partition| !contested.contains(partition))
            .cloned()
            .collect();
        sorted::sort_by(&mut owned, |a, b| {
            (a.partition, &a.topic).cmp(&(b.partition, &b.topic))
        });
        let quota = if owned.len() < self.min {
            self.below_min.push(member.id);
            owned.len()
        } else if owned.len() >= self.max && self.over_min < self.over_min_expected {
            self.over_min += 1;
            if self.over_min == self.over_min_expected {
                self.exactly_min.clear();
            }
            self.max
        } else {
            if self.over_min < self.over_min_expected {
                self.exactly_min.push_back(member.id);
            }
            self.min
        };
        for partition in owned.split_off(quota.min(owned.len())) {
            self.given_up.insert(partition, member.id);
        }
        if let Some(assigned) = self.assignments.get_mut(member.id) {
            assigned.extend(owned);
        }
    }

    /// Gives a partition that nobody kept to the member whose turn it is.
    fn give_next(&mut self, partition: TopicPartition, contested: &SortedSet<TopicPartition>) {
        if self.turn >= self.below_min.len() {
            self.turn = 0;
        }
        let next = self.below_min.get(self.turn).copied();
        // The quotas add up to the number of partitions, so there is always somebody.
        let Some(member) = next.or_else(|| self.exactly_min.pop_front()) else {
            return;
        };
        let from_another = self
            .given_up
            .get(&partition)
            .is_some_and(|owner| *owner != member);
        if from_another || contested.contains(&partition) {
            self.transfers.insert(partition.clone(), member.to_owned());
        }
        let Some(assigned) = self.assignments.get_mut(member) else {
            return;
        };
        assigned.push(partition);
        if next.is_none() {
            return;
        }
        if assigned.len() == self.min {
            self.below_min.remove(self.turn);
            self.exactly_min.push_back(member);
        } else {
            self.turn += 1;
        }
    }
}
