//! gzip: one member is written; several, one after the other, are read (RFC 1952, 2.2).

use super::{Compression, Level, read_bounded};
use crate::records::error::BatchError;
use std::io::Write;

/// Java's `GZIPOutputStream` by default: zlib's level 6.
const DEFAULT_LEVEL: u32 = 6;

pub(super) fn compress(level: Level, input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    let refused = || BatchError::CannotCompress(Compression::Gzip);
    let level = match level {
        Level::Default | Level::At(-1) => DEFAULT_LEVEL,
        Level::At(level) => u32::try_from(level)
            .ok()
            .filter(|level| (1..=9).contains(level))
            .ok_or_else(refused)?,
    };
    let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::new(level));
    encoder.write_all(input).map_err(|_| refused())?;
    encoder.finish().map_err(|_| refused())?;
    Ok(())
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut out = Vec::new();
    let mut rest = input;
    loop {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        read_bounded(&mut member, &mut out, Compression::Gzip, limit)?;
        rest = member.into_inner();
        // As in Java, what follows a member and is not another is ignored.
        if !rest.starts_with(&[0x1F, 0x8B]) {
            return Ok(out);
        }
    }
}
