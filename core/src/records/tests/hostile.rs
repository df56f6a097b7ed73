//! Generated batches must survive; mutated ones must be refused or read, never more than that.

use super::*;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn bytes() -> impl Strategy<Value = Option<Bytes>> {
    prop_oneof![
        1 => Just(None),
        3 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Some(bytes.into())),
        1 => (any::<u8>(), 0usize..70_000)
            .prop_map(|(byte, count)| Some(Bytes::from(vec![byte; count]))),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let headers = prop::collection::vec((any::<String>(), bytes()), 0..4);
    (any::<i64>(), bytes(), bytes(), headers).prop_map(|(timestamp, key, value, headers)| Record {
        offset: 0,
        timestamp,
        key,
        value,
        headers,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_read(
        records in prop::collection::vec(record(), 1..20),
        codec in prop::sample::select(Compression::ALL.to_vec()),
        base_offset in 0..i64::MAX / 2,
    ) {
        let mut builder = BatchBuilder::new()
            .compression(codec, Level::Default)
            .base_offset(base_offset, 1);
        for record in &records {
            builder.push(record).unwrap();
        }
        let batch = view(builder.build().unwrap());
        batch.validate().unwrap();
        let expected: Vec<Record> = (base_offset..)
            .zip(records)
            .map(|(offset, record)| Record { offset, ..record })
            .collect();
        prop_assert_eq!(read(&batch).unwrap(), expected);
    }

    #[test]
    fn varints_agree_with_their_size(value: i64) {
        let mut out = Vec::new();
        varint::write_i64(value, &mut out);
        prop_assert_eq!(out.len(), varint::size_i64(value));
        prop_assert_eq!(varint::read_i64(&mut &out[..]), Some(value));
    }
}

/// Everything that is ever done with foreign bytes.
fn exercise(bytes: &Bytes) {
    const LIMIT: usize = 1 << 20;
    for (_, header) in batch_headers(bytes).flatten() {
        assert!(header.next_offset() >= header.last_offset());
        assert!(header.last_sequence() >= NO_SEQUENCE || header.base_sequence < 0);
    }
    for batch in Batches::new(bytes.clone()) {
        let Ok(batch) = batch else { break };
        let valid = batch.validate().is_ok();
        let appendable = validate_for_append(
            &batch,
            &AppendRules {
                limit: LIMIT,
                ..AppendRules::at(0)
            },
        )
        .is_ok();
        assert!(valid || !appendable);
        let (Ok(records), Ok(walk)) = (batch.records(LIMIT), batch.walk(LIMIT)) else {
            continue;
        };
        let size = records.uncompressed_size();
        assert!(size <= LIMIT.max(bytes.len()));
        let mut seen = 0usize;
        let mut ends = (true, true);
        let mut records = records;
        for mark in walk {
            let record = records.next().unwrap();
            ends = (mark.is_ok(), record.is_ok());
            let (Ok(mark), Ok(record)) = (mark, record) else {
                break;
            };
            assert_eq!(
                (mark.offset, mark.timestamp),
                (record.offset, record.timestamp)
            );
            assert_eq!(mark.has_key, record.key.is_some());
            seen += record.key.map_or(0, |key| key.len());
            seen += record.value.map_or(0, |value| value.len());
        }
        assert_eq!(ends.0, ends.1, "both readers accept and refuse the same");
        assert!(seen <= size);
        let mut copy = batch.bytes().to_vec();
        set_max_timestamp(&mut copy, TimestampType::LogAppendTime, 5).unwrap();
        set_base_offset_and_epoch(&mut copy, 5, 5).unwrap();
    }
}

/// One of a few ways to damage bytes.
fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let mut below = |limit: usize| {
        usize::try_from(rng.next_u64() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    };
    let length = bytes.len();
    match below(7) {
        0 => bytes.truncate(below(length)),
        1 => {
            let at = below(length);
            bytes.splice(at..at, [0xFF; 3]);
        }
        2 => {
            let (from, to) = (below(length), below(length));
            let part: Vec<u8> = bytes[from.min(to)..from.max(to)].to_vec();
            let at = below(length);
            bytes.splice(at..at, part);
        }
        3 => {
            // A field of the header, or an integer anywhere, at an extreme.
            let at = below(length.min(80));
            let extreme = [0x00, 0x7F, 0x80, 0xFF][below(4)];
            for byte in bytes.iter_mut().skip(at).take(1 + below(4)) {
                *byte = extreme;
            }
        }
        _ => {
            for _ in 0..=below(4) {
                let at = below(length);
                let bit = below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
        }
    }
}

/// Length and checksum of the first batch made right again, so that a mutation reaches the
/// records.
fn reseal(bytes: &mut [u8]) {
    let length = bytes.len();
    if length < BATCH_OVERHEAD {
        return;
    }
    bytes[8..12].copy_from_slice(&u32::try_from(length - LOG_OVERHEAD).unwrap().to_be_bytes());
    bytes[16] = 2;
    let crc = crc32c::checksum(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// `PARTITA_CASES=100000` in an optimised build takes seconds; by default fewer, for a quick run.
#[test]
fn mutated_batches_do_no_harm() {
    let cases = std::env::var("PARTITA_CASES").map_or(20_000, |cases| cases.parse().unwrap());
    let mut seeds = golden::all();
    for codec in Compression::ALL {
        let mut builder = BatchBuilder::new().compression(codec, Level::Default);
        for i in 0..5 {
            let mut record = value(i, "some value, some value, some value");
            record
                .headers
                .push(("header".into(), Some(Bytes::from_static(b"x"))));
            builder.push(&record).unwrap();
        }
        seeds.push(builder.build().unwrap());
    }
    for seed in 0..cases {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let start = usize::try_from(seed).unwrap() % seeds.len();
        let mut bytes = seeds[start].to_vec();
        for _ in 0..=rng.next_u32() % 3 {
            mutate(&mut bytes, &mut rng);
        }
        if rng.next_u32() % 4 != 0 {
            reseal(&mut bytes);
        }
        exercise(&Bytes::from(bytes));
    }
}
