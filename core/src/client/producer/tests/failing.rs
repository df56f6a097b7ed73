//! What happens when something goes wrong, one thing at a time.

use super::*;

#[test]
fn a_lost_connection_repeats_the_same_bytes_in_order() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.warm_up();
    let mut ops = vec![fake.send_values("t", &["a"])];
    ops.push(fake.send_values("t", &["b", "c"]));
    ops.push(fake.send_values("t", &["d"]));
    let before: Vec<_> = (0..3).filter_map(|_| fake.take_produce()).collect();
    assert_eq!(before.len(), 3);
    let conn = before.first().unwrap().0.conn;
    fake.cut(conn);
    assert_eq!(fake.results().len(), 0);
    fake.pass(400);
    // The first alone, until it is answered; then the next.
    let mut offset = 0;
    for (_, sent) in &before {
        assert_eq!(fake.waiting(), 1);
        let (seen, part) = fake.single();
        assert_eq!(sent.first().unwrap().view.bytes(), part.view.bytes());
        fake.accept(&seen, &part, offset);
        offset += i64::from(part.view.header().records_count);
        fake.pass(400);
    }
    let results = fake.results();
    assert!(
        ops.iter().all(|op| results.get(op).unwrap().is_ok()),
        "{results:?}"
    );
}

#[test]
fn retries_come_to_an_end() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send_values("t", &["a"]);
    fake.give_id();
    let mut attempts = 0;
    while let Some((seen, mut parts)) = fake.take_produce() {
        let part = parts.pop().unwrap();
        attempts += 1;
        fake.refuse(&seen, &part, ErrorCode::NOT_ENOUGH_REPLICAS);
        fake.pass(30_000);
    }
    assert_eq!(attempts, 6);
    let error = fake.error_of(op);
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    let cause = error.cause.unwrap();
    assert_eq!(cause.error_type(), Some("NOT_ENOUGH_REPLICAS"));
    // What comes after it does not wait for what is missing: another epoch begins.
    fake.send_values("t", &["b"]);
    assert_eq!(fake.single().1.sequence(), (7, 1, 0));
}

#[test]
fn an_error_that_does_not_pass_is_raw() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send_values("t", &["a"]);
    fake.give_id();
    let (seen, part) = fake.single();
    fake.refuse(&seen, &part, ErrorCode::MESSAGE_TOO_LARGE);
    let error = fake.error_of(op);
    assert_eq!(error.name(), "KafkaJSProtocolError");
    assert_eq!((error.code(), error.retriable), (Some(10), false));
    assert!(error.help().unwrap().contains("max.message.bytes"));
}

#[test]
fn a_batch_of_several_sends_that_is_too_large_is_split() {
    let mut config = config();
    config.linger_ms = 5;
    let mut fake = fake(config, &[("t", &[0])]);
    let ops: Vec<_> = (0..4)
        .map(|i| fake.send_values("t", &[&i.to_string()]))
        .collect();
    fake.pass(5);
    fake.give_id();
    let (seen, part) = fake.single();
    assert_eq!(part.values().len(), 4);
    fake.refuse(&seen, &part, ErrorCode::MESSAGE_TOO_LARGE);
    let (seen, part) = fake.single();
    assert_eq!(
        (part.values(), part.sequence()),
        (vec!["0".to_owned(), "1".to_owned()], (7, 0, 0))
    );
    fake.accept(&seen, &part, 0);
    let (seen, part) = fake.single();
    assert_eq!((part.values().len(), part.sequence()), (2, (7, 0, 2)));
    fake.accept(&seen, &part, 2);
    let results = fake.results();
    for (op, offset) in ops.iter().zip(0..) {
        let Some(Ok(result)) = results.get(op) else {
            panic!("{results:?}")
        };
        assert_eq!(result.first().unwrap().base_offset, offset);
    }
    assert_eq!(fake.client.buffered_bytes(), 0);
}

#[test]
fn one_sends_bad_record_does_not_fail_another_send() {
    let mut config = config();
    config.linger_ms = 5;
    let mut fake = fake(config, &[("t", &[0])]);
    let good = fake.send_values("t", &["good"]);
    let bad = fake.send_values("t", &["bad", "bad"]);
    let late = fake.send_values("t", &["late"]);
    fake.pass(5);
    fake.give_id();
    let mut results = SortedMap::new();
    let mut offset = 0;
    while let Some((seen, mut parts)) = fake.take_produce() {
        let part = parts.pop().unwrap();
        if part.values().contains(&"bad".to_owned()) {
            fake.refuse(&seen, &part, ErrorCode::INVALID_RECORD);
        } else {
            fake.accept(&seen, &part, offset);
            offset += 1;
        }
        results.extend(fake.results());
    }
    assert!(results.get(&good).unwrap().is_ok());
    assert!(results.get(&late).unwrap().is_ok());
    let error = results.get(&bad).unwrap().as_ref().unwrap_err();
    assert_eq!(error.code(), Some(87));
}

#[test]
fn lost_records_are_an_error_and_a_new_epoch() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.send_values("t", &["a"]);
    fake.give_id();
    let (seen, part) = fake.single();
    fake.accept(&seen, &part, 0);
    let op = fake.send_values("t", &["b"]);
    let (seen, part) = fake.single();
    assert_eq!(part.sequence(), (7, 0, 1));
    fake.refuse(&seen, &part, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(fake.error_of(op).code(), Some(45));
    fake.send_values("t", &["c"]);
    assert_eq!(fake.single().1.sequence(), (7, 1, 0));
}

#[test]
fn what_follows_a_refused_batch_is_numbered_anew() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.warm_up();
    let refused = fake.send_values("t", &["a"]);
    let follows = fake.send_values("t", &["b"]);
    let (first, a) = fake.single();
    let (second, b) = fake.single();
    fake.refuse(&first, &a, ErrorCode::INVALID_REQUIRED_ACKS);
    assert_eq!(fake.waiting(), 0, "nothing new before all is answered");
    fake.refuse(&second, &b, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    let (seen, again) = fake.single();
    assert_eq!((again.values(), again.sequence()), (b.values(), (7, 1, 0)));
    fake.accept(&seen, &again, 3);
    let results = fake.results();
    assert!(results.get(&refused).unwrap().is_err());
    assert!(results.get(&follows).unwrap().is_ok());
}

#[test]
fn a_producer_that_the_broker_has_forgotten_gets_another_id() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send_values("t", &["a"]);
    fake.give_id();
    let (seen, part) = fake.single();
    fake.refuse(&seen, &part, ErrorCode::UNKNOWN_PRODUCER_ID);
    let (seen, _) = fake.expect::<InitProducerIdRequest>();
    let response = InitProducerIdResponse {
        producer_id: 8,
        ..InitProducerIdResponse::default()
    };
    fake.answer(&seen, &response);
    let (seen, part) = fake.single();
    assert_eq!(part.sequence(), (8, 0, 0));
    fake.accept(&seen, &part, 1);
    assert_eq!(fake.offset_of(op), 1);
}

#[test]
fn a_written_duplicate_counts_as_written() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send_values("t", &["a"]);
    fake.give_id();
    let (seen, part) = fake.single();
    fake.refuse(&seen, &part, ErrorCode::DUPLICATE_SEQUENCE_NUMBER);
    assert_eq!(fake.offset_of(op), -1);
}

#[test]
fn one_partitions_error_fails_the_send_after_all_are_answered() {
    let mut fake = fake(config(), &[("t", &[0, 0])]);
    let op = fake.send(Send::new("t", vec![at(0, "a"), at(1, "b")]));
    fake.give_id();
    let (seen, _) = fake.produce();
    let answer = |index, error_code| PartitionProduceResponse {
        index,
        error_code,
        ..PartitionProduceResponse::default()
    };
    let answers = vec![
        ("t", answer(0, ErrorCode::NONE)),
        ("t", answer(1, ErrorCode::NOT_LEADER_OR_FOLLOWER)),
    ];
    fake.respond(&seen, answers);
    assert!(fake.results().is_empty());
    fake.pass(400);
    let (seen, part) = fake.single();
    assert_eq!((part.partition, part.values()), (1, vec!["b".to_owned()]));
    fake.refuse(&seen, &part, ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    assert_eq!(fake.error_of(op).code(), Some(29));
}

#[test]
fn an_unknown_partition_is_looked_for_once_and_then_an_error() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send(Send::new("t", vec![at(3, "a")]));
    assert_eq!(fake.error_of(op).code(), Some(3));
    // One that was added meanwhile is found.
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 0); 4];
    fake.send(Send::new("t", vec![at(3, "a")]));
    fake.give_id();
    assert_eq!(fake.single().1.partition, 3);
}

/// Also when others wait behind it that could be tried at once.
#[test]
fn an_unknown_partition_is_looked_for_again_after_an_outage() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.send(Send::new("t", vec![at(0, "first")]));
    fake.give_id();
    let (seen, part) = fake.single();
    fake.accept(&seen, &part, 0);
    fake.refused.insert(9092);
    let open: Vec<_> = fake.open.keys().copied().collect();
    open.into_iter().for_each(|conn| fake.cut(conn));
    fake.send(Send::new("t", vec![at(3, "a")]));
    fake.pass(10);
    fake.send(Send::new("t", vec![at(0, "b")]));
    fake.refused.clear();
    fake.topics.get_mut("t").unwrap().partitions = vec![(0, 0); 4];
    fake.pass(1_000);
    let (_, request) = fake.expect::<ProduceRequest>();
    let topics = request.topic_data.iter();
    let partitions = topics.flat_map(|topic| &topic.partition_data);
    let mut partitions: Vec<_> = partitions.map(|data| data.index).collect();
    partitions.sort_unstable();
    assert_eq!(partitions, [0, 3]);
}

#[test]
fn an_unknown_topic_is_asked_for_again_until_it_is_there() {
    let mut fake = fake(config(), &[]);
    let op = fake.send_values("new", &["a"]);
    assert_eq!(
        fake.asked.last(),
        Some(&(Some(vec!["new".to_owned()]), true))
    );
    let topic = crate::client::fake::FakeTopic {
        id: crate::types::Uuid([1; 16]),
        partitions: vec![(0, 0)],
        error: ErrorCode::NONE,
    };
    fake.topics.insert("new".to_owned(), topic);
    fake.pass(400);
    fake.give_id();
    let (seen, part) = fake.single();
    fake.accept(&seen, &part, 0);
    assert_eq!(fake.offset_of(op), 0);
}

#[test]
fn a_topic_that_never_comes_is_given_up() {
    let mut fake = fake(config(), &[]);
    let op = fake.send_values("missing", &["a"]);
    fake.pass(30_000);
    let error = fake.error_of(op);
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    assert_eq!(error.cause.unwrap().code(), Some(3));
    assert_eq!(fake.asked.len(), 7, "connecting, one attempt, five repeats");
}

#[test]
fn a_topic_name_that_is_not_allowed_is_wrapped() {
    let mut fake = fake(config(), &[("bad", &[])]);
    fake.topics.get_mut("bad").unwrap().error = ErrorCode::INVALID_TOPIC_EXCEPTION;
    let op = fake.send_values("bad", &["a"]);
    let error = fake.error_of(op);
    assert_eq!(error.name(), "KafkaJSNonRetriableError");
    assert_eq!(error.cause.unwrap().code(), Some(17));
}

#[test]
fn a_moved_leader_gets_the_batch_as_it_was() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.brokers = vec![0, 1];
    let op = fake.send_values("t", &["a"]);
    fake.give_id();
    let (seen, before) = fake.single();
    fake.topics.get_mut("t").unwrap().partitions = vec![(1, 1)];
    fake.refuse(&seen, &before, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    fake.pass(400);
    let (seen, after) = fake.single();
    assert_eq!(seen.port, 9093);
    assert_eq!(after.view.bytes(), before.view.bytes());
    // The new leader says itself who leads now (KIP-951); no question is needed.
    let asked = fake.asked.len();
    let moved = PartitionProduceResponse {
        error_code: ErrorCode::NOT_LEADER_OR_FOLLOWER,
        current_leader: LeaderIdAndEpoch {
            leader_id: 0,
            leader_epoch: 2,
        },
        ..PartitionProduceResponse::default()
    };
    // Both brokers must be known for that.
    fake.client.cluster.refresh_metadata(fake.now);
    fake.settle();
    fake.respond(&seen, vec![("t", moved)]);
    fake.pass(800);
    let (seen, part) = fake.single();
    assert_eq!(seen.port, 9092);
    assert_eq!(fake.asked.len(), asked + 1);
    fake.accept(&seen, &part, 5);
    assert_eq!(fake.offset_of(op), 5);
}

#[test]
fn an_unreachable_broker_costs_each_send_its_own_attempts() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.send_values("t", &["a"]);
    fake.give_id();
    let (seen, _) = fake.single();
    fake.refused.insert(9092);
    fake.cut(seen.conn);
    fake.pass(6_000);
    let late = fake.send_values("t", &["late"]);
    fake.pass(5_000);
    let results = fake.results();
    assert_eq!(results.len(), 1, "the first is given up: {results:?}");
    let error = results.values().next().unwrap().as_ref().unwrap_err();
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    let cause = error.cause.as_ref().unwrap();
    assert_eq!(cause.name(), "KafkaJSConnectionError");
    fake.refused.clear();
    fake.pass(6_000);
    let (seen, part) = fake.single();
    assert_eq!(part.values(), ["late"]);
    fake.accept(&seen, &part, 1);
    assert_eq!(fake.offset_of(late), 1);
}

#[test]
fn a_broker_without_producer_ids_gets_plain_batches() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.missing.insert(ApiKey::InitProducerId);
    let conn = *fake.open.keys().next().unwrap();
    fake.cut(conn);
    fake.send_values("t", &["a"]);
    fake.send_values("t", &["b"]);
    fake.pass(400);
    assert_eq!(fake.waiting(), 1);
    assert_eq!(fake.single().1.sequence(), (-1, -1, -1));
    // Where they are required, that is an error.
    let mut config = config();
    config.idempotence = Idempotence::Required;
    let mut fake = Fake::new(Producer::new(config, [5; 32]), &[("t", &[0])]);
    fake.missing.insert(ApiKey::InitProducerId);
    fake.client.connect(fake.now);
    let op = fake.send_values("t", &["a"]);
    fake.pass(400);
    assert_eq!(
        fake.error_of(op).name(),
        "KafkaJSServerDoesNotSupportApiKey"
    );
}

#[test]
fn full_storage_is_an_error_of_its_own() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send_values("t", &["a"]);
    fake.give_id();
    let (seen, _) = fake.single();
    let answer = PartitionProduceResponse {
        error_code: ErrorCode::KAFKA_STORAGE_ERROR,
        error_message: Some("storage is full: QuotaExceededError".to_owned()),
        ..PartitionProduceResponse::default()
    };
    fake.respond(&seen, vec![("t", answer)]);
    let error = fake.error_of(op);
    assert!(matches!(
        error.kind,
        ErrorKind::QuotaExceeded { partition: 0, .. }
    ));
    assert_eq!(error.code(), Some(56));
    assert!(!error.retriable);
}

#[test]
fn connecting_gives_up_as_configured() {
    let mut fake = Fake::new(Producer::new(config(), [5; 32]), &[]);
    fake.refused.insert(9092);
    fake.client.connect(fake.now);
    fake.pass(30_000);
    let Some(ProducerEvent::Connected {
        result: Err(error), ..
    }) = fake.client.poll_event()
    else {
        panic!("no event")
    };
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    let cause = error.cause.unwrap();
    assert_eq!(cause.name(), "KafkaJSConnectionError");
    assert_eq!(fake.client.poll_timeout(), None);
}
