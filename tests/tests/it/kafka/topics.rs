//! CreateTopics, DeleteTopics and CreatePartitions: topics come, grow and go, and every refusal.

use partita_core::protocol::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use partita_core::protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use partita_core::protocol::messages::delete_topics::DeleteTopicState;
use partita_core::protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
};
use partita_core::types::Uuid;

use super::scribe::Scribe;

pub(super) fn ask(scribe: &mut Scribe) {
    scribe.create("there", 1, &[]);
    scribe.create("with.dot", 1, &[]);
    for version in 2..=7 {
        names(scribe, version);
        counts(scribe, version);
        assignments(scribe, version);
        configs(scribe, version);
        several(scribe, version);
        limits(scribe, version);
    }
    for version in 0..=3 {
        grow(scribe, version);
    }
    for version in 1..=6 {
        delete(scribe, version);
    }
    hurried(scribe);
}

fn topic(name: &str) -> CreatableTopic {
    CreatableTopic {
        name: name.to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    }
}

fn create(topics: Vec<CreatableTopic>, validate_only: bool) -> CreateTopicsRequest {
    CreateTopicsRequest {
        topics,
        timeout_ms: 5_000,
        validate_only,
    }
}

/// Asks to create one topic, and only to check it.
fn ask_both(scribe: &mut Scribe, what: &str, version: i16, topic: &CreatableTopic) {
    let only = create(vec![topic.clone()], true);
    scribe.ask(&format!("check {what}"), version, &only);
    let request = create(vec![topic.clone()], false);
    scribe.ask(&format!("create {what}"), version, &request);
}

fn names(scribe: &mut Scribe, version: i16) {
    let made = scribe.name(&format!("made-{version}"));
    ask_both(scribe, "topic", version, &topic(&made));
    ask_both(scribe, "topic again", version, &topic(&made));
    let there = scribe.name("there");
    ask_both(scribe, "one that is there", version, &topic(&there));
    for name in ["", ".", "..", "a b", "\u{e4}", "a/b", "a,b"] {
        ask_both(scribe, &format!("name {name:?}"), version, &topic(name));
    }
    let colliding = scribe.name("with_dot");
    ask_both(scribe, "colliding name", version, &topic(&colliding));
    for length in [249, 250] {
        let name = scribe.name(&format!("{version}-"));
        let name = format!("{name}{}", "x".repeat(length - name.len()));
        let plain = name.replace(&scribe.name(""), "");
        let told = scribe.call(version, &create(vec![topic(&name)], false));
        let told = told.map(|told| format!("{told:?}").replace(&plain, "long"));
        scribe.note(&format!("create name of {length}"), version, told);
    }
}

fn counts(scribe: &mut Scribe, version: i16) {
    for (partitions, replicas) in [
        (-1, 1),
        (0, 1),
        (-2, 1),
        (3, -1),
        (1, 0),
        (1, -2),
        (1, 2),
        (1, i16::MAX),
        (-1, -1),
        (0, 0),
    ] {
        let what = format!("{partitions} partitions, {replicas} replicas");
        let mut counted =
            topic(&scribe.name(&format!("counted-{version}-{partitions}-{replicas}")));
        counted.num_partitions = partitions;
        counted.replication_factor = replicas;
        ask_both(scribe, &what, version, &counted);
    }
    let mut many = topic(&scribe.name(&format!("many-{version}")));
    many.num_partitions = 10_001;
    scribe.ask(
        "check 10,001 partitions",
        version,
        &create(vec![many], true),
    );
}

/// A partition and its brokers.
type Assigned<'a> = (i32, &'a [i32]);

fn assignments(scribe: &mut Scribe, version: i16) {
    let cases: &[(&str, &[Assigned<'_>])] = &[
        ("one", &[(0, &[1])]),
        ("two", &[(0, &[1]), (1, &[1])]),
        ("gap", &[(0, &[1]), (2, &[1])]),
        ("not from 0", &[(1, &[1])]),
        ("negative", &[(-1, &[1])]),
        ("no broker", &[(0, &[])]),
        ("unknown broker", &[(0, &[7])]),
        ("same broker twice", &[(0, &[1, 1])]),
        ("one and an unknown broker", &[(0, &[1, 7])]),
        ("same partition twice", &[(0, &[1]), (0, &[1])]),
    ];
    for (what, assigned) in cases {
        let mut topic =
            topic(&scribe.name(&format!("assigned-{version}-{}", what.replace(' ', "-"))));
        topic.assignments = assigned
            .iter()
            .map(|(partition_index, broker_ids)| CreatableReplicaAssignment {
                partition_index: *partition_index,
                broker_ids: broker_ids.to_vec(),
            })
            .collect();
        scribe.ask(
            &format!("create assigned with counts, {what}"),
            version,
            &create(vec![topic.clone()], false),
        );
        (topic.num_partitions, topic.replication_factor) = (-1, -1);
        ask_both(scribe, &format!("assigned, {what}"), version, &topic);
    }
}

/// A name and a value of each config, most of them refused.
const CONFIGS: &[(&str, Option<&str>)] = &[
    ("unheard.of", Some("1")),
    ("", Some("1")),
    ("retention.ms", Some("60000")),
    ("retention.ms", Some("-1")),
    ("retention.ms", Some("-2")),
    ("retention.ms", Some("soon")),
    ("retention.ms", Some("")),
    ("retention.ms", Some(" 5 ")),
    ("retention.ms", None),
    ("retention.ms", Some("9223372036854775808")),
    ("retention.bytes", Some("-2")),
    ("cleanup.policy", Some("compact,delete")),
    ("cleanup.policy", Some("compact, delete")),
    ("cleanup.policy", Some("")),
    ("cleanup.policy", Some("burn")),
    ("cleanup.policy", Some("delete,burn")),
    ("compression.type", Some("gzip")),
    ("compression.type", Some("GZIP")),
    ("compression.type", Some("rar")),
    ("compression.gzip.level", Some("9")),
    ("compression.gzip.level", Some("10")),
    ("compression.gzip.level", Some("0")),
    ("compression.gzip.level", Some("-1")),
    ("compression.lz4.level", Some("18")),
    ("compression.zstd.level", Some("23")),
    ("max.message.bytes", Some("0")),
    ("max.message.bytes", Some("-1")),
    ("max.message.bytes", Some("2147483648")),
    ("max.message.bytes", Some("1.5")),
    ("message.timestamp.type", Some("LogAppendTime")),
    ("message.timestamp.type", Some("logappendtime")),
    ("message.timestamp.before.max.ms", Some("-1")),
    ("message.timestamp.after.max.ms", Some("0")),
    ("min.insync.replicas", Some("0")),
    ("min.insync.replicas", Some("2")),
    ("segment.bytes", Some("1")),
    ("segment.bytes", Some("1048575")),
    ("segment.bytes", Some("1048576")),
    ("segment.ms", Some("0")),
    ("segment.jitter.ms", Some("-1")),
    ("preallocate", Some("true")),
    ("preallocate", Some("yes")),
    ("unclean.leader.election.enable", Some("TRUE")),
    ("min.cleanable.dirty.ratio", Some("0.2")),
    ("min.cleanable.dirty.ratio", Some("1.1")),
    ("delete.retention.ms", Some("-1")),
    ("file.delete.delay.ms", Some("-1")),
    ("flush.messages", Some("0")),
    ("flush.ms", Some("-1")),
    ("index.interval.bytes", Some("-1")),
    ("segment.index.bytes", Some("3")),
    ("min.compaction.lag.ms", Some("-1")),
    ("max.compaction.lag.ms", Some("0")),
    ("remote.storage.enable", Some("true")),
    ("local.retention.ms", Some("-3")),
    ("leader.replication.throttled.replicas", Some("*")),
    ("leader.replication.throttled.replicas", Some("0:1")),
    ("leader.replication.throttled.replicas", Some("x")),
    ("message.format.version", Some("3.0")),
    ("message.downconversion.enable", Some("true")),
];

fn configs(scribe: &mut Scribe, version: i16) {
    for (at, (name, value)) in CONFIGS.iter().enumerate() {
        let mut topic = topic(&scribe.name(&format!("config-{version}-{at}")));
        topic.configs = vec![CreatableTopicConfig {
            name: (*name).to_owned(),
            value: value.map(str::to_owned),
        }];
        scribe.ask(
            &format!("check config {name}={value:?}"),
            version,
            &create(vec![topic], true),
        );
    }
    let config = |name: &str, value: &str| CreatableTopicConfig {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    };
    let mut two = topic(&scribe.name(&format!("configs-{version}")));
    two.configs = vec![config("retention.ms", "1"), config("retention.ms", "2")];
    ask_both(scribe, "config twice", version, &two);
    let mut lags = topic(&scribe.name(&format!("lags-{version}")));
    lags.configs = vec![
        config("min.compaction.lag.ms", "2"),
        config("max.compaction.lag.ms", "1"),
    ];
    ask_both(scribe, "contradicting lags", version, &lags);
    let mut wrong = topic(&scribe.name(&format!("wrongs-{version}")));
    wrong.configs = vec![config("retention.ms", "x")];
    wrong.num_partitions = 0;
    ask_both(scribe, "wrong config and count", version, &wrong);
}

fn several(scribe: &mut Scribe, version: i16) {
    let (one, other) = (
        scribe.name(&format!("one-{version}")),
        scribe.name(&format!("other-{version}")),
    );
    scribe.ask("create nothing", version, &create(vec![], false));
    let twice = create(vec![topic(&one), topic(&one)], false);
    scribe.ask("create one twice", version, &twice);
    let mut mixed = scribe
        .call(
            version,
            &create(vec![topic(&one), topic(""), topic(&other)], false),
        )
        .unwrap();
    mixed.topics.sort_by(|a, b| a.name.cmp(&b.name));
    scribe.note(
        "create two and a refused one",
        version,
        Some(format!("{mixed:?}")),
    );
}

/// Time limits that are over before anything was done: only what is said of that.
fn limits(scribe: &mut Scribe, version: i16) {
    for timeout_ms in [0, -1] {
        let name = scribe.name(&format!("hurried-{version}-{timeout_ms}"));
        let request = CreateTopicsRequest {
            timeout_ms,
            ..create(vec![topic(&name)], false)
        };
        let told = scribe.call(version, &request).unwrap();
        let told = format!("{:?}", told.topics[0].error_code);
        scribe.note(
            &format!("create within {timeout_ms} ms"),
            version,
            Some(told),
        );
        let twice = CreateTopicsRequest {
            timeout_ms,
            ..create(vec![topic("a"), topic("a")], true)
        };
        scribe.ask(
            &format!("check twice within {timeout_ms} ms"),
            version,
            &twice,
        );
    }
}

/// The same for what changes topics.
fn hurried(scribe: &mut Scribe) {
    scribe.create("hurried", 1, &[]);
    let name = scribe.name("hurried");
    let grow = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: name.clone(),
            count: 2,
            assignments: None,
        }],
        timeout_ms: 0,
        validate_only: false,
    };
    scribe.ask("grow within 0 ms", 3, &grow);
    let delete = DeleteTopicsRequest {
        topic_names: vec![name],
        timeout_ms: 0,
        ..DeleteTopicsRequest::default()
    };
    scribe.ask("delete within 0 ms", 5, &delete);
}

fn grow(scribe: &mut Scribe, version: i16) {
    let plain = format!("grown-{version}");
    scribe.create(&plain, 2, &[]);
    let name = scribe.name(&plain);
    let unknown = scribe.name("unknown");
    let mut ask = |what: &str, name: &str, count: i32, assigned: Option<&[&[i32]]>| {
        let topic = CreatePartitionsTopic {
            name: name.to_owned(),
            count,
            assignments: assigned.map(|assigned| {
                let assigned = assigned.iter();
                assigned
                    .map(|ids| CreatePartitionsAssignment {
                        broker_ids: ids.to_vec(),
                    })
                    .collect()
            }),
        };
        for validate_only in [true, false] {
            let request = CreatePartitionsRequest {
                topics: vec![topic.clone()],
                timeout_ms: 5_000,
                validate_only,
            };
            let only = if validate_only { "check " } else { "" };
            scribe.ask(&format!("{only}grow {what}"), version, &request);
        }
    };
    ask("unknown topic", &unknown, 3, None);
    ask("no name", "", 3, None);
    ask("illegal name", "a b", 3, None);
    for count in [2, 1, 0, -1] {
        ask(&format!("to {count}"), &name, count, None);
    }
    ask("with too many assignments", &name, 3, Some(&[&[1], &[1]]));
    ask("with too few assignments", &name, 4, Some(&[&[1]]));
    ask("with an unknown broker", &name, 3, Some(&[&[7]]));
    ask("with no broker", &name, 3, Some(&[&[]]));
    ask("with a broker twice", &name, 3, Some(&[&[1, 1]]));
    ask("with no assignments", &name, 3, Some(&[]));
    ask("assigned", &name, 3, Some(&[&[1]]));
    ask("to 4", &name, 4, None);
    let topic = CreatePartitionsTopic {
        name: name.clone(),
        count: 9,
        assignments: None,
    };
    let many = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            count: 10_001,
            ..topic.clone()
        }],
        timeout_ms: 5_000,
        validate_only: true,
    };
    scribe.ask("check grow to 10,001", version, &many);
    let twice = CreatePartitionsRequest {
        topics: vec![topic.clone(), topic],
        timeout_ms: 5_000,
        validate_only: false,
    };
    scribe.ask("grow one twice", version, &twice);
}

fn delete(scribe: &mut Scribe, version: i16) {
    let plain = format!("deleted-{version}");
    let id = scribe.create(&plain, 1, &[]);
    let (name, unknown) = (scribe.name(&plain), scribe.name("unknown"));
    let request = |names: &[&str]| DeleteTopicsRequest {
        topics: names
            .iter()
            .map(|name| DeleteTopicState {
                name: Some((*name).to_owned()),
                ..DeleteTopicState::default()
            })
            .collect(),
        topic_names: names.iter().map(|name| (*name).to_owned()).collect(),
        timeout_ms: 5_000,
    };
    scribe.ask("delete nothing", version, &request(&[]));
    scribe.ask("delete unknown", version, &request(&[&unknown]));
    scribe.ask("delete no name", version, &request(&[""]));
    scribe.ask("delete illegal name", version, &request(&["a b"]));
    if version >= 6 {
        let mut by = |what: &str, name: Option<&str>, topic_id| {
            let request = DeleteTopicsRequest {
                topics: vec![DeleteTopicState {
                    name: name.map(str::to_owned),
                    topic_id,
                }],
                timeout_ms: 5_000,
                ..DeleteTopicsRequest::default()
            };
            scribe.ask(what, version, &request);
        };
        by("delete neither name nor id", None, Uuid::ZERO);
        by("delete both name and id", Some(&name), id);
        by("delete unknown id", None, Uuid(*b"0123456789abcdef"));
        by("delete by id", None, id);
        by("delete by id again", None, id);
        let id = scribe.create("deleted-again", 1, &[]);
        let mut twice = request(&[&scribe.name("deleted-again")]);
        twice.topics.push(DeleteTopicState {
            name: None,
            topic_id: id,
        });
        let mut told = scribe.call(version, &twice).unwrap();
        told.responses.sort_by(|a, b| a.name.cmp(&b.name));
        scribe.note(
            "delete by name and by id",
            version,
            Some(format!("{told:?}")),
        );
        return;
    }
    scribe.ask("delete one twice", version, &request(&[&name, &name]));
    scribe.ask("delete", version, &request(&[&name]));
    scribe.ask("delete again", version, &request(&[&name]));
}
