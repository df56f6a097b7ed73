//! zstd, behind a trait of two functions: the crate beneath it can be changed in one place.

use super::{Compression, Level};
use crate::records::error::BatchError;

/// What a zstd crate must do for us.
trait Zstd {
    /// Levels from this to that are told apart; higher ones act as the highest.
    const LEVELS: (i32, i32);
    /// One frame of `input`.
    fn compress(level: i32, input: &[u8]) -> Option<Vec<u8>>;
    /// All frames of `input`, skippable ones left out, to at most `limit` bytes.
    fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, Failure>;
}

enum Failure {
    Corrupt,
    Limit,
}

/// Kafka's default (`compression.zstd.level`).
const DEFAULT_LEVEL: i32 = 3;
/// The largest level of the reference implementation.
const MAX_LEVEL: i32 = 22;

type Codec = Zrip;

pub(super) fn compress(level: Level, input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    let refused = || BatchError::CannotCompress(Compression::Zstd);
    let level = match level {
        Level::Default => DEFAULT_LEVEL,
        Level::At(level) if level <= MAX_LEVEL => level,
        Level::At(_) => return Err(refused()),
    };
    let (least, most) = Codec::LEVELS;
    let frame = Codec::compress(level.clamp(least, most), input).ok_or_else(refused)?;
    out.extend_from_slice(&frame);
    Ok(())
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    /// What one block can hold, and what a block takes at least: three bytes of header and one
    /// to repeat.
    const LARGEST_BLOCK: usize = 128 * 1024;
    const SMALLEST_BLOCK: usize = 4;
    // A frame may claim any size, and memory is reserved on the claim: allow only what the input
    // could make.
    let possible = (input.len() / SMALLEST_BLOCK).saturating_mul(LARGEST_BLOCK);
    Codec::decompress(input, limit.min(possible)).map_err(|failure| match failure {
        Failure::Limit if possible > limit => BatchError::TooLarge { limit },
        Failure::Limit | Failure::Corrupt => BatchError::Corrupt(Compression::Zstd),
    })
}

struct Zrip;

impl Zstd for Zrip {
    const LEVELS: (i32, i32) = (-7, 4);

    fn compress(level: i32, input: &[u8]) -> Option<Vec<u8>> {
        zrip::compress(input, level).ok()
    }

    fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
        zrip::decompress_with_limit(input, limit).map_err(|error| {
            if error == zrip::DecompressError::OutputTooSmall {
                Failure::Limit
            } else {
                Failure::Corrupt
            }
        })
    }
}
