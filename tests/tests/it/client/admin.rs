//! Every operation of the admin client.

use bytes::Bytes;
use partita_core::client::ErrorKind;
use partita_core::client::admin::{
    CommittedOffset, ConfigChange, ConfigOperation, ConfigResource, NewPartitions, OffsetAt,
    OffsetToCommit, PartitionOffsets, RecordsBefore, TopicCommits,
};
use partita_core::client::producer::{ProducerRecord, Send};

use super::*;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

fn describe(result: Result<AdminResult, ClientError>) -> (&'static str, Option<i16>, Option<i16>) {
    let error = result.unwrap_err();
    let cause = error.cause.as_ref().and_then(|cause| cause.code());
    (error.name(), error.code(), cause)
}

#[test]
fn topics_are_created_grown_listed_and_deleted() {
    for target in Target::all() {
        let (a, b) = (fresh(&target, "alpha"), fresh(&target, "beta"));
        let mut admin = AdminRun::new(&target);
        admin.create(&a, 2);
        let again = vec![NewTopic::new(&*a, 2), NewTopic::new(&*b, 1)];
        // KafkaJS answers false if every failure is that, also when another topic was created.
        let created = admin.run(|admin, now| admin.create_topics(now, again, 5_000, false, true));
        assert_eq!(created, Ok(AdminResult::Created(false)));
        settle(&mut admin, |admin| match admin.run(Admin::list_topics) {
            Ok(AdminResult::TopicNames(names)) => names.contains(&a) && names.contains(&b),
            other => panic!("{other:?}"),
        });
        let grown = vec![NewPartitions {
            topic: b.clone(),
            count: 3,
            assignments: None,
        }];
        let done = admin.run(|admin, now| admin.create_partitions(now, grown, 5_000, false));
        assert_eq!(done, Ok(AdminResult::Done));
        let shown = |result| match result {
            Ok(AdminResult::Topics(topics)) => {
                let topics = topics.into_iter();
                let mut shown: Vec<_> = topics
                    .map(|topic| (topic.name, topic.partitions.len()))
                    .collect();
                shown.sort();
                shown
            }
            other => panic!("{other:?}"),
        };
        let names = vec![a.clone(), b.clone()];
        let expected = vec![(a.clone(), 2), (b.clone(), 3)];
        settle(&mut admin, |admin| {
            let asked = Some(names.clone());
            shown(admin.run(|admin, now| admin.fetch_topic_metadata(now, asked))) == expected
        });
        let paged = admin.run(|admin, now| admin.describe_topic_partitions(now, names.clone()));
        assert_eq!(shown(paged), expected);
        let deleted = admin.run(|admin, now| admin.delete_topics(now, names, 5_000));
        assert_eq!(deleted, Ok(AdminResult::Done));
    }
}

#[test]
fn topics_are_refused_with_kafkajs_errors() {
    for target in Target::all() {
        let name = fresh(&target, "fine");
        let mut admin = AdminRun::new(&target);
        let topics = vec![
            NewTopic::new("z no name", 1),
            NewTopic::new("a no name", 1),
            NewTopic {
                configs: vec![("no.such.config".to_owned(), Some("1".to_owned()))],
                ..NewTopic::new(&*name, 1)
            },
        ];
        let created = admin.run(|admin, now| admin.create_topics(now, topics, 5_000, false, true));
        let error = created.unwrap_err();
        let ErrorKind::Aggregate { errors } = &error.kind else {
            panic!("{error:?}")
        };
        let shown: Vec<_> = errors
            .iter()
            .map(|error| match &error.kind {
                ErrorKind::CreateTopic { topic, code } => (topic.clone(), code.0),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            ("a no name".to_owned(), 17),
            (name.clone(), 40),
            ("z no name".to_owned(), 17),
        ];
        assert_eq!(shown, expected);
        let twice = vec![NewTopic::new("t", 1), NewTopic::new("t", 1)];
        let result = admin.run(|admin, now| admin.create_topics(now, twice, 5_000, false, true));
        assert_eq!(describe(result), ("KafkaJSNonRetriableError", None, None));
        // Validated only, so nobody will ever lead it.
        let topics = vec![NewTopic::new(&*name, 1)];
        let result = admin.run(|admin, now| admin.create_topics(now, topics, 5_000, true, true));
        assert_eq!(describe(result), ("KafkaJSProtocolError", Some(3), None));
        let exceeded = ("KafkaJSNumberOfRetriesExceeded", None, Some(3));
        let names = vec![name.clone()];
        let result = admin.run(|admin, now| admin.delete_topics(now, names, 5_000));
        assert_eq!(describe(result), exceeded);
        let result = admin.run(|admin, now| admin.fetch_topic_offsets(now, &name));
        assert_eq!(describe(result), exceeded);
        let raw = ("KafkaJSProtocolError", Some(3), None);
        let names = Some(vec![name.clone()]);
        let result = admin.run(|admin, now| admin.fetch_topic_metadata(now, names));
        assert_eq!(describe(result), raw);
        let topics = vec![name.clone()];
        let result = admin.run(|admin, now| admin.fetch_offsets(now, "some-group", topics, false));
        assert_eq!(describe(result), raw);
        admin.create(&name, 2);
        let fewer = vec![NewPartitions {
            topic: name.clone(),
            count: 1,
            assignments: None,
        }];
        let result = admin.run(|admin, now| admin.create_partitions(now, fewer, 5_000, false));
        assert_eq!(describe(result), ("KafkaJSProtocolError", Some(37), None));
    }
}

#[test]
fn configs_are_described_and_altered() {
    for target in Target::all() {
        let topic = fresh(&target, "configured");
        let mut admin = AdminRun::new(&target);
        admin.create(&topic, 1);
        let value = |admin: &mut AdminRun, config: &str| {
            let resources = vec![ConfigResource {
                resource_type: TOPIC,
                name: topic.clone(),
                config_names: Some(vec![config.to_owned()]),
            }];
            match admin.run(|admin, now| admin.describe_configs(now, resources, true)) {
                Ok(AdminResult::Configs(results)) => {
                    let entries = &results.first().unwrap().entries;
                    assert_eq!(entries.len(), 1);
                    let entry = entries.first().unwrap();
                    (entry.value.clone().unwrap(), entry.source)
                }
                other => panic!("{other:?}"),
            }
        };
        let retention = "retention.bytes";
        assert_eq!(value(&mut admin, retention), ("-1".to_owned(), 5));
        let change = |operation, value: Option<&str>| ConfigChange {
            resource_type: TOPIC,
            name: topic.clone(),
            entries: vec![(retention.to_owned(), operation, value.map(str::to_owned))],
        };
        let set = vec![change(ConfigOperation::Set, Some("5000"))];
        let altered = admin.run(|admin, now| admin.alter_configs(now, set, false));
        assert!(
            matches!(altered, Ok(AdminResult::Altered(_))),
            "{altered:?}"
        );
        settle(&mut admin, |admin| {
            value(admin, retention) == ("5000".to_owned(), 1)
        });
        let delete = vec![change(ConfigOperation::Delete, None)];
        let altered = admin.run(|admin, now| admin.incremental_alter_configs(now, delete, false));
        assert!(
            matches!(altered, Ok(AdminResult::Altered(_))),
            "{altered:?}"
        );
        settle(&mut admin, |admin| {
            value(admin, retention) == ("-1".to_owned(), 5)
        });
        let bad = vec![change(ConfigOperation::Set, Some("many"))];
        let altered = admin.run(|admin, now| admin.alter_configs(now, bad, false));
        assert_eq!(describe(altered), ("KafkaJSProtocolError", Some(40), None));
        // A broker's own configs come from that broker.
        let Ok(AdminResult::Cluster(cluster)) = admin.run(Admin::describe_cluster) else {
            panic!("no cluster")
        };
        let node = cluster.brokers.first().unwrap().node_id;
        let resources = vec![ConfigResource {
            resource_type: BROKER,
            name: node.to_string(),
            config_names: Some(vec!["num.partitions".to_owned()]),
        }];
        let found = admin.run(|admin, now| admin.describe_configs(now, resources, false));
        let Ok(AdminResult::Configs(found)) = found else {
            panic!("{found:?}")
        };
        assert_eq!(found.first().unwrap().entries.len(), 1);
        let unknown = vec![ConfigResource {
            resource_type: TOPIC,
            name: fresh(&target, "no-such-topic"),
            config_names: None,
        }];
        let result = admin.run(|admin, now| admin.describe_configs(now, unknown, false));
        assert_eq!(describe(result), ("KafkaJSProtocolError", Some(3), None));
    }
}

/// Kafka's brokers take a moment to hear what the controller has decided.
fn settle(admin: &mut AdminRun, mut done: impl FnMut(&mut AdminRun) -> bool) {
    for _ in 0..500 {
        if done(admin) {
            return;
        }
    }
    panic!("it never came about");
}

#[test]
fn offsets_follow_records_and_their_deletion() {
    for target in Target::all() {
        let topic = fresh(&target, "offsets");
        let mut admin = AdminRun::new(&target);
        admin.create(&topic, 2);
        let mut producer = ProducerRun::new(&target, ProducerConfig::default());
        let base = producer.0.now().wall.0 - 10_000;
        let records: Vec<_> = (0..10)
            .map(|i| ProducerRecord {
                partition: Some(0),
                timestamp: Some(base + i * 100),
                value: Some(Bytes::from_static(b"v")),
                ..ProducerRecord::default()
            })
            .collect();
        producer.send(Send::new(&*topic, records)).unwrap();
        let offsets = |partition, low, high| PartitionOffsets {
            partition,
            low,
            high,
        };
        let found = admin.run(|admin, now| admin.fetch_topic_offsets(now, &topic));
        let expected = vec![offsets(0, 0, 10), offsets(1, 0, 0)];
        assert_eq!(found, Ok(AdminResult::TopicOffsets(expected)));
        let mut at = |timestamp| {
            let found = admin
                .run(|admin, now| admin.fetch_topic_offsets_by_timestamp(now, &topic, timestamp));
            match found {
                Ok(AdminResult::OffsetsAt(offsets)) => {
                    let offset = |at: &OffsetAt| at.offset;
                    offsets.iter().map(offset).collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(at(Some(base + 250)), [3, 0]);
        assert_eq!(at(Some(base + 901)), [10, 0]);
        assert_eq!(at(None), [10, 0]);
        let before = |partition, offset| vec![RecordsBefore { partition, offset }];
        let mut delete = |partitions| {
            let topic = topic.clone();
            admin.run(|admin, now| admin.delete_topic_records(now, &topic, partitions))
        };
        assert_eq!(delete(before(0, 4)), Ok(AdminResult::Done));
        let error = delete(before(7, 1)).unwrap_err();
        let ErrorKind::DeleteTopicRecords { partitions } = &error.kind else {
            panic!("{error:?}")
        };
        let failure = partitions.first().unwrap();
        assert_eq!((failure.partition, failure.offset), (7, 1));
        assert_eq!(failure.error.name(), "KafkaJSBrokerNotFound");
        let error = delete(before(0, 1_000)).unwrap_err();
        assert_eq!(error.name(), "KafkaJSNonRetriableError");
        let cause = error.cause.unwrap();
        let ErrorKind::DeleteTopicRecords { partitions } = &cause.kind else {
            panic!("{cause:?}")
        };
        assert_eq!(partitions.first().unwrap().error.code(), Some(1));
        let found = admin.run(|admin, now| admin.fetch_topic_offsets(now, &topic));
        let expected = vec![offsets(0, 4, 10), offsets(1, 0, 0)];
        assert_eq!(found, Ok(AdminResult::TopicOffsets(expected)));
    }
}

#[test]
fn groups_and_their_offsets_can_be_managed() {
    for target in Target::all() {
        let (topic, group) = (fresh(&target, "grouped"), fresh(&target, "group"));
        let mut admin = AdminRun::new(&target);
        admin.create(&topic, 2);
        let committed = |partition, offset| CommittedOffset {
            partition,
            offset,
            metadata: None,
        };
        let commits = |partitions: Vec<CommittedOffset>| {
            let topic = topic.clone();
            Ok(AdminResult::Committed(vec![TopicCommits {
                topic,
                partitions,
            }]))
        };
        let fetch = |admin: &mut AdminRun, resolve| {
            let topics = vec![topic.clone()];
            admin.run(|admin, now| admin.fetch_offsets(now, &group, topics, resolve))
        };
        let nothing = commits(vec![committed(0, -1), committed(1, -1)]);
        assert_eq!(fetch(&mut admin, false), nothing);
        let set = vec![OffsetToCommit {
            partition: 1,
            offset: 5,
        }];
        let done = admin.run(|admin, now| admin.set_offsets(now, &group, &topic, set));
        assert_eq!(done, Ok(AdminResult::Done));
        let expected = commits(vec![committed(0, -1), committed(1, 5)]);
        assert_eq!(fetch(&mut admin, false), expected);
        let all = admin.run(|admin, now| admin.fetch_offsets(now, &group, Vec::new(), false));
        assert_eq!(all, commits(vec![committed(1, 5)]));
        let done = admin.run(|admin, now| admin.reset_offsets(now, &group, &topic, true));
        assert_eq!(done, Ok(AdminResult::Done));
        let expected = commits(vec![committed(0, -2), committed(1, -2)]);
        assert_eq!(fetch(&mut admin, false), expected);
        let expected = commits(vec![committed(0, 0), committed(1, 0)]);
        assert_eq!(fetch(&mut admin, true), expected);
        assert_eq!(fetch(&mut admin, false), expected);

        let Ok(AdminResult::Groups(groups)) = admin.run(Admin::list_groups) else {
            panic!("no groups")
        };
        assert!(
            groups.iter().any(|listed| listed.group_id == group),
            "{groups:?}"
        );
        let asked = vec![group.clone(), fresh(&target, "no-such-group")];
        let described = admin.run(|admin, now| admin.describe_groups(now, asked));
        let Ok(AdminResult::GroupDescriptions(described)) = described else {
            panic!("{described:?}")
        };
        let states: Vec<_> = described.iter().map(|group| group.state.as_str()).collect();
        assert_eq!(states, ["Empty", "Dead"]);
        let done = admin.run(|admin, now| admin.delete_offsets(now, &group, &topic, vec![0]));
        assert_eq!(done, Ok(AdminResult::Done));
        let expected = commits(vec![committed(0, -1), committed(1, 0)]);
        assert_eq!(fetch(&mut admin, false), expected);
        let groups = vec![group.clone()];
        let deleted = admin.run(|admin, now| admin.delete_groups(now, groups.clone()));
        assert_eq!(deleted, Ok(AdminResult::DeletedGroups(groups.clone())));
        let error = admin
            .run(|admin, now| admin.delete_groups(now, groups))
            .unwrap_err();
        let ErrorKind::DeleteGroups { groups } = &error.kind else {
            panic!("{error:?}")
        };
        assert_eq!(groups.first().unwrap().code.0, 69);
        assert_eq!(error.name(), "KafkaJSDeleteGroupsError");
    }
}
