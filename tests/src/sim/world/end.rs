//! The end: all faults are over, everyone finishes and the group drains; then one more crash, and
//! everything that was promised is read back over the protocol.

use std::collections::BTreeMap;

use partita_core::broker::ConnectionId;
use partita_core::protocol::ErrorCode;
use partita_core::protocol::messages::fetch::{FetchPartition, FetchTopic, PartitionData};
use partita_core::protocol::messages::offset_fetch::OffsetFetchRequestTopic;
use partita_core::protocol::messages::{FetchRequest, OffsetFetchRequest};
use partita_core::records::{Batches, DEFAULT_DECOMPRESSED_LIMIT};
use partita_core::testing::Harness;
use partita_core::time::Monotonic;

use super::super::client::Program;
use super::super::client::SESSION;
use super::super::model::{GROUP, Place, TOPIC};
use super::{HEALING, PATIENCE, Packet, QUIET, World};

impl World {
    /// No more faults: everything acknowledged must arrive, every send be answered, the group be
    /// stable and at the end of what it reads; and then nothing may happen any more.
    pub(in crate::sim) fn heal(&mut self) {
        self.healing = true;
        self.full_until = 0;
        let ends = Monotonic(self.now + 500);
        for program in &mut self.programs {
            match program {
                Program::Producer(writer) => writer.ends = ends,
                Program::Admin(keeper) => keeper.ends = true,
                Program::Consumer(_) => {}
            }
        }
        // Who takes a static member's place gets its share, and no rebalance begins: whatever that
        // one still had to do is done at the next rebalance only, as in Kafka. So there is one.
        let is_member = |it: &Program| matches!(it, Program::Consumer(_));
        if self.static_members
            && let Some(index) = self.programs.iter().position(is_member)
        {
            self.kill_member_for(index, true, 4 * SESSION);
        }
        let by = self.now + HEALING;
        let mut quiet: Option<(u64, i32)> = None;
        loop {
            self.step();
            let restless = self.restless();
            let generation = self.model.group.now().map_or(-1, |(it, ..)| it);
            quiet = match (restless.as_str(), quiet) {
                ("", None) => Some((self.now + QUIET, generation)),
                ("", Some((until, before))) if before == generation => {
                    if self.now >= until {
                        break;
                    }
                    quiet
                }
                _ => None,
            };
            if self.now >= by {
                let clients: Vec<String> = self.programs.iter().map(Program::describe).collect();
                panic!("it did not heal: {restless}\n{}", clients.join("\n"));
            }
        }
        if let Some((api, since)) = self.tap.oldest() {
            let waits = self.now.saturating_sub(since);
            assert!(waits < PATIENCE, "{api:?} has waited {waits} ms");
        }
    }

    /// What is still to be done; empty if there is nothing.
    fn restless(&self) -> String {
        let now = self.clock();
        let mut members = 0;
        for program in &self.programs {
            let done = match program {
                Program::Producer(writer) => writer.is_done(now),
                Program::Admin(keeper) => keeper.is_done(),
                Program::Consumer(member) => {
                    members += 1;
                    member.is_stable()
                }
            };
            if !done {
                return program.describe();
            }
        }
        if !self.held.is_empty() || !self.dead.is_empty() {
            return "somebody stands still, or is to come back".to_owned();
        }
        if self
            .wire
            .values()
            .any(|it| matches!(it, Packet::Storage(_)))
        {
            return "storage is at work".to_owned();
        }
        let missing = self.model.not_delivered();
        if !missing.is_empty() {
            return format!("not delivered: {missing:?}");
        }
        let behind = self.model.behind();
        if !behind.is_empty() {
            return format!("not committed: {behind:?}");
        }
        let places = self.model.places();
        match self.model.group.now() {
            Some((_, "Stable", count, owned))
                if count == members
                    && places.len() == owned.len()
                    && places.iter().all(|place| owned.contains(place)) =>
            {
                String::new()
            }
            other => format!("the group is {other:?}, of {members} members and {places:?}"),
        }
    }

    /// Crashes once more, opens what is durable, and reads everything back over the protocol.
    pub(in crate::sim) fn check_the_end(&mut self) {
        let partitions = self.model.partitions_of(TOPIC);
        let ends: Vec<(i64, i64)> = (0..partitions).map(|it| self.model.bounds(it)).collect();
        self.crash_broker();
        let stored = self.stored.take().expect("the broker is down");
        let mut harness = Harness::opening(self.config.clone(), stored);
        harness.run();
        let connection = harness.connect();
        let (acknowledged, _) = self.model.counts();
        assert!(acknowledged > 0, "nothing was ever acknowledged");
        for (partition, (start, end)) in (0..).zip(ends) {
            let log = read_log(&mut harness, connection, partition, start);
            let next = log.last().map_or(start, |(offset, _)| offset + 1);
            assert!(end <= next, "partition {partition} is cut at {next}");
            self.model.check_log(partition, start, &log);
        }
        let request = OffsetFetchRequest {
            group_id: GROUP.to_owned(),
            topics: Some(vec![OffsetFetchRequestTopic {
                name: TOPIC.to_owned(),
                partition_indexes: (0..partitions).collect(),
            }]),
            ..OffsetFetchRequest::default()
        };
        let response = harness.request(connection, &request, 5);
        let committed = response.topics.iter().flat_map(|topic| &topic.partitions);
        let committed: BTreeMap<Place, i64> = committed
            .filter(|partition| partition.committed_offset >= 0)
            .map(|it| ((TOPIC.to_owned(), it.partition_index), it.committed_offset))
            .collect();
        self.model.group.recovered(&committed);
    }
}

fn fetch(
    harness: &mut Harness,
    connection: ConnectionId,
    partition: i32,
    from: i64,
) -> PartitionData {
    let request = FetchRequest {
        max_wait_ms: 0,
        min_bytes: 0,
        topics: vec![FetchTopic {
            topic: TOPIC.to_owned(),
            partitions: vec![FetchPartition {
                partition,
                fetch_offset: from,
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    let response = harness.request(connection, &request, 11);
    let topic = response.responses.into_iter().next();
    let data = topic.and_then(|topic| topic.partitions.into_iter().next());
    data.expect("the partition was asked for")
}

/// Every record from the log start on. What lies below it is out of range.
fn read_log(
    harness: &mut Harness,
    connection: ConnectionId,
    partition: i32,
    start: i64,
) -> Vec<(i64, String)> {
    if start > 0 {
        let below = fetch(harness, connection, partition, start - 1);
        assert_eq!(below.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    let mut log = Vec::new();
    let mut from = start;
    loop {
        let data = fetch(harness, connection, partition, from);
        assert!(data.error_code.is_none(), "{:?}", data.error_code);
        let bytes = data.records.bytes().cloned().unwrap_or_default();
        let before = log.len();
        for batch in Batches::new(bytes) {
            let batch = batch.expect("the batch is whole");
            batch.validate().expect("the batch is sound");
            for record in batch
                .records(DEFAULT_DECOMPRESSED_LIMIT)
                .expect("it has records")
            {
                let record = record.expect("the record can be read");
                if record.offset >= from {
                    let value = record.value.expect("every record has a value");
                    let value = String::from_utf8(value.to_vec()).expect("values are text");
                    log.push((record.offset, value));
                }
            }
        }
        if log.len() == before {
            return log;
        }
        from = log.last().map_or(start, |(offset, _)| offset + 1);
    }
}
