//! What people choose for their producers and consumers, kept over a reload.

use partita_core::sorted::SortedSet;
use serde::{Deserialize, Serialize};

use super::former::Issued;

/// Which keys a steady producer gives its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Keys {
    /// Country codes, in no order.
    Countries,
    /// None: records go to the partitions in turn.
    None,
}

/// The country codes.
pub(crate) const COUNTRIES: [&str; 12] = [
    "de", "in", "fr", "pl", "jp", "us", "mx", "ke", "cl", "br", "se", "kr",
];

/// A producer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProducerSettings {
    /// 1 is called p1.
    pub(crate) number: u32,
    pub(crate) topic: String,
    /// Whether it sends by itself.
    pub(crate) steady: bool,
    /// Records a second, then.
    pub(crate) rate: f64,
    pub(crate) keys: Keys,
    /// −1, 0 or 1.
    pub(crate) acks: i16,
    pub(crate) idempotent: bool,
    /// Whether keyless records stay with a partition for a batch, as the Java client has them.
    pub(crate) sticky: bool,
}

impl ProducerSettings {
    /// A producer that waits for its first record.
    pub(crate) fn new(number: u32, topic: impl Into<String>) -> Self {
        Self {
            number,
            topic: topic.into(),
            steady: false,
            rate: 1.0,
            keys: Keys::Countries,
            acks: -1,
            idempotent: true,
            sticky: false,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("p{}", self.number)
    }
}

/// A consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsumerSettings {
    /// 1 is called c1.
    pub(crate) number: u32,
    pub(crate) group: String,
    pub(crate) topics: Vec<String>,
    /// A regular expression for the names of topics, instead of `topics`.
    #[serde(default)]
    pub(crate) pattern: Option<String>,
    /// The protocol's name: `range`, `roundrobin`, `sticky`, `cooperative-sticky`.
    pub(crate) assignor: String,
    /// Where the group starts where it has no offset: at the first record, or after the last.
    pub(crate) from_beginning: bool,
    /// Whether a person acknowledges.
    pub(crate) manual: bool,
    /// How long each record takes, in milliseconds.
    pub(crate) processing: u64,
}

/// The assignors to choose from.
pub(crate) const ASSIGNORS: [&str; 4] = ["range", "roundrobin", "sticky", "cooperative-sticky"];
/// After so many milliseconds without a heartbeat the broker gives a member up.
/// Kafka's least: a page that is loaded again waits that long for the members it was.
pub(crate) const SESSION_TIMEOUT: u64 = 6_000;

impl ConsumerSettings {
    /// A consumer of one topic that acknowledges by itself.
    pub(crate) fn new(number: u32, group: impl Into<String>, topic: impl Into<String>) -> Self {
        Self {
            number,
            group: group.into(),
            topics: vec![topic.into()],
            pattern: None,
            assignor: "range".into(),
            from_beginning: true,
            manual: false,
            processing: 1_000,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("c{}", self.number)
    }
}

/// All that a page remembers of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Saved {
    pub(crate) producers: Vec<ProducerSettings>,
    pub(crate) consumers: Vec<ConsumerSettings>,
    /// The member ids that they were given.
    pub(crate) members: Vec<Issued>,
}

/// What a page remembers of one of its clients.
pub(crate) trait Settings: Clone + PartialEq {
    fn number(&self) -> u32;
    fn with_number(self, number: u32) -> Self;
}

impl Settings for ProducerSettings {
    fn number(&self) -> u32 {
        self.number
    }

    fn with_number(self, number: u32) -> Self {
        Self { number, ..self }
    }
}

impl Settings for ConsumerSettings {
    fn number(&self) -> u32 {
        self.number
    }

    fn with_number(self, number: u32) -> Self {
        Self { number, ..self }
    }
}

/// The clients of a page that takes over from another tab: what that one saved last, and what was
/// added here since `before`, which both began with. Numbers that are taken are given anew.
pub(crate) fn take_over<S: Settings>(before: &[S], here: &[S], latest: Vec<S>) -> Vec<S> {
    let mut all = latest;
    let knows = |known: &[S], number| known.iter().any(|it| it.number() == number);
    for added in here.iter().filter(|it| !knows(before, it.number())) {
        let number = match knows(&all, added.number()) {
            true => free(all.iter().map(Settings::number)),
            false => added.number(),
        };
        all.push(added.clone().with_number(number));
    }
    all
}

/// The lowest number that is not taken.
pub(crate) fn free(taken: impl Iterator<Item = u32>) -> u32 {
    let taken: SortedSet<u32> = taken.collect();
    let mut number = 1;
    while taken.contains(&number) {
        number = number.saturating_add(1);
    }
    number
}

/// Kafka's rule for names of topics, said to a person.
pub(crate) fn topic_name_problem(name: &str) -> Option<&'static str> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() {
        Some("A topic needs a name.")
    } else if name == "." || name == ".." {
        Some("“.” and “..” are not names.")
    } else if name.len() > 249 {
        Some("A name has 249 characters at most.")
    } else if !name.chars().all(legal) {
        Some("Only letters, digits, dot, underscore and hyphen.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_that_takes_over_goes_on_with_what_the_other_saved_last() {
        let named = |number: u32, group: &str| ConsumerSettings::new(number, group, "orders");
        let before = [named(1, "a"), named(2, "a")];
        let here = [
            named(1, "a"),
            named(2, "a"),
            named(3, "here"),
            named(4, "here"),
        ];
        // There c1 was changed, c2 left and c3 came.
        let latest = vec![named(1, "b"), named(3, "there")];
        assert_eq!(
            take_over(&before, &here, latest),
            [
                named(1, "b"),
                named(3, "there"),
                named(2, "here"),
                named(4, "here")
            ]
        );
    }

    #[test]
    fn the_lowest_free_number() {
        assert_eq!(free([].into_iter()), 1);
        assert_eq!(free([3, 1, 2, 5].into_iter()), 4);
    }

    #[test]
    fn names_of_topics() {
        assert_eq!(topic_name_problem("orders.eu_1-x"), None);
        for bad in ["", ".", "..", "a b", "größe", &"x".repeat(250)] {
            assert!(topic_name_problem(bad).is_some(), "{bad}");
        }
    }
}
