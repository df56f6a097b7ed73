//! Watching: what has changed since the last poll, as it is now.
//!
//! The observer notes names of what changed; the views are read when they are polled. So a watcher
//! that polls once per frame gets each partition and group at most once per frame, and one that
//! begins to watch gets everything by the same way: all is marked as changed.

use super::event::{BrokerState, Event, PartitionView, TopicView};
use super::metadata::Topic;
use super::{Broker, Lifecycle};
use crate::types::TopicPartition;

impl Broker {
    /// Begins or ends watching. A new watcher first gets everything as it is.
    pub fn watch(&mut self, on: bool) {
        self.observer.set_watching(on);
        if !on {
            return;
        }
        let topics: Vec<(String, i32)> = self
            .metadata
            .topics()
            .map(|topic| (topic.name.clone(), topic.partitions))
            .collect();
        for (name, partitions) in topics {
            self.observer.topic(&name);
            for partition in 0..partitions {
                self.observer.partition(&name, partition);
            }
        }
        for group in self.all_group_ids() {
            self.observer.group(&group);
        }
        for (group, topic, partition) in self.all_commits() {
            self.observer.commit(&group, &topic, partition);
        }
    }

    /// The next thing a watcher should know; `None` until something changes.
    pub fn poll_event(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.observer.state_changed) {
            return Some(Event::Broker(self.state_view()));
        }
        // While it opens, or after it failed to, logs do not have their leader epochs: nothing of
        // them is told.
        if self.lifecycle != Lifecycle::Running {
            return None;
        }
        if let Some(name) = self.observer.topics.pop_first() {
            return Some(match self.metadata.topic_by_name(&name) {
                Some(topic) => Event::Topic(topic_view(topic)),
                None => Event::TopicDeleted { topic: name },
            });
        }
        while let Some(changed) = self.observer.partitions.pop_first() {
            if let Some(view) = self.partition_view(&changed) {
                return Some(Event::Partition(view));
            }
        }
        if let Some(group) = self.observer.groups.pop_first() {
            return Some(match self.group_view(&group) {
                Some(view) => Event::Group(view),
                None => Event::GroupDeleted { group },
            });
        }
        if let Some((group, topic, partition)) = self.observer.commits.pop_first() {
            return Some(match self.commit_view(&group, &topic, partition) {
                Some(view) => Event::Commit(view),
                None => Event::CommitDeleted {
                    group,
                    topic,
                    partition,
                },
            });
        }
        if self.observer.requests_left_out > 0 {
            return Some(Event::RequestsLeftOut(std::mem::take(
                &mut self.observer.requests_left_out,
            )));
        }
        self.observer.requests.pop_front().map(Event::Request)
    }

    fn state_view(&self) -> BrokerState {
        match &self.lifecycle {
            Lifecycle::Recovering => BrokerState::Recovering,
            Lifecycle::Failed(why) => BrokerState::Failed(why.clone()),
            Lifecycle::Running => match self.logs.storage_full() {
                Some(why) => BrokerState::StorageFull(why.to_owned()),
                None => BrokerState::Running,
            },
        }
    }

    fn partition_view(&self, changed: &TopicPartition) -> Option<PartitionView> {
        let topic = self.metadata.topic_by_name(&changed.topic)?;
        let log = self.logs.get(topic.log(changed.partition)?)?;
        Some(PartitionView {
            topic: changed.topic.clone(),
            partition: changed.partition,
            log_start_offset: log.log_start_offset(),
            high_watermark: log.high_watermark(),
            log_end_offset: log.log_end_offset(),
            leader_epoch: log.leader_epoch(),
            size: log.size(),
            online: log.is_online(),
        })
    }
}

fn topic_view(topic: &Topic) -> TopicView {
    TopicView {
        topic: topic.name.clone(),
        id: topic.id.to_string(),
        internal: topic.internal,
        partitions: topic.partitions,
        configs: topic.overrides.clone().into_iter().collect(),
    }
}
