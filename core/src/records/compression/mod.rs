//! The four codecs behind one enum, each a feature of the crate.
//!
//! Decompression is bounded: no more than the caller's limit is ever produced, and nothing is
//! reserved on a claim that the compressed bytes cannot justify.

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "zstd")]
mod zstd;

use super::error::BatchError;
use std::fmt;
use std::str::FromStr;

/// How a batch's records are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy blocks in the framing of Java's `SnappyOutputStream`.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// RFC 8878; KIP-110.
    Zstd,
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// The codec's own default.
    #[default]
    Default,
    /// gzip 1 to 9; zstd −7 to 22, where levels above 4 act as 4. snappy and lz4 have none and
    /// ignore it.
    At(i32),
}

impl Compression {
    /// All of them, by id.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The id in a batch's attributes.
    #[must_use]
    pub fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The codec with this id.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.id() == id)
    }

    /// The name that the configuration uses (`compression.type`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Whether this build can read and write it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::None => true,
            Self::Gzip => cfg!(feature = "gzip"),
            Self::Snappy => cfg!(feature = "snappy"),
            Self::Lz4 => cfg!(feature = "lz4"),
            Self::Zstd => cfg!(feature = "zstd"),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.name() == name)
            .ok_or(())
    }
}

/// Appends the compressed `input` to `out`, in the form that Kafka's Java client writes.
///
/// # Errors
/// [`BatchError::CodecMissing`]; [`BatchError::CannotCompress`] for a level that is not the
/// codec's.
pub fn compress(
    codec: Compression,
    level: Level,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    match codec {
        Compression::None => {
            out.extend_from_slice(input);
            Ok(())
        }
        #[cfg(feature = "gzip")]
        Compression::Gzip => gzip::compress(level, input, out),
        #[cfg(feature = "snappy")]
        Compression::Snappy => snappy::compress(input, out),
        #[cfg(feature = "lz4")]
        Compression::Lz4 => lz4::compress(input, out),
        #[cfg(feature = "zstd")]
        Compression::Zstd => zstd::compress(level, input, out),
        #[allow(
            unreachable_patterns,
            reason = "all codecs may be features of this build"
        )]
        missing => {
            let _ = level;
            Err(BatchError::CodecMissing(missing))
        }
    }
}

/// Decompresses `input` to at most `limit` bytes.
///
/// # Errors
/// [`BatchError::CodecMissing`], [`BatchError::Corrupt`], [`BatchError::TooLarge`].
pub fn decompress(codec: Compression, input: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    match codec {
        Compression::None if input.len() > limit => Err(BatchError::TooLarge { limit }),
        Compression::None => Ok(input.to_vec()),
        #[cfg(feature = "gzip")]
        Compression::Gzip => gzip::decompress(input, limit),
        #[cfg(feature = "snappy")]
        Compression::Snappy => snappy::decompress(input, limit),
        #[cfg(feature = "lz4")]
        Compression::Lz4 => lz4::decompress(input, limit),
        #[cfg(feature = "zstd")]
        Compression::Zstd => zstd::decompress(input, limit),
        #[allow(
            unreachable_patterns,
            reason = "all codecs may be features of this build"
        )]
        missing => Err(BatchError::CodecMissing(missing)),
    }
}

/// Appends everything that `reader` yields to `out`, which may grow to `limit` bytes.
#[cfg(any(feature = "gzip", feature = "lz4"))]
fn read_bounded(
    reader: impl std::io::Read,
    out: &mut Vec<u8>,
    codec: Compression,
    limit: usize,
) -> Result<(), BatchError> {
    use std::io::Read;
    let room = limit.saturating_sub(out.len());
    // One byte more tells "exactly the limit" from "more than the limit".
    let most = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
    reader
        .take(most)
        .read_to_end(out)
        .map_err(|_| BatchError::Corrupt(codec))?;
    if out.len() > limit {
        return Err(BatchError::TooLarge { limit });
    }
    Ok(())
}
