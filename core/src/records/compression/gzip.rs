//! gzip: one member is written; several, one after the other, are read (RFC 1952).
//!
//! flate2 does the deflating. The frame around it is done here: flate2's brings a table of 16 KB
//! for its checksum into the wasm.

use super::{Compression, Level, read_bounded};
use crate::records::crc32c::gzip_checksum;
use crate::records::error::BatchError;
use std::io::Write;

/// Java's `GZIPOutputStream` by default: zlib's level 6.
const DEFAULT_LEVEL: u32 = 6;
/// What a member begins with.
const MAGIC: [u8; 2] = [0x1F, 0x8B];
/// The only method there is.
const DEFLATE: u8 = 8;
/// "Unknown", as Java says.
const OPERATING_SYSTEM: u8 = 255;

/// The flags of RFC 1952, 2.3.1.
mod flag {
    pub(super) const HEADER_CRC: u8 = 2;
    pub(super) const EXTRA: u8 = 4;
    pub(super) const NAME: u8 = 8;
    pub(super) const COMMENT: u8 = 16;
    pub(super) const RESERVED: u8 = 0xE0;
}

pub(super) fn compress(level: Level, input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    let refused = || BatchError::CannotCompress(Compression::Gzip);
    let level = match level {
        Level::Default | Level::At(-1) => DEFAULT_LEVEL,
        Level::At(level) => u32::try_from(level)
            .ok()
            .filter(|level| (1..=9).contains(level))
            .ok_or_else(refused)?,
    };
    let effort = match level {
        1 => 4,
        9 => 2,
        _ => 0,
    };
    out.extend(MAGIC);
    // No flags, no time.
    out.extend([DEFLATE, 0, 0, 0, 0, 0, effort, OPERATING_SYSTEM]);
    let level = flate2::Compression::new(level);
    let mut encoder = flate2::write::DeflateEncoder::new(&mut *out, level);
    encoder.write_all(input).map_err(|_| refused())?;
    encoder.finish().map_err(|_| refused())?;
    out.extend(gzip_checksum(input).to_le_bytes());
    out.extend(length(input));
    Ok(())
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let corrupt = || BatchError::Corrupt(Compression::Gzip);
    let mut out = Vec::new();
    let mut rest = input;
    loop {
        let before = out.len();
        let deflated = after_header(rest).ok_or_else(corrupt)?;
        let mut member = flate2::bufread::DeflateDecoder::new(deflated);
        read_bounded(&mut member, &mut out, Compression::Gzip, limit)?;
        let (checksum, behind) = member
            .into_inner()
            .split_first_chunk()
            .ok_or_else(corrupt)?;
        let (size, behind) = behind.split_first_chunk().ok_or_else(corrupt)?;
        let read = out.get(before..).unwrap_or_default();
        if u32::from_le_bytes(*checksum) != gzip_checksum(read) || *size != length(read) {
            return Err(corrupt());
        }
        rest = behind;
        // As in Java, what follows a member and is not another is ignored.
        if !rest.starts_with(&MAGIC) {
            return Ok(out);
        }
    }
}

/// What follows a member's header; nothing if that is none.
fn after_header(member: &[u8]) -> Option<&[u8]> {
    let (&[a, b, method, flags, ..], mut rest) = member.split_first_chunk::<10>()?;
    if [a, b] != MAGIC || method != DEFLATE || flags & flag::RESERVED != 0 {
        return None;
    }
    if flags & flag::EXTRA != 0 {
        let (size, behind) = rest.split_first_chunk()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*size))..)?;
    }
    for text in [flag::NAME, flag::COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            (_, rest) = rest.split_at(end).1.split_first()?;
        }
    }
    if flags & flag::HEADER_CRC != 0 {
        let header = member.get(..member.len().checked_sub(rest.len())?)?;
        let (stored, behind) = rest.split_first_chunk::<2>()?;
        if !gzip_checksum(header).to_le_bytes().starts_with(stored) {
            return None;
        }
        rest = behind;
    }
    Some(rest)
}

/// The length, modulo 2^32, as a trailer has it.
fn length(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = bytes.len().to_le_bytes();
    [a, b, c, d]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"a text, a text, a text";

    fn packed() -> Vec<u8> {
        let mut out = Vec::new();
        compress(Level::Default, TEXT, &mut out).unwrap();
        out
    }

    #[test]
    fn flate2_reads_what_is_written_and_writes_what_is_read() {
        for level in [1, 6, 9] {
            let mut ours = Vec::new();
            compress(Level::At(level), TEXT, &mut ours).unwrap();
            let level = flate2::Compression::new(level.unsigned_abs());
            let mut theirs = flate2::write::GzEncoder::new(Vec::new(), level);
            theirs.write_all(TEXT).unwrap();
            assert_eq!(ours, theirs.finish().unwrap());
        }
    }

    #[test]
    fn all_that_a_header_may_have_is_read() {
        let header = flate2::GzBuilder::new()
            .extra(b"extra".as_slice())
            .filename("name")
            .comment("comment")
            .mtime(1);
        let mut member = header.write(Vec::new(), flate2::Compression::new(6));
        member.write_all(TEXT).unwrap();
        let member = member.finish().unwrap();
        assert_eq!(decompress(&member, 100).unwrap(), TEXT);
        // With a checksum of the header, which flate2 does not write.
        let plain = packed();
        let mut header = plain[..10].to_vec();
        header[3] = flag::HEADER_CRC;
        let checksum = gzip_checksum(&header).to_le_bytes();
        let mut guarded = [&header[..], &checksum[..2], &plain[10..]].concat();
        assert_eq!(decompress(&guarded, 100).unwrap(), TEXT);
        guarded[10] ^= 1;
        assert!(decompress(&guarded, 100).is_err());
    }

    #[test]
    fn members_follow_each_other_and_anything_else_is_ignored() {
        let twice = [packed(), packed(), b"and more".to_vec()].concat();
        assert_eq!(decompress(&twice, 100).unwrap(), [TEXT, TEXT].concat());
    }

    #[test]
    fn each_damaged_byte_behind_the_header_is_found_or_harmless() {
        let plain = packed();
        for at in 10..plain.len() {
            let mut damaged = plain.clone();
            damaged[at] ^= 0x10;
            let read = decompress(&damaged, 100);
            assert!(
                read.is_err() || read.is_ok_and(|read| read == TEXT),
                "byte {at}"
            );
        }
        for end in 0..plain.len() {
            assert!(decompress(&plain[..end], 100).is_err(), "{end} bytes");
        }
        assert!(decompress(&plain, TEXT.len() - 1).is_err());
    }
}
