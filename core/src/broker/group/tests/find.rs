//! FindCoordinator, and requests before there is a coordinator.

use super::*;

/// `KafkaApis.getCoordinator`: the first question creates `__consumer_offsets`.
#[test]
fn the_first_question_creates_the_offsets_topic() {
    let mut world = World::empty(&[]);
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["g".into(), "h".into()],
        ..Default::default()
    };
    let answer = world.ask(&request);
    for coordinator in &answer.coordinators {
        assert_eq!(coordinator.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
        assert_eq!((coordinator.node_id, coordinator.host.as_str()), (-1, ""));
        assert_eq!(coordinator.port, -1);
    }
    let answer = world.ask(&request);
    let found: Vec<_> = answer
        .coordinators
        .iter()
        .map(|c| (c.key.as_str(), c.error_code, c.host.as_str(), c.port))
        .collect();
    assert_eq!(
        found,
        [
            ("g", ErrorCode::NONE, "broker.test", 9092),
            ("h", ErrorCode::NONE, "broker.test", 9092)
        ],
        "the listener that was asked"
    );
    assert_eq!(
        answer.coordinators[0].node_id,
        world.broker.config.node_id()
    );
    assert_eq!(
        world.broker.metadata.offsets_topic().unwrap().partitions,
        50
    );
}

/// While the topic is not durable there is no coordinator.
#[test]
fn there_is_no_coordinator_before_the_topic_is_durable() {
    let mut world = World::empty(&[]);
    world.writes = Writes::Held;
    let request = FindCoordinatorRequest {
        key: "g".into(),
        ..Default::default()
    };
    for _ in 0..2 {
        let answer = world.ask_in(3, &request);
        assert_eq!(answer.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    }
    world.release(Writes::Done);
    assert_eq!(world.ask_in(3, &request).error_code, ErrorCode::NONE);
}

/// Every version answers in its own form.
#[test]
fn every_version_finds_the_coordinator() {
    let mut world = World::new();
    let request = FindCoordinatorRequest {
        key: "g".into(),
        coordinator_keys: vec!["g".into()],
        ..Default::default()
    };
    for version in FindCoordinatorRequest::VERSIONS.iter() {
        let request = match version {
            0..=3 => FindCoordinatorRequest {
                coordinator_keys: vec![],
                ..request.clone()
            },
            _ => FindCoordinatorRequest {
                key: String::new(),
                ..request.clone()
            },
        };
        let answer = world.ask_in(version, &request);
        let port = match answer.coordinators.first() {
            Some(coordinator) => coordinator.port,
            None => answer.port,
        };
        assert_eq!(port, 9092, "version {version}");
    }
}

/// `GroupCoordinatorService` for a partition that is not loaded here: `NOT_COORDINATOR`.
#[test]
fn without_the_offsets_topic_nobody_coordinates() {
    let mut world = World::empty(&[]);
    let join = world.a_join("g", "");
    assert_eq!(world.ask(&join).error_code, ErrorCode::NOT_COORDINATOR);
    assert_eq!(world.heartbeat("g", "m", 1), ErrorCode::NOT_COORDINATOR);
    let answer = world.ask_in(9, &a_fetch("g", "orders", &[0]));
    assert_eq!(answer.groups[0].error_code, ErrorCode::NOT_COORDINATOR);
    let answer = world.ask_in(1, &a_fetch("g", "orders", &[0]));
    let partition = &answer.topics[0].partitions[0];
    assert_eq!(
        (partition.error_code, partition.committed_offset),
        (ErrorCode::NOT_COORDINATOR, -1)
    );
    let listed = world.ask(&ListGroupsRequest::default());
    assert_eq!(
        (listed.error_code, listed.groups.len()),
        (ErrorCode::NONE, 0)
    );
}

/// SEMANTICS "What is advertised": before there are transactions they are refused in words.
#[test]
fn transactions_have_no_coordinator_yet() {
    let mut world = World::new();
    for key_type in [1, 2, 7] {
        let request = FindCoordinatorRequest {
            key: "tx".into(),
            key_type,
            ..Default::default()
        };
        let answer = world.ask_in(3, &request);
        assert_eq!(answer.error_code, ErrorCode::INVALID_REQUEST);
        let said = answer.error_message.unwrap();
        assert_eq!(said.contains("transactions"), key_type == 1, "{said}");
    }
}
