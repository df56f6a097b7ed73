//! DescribeConfigs, IncrementalAlterConfigs and AlterConfigs.

use partita_core::protocol::messages::describe_configs::DescribeConfigsResource;
use partita_core::protocol::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest, alter_configs,
    incremental_alter_configs,
};

use partita_core::types::Uuid;

use super::records::{batch, fetch, produce};
use super::scribe::Scribe;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

pub(super) fn ask(scribe: &mut Scribe) {
    for version in 1..=4 {
        describes(scribe, version);
    }
    for version in 0..=1 {
        incremental(scribe, version);
    }
    for version in 0..=2 {
        replacing(scribe, version);
    }
    acting(scribe);
    brokers(scribe);
}

fn describe(resource_type: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsRequest {
    DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type,
            resource_name: name.to_owned(),
            configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
        }],
        include_synonyms: true,
        include_documentation: false,
    }
}

/// Asks; the order of configs is that of a hash map.
fn ask_describe(scribe: &mut Scribe, what: &str, version: i16, request: &DescribeConfigsRequest) {
    let told = scribe.call(version, request).map(|mut response| {
        for result in &mut response.results {
            result.configs.sort_by(|a, b| a.name.cmp(&b.name));
        }
        format!("{response:?}")
    });
    scribe.note(what, version, told);
}

fn describes(scribe: &mut Scribe, version: i16) {
    let plain = format!("described-{version}");
    let configs = [("cleanup.policy", "compact"), ("compression.type", "gzip")];
    scribe.create(&plain, 1, &configs);
    let (name, unknown) = (scribe.name(&plain), scribe.name("unknown"));
    let mut ask = |what: &str, kind, name: &str, keys: Option<&[&str]>| {
        ask_describe(
            scribe,
            &format!("describe {what}"),
            version,
            &describe(kind, name, keys),
        );
    };
    ask("topic", TOPIC, &name, None);
    ask(
        "some configs",
        TOPIC,
        &name,
        Some(&["retention.ms", "cleanup.policy", "unheard.of"]),
    );
    ask("no configs", TOPIC, &name, Some(&[]));
    ask("unknown topic", TOPIC, &unknown, None);
    ask("illegal topic", TOPIC, "a b", None);
    ask("no topic", TOPIC, "", None);
    let some: &[&str] = &[
        "num.partitions",
        "log.retention.ms",
        "message.max.bytes",
        "group.initial.rebalance.delay.ms",
        "unheard.of",
    ];
    ask("broker", BROKER, "1", Some(some));
    ask("all brokers", BROKER, "", Some(some));
    ask("unknown broker", BROKER, "9", Some(some));
    ask("broker by a word", BROKER, "one", Some(some));
    for kind in [0, 1, 3, 99] {
        ask(&format!("resource of type {kind}"), kind, "x", None);
    }
    let mut request = describe(TOPIC, &name, Some(&["retention.ms", "cleanup.policy"]));
    request.include_synonyms = false;
    ask_describe(scribe, "describe without synonyms", version, &request);
    request.resources.push(request.resources[0].clone());
    ask_describe(scribe, "describe one twice", version, &request);
    request.resources.clear();
    ask_describe(scribe, "describe nothing", version, &request);
}

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

type Change<'a> = (&'a str, i8, Option<&'a str>);

const CHANGES: &[(&str, &[Change<'_>])] = &[
    (
        "set",
        &[
            ("retention.ms", SET, Some("1000")),
            ("cleanup.policy", SET, Some("delete")),
        ],
    ),
    ("set to the same", &[("retention.ms", SET, Some("1000"))]),
    ("set to null", &[("retention.ms", SET, None)]),
    ("set to a word", &[("retention.ms", SET, Some("soon"))]),
    ("set to nothing", &[("retention.ms", SET, Some(""))]),
    ("set unheard of", &[("unheard.of", SET, Some("1"))]),
    ("append", &[("cleanup.policy", APPEND, Some("compact"))]),
    (
        "append what is there",
        &[("cleanup.policy", APPEND, Some("compact"))],
    ),
    ("append to no list", &[("retention.ms", APPEND, Some("1"))]),
    ("append null", &[("cleanup.policy", APPEND, None)]),
    ("subtract", &[("cleanup.policy", SUBTRACT, Some("delete"))]),
    (
        "subtract what is not there",
        &[("cleanup.policy", SUBTRACT, Some("delete"))],
    ),
    (
        "subtract from no list",
        &[("retention.ms", SUBTRACT, Some("1"))],
    ),
    (
        "subtract the last",
        &[("cleanup.policy", SUBTRACT, Some("compact"))],
    ),
    ("delete", &[("retention.ms", DELETE, None)]),
    ("delete again", &[("retention.ms", DELETE, None)]),
    (
        "delete with a value",
        &[("retention.ms", DELETE, Some("1"))],
    ),
    ("delete unheard of", &[("unheard.of", DELETE, None)]),
    ("unknown operation", &[("retention.ms", 9, Some("1"))]),
    (
        "one twice",
        &[
            ("retention.ms", SET, Some("1")),
            ("retention.ms", DELETE, None),
        ],
    ),
    (
        "one right, one wrong",
        &[
            ("retention.ms", SET, Some("7")),
            ("retention.bytes", SET, Some("x")),
        ],
    ),
    (
        "contradicting lags",
        &[
            ("min.compaction.lag.ms", SET, Some("9")),
            ("max.compaction.lag.ms", SET, Some("5")),
        ],
    ),
    ("nothing", &[]),
];

fn incremental(scribe: &mut Scribe, version: i16) {
    use incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
    let plain = format!("changed-{version}");
    scribe.create(&plain, 1, &[]);
    let (name, unknown) = (scribe.name(&plain), scribe.name("unknown"));
    let ask = |scribe: &mut Scribe, what: &str, kind: i8, name: &str, changes: &[Change<'_>]| {
        for validate_only in [true, false] {
            let request = IncrementalAlterConfigsRequest {
                resources: vec![AlterConfigsResource {
                    resource_type: kind,
                    resource_name: name.to_owned(),
                    configs: changes
                        .iter()
                        .map(|(name, config_operation, value)| AlterableConfig {
                            name: (*name).to_owned(),
                            config_operation: *config_operation,
                            value: value.map(str::to_owned),
                        })
                        .collect(),
                }],
                validate_only,
            };
            let only = if validate_only { "check " } else { "" };
            scribe.ask(&format!("{only}change {what}"), version, &request);
        }
        scribe.peer.settle(30);
    };
    for (what, changes) in CHANGES {
        ask(scribe, what, TOPIC, &name, changes);
    }
    ask_describe(
        scribe,
        &format!("describe after changes {version}"),
        4,
        &describe(TOPIC, &name, None),
    );
    let set: &[Change<'_>] = &[("retention.ms", SET, Some("1000"))];
    ask(scribe, "unknown topic", TOPIC, &unknown, set);
    ask(scribe, "illegal topic", TOPIC, "a b", set);
    ask(scribe, "no topic", TOPIC, "", set);
    ask(scribe, "unknown broker", BROKER, "9", set);
    ask(scribe, "broker by a word", BROKER, "one", set);
    for kind in [0, 1, 3, 99] {
        ask(scribe, &format!("resource of type {kind}"), kind, "x", set);
    }
    let resource = AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: name,
        configs: Vec::new(),
    };
    let mut request = IncrementalAlterConfigsRequest {
        resources: vec![resource.clone(), resource],
        validate_only: false,
    };
    scribe.ask("change one resource twice", version, &request);
    request.resources.clear();
    scribe.ask("change no resource", version, &request);
}

/// Configs of brokers, only checked: they would be those of other runs too.
fn brokers(scribe: &mut Scribe) {
    use incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
    let cases: &[Change<'_>] = &[
        ("log.retention.ms", SET, Some("1000")),
        ("log.retention.ms", SET, Some("soon")),
        ("log.retention.ms", SET, Some("-2")),
        ("log.retention.ms", SET, None),
        ("log.retention.ms", DELETE, None),
        ("log.cleanup.policy", APPEND, Some("compact")),
        ("log.retention.ms", APPEND, Some("1")),
        ("message.max.bytes", SET, Some("-1")),
        ("num.partitions", SET, Some("3")),
        ("auto.create.topics.enable", SET, Some("false")),
        ("node.id", SET, Some("2")),
        ("unheard.of", SET, Some("1")),
        ("unheard.of", DELETE, None),
        ("", SET, Some("1")),
    ];
    for (config, config_operation, value) in cases {
        for name in ["1", ""] {
            let request = IncrementalAlterConfigsRequest {
                resources: vec![AlterConfigsResource {
                    resource_type: BROKER,
                    resource_name: name.to_owned(),
                    configs: vec![AlterableConfig {
                        name: (*config).to_owned(),
                        config_operation: *config_operation,
                        value: value.map(str::to_owned),
                    }],
                }],
                validate_only: true,
            };
            let what = format!("check broker {name:?}, {config_operation} {config} {value:?}");
            scribe.ask(&what, 1, &request);
        }
    }
}

/// What a config does as soon as it is changed.
fn acting(scribe: &mut Scribe) {
    use incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
    scribe.create("acting", 1, &[]);
    let name = scribe.name("acting");
    let changes: &[(&str, Option<&str>)] = &[
        ("max.message.bytes", Some("60")),
        ("max.message.bytes", None),
        ("message.timestamp.type", Some("LogAppendTime")),
        ("message.timestamp.type", None),
        ("message.timestamp.before.max.ms", Some("1000")),
        ("message.timestamp.before.max.ms", None),
        ("compression.type", Some("lz4")),
        ("compression.type", None),
        ("cleanup.policy", Some("compact")),
        ("cleanup.policy", None),
        ("segment.bytes", Some("1048576")),
    ];
    for (config, value) in changes {
        let request = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type: TOPIC,
                resource_name: name.clone(),
                configs: vec![AlterableConfig {
                    name: (*config).to_owned(),
                    config_operation: if value.is_some() { SET } else { DELETE },
                    value: value.map(str::to_owned),
                }],
            }],
            validate_only: false,
        };
        let what = format!("{config} {value:?}");
        scribe.ask(&format!("acting, {what}"), 1, &request);
        scribe.peer.settle(200);
        let request = produce(&name, Uuid::ZERO, 0, -1, batch(&["a"]));
        let appended = scribe
            .ask(&format!("produce after {what}"), 9, &request)
            .unwrap();
        let appended = &appended.responses[0].partition_responses[0];
        if appended.error_code.is_none() {
            let request = fetch(&name, Uuid::ZERO, 0, appended.base_offset);
            scribe.ask_fetch(&format!("fetch after {what}"), 12, &request);
        }
    }
}

fn replacing(scribe: &mut Scribe, version: i16) {
    use alter_configs::{AlterConfigsResource, AlterableConfig};
    let plain = format!("replaced-{version}");
    scribe.create(&plain, 1, &[("cleanup.policy", "compact")]);
    let (name, unknown) = (scribe.name(&plain), scribe.name("unknown"));
    let ask = |scribe: &mut Scribe,
               what: &str,
               kind: i8,
               name: &str,
               configs: &[(&str, Option<&str>)]| {
        for validate_only in [true, false] {
            let request = AlterConfigsRequest {
                resources: vec![AlterConfigsResource {
                    resource_type: kind,
                    resource_name: name.to_owned(),
                    configs: configs
                        .iter()
                        .map(|(name, value)| AlterableConfig {
                            name: (*name).to_owned(),
                            value: value.map(str::to_owned),
                        })
                        .collect(),
                }],
                validate_only,
            };
            let only = if validate_only { "check " } else { "" };
            scribe.ask(&format!("{only}replace {what}"), version, &request);
        }
        scribe.peer.settle(30);
    };
    let set: &[(&str, Option<&str>)] = &[("retention.ms", Some("1000"))];
    ask(scribe, "configs", TOPIC, &name, set);
    ask_describe(
        scribe,
        &format!("describe after replacing {version}"),
        4,
        &describe(TOPIC, &name, None),
    );
    ask(scribe, "with null", TOPIC, &name, &[("retention.ms", None)]);
    ask(
        scribe,
        "with a word",
        TOPIC,
        &name,
        &[("retention.ms", Some("soon"))],
    );
    ask(
        scribe,
        "unheard of",
        TOPIC,
        &name,
        &[("unheard.of", Some("1"))],
    );
    ask(
        scribe,
        "one twice",
        TOPIC,
        &name,
        &[("retention.ms", Some("1")), ("retention.ms", Some("2"))],
    );
    ask(scribe, "with nothing", TOPIC, &name, &[]);
    ask_describe(
        scribe,
        &format!("describe after replacing with nothing {version}"),
        4,
        &describe(TOPIC, &name, None),
    );
    ask(scribe, "unknown topic's", TOPIC, &unknown, set);
    ask(scribe, "illegal topic's", TOPIC, "a b", set);
    ask(scribe, "unknown broker's", BROKER, "9", set);
    for kind in [0, 99] {
        ask(
            scribe,
            &format!("those of a resource of type {kind}"),
            kind,
            "x",
            set,
        );
    }
}
