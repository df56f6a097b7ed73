//! Where we answer otherwise than Kafka, and why.

use std::ops::RangeInclusive;

/// A deliberate difference in the answers to a question.
pub(super) struct Difference {
    pub(super) suite: &'static str,
    /// The question. With a `*`, which stands for anything, it is about those questions in whose
    /// answers Kafka says `kafka`.
    pub(super) what: &'static str,
    pub(super) versions: RangeInclusive<i16>,
    /// What Kafka says.
    pub(super) kafka: &'static str,
    /// What we say.
    pub(super) ours: Ours,
    /// Why; read here, and in COMPATIBILITY.md where a user can notice.
    pub(super) why: &'static str,
}

/// How our answer differs.
pub(super) enum Ours {
    /// This is all of it.
    All(&'static str),
    /// This stands where Kafka says otherwise.
    Part(&'static str),
}

pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        suite: "produce",
        what: "transaction of nobody",
        versions: 3..=13,
        kafka: "NOT_ENOUGH_REPLICAS(19)",
        ours: Ours::Part("INVALID_TXN_STATE(48)"),
        why: "there are no transactions yet; Kafka says that their coordinator is not there yet",
    },
    Difference {
        suite: "produce",
        what: "transaction of nobody",
        versions: 8..=13,
        kafka: r#"Some("Unable to verify the partition has been added to the transaction. Underlying error: COORDINATOR_NOT_AVAILABLE")"#,
        ours: Ours::Part("None"),
        why: "the same",
    },
    Difference {
        suite: "produce",
        what: "claimed append time with a topic's",
        versions: 8..=13,
        kafka: "DefaultRecord(offset=0, timestamp=1700000000000, key=0 bytes, value=1 bytes)",
        ours: Ours::Part("0"),
        why: "the words of a Java class",
    },
    Difference {
        suite: "batches",
        what: "*",
        versions: 11..=11,
        kafka: "PartialDefaultRecord",
        ours: Ours::Part("DefaultRecord"),
        why: "the words of a Java class",
    },
    Difference {
        suite: "batches",
        what: "*",
        versions: 11..=11,
        kafka: "DefaultRecord(offset=0, timestamp=1700000000001, key=1 bytes, value=1 bytes)",
        ours: Ours::Part("0"),
        why: "the same",
    },
    Difference {
        suite: "batches",
        what: "*",
        versions: 11..=11,
        kafka: "DefaultRecord(offset=1, timestamp=1700000000001, key=1 bytes, value=1 bytes)",
        ours: Ours::Part("1"),
        why: "the same",
    },
    Difference {
        suite: "batches",
        what: "*, producer -2, to gzip",
        versions: 11..=11,
        kafka: "UNKNOWN_SERVER_ERROR(-1)",
        ours: Ours::All(WRITTEN_ANEW),
        why: "such a producer is none, here as there; Kafka stumbles over it when it writes the batch anew",
    },
    Difference {
        suite: "batches",
        what: "none, a record of a length without end, to *",
        versions: 11..=11,
        kafka: "UNKNOWN_SERVER_ERROR(-1)",
        ours: Ours::Part("INVALID_RECORD(87)"),
        why: "a malformed record like any other",
    },
    Difference {
        suite: "batches",
        what: "none, a record at * offset, to *",
        versions: 11..=11,
        kafka: "[0..0 epoch 0 attributes 0 ",
        ours: Ours::All(INVALID),
        why: "Kafka stores offsets that are not the records' own; consumers would be told those",
    },
    Difference {
        suite: "batches",
        what: "none, a record at * offset, to stamped",
        versions: 11..=11,
        kafka: "[0..0 epoch 0 attributes 8 ",
        ours: Ours::All(INVALID),
        why: "the same",
    },
    Difference {
        suite: "batches",
        what: "*, a record at * offset, to *",
        versions: 11..=11,
        kafka: "UNKNOWN_SERVER_ERROR(-1)",
        ours: Ours::Part("INVALID_RECORD(87)"),
        why: "the error that says what is wrong",
    },
    Difference {
        suite: "batches",
        what: "*, a record one byte * than it is, to *",
        versions: 11..=11,
        kafka: "NONE(0)",
        ours: Ours::All(INVALID),
        why: "of compressed records Kafka checks less than of others, and stores what nobody can read",
    },
    Difference {
        suite: "batches",
        what: "*, a record of negative length, to *",
        versions: 11..=11,
        kafka: "NONE(0)",
        ours: Ours::All(INVALID),
        why: "the same",
    },
    Difference {
        suite: "batches",
        what: "*, a record of the largest length, to *",
        versions: 11..=11,
        kafka: "NONE(0)",
        ours: Ours::All(INVALID),
        why: "the same",
    },
    Difference {
        suite: "fetch",
        what: "all with zstd",
        versions: 4..=9,
        kafka: "",
        ours: Ours::All(UNREADABLE_PLAIN),
        why: "a client that cannot know zstd gets an error, as KIP-110 has it, not bytes that it cannot read",
    },
    Difference {
        suite: "fetch",
        what: "zstd by config",
        versions: 4..=9,
        kafka: "",
        ours: Ours::All(UNREADABLE_ZSTD),
        why: "the same",
    },
    Difference {
        suite: "sessions",
        what: "gone*",
        versions: 13..=18,
        kafka: "UNKNOWN_TOPIC_OR_PARTITION(3)",
        ours: Ours::Part("UNKNOWN_TOPIC_ID(100)"),
        why: "an id that no topic has any more is unknown, to a session as to anybody; Kafka's sessions remember its name",
    },
    Difference {
        suite: "sessions",
        what: "made again*",
        versions: 13..=18,
        kafka: "INCONSISTENT_TOPIC_ID(103), high_watermark: -1, last_stable_offset: -1, log_start_offset: -1, aborted_transactions: None",
        ours: Ours::Part(
            "UNKNOWN_TOPIC_ID(100), high_watermark: -1, last_stable_offset: -1, log_start_offset: -1, aborted_transactions: Some([])",
        ),
        why: "the same",
    },
    Difference {
        suite: "list_offsets",
        what: "list -3 after deletion *",
        versions: 11..=11,
        kafka: "timestamp: 1700000009000, offset: 22, leader_epoch: 0",
        ours: Ours::Part("timestamp: -1, offset: -1, leader_epoch: -1"),
        why: "a record below the log start is not the one with the largest timestamp: nobody can read it",
    },
    Difference {
        suite: "topics",
        what: "*",
        versions: 5..=7,
        kafka: r#"{ name: "min.insync.replicas", value: Some("1"), read_only: false, config_source: 3,"#,
        ours: Ours::Part(
            r#"{ name: "min.insync.replicas", value: Some("1"), read_only: false, config_source: 5,"#,
        ),
        why: "Kafka sets this for all its brokers when eligible leader replicas are on",
    },
    Difference {
        suite: "topics",
        what: "* within * ms",
        versions: 2..=7,
        kafka: "REQUEST_TIMED_OUT(7)",
        ours: Ours::Part("NONE(0)"),
        why: "what can be done at once is done, whatever the time limit",
    },
    Difference {
        suite: "topics",
        what: "check grow to 10,001",
        versions: 0..=3,
        kafka: "NONE(0), error_message: None",
        ours: Ours::Part(
            r#"POLICY_VIOLATION(44), error_message: Some("Excessively large number of partitions per request.")"#,
        ),
        why: "a topic has at most 10,000 partitions: each takes memory",
    },
    Difference {
        suite: "configs",
        what: "*",
        versions: 1..=4,
        kafka: r#"config_source: 3, is_sensitive: false, synonyms: [{ name: "min.insync.replicas", value: Some("1"), source: 3 }, "#,
        ours: Ours::Part("config_source: 5, is_sensitive: false, synonyms: ["),
        why: "Kafka sets this for all its brokers when eligible leader replicas are on",
    },
    Difference {
        suite: "configs",
        what: "describe broker",
        versions: 1..=4,
        kafka: r#"config_source: 4, is_sensitive: false, synonyms: [{ name: "group.initial.rebalance.delay.ms", value: Some("0"), source: 4 }, { name: "group.initial.rebalance.delay.ms", value: Some("3000"), source: 5 }]"#,
        ours: Ours::Part(
            r#"config_source: 5, is_sensitive: false, synonyms: [{ name: "group.initial.rebalance.delay.ms", value: Some("0"), source: 5 }]"#,
        ),
        why: "0 is our default, and what the recorded Kafka was started with",
    },
    Difference {
        suite: "configs",
        what: r#"check broker *, 0 unheard.of Some("1")"#,
        versions: 1..=1,
        kafka: "NONE(0), error_message: None",
        ours: Ours::Part(
            r#"INVALID_CONFIG(40), error_message: Some("Unknown broker config name: unheard.of")"#,
        ),
        why: "a name that is unknown is a mistake; Kafka's brokers keep it for plug-ins",
    },
    Difference {
        suite: "configs",
        what: r#"check broker *, 0  Some("1")"#,
        versions: 1..=1,
        kafka: "NONE(0), error_message: None",
        ours: Ours::Part(
            r#"INVALID_CONFIG(40), error_message: Some("Unknown broker config name: ")"#,
        ),
        why: "the same",
    },
    Difference {
        suite: "cluster",
        what: "frame Sasl*",
        versions: 0..=0,
        kafka: "0000000700220",
        ours: Ours::All("closed"),
        why: "authentication is not served yet; on a listener without it Kafka answers ILLEGAL_SASL_STATE",
    },
    Difference {
        suite: "cluster",
        what: "supported features",
        versions: 3..=4,
        kafka: "",
        ours: Ours::All("[]"),
        why: "clients choose their behaviour by features: one appears when its behaviour does",
    },
    Difference {
        suite: "cluster",
        what: "finalized features",
        versions: 3..=4,
        kafka: "",
        ours: Ours::All("[]"),
        why: "the same",
    },
    Difference {
        suite: "cluster",
        what: "partitions of no name",
        versions: 0..=0,
        kafka: r#"UNKNOWN_SERVER_ERROR(-1), name: Some(""), topic_id: no id, is_internal: false, partitions: [], topic_authorized_operations: -2147483648"#,
        ours: Ours::Part(
            r#"INVALID_TOPIC_EXCEPTION(17), name: Some(""), topic_id: no id, is_internal: false, partitions: [], topic_authorized_operations: 3576"#,
        ),
        why: "Kafka's broker stumbles over it; we answer as for any other illegal name",
    },
];

const INVALID: &str = "{ index: 0, error_code: INVALID_RECORD(87), base_offset: -1, log_append_time_ms: -1, log_start_offset: 0, record_errors: [], error_message: None, current_leader: { leader_id: -1, leader_epoch: -1 } }";
const WRITTEN_ANEW: &str = r#"{ index: 0, error_code: NONE(0), base_offset: 0, log_append_time_ms: -1, log_start_offset: 0, record_errors: [], error_message: None, current_leader: { leader_id: -1, leader_epoch: -1 } } [0..1 epoch 0 attributes 1 times 1700000000000..1700000000001 0@1700000000000 "a" 1@1700000000001 "b"]"#;
const UNREADABLE_PLAIN: &str = r#"{ error_code: NONE(0), session_id: 0, responses: [{ topic: "plain", topic_id: no id, partitions: [{ partition_index: 0, error_code: UNSUPPORTED_COMPRESSION_TYPE(76), high_watermark: -1, last_stable_offset: -1, log_start_offset: -1, aborted_transactions: None, preferred_read_replica: -1, diverging_epoch: { epoch: -1, end_offset: -1 }, current_leader: { leader_id: -1, leader_epoch: -1 }, snapshot_id: { end_offset: -1, epoch: -1 } }] }], node_endpoints: [] }"#;
const UNREADABLE_ZSTD: &str = r#"{ error_code: NONE(0), session_id: 0, responses: [{ topic: "zstd", topic_id: no id, partitions: [{ partition_index: 0, error_code: UNSUPPORTED_COMPRESSION_TYPE(76), high_watermark: -1, last_stable_offset: -1, log_start_offset: -1, aborted_transactions: None, preferred_read_replica: -1, diverging_epoch: { epoch: -1, end_offset: -1 }, current_leader: { leader_id: -1, leader_epoch: -1 }, snapshot_id: { end_offset: -1, epoch: -1 } }] }], node_endpoints: [] }"#;
