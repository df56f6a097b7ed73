//! How records are sent when nothing goes wrong.

use super::*;

#[test]
fn a_send_resolves_with_its_offset() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send_values("t", &["a", "b"]);
    fake.give_id();
    let (seen, part) = fake.single();
    assert_eq!(part.values(), ["a", "b"]);
    assert_eq!(part.sequence(), (7, 0, 0));
    assert_eq!(part.view.header().max_timestamp, fake.now.wall.0);
    fake.accept(&seen, &part, 40);
    let expected = PartitionResult {
        topic: "t".to_owned(),
        partition: 0,
        base_offset: 40,
        log_append_time: -1,
        log_start_offset: 0,
    };
    assert_eq!(fake.results().remove(&op), Some(Ok(vec![expected])));
    assert_eq!(fake.client.buffered_bytes(), 0);
}

#[test]
fn sends_are_pipelined_in_order_with_running_sequences() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.warm_up();
    let first = fake.send_values("t", &["a", "b", "c"]);
    let second = fake.send_values("t", &["d"]);
    let third = fake.send_values("t", &["e"]);
    let requests: Vec<_> = (0..3).map(|_| fake.single()).collect();
    let sequences: Vec<_> = requests.iter().map(|(_, part)| part.sequence()).collect();
    assert_eq!(sequences, [(7, 0, 1), (7, 0, 4), (7, 0, 5)]);
    for ((seen, part), offset) in requests.iter().zip([10, 13, 14]) {
        fake.accept(seen, part, offset);
    }
    let results = fake.results();
    let offsets = [first, second, third].map(|op| match results.get(&op) {
        Some(Ok(results)) => results.first().unwrap().base_offset,
        other => panic!("{other:?}"),
    });
    assert_eq!(offsets, [10, 13, 14]);
}

#[test]
fn the_first_batch_goes_alone() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.send_values("t", &["a"]);
    fake.give_id();
    fake.send_values("t", &["b"]);
    fake.send_values("t", &["c"]);
    assert_eq!(fake.waiting(), 1);
    let (seen, part) = fake.single();
    fake.accept(&seen, &part, 0);
    assert_eq!(fake.single().1.values(), ["b", "c"]);
}

#[test]
fn behind_five_unanswered_requests_sends_gather_in_one_batch() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.warm_up();
    fake.send_values("t", &["0"]);
    let mut ops = Vec::new();
    for i in 1..20 {
        ops.push(fake.send_values("t", &[&i.to_string(), "x"]));
    }
    assert_eq!(fake.waiting(), 5);
    let (seen, part) = fake.single();
    fake.accept(&seen, &part, 0);
    for _ in 0..4 {
        fake.single();
    }
    let (seen, part) = fake.single();
    assert_eq!(part.values().len(), 30);
    fake.accept(&seen, &part, 100);
    // Answers come in order on a connection, so the last request's answer ended it.
    assert_eq!(fake.closed, [seen.conn]);
}

#[test]
fn watchers_see_what_waits_behind_the_requests_allowed() {
    let config = ProducerConfig {
        max_in_flight: 1,
        ..config()
    };
    let mut fake = fake(config, &[("t", &[0])]);
    fake.warm_up();
    fake.client.cluster_mut().watch(true);
    let queued = |fake: &mut Fake<Producer>| {
        let events = std::iter::from_fn(|| fake.client.cluster_mut().poll_network_event());
        let sizes = events.filter_map(|event| match event {
            NetworkEvent::RequestQueueSize { queue_size, .. } => Some(queue_size),
            _ => None,
        });
        sizes.max()
    };
    fake.send_values("t", &["0"]);
    assert_eq!(queued(&mut fake), None);
    fake.send_values("t", &["1"]);
    assert_eq!(queued(&mut fake), Some(1));
}

#[test]
fn a_gathered_batch_tells_each_send_its_own_offset() {
    let mut config = config();
    config.linger_ms = 20;
    let mut fake = fake(config, &[("t", &[0])]);
    let first = fake.send_values("t", &["a", "b"]);
    fake.pass(10);
    let second = fake.send_values("t", &["c"]);
    assert_eq!(fake.waiting(), 0);
    fake.pass(10);
    fake.give_id();
    let (seen, part) = fake.single();
    assert_eq!(part.values(), ["a", "b", "c"]);
    fake.accept(&seen, &part, 50);
    let results = fake.results();
    let offset = |op| match results.get(&op) {
        Some(Ok(results)) => results.first().unwrap().base_offset,
        other => panic!("{other:?}"),
    };
    assert_eq!((offset(first), offset(second)), (50, 52));
}

#[test]
fn records_without_sequences_go_one_batch_at_a_time() {
    let mut fake = fake(config(), &[("t", &[0])]);
    for acks in [1, 1] {
        let mut send = Send::new("t", vec![value("a")]);
        send.acks = acks;
        fake.send(send);
    }
    assert_eq!(fake.waiting(), 1);
    let (seen, part) = fake.single();
    assert_eq!(part.sequence(), (-1, -1, -1));
    fake.accept(&seen, &part, 0);
    assert_eq!(fake.waiting(), 1);
}

#[test]
fn without_acknowledgement_a_send_ends_when_it_is_sent() {
    let mut fake = fake(config(), &[("t", &[0])]);
    for _ in 0..8 {
        let mut send = Send::new("t", vec![value("a")]);
        send.acks = 0;
        let op = fake.send(send);
        assert_eq!(fake.results().remove(&op), Some(Ok(Vec::new())));
    }
    assert_eq!(fake.waiting(), 8);
    assert_eq!(fake.client.buffered_bytes(), 0);
}

#[test]
fn nothing_to_send_is_sent_at_once() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let op = fake.send(Send::new("t", Vec::new()));
    assert_eq!(fake.results().remove(&op), Some(Ok(Vec::new())));
}

#[test]
fn keys_choose_partitions_and_the_rest_takes_turns() {
    let mut fake = fake(config(), &[("t", &[0, 0, 0])]);
    let keyed = ProducerRecord {
        key: Some(Bytes::from_static(b"foobar")),
        ..value("k")
    };
    let records = vec![
        value("a"),
        value("b"),
        value("c"),
        value("d"),
        keyed,
        at(2, "x"),
    ];
    let op = fake.send(Send::new("t", records));
    fake.give_id();
    let (seen, parts) = fake.produce();
    let shown: Vec<_> = parts
        .iter()
        .map(|part| (part.partition, part.values()))
        .collect();
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    // murmur2("foobar") without its sign is 1357151166, which is 0 modulo 3.
    assert_eq!(
        shown,
        [
            (0, texts(&["a", "d", "k"])),
            (1, texts(&["b"])),
            (2, texts(&["c", "x"]))
        ]
    );
    let answers = (0..3).map(|index| {
        let answer = PartitionProduceResponse {
            index,
            base_offset: i64::from(index),
            ..PartitionProduceResponse::default()
        };
        ("t", answer)
    });
    fake.respond(&seen, answers.collect());
    let results = fake.results().remove(&op).unwrap().unwrap();
    let offsets: Vec<_> = results
        .iter()
        .map(|r| (r.partition, r.base_offset))
        .collect();
    assert_eq!(offsets, [(0, 0), (1, 1), (2, 2)]);
}

#[test]
fn a_full_buffer_makes_sends_wait_and_then_fail() {
    let mut config = config();
    config.buffer_memory = 10_000;
    config.max_block_ms = 2_000;
    let mut fake = fake(config, &[("t", &[0])]);
    let big = "x".repeat(6_000);
    fake.send_values("t", &[&big]);
    fake.give_id();
    assert!(!fake.client.is_full());
    let second = fake.send_values("t", &[&big]);
    let third = fake.send_values("t", &["small"]);
    assert!(fake.client.is_full());
    let (seen, part) = fake.single();
    assert_eq!(fake.waiting(), 0);
    fake.pass(1_000);
    fake.accept(&seen, &part, 0);
    // What had to wait gathers in one batch too.
    let (seen, part) = fake.single();
    assert!(part.values() == [big.clone(), "small".to_owned()]);
    let fourth = fake.send_values("t", &[&big]);
    fake.pass(2_000);
    let error = fake.error_of(fourth);
    assert_eq!((error.name(), error.retriable), ("KafkaJSTimeout", false));
    fake.accept(&seen, &part, 1);
    let results = fake.results();
    let offset = |op| {
        results
            .get(&op)
            .map(|result| result.as_ref().unwrap().first().unwrap().base_offset)
    };
    assert_eq!((offset(second), offset(third)), (Some(1), Some(2)));
    // A send that is larger than the whole buffer goes when it is empty.
    let op = fake.send_values("t", &[&"y".repeat(20_000)]);
    let (seen, part) = fake.single();
    fake.accept(&seen, &part, 3);
    assert_eq!(fake.offset_of(op), 3);
    assert_eq!(fake.client.buffered_bytes(), 0);
}

#[test]
fn packed_records_make_the_same_batch() {
    let records = vec![
        ProducerRecord {
            key: Some(Bytes::from_static(b"k")),
            headers: vec![("h".to_owned(), None), ("h".to_owned(), Some(Bytes::new()))],
            ..value("one")
        },
        ProducerRecord {
            timestamp: Some(12),
            ..ProducerRecord::default()
        },
    ];
    let mut batches = Vec::new();
    for packed in [false, true] {
        let mut fake = fake(config(), &[("t", &[0])]);
        if packed {
            let buffer = record::tests::pack(&records);
            fake.client.send_packed(fake.now, "t", buffer).unwrap();
        } else {
            fake.client.send(fake.now, Send::new("t", records.clone()));
        }
        fake.give_id();
        batches.push(fake.single().1.view.bytes().clone());
    }
    assert_eq!(batches.first(), batches.last());
    let mut fake = fake(config(), &[]);
    let now = fake.now;
    let error = fake.client.send_packed(now, "t", Bytes::from_static(b"??"));
    assert_eq!(error.unwrap_err().name(), "KafkaJSNonRetriableError");
}

#[test]
fn a_large_send_is_split_into_requests_of_the_configured_size() {
    let mut fake = fake(config(), &[("t", &[0])]);
    let text = "x".repeat(1_000);
    let records: Vec<_> = (0..2_500).map(|_| value(&text)).collect();
    let op = fake.send(Send::new("t", records));
    fake.give_id();
    let mut offset = 0;
    let mut sizes = Vec::new();
    while let Some((seen, mut parts)) = fake.take_produce() {
        let part = parts.pop().unwrap();
        sizes.push(part.view.bytes().len());
        fake.accept(&seen, &part, offset);
        offset += i64::from(part.view.header().records_count);
    }
    assert_eq!((offset, sizes.len()), (2_500, 3));
    assert!(sizes.iter().all(|size| *size <= 1 << 20), "{sizes:?}");
    assert_eq!(fake.offset_of(op), 0);
}

#[test]
fn batches_are_compressed_as_the_send_says() {
    for compression in Compression::ALL {
        let mut fake = fake(config(), &[("t", &[0])]);
        let mut send = Send::new("t", vec![value(&"x".repeat(10_000))]);
        send.compression = compression;
        let op = fake.send(send);
        fake.give_id();
        if compression.is_available() {
            let (_, part) = fake.single();
            assert_eq!(part.view.header().compression().unwrap(), compression);
            assert_eq!(part.values(), ["x".repeat(10_000)]);
        } else {
            assert_eq!(fake.error_of(op).name(), "KafkaJSNotImplemented");
        }
    }
}

#[test]
fn old_brokers_get_old_versions_and_names() {
    let mut fake = fake(config(), &[("t", &[0])]);
    for (api, max) in [
        (ApiKey::Produce, 7),
        (ApiKey::Metadata, 7),
        (ApiKey::InitProducerId, 1),
    ] {
        fake.versions.insert(api, (0, max));
    }
    let conn = *fake.open.keys().next().unwrap();
    fake.cut(conn);
    fake.topics.get_mut("t").unwrap().id = crate::types::Uuid::ZERO;
    let op = fake.send_values("t", &["a"]);
    fake.pass(400);
    fake.give_id();
    let (seen, request) = fake.expect::<ProduceRequest>();
    assert_eq!(seen.header.api_version, 7);
    assert_eq!(request.topic_data.first().unwrap().name, "t");
    let answer = PartitionProduceResponse::default();
    fake.respond(&seen, vec![("t", answer)]);
    assert_eq!(fake.offset_of(op), 0);
}

#[test]
fn sends_are_checked_before_anything_else() {
    let mut fake = Fake::new(Producer::new(config(), [5; 32]), &[("t", &[0])]);
    let op = fake.send_values("t", &["a"]);
    let error = fake.error_of(op);
    assert_eq!((error.name(), error.retriable), ("KafkaJSError", true));
    fake.client.connect(fake.now);
    let op = fake.send_values("", &["a"]);
    assert_eq!(fake.error_of(op).message, "Invalid topic");
    fake.client.config.idempotence = Idempotence::Required;
    let mut send = Send::new("t", vec![value("a")]);
    send.acks = 1;
    let op = fake.send(send);
    assert_eq!(fake.error_of(op).name(), "KafkaJSNonRetriableError");
}

#[test]
fn disconnecting_waits_for_what_is_under_way() {
    let mut config = config();
    config.linger_ms = 1_000_000;
    let mut fake = fake(config, &[("t", &[0])]);
    let op = fake.send_values("t", &["a"]);
    let disconnect = fake.client.disconnect(fake.now);
    fake.settle();
    let refused = fake.send_values("t", &["b"]);
    assert_eq!(fake.error_of(refused).name(), "KafkaJSNonRetriableError");
    fake.give_id();
    let (seen, part) = fake.single();
    fake.accept(&seen, &part, 0);
    let mut events = Vec::new();
    while let Some(event) = fake.client.poll_event() {
        events.push(event);
    }
    let [
        ProducerEvent::Sent { op: sent, result },
        ProducerEvent::Disconnected { op: ended },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((*sent, *ended), (op, disconnect));
    assert!(result.is_ok());
    assert!(fake.open.is_empty());
    assert_eq!(fake.client.poll_timeout(), None);
    // It can be connected again, and goes on in its sequence.
    fake.client.connect(fake.now);
    fake.client.config.linger_ms = 0;
    fake.send_values("t", &["c"]);
    assert_eq!(fake.single().1.sequence(), (7, 0, 1));
}

#[test]
fn a_topics_partitions_are_told_to_a_partitioner_of_the_hosts_own() {
    let mut fake = fake(config(), &[("t", &[0, -1])]);
    for _ in 0..2 {
        let wanted = fake.client.fetch_partitions(fake.now, "t");
        fake.settle();
        let Some(ProducerEvent::Partitions {
            op,
            result: Ok(partitions),
        }) = fake.client.poll_event()
        else {
            panic!("no partitions")
        };
        assert_eq!(op, wanted);
        let leaders: Vec<_> = partitions.iter().map(|p| (p.partition, p.leader)).collect();
        assert_eq!(leaders, [(0, 0), (1, -1)]);
    }
    fake.client.fetch_partitions(fake.now, "missing");
    fake.pass(30_000);
    let Some(ProducerEvent::Partitions {
        result: Err(error), ..
    }) = fake.client.poll_event()
    else {
        panic!("no error")
    };
    assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
    assert_eq!(error.cause.unwrap().code(), Some(3));
    assert_eq!(fake.client.poll_timeout().filter(|at| at.0 < 300_000), None);
}

#[test]
fn connecting_while_disconnecting_comes_after_it() {
    let mut fake = fake(config(), &[("t", &[0])]);
    fake.warm_up();
    fake.send_values("t", &["a"]);
    let (seen, part) = fake.single();
    let disconnect = fake.client.disconnect(fake.now);
    let connect = fake.client.connect(fake.now);
    fake.settle();
    fake.accept(&seen, &part, 1);
    let mut events = Vec::new();
    while let Some(event) = fake.client.poll_event() {
        events.push(match event {
            ProducerEvent::Sent { .. } => None,
            ProducerEvent::Disconnected { op } => Some(op),
            ProducerEvent::Connected { op, result } => {
                result.unwrap();
                Some(op)
            }
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(events, [None, Some(disconnect), Some(connect)]);
    assert!(fake.client.is_connected());
}
