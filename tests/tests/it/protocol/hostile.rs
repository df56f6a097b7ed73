//! Bytes that nobody should send: no panic, and no more memory than the budget.

use bytes::Bytes;
use partita_core::protocol::internal::metadata::MetadataRecord;
use partita_core::protocol::{DecodeError, Reader, RequestHeader};

use super::{Codec, all};
use crate::allocation::peak_of;
use partita_tests::mutated::damage::{mutate, noise};
use partita_tests::numbers::Numbers;

/// Frames, random and mutated, in all.
const FRAMES: usize = 200_000;

/// What a decoder may use beyond a frame of no bytes.
const BUDGET: usize = 64 << 10;

/// The test's own share: what reading the message a second time takes.
fn allowed(frame: usize) -> usize {
    // Text that is not UTF-8 can take three times its bytes, once more while it is replaced. The
    // message is then written (once, in a buffer that doubles) and read again.
    2 * BUDGET + 16 * frame + (8 << 10)
}

#[test]
fn random_and_mutated_frames_do_no_harm() {
    let codecs = all();
    let mut numbers = Numbers(2024);
    let mut read = 0usize;
    for frame in 0..FRAMES {
        let codec = &codecs[frame % codecs.len()];
        let version = any_version(codec, &mut numbers);
        let bytes = if numbers.below(8) == 0 {
            noise(&mut numbers)
        } else {
            mutate((codec.make)(version, &mut numbers), &mut numbers)
        };
        let other = &codecs[numbers.below(codecs.len())];
        let other_version = any_version(other, &mut numbers);
        for (codec, version) in [(codec, version), (other, other_version)] {
            let mut reader = Reader::new(bytes.clone()).with_budget(BUDGET);
            let (result, peak) = peak_of(|| (codec.read)(&mut reader, version));
            read += usize::from(result.is_ok());
            assert!(
                peak <= allowed(bytes.len()),
                "{} version {version} of {} bytes held {peak}: {bytes:?}",
                codec.name,
                bytes.len(),
            );
        }
    }
    // Most mutations must be harmless enough to reach the code behind the first checks.
    assert!(read > FRAMES / 10, "only {read} were read");
}

#[test]
fn random_and_mutated_headers_and_metadata_frames_do_no_harm() {
    let mut numbers = Numbers(77);
    for _ in 0..FRAMES / 4 {
        let mut bytes = noise(&mut numbers).to_vec();
        if let Some(first) = bytes.first_mut() {
            *first = u8::from(numbers.below(4) == 0);
        }
        let bytes = Bytes::from(bytes);
        let (_, peak) = peak_of(|| {
            let header = RequestHeader::read(&mut Reader::new(bytes.clone())).is_ok();
            (header, MetadataRecord::decode(bytes.clone()).is_ok())
        });
        assert!(peak <= 64 * bytes.len() + (8 << 10), "{peak} for {bytes:?}");
    }
}

#[test]
fn a_truncated_message_is_refused() {
    let mut numbers = Numbers(3);
    for codec in all() {
        for version in codec.versions.iter() {
            let whole = (codec.make)(version, &mut numbers);
            for length in 0..whole.len().min(400) {
                let cut = whole.slice(..length);
                let result = (codec.read)(&mut Reader::new(cut), version);
                assert!(
                    result.is_err(),
                    "{} {version}, {length} of {whole:?}",
                    codec.name
                );
            }
        }
    }
}

/// The frame on which the crate `kafka-protocol` reserves for two billion elements.
#[test]
fn a_claimed_count_reserves_nothing() {
    for codec in all() {
        for version in codec.versions.iter() {
            for claim in [
                [0x7f, 0xff, 0xff, 0xff, 0x07],
                [0xff, 0xff, 0xff, 0xff, 0x07],
            ] {
                for before in 0..24 {
                    let frame = [&vec![0; before][..], &claim, &[1; 8]].concat();
                    let length = frame.len();
                    let mut reader = Reader::new(frame.into());
                    let (_, peak) = peak_of(|| (codec.read)(&mut reader, version).is_ok());
                    assert!(
                        peak < 16 << 10,
                        "{} {version}: {peak}, {length}",
                        codec.name
                    );
                }
            }
        }
    }
}

/// Elements that are small on the wire and large in memory end at the budget.
#[test]
fn many_small_elements_end_at_the_budget() {
    // An array of 4 Mi topics of one byte each, which no topic is: names and partitions follow.
    let mut frame = vec![0x00, 0xff, 0xff, 0, 0, 0, 0];
    frame.extend([0x81, 0x80, 0x80, 0x02]);
    frame.extend(vec![1; 16 << 20]);
    let mut reader = Reader::new(frame.into()).with_budget(16 << 20);
    let codecs = all();
    let produce = codecs
        .iter()
        .find(|codec| codec.name == "ProduceRequest")
        .unwrap();
    let (result, peak) = peak_of(|| (produce.read)(&mut reader, 9));
    assert_eq!(result, Err(DecodeError::Memory));
    assert!(peak < 1 << 10, "{peak}");
}

fn any_version(codec: &Codec, numbers: &mut Numbers) -> i16 {
    let versions: Vec<i16> = codec.versions.iter().collect();
    versions[numbers.below(versions.len())]
}
