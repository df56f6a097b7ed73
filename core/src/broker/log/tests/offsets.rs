//! ListOffsets and OffsetForLeaderEpoch.

use super::*;
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopic,
};
use crate::protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use crate::protocol::messages::{ListOffsetsRequest, OffsetForLeaderEpochRequest};

const LIST: i16 = 11;

fn list_request(timestamp: i64) -> ListOffsetsRequest {
    ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: TOPIC.to_owned(),
            partitions: vec![ListOffsetsPartition {
                timestamp,
                ..ListOffsetsPartition::default()
            }],
        }],
        ..ListOffsetsRequest::default()
    }
}

impl Scene {
    fn list(&mut self, timestamp: i64, version: i16) -> ListOffsetsPartitionResponse {
        let request = list_request(timestamp);
        let mut response = self.harness.request(self.client, &request, version);
        response.topics.remove(0).partitions.remove(0)
    }

    /// Offset and timestamp found for a time.
    fn at(&mut self, timestamp: i64) -> (i64, i64) {
        let found = self.list(timestamp, LIST);
        assert_eq!(found.error_code, ErrorCode::NONE);
        (found.offset, found.timestamp)
    }

    /// Produces records with these timestamps.
    fn stamped(&mut self, timestamps: &[i64], compression: Compression) {
        let mut builder = BatchBuilder::new().compression(compression, Level::Default);
        for &timestamp in timestamps {
            builder
                .push(&Record::new(timestamp, None, Some("x".into())))
                .unwrap();
        }
        let response = self.produce(builder.build().unwrap());
        assert_eq!(response.error_code, ErrorCode::NONE);
    }
}

#[test]
fn earliest_and_latest_are_log_start_and_high_watermark() {
    let mut scene = Scene::new();
    assert_eq!((scene.at(-2), scene.at(-1)), ((0, -1), (0, -1)));
    scene.produce_values(&["a", "b", "c"]);
    scene.delete_below(1);
    assert_eq!((scene.at(-2), scene.at(-1)), ((1, -1), (3, -1)));
    assert_eq!(scene.at(-4), (1, -1), "the earliest local offset");
    assert_eq!(scene.list(-1, LIST).leader_epoch, 0);
    assert_eq!(scene.list(-2, LIST).leader_epoch, 0);

    let other = scene.harness.connect();
    let request = to_partition(0, -1, batch(&["d"]));
    scene.harness.send(other, &request, PRODUCE);
    scene.harness.send(scene.client, &list_request(-1), LIST);
    let response = scene
        .harness
        .receive::<ListOffsetsRequest>(scene.client, LIST)
        .unwrap();
    assert_eq!(
        response.topics[0].partitions[0].offset, 3,
        "what is not durable does not count"
    );
}

#[test]
fn tiered_storage_has_nothing_and_that_is_no_error() {
    let mut scene = Scene::new();
    scene.produce_values(&["a"]);
    for timestamp in [-5, -6] {
        let found = scene.list(timestamp, LIST);
        assert_eq!((found.error_code, found.offset), (ErrorCode::NONE, -1));
    }
}

#[test]
fn times_that_a_version_does_not_know_are_unsupported() {
    let mut scene = Scene::new();
    for (timestamp, since) in [
        (-1, 1),
        (-2, 1),
        (-3, 7),
        (-4, 8),
        (-5, 9),
        (-6, 11),
        (-7, 99),
    ] {
        for version in 1..=11 {
            let expected = if version < since {
                ErrorCode::UNSUPPORTED_VERSION
            } else {
                ErrorCode::NONE
            };
            let code = scene.list(timestamp, version).error_code;
            assert_eq!(code, expected, "{timestamp} in version {version}");
        }
    }
}

#[test]
fn a_time_finds_the_first_record_at_or_after_it_inside_batches() {
    for compression in Compression::ALL {
        let mut scene = Scene::new();
        scene.stamped(&[100, 110, 120], compression);
        scene.stamped(&[90, 130, 125], compression);
        scene.stamped(&[200], compression);
        assert_eq!(scene.at(0), (0, 100), "{compression:?}");
        assert_eq!(scene.at(100), (0, 100));
        assert_eq!(scene.at(101), (1, 110));
        assert_eq!(scene.at(121), (4, 130), "in the order of offsets");
        assert_eq!(scene.at(131), (6, 200));
        assert_eq!(scene.at(201), (-1, -1));
    }
}

#[test]
fn records_below_the_log_start_are_not_found() {
    let mut scene = Scene::new();
    scene.stamped(&[100, 300, 200], Compression::None);
    scene.delete_below(2);
    assert_eq!(scene.at(100), (2, 200));
    assert_eq!(scene.at(201), (-1, -1));
    assert_eq!(scene.at(-3), (2, 200));
}

#[test]
fn the_largest_timestamp_finds_the_first_record_that_has_it() {
    let mut scene = Scene::new();
    assert_eq!(scene.at(-3), (-1, -1), "an empty log");
    scene.stamped(&[100, 300, 300], Compression::Gzip);
    scene.stamped(&[300, 200], Compression::None);
    assert_eq!(scene.at(-3), (1, 300));
    scene.stamped(&[10, 400], Compression::Zstd);
    scene.stamped(&[5], Compression::None);
    assert_eq!(scene.at(-3), (6, 400));
    let mut scene = scene.crash();
    assert_eq!(scene.at(-3), (6, 400));
    assert_eq!(scene.list(-3, LIST).leader_epoch, 0);
}

#[test]
fn epochs_unknown_partitions_and_repeated_ones_are_answered_one_by_one() {
    let mut scene = Scene::new();
    let mut request = list_request(-1);
    let one = request.topics[0].partitions[0].clone();
    request.topics[0].partitions = vec![
        ListOffsetsPartition {
            partition_index: 4,
            ..one.clone()
        },
        ListOffsetsPartition {
            partition_index: 4,
            ..one.clone()
        },
        ListOffsetsPartition {
            partition_index: 9,
            ..one.clone()
        },
        ListOffsetsPartition {
            current_leader_epoch: 8,
            ..one
        },
    ];
    let response = scene.harness.request(scene.client, &request, LIST);
    let answers = response.topics[0].partitions.iter();
    let answers: Vec<_> = answers.map(|p| (p.partition_index, p.error_code)).collect();
    assert_eq!(
        answers,
        vec![
            (4, ErrorCode::INVALID_REQUEST),
            (9, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            (0, ErrorCode::UNKNOWN_LEADER_EPOCH),
        ]
    );
}

/// 400 chunks of one record each: three pages of the index and the tail.
fn paged() -> Scene {
    let mut scene = Scene::new();
    for i in 0..400 {
        scene.stamped(&[1_000 + i * 10], Compression::None);
    }
    let log = scene.log(0);
    let pages = &scene.harness.storage.stored().pages;
    let keys: Vec<i64> = pages
        .keys()
        .filter(|key| key.0 == log)
        .map(|key| key.1)
        .collect();
    assert_eq!(keys, vec![0, 128]);
    scene
}

#[test]
fn times_are_found_in_pages_of_the_index() {
    let mut scene = paged();
    for opening in 0..2 {
        assert_eq!(scene.at(1_000), (0, 1_000));
        assert_eq!(scene.at(1_001), (1, 1_010));
        assert_eq!(
            scene.at(1_000 + 1_275),
            (128, 2_280),
            "the first of the second page"
        );
        assert_eq!(scene.at(1_000 + 2_000), (200, 3_000));
        assert_eq!(scene.at(1_000 + 3_980), (398, 4_980));
        assert_eq!(scene.at(9_999), (-1, -1));
        assert_eq!(scene.at(-3), (399, 4_990), "opening {opening}");
        scene = scene.crash();
    }
}

#[test]
fn the_largest_timestamp_may_lie_in_a_page_and_may_be_deleted() {
    let mut scene = Scene::new();
    for i in 0..400 {
        let timestamp = match i {
            40 => 9_000,
            150 => 8_000,
            _ => 1_000 + i,
        };
        scene.stamped(&[timestamp], Compression::None);
    }
    assert_eq!(scene.at(-3), (40, 9_000));
    assert_eq!(scene.at(8_500), (40, 9_000));
    let mut scene = scene.crash();
    scene.delete_below(41);
    assert_eq!(scene.at(-3), (150, 8_000));
    assert_eq!(scene.at(8_500), (-1, -1));
    assert_eq!(scene.at(7_000), (150, 8_000));
    scene.delete_below(200);
    let mut scene = scene.crash();
    assert_eq!(scene.at(-3), (399, 1_399));
    assert_eq!(scene.at(1_300), (300, 1_300));
}

fn end_of(scene: &mut Scene, epoch: i32, believed: i32) -> EpochEndOffset {
    let request = OffsetForLeaderEpochRequest {
        topics: vec![OffsetForLeaderTopic {
            topic: TOPIC.to_owned(),
            partitions: vec![OffsetForLeaderPartition {
                current_leader_epoch: believed,
                leader_epoch: epoch,
                ..OffsetForLeaderPartition::default()
            }],
        }],
        ..OffsetForLeaderEpochRequest::default()
    };
    let mut response = scene.harness.request(scene.client, &request, 4);
    response.topics.remove(0).partitions.remove(0)
}

#[test]
fn every_opening_begins_a_leader_epoch_and_their_ends_are_known() {
    let mut scene = Scene::new();
    scene.produce_values(&["a", "b"]);
    let mut scene = scene.crash();
    scene.produce_values(&["c"]);
    let scene = scene.crash();
    let mut scene = scene.crash();
    scene.produce_values(&["d"]);
    let mut end = |epoch| {
        let answer = end_of(&mut scene, epoch, -1);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        (answer.leader_epoch, answer.end_offset)
    };
    assert_eq!(end(0), (0, 2));
    assert_eq!(end(1), (1, 3));
    assert_eq!(end(2), (1, 3), "nothing was appended in epoch 2");
    assert_eq!(end(3), (3, 4));
    assert_eq!(end(4), (-1, -1));
    let fenced = end_of(&mut scene, 3, 2);
    assert_eq!(fenced.error_code, ErrorCode::FENCED_LEADER_EPOCH);
    let unknown = end_of(&mut scene, 3, 4);
    assert_eq!(unknown.error_code, ErrorCode::UNKNOWN_LEADER_EPOCH);
}
