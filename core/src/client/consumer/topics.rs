//! Topics: connecting, subscribing, and noticing when topics come, grow and go.

use super::super::OpId;
use super::super::cluster::{Answer, Target};
use super::super::error::ClientError;
use super::super::retry::{Retry, Verdict};
use super::config::OffsetReset;
use super::event::Rebalance;
use super::group::GroupState;
use super::subscription::TopicSubscription;
use super::{Asked, Consumer, ConsumerEvent};
use crate::protocol::ErrorCode;
use crate::protocol::messages::MetadataRequest;
use crate::sorted::SortedSet;
use crate::time::{Monotonic, Now};
use crate::types::TopicPartition;

/// When a topic that is wanted and not there is looked for again.
const LOOK_AGAIN_MS: u64 = 1_000;

/// A command that waits until something is known of the cluster.
#[derive(Debug)]
struct Wait {
    op: OpId,
    until: Until,
    retry: Retry,
    /// Whether the question is under way; else it is asked at `retry.due()`.
    asked: bool,
}

#[derive(Debug, Clone)]
enum Until {
    /// Any broker has answered.
    Connected,
    /// Something is known of each of these topics.
    Known(Vec<String>),
}

/// How questions about topics stand.
#[derive(Debug, Default)]
pub(super) struct TopicWatch {
    waits: Vec<Wait>,
    /// The failures of late to learn about topics while running.
    trouble: Option<Retry>,
    /// When topics are asked for again, because some are missing or the last attempt has failed.
    again: Option<Monotonic>,
}

impl TopicWatch {
    /// When something is due.
    pub(super) fn due(&self) -> Option<Monotonic> {
        let waits = self.waits.iter().filter(|wait| !wait.asked);
        let waits = waits.map(|wait| wait.retry.due());
        waits.chain(self.again).min()
    }
}

impl Consumer {
    /// Reaches a broker. [`ConsumerEvent::Done`] follows.
    pub fn connect(&mut self, now: Now) -> OpId {
        let now = self.clock(now);
        let op = self.wait(now, Until::Connected);
        self.advance_own(now);
        op
    }

    /// Subscribes to topics, beside those subscribed to already; of one that is, the new start
    /// counts. [`ConsumerEvent::Done`] follows, with an error for a topic that does not exist; it
    /// stays subscribed to all the same, and may be created by that. If the consumer runs, it
    /// rejoins its group.
    ///
    /// # Errors
    /// In [`ConsumerEvent::Done`]: `UNKNOWN_TOPIC_OR_PARTITION`, `INVALID_TOPIC_EXCEPTION`,
    /// connections.
    pub fn subscribe(&mut self, now: Now, topics: &[TopicSubscription]) -> OpId {
        let now = self.clock(now);
        if self.subscription.by_hand {
            return self.refuse("partitions are assigned by hand: unsubscribe first");
        }
        self.subscription.add(topics);
        self.track_topics();
        let names = topics.iter().map(|it| it.topic.clone());
        let op = self.wait(now, Until::Known(names.collect()));
        self.advance_own(now);
        op
    }

    /// Subscribes to all topics that match, now and whenever topics are asked for anew, but for the
    /// cluster's own; instead of those that matched an earlier rule. [`ConsumerEvent::Done`]
    /// follows.
    pub fn subscribe_matching(
        &mut self,
        now: Now,
        matches: Box<dyn Fn(&str) -> bool>,
        reset: Option<OffsetReset>,
    ) -> OpId {
        let now = self.clock(now);
        if self.subscription.by_hand {
            return self.refuse("partitions are assigned by hand: unsubscribe first");
        }
        self.subscription.set_pattern(matches, reset);
        self.subscription.match_topics(self.cluster.metadata());
        self.track_topics();
        let op = self.wait(now, Until::Connected);
        self.advance_own(now);
        op
    }

    /// Ends all subscriptions and assignments by hand. If the consumer runs in a group, it rejoins
    /// without topics.
    pub fn unsubscribe(&mut self, now: Now) {
        let now = self.clock(now);
        if self.subscription.by_hand {
            self.partitions.clear();
        }
        self.subscription.clear();
        self.track_topics();
        self.advance_own(now);
    }

    /// Assigns exactly these partitions, without help of a group. With a group id, positions are
    /// taken from and committed to that group, which must not have members.
    /// [`ConsumerEvent::Done`] follows.
    pub fn assign(&mut self, now: Now, partitions: &[TopicPartition]) -> OpId {
        let now = self.clock(now);
        if !self.subscription.topics().is_empty() || self.subscription.has_pattern() {
            return self.refuse("topics are subscribed to: unsubscribe first");
        }
        self.subscription.by_hand = true;
        let wanted: SortedSet<_> = partitions.iter().cloned().collect();
        for name in self.partitions.names() {
            if !wanted.contains(&name) {
                self.partitions.remove(&name);
            }
        }
        for name in wanted {
            if !self.partitions.contains(&name) {
                self.partitions.insert(name);
            }
        }
        self.track_topics();
        let topics: SortedSet<_> = partitions.iter().map(|it| it.topic.clone()).collect();
        let op = self.wait(now, Until::Known(topics.into_iter().collect()));
        self.advance_own(now);
        op
    }

    /// Asks for the names of all topics. [`ConsumerEvent::Topics`] follows, or
    /// [`ConsumerEvent::Done`] with an error.
    pub fn list_topics(&mut self, now: Now) -> OpId {
        let now = self.clock(now);
        let op = self.new_op();
        let request = MetadataRequest {
            topics: None,
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let token = self.cluster.request(now, Target::Any, request);
        self.asked.insert(token, Asked::Topics(op));
        self.advance_own(now);
        op
    }

    /// Metadata was answered, or has failed.
    pub(super) fn topics_answered(&mut self, op: OpId, result: Result<Answer, ClientError>) {
        let listed = result.and_then(|answer| answer.decode::<MetadataRequest>());
        match listed {
            Ok(response) => {
                let topics = response.topics.into_iter();
                let names = topics.filter(|it| !it.is_internal).filter_map(|it| it.name);
                let names = names.collect();
                self.tell(ConsumerEvent::Topics { op, names });
            }
            Err(error) => self.done(op, Err(error)),
        }
    }

    /// Tells the network layer which topics are of interest.
    pub(super) fn track_topics(&mut self) {
        let mut topics: SortedSet<String> = self.subscription.topics().into_iter().collect();
        topics.extend(self.partitions.iter().map(|(name, _)| name.topic.clone()));
        topics.extend(self.group.watched.iter().flat_map(|it| it.keys().cloned()));
        self.cluster.set_tracked_topics(topics);
        self.cluster
            .track_all_topics(self.subscription.has_pattern());
    }

    fn wait(&mut self, now: Now, until: Until) -> OpId {
        let op = self.new_op();
        let retry = Retry::new(&self.config.retry, &mut self.rng, now.monotonic);
        self.watch.waits.push(Wait {
            op,
            until,
            retry,
            asked: false,
        });
        op
    }

    /// Asks what is to be asked.
    pub(super) fn drive_topics(&mut self, now: Now) {
        let mut waits = std::mem::take(&mut self.watch.waits);
        for wait in &mut waits {
            if wait.asked || wait.retry.due() > now.monotonic {
                continue;
            }
            wait.asked = true;
            match &wait.until {
                Until::Connected => self.cluster.refresh_metadata(now),
                Until::Known(topics) => {
                    let topics = topics.iter().map(String::as_str);
                    self.cluster.track_topics(now, topics);
                }
            }
        }
        self.watch.waits = waits;
        // What is known already needs no answer.
        self.end_waits(now, false);
        if self.watch.again.is_some_and(|at| at <= now.monotonic) {
            self.watch.again = None;
            self.cluster.refresh_metadata(now);
        }
        let rejoins = self.is_running()
            && self.group.state == GroupState::Stable
            && self.group.rejoin.is_none();
        if rejoins && self.subscription.topics() != self.group.joined_topics {
            self.rejoin(now, Rebalance::SubscriptionChanged);
        } else if rejoins && self.group_topics_changed() {
            self.rejoin(now, Rebalance::TopicsChanged);
        }
    }

    /// Topics were answered.
    pub(super) fn metadata_updated(&mut self, now: Now) {
        self.watch.trouble = None;
        self.watch.again = None;
        self.subscription.match_topics(self.cluster.metadata());
        if self.subscription.has_pattern() {
            self.track_topics();
        }
        self.end_waits(now, true);
        self.group_topics_answered(now, false);
        if self.is_running() && self.lacks_topics() {
            let at = now.monotonic.0.saturating_add(LOOK_AGAIN_MS);
            self.watch.again = Some(Monotonic(at));
        }
    }

    /// Whether a topic is missing that may yet come.
    fn lacks_topics(&self) -> bool {
        let metadata = self.cluster.metadata();
        let assigned = self.partitions.iter().map(|(name, _)| name.topic.as_str());
        self.subscription.named().chain(assigned).any(|topic| {
            let error = metadata.topic_error(topic);
            metadata.topic(topic).is_none() && error.is_none_or(ErrorCode::retriable)
        })
    }

    /// Topics could not be asked for.
    pub(super) fn metadata_failed(&mut self, now: Now, error: ClientError) {
        let mut waits = std::mem::take(&mut self.watch.waits);
        waits.retain_mut(|wait| {
            if !wait.asked {
                return true;
            }
            wait.asked = false;
            let config = &self.config.retry;
            let failed = wait
                .retry
                .failed(config, &mut self.rng, now.monotonic, error.clone());
            match failed {
                Verdict::Again(_) => true,
                Verdict::GiveUp(error) => {
                    self.events.push_back(ConsumerEvent::Done {
                        op: wait.op,
                        result: Err(error),
                    });
                    false
                }
            }
        });
        self.watch.waits = waits;
        self.group_topics_answered(now, true);
        if !self.is_running() {
            return;
        }
        let (config, rng) = (&self.config.retry, &mut self.rng);
        let retry = self
            .watch
            .trouble
            .get_or_insert_with(|| Retry::new(config, rng, now.monotonic));
        if retry.due() > now.monotonic {
            // Others asked in between: that does not count.
            self.watch.again = Some(retry.due());
            return;
        }
        match retry.failed(config, rng, now.monotonic, error) {
            Verdict::Again(due) => self.watch.again = Some(due),
            Verdict::GiveUp(error) => {
                self.watch.trouble = None;
                self.crash(now, error);
            }
        }
    }

    /// Ends the waits whose question is answered: by an answer that has just come, or by what was
    /// known before.
    fn end_waits(&mut self, now: Now, answered: bool) {
        let mut waits = std::mem::take(&mut self.watch.waits);
        waits.retain_mut(|wait| {
            let result = match &wait.until {
                Until::Connected => (answered && wait.asked).then_some(Ok(())),
                Until::Known(topics) => self.known(topics, answered && wait.asked),
            };
            let result = match result {
                Some(Err(error)) if error.error_code() == Some(ErrorCode::LEADER_NOT_AVAILABLE) => {
                    wait.asked = false;
                    let config = &self.config.retry;
                    match wait
                        .retry
                        .failed(config, &mut self.rng, now.monotonic, error)
                    {
                        Verdict::Again(_) => None,
                        Verdict::GiveUp(error) => Some(Err(error)),
                    }
                }
                other => other,
            };
            match result {
                None => true,
                Some(result) => {
                    let op = wait.op;
                    self.events.push_back(ConsumerEvent::Done { op, result });
                    false
                }
            }
        });
        // Only what was pushed meanwhile would be here, and nothing is.
        self.watch.waits = waits;
    }

    /// Whether something is known of each of these topics: `None` if not yet.
    fn known(&self, topics: &[String], answered: bool) -> Option<Result<(), ClientError>> {
        let metadata = self.cluster.metadata();
        let mut all = true;
        for topic in topics {
            if metadata.topic(topic).is_some() {
                continue;
            }
            all = false;
            if let Some(code) = metadata.topic_error(topic).filter(|_| answered) {
                return Some(Err(ClientError::protocol_about(code, None, topic)));
            }
        }
        all.then_some(Ok(()))
    }
}
