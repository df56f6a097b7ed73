//! A mirror of the broker, kept by its events.

use partita_core::sorted::SortedMap;

use partita_core::broker::{
    BrokerState, CommitView, Event, GroupView, MemberView, PartitionView, TopicView,
};
use partita_core::types::TopicPartition;

use super::history::History;
use super::rates::{Bars, Level};
use super::said::Said;
use super::traffic::Traffic;

/// A consumer group, and what the page remembers of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// As the broker sees it.
    pub(crate) view: GroupView,
    /// Which colour it has, from 1.
    pub(crate) number: usize,
    /// Its total lag, second by second, with the generations that began.
    pub(crate) lag: History,
    /// When `view` came, in milliseconds of the page's monotonic time: its timers count from there.
    pub(crate) seen_at: u64,
    /// What assistive tools say of it.
    pub(crate) said: Said,
}

/// A committed offset and how far behind it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) offset: i64,
    pub(crate) lag: i64,
}

/// The broker as its events tell it.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) topics: SortedMap<String, TopicView>,
    pub(crate) partitions: SortedMap<TopicPartition, PartitionView>,
    pub(crate) groups: SortedMap<String, Group>,
    /// By group, then partition.
    pub(crate) commits: SortedMap<(String, TopicPartition), CommitView>,
    /// How fast partitions grow.
    pub(crate) rates: SortedMap<TopicPartition, Bars>,
    levels: SortedMap<String, Level>,
    pub(crate) traffic: Traffic,
    /// Why appends are refused, if they are.
    pub(crate) full: Option<String>,
    /// Whether the next event begins a new picture: the broker was away.
    stale: bool,
    groups_seen: usize,
}

impl World {
    /// The broker is gone. What was known stays to be seen until it tells anew.
    pub(crate) fn expect_snapshot(&mut self) {
        self.stale = true;
    }

    /// Takes one event in, at this monotonic time.
    pub(crate) fn apply(&mut self, event: Event, now: u64) {
        if std::mem::take(&mut self.stale) {
            self.topics.clear();
            self.partitions.clear();
            self.commits.clear();
            for group in self.groups.values_mut() {
                group.view.members.clear();
                group.view.state = "Empty".into();
            }
        }
        match event {
            Event::Broker(state) => {
                self.full = match state {
                    BrokerState::StorageFull(why) => Some(why),
                    BrokerState::Recovering | BrokerState::Running | BrokerState::Failed(_) => None,
                };
            }
            Event::Topic(topic) => {
                self.topics.insert(topic.topic.clone(), topic);
            }
            Event::TopicDeleted { topic } => {
                self.topics.remove(&topic);
                self.partitions.retain(|name, _| name.topic != topic);
                self.rates.retain(|name, _| name.topic != topic);
                self.levels.remove(&topic);
            }
            Event::Partition(partition) => {
                let name = TopicPartition::new(partition.topic.clone(), partition.partition);
                let bars = self.rates.entry(name.clone()).or_default();
                bars.reach(now, partition.high_watermark);
                self.partitions.insert(name, partition);
            }
            Event::Group(view) => self.group(view, now),
            Event::GroupDeleted { group } => {
                self.groups.remove(&group);
            }
            Event::Commit(commit) => {
                let partition = TopicPartition::new(commit.topic.clone(), commit.partition);
                self.commits
                    .insert((commit.group.clone(), partition), commit);
            }
            Event::CommitDeleted {
                group,
                topic,
                partition,
            } => {
                self.commits
                    .remove(&(group, TopicPartition::new(topic, partition)));
            }
            Event::Request(request) => self.traffic.push(request),
            Event::RequestsLeftOut(count) => self.traffic.left_out(count),
        }
    }

    fn group(&mut self, view: GroupView, now: u64) {
        match self.groups.get_mut(&view.group) {
            Some(group) => {
                if view.generation > group.view.generation && view.generation > 0 {
                    group.lag.mark(view.generation);
                }
                group.view = view;
                group.seen_at = now;
            }
            None => {
                self.groups_seen = self.groups_seen.wrapping_add(1);
                let group = Group {
                    number: (self.groups_seen.wrapping_sub(1) % 4).wrapping_add(1),
                    lag: History::default(),
                    seen_at: now,
                    said: Said::default(),
                    view,
                };
                self.groups.insert(group.view.group.clone(), group);
            }
        }
    }

    /// A second has passed by this time: notes every group's lag, and how fast topics are.
    pub(crate) fn second(&mut self, now: u64) {
        self.traffic.folded.second();
        for bars in self.rates.values_mut() {
            bars.advance(now);
        }
        let shown = self.shown_partitions();
        let names: Vec<String> = self.visible_topics().map(|it| it.topic.clone()).collect();
        for name in names {
            let fastest = self
                .partitions_of(&name)
                .filter_map(|(it, _)| self.rates.get(it));
            let fastest = fastest.map(Bars::rate).max().unwrap_or(0);
            self.levels.entry(name).or_default().second(shown, fastest);
        }
        let lags: Vec<(String, i64)> = self
            .groups
            .keys()
            .map(|group| (group.clone(), self.total_lag(group)))
            .collect();
        for (name, lag) in lags {
            if let Some(group) = self.groups.get_mut(&name) {
                group.lag.push(lag);
            }
        }
    }

    /// Topics that people made, by name.
    pub(crate) fn visible_topics(&self) -> impl Iterator<Item = &TopicView> {
        self.topics.values().filter(|topic| !topic.internal)
    }

    /// Whether a topic's partitions are shown as rows: there are many, or they are fast.
    pub(crate) fn in_rows(&self, topic: &str) -> bool {
        let level = self.levels.get(topic).copied().unwrap_or_default();
        level.rows(self.shown_partitions())
    }

    /// Whether anything is shown as rows: then the page has much to draw.
    pub(crate) fn is_busy(&self) -> bool {
        self.visible_topics().any(|it| self.in_rows(&it.topic))
    }

    fn shown_partitions(&self) -> usize {
        let topics = self.visible_topics();
        topics.fold(0, |sum, topic| {
            sum.saturating_add(usize::try_from(topic.partitions).unwrap_or(0))
        })
    }

    /// A topic's partitions in order.
    pub(crate) fn partitions_of<'a>(
        &'a self,
        topic: &'a str,
    ) -> impl Iterator<Item = (&'a TopicPartition, &'a PartitionView)> {
        self.partitions
            .range(TopicPartition::new(topic, 0)..)
            .take_while(move |(name, _)| name.topic == topic)
    }

    /// The newest record that consumers may read: that of the longest log.
    pub(crate) fn newest(&self) -> Option<(TopicPartition, i64)> {
        let visible = self.partitions.iter().filter(|(name, _)| {
            let topic = self.topics.get(&name.topic);
            topic.is_some_and(|topic| !topic.internal)
        });
        let (name, view) = visible.max_by_key(|(_, view)| view.high_watermark)?;
        let last = view.high_watermark.saturating_sub(1);
        (last >= view.log_start_offset).then(|| (name.clone(), last))
    }

    /// What a group has committed in a partition.
    pub(crate) fn committed(&self, group: &str, partition: &TopicPartition) -> Option<Committed> {
        let commit = self.commits.get(&(group.to_owned(), partition.clone()))?;
        let end = self
            .partitions
            .get(partition)
            .map_or(commit.offset, |partition| partition.high_watermark);
        Some(Committed {
            offset: commit.offset,
            lag: end.saturating_sub(commit.offset).max(0),
        })
    }

    /// The groups that have committed in a partition or have a member that owns it, by name.
    pub(crate) fn groups_at(&self, partition: &TopicPartition) -> Vec<String> {
        let owns = |group: &Group| {
            let members = &group.view.members;
            members.iter().any(|member| owned(member, partition))
        };
        self.groups
            .iter()
            .filter(|(name, group)| {
                owns(group)
                    || self
                        .commits
                        .contains_key(&((*name).clone(), partition.clone()))
            })
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The lag of a group in all partitions where it has committed.
    pub(crate) fn total_lag(&self, group: &str) -> i64 {
        self.commits
            .keys()
            .filter(|(name, _)| name == group)
            .filter_map(|(name, partition)| self.committed(name, partition))
            .fold(0, |sum, committed| sum.saturating_add(committed.lag))
    }
}

/// Whether a member was assigned that partition in the present generation.
pub(crate) fn owned(member: &MemberView, partition: &TopicPartition) -> bool {
    let is = |(topic, number): &(String, i32)| {
        *topic == partition.topic && *number == partition.partition
    };
    member.assigned.iter().any(is)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn partition(number: i32, high_watermark: i64) -> Event {
        Event::Partition(PartitionView {
            topic: "orders".into(),
            partition: number,
            log_start_offset: 0,
            high_watermark,
            log_end_offset: high_watermark,
            leader_epoch: 0,
            size: 0,
            online: true,
        })
    }

    fn commit(number: i32, offset: i64) -> Event {
        Event::Commit(CommitView {
            group: "billing".into(),
            topic: "orders".into(),
            partition: number,
            offset,
            metadata: String::new(),
            log_partition: 0,
            log_offset: 0,
        })
    }

    fn group(generation: i32) -> Event {
        Event::Group(GroupView {
            group: "billing".into(),
            state: "Stable".into(),
            generation,
            protocol_type: "consumer".into(),
            protocol: "range".into(),
            leader: String::new(),
            rebalance_ends_in: None,
            members: Vec::new(),
        })
    }

    #[test]
    fn lag_is_the_way_from_the_committed_offset_to_the_high_watermark() {
        let mut world = World::default();
        for event in [
            group(1),
            partition(0, 7),
            partition(1, 4),
            commit(0, 5),
            commit(1, 4),
        ] {
            world.apply(event, 0);
        }
        let first = world.committed("billing", &TopicPartition::new("orders", 0));
        assert_eq!(first, Some(Committed { offset: 5, lag: 2 }));
        assert_eq!(world.total_lag("billing"), 2);
        assert_eq!(
            world.groups_at(&TopicPartition::new("orders", 1)),
            ["billing"]
        );
    }

    #[test]
    fn a_new_picture_leaves_nothing_of_the_old_one() {
        let mut world = World::default();
        world.apply(partition(0, 7), 0);
        world.apply(partition(1, 7), 0);
        world.expect_snapshot();
        assert_eq!(
            world.partitions.len(),
            2,
            "what was known stays to be seen while the broker is away"
        );
        world.apply(partition(0, 9), 0);
        assert_eq!(world.partitions.len(), 1);
    }

    #[test]
    fn a_generation_is_marked_in_the_history_of_the_lag() {
        let mut world = World::default();
        world.apply(group(1), 0);
        world.second(0);
        world.apply(group(2), 1_000);
        world.second(0);
        let history = &world.groups.get("billing").unwrap().lag;
        assert_eq!(history.marks().collect::<Vec<_>>(), [(1, 2)]);
    }
}
