//! LZ4 frames: written as Java writes them, independent blocks of 64 KiB without checksums; read
//! with any block size, dependent blocks, content size and checksums.

use super::{Compression, read_bounded};
use crate::records::error::BatchError;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::Write;

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    let refused = |_| BatchError::CannotCompress(Compression::Lz4);
    let info = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder
        .write_all(input)
        .map_err(|_| BatchError::CannotCompress(Compression::Lz4))?;
    encoder.finish().map_err(refused)?;
    Ok(())
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    /// Magic, descriptor and checksum: what a frame has at least. The decoder takes a frame cut
    /// short in here for the end of the stream.
    const SMALLEST_FRAME: usize = 7;
    if input.len() < SMALLEST_FRAME {
        return Err(BatchError::Corrupt(Compression::Lz4));
    }
    let mut out = Vec::new();
    read_bounded(FrameDecoder::new(input), &mut out, Compression::Lz4, limit)?;
    Ok(out)
}
