//! The group: who was in which generation, who owned what, which offsets are committed.
//!
//! A request is judged when its response leaves. It was handled at some moment between its arrival
//! and then; it was right if it was so at one of them.

use std::collections::{BTreeMap, BTreeSet};

use partita_core::broker::GroupView;
use partita_core::protocol::ErrorCode;
use partita_core::protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchResponse,
};
use partita_core::types::{TopicPartition, Uuid};

use super::{GROUP, Place, TOPIC};

/// The group at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    generation: i32,
    state: String,
    members: BTreeSet<String>,
    /// What the present generation's members were told to have.
    assigned: BTreeSet<Place>,
    /// The member that was told to have it last, for each partition.
    owners: BTreeMap<Place, String>,
}

/// What is known of the group.
#[derive(Debug, Default)]
pub(in crate::sim) struct Group {
    /// Whether a member gives partitions up before another gets them.
    cooperative: bool,
    /// How many partitions [`TOPIC`] has at least.
    partitions: i32,
    /// The newest generation that was stable.
    generation: i32,
    /// What was seen, and after which step.
    seen: Vec<(u64, Seen)>,
    /// The newest durable offset of each partition, by step.
    offsets: BTreeMap<Place, Vec<(u64, Option<i64>)>>,
    /// Where its record is, in the group's log.
    records: BTreeMap<Place, i64>,
    /// Every offset that some member tried to commit, in order.
    attempted: BTreeMap<Place, Vec<i64>>,
    /// The attempt behind which no commit may be lost: one that was answered or seen durable.
    kept: BTreeMap<Place, usize>,
    /// Who was told to own what, by generation.
    told: BTreeMap<i32, BTreeMap<TopicPartition, String>>,
}

impl Group {
    pub(super) fn new(cooperative: bool, partitions: i32) -> Self {
        Self {
            cooperative,
            partitions,
            ..Self::default()
        }
    }

    /// A member was told its partitions. `who` is its instance id if it has one: that stays when
    /// its process is another.
    pub(in crate::sim) fn joined(
        &mut self,
        generation: i32,
        who: &str,
        assigned: &[TopicPartition],
    ) {
        let owners = self.told.entry(generation).or_default();
        for partition in assigned {
            let before = owners.insert(partition.clone(), who.to_owned());
            assert!(
                before.as_deref().is_none_or(|other| other == who),
                "{partition} belongs to {before:?} and to {who} in generation {generation}"
            );
        }
    }

    /// The broker says how the group is.
    pub(super) fn observed(&mut self, step: u64, view: GroupView) {
        let before = self.seen.last().map(|(_, seen)| seen);
        let mut owners = before.map(|seen| seen.owners.clone()).unwrap_or_default();
        let mut now: BTreeMap<Place, String> = BTreeMap::new();
        for member in &view.members {
            for place in &member.assigned {
                let other = now.insert(place.clone(), member.member_id.clone());
                assert!(other.is_none(), "{place:?} has two owners in {view:?}");
            }
        }
        if view.state == "Stable" {
            self.check_stable(&view, &now, &owners);
        }
        let assigned = now.keys().cloned().collect();
        if view.state == "Stable" || view.state == "PreparingRebalance" {
            owners.extend(now);
        }
        // A generation is written when it is stable; one that never was can come again.
        assert!(
            self.generation <= view.generation,
            "the generation went back: {} to {view:?}",
            self.generation
        );
        if view.state == "Stable" {
            self.generation = view.generation;
        }
        let seen = Seen {
            generation: view.generation,
            state: view.state,
            members: view.members.into_iter().map(|it| it.member_id).collect(),
            assigned,
            owners,
        };
        if before != Some(&seen) {
            self.seen.push((step, seen));
        }
    }

    /// Whether nothing of the group was ever durable.
    pub(super) fn never_was(&self) -> bool {
        let stable = self.seen.iter().any(|(_, seen)| seen.state == "Stable");
        !stable && self.offsets.is_empty()
    }

    /// In a stable group every partition has an owner. Only one that its last owner is about to give
    /// up in the cooperative way has none (if it is a static member, perhaps for longer: who takes
    /// its place knows nothing of it), and topics that the leader did not know yet.
    fn check_stable(
        &self,
        view: &GroupView,
        now: &BTreeMap<Place, String>,
        before: &BTreeMap<Place, String>,
    ) {
        if !now.keys().any(|(topic, _)| topic == TOPIC) {
            return;
        }
        for partition in 0..self.partitions {
            let place = (TOPIC.to_owned(), partition);
            let owner = before.get(&place);
            let leaving = view.members.iter().any(|member| {
                member.group_instance_id.is_some() || Some(&member.member_id) == owner
            });
            assert!(
                now.contains_key(&place) || (self.cooperative && leaving),
                "{place:?} has no owner in {view:?}, before: {before:?}"
            );
        }
    }

    /// What was so at some moment from the step in which a request came.
    fn since(&self, step: u64) -> impl Iterator<Item = &Seen> {
        let first = self.seen.partition_point(|(at, _)| *at < step);
        let from = self.seen.get(first.saturating_sub(1)..).unwrap_or_default();
        from.iter().map(|(_, seen)| seen)
    }

    /// OffsetCommit was answered: what was accepted came from a member of the generation that has
    /// the partition.
    pub(super) fn committed(
        &self,
        asked: u64,
        now: u64,
        request: &OffsetCommitRequest,
        response: &OffsetCommitResponse,
        names: &BTreeMap<Uuid, String>,
    ) {
        if request.group_id != GROUP {
            return;
        }
        let (member, generation) = (&request.member_id, request.generation_id_or_member_epoch);
        let who = request.group_instance_id.as_ref().unwrap_or(member);
        for topic in &response.topics {
            let name = match topic.topic_id.is_zero() {
                true => Some(&topic.name),
                false => names.get(&topic.topic_id),
            };
            for partition in &topic.partitions {
                if partition.error_code.is_error() {
                    continue;
                }
                let name = name.expect("a commit was accepted for a topic that never was");
                let place = (name.clone(), partition.partition_index);
                // A group that was stable for a moment only is seen when it is no longer: what its
                // members were told stays.
                let told = self.told.get(&generation).and_then(|owners| {
                    owners.get(&TopicPartition::new(
                        name.clone(),
                        partition.partition_index,
                    ))
                });
                let right = |seen: &Seen| {
                    seen.generation == generation
                        && seen.members.contains(member)
                        && (seen.owners.get(&place) == Some(member) || told == Some(who))
                };
                assert!(
                    self.since(asked).any(right),
                    "a commit of {place:?} by {member} in generation {generation} was accepted \
                     between steps {asked} and {now}; the group was {:?}",
                    self.since(asked).collect::<Vec<_>>()
                );
            }
        }
    }

    /// OffsetFetch was answered: with what was durable.
    pub(super) fn offsets_read(
        &self,
        asked: u64,
        now: u64,
        response: &OffsetFetchResponse,
        names: &BTreeMap<Uuid, String>,
    ) {
        let groups = response.groups.iter();
        for group in groups.filter(|it| it.group_id == GROUP && it.error_code.is_none()) {
            for topic in &group.topics {
                let name = match topic.topic_id.is_zero() {
                    true => Some(&topic.name),
                    false => names.get(&topic.topic_id),
                };
                // The other one's commits go with it.
                let Some(name) = name.filter(|name| *name == TOPIC) else {
                    continue;
                };
                for partition in &topic.partitions {
                    if partition.error_code != ErrorCode::NONE {
                        continue;
                    }
                    let place = (name.clone(), partition.partition_index);
                    let read = Some(partition.committed_offset).filter(|it| *it >= 0);
                    let durable = self.durable_since(&place, asked);
                    assert!(
                        durable.contains(&read),
                        "{place:?} was read as {read:?} between steps {asked} and {now}, \
                         durable was {durable:?}"
                    );
                }
            }
        }
    }

    fn durable_since(&self, place: &Place, step: u64) -> Vec<Option<i64>> {
        let all = self.offsets.get(place).map(Vec::as_slice);
        let all = all.unwrap_or_default();
        let first = all.partition_point(|(at, _)| *at < step);
        let before = first.checked_sub(1).and_then(|at| all.get(at));
        let before = before.and_then(|(_, offset)| *offset);
        let after = all.get(first..).unwrap_or_default();
        let after = after.iter().map(|(_, offset)| *offset);
        std::iter::once(before).chain(after).collect()
    }

    /// A member asks for an offset to be committed.
    pub(in crate::sim) fn attempts(&mut self, place: Place, offset: i64) {
        self.attempted.entry(place).or_default().push(offset);
    }

    /// A commit was acknowledged, or seen in the log: later openings must have it, or a later one.
    pub(in crate::sim) fn committed_for_good(&mut self, place: &Place, offset: i64) {
        let attempts = self.attempted.get(place);
        let first = attempts.and_then(|all| all.iter().position(|&it| it == offset));
        let first = first.unwrap_or_else(|| panic!("nobody committed {place:?} {offset}"));
        let kept = self.kept.entry(place.clone()).or_default();
        *kept = first.max(*kept);
    }

    /// The broker says what is committed, and where its record is.
    pub(super) fn durable(&mut self, step: u64, place: Place, offset: Option<i64>, record: i64) {
        match offset {
            Some(offset) => self.committed_for_good(&place, offset),
            None => {
                self.kept.remove(&place);
            }
        }
        let before = self.records.insert(place.clone(), record);
        assert!(
            offset.is_none() || before.is_none_or(|before| before <= record),
            "the commit of {place:?} went back to the record {record}"
        );
        self.offsets.entry(place).or_default().push((step, offset));
    }

    /// The newest durable offset of a partition.
    pub(in crate::sim) fn committed_now(&self, place: &Place) -> Option<i64> {
        self.offsets.get(place)?.last()?.1
    }

    /// The group as it was seen last: generation, state, how many members, and what they have.
    pub(in crate::sim) fn now(&self) -> Option<(i32, &str, usize, &BTreeSet<Place>)> {
        let (_, seen) = self.seen.last()?;
        let members = seen.members.len();
        Some((seen.generation, &seen.state, members, &seen.assigned))
    }

    /// The broker has recovered: what it says now must be what was durable before.
    pub(in crate::sim) fn recovered(&self, commits: &BTreeMap<Place, i64>) {
        for (place, kept) in self.kept.iter().filter(|(place, _)| place.0 == TOPIC) {
            let now = commits.get(place);
            let attempts = self.attempted.get(place);
            let last = attempts
                .zip(now)
                .and_then(|(all, now)| all.iter().rposition(|it| it == now));
            assert!(
                last.is_some_and(|last| last >= *kept),
                "{place:?}: the attempt {kept} of {attempts:?} was durable, now {now:?}"
            );
        }
    }
}
