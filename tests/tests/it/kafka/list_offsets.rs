//! ListOffsets, OffsetForLeaderEpoch and DeleteRecords: places in a log.

use partita_core::protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use partita_core::protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use partita_core::protocol::messages::offset_for_leader_epoch::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use partita_core::protocol::messages::{
    DeleteRecordsRequest, ListOffsetsRequest, OffsetForLeaderEpochRequest,
};
use partita_core::records::{BatchBuilder, Compression};
use partita_core::types::Uuid;

use super::records::{AT, batch, batch_at, compressed, fetch};
use super::scribe::Scribe;

pub(super) fn ask(scribe: &mut Scribe) {
    scribe.create("plain", 2, &[]);
    scribe.create("empty", 2, &[]);
    scribe.create("compact", 1, &[("cleanup.policy", "compact")]);
    scribe.create("stamped", 1, &[("message.timestamp.type", "LogAppendTime")]);
    // Offsets 0 to 2 at AT.., 3 and 4 later, 5 and 6 earlier again, then one batch of each codec.
    scribe.append("plain", 1, batch(&["a", "b", "c"]));
    scribe.append(
        "plain",
        1,
        batch_at(&["d", "e"], AT + 1_000, BatchBuilder::new()),
    );
    scribe.append(
        "plain",
        1,
        batch_at(&["f", "g"], AT + 10, BatchBuilder::new()),
    );
    for (at, codec) in (2..).map(|n| AT + n * 1_000).zip(Compression::ALL) {
        scribe.append("plain", 1, compressed(&["h", "i", "j"], at, codec));
    }
    // The same largest timestamp twice.
    scribe.append(
        "plain",
        1,
        batch_at(&["k"], AT + 9_000, BatchBuilder::new()),
    );
    scribe.append(
        "plain",
        1,
        batch_at(&["l"], AT + 9_000, BatchBuilder::new()),
    );
    scribe.append("stamped", 0, batch(&["a", "b"]));
    scribe.peer.settle(10);
    scribe.append("stamped", 0, compressed(&["c", "d"], AT, Compression::Gzip));
    for version in 1..=11 {
        lists(scribe, version);
    }
    for version in 2..=4 {
        epochs(scribe, version);
    }
    for version in 0..=2 {
        deletes(scribe, version);
    }
}

fn list(name: &str, partition_index: i32, timestamp: i64) -> ListOffsetsRequest {
    ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: name.to_owned(),
            partitions: vec![ListOffsetsPartition {
                partition_index,
                timestamp,
                ..ListOffsetsPartition::default()
            }],
        }],
        timeout_ms: 1_000,
        ..ListOffsetsRequest::default()
    }
}

fn lists(scribe: &mut Scribe, version: i16) {
    let [plain, empty, stamped, unknown] =
        ["plain", "empty", "stamped", "unknown"].map(|name| scribe.name(name));
    for time in [-1, -2, -3, -4, -5, -6, -7, 0, AT] {
        for (what, name, partition) in [
            ("", &plain, 1),
            ("empty log, ", &empty, 0),
            ("append time, ", &stamped, 0),
        ] {
            let request = list(name, partition, time);
            scribe.ask(&format!("list {what}{time}"), version, &request);
        }
    }
    for after in [
        1, 2, 3, 11, 1_000, 1_001, 1_002, 2_001, 3_001, 4_002, 5_000, 5_002, 6_001, 9_000, 9_001,
    ] {
        let request = list(&plain, 1, AT + after);
        scribe.ask(&format!("list at {after}"), version, &request);
    }
    scribe.ask("list unknown topic", version, &list(&unknown, 0, -1));
    scribe.ask("list unknown partition", version, &list(&plain, 9, -1));
    scribe.ask(
        "list unknown partition by time",
        version,
        &list(&plain, 9, AT),
    );
    for epoch in [0, 50] {
        for time in [-1, AT] {
            let mut request = list(&plain, 1, time);
            request.topics[0].partitions[0].current_leader_epoch = epoch;
            scribe.ask(
                &format!("list {time} believing epoch {epoch}"),
                version,
                &request,
            );
        }
    }
    let mut request = list(&plain, 1, -1);
    request.isolation_level = 1;
    scribe.ask("list committed", version, &request);
    request.isolation_level = 2;
    scribe.ask("list with unknown isolation", version, &request);
    let mut request = list(&plain, 1, -1);
    request.replica_id = -2;
    scribe.ask("list debugging", version, &request);
    let mut request = list(&plain, 1, -1);
    request.replica_id = 3;
    scribe.ask("list as a replica", version, &request);
    let mut request = list(&plain, 1, -1);
    let again = request.topics[0].partitions[0].clone();
    request.topics[0].partitions.push(again);
    scribe.ask("list twice", version, &request);
}

fn epochs(scribe: &mut Scribe, version: i16) {
    for (epoch, believed) in [(0, -1), (0, 0), (5, -1), (-1, -1), (0, 7)] {
        let asked = |partition| OffsetForLeaderPartition {
            partition,
            current_leader_epoch: believed,
            leader_epoch: epoch,
        };
        let topics = [("plain", [1, 9]), ("empty", [0, 1]), ("unknown", [0, 1])];
        let request = OffsetForLeaderEpochRequest {
            replica_id: -1,
            topics: topics
                .into_iter()
                .map(|(topic, partitions)| OffsetForLeaderTopic {
                    topic: scribe.name(topic),
                    partitions: partitions.into_iter().map(asked).collect(),
                })
                .collect(),
        };
        scribe.ask(
            &format!("end of epoch {epoch} believing {believed}"),
            version,
            &request,
        );
    }
}

fn deletes(scribe: &mut Scribe, version: i16) {
    let cases = [
        ("plain", 1, 2),
        ("plain", 1, 1),
        ("plain", 1, 999),
        ("plain", 1, -2),
        ("unknown", 0, 0),
        ("plain", 7, 0),
        ("compact", 0, 0),
        ("empty", 0, 0),
        ("plain", 1, -1),
    ];
    for (topic, partition_index, offset) in cases {
        let request = DeleteRecordsRequest {
            topics: vec![DeleteRecordsTopic {
                name: scribe.name(topic),
                partitions: vec![DeleteRecordsPartition {
                    partition_index,
                    offset,
                }],
            }],
            timeout_ms: 3_000,
        };
        let what = format!("delete {topic}-{partition_index} below {offset}");
        scribe.ask(&what, version, &request);
    }
    let plain = scribe.name("plain");
    for time in [-2, -1, -3, 0] {
        let what = format!("list {time} after deletion {version}");
        scribe.ask(&what, 11, &list(&plain, 1, time));
    }
    let request = fetch(&plain, Uuid::ZERO, 1, 0);
    scribe.ask_fetch(&format!("fetch after deletion {version}"), 12, &request);
    scribe.append("plain", 1, batch(&["a", "b", "c"]));
}
