//! Building, reading, rewriting and refusing batches.

use super::*;
use bytes::BytesMut;

fn samples() -> Vec<Record> {
    let bytes = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    vec![
        Record::new(1_000, bytes("key"), bytes("value")),
        Record::new(999, None, bytes("")),
        Record::new(5_000, bytes(""), None),
        Record {
            offset: 0,
            timestamp: 1_001,
            key: None,
            value: Some(Bytes::from(vec![7; 100_000])),
            headers: vec![
                ("trace".into(), bytes("abc")),
                ("trace".into(), None),
                (String::new(), bytes("")),
            ],
        },
    ]
}

fn build(codec: Compression, records: &[Record]) -> Bytes {
    let mut builder = BatchBuilder::new().compression(codec, Level::Default);
    for record in records {
        let before = builder.uncompressed_size();
        let expected = builder.size_of_next(record).unwrap();
        builder.push(record).unwrap();
        assert_eq!(builder.uncompressed_size(), before + expected);
    }
    builder.build().unwrap()
}

#[test]
fn every_codec_gives_back_what_went_in() {
    for codec in Compression::ALL {
        let batch = view(build(codec, &samples()));
        batch.validate().unwrap();
        assert_eq!(batch.compression(), Ok(codec));
        assert_eq!(batch.max_timestamp, 5_000);
        assert_eq!(batch.base_timestamp, 1_000);
        assert_eq!(batch.last_offset(), 3);
        let expected: Vec<Record> = (0i64..)
            .zip(samples())
            .map(|(offset, record)| Record { offset, ..record })
            .collect();
        assert_eq!(read(&batch).unwrap(), expected, "{codec}");
        let marks: Vec<RecordMark> = batch
            .walk(DEFAULT_DECOMPRESSED_LIMIT)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for (mark, record) in marks.iter().zip(&expected) {
            assert_eq!(mark.offset, record.offset);
            assert_eq!(mark.timestamp, record.timestamp);
            assert_eq!(mark.has_key, record.key.is_some());
            assert_eq!(mark.has_value, record.value.is_some());
        }
        assert_eq!(marks.len(), expected.len());
    }
}

#[test]
fn an_uncompressed_batch_has_the_size_that_was_promised() {
    let mut builder = BatchBuilder::new();
    for record in samples() {
        builder.push(&record).unwrap();
        assert!(record_size_upper_bound(&record) >= BATCH_OVERHEAD);
    }
    let size = builder.uncompressed_size();
    let batch = builder.build().unwrap();
    assert_eq!(batch.len(), size);
    assert_eq!(view(batch).size_in_bytes(), size);
}

#[test]
fn a_batch_is_filled_up_to_its_size_and_the_first_record_always_fits() {
    let mut builder = BatchBuilder::new();
    let record = value(0, &"x".repeat(100));
    assert!(builder.has_room_for(&record, 10));
    while builder.has_room_for(&record, 1_000) {
        builder.push(&record).unwrap();
    }
    let more = builder.size_of_next(&record).unwrap();
    assert!(builder.uncompressed_size() <= 1_000);
    assert!(builder.uncompressed_size() + more > 1_000);
    assert_eq!(builder.build().unwrap().len(), builder.uncompressed_size());
}

#[test]
fn flags_and_producer_survive() {
    let mut builder = BatchBuilder::new()
        .producer(42, 3, i32::MAX)
        .transactional(true)
        .control(true)
        .base_offset(100, 7);
    builder.push(&value(1, "a")).unwrap();
    builder.push(&value(2, "b")).unwrap();
    let batch = view(builder.build().unwrap());
    batch.validate().unwrap();
    assert!(batch.is_transactional() && batch.is_control() && !batch.has_delete_horizon());
    assert_eq!((batch.producer_id, batch.producer_epoch), (42, 3));
    assert_eq!((batch.base_sequence, batch.last_sequence()), (i32::MAX, 0));
    assert_eq!((batch.base_offset, batch.last_offset()), (100, 101));
    assert_eq!(batch.partition_leader_epoch, 7);
    assert_eq!(read(&batch).unwrap()[1].offset, 101);
}

#[test]
fn offsets_are_assigned_without_touching_the_checksum() {
    let bytes = build(Compression::None, &samples());
    let before = view(bytes.clone());
    let mut copy = BytesMut::from(&bytes[..]);
    set_base_offset_and_epoch(&mut copy, 1 << 40, 9).unwrap();
    let after = view(copy.freeze());
    after.validate().unwrap();
    assert_eq!(after.crc, before.crc);
    assert_eq!(
        (after.base_offset, after.partition_leader_epoch),
        (1 << 40, 9)
    );

    let mut header = *before.header();
    header.set_base_offset_and_epoch(1 << 40, 9);
    assert_eq!(before.with_header(&header), *after.bytes());
}

#[test]
fn log_append_time_sets_type_time_and_checksum() {
    let bytes = build(Compression::None, &samples());
    let before = view(bytes.clone());
    let mut copy = BytesMut::from(&bytes[..]);
    set_max_timestamp(&mut copy, TimestampType::LogAppendTime, 77_000).unwrap();
    let after = view(copy.freeze());
    after.validate().unwrap();
    assert_ne!(after.crc, before.crc);
    assert_eq!(after.timestamp_type(), TimestampType::LogAppendTime);
    assert!(read(&after).unwrap().iter().all(|r| r.timestamp == 77_000));

    let mut header = *before.header();
    let records = before.records_bytes();
    assert!(header.set_max_timestamp(TimestampType::LogAppendTime, 77_000, &records));
    assert_eq!(before.with_header(&header), *after.bytes());
    assert!(!header.set_max_timestamp(TimestampType::LogAppendTime, 77_000, &records));
}

#[test]
fn a_cut_last_batch_ends_the_iteration_quietly() {
    let one = build(Compression::None, &[value(0, "one")]);
    let two = build(Compression::Gzip, &[value(0, "two")]);
    let mut both = BytesMut::from(&one[..]);
    both.extend_from_slice(&two);
    let both = both.freeze();
    for cut in 0..=both.len() {
        let mut batches = Batches::new(both.slice(..cut));
        let whole = usize::from(cut >= one.len()) + usize::from(cut == both.len());
        assert_eq!(batches.by_ref().map(Result::unwrap).count(), whole);
        let left = cut - [0, one.len(), both.len()][whole];
        assert_eq!(batches.rest().len(), left);
        let headers: Vec<_> = batch_headers(&both[..cut]).map(Result::unwrap).collect();
        assert_eq!(headers.len(), whole);
        if let Some((at, header)) = headers.last() {
            assert_eq!(*at, if whole == 2 { one.len() } else { 0 });
            assert_eq!(header.records_count, 1);
        }
    }
    let packed: Vec<u8> = [&one[..BATCH_OVERHEAD], &two[..BATCH_OVERHEAD]].concat();
    let sizes: Vec<usize> = packed_headers(&packed)
        .map(|header| header.unwrap().size_in_bytes())
        .collect();
    assert_eq!(sizes, [one.len(), two.len()]);
}

#[test]
fn a_produce_holds_exactly_one_batch() {
    let one = build(Compression::None, &[value(0, "one")]);
    let two = Bytes::from([&one[..], &one[..]].concat());
    assert!(BatchView::single(one).is_ok());
    assert_eq!(BatchView::single(two), Err(Defect::MoreThanOneBatch.into()));
    assert_eq!(BatchView::single(Bytes::new()), Err(Defect::NoBatch.into()));
}

#[test]
fn old_and_unknown_formats_have_errors_of_their_own() {
    let bytes = build(Compression::None, &[value(0, "one")]);
    for (magic, expected, code) in [
        (0, BatchError::LegacyMagic(0), 87),
        (1, BatchError::LegacyMagic(1), 87),
        (3, BatchError::UnknownMagic(3), 2),
        (-1, BatchError::UnknownMagic(-1), 2),
    ] {
        let mut copy = bytes.to_vec();
        copy[16] = i8::to_be_bytes(magic)[0];
        let found = BatchView::single(Bytes::from(copy)).unwrap_err();
        assert_eq!(found, expected);
        assert_eq!(found.code().0, code);
    }
}

#[test]
fn any_flipped_bit_under_the_checksum_is_found() {
    let bytes = build(Compression::None, &[value(0, "one")]);
    for at in 17..bytes.len() {
        for bit in 0..8 {
            let mut copy = bytes.to_vec();
            copy[at] ^= 1 << bit;
            let batch = view(Bytes::from(copy));
            assert!(matches!(batch.validate(), Err(BatchError::Checksum { .. })));
        }
    }
}

/// Changes the header of a batch and seals it again.
fn tampered(bytes: &Bytes, change: impl FnOnce(&mut BatchHeader)) -> BatchView {
    let batch = view(bytes.clone());
    let mut header = *batch.header();
    change(&mut header);
    header.seal(&batch.records_bytes());
    view(batch.with_header(&header))
}

#[test]
fn counts_and_ranges_that_disagree_are_refused() {
    for codec in Compression::ALL {
        let bytes = build(codec, &[value(0, "one"), value(0, "two")]);
        let refused = |change: fn(&mut BatchHeader)| {
            tampered(&bytes, change).validate().map_err(|e| e.code().0)
        };
        assert_eq!(refused(|_| ()), Ok(()));
        assert_eq!(refused(|h| h.records_count = 1), Err(87));
        assert_eq!(refused(|h| h.records_count = 0), Err(87));
        assert_eq!(refused(|h| h.records_count = -1), Err(87));
        assert_eq!(refused(|h| h.last_offset_delta = 2), Err(87));
        assert_eq!(refused(|h| h.last_offset_delta = -1), Err(87));

        // Both agree with each other, but not with the records.
        let claims = |count: i32| {
            tampered(&bytes, |h| {
                h.records_count = count;
                h.last_offset_delta = count - 1;
            })
        };
        assert_eq!(read(&claims(1)), Err(Defect::TrailingBytes.into()));
        assert_eq!(read(&claims(3)), Err(Defect::RecordMalformed.into()));
        assert_eq!(read(&claims(i32::MAX)), Err(Defect::RecordMalformed.into()));
        claims(1).validate().unwrap();
        let rules = AppendRules::at(0);
        assert!(matches!(
            validate_for_append(&claims(1), &rules),
            Err(Rejected::Batch(BatchError::Invalid(Defect::TrailingBytes)))
        ));
    }
    let unknown = tampered(&build(Compression::None, &[value(0, "a")]), |h| {
        h.attributes |= 7;
    });
    assert_eq!(read(&unknown), Err(BatchError::UnknownCompression(7)));
}

#[test]
fn decompression_stops_at_the_limit() {
    for codec in Compression::ALL.into_iter().skip(1) {
        let bomb = view(build(codec, &[value(0, &"x".repeat(1 << 20))]));
        assert!(bomb.size_in_bytes() < 60_000, "{codec}");
        let limit = 100_000;
        assert_eq!(
            bomb.records(limit).map(|_| ()),
            Err(BatchError::TooLarge { limit }),
            "{codec}"
        );
        let exact = bomb.records(DEFAULT_DECOMPRESSED_LIMIT).unwrap();
        assert!(bomb.records(exact.uncompressed_size()).is_ok());
        assert!(bomb.records(exact.uncompressed_size() - 1).is_err());
    }
}

#[test]
fn rebuilding_changes_the_codec_and_nothing_else() {
    let mut builder = BatchBuilder::new().producer(5, 1, 10).transactional(true);
    for record in samples() {
        builder.push(&record).unwrap();
    }
    let plain = view(builder.build().unwrap());
    for codec in Compression::ALL {
        let limit = DEFAULT_DECOMPRESSED_LIMIT;
        let other = view(rebuild(&plain, codec, Level::Default, None, limit).unwrap());
        other.validate().unwrap();
        assert_eq!(read(&other), read(&plain));
        assert_eq!(other.compression(), Ok(codec));
        assert_eq!((other.producer_id, other.base_sequence), (5, 10));
        assert!(other.is_transactional());
        let back = rebuild(&other, Compression::None, Level::Default, None, limit).unwrap();
        assert_eq!(back, *plain.bytes());
    }
}
