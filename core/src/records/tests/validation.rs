//! What a leader refuses, with the codes that Apache Kafka 4.3.1 answered to the same bytes.

use super::*;

const NOW: i64 = 1_700_000_000_000;

fn build(codec: Compression, records: &[Record]) -> BatchView {
    let mut builder = BatchBuilder::new().compression(codec, Level::Default);
    for record in records {
        builder.push(record).unwrap();
    }
    view(builder.build().unwrap())
}

/// Replaces header and records, and makes length and checksum right again.
fn sealed(batch: &BatchView, change: impl FnOnce(&mut BatchHeader, &mut Vec<u8>)) -> BatchView {
    let mut header = *batch.header();
    let mut records = batch.records_bytes().to_vec();
    change(&mut header, &mut records);
    header.batch_length = i32::try_from(records.len() + BATCH_OVERHEAD - LOG_OVERHEAD).unwrap();
    header.seal(&records);
    view(Bytes::from([&header.to_bytes()[..], &records].concat()))
}

fn code(batch: &BatchView, rules: &AppendRules) -> i16 {
    validate_for_append(batch, rules).map_or_else(|rejected| rejected.code().0, |_| 0)
}

#[test]
fn the_codes_are_those_of_kafka() {
    let rules = AppendRules::at(NOW);
    let long = "partita ".repeat(20_000);
    for codec in Compression::ALL {
        let good = build(codec, &[value(NOW, "a"), value(NOW, &long)]);
        let code = |change: &dyn Fn(&mut BatchHeader, &mut Vec<u8>)| {
            code(
                &sealed(&good, |header, records| change(header, records)),
                &rules,
            )
        };
        assert_eq!(code(&|_, _| ()), 0, "{codec}");
        assert_eq!(code(&|header, _| header.attributes |= 7), -1);
        assert_eq!(code(&|header, _| header.attributes |= 0x20), 87);
        assert_eq!(code(&|header, _| header.producer_id = 7), 87);
        // The type alone is no reason: it is put right before the append.
        assert_eq!(code(&|header, _| header.attributes |= 0x08), 0);
        assert_eq!(code(&|header, _| header.attributes |= i16::MIN), 0);
        for (count, delta) in [(3, 2), (1, 0), (2, 2), (2, 0), (0, -1), (-1, 1)] {
            let claimed = code(&|header, _| {
                header.records_count = count;
                header.last_offset_delta = delta;
            });
            assert_eq!(claimed, 87, "{codec} {count} {delta}");
        }
        if codec != Compression::None {
            assert_eq!(code(&|_, records| records.fill(1)), -1, "{codec}");
            assert_eq!(
                code(&|_, records| records.truncate(records.len() - 20)),
                -1,
                "{codec}"
            );
            let trailing = code(&|_, records| records.extend_from_slice(b"garbage"));
            let tolerant = matches!(codec, Compression::Gzip | Compression::Lz4);
            assert_eq!(trailing, if tolerant { 0 } else { -1 }, "{codec}");
        }
    }
}

#[test]
fn nothing_compressed_is_refused() {
    let rules = AppendRules::at(NOW);
    for (codec, expected) in [
        (Compression::None, 87),
        (Compression::Gzip, -1),
        (Compression::Snappy, -1),
        (Compression::Lz4, -1),
        (Compression::Zstd, 87),
    ] {
        let empty = sealed(&build(codec, &[value(NOW, "a")]), |_, records| {
            records.clear()
        });
        assert_eq!(code(&empty, &rules), expected, "{codec}");
    }
}

#[test]
fn timestamps_must_lie_in_the_range() {
    let rules = AppendRules {
        timestamp_before_max_ms: 1_000,
        timestamp_after_max_ms: 10,
        ..AppendRules::at(NOW)
    };
    for (timestamp, expected) in [
        (NOW, 0),
        (NOW - 1_000, 0),
        (NOW - 1_001, 32),
        (NOW + 10, 0),
        (NOW + 11, 32),
        (NO_TIMESTAMP, 0),
        (i64::MAX, 32),
        (i64::MIN, 32),
    ] {
        let batch = build(Compression::None, &[value(NOW, "a"), value(timestamp, "b")]);
        assert_eq!(code(&batch, &rules), expected, "{timestamp}");
        if expected == 32 {
            let Err(Rejected::Records(faults)) = validate_for_append(&batch, &rules) else {
                panic!("not per record");
            };
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].0, 1);
        }
        // The broker's clock replaces whatever the producer said.
        let log_append = AppendRules {
            timestamp_type: TimestampType::LogAppendTime,
            ..rules
        };
        let facts = validate_for_append(&batch, &log_append).unwrap();
        assert_eq!(facts.max_timestamp, NOW);
    }
}

#[test]
fn only_a_broker_stamps_with_its_own_time() {
    let mut builder = BatchBuilder::new().log_append_time(NO_TIMESTAMP);
    builder.push(&value(0, "a")).unwrap();
    let batch = view(builder.build().unwrap());
    assert_eq!(code(&batch, &AppendRules::at(NOW)), 32);
    let rules = AppendRules {
        timestamp_type: TimestampType::LogAppendTime,
        ..AppendRules::at(NOW)
    };
    assert_eq!(code(&batch, &rules), 32);
}

#[test]
fn a_compacted_topic_needs_keys() {
    let rules = AppendRules {
        compacted: true,
        ..AppendRules::at(NOW)
    };
    let keyed = Record::new(NOW, Some(Bytes::new()), None);
    for codec in Compression::ALL {
        let good = build(codec, &[keyed.clone(), keyed.clone()]);
        assert_eq!(code(&good, &rules), 0);
        let bad = build(codec, &[keyed.clone(), value(NOW, "a"), value(NOW, "b")]);
        assert_eq!(
            validate_for_append(&bad, &rules),
            Err(Rejected::Records(vec![
                (1, RecordFault::NoKey),
                (2, RecordFault::NoKey)
            ]))
        );
        assert_eq!(code(&bad, &rules), 87);
    }
}

#[test]
fn a_coordinator_may_write_what_a_client_may_not() {
    let rules = AppendRules {
        origin: Origin::Coordinator,
        ..AppendRules::at(NOW)
    };
    let mut builder = BatchBuilder::new()
        .control(true)
        .producer(1, 0, NO_SEQUENCE);
    builder.push(&value(NOW, "marker")).unwrap();
    let batch = view(builder.build().unwrap());
    assert_eq!(code(&batch, &rules), 0);
    assert_eq!(code(&batch, &AppendRules::at(NOW)), 87);
}

#[test]
fn offsets_that_skip_are_written_anew() {
    for codec in Compression::ALL {
        let mut builder = BatchBuilder::new().compression(codec, Level::Default);
        builder.push_at(0, &value(NOW, "a")).unwrap();
        builder.push_at(7, &value(NOW + 1, "b")).unwrap();
        assert!(builder.push_at(7, &value(NOW, "c")).is_err());
        let skipping = view(builder.build().unwrap());
        let skipping = sealed(&skipping, |header, _| header.last_offset_delta = 1);
        let facts = validate_for_append(&skipping, &AppendRules::at(NOW)).unwrap();
        assert!(!facts.consecutive);
        assert_eq!(facts.max_timestamp, NOW + 1);
        let limit = DEFAULT_DECOMPRESSED_LIMIT;
        let anew = view(rebuild(&skipping, codec, Level::Default, None, limit).unwrap());
        let facts = validate_for_append(&anew, &AppendRules::at(NOW)).unwrap();
        assert!(facts.consecutive);
        assert_eq!(read(&anew).unwrap()[1].offset, 1);
    }
}
