//! What people choose for their producers and consumers, kept over a reload.

use serde::{Deserialize, Serialize};

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
    fn names_of_topics() {
        assert_eq!(topic_name_problem("orders.eu_1-x"), None);
        for bad in ["", ".", "..", "a b", "größe", &"x".repeat(250)] {
            assert!(topic_name_problem(bad).is_some(), "{bad}");
        }
    }
}
