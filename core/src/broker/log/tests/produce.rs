//! Produce: what is appended, answered and refused.

use super::*;
use crate::broker::MAX_WRITES_IN_FLIGHT;
use crate::records::{BatchView, MAGIC_V2};

/// What is answered to a batch, in a version and with an acks of its own.
fn answer(scene: &mut Scene, batch: Bytes, acks: i16, version: i16) -> PartitionProduceResponse {
    let request = to_partition(0, acks, batch);
    only_partition(scene.harness.request(scene.client, &request, version))
}

fn refused(scene: &mut Scene, batch: Bytes) -> ErrorCode {
    let response = scene.produce(batch);
    assert_eq!(response.base_offset, -1);
    response.error_code
}

#[test]
fn pipelined_produces_are_appended_at_once_and_answered_in_order() {
    let mut scene = Scene::new();
    for value in ["a", "b", "c", "d"] {
        scene.send(batch(&[value]));
    }
    assert_eq!(scene.bounds(), (0, 0, 4));
    assert_eq!(scene.harness.writes_waiting(), MAX_WRITES_IN_FLIGHT);
    scene.harness.run();
    let offsets: Vec<i64> = std::iter::from_fn(|| Some(scene.answered()?.base_offset)).collect();
    assert_eq!(offsets, vec![0, 1, 2, 3]);
}

#[test]
fn waiting_batches_are_gathered_into_one_chunk_of_at_most_1_mib() {
    let mut scene = Scene::new();
    let value = "x".repeat(300 << 10);
    for _ in 0..9 {
        scene.send(batch(&[&value]));
    }
    scene.harness.run();
    let log = scene.log(0);
    let chunks = &scene.harness.storage.stored().chunks;
    let sizes: Vec<usize> = chunks
        .iter()
        .filter(|((of, _), _)| *of == log)
        .map(|(_, bytes)| bytes.len() >> 10)
        .collect();
    assert_eq!(
        sizes,
        vec![300, 300, 900, 900, 300],
        "two writes, then what gathered"
    );
    while scene.answered().is_some() {}
    assert_eq!(scene.values(8).len(), 1);
}

#[test]
fn min_insync_replicas_never_asks_for_more_than_there_are() {
    let mut scene = Scene::with_topic(1, &[("min.insync.replicas", "2")]);
    assert_eq!(scene.produce_values(&["a"]), 0);
}

#[test]
fn a_batch_is_too_large_above_max_message_bytes_overhead_included() {
    let exact = batch(&["0123456789"]).len();
    let limit = exact.to_string();
    let mut scene = Scene::with_topic(1, &[("max.message.bytes", &limit)]);
    assert_eq!(
        refused(&mut scene, batch(&["01234567890"])),
        ErrorCode::MESSAGE_TOO_LARGE
    );
    assert_eq!(scene.produce_values(&["0123456789"]), 0);

    let mut scene = Scene::new();
    let value = |bytes: usize| "x".repeat(bytes);
    let fits = |bytes: &usize| batch(&[&value(*bytes)]).len() <= (1 << 20) + 12;
    let largest = (0..1 << 20).rev().find(fits).unwrap();
    assert_eq!(batch(&[&value(largest)]).len(), (1 << 20) + 12);
    assert_eq!(
        scene.produce_values(&[&value(largest)]),
        0,
        "1 MiB + 12 by default"
    );
    let over = batch(&[&value(largest + 1)]);
    assert_eq!(refused(&mut scene, over), ErrorCode::MESSAGE_TOO_LARGE);
}

#[test]
fn a_batch_larger_than_a_segment_is_refused() {
    let configs = [
        ("segment.bytes", "1048576"),
        ("max.message.bytes", "4000000"),
    ];
    let mut scene = Scene::with_topic(1, &configs);
    let over = batch(&[&"x".repeat(1 << 20)]);
    assert_eq!(refused(&mut scene, over), ErrorCode::RECORD_LIST_TOO_LARGE);
}

#[test]
fn each_partition_gets_exactly_one_batch() {
    let mut scene = Scene::new();
    let two = [batch(&["a"]), batch(&["b"])].concat();
    assert_eq!(refused(&mut scene, two.into()), ErrorCode::INVALID_RECORD);
    assert_eq!(refused(&mut scene, Bytes::new()), ErrorCode::INVALID_RECORD);
    assert_eq!(scene.bounds(), (0, 0, 0));
}

#[test]
fn clients_may_not_write_control_batches_negative_sequences_or_offsets() {
    let mut scene = Scene::new();
    let control = batch_with(&["a"], BatchBuilder::new().control(true), now());
    assert_eq!(refused(&mut scene, control), ErrorCode::INVALID_RECORD);
    assert_eq!(
        refused(&mut scene, sequenced(&["a"], 7, 0, -1)),
        ErrorCode::INVALID_RECORD
    );
    let offset = batch_with(&["a"], BatchBuilder::new().base_offset(5, -1), now());
    assert_eq!(refused(&mut scene, offset), ErrorCode::INVALID_RECORD);
}

#[test]
fn there_are_no_transactions_to_write_in() {
    let mut scene = Scene::new();
    let builder = BatchBuilder::new().producer(7, 0, 0).transactional(true);
    let transactional = batch_with(&["a"], builder, now());
    let unnamed = ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    assert_eq!(refused(&mut scene, transactional.clone()), unnamed);
    let mut request = to_partition(0, -1, transactional);
    request.transactional_id = Some("tx".to_owned());
    let response = only_partition(scene.harness.request(scene.client, &request, PRODUCE));
    assert_eq!(response.error_code, ErrorCode::INVALID_TXN_STATE);
}

#[test]
fn a_batch_whose_checksum_is_wrong_is_corrupt() {
    let mut scene = Scene::new();
    let mut bytes = batch(&["a"]).to_vec();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    assert_eq!(
        refused(&mut scene, bytes.into()),
        ErrorCode::CORRUPT_MESSAGE
    );
    let mut magic = batch(&["a"]).to_vec();
    magic[16] = (MAGIC_V2 - 1) as u8;
    assert_eq!(refused(&mut scene, magic.into()), ErrorCode::INVALID_RECORD);
}

#[test]
fn compacted_topics_name_the_records_without_a_key() {
    let mut scene = Scene::with_topic(1, &[("cleanup.policy", "compact")]);
    let mut builder = BatchBuilder::new();
    for key in [Some("k"), None, Some("k"), None] {
        let key = key.map(|key| Bytes::from_static(key.as_bytes()));
        builder
            .push(&Record::new(now(), key, Some(Bytes::from_static(b"v"))))
            .unwrap();
    }
    let response = scene.produce(builder.build().unwrap());
    assert_eq!(response.error_code, ErrorCode::INVALID_RECORD);
    let indexes: Vec<i32> = response
        .record_errors
        .iter()
        .map(|e| e.batch_index)
        .collect();
    assert_eq!(indexes, vec![1, 3]);
    assert!(
        response
            .error_message
            .unwrap()
            .contains("due to 2 record errors in total")
    );
    assert_eq!(response.log_start_offset, 0);
}

#[test]
fn every_served_version_appends() {
    let mut scene = Scene::new();
    for (version, offset) in (3..=12).zip(0..) {
        let response = answer(&mut scene, batch(&["a"]), -1, version);
        assert_eq!(
            (response.error_code, response.base_offset),
            (ErrorCode::NONE, offset)
        );
    }
}

#[test]
fn with_compression_type_producer_batches_are_stored_byte_for_byte() {
    let mut scene = Scene::new();
    scene.produce_values(&["first"]);
    for codec in Compression::ALL {
        let sent = compressed(&["aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b"], codec);
        let base = scene.produce(sent.clone()).base_offset;
        let got = scene.fetch(base).records.bytes().unwrap().clone();
        let (got, sent) = (got.to_vec(), sent.to_vec());
        assert_eq!(got[..8], base.to_be_bytes());
        assert_eq!(got[8..12], sent[8..12], "the length");
        assert_eq!(
            got[16..],
            sent[16..],
            "everything behind the leader epoch, {codec:?}"
        );
    }
}

#[test]
fn a_topics_compression_type_rewrites_other_batches_only() {
    let mut scene = Scene::with_topic(1, &[("compression.type", "gzip")]);
    let long = "abc".repeat(200);
    scene.produce_values(&[&long, "b"]);
    let got = scene.fetch(0).records.bytes().unwrap().clone();
    let (view, _) = BatchView::parse(got).unwrap();
    view.validate().unwrap();
    assert_eq!(view.compression(), Ok(Compression::Gzip));
    assert_eq!(scene.values(0), listed(&[(0, &long), (1, "b")]));
    let sent = compressed(&["c"], Compression::Gzip);
    scene.produce(sent.clone());
    let got = scene.fetch(2).records.bytes().unwrap().clone();
    assert_eq!(got.slice(16..), sent.slice(16..));
}

#[test]
fn a_write_holds_at_most_8_mib_of_chunks() {
    let mut scene = Scene::with_topic(2, &[]);
    let value = "x".repeat(1_000_000);
    for i in 0..24 {
        scene.harness.send(
            scene.client,
            &to_partition(i % 2, -1, batch(&[&value])),
            PRODUCE,
        );
    }
    for _ in 0..2 {
        scene.harness.step_storage();
    }
    let sizes: Vec<usize> = scene.harness.storage.waiting().map(write_bytes).collect();
    assert_eq!(
        sizes.iter().map(|s| s / 1_000_000).collect::<Vec<_>>(),
        vec![8, 8]
    );
    scene.harness.run();
    assert_eq!(scene.bounds(), (0, 12, 12));
}

fn write_bytes(effect: &crate::broker::Effect) -> usize {
    let crate::broker::Effect::Write(write) = effect else {
        return 0;
    };
    let chunks = write.ops.iter().filter_map(|op| {
        if let crate::broker::WriteOp::PutChunk { bytes, .. } = op {
            Some(bytes)
        } else {
            None
        }
    });
    chunks.flatten().map(Bytes::len).sum()
}

#[test]
fn acks_1_waits_too_when_storage_is_far_behind() {
    let mut scene = Scene::new();
    let value = "x".repeat(1_000_000);
    let mut answers = 0;
    for _ in 0..24 {
        let request = to_partition(0, 1, batch(&[&value]));
        scene.harness.send(scene.client, &request, PRODUCE);
        answers += usize::from(scene.answered().is_some());
    }
    assert_eq!(answers, 18, "2 MB in writes, 16 MB waiting");
    scene.harness.run();
    while scene.answered().is_some() {
        answers += 1;
    }
    assert_eq!(answers, 24);
}
