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

/// Walks through the first frame, whose magic and fields the decoder checks: it may not end before
/// its end mark, of whose absence the decoder says nothing. What follows is ignored, as in Kafka.
fn is_whole(input: &[u8]) -> Option<()> {
    const BLOCK_CHECKSUMS: u8 = 0x10;
    const CONTENT_SIZE: u8 = 0x08;
    const CONTENT_CHECKSUM: u8 = 0x04;
    const DICTIONARY: u8 = 0x01;
    const UNCOMPRESSED: u32 = 1 << 31;
    let (&flags, rest) = input.get(4..)?.split_first()?;
    let bytes_if = |flag, bytes: usize| if flags & flag == 0 { 0 } else { bytes };
    // Block size, content size, dictionary, header checksum.
    let mut rest = rest.get(2..)?;
    rest = rest.get(bytes_if(CONTENT_SIZE, 8)..)?;
    rest = rest.get(bytes_if(DICTIONARY, 4)..)?;
    loop {
        let (size, block) = rest.split_first_chunk()?;
        let size = u32::from_le_bytes(*size);
        if size == 0 {
            return block.get(bytes_if(CONTENT_CHECKSUM, 4)..).map(|_| ());
        }
        let size = usize::try_from(size & !UNCOMPRESSED).ok()?;
        rest = block.get(size..)?.get(bytes_if(BLOCK_CHECKSUMS, 4)..)?;
    }
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    is_whole(input).ok_or(BatchError::Corrupt(Compression::Lz4))?;
    let mut out = Vec::new();
    read_bounded(FrameDecoder::new(input), &mut out, Compression::Lz4, limit)?;
    Ok(out)
}
