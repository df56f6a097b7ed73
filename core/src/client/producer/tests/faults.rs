//! A broker that keeps Kafka's rules for sequences, behind connections that break at random: what
//! was acknowledged must be there once, at its offset, in order.

use super::*;
use crate::client::Rng;

/// A partition's log, and what it knows of producers.
#[derive(Debug, Default)]
struct Log {
    records: Vec<String>,
    /// Per producer id: its epoch, and its last five batches: base sequence, count, base offset.
    producers: SortedMap<i64, Known>,
}

type Known = (i16, Vec<(i32, i32, usize)>);

impl Log {
    fn append(&mut self, part: &SentBatch) -> Result<usize, ErrorCode> {
        let header = part.view.header();
        let (id, epoch) = (header.producer_id, header.producer_epoch);
        let (base, count) = (header.base_sequence, header.records_count);
        let offset = self.records.len();
        let known = self.producers.entry(id).or_insert((epoch, Vec::new()));
        if epoch < known.0 {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if epoch > known.0 {
            if base != 0 {
                return Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
            }
            *known = (epoch, Vec::new());
        }
        let batches = &mut known.1;
        let duplicate = batches
            .iter()
            .find(|batch| (batch.0, batch.1) == (base, count));
        if let Some((_, _, offset)) = duplicate {
            return Ok(*offset);
        }
        let expected = batches.last().map(|(base, count, _)| base + count);
        if expected.is_some_and(|expected| expected != base) {
            return Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
        }
        batches.push((base, count, offset));
        if batches.len() > 5 {
            batches.remove(0);
        }
        self.records.extend(part.values());
        Ok(offset)
    }
}

/// How often which fault happens, in percent.
struct Faults {
    cut_before: u64,
    cut_after: u64,
    not_leader: u64,
    timed_out_after: u64,
    refused: u64,
    retries: Option<u32>,
}

struct Run {
    fake: Fake<Producer>,
    rng: Rng,
    logs: SortedMap<i32, Log>,
    /// What each send wrote, and where it was told that it is.
    sends: SortedMap<OpId, Vec<(i32, String)>>,
    written: SortedMap<OpId, Vec<PartitionResult>>,
    failed: usize,
    errors: Vec<ClientError>,
}

impl Run {
    fn step(&mut self, faults: &Faults) {
        for (op, result) in self.fake.results() {
            match result {
                Ok(results) => {
                    self.written.insert(op, results);
                }
                Err(error) => {
                    self.failed += 1;
                    self.errors.push(error);
                }
            }
        }
        if let Some((seen, _)) = self.fake.take::<InitProducerIdRequest>() {
            let response = InitProducerIdResponse {
                producer_id: 7,
                ..InitProducerIdResponse::default()
            };
            return self.fake.answer(&seen, &response);
        }
        let Some((seen, parts)) = self.fake.take_produce() else {
            return self.fake.pass(100);
        };
        let roll = self.rng.below(100);
        if roll < faults.cut_before {
            return self.fake.cut(seen.conn);
        }
        let mut answers = Vec::new();
        for part in &parts {
            let roll = self.rng.below(100);
            let result = if roll < faults.not_leader {
                Err(ErrorCode::NOT_LEADER_OR_FOLLOWER)
            } else if roll < faults.not_leader + faults.refused {
                Err(ErrorCode::POLICY_VIOLATION)
            } else {
                let log = self.logs.entry(part.partition).or_default();
                let appended = log.append(part);
                if self.rng.below(100) < faults.timed_out_after {
                    Err(ErrorCode::REQUEST_TIMED_OUT)
                } else {
                    appended
                }
            };
            let (error_code, base_offset) = match result {
                Ok(offset) => (ErrorCode::NONE, i64::try_from(offset).unwrap()),
                Err(code) => (code, -1),
            };
            let answer = PartitionProduceResponse {
                index: part.partition,
                error_code,
                base_offset,
                ..PartitionProduceResponse::default()
            };
            answers.push(("t", answer));
        }
        if self.rng.below(100) < faults.cut_after {
            return self.fake.cut(seen.conn);
        }
        self.fake.respond(&seen, answers);
    }

    fn send(&mut self, number: usize) {
        let count = 1 + self.rng.below(4);
        let records: Vec<_> = (0..count)
            .map(|i| {
                let partition = i32::try_from(self.rng.below(2)).unwrap();
                (partition, format!("{number}.{i}"))
            })
            .collect();
        let list: Vec<_> = records
            .iter()
            .map(|(partition, text)| at(*partition, text))
            .collect();
        let op = self.fake.send(Send::new("t", list));
        self.sends.insert(op, records);
    }

    /// Every acknowledged record is there exactly once, where it was said to be.
    fn check(&self, order: bool) {
        for (op, results) in &self.written {
            for result in results {
                let records = self.sends.get(op).unwrap();
                let here = records
                    .iter()
                    .filter(|(partition, _)| *partition == result.partition);
                let log = &self.logs.get(&result.partition).unwrap().records;
                for ((_, text), i) in here.zip(0..) {
                    let found: Vec<_> = log
                        .iter()
                        .zip(0..)
                        .filter(|(stored, _)| *stored == text)
                        .collect();
                    let [(_, offset)] = found.as_slice() else {
                        panic!("{text} is there {} times", found.len())
                    };
                    assert_eq!(*offset, result.base_offset + i, "{text}");
                }
            }
        }
        for log in self.logs.values() {
            let mut numbers = Vec::new();
            for text in &log.records {
                let (number, i) = text.split_once('.').unwrap();
                numbers.push((
                    number.parse::<usize>().unwrap(),
                    i.parse::<usize>().unwrap(),
                ));
            }
            if order {
                assert!(numbers.is_sorted(), "{numbers:?}");
            }
            let mut unique = numbers.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), numbers.len(), "written twice: {numbers:?}");
        }
    }
}

fn run(seed: u8, faults: &Faults) -> Run {
    let mut config = config();
    config.retry.retries = faults.retries;
    config.cluster.request_timeout_ms = 5_000;
    let mut run = Run {
        fake: fake(config, &[("t", &[0, 0])]),
        rng: Rng::new([seed; 32]),
        logs: SortedMap::new(),
        sends: SortedMap::new(),
        written: SortedMap::new(),
        failed: 0,
        errors: Vec::new(),
    };
    for number in 0..120 {
        run.send(number);
        for _ in 0..run.rng.below(4) {
            run.step(faults);
        }
    }
    let mut steps = 0;
    while run.written.len() + run.failed < run.sends.len() {
        run.step(faults);
        steps += 1;
        assert!(steps < 50_000, "it never ends");
    }
    assert_eq!(run.fake.client.buffered_bytes(), 0);
    run
}

#[test]
fn whatever_breaks_records_are_written_once_and_in_order() {
    let faults = Faults {
        cut_before: 8,
        cut_after: 8,
        not_leader: 8,
        timed_out_after: 8,
        refused: 0,
        retries: None,
    };
    for seed in 0..40 {
        let run = run(seed, &faults);
        assert_eq!(run.errors, [], "seed {seed}");
        run.check(true);
    }
}

#[test]
fn sends_that_are_given_up_never_harm_those_that_are_not() {
    let faults = Faults {
        cut_before: 15,
        cut_after: 15,
        not_leader: 10,
        timed_out_after: 10,
        refused: 5,
        retries: Some(1),
    };
    let mut failed = 0;
    for seed in 0..40 {
        let run = run(seed, &faults);
        failed += run.failed;
        run.check(false);
    }
    assert!(failed > 50, "only {failed} sends failed");
}
