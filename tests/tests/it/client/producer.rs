//! What a producer is told, and what is in the log afterwards.

use bytes::Bytes;
use partita_core::client::admin::{AdminResult, PartitionOffsets};
use partita_core::client::producer::{Idempotence, ProducerRecord, RecordList, Send};
use partita_core::records::Compression;

use super::*;

fn value(text: &str) -> ProducerRecord {
    ProducerRecord {
        value: Some(Bytes::copy_from_slice(text.as_bytes())),
        ..ProducerRecord::default()
    }
}

fn high_watermarks(admin: &mut AdminRun, topic: &str) -> Vec<i64> {
    match admin.run(|admin, now| admin.fetch_topic_offsets(now, topic)) {
        Ok(AdminResult::TopicOffsets(offsets)) => {
            let high = |offsets: &PartitionOffsets| offsets.high;
            offsets.iter().map(high).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn sends_are_written_in_order_with_every_codec_and_kind_of_acknowledgement() {
    for target in Target::all() {
        let topic = fresh(&target, "codecs");
        let mut admin = AdminRun::new(&target);
        admin.create(&topic, 1);
        let mut producer = ProducerRun::new(&target, ProducerConfig::default());
        let mut expected = 0;
        for compression in Compression::ALL {
            for acks in [-1, 1] {
                let records: Vec<_> = (0..10).map(|i| value(&i.to_string().repeat(100))).collect();
                let send = Send {
                    acks,
                    compression,
                    ..Send::new(&*topic, records)
                };
                let results = producer.send(send).unwrap();
                let offsets: Vec<_> = results
                    .iter()
                    .map(|r| (r.partition, r.base_offset))
                    .collect();
                assert_eq!(offsets, [(0, expected)], "{compression} acks={acks}");
                expected += 10;
            }
        }
        let send = Send {
            acks: 0,
            ..Send::new(&*topic, vec![value("unheard")])
        };
        assert_eq!(producer.send(send), Ok(Vec::new()));
        // A later acknowledged record is behind it.
        let last = producer
            .send(Send::new(&*topic, vec![value("last")]))
            .unwrap();
        assert_eq!(last.first().unwrap().base_offset, expected + 1);
        assert_eq!(high_watermarks(&mut admin, &topic), [expected + 2]);
        producer.disconnect();
    }
}

#[test]
fn many_unanswered_sends_keep_their_order() {
    for target in Target::all() {
        for idempotence in [Idempotence::Auto, Idempotence::Off, Idempotence::Required] {
            let topic = fresh(&target, &format!("order-{idempotence:?}"));
            let mut admin = AdminRun::new(&target);
            admin.create(&topic, 3);
            let config = ProducerConfig {
                idempotence,
                ..ProducerConfig::default()
            };
            let mut producer = ProducerRun::new(&target, config);
            let text = "x".repeat(500);
            let mut ops = Vec::new();
            for i in 0..600 {
                let record = ProducerRecord {
                    partition: Some(i % 3),
                    ..value(&text)
                };
                let records = vec![record; 20];
                ops.push((producer.start(Send::new(&*topic, records)), i));
            }
            let mut results = producer.finish(ops.len());
            results.sort_by_key(|(op, _)| *op);
            for ((op, i), (ended, result)) in ops.iter().zip(results) {
                assert_eq!(*op, ended);
                let result = result.unwrap();
                let offsets: Vec<_> = result
                    .iter()
                    .map(|r| (r.partition, r.base_offset))
                    .collect();
                assert_eq!(offsets, [(i % 3, i64::from(i / 3) * 20)]);
            }
            assert_eq!(high_watermarks(&mut admin, &topic), [4_000; 3]);
            producer.disconnect();
        }
    }
}

#[test]
fn keyless_records_are_shared_equally_and_keyed_ones_stay_together() {
    for target in Target::all() {
        let topic = fresh(&target, "shares");
        let mut admin = AdminRun::new(&target);
        admin.create(&topic, 4);
        let mut producer = ProducerRun::new(&target, ProducerConfig::default());
        let records: Vec<_> = (0..400).map(|_| value("v")).collect();
        producer.send(Send::new(&*topic, records)).unwrap();
        assert_eq!(high_watermarks(&mut admin, &topic), [100; 4]);
        let keyed = ProducerRecord {
            key: Some(Bytes::from_static(b"foobar")),
            ..value("v")
        };
        let results = producer.send(Send::new(&*topic, vec![keyed; 7])).unwrap();
        // 1357151166, the hash of "foobar" without its sign, is 2 modulo 4.
        let places: Vec<_> = results
            .iter()
            .map(|r| (r.partition, r.base_offset))
            .collect();
        assert_eq!(places, [(2, 100)]);
    }
}

#[test]
fn refusals_have_kafkajs_classes_and_codes() {
    for target in Target::all() {
        let topic = fresh(&target, "refusals");
        let mut admin = AdminRun::new(&target);
        admin.create(&topic, 1);
        let mut producer = ProducerRun::new(&target, ProducerConfig::default());
        let refused = |producer: &mut ProducerRun, send: Send| {
            let error = producer.send(send).unwrap_err();
            (
                error.name(),
                error.code(),
                error.cause.map(|cause| cause.code()),
            )
        };
        let protocol = |code| ("KafkaJSProtocolError", Some(code), None);
        let large = value(&"x".repeat(2_000_000));
        let send = Send::new(&*topic, vec![large]);
        assert_eq!(refused(&mut producer, send), protocol(10));
        let send = Send {
            acks: 2,
            ..Send::new(&*topic, vec![value("a")])
        };
        assert_eq!(refused(&mut producer, send), protocol(21));
        let future = ProducerRecord {
            timestamp: Some(producer.0.now().wall.0 + 86_400_000),
            ..value("from tomorrow")
        };
        let send = Send::new(&*topic, vec![future]);
        assert_eq!(refused(&mut producer, send), protocol(32));
        let nowhere = ProducerRecord {
            partition: Some(9),
            ..value("a")
        };
        let send = Send::new(&*topic, vec![nowhere]);
        assert_eq!(refused(&mut producer, send), protocol(3));
        let send = Send::new("not a topic!", vec![value("a")]);
        let wrapped = ("KafkaJSNonRetriableError", None, Some(Some(17)));
        assert_eq!(refused(&mut producer, send), wrapped);
        // None of that is in the way of what comes after it.
        let results = producer
            .send(Send::new(&*topic, vec![value("fine")]))
            .unwrap();
        assert_eq!(results.first().unwrap().base_offset, 0);
        producer.disconnect();
    }
}

#[test]
fn a_topic_is_created_by_sending_to_it() {
    for target in Target::all() {
        let topic = fresh(&target, "created-by-sending");
        let mut producer = ProducerRun::new(&target, ProducerConfig::default());
        let records = RecordList::Single(vec![value("first")]);
        let results = producer.send(Send::new(&*topic, records)).unwrap();
        assert_eq!(results.first().unwrap().base_offset, 0);
        // Not by a client that must not.
        let mut config = ProducerConfig::default();
        config.retry.initial_retry_time_ms = 10;
        let mut drive = target.drive(Producer::new(
            ProducerConfig {
                cluster: partita_core::client::ClusterConfig {
                    allow_auto_topic_creation: false,
                    ..target.config()
                },
                ..config
            },
            [3; 32],
        ));
        let now = drive.now();
        drive.client.connect(now);
        let topic = fresh(&target, "not-created");
        let op = drive
            .client
            .send(now, Send::new(&*topic, vec![value("never")]));
        let error = drive.wait(|client| match client.poll_event()? {
            ProducerEvent::Sent { op: sent, result } if sent == op => result.err(),
            _ => None,
        });
        assert_eq!(error.name(), "KafkaJSNumberOfRetriesExceeded");
        assert_eq!(error.cause.unwrap().code(), Some(3));
    }
}
