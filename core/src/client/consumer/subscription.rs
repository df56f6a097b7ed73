//! Which topics a consumer wants, and where it starts in them.

use crate::sorted::SortedSet;
use std::fmt;

use super::config::OffsetReset;
use crate::client::cluster::Metadata;

/// A place in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekTo {
    /// This offset.
    Offset(i64),
    /// The first record that is there.
    Beginning,
    /// After the last one.
    End,
    /// The first record of this time or later, in milliseconds since the epoch; the end if there
    /// is none.
    Timestamp(i64),
    /// Where the topic's reset policy points.
    Default,
}

/// A topic to subscribe to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSubscription {
    /// Its name.
    pub topic: String,
    /// Where to start where nothing is committed; `None` for the consumer's own default.
    pub reset: Option<OffsetReset>,
}

impl TopicSubscription {
    /// A topic with the consumer's default start.
    pub fn new(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            reset: None,
        }
    }
}

/// Topics by a rule of the host.
struct Pattern {
    matches: Box<dyn Fn(&str) -> bool>,
    reset: Option<OffsetReset>,
    matched: SortedSet<String>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern")
            .field("reset", &self.reset)
            .field("matched", &self.matched)
            .finish_non_exhaustive()
    }
}

/// What a consumer wants.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    named: Vec<TopicSubscription>,
    pattern: Option<Pattern>,
    /// Whether partitions are assigned by hand instead.
    pub(super) by_hand: bool,
}

impl Subscription {
    /// Adds topics; of one that is there already, the later start counts.
    pub(super) fn add(&mut self, topics: &[TopicSubscription]) {
        for topic in topics {
            match self.named.iter_mut().find(|old| old.topic == topic.topic) {
                Some(old) => old.reset = topic.reset,
                None => self.named.push(topic.clone()),
            }
        }
    }

    /// Sets a rule, instead of the one before.
    pub(super) fn set_pattern(
        &mut self,
        matches: Box<dyn Fn(&str) -> bool>,
        reset: Option<OffsetReset>,
    ) {
        self.pattern = Some(Pattern {
            matches,
            reset,
            matched: SortedSet::new(),
        });
    }

    pub(super) fn has_pattern(&self) -> bool {
        self.pattern.is_some()
    }

    /// Looks at all topics again. The cluster's own never match.
    pub(super) fn match_topics(&mut self, metadata: &Metadata) {
        let Some(pattern) = &mut self.pattern else {
            return;
        };
        let visible = metadata.topics().filter(|(_, topic)| !topic.internal);
        let matched = visible.filter(|(name, _)| (pattern.matches)(name));
        pattern.matched = matched.map(|(name, _)| name.to_owned()).collect();
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The topics named, in the order of naming; then those that match.
    pub(super) fn topics(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.named.iter().map(|it| it.topic.clone()).collect();
        if let Some(pattern) = &self.pattern {
            let others = pattern.matched.iter().filter(|name| !self.names(name));
            topics.extend(others.cloned());
        }
        topics
    }

    pub(super) fn wants(&self, topic: &str) -> bool {
        let matched = |pattern: &Pattern| pattern.matched.contains(topic);
        self.names(topic) || self.pattern.as_ref().is_some_and(matched)
    }

    /// Where to start in a topic where nothing is committed, if the subscription says so.
    pub(super) fn reset(&self, topic: &str) -> Option<OffsetReset> {
        match self.named.iter().find(|named| named.topic == topic) {
            Some(named) => named.reset,
            None => self.pattern.as_ref().and_then(|pattern| pattern.reset),
        }
    }

    /// The topics that were named.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|it| it.topic.as_str())
    }

    fn names(&self, topic: &str) -> bool {
        self.named().any(|named| named == topic)
    }
}
