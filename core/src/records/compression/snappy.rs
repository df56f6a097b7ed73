//! Snappy: raw blocks, alone or in the framing of Java's `SnappyOutputStream` (xerial).
//!
//! The framing is a magic, two version numbers, and then blocks, each with its length in front.
//! Java and librdkafka write it, others write one raw block; both are read.

use super::Compression;
use crate::records::error::BatchError;

/// 0x82 `SNAPPY` 0x00, version 1, readable from version 1.
const STREAM_HEADER: [u8; 16] = [
    0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1,
];
const MAGIC_LENGTH: usize = 8;
/// How much Java puts into one block.
const BLOCK_SIZE: usize = 32 * 1024;

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    let refused = || BatchError::CannotCompress(Compression::Snappy);
    out.extend_from_slice(&STREAM_HEADER);
    let mut encoder = snap::raw::Encoder::new();
    let mut block = vec![0; snap::raw::max_compress_len(BLOCK_SIZE)];
    for chunk in input.chunks(BLOCK_SIZE) {
        let length = encoder.compress(chunk, &mut block).map_err(|_| refused())?;
        let prefix = i32::try_from(length).map_err(|_| refused())?;
        out.extend_from_slice(&prefix.to_be_bytes());
        out.extend_from_slice(block.get(..length).ok_or_else(refused)?);
    }
    Ok(())
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut out = Vec::new();
    let magic = STREAM_HEADER.get(..MAGIC_LENGTH).unwrap_or_default();
    if !input.starts_with(magic) {
        block(input, &mut out, limit)?;
        return Ok(out);
    }
    let mut rest = input;
    loop {
        // Streams may be concatenated: where a block's length could be, another header may begin.
        if rest.starts_with(magic) {
            rest = rest.get(STREAM_HEADER.len()..).ok_or_else(corrupt)?;
        }
        if rest.is_empty() {
            return Ok(out);
        }
        let (prefix, after) = rest.split_first_chunk::<4>().ok_or_else(corrupt)?;
        let length = usize::try_from(i32::from_be_bytes(*prefix)).map_err(|_| corrupt())?;
        let (compressed, after) = after.split_at_checked(length).ok_or_else(corrupt)?;
        block(compressed, &mut out, limit)?;
        rest = after;
    }
}

/// Appends one decompressed block to `out`.
fn block(compressed: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), BatchError> {
    let length = snap::raw::decompress_len(compressed).map_err(|_| corrupt())?;
    // Three bytes make 64 at most, so a longer claim is a lie; it must not be reserved for.
    if length > compressed.len().saturating_mul(22) {
        return Err(corrupt());
    }
    let start = out.len();
    let end = start.saturating_add(length);
    if end > limit {
        return Err(BatchError::TooLarge { limit });
    }
    out.resize(end, 0);
    let written = snap::raw::Decoder::new()
        .decompress(compressed, out.get_mut(start..).unwrap_or_default())
        .map_err(|_| corrupt())?;
    if written == length {
        Ok(())
    } else {
        Err(corrupt())
    }
}

fn corrupt() -> BatchError {
    BatchError::Corrupt(Compression::Snappy)
}
