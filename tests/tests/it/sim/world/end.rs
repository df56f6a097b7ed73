//! The end: one more crash, and everything that was promised is read back over the protocol.

use std::collections::BTreeMap;

use partita_core::broker::ConnectionId;
use partita_core::protocol::messages::fetch::{FetchPartition, FetchTopic};
use partita_core::protocol::messages::offset_fetch::OffsetFetchRequestTopic;
use partita_core::protocol::messages::{FetchRequest, OffsetFetchRequest};
use partita_core::records::{Batches, DEFAULT_DECOMPRESSED_LIMIT};
use partita_core::testing::Harness;

use super::super::client::PARTITIONS;
use super::super::model::{GROUP, TOPIC};
use super::World;

impl World {
    /// Crashes once more, opens what is durable, and reads everything back over the protocol.
    pub(in crate::sim) fn check_the_end(&mut self) {
        self.crash_broker();
        let stored = self.stored.take().expect("the broker is down");
        let mut harness = Harness::opening(self.config.clone(), stored);
        harness.run();
        let connection = harness.connect();
        assert!(
            self.model.acknowledged_count() > 0,
            "nothing was ever acknowledged"
        );
        for partition in 0..PARTITIONS {
            let log = read_log(&mut harness, connection, partition);
            let end = i64::try_from(log.len()).unwrap_or(0);
            assert!(
                self.model.high_watermark(partition) <= end,
                "partition {partition} is cut"
            );
            self.model.check_log(partition, &log);
        }
        let request = OffsetFetchRequest {
            group_id: GROUP.to_owned(),
            topics: Some(vec![OffsetFetchRequestTopic {
                name: TOPIC.to_owned(),
                partition_indexes: (0..PARTITIONS).collect(),
            }]),
            ..OffsetFetchRequest::default()
        };
        let response = harness.request(connection, &request, 5);
        let committed = response.topics.iter().flat_map(|topic| &topic.partitions);
        let committed: BTreeMap<i32, i64> = committed
            .filter(|partition| partition.committed_offset >= 0)
            .map(|partition| (partition.partition_index, partition.committed_offset))
            .collect();
        self.model.recovered(&committed);
    }

    pub(in crate::sim) fn fingerprint(&self) -> String {
        format!("at {}: {}", self.now, self.model.fingerprint())
    }
}

fn read_log(harness: &mut Harness, connection: ConnectionId, partition: i32) -> Vec<(i64, String)> {
    let mut log = Vec::new();
    loop {
        let from = i64::try_from(log.len()).unwrap_or(0);
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
        let data = response
            .responses
            .first()
            .and_then(|topic| topic.partitions.first())
            .expect("the partition was asked for");
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
    }
}
