//! A producer while its broker's storage fails and the broker crashes: nothing that was
//! acknowledged is lost, and nothing is written twice or out of order.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use partita_core::broker::StorageError;
use partita_core::client::producer::{ProducerRecord, Send};
use partita_core::client::{ErrorKind, RetryConfig, Rng};
use partita_core::protocol::ErrorCode;
use partita_core::protocol::messages::FetchRequest;
use partita_core::protocol::messages::fetch::{FetchPartition, FetchTopic};
use partita_core::records::Batches;
use partita_tests::drive::World;

use super::*;

/// The last version of Fetch that names topics.
const BY_NAME: i16 = 12;

/// Every record of a partition: its offset and its value.
fn log(world: &mut World, topic: &str, partition: i32) -> Vec<(i64, String)> {
    let connection = world.harness.connect();
    let mut found: Vec<(i64, String)> = Vec::new();
    loop {
        let fetch_offset = found.last().map_or(0, |(offset, _)| offset + 1);
        let request = FetchRequest {
            max_wait_ms: 0,
            min_bytes: 1,
            max_bytes: 1 << 20,
            topics: vec![FetchTopic {
                topic: topic.to_owned(),
                partitions: vec![FetchPartition {
                    partition,
                    fetch_offset,
                    partition_max_bytes: 1 << 20,
                    ..FetchPartition::default()
                }],
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        let response = world.harness.request(connection, &request, BY_NAME);
        let answer = response
            .responses
            .first()
            .unwrap()
            .partitions
            .first()
            .unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let before = found.len();
        for batch in Batches::new(answer.records.bytes().cloned().unwrap_or_default()) {
            for record in batch.unwrap().records(1 << 24).unwrap() {
                let record = record.unwrap();
                if record.offset >= fetch_offset {
                    let value = record.value.unwrap_or_default().to_vec();
                    found.push((record.offset, String::from_utf8(value).unwrap()));
                }
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// What is done to the broker, in thousandths of the times that its storage is about to work.
#[derive(Clone, Copy)]
struct Faults {
    failed_write: u64,
    lost_answer: u64,
    crash: u64,
}

/// Returns the counts of failed writes, lost answers and crashes, as they grow.
fn inject(target: &Target, faults: Faults, seed: u8) -> Rc<Cell<[u32; 3]>> {
    let mut rng = Rng::new([seed; 32]);
    let counts = Rc::new(Cell::new([0; 3]));
    let counter = Rc::clone(&counts);
    let count = move |which: usize| {
        let mut counts = counter.get();
        if let Some(count) = counts.get_mut(which) {
            *count += 1;
        }
        counter.set(counts);
    };
    target.set_fault(Some(Box::new(move |world| {
        if world.harness.writes_waiting() == 0 {
            return;
        }
        let roll = rng.below(1_000);
        let reply = if roll < faults.failed_write {
            count(0);
            let why = StorageError::Other("the test says so".to_owned());
            world.harness.storage.fail_write(why)
        } else if roll < faults.failed_write + faults.lost_answer {
            count(1);
            world.harness.storage.lose_answer()
        } else {
            if roll < faults.failed_write + faults.lost_answer + faults.crash {
                count(2);
                world.crash();
            }
            None
        };
        if let Some(reply) = reply {
            world.harness.reply(reply);
        }
    })));
    counts
}

#[test]
fn acknowledged_records_are_there_once_and_in_order_whatever_the_broker_went_through() {
    let faults = Faults {
        failed_write: 60,
        lost_answer: 60,
        crash: 40,
    };
    let mut happened = [0; 3];
    for seed in 0..30 {
        let target = Target::ours();
        let mut admin = AdminRun::new(&target);
        admin.create("t", 2);
        let config = ProducerConfig {
            retry: RetryConfig {
                retries: None,
                max_retry_time_ms: 1_000,
                ..RetryConfig::default()
            },
            ..ProducerConfig::default()
        };
        let mut producer = ProducerRun::new(&target, config);
        let counts = inject(&target, faults, seed);
        let mut rng = Rng::new([seed ^ 0xff; 32]);
        let mut sends = BTreeMap::new();
        for number in 0..150 {
            let partition = i32::try_from(rng.below(2)).unwrap();
            let values: Vec<_> = (0..=rng.below(3))
                .map(|i| format!("{number}.{i}"))
                .collect();
            let records: Vec<_> = values
                .iter()
                .map(|value| ProducerRecord {
                    partition: Some(partition),
                    value: Some(Bytes::copy_from_slice(value.as_bytes())),
                    ..ProducerRecord::default()
                })
                .collect();
            let op = producer.start(Send::new("t", records));
            sends.insert(op, (partition, values));
            for _ in 0..rng.below(3) {
                producer.0.turn();
            }
        }
        let results = producer.finish(sends.len());
        target.set_fault(None);
        let mut world = target.world().borrow_mut();
        let logs = [log(&mut world, "t", 0), log(&mut world, "t", 1)];
        for (op, result) in results {
            let result = result.unwrap();
            let (partition, values) = sends.get(&op).unwrap();
            let written = result.first().unwrap();
            assert_eq!((result.len(), written.partition), (1, *partition));
            let log = logs.get(usize::try_from(*partition).unwrap()).unwrap();
            for (value, offset) in values.iter().zip(written.base_offset..) {
                let found: Vec<_> = log
                    .iter()
                    .filter(|(_, stored)| stored == value)
                    .map(|(at, _)| *at)
                    .collect();
                assert_eq!(found, [offset], "{value}, seed {seed}");
            }
        }
        for log in &logs {
            let order = |value: &str| {
                let (number, i) = value.split_once('.').unwrap();
                (number.parse::<u32>().unwrap(), i.parse::<u32>().unwrap())
            };
            let numbers: Vec<_> = log.iter().map(|(_, value)| order(value)).collect();
            assert!(numbers.is_sorted(), "seed {seed}: {numbers:?}");
        }
        let written: usize = logs.iter().map(Vec::len).sum();
        let sent: usize = sends.values().map(|(_, values)| values.len()).sum();
        assert_eq!(written, sent, "seed {seed}");
        for (sum, count) in happened.iter_mut().zip(counts.get()) {
            *sum += count;
        }
    }
    assert!(
        happened.iter().all(|count| *count >= 50),
        "too little happened: {happened:?}"
    );
}

#[test]
fn full_storage_is_told_at_once_and_sending_goes_on_when_there_is_room() {
    let target = Target::ours();
    let mut admin = AdminRun::new(&target);
    admin.create("t", 1);
    let mut producer = ProducerRun::new(&target, ProducerConfig::default());
    let send = |text: &str| {
        let record = ProducerRecord {
            value: Some(Bytes::copy_from_slice(text.as_bytes())),
            ..ProducerRecord::default()
        };
        Send::new("t", vec![record])
    };
    producer.send(send("before")).unwrap();
    target.set_fault(Some(Box::new(|world| {
        let why = StorageError::QuotaExceeded("QuotaExceededError".to_owned());
        if let Some(reply) = world.harness.storage.fail_write(why) {
            world.harness.reply(reply);
        }
    })));
    for _ in 0..3 {
        let error = producer.send(send("lost")).unwrap_err();
        let kind = &error.kind;
        assert!(matches!(kind, ErrorKind::QuotaExceeded { .. }), "{error:?}");
        assert!(error.help().is_some());
    }
    target.set_fault(None);
    let mut later = producer.send(send("after"));
    // The partition takes a moment to come back.
    for _ in 0..10 {
        if later.is_ok() {
            break;
        }
        later = producer.send(send("after"));
    }
    assert_eq!(later.unwrap().first().unwrap().base_offset, 1);
    let mut world = target.world().borrow_mut();
    let log = log(&mut world, "t", 0);
    let values: Vec<_> = log.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["before", "after"]);
}
