//! How manifests and index pages are laid out: numbers of variable length between a format version
//! and a checksum.
//!
//! A stored value begins with its version (two bytes, big-endian) and ends with the CRC-32C of all
//! before it. A version newer than ours is told apart from damage: the first is refused in words
//! that say so, and neither is ever guessed at.

use bytes::Bytes;

use crate::records::{crc32c, varint};

/// Why stored bytes cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatError {
    /// Written by a newer version of Partita, in this format.
    Newer(u16),
    /// Not what any version wrote.
    Damaged(&'static str),
}

impl std::fmt::Display for FormatError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Newer(version) => {
                write!(f, "written by a newer version, in format {version}")
            }
            Self::Damaged(what) => f.write_str(what),
        }
    }
}

/// Writes a value.
#[derive(Debug)]
pub(super) struct Encoder {
    out: Vec<u8>,
}

impl Encoder {
    /// Begins a value of this format version.
    pub(super) fn new(version: u16) -> Self {
        Self {
            out: version.to_be_bytes().to_vec(),
        }
    }

    /// Appends a number, in few bytes if it lies near 0.
    pub(super) fn number(&mut self, value: i64) {
        varint::write_i64(value, &mut self.out);
    }

    /// Appends a count.
    pub(super) fn count(&mut self, count: usize) {
        self.number(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Appends bytes whose length the reader knows.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends the checksum.
    pub(super) fn finish(mut self) -> Bytes {
        let checksum = crc32c::checksum(&self.out);
        self.out.extend_from_slice(&checksum.to_be_bytes());
        Bytes::from(self.out)
    }
}

/// Reads a value.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
}

const CUT: FormatError = FormatError::Damaged("it is cut short");

impl<'a> Decoder<'a> {
    /// Opens a value of at most this format version.
    ///
    /// # Errors
    /// [`FormatError`]. The version is looked at first: a newer format may have another checksum.
    pub(super) fn open(bytes: &'a [u8], newest: u16) -> Result<Self, FormatError> {
        let version: &[u8; 2] = bytes.first_chunk().ok_or(CUT)?;
        let version = u16::from_be_bytes(*version);
        if version > newest {
            return Err(FormatError::Newer(version));
        }
        let (covered, checksum) = bytes.split_last_chunk::<4>().ok_or(CUT)?;
        if crc32c::checksum(covered) != u32::from_be_bytes(*checksum) {
            return Err(FormatError::Damaged("its checksum is wrong"));
        }
        let rest = covered.get(2..).ok_or(CUT)?;
        Ok(Self { rest })
    }

    /// The next number.
    ///
    /// # Errors
    /// [`FormatError::Damaged`], as for all below.
    pub(super) fn number(&mut self) -> Result<i64, FormatError> {
        varint::read_i64(&mut self.rest).ok_or(CUT)
    }

    /// The next number, if it fits a smaller type.
    pub(super) fn narrow<T: TryFrom<i64>>(&mut self) -> Result<T, FormatError> {
        T::try_from(self.number()?).map_err(|_| FormatError::Damaged("a number is out of range"))
    }

    /// The next count, of elements that take at least a byte each.
    pub(super) fn count(&mut self) -> Result<usize, FormatError> {
        let count: usize = self.narrow()?;
        if count > self.rest.len() {
            return Err(FormatError::Damaged("a count is too large"));
        }
        Ok(count)
    }

    /// The next bytes.
    pub(super) fn raw<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(CUT)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Checks that nothing is left.
    pub(super) fn end(self) -> Result<(), FormatError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(FormatError::Damaged("it goes on where it should end"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn sample() -> Bytes {
        let mut encoder = Encoder::new(1);
        encoder.number(-5);
        encoder.count(2);
        encoder.raw(b"ab");
        encoder.finish()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample();
        let mut decoder = Decoder::open(&bytes, 1).unwrap();
        assert_eq!(decoder.number(), Ok(-5));
        assert_eq!(decoder.count(), Ok(2));
        assert_eq!(decoder.raw(), Ok(*b"ab"));
        decoder.end().unwrap();
    }

    #[test]
    fn a_newer_format_is_told_apart_from_damage() {
        let newer = Encoder::new(7).finish();
        assert_eq!(Decoder::open(&newer, 1).err(), Some(FormatError::Newer(7)));
        let good = sample();
        for at in 2..good.len() {
            let mut bad = good.to_vec();
            bad[at] ^= 0x40;
            assert!(matches!(
                Decoder::open(&bad, 1),
                Err(FormatError::Damaged(_))
            ));
        }
        for length in 0..good.len() {
            assert!(Decoder::open(&good[..length], 1).is_err(), "{length}");
        }
    }
}
