//! The network layer against scripted brokers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use super::*;
use crate::client::fake::Fake;
use crate::client::{Endpoint, ErrorKind};
use crate::protocol::messages::{
    FindCoordinatorRequest, FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse,
    ListGroupsRequest, ListGroupsResponse,
};
use crate::protocol::{ApiKey, ErrorCode};
use crate::types::TopicPartition;
use bytes::Bytes;

/// The network layer alone, as an endpoint whose owner only listens.
struct Bare {
    cluster: Cluster,
    events: Vec<ClusterEvent>,
}

impl Endpoint for Bare {
    fn cluster(&self) -> &Cluster {
        &self.cluster
    }
    fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }
    fn advance(&mut self, _: Now) {
        while let Some(event) = self.cluster.poll_event() {
            self.events.push(event);
        }
    }
    fn own_timeout(&self) -> Option<Monotonic> {
        None
    }
}

fn fake(topics: &[(&str, &[i32])]) -> Fake<Bare> {
    let config = ClusterConfig {
        client_id: "test".to_owned(),
        bootstrap: vec![("broker".to_owned(), 9092)],
        ..ClusterConfig::default()
    };
    let cluster = Cluster::new(config, [3; 32]);
    let events = Vec::new();
    Fake::new(Bare { cluster, events }, topics)
}

impl Fake<Bare> {
    fn list_groups(&mut self, target: Target) -> Token {
        let request = ListGroupsRequest::default();
        let token = self.client.cluster.request(self.now, target, request);
        self.client.advance(self.now);
        self.settle();
        token
    }

    fn results(&mut self) -> Vec<(Token, Result<Answer, ClientError>)> {
        self.client.advance(self.now);
        let events = std::mem::take(&mut self.client.events);
        let answers = events.into_iter().filter_map(|event| match event {
            ClusterEvent::Answer { token, result } => Some((token, result)),
            _ => None,
        });
        answers.collect()
    }

    fn only_error(&mut self) -> ClientError {
        let results = self.results();
        let [(_, Err(error))] = results.as_slice() else {
            panic!("{results:?}")
        };
        error.clone()
    }
}

fn leader_of(topic: &str, partition: i32) -> Target {
    Target::Leader(TopicPartition::new(topic, partition))
}

#[test]
fn a_request_opens_a_connection_and_gets_its_answer() {
    let mut fake = fake(&[]);
    let token = fake.list_groups(Target::Any);
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    assert_eq!(seen.header.client_id.as_deref(), Some("test"));
    assert_eq!(seen.header.api_version, 5);
    fake.answer(&seen, &ListGroupsResponse::default());
    let results = fake.results();
    let [(answered, Ok(answer))] = results.as_slice() else {
        panic!("{results:?}")
    };
    assert_eq!(*answered, token);
    answer.decode::<ListGroupsRequest>().unwrap();
}

#[test]
fn the_handshake_steps_down_and_versions_are_those_of_both_sides() {
    let mut fake = fake(&[]);
    fake.versions.insert(ApiKey::ApiVersions, (0, 2));
    fake.versions.insert(ApiKey::ListGroups, (0, 2));
    fake.missing.insert(ApiKey::Heartbeat);
    fake.list_groups(Target::Any);
    assert_eq!(fake.expect::<ListGroupsRequest>().0.header.api_version, 2);
    let now = fake.now;
    let beat = HeartbeatRequest::default();
    fake.client.cluster.request(now, Target::Any, beat);
    let error = fake.only_error();
    assert!(matches!(
        error.kind,
        ErrorKind::ServerDoesNotSupportApiKey {
            api: ApiKey::Heartbeat
        }
    ));
    assert!(!error.retriable);
}

#[test]
fn a_leader_is_asked_for_first_and_its_broker_gets_the_request() {
    let mut fake = fake(&[("t", &[0, 1])]);
    fake.brokers = vec![0, 1];
    fake.list_groups(leader_of("t", 1));
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    assert_eq!(seen.port, 9093);
    fake.answer(&seen, &ListGroupsResponse::default());
    fake.list_groups(leader_of("t", 0));
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    assert_eq!(seen.port, 9092);
    fake.answer(&seen, &ListGroupsResponse::default());
    assert_eq!(fake.asked, [(Some(vec!["t".to_owned()]), true)]);
    fake.results();
    fake.list_groups(leader_of("t", 7));
    let error = fake.only_error();
    assert_eq!(
        error.error_code(),
        Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    );
}

#[test]
fn only_topics_that_are_needed_may_be_created() {
    let mut fake = fake(&[("t", &[0])]);
    fake.client.cluster.track_topics(fake.now, ["t"]);
    fake.settle();
    fake.topics.clear();
    fake.client.cluster.refresh_metadata(fake.now);
    fake.settle();
    fake.pass(300_000);
    let t = || Some(vec!["t".to_owned()]);
    assert_eq!(fake.asked, [(t(), true), (t(), false), (t(), false)]);
    let metadata = fake.client.cluster.metadata();
    assert_eq!(metadata.topic("t"), None);
    assert_eq!(
        metadata.topic_error("t"),
        Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    );
    fake.client.cluster.track_topics(fake.now, ["t"]);
    fake.settle();
    assert_eq!(fake.asked.last(), Some(&(t(), true)));
}

#[test]
fn questions_about_topics_are_not_asked_twice_at_once() {
    let mut fake = fake(&[("t", &[0]), ("u", &[0])]);
    fake.answer_metadata = false;
    fake.client.cluster.track_topics(fake.now, ["t"]);
    for _ in 0..3 {
        fake.client.cluster.refresh_metadata(fake.now);
    }
    fake.client.cluster.track_topics(fake.now, ["u"]);
    assert_eq!(fake.waiting(), 1);
    let (seen, _) = fake.expect::<crate::protocol::messages::MetadataRequest>();
    fake.answer(
        &seen,
        &crate::protocol::messages::MetadataResponse::default(),
    );
    let (seen, asked) = fake.expect::<crate::protocol::messages::MetadataRequest>();
    let names: Vec<_> = asked
        .topics
        .iter()
        .flatten()
        .map(|t| t.name.clone())
        .collect();
    // "t" is still unknown and needed no more; "u" was added meanwhile; the rest comes after.
    assert_eq!(names, [Some("u".to_owned())]);
    fake.answer(
        &seen,
        &crate::protocol::messages::MetadataResponse::default(),
    );
    let (_, asked) = fake.expect::<crate::protocol::messages::MetadataRequest>();
    assert_eq!(asked.topics.unwrap().len(), 2);
    assert_eq!(fake.waiting(), 0);
}

#[test]
fn an_older_leader_epoch_of_the_same_topic_is_ignored() {
    let mut fake = fake(&[("t", &[0])]);
    fake.brokers = vec![0, 1];
    fake.topics.get_mut("t").unwrap().partitions = vec![(1, 5)];
    fake.client.cluster.track_topics(fake.now, ["t"]);
    fake.settle();
    let leader = |fake: &Fake<Bare>| fake.client.cluster.metadata().leader("t", 0);
    assert_eq!(leader(&fake), Some(1));
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 4)];
    fake.client.cluster.refresh_metadata(fake.now);
    fake.settle();
    assert_eq!(leader(&fake), Some(1));
    // Another topic of the same name starts anew.
    fake.topics.get_mut("t").unwrap().id = crate::types::Uuid([9; 16]);
    fake.client.cluster.refresh_metadata(fake.now);
    fake.settle();
    assert_eq!(leader(&fake), Some(0));
    // Another answer may tell a newer leader, not an older one.
    let metadata = fake.client.cluster.metadata_mut();
    assert!(!metadata.leader_changed("t", 0, 1, 4));
    assert!(metadata.leader_changed("t", 0, 1, 6));
    assert_eq!(leader(&fake), Some(1));
}

#[test]
fn a_coordinator_has_a_connection_of_its_own() {
    let mut fake = fake(&[]);
    fake.list_groups(Target::Node(0));
    assert!(matches!(fake.only_error().kind, ErrorKind::BrokerNotFound));
    fake.client.cluster.refresh_metadata(fake.now);
    fake.settle();
    fake.list_groups(Target::Node(0));
    let (main, _) = fake.expect::<ListGroupsRequest>();
    fake.answer(&main, &ListGroupsResponse::default());
    let key = CoordinatorKey::Group("g".to_owned());
    fake.list_groups(Target::Coordinator(key.clone()));
    let (own, _) = fake.expect::<ListGroupsRequest>();
    assert_eq!((main.port, own.port), (9092, 9092));
    assert_ne!(main.conn, own.conn);
    assert_eq!(fake.client.cluster.coordinator(&key), Some(0));
}

#[test]
fn a_coordinator_that_is_not_there_yet_is_an_error_that_passes() {
    let mut fake = fake(&[]);
    fake.coordinator = None;
    let key = CoordinatorKey::Group("g".to_owned());
    fake.list_groups(Target::Coordinator(key.clone()));
    fake.list_groups(Target::Coordinator(key));
    let (seen, _) = fake.expect::<FindCoordinatorRequest>();
    assert_eq!(fake.waiting(), 0, "one question for both");
    let coordinator = crate::protocol::messages::find_coordinator::Coordinator {
        key: "g".to_owned(),
        error_code: ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ..Default::default()
    };
    let response = FindCoordinatorResponse {
        coordinators: vec![coordinator],
        ..FindCoordinatorResponse::default()
    };
    fake.answer(&seen, &response);
    let results = fake.results();
    assert_eq!(results.len(), 2);
    for (_, result) in results {
        let error = result.unwrap_err();
        assert_eq!(error.error_type(), Some("GROUP_COORDINATOR_NOT_AVAILABLE"));
        assert!(error.retriable);
    }
}

#[test]
fn a_refused_connection_says_so() {
    let mut fake = fake(&[]);
    fake.refused.insert(9092);
    fake.list_groups(Target::Any);
    let error = fake.only_error();
    let ErrorKind::Connection { broker, code } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(broker, "broker:9092");
    assert_eq!(code.as_deref(), Some("ECONNREFUSED"));
    // The next attempt waits for its turn, then succeeds.
    fake.refused.clear();
    fake.list_groups(Target::Any);
    assert_eq!(fake.waiting(), 0);
    fake.pass(100);
    fake.expect::<ListGroupsRequest>();
}

#[test]
fn an_unsent_request_to_any_broker_goes_to_the_next() {
    let mut fake = fake(&[]);
    fake.client.cluster.config.bootstrap = vec![
        ("broker".to_owned(), 9092),
        ("broker".to_owned(), 9093),
        ("broker".to_owned(), 9094),
    ];
    fake.refused.extend([9092, 9094]);
    fake.list_groups(Target::Any);
    assert_eq!(fake.expect::<ListGroupsRequest>().0.port, 9093);
}

#[test]
fn what_was_sent_fails_with_its_connection() {
    let mut fake = fake(&[]);
    fake.list_groups(Target::Any);
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    fake.cut(seen.conn);
    let error = fake.only_error();
    assert_eq!(error.name(), "KafkaJSConnectionClosedError");
    assert!(error.retriable);
}

#[test]
fn opening_takes_no_longer_than_configured() {
    let mut fake = fake(&[]);
    let token = fake
        .client
        .cluster
        .request(fake.now, Target::Any, ListGroupsRequest::default());
    // The host is told to open, but never reports.
    let opened = fake.client.poll_transmit();
    assert!(matches!(opened, Some(Transmit::Open { .. })), "{opened:?}");
    assert_eq!(fake.client.poll_timeout(), Some(Monotonic(2_000)));
    fake.pass(1_000);
    let results = fake.results();
    let [(failed, Err(error))] = results.as_slice() else {
        panic!("{results:?}")
    };
    assert_eq!(*failed, token);
    assert_eq!(error.name(), "KafkaJSConnectionError");
    assert_eq!(fake.closed.len(), 1);
}

#[test]
fn an_unanswered_request_times_out_and_ends_its_connection() {
    let mut fake = fake(&[]);
    fake.list_groups(Target::Any);
    fake.pass(20_000);
    fake.list_groups(Target::Any);
    fake.pass(10_000);
    let results = fake.results();
    let names: Vec<_> = results
        .iter()
        .map(|(_, result)| result.as_ref().unwrap_err().name())
        .collect();
    assert_eq!(
        names,
        ["KafkaJSRequestTimeoutError", "KafkaJSConnectionClosedError"]
    );
    assert_eq!(fake.closed.len(), 1);
}

#[test]
fn a_connection_has_no_more_unanswered_requests_than_allowed() {
    let mut fake = fake(&[]);
    fake.client.cluster.config.max_in_flight = 2;
    for _ in 0..5 {
        fake.list_groups(Target::Any);
    }
    assert_eq!(fake.waiting(), 2);
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    fake.answer(&seen, &ListGroupsResponse::default());
    assert_eq!(fake.waiting(), 2);
    assert_eq!(fake.results().len(), 1);
}

#[test]
fn an_answer_out_of_order_ends_the_connection() {
    let mut fake = fake(&[]);
    fake.list_groups(Target::Any);
    fake.list_groups(Target::Any);
    fake.expect::<ListGroupsRequest>();
    let (second, _) = fake.expect::<ListGroupsRequest>();
    fake.answer(&second, &ListGroupsResponse::default());
    assert_eq!(fake.results().len(), 2);
    assert_eq!(fake.closed, [second.conn]);
}

#[test]
fn nonsense_from_a_broker_is_an_error_not_a_panic() {
    for garbage in [
        &b""[..],
        b"\0\0",
        b"\0\0\0\0",
        b"\0\0\0\x01\0",
        b"\xff\xff\xff\xff\xff",
    ] {
        let mut fake = fake(&[]);
        fake.list_groups(Target::Any);
        let (seen, _) = fake.expect::<ListGroupsRequest>();
        let frame = Bytes::from_static(garbage);
        fake.client.handle_received(fake.now, seen.conn, frame);
        fake.settle();
        for (_, result) in fake.results() {
            if let Ok(answer) = result {
                let error = answer.decode::<ListGroupsRequest>().unwrap_err();
                assert_eq!(error.name(), "KafkaJSPartialMessageError");
            }
        }
    }
}

#[test]
fn a_cancelled_request_is_not_answered() {
    let mut fake = fake(&[]);
    let token = fake.list_groups(Target::Any);
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    fake.client.cluster.cancel(token);
    fake.answer(&seen, &ListGroupsResponse::default());
    assert_eq!(fake.results(), []);
    assert!(fake.client.cluster.cancelled.is_empty());
    assert!(fake.client.cluster.is_idle());
}

#[test]
fn bootstrap_connections_become_those_of_brokers_or_end() {
    let mut fake = fake(&[]);
    fake.client.cluster.refresh_metadata(fake.now);
    fake.settle();
    // The bootstrap address is broker 0's own: no second connection is made.
    fake.list_groups(Target::Node(0));
    fake.expect::<ListGroupsRequest>();
    assert_eq!(fake.open.len(), 1);
    // Here it is not.
    let mut fake = self::fake(&[]);
    fake.client.cluster.config.bootstrap = vec![("elsewhere".to_owned(), 19_092)];
    fake.client.cluster.refresh_metadata(fake.now);
    fake.settle();
    assert_eq!(fake.closed.len(), 1);
    fake.list_groups(Target::Any);
    assert_eq!(fake.expect::<ListGroupsRequest>().0.port, 9092);
}

#[test]
fn a_leader_that_cannot_be_reached_is_looked_up_again() {
    let mut fake = fake(&[("t", &[1])]);
    fake.brokers = vec![0, 1];
    fake.list_groups(leader_of("t", 0));
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    fake.refused.insert(9093);
    fake.cut(seen.conn);
    assert_eq!(fake.only_error().name(), "KafkaJSConnectionClosedError");
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 1)];
    fake.list_groups(leader_of("t", 0));
    assert_eq!(fake.expect::<ListGroupsRequest>().0.port, 9092);
}

#[test]
fn watchers_see_the_traffic() {
    let mut fake = fake(&[]);
    fake.client.cluster.watch(true);
    fake.list_groups(Target::Any);
    let (seen, _) = fake.expect::<ListGroupsRequest>();
    fake.pass(7);
    fake.answer(&seen, &ListGroupsResponse::default());
    let mut kinds = Vec::new();
    while let Some(event) = fake.client.cluster.poll_network_event() {
        match event {
            NetworkEvent::Connected { broker } => kinds.push(format!("connected {broker}")),
            NetworkEvent::RequestSent(info) => kinds.push(format!("sent {}", info.api_name())),
            NetworkEvent::Request {
                request, duration, ..
            } => kinds.push(format!("{} took {duration}", request.api_name())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        kinds,
        [
            "ApiVersions took 0",
            "connected broker:9092",
            "sent ListGroups",
            "ListGroups took 7"
        ]
    );
    let beat = HeartbeatResponse::default();
    assert_eq!(beat.error_code, ErrorCode::NONE);
}
