//! Where we answer otherwise than Kafka, and why.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::scribe::Answer;

/// A deliberate difference in the answers to a question.
struct Difference {
    suite: &'static str,
    /// The question, or [`ANY`].
    what: &'static str,
    versions: RangeInclusive<i16>,
    ours: Ours,
    /// Why; read here, and in COMPATIBILITY.md where a user can notice.
    why: &'static str,
}

/// Any question of the suite in whose answer Kafka says so.
const ANY: &str = "*";

/// How our answer differs.
enum Ours {
    /// All of it.
    Is(&'static str),
    /// We say the second where Kafka says the first.
    Says(&'static str, &'static str),
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        suite: "fetch",
        what: "all with zstd",
        versions: 4..=9,
        ours: Ours::Is(UNREADABLE_PLAIN),
        why: "a client that cannot know zstd gets an error, as KIP-110 has it, not bytes that it cannot read",
    },
    Difference {
        suite: "fetch",
        what: "zstd by config",
        versions: 4..=9,
        ours: Ours::Is(UNREADABLE_ZSTD),
        why: "the same",
    },
    Difference {
        suite: "list_offsets",
        what: "list -3 after deletion 0",
        versions: 11..=11,
        ours: NOTHING_LEFT,
        why: "a record below the log start is not the one with the largest timestamp: nobody can read it",
    },
    Difference {
        suite: "list_offsets",
        what: "list -3 after deletion 1",
        versions: 11..=11,
        ours: NOTHING_LEFT,
        why: "the same",
    },
    Difference {
        suite: "list_offsets",
        what: "list -3 after deletion 2",
        versions: 11..=11,
        ours: NOTHING_LEFT,
        why: "the same",
    },
    Difference {
        suite: "topics",
        what: ANY,
        versions: 5..=7,
        ours: Ours::Says(
            r#"{ name: "min.insync.replicas", value: Some("1"), read_only: false, config_source: 3,"#,
            r#"{ name: "min.insync.replicas", value: Some("1"), read_only: false, config_source: 5,"#,
        ),
        why: "Kafka sets this for all its brokers when eligible leader replicas are on",
    },
    Difference {
        suite: "topics",
        what: "check grow to 10,001",
        versions: 0..=3,
        ours: Ours::Says(
            "NONE(0), error_message: None",
            r#"POLICY_VIOLATION(44), error_message: Some("Excessively large number of partitions per request.")"#,
        ),
        why: "a topic has at most 10,000 partitions: each takes memory",
    },
    Difference {
        suite: "cluster",
        what: "supported features",
        versions: 3..=4,
        ours: Ours::Is("[]"),
        why: "clients choose their behaviour by features: one appears when its behaviour does",
    },
    Difference {
        suite: "cluster",
        what: "finalized features",
        versions: 3..=4,
        ours: Ours::Is("[]"),
        why: "the same",
    },
    Difference {
        suite: "cluster",
        what: "partitions of no name",
        versions: 0..=0,
        ours: Ours::Says(
            "UNKNOWN_SERVER_ERROR(-1), name: Some(\"\"), topic_id: no id, is_internal: false, partitions: [], topic_authorized_operations: -2147483648",
            "INVALID_TOPIC_EXCEPTION(17), name: Some(\"\"), topic_id: no id, is_internal: false, partitions: [], topic_authorized_operations: 3576",
        ),
        why: "Kafka's broker stumbles over it; we answer as for any other illegal name",
    },
    Difference {
        suite: "configs",
        what: ANY,
        versions: 1..=4,
        ours: Ours::Says(
            r#"config_source: 3, is_sensitive: false, synonyms: [{ name: "min.insync.replicas", value: Some("1"), source: 3 }, "#,
            "config_source: 5, is_sensitive: false, synonyms: [",
        ),
        why: "the same",
    },
    Difference {
        suite: "configs",
        what: "describe broker",
        versions: 1..=4,
        ours: Ours::Says(
            r#"config_source: 4, is_sensitive: false, synonyms: [{ name: "group.initial.rebalance.delay.ms", value: Some("0"), source: 4 }, { name: "group.initial.rebalance.delay.ms", value: Some("3000"), source: 5 }]"#,
            r#"config_source: 5, is_sensitive: false, synonyms: [{ name: "group.initial.rebalance.delay.ms", value: Some("0"), source: 5 }]"#,
        ),
        why: "0 is our default, and what the recorded Kafka was started with",
    },
    Difference {
        suite: "produce",
        what: "transaction of nobody",
        versions: 3..=13,
        ours: Ours::Says("NOT_ENOUGH_REPLICAS(19)", "INVALID_TXN_STATE(48)"),
        why: "there are no transactions yet; Kafka says that their coordinator is not there yet",
    },
    Difference {
        suite: "produce",
        what: "transaction of nobody",
        versions: 8..=13,
        ours: Ours::Says(UNVERIFIED, "None"),
        why: "the same",
    },
    Difference {
        suite: "produce",
        what: "claimed append time with a topic's",
        versions: 8..=13,
        ours: Ours::Says(
            "DefaultRecord(offset=0, timestamp=1700000000000, key=0 bytes, value=1 bytes)",
            "0",
        ),
        why: "the words of a Java class",
    },
];

const UNREADABLE_PLAIN: &str = r#"{ error_code: NONE(0), session_id: 0, responses: [{ topic: "plain", topic_id: no id, partitions: [{ partition_index: 0, error_code: UNSUPPORTED_COMPRESSION_TYPE(76), high_watermark: -1, last_stable_offset: -1, log_start_offset: -1, aborted_transactions: None, preferred_read_replica: -1, diverging_epoch: { epoch: -1, end_offset: -1 }, current_leader: { leader_id: -1, leader_epoch: -1 }, snapshot_id: { end_offset: -1, epoch: -1 } }] }], node_endpoints: [] }"#;
const UNREADABLE_ZSTD: &str = r#"{ error_code: NONE(0), session_id: 0, responses: [{ topic: "zstd", topic_id: no id, partitions: [{ partition_index: 0, error_code: UNSUPPORTED_COMPRESSION_TYPE(76), high_watermark: -1, last_stable_offset: -1, log_start_offset: -1, aborted_transactions: None, preferred_read_replica: -1, diverging_epoch: { epoch: -1, end_offset: -1 }, current_leader: { leader_id: -1, leader_epoch: -1 }, snapshot_id: { end_offset: -1, epoch: -1 } }] }], node_endpoints: [] }"#;
const UNVERIFIED: &str = r#"Some("Unable to verify the partition has been added to the transaction. Underlying error: COORDINATOR_NOT_AVAILABLE")"#;
const NOTHING_LEFT: Ours = Ours::Says(
    "timestamp: 1700000009000, offset: 22, leader_epoch: 0",
    "timestamp: -1, offset: -1, leader_epoch: -1",
);

impl Difference {
    fn is_about(&self, suite: &str, what: &str, version: i16, answer: &str) -> bool {
        let asked = match &self.ours {
            Ours::Says(kafka, _) if self.what == ANY => answer.contains(kafka),
            Ours::Is(_) | Ours::Says(..) => self.what == what,
        };
        asked && self.suite == suite && self.versions.contains(&version)
    }
}

/// What is wrong with our answers: each that differs from what Kafka answered and is not listed,
/// or is listed and does not differ as listed.
pub(super) fn faults(suite: &str, recorded: &str, ours: &[Answer]) -> Vec<String> {
    faults_but(DIFFERENCES, suite, recorded, ours)
}

fn faults_but(
    differences: &[Difference],
    suite: &str,
    recorded: &str,
    ours: &[Answer],
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut kafka: BTreeMap<String, &str> = BTreeMap::new();
    for line in recorded.lines() {
        let (question, answer) = line.split_once(": ").unwrap();
        kafka.insert(question.to_owned(), answer);
    }
    let mut used = vec![false; differences.len()];
    for Answer {
        what,
        version,
        answer,
    } in ours
    {
        let question = format!("{what} v{version}");
        let Some(kafka) = kafka.remove(&question) else {
            faults.push(format!(
                "{question}\n  was not asked of Kafka: record again"
            ));
            continue;
        };
        let mut expected = kafka.to_owned();
        for (at, difference) in differences.iter().enumerate() {
            if difference.is_about(suite, what, *version, kafka) {
                used[at] = true;
                let differing = match difference.ours {
                    Ours::Is(ours) => ours.to_owned(),
                    Ours::Says(kafka, ours) => expected.replace(kafka, ours),
                };
                if differing == expected {
                    faults.push(format!(
                        "{question}\n  no longer differs ({}): {kafka}",
                        difference.why
                    ));
                }
                expected = differing;
            }
        }
        if expected != *answer {
            let listed = if expected == kafka {
                ""
            } else {
                "\n  (listed)"
            };
            faults.push(format!(
                "{question}\n  expected {expected}{listed}\n  answered {answer}"
            ));
        }
    }
    for question in kafka.keys() {
        faults.push(format!("{question}\n  is not asked any more: record again"));
    }
    for (difference, used) in differences.iter().zip(used) {
        if difference.suite == suite && !used {
            faults.push(format!(
                "{}\n  is listed and was not asked",
                difference.what
            ));
        }
    }
    faults
}

/// The comparison itself: nothing that differs passes unseen.
#[test]
fn only_listed_differences_pass() {
    let answer = |what: &str, answer: &str| Answer {
        what: what.to_owned(),
        version: 1,
        answer: answer.to_owned(),
    };
    let listed = |kafka, ours| Difference {
        suite: "s",
        what: "b",
        versions: 1..=2,
        ours: Ours::Says(kafka, ours),
        why: "test",
    };
    let recorded = "a v1: { x: 1 }\nb v1: { y: 2 }\n";
    let ours = [answer("a", "{ x: 1 }"), answer("b", "{ y: 3 }")];
    let count = |differences: &[Difference], recorded: &str| {
        faults_but(differences, "s", recorded, &ours).len()
    };
    assert_eq!(count(&[listed("y: 2", "y: 3")], recorded), 0);
    assert_eq!(count(&[], recorded), 1, "not listed");
    assert_eq!(
        count(&[listed("y: 2", "y: 4")], recorded),
        1,
        "differs otherwise"
    );
    let same = "a v1: { x: 1 }\nb v1: { y: 3 }\n";
    assert_eq!(
        count(&[listed("y: 2", "y: 3")], same),
        1,
        "is none any more"
    );
    let fewer = "a v1: { x: 1 }\n";
    assert_eq!(count(&[], fewer), 1, "not recorded");
    let more = "a v1: { x: 1 }\nb v1: { y: 3 }\nc v1: {}\n";
    assert_eq!(count(&[], more), 1, "not asked");
    let other = Difference {
        what: "c",
        ..listed("", "")
    };
    assert_eq!(
        count(&[listed("y: 2", "y: 3"), other], recorded),
        1,
        "about nothing"
    );
}

#[test]
fn every_difference_is_about_a_suite() {
    for difference in DIFFERENCES {
        assert!(
            super::SUITES
                .iter()
                .any(|suite| suite.name == difference.suite)
        );
    }
}
