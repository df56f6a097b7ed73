//! The admin client against a scripted cluster: moved controllers and coordinators, several
//! brokers, old versions, partial success. What it does with a broker in good order is tested
//! against ours and Apache Kafka.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use super::*;
use crate::client::error::ErrorKind;
use crate::client::fake::Fake;
use crate::protocol::messages::create_topics::CreatableTopicResult;
use crate::protocol::messages::delete_groups::DeletableGroupResult;
use crate::protocol::messages::delete_topics::DeletableTopicResult;
use crate::protocol::messages::describe_groups::DescribedGroup;
use crate::protocol::messages::list_groups::ListedGroup;
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use crate::protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteGroupsRequest, DeleteGroupsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    ListGroupsRequest, ListGroupsResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};
use crate::protocol::{ApiKey, ErrorCode};

fn fake(topics: &[(&str, &[i32])]) -> Fake<Admin> {
    let mut config = AdminConfig::default();
    config.cluster.bootstrap = vec![("broker".to_owned(), 9092)];
    Fake::new(Admin::new(config, [4; 32]), topics)
}

impl Fake<Admin> {
    fn run(&mut self, command: impl FnOnce(&mut Admin, Now) -> OpId) -> OpId {
        let op = command(&mut self.client, self.now);
        self.settle();
        op
    }

    fn result(&mut self) -> Result<AdminResult, ClientError> {
        match self.client.poll_event() {
            Some(AdminEvent::Finished { result, .. }) => result,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn connecting_and_disconnecting_are_told() {
    let mut fake = fake(&[]);
    let op = fake.run(Admin::connect);
    assert_eq!(
        fake.client.poll_event(),
        Some(AdminEvent::Connected { op, result: Ok(()) })
    );
    fake.run(Admin::list_groups);
    let op = fake.run(Admin::disconnect);
    assert_eq!(fake.client.poll_event(), None, "an operation is under way");
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    fake.answer(&seen, &ListGroupsResponse::default());
    fake.result().unwrap();
    assert_eq!(
        fake.client.poll_event(),
        Some(AdminEvent::Disconnected { op })
    );
    assert!(fake.open.is_empty());
}

#[test]
fn an_unreachable_cluster_is_an_error_in_the_end() {
    let mut fake = fake(&[]);
    fake.refused.insert(9092);
    fake.run(Admin::list_topics);
    fake.pass(30_000);
    let error = fake.result().unwrap_err();
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    assert_eq!(error.cause.unwrap().name(), "KafkaJSConnectionError");
    assert_eq!(fake.client.poll_timeout(), None);
}

#[test]
fn a_controller_that_has_moved_is_found_and_only_the_rest_is_asked_again() {
    let mut fake = fake(&[]);
    let topics = vec![NewTopic::new("a", 1), NewTopic::new("b", 1)];
    fake.run(|admin, now| admin.create_topics(now, topics, 5_000, false, false));
    let (seen, request) = fake.expect::<CreateTopicsRequest>();
    assert_eq!(request.topics.len(), 2);
    let result = |name: &str, error_code| CreatableTopicResult {
        name: name.to_owned(),
        error_code,
        ..CreatableTopicResult::default()
    };
    let response = CreateTopicsResponse {
        topics: vec![
            result("a", ErrorCode::NONE),
            result("b", ErrorCode::NOT_CONTROLLER),
        ],
        ..CreateTopicsResponse::default()
    };
    fake.answer(&seen, &response);
    fake.pass(400);
    let (seen, request) = fake.expect::<CreateTopicsRequest>();
    let names: Vec<_> = request
        .topics
        .iter()
        .map(|topic| topic.name.as_str())
        .collect();
    assert_eq!(names, ["b"]);
    let response = CreateTopicsResponse {
        topics: vec![result("b", ErrorCode::NONE)],
        ..CreateTopicsResponse::default()
    };
    fake.answer(&seen, &response);
    assert_eq!(fake.result(), Ok(AdminResult::Created(true)));
}

#[test]
fn what_is_deleted_is_not_deleted_again() {
    let mut fake = fake(&[]);
    let names = vec!["a".to_owned(), "b".to_owned()];
    fake.run(|admin, now| admin.delete_topics(now, names, 5_000));
    let (seen, request) = fake.expect::<DeleteTopicsRequest>();
    assert_eq!(request.topics.len(), 2);
    let result = |name: &str, error_code| DeletableTopicResult {
        name: Some(name.to_owned()),
        error_code,
        ..DeletableTopicResult::default()
    };
    let response = DeleteTopicsResponse {
        responses: vec![
            result("b", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            result("a", ErrorCode::NONE),
        ],
        ..DeleteTopicsResponse::default()
    };
    fake.answer(&seen, &response);
    fake.pass(400);
    let (seen, request) = fake.expect::<DeleteTopicsRequest>();
    assert_eq!(request.topics.len(), 1);
    let response = DeleteTopicsResponse {
        responses: vec![result("b", ErrorCode::TOPIC_AUTHORIZATION_FAILED)],
        ..DeleteTopicsResponse::default()
    };
    fake.answer(&seen, &response);
    assert_eq!(fake.result().unwrap_err().code(), Some(29));
}

#[test]
fn groups_of_all_brokers_are_listed() {
    let mut fake = fake(&[]);
    fake.brokers = vec![0, 1];
    fake.run(Admin::list_groups);
    for group in ["b", "a"] {
        let (seen, _) = fake.expect::<ListGroupsRequest>();
        let groups = vec![ListedGroup {
            group_id: group.to_owned(),
            protocol_type: "consumer".to_owned(),
            ..ListedGroup::default()
        }];
        let response = ListGroupsResponse {
            groups,
            ..ListGroupsResponse::default()
        };
        fake.answer(&seen, &response);
    }
    let Ok(AdminResult::Groups(groups)) = fake.result() else {
        panic!("no groups")
    };
    let ids: Vec<_> = groups.iter().map(|group| group.group_id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn a_group_is_asked_for_at_its_coordinator_also_after_that_has_moved() {
    let mut fake = fake(&[]);
    fake.brokers = vec![0, 1];
    fake.run(|admin, now| admin.describe_groups(now, vec!["g".to_owned()]));
    let (seen, _) = fake.expect::<DescribeGroupsRequest>();
    assert_eq!(seen.port, 9092);
    let group = |error_code, state: &str| DescribeGroupsResponse {
        groups: vec![DescribedGroup {
            error_code,
            group_id: "g".to_owned(),
            group_state: state.to_owned(),
            ..DescribedGroup::default()
        }],
        ..DescribeGroupsResponse::default()
    };
    fake.coordinator = Some(1);
    fake.answer(&seen, &group(ErrorCode::NOT_COORDINATOR, ""));
    fake.pass(400);
    let (seen, _) = fake.expect::<DescribeGroupsRequest>();
    assert_eq!(seen.port, 9093);
    fake.answer(&seen, &group(ErrorCode::NONE, "Stable"));
    let Ok(AdminResult::GroupDescriptions(groups)) = fake.result() else {
        panic!("no groups")
    };
    assert_eq!(groups.first().unwrap().state, "Stable");
}

#[test]
fn offsets_of_a_running_group_are_not_set() {
    let mut fake = fake(&[]);
    let partitions = vec![OffsetToCommit {
        partition: 0,
        offset: 1,
    }];
    fake.run(|admin, now| admin.set_offsets(now, "g", "t", partitions));
    let (seen, _) = fake.expect::<DescribeGroupsRequest>();
    let response = DescribeGroupsResponse {
        groups: vec![DescribedGroup {
            group_id: "g".to_owned(),
            group_state: "Stable".to_owned(),
            ..DescribedGroup::default()
        }],
        ..DescribeGroupsResponse::default()
    };
    fake.answer(&seen, &response);
    let error = fake.result().unwrap_err();
    assert_eq!(
        (error.name(), error.cause),
        ("KafkaJSNonRetriableError", None)
    );
    assert_eq!(fake.waiting(), 0);
}

#[test]
fn deleting_groups_names_those_that_are_left() {
    let mut fake = fake(&[]);
    let groups = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
    fake.run(|admin, now| admin.delete_groups(now, groups));
    let codes = [ErrorCode::NONE, ErrorCode::NON_EMPTY_GROUP, ErrorCode::NONE];
    for error_code in codes {
        let (seen, request) = fake.expect::<DeleteGroupsRequest>();
        let result = DeletableGroupResult {
            group_id: request.groups_names.first().unwrap().clone(),
            error_code,
        };
        let response = DeleteGroupsResponse {
            results: vec![result],
            ..DeleteGroupsResponse::default()
        };
        fake.answer(&seen, &response);
    }
    let error = fake.result().unwrap_err();
    let ErrorKind::DeleteGroups { groups } = error.kind else {
        panic!("{error:?}")
    };
    let failed: Vec<_> = groups
        .iter()
        .map(|failure| failure.group_id.as_str())
        .collect();
    assert_eq!(failed, ["b"]);
}

#[test]
fn each_leader_is_asked_for_its_own_partitions() {
    let mut fake = fake(&[("t", &[0, 1, 0])]);
    fake.brokers = vec![0, 1];
    fake.run(|admin, now| admin.fetch_topic_offsets(now, "t"));
    for _ in 0..4 {
        let (seen, request) = fake.expect::<ListOffsetsRequest>();
        assert_eq!(request.replica_id, -1);
        let topic = request.topics.first().unwrap();
        let partitions = topic.partitions.iter().map(|partition| {
            let number = partition.partition_index;
            assert_eq!(seen.port, if number == 1 { 9093 } else { 9092 });
            ListOffsetsPartitionResponse {
                partition_index: number,
                offset: if partition.timestamp == -1 { 100 } else { 1 } + i64::from(number),
                ..ListOffsetsPartitionResponse::default()
            }
        });
        let response = ListOffsetsResponse {
            topics: vec![ListOffsetsTopicResponse {
                name: "t".to_owned(),
                partitions: partitions.collect(),
            }],
            ..ListOffsetsResponse::default()
        };
        fake.answer(&seen, &response);
    }
    let Ok(AdminResult::TopicOffsets(offsets)) = fake.result() else {
        panic!("no offsets")
    };
    let shown: Vec<_> = offsets
        .iter()
        .map(|o| (o.partition, o.low, o.high))
        .collect();
    assert_eq!(shown, [(0, 1, 100), (1, 2, 101), (2, 3, 102)]);
}

#[test]
fn a_partition_without_a_leader_is_waited_for() {
    let mut fake = fake(&[("t", &[-1])]);
    fake.run(|admin, now| admin.fetch_topic_offsets(now, "t"));
    assert_eq!(fake.waiting(), 0);
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 1)];
    fake.pass(400);
    assert_eq!(fake.waiting(), 2);
}

#[test]
fn old_brokers_answer_about_one_group_at_a_time() {
    let mut fake = fake(&[("t", &[0])]);
    fake.versions.insert(ApiKey::OffsetFetch, (0, 4));
    fake.run(|admin, now| admin.fetch_offsets(now, "g", vec!["t".to_owned()], false));
    let (seen, request) = fake.expect::<OffsetFetchRequest>();
    assert_eq!(
        (seen.header.api_version, request.group_id.as_str()),
        (4, "g")
    );
    assert_eq!(
        request.topics.unwrap().first().unwrap().partition_indexes,
        [0]
    );
    let response = OffsetFetchResponse {
        topics: vec![OffsetFetchResponseTopic {
            name: "t".to_owned(),
            partitions: vec![OffsetFetchResponsePartition {
                partition_index: 0,
                committed_offset: 7,
                metadata: Some("note".to_owned()),
                ..OffsetFetchResponsePartition::default()
            }],
        }],
        ..OffsetFetchResponse::default()
    };
    fake.answer(&seen, &response);
    let committed = CommittedOffset {
        partition: 0,
        offset: 7,
        metadata: Some("note".to_owned()),
    };
    let expected = TopicCommits {
        topic: "t".to_owned(),
        partitions: vec![committed],
    };
    assert_eq!(fake.result(), Ok(AdminResult::Committed(vec![expected])));
}

#[test]
fn arguments_are_checked_before_anything_is_asked() {
    type Command = fn(&mut Admin, Now) -> OpId;
    let refused: [Command; 9] = [
        |admin, now| admin.fetch_topic_metadata(now, Some(vec![String::new()])),
        |admin, now| admin.create_partitions(now, Vec::new(), 5_000, false),
        |admin, now| admin.describe_configs(now, Vec::new(), false),
        |admin, now| admin.fetch_topic_offsets(now, ""),
        |admin, now| admin.fetch_offsets(now, "", Vec::new(), false),
        |admin, now| admin.set_offsets(now, "g", "t", Vec::new()),
        |admin, now| {
            let partition = OffsetToCommit {
                partition: 0,
                offset: -3,
            };
            admin.set_offsets(now, "g", "t", vec![partition])
        },
        |admin, now| admin.reset_offsets(now, "g", "", true),
        |admin, now| admin.delete_topic_records(now, "t", Vec::new()),
    ];
    for command in refused {
        let mut fake = fake(&[]);
        fake.run(command);
        let error = fake.result().unwrap_err();
        assert_eq!(
            (error.name(), error.cause),
            ("KafkaJSNonRetriableError", None)
        );
        assert!(fake.open.is_empty());
    }
}
