//! What other clients' codecs write and ours must read.

use super::*;
use std::io::Write;

const LIMIT: usize = 10 << 20;

fn text() -> Vec<u8> {
    (0..60_000u32)
        .flat_map(|i| format!("{} ", i * 7919 % 9973).into_bytes())
        .collect()
}

fn packed(codec: Compression, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress(codec, Level::Default, input, &mut out).unwrap();
    out
}

#[test]
fn frames_and_members_may_follow_each_other() {
    for codec in [Compression::Gzip, Compression::Zstd, Compression::Snappy] {
        let both = [packed(codec, b"one "), packed(codec, &text())].concat();
        let expected = [b"one ", &text()[..]].concat();
        assert_eq!(
            decompress(codec, &both, LIMIT).unwrap(),
            expected,
            "{codec}"
        );
        // The limit is on all of them together.
        let limit = expected.len() - 1;
        let error = decompress(codec, &both, limit).unwrap_err();
        assert_eq!(error, BatchError::TooLarge { limit }, "{codec}");
    }
}

#[test]
fn skippable_frames_are_skipped() {
    let skippable = [
        &0x184D_2A50u32.to_le_bytes()[..],
        &3u32.to_le_bytes(),
        b"abc",
    ]
    .concat();
    let zstd = [skippable, packed(Compression::Zstd, b"value")].concat();
    assert_eq!(
        decompress(Compression::Zstd, &zstd, LIMIT).unwrap(),
        b"value"
    );
}

#[test]
fn snappy_without_java_framing() {
    let raw = snap::raw::Encoder::new().compress_vec(&text()).unwrap();
    assert_eq!(
        decompress(Compression::Snappy, &raw, LIMIT).unwrap(),
        text()
    );
    // A few bytes that claim four gigabytes.
    let liar = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00];
    let error = decompress(Compression::Snappy, &liar, usize::MAX).unwrap_err();
    assert_eq!(error, BatchError::Corrupt(Compression::Snappy));
}

#[test]
fn zstd_that_claims_more_than_it_can_hold() {
    // Magic, a frame of one segment with a size of 8 bytes: 64 MiB, and one empty block.
    let mut liar = vec![0x28, 0xB5, 0x2F, 0xFD, 0xE0];
    liar.extend_from_slice(&(64u64 << 20).to_le_bytes());
    liar.extend_from_slice(&[1, 0, 0]);
    let error = decompress(Compression::Zstd, &liar, 100 << 20).unwrap_err();
    assert_eq!(error, BatchError::Corrupt(Compression::Zstd));
}

#[test]
fn lz4_frames_with_everything_that_the_format_allows() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let text = text();
    for size in [BlockSize::Max64KB, BlockSize::Max4MB] {
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for checked in [false, true] {
                let info = FrameInfo::new()
                    .block_size(size)
                    .block_mode(mode)
                    .block_checksums(checked)
                    .content_checksum(checked)
                    .content_size(checked.then_some(u64::try_from(text.len()).unwrap()));
                let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                encoder.write_all(&text).unwrap();
                let mut frame = encoder.finish().unwrap();
                assert_eq!(decompress(Compression::Lz4, &frame, LIMIT).unwrap(), text);
                if checked {
                    let last = frame.len() - 1;
                    frame[last] ^= 1;
                    assert!(decompress(Compression::Lz4, &frame, LIMIT).is_err());
                }
            }
        }
    }
    // What Java's decoder expects: version 1, independent blocks of at most 64 KiB, no more.
    assert_eq!(
        packed(Compression::Lz4, &text)[..6],
        [4, 0x22, 0x4D, 0x18, 0x60, 0x40]
    );
}

#[test]
fn levels_are_checked() {
    let try_level = |codec, level| compress(codec, Level::At(level), b"x", &mut Vec::new());
    for level in [-1, 1, 9] {
        assert_eq!(try_level(Compression::Gzip, level), Ok(()));
    }
    for level in [-2, 0, 10] {
        assert!(try_level(Compression::Gzip, level).is_err(), "{level}");
    }
    for level in [-131_072, -7, 0, 1, 4, 22] {
        assert_eq!(try_level(Compression::Zstd, level), Ok(()));
    }
    assert!(try_level(Compression::Zstd, 23).is_err());
    let size = |level| {
        let mut out = Vec::new();
        compress(Compression::Gzip, Level::At(level), &text(), &mut out).unwrap();
        out.len()
    };
    assert!(size(9) < size(1));
}

#[test]
fn names_and_ids_are_kafkas() {
    let named: Vec<(u8, &str)> = Compression::ALL
        .iter()
        .map(|c| (c.id(), c.name()))
        .collect();
    assert_eq!(
        named,
        [
            (0, "none"),
            (1, "gzip"),
            (2, "snappy"),
            (3, "lz4"),
            (4, "zstd")
        ]
    );
    for codec in Compression::ALL {
        assert_eq!(Compression::from_id(codec.id()), Some(codec));
        assert_eq!(codec.name().parse(), Ok(codec));
        assert!(codec.is_available());
    }
    assert_eq!(Compression::from_id(5), None);
    assert_eq!("LZ4".parse::<Compression>(), Err(()));
}
