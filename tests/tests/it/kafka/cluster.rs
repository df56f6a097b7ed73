//! What a client asks first: ApiVersions, Metadata, DescribeCluster, DescribeTopicPartitions,
//! FindCoordinator, InitProducerId; and frames that nobody understands.

use bytes::Bytes;
use partita_core::protocol::messages::describe_topic_partitions::{Cursor, TopicRequest};
use partita_core::protocol::messages::metadata::MetadataRequestTopic;
use partita_core::protocol::messages::{
    ApiVersionsRequest, DescribeClusterRequest, DescribeTopicPartitionsRequest,
    FindCoordinatorRequest, InitProducerIdRequest, MetadataRequest, MetadataResponse,
};
use partita_core::types::Uuid;

use super::peer::Connection;
use super::scribe::Scribe;

/// An id that no topic has.
const UNKNOWN: Uuid = Uuid(*b"0123456789abcdef");

pub(super) fn ask(scribe: &mut Scribe) {
    for version in 0..=4 {
        api_versions(scribe, version);
    }
    let id = scribe.create("plain", 2, &[]);
    for version in 0..=13 {
        by_name(scribe, version);
        by_id(scribe, version, id);
        created_on_first_use(scribe, version);
    }
    for version in 0..=2 {
        describe_cluster(scribe, version);
    }
    describe_partitions(scribe);
    scribe.group("group");
    frames(scribe);
    for version in 0..=6 {
        find_coordinator(scribe, version);
    }
    await_producer_ids(scribe);
    for version in 0..=5 {
        producer_ids(scribe, version);
    }
}

/// The APIs that we serve: of others Kafka's answer tells more.
const SERVED: &[i16] = &[
    0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 32, 33, 37, 42, 44, 47,
    60, 75,
];

fn api_versions(scribe: &mut Scribe, version: i16) {
    let request = |name: &str, number: &str| ApiVersionsRequest {
        client_software_name: name.to_owned(),
        client_software_version: number.to_owned(),
    };
    let mut told = scribe.call(version, &request("scribe", "1.0")).unwrap();
    told.api_keys.retain(|api| SERVED.contains(&api.api_key));
    told.finalized_features_epoch = -1;
    let (supported, finalized) = (
        std::mem::take(&mut told.supported_features),
        std::mem::take(&mut told.finalized_features),
    );
    scribe.note("api versions", version, Some(format!("{told:?}")));
    scribe.note(
        "supported features",
        version,
        Some(format!("{supported:?}")),
    );
    scribe.note(
        "finalized features",
        version,
        Some(format!("{finalized:?}")),
    );
    if version >= 3 {
        for (name, number) in [
            ("", ""),
            ("scribe", ""),
            ("", "1.0"),
            ("s c", "1.0"),
            ("scribe", "1_0"),
            ("-s", "1"),
            ("s.c-r1", "v1.0-a"),
        ] {
            let mut told = scribe.call(version, &request(name, number)).unwrap();
            told.finalized_features_epoch = -1;
            told.supported_features.clear();
            told.finalized_features.clear();
            told.api_keys.clear();
            scribe.note(
                &format!("api versions for {name:?} {number:?}"),
                version,
                Some(format!("{told:?}")),
            );
        }
    }
}

/// Frames that are no request, or one that is not served.
fn frames(scribe: &mut Scribe) {
    let header = |key: i16, version: i16| {
        let client = b"\0\x06scribe";
        [
            &key.to_be_bytes()[..],
            &version.to_be_bytes(),
            &7_i32.to_be_bytes(),
            client,
        ]
        .concat()
    };
    let mut ask = |what: &str, frame: Vec<u8>| {
        scribe.peer.send(Connection::FIRST, Bytes::from(frame));
        let answer = scribe.peer.receive(Connection::FIRST);
        scribe.note(
            &format!("frame {what}"),
            0,
            answer.map(|answer| format!("{answer:02x}")),
        );
    };
    ask(
        "ApiVersions of version 99",
        [&header(18, 99)[..], b"\0\0\0"].concat(),
    );
    ask("ApiVersions of version -1", header(18, -1));
    ask(
        "ApiVersions of version 5",
        [&header(18, 5)[..], b"\0\x01\x01\0"].concat(),
    );
    ask("Metadata of version 99", header(3, 99));
    ask(
        "Produce of version 2",
        [&header(0, 2)[..], b"\xff\xff\0\0\0\0\0\0\0\0"].concat(),
    );
    ask("Fetch of version 3", header(1, 3));
    ask("of an unknown API", header(999, 0));
    ask("of an API that brokers have among themselves", header(4, 0));
    ask("without a body", header(3, 1));
    ask("cut short in its header", vec![0, 3, 0, 1]);
    ask("of nothing", vec![]);
    ask(
        "SaslHandshake",
        [&header(17, 1)[..], b"\0\x05PLAIN"].concat(),
    );
    ask(
        "SaslAuthenticate",
        [&header(36, 0)[..], b"\0\0\0\x05\0u\0p\0"].concat(),
    );
    ask(
        "with more than its body",
        [&header(12, 0)[..], b"\0\x01g\0\0\0\0\0\x01m", b"more"].concat(),
    );
    ask(
        "with a negative length of its group",
        [&header(12, 0)[..], b"\xff\xff\0\0\0\0\0\x01m"].concat(),
    );
    ask(
        "with a length beyond its end",
        [&header(12, 0)[..], b"\0\xffg"].concat(),
    );
    ask(
        "without a client",
        [&header(12, 0)[..8], b"\xff\xff", b"\0\x01g\0\0\0\0\0\x01m"].concat(),
    );
}

fn metadata(topics: Option<Vec<MetadataRequestTopic>>) -> MetadataRequest {
    MetadataRequest {
        topics,
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    }
}

fn named(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic {
        name: Some(name.to_owned()),
        ..MetadataRequestTopic::default()
    }
}

/// Asks, and leaves other runs' topics out.
fn ask_metadata(scribe: &mut Scribe, what: &str, version: i16, request: &MetadataRequest) {
    let run = scribe.name("");
    let told = scribe
        .call(version, request)
        .map(|mut response: MetadataResponse| {
            if request.topics.as_ref().is_none_or(Vec::is_empty) {
                response.topics.retain(|topic| {
                    topic
                        .name
                        .as_ref()
                        .is_some_and(|name| name.starts_with(&run))
                });
            }
            response.topics.sort_by(|a, b| a.name.cmp(&b.name));
            for topic in &mut response.topics {
                topic
                    .partitions
                    .sort_by_key(|partition| partition.partition_index);
            }
            format!("{response:?}")
        });
    scribe.note(what, version, told);
}

fn by_name(scribe: &mut Scribe, version: i16) {
    let (plain, unknown) = (scribe.name("plain"), scribe.name("unknown"));
    let mut ask = |what: &str, names: &[&str]| {
        // Before version 4 a topic that is not there is made, if it may be.
        if version >= 4 || names.iter().all(|name| *name != unknown) {
            let topics = names.iter().map(|name| named(name)).collect();
            ask_metadata(
                scribe,
                &format!("metadata of {what}"),
                version,
                &metadata(Some(topics)),
            );
        }
    };
    ask("a topic", &[&plain]);
    ask("an unknown topic", &[&unknown]);
    ask("both", &[&plain, &unknown]);
    ask("one twice", &[&plain, &plain]);
    ask("no name", &[""]);
    ask("an illegal name", &["a b"]);
    ask("a long name", &[&"x".repeat(250)]);
    ask("nothing", &[]);
    let mut request = metadata(Some(vec![named(&plain)]));
    if version >= 1 {
        ask_metadata(scribe, "metadata of all", version, &metadata(None));
    }
    if version >= 8 {
        request.include_topic_authorized_operations = true;
        request.include_cluster_authorized_operations = version <= 10;
        ask_metadata(scribe, "metadata with operations", version, &request);
    }
}

fn by_id(scribe: &mut Scribe, version: i16, id: Uuid) {
    if version < 10 {
        return;
    }
    let mut ask = |what: &str, name: Option<&str>, topic_id| {
        let topic = MetadataRequestTopic {
            topic_id,
            name: name.map(str::to_owned),
        };
        ask_metadata(
            scribe,
            &format!("metadata by {what}"),
            version,
            &metadata(Some(vec![topic])),
        );
    };
    ask("id", None, id);
    ask("unknown id", None, UNKNOWN);
    ask("id and a name", Some("name"), id);
    ask("neither", None, Uuid::ZERO);
}

fn created_on_first_use(scribe: &mut Scribe, version: i16) {
    let name = scribe.name(&format!("new-{version}"));
    let mut request = metadata(Some(vec![named(&name)]));
    request.allow_auto_topic_creation = true;
    ask_metadata(scribe, "metadata of a new topic", version, &request);
    scribe.await_topic(&name, 1);
    ask_metadata(
        scribe,
        "metadata of a topic that is no longer new",
        version,
        &request,
    );
    for (what, name) in [
        ("", ""),
        ("illegal", "a b"),
        ("internal", "__cluster_metadata"),
    ] {
        let mut request = metadata(Some(vec![named(name)]));
        request.allow_auto_topic_creation = true;
        ask_metadata(
            scribe,
            &format!("metadata of a new topic with the name {what:?}"),
            version,
            &request,
        );
    }
}

fn describe_cluster(scribe: &mut Scribe, version: i16) {
    for endpoint_type in [1, 2, 3] {
        for operations in [false, true] {
            let request = DescribeClusterRequest {
                endpoint_type,
                include_cluster_authorized_operations: operations,
                include_fenced_brokers: version >= 2,
            };
            if version >= 1 || endpoint_type == 1 {
                let what =
                    format!("cluster, endpoints of type {endpoint_type}, operations {operations}");
                scribe.ask(&what, version, &request);
            }
        }
    }
}

fn describe_partitions(scribe: &mut Scribe) {
    scribe.create("other", 3, &[]);
    let [plain, other, unknown] = ["plain", "other", "unknown"].map(|name| scribe.name(name));
    let mut ask = |what: &str, names: &[&str], limit: i32, cursor: Option<(&str, i32)>| {
        let request = DescribeTopicPartitionsRequest {
            topics: names
                .iter()
                .map(|name| TopicRequest {
                    name: (*name).to_owned(),
                })
                .collect(),
            response_partition_limit: limit,
            cursor: cursor.map(|(name, partition_index)| Cursor {
                topic_name: name.to_owned(),
                partition_index,
            }),
        };
        scribe.ask(&format!("partitions of {what}"), 0, &request);
    };
    ask("a topic", &[&plain], 2_000, None);
    ask("two topics", &[&plain, &other], 2_000, None);
    ask("an unknown topic", &[&unknown], 2_000, None);
    ask("no name", &[""], 2_000, None);
    ask("an illegal name", &["a b"], 2_000, None);
    ask("one twice", &[&plain, &plain], 2_000, None);
    ask("a topic, at most one", &[&other], 1, None);
    ask("two topics, at most four", &[&other, &plain], 4, None);
    ask("two topics, at most none", &[&other, &plain], 0, None);
    ask("two topics, at most -1", &[&other, &plain], -1, None);
    ask(
        "a topic, from its second",
        &[&other],
        2_000,
        Some((&other, 1)),
    );
    ask(
        "two topics, from the second",
        &[&other, &plain],
        2_000,
        Some((&plain, 0)),
    );
    ask(
        "a topic, from beyond its last",
        &[&other],
        2_000,
        Some((&other, 9)),
    );
    ask(
        "a topic, from before its first",
        &[&other],
        2_000,
        Some((&other, -1)),
    );
    ask(
        "a topic, from an unknown one",
        &[&other],
        2_000,
        Some((&unknown, 0)),
    );
    ask(
        "two topics, from the unknown one",
        &[&other, &unknown],
        2_000,
        Some((&unknown, 1)),
    );
}

fn find_coordinator(scribe: &mut Scribe, version: i16) {
    let (group, other) = (scribe.name("group"), scribe.name("other"));
    let request = |key_type: i8, keys: &[&str]| FindCoordinatorRequest {
        key: keys.first().copied().unwrap_or_default().to_owned(),
        key_type,
        coordinator_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    };
    scribe.ask("coordinator of a group", version, &request(0, &[&group]));
    scribe.ask("coordinator of no name", version, &request(0, &[""]));
    if version >= 1 {
        for key_type in [3, -1] {
            let what = format!("coordinator of key type {key_type}");
            scribe.ask(&what, version, &request(key_type, &[&group]));
        }
        if version < 6 {
            let what = "coordinator of a share partition";
            scribe.ask(what, version, &request(2, &[&group]));
        }
    }
    if version >= 4 {
        scribe.ask(
            "coordinators of two groups",
            version,
            &request(0, &[&group, &other]),
        );
        scribe.ask("coordinators of nothing", version, &request(0, &[]));
        scribe.ask(
            "coordinators of one twice",
            version,
            &request(0, &[&group, &group]),
        );
    }
}

/// A broker fetches the first block of ids when it is first asked.
fn await_producer_ids(scribe: &mut Scribe) {
    let request = InitProducerIdRequest {
        transactional_id: None,
        ..InitProducerIdRequest::default()
    };
    for _ in 0..500 {
        if scribe.call(4, &request).unwrap().error_code.is_none() {
            return;
        }
        scribe.peer.settle(20);
    }
    panic!("no producer ids came");
}

fn producer_ids(scribe: &mut Scribe, version: i16) {
    let request = |producer_id: i64, producer_epoch: i16| InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 1_000,
        producer_id,
        producer_epoch,
    };
    scribe.ask("producer id", version, &request(-1, -1));
    let mut unbounded = request(-1, -1);
    unbounded.transaction_timeout_ms = -1;
    scribe.ask("producer id without a timeout", version, &unbounded);
    let mut nameless = request(-1, -1);
    nameless.transactional_id = Some(String::new());
    scribe.ask(
        "producer id of a transaction without a name",
        version,
        &nameless,
    );
    if version >= 3 {
        scribe.ask(
            "producer id with another",
            version,
            &request(123_456_789, 3),
        );
        scribe.ask(
            "producer id with another, no epoch",
            version,
            &request(123_456_789, -1),
        );
        scribe.ask("producer id with an epoch", version, &request(-1, 3));
    }
}
