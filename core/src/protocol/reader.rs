//! Reads Kafka's primitive types from one frame, without trusting a byte of it.
//!
//! Every read is checked against the bytes that are left. A claimed element count is checked twice
//! before anything is reserved: against the bytes that are left (count times the least size of an
//! element), and against a memory budget, because a small element on the wire can be a large struct
//! in memory. So a frame of N bytes can never make the decoder hold more than the budget.
//!
//! `Bytes` values are views into the frame: they keep the whole frame alive. Whoever stores one for
//! long copies it (`Bytes::copy_from_slice`).
//!
//! Sources: Kafka's protocol guide ("Protocol Primitive Types"), KIP-482 for compact forms and
//! tagged fields. Like Kafka, text that is not UTF-8 is read with replacement characters, any
//! negative length means null, and bytes after a request's last field are ignored.

use std::fmt;

use bytes::Bytes;

use super::wire::{Versions, Wire};
use crate::types::Uuid;

/// The longest string Kafka accepts, in bytes.
pub(super) const MAX_STRING: usize = 0x7fff;

/// Memory that a decoder may use whatever the length of its frame.
const BASE_BUDGET: usize = 16 << 20;

/// Memory that a decoder may use for each byte of its frame, beyond the base.
const BUDGET_PER_BYTE: usize = 8;

/// Why bytes are not the message they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before the message does.
    Truncated,
    /// A length or count claims more than the bytes that are left, or than Kafka allows.
    Length,
    /// A null where the schema has none.
    Null,
    /// A variable-length integer that does not end, or is too large.
    Varint,
    /// A tagged field of the wrong size, or unknown to this version though its tag is known.
    Tag,
    /// The decoded message would use more memory than its budget.
    Memory,
    /// The version is outside the schema's valid versions.
    Version,
    /// No API, record type or frame version has this number.
    Unknown,
    /// Bytes are left after a message that must fill its frame.
    Trailing,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the bytes end before the message does",
            Self::Length => "a length is larger than the bytes that are left",
            Self::Null => "a null in a field that cannot be null",
            Self::Varint => "an endless or too large variable-length integer",
            Self::Tag => "a tagged field of the wrong size or version",
            Self::Memory => "the message would need more memory than allowed",
            Self::Version => "a version that this message does not have",
            Self::Unknown => "an unknown API key, record type or frame version",
            Self::Trailing => "bytes after the end of the message",
        })
    }
}

impl std::error::Error for DecodeError {}

/// A position in a frame, with the version that is being read and the memory still allowed.
#[derive(Debug, Clone)]
pub struct Reader {
    bytes: Bytes,
    at: usize,
    budget: usize,
    version: i16,
    flexible: bool,
}

impl Reader {
    /// Starts at the first byte, with the default budget: 16 MiB and 8 bytes per byte of the frame.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        let budget = bytes
            .len()
            .saturating_mul(BUDGET_PER_BYTE)
            .saturating_add(BASE_BUDGET);
        Self {
            bytes,
            at: 0,
            budget,
            version: 0,
            flexible: false,
        }
    }

    /// Sets the memory, in bytes, that decoding may still use.
    #[must_use]
    pub fn with_budget(mut self, budget: usize) -> Self {
        self.budget = budget;
        self
    }

    /// The number of bytes not yet read.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The version that is being read.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.version
    }

    /// Whether that version has compact lengths and tagged fields.
    #[must_use]
    pub fn flexible(&self) -> bool {
        self.flexible
    }

    /// Reads what follows in this version; `flexible` is the first flexible version, if any.
    pub fn set_version(&mut self, version: i16, flexible: Option<i16>) {
        self.version = version;
        self.flexible = flexible.is_some_and(|first| version >= first);
    }

    /// Sets the version after checking it against the schema's.
    pub(super) fn enter(
        &mut self,
        version: i16,
        valid: Versions,
        flexible: Option<i16>,
    ) -> Result<(), DecodeError> {
        if !valid.contains(version) {
            return Err(DecodeError::Version);
        }
        self.set_version(version, flexible);
        Ok(())
    }

    /// The next byte as a signed number.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    /// The next two bytes as a signed number.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    /// The next two bytes as an unsigned number.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// The next four bytes as a signed number.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// The next four bytes as an unsigned number.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// The next eight bytes as a signed number.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// The next eight bytes as a floating-point number.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    /// The next byte as a truth value: everything but 0 is true.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    /// The next 16 bytes as an id.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        Ok(Uuid(self.array()?))
    }

    /// An unsigned number of seven bits per byte, low bits first, at most five bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], or [`DecodeError::Varint`] beyond 32 bits.
    #[inline(never)]
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let value = self.varint_bits(5)?;
        u32::try_from(value).map_err(|_| DecodeError::Varint)
    }

    /// A signed number of 32 bits, zigzag-coded.
    ///
    /// # Errors
    /// As [`Reader::unsigned_varint`].
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        let bits = self.unsigned_varint()?;
        Ok((bits >> 1).cast_signed() ^ (bits & 1).cast_signed().wrapping_neg())
    }

    /// A signed number of 64 bits, zigzag-coded.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], or [`DecodeError::Varint`] beyond 64 bits.
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        let bits = self.varint_bits(10)?;
        Ok((bits >> 1).cast_signed() ^ (bits & 1).cast_signed().wrapping_neg())
    }

    /// The next `length` bytes, as a view into the frame.
    ///
    /// # Errors
    /// [`DecodeError::Length`] if fewer are left.
    #[inline(never)]
    pub fn take(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        let end = self.end_of(length)?;
        let view = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(view)
    }

    /// Everything that is left, as a view into the frame.
    #[must_use]
    pub fn rest(&mut self) -> Bytes {
        let view = self.bytes.slice(self.at.min(self.bytes.len())..);
        self.at = self.bytes.len();
        view
    }

    /// A string of at most 32,767 bytes, or null.
    ///
    /// # Errors
    /// [`DecodeError::Length`] or [`DecodeError::Varint`] for a bad length.
    #[inline(never)]
    pub fn nullable_string(&mut self) -> Result<Option<String>, DecodeError> {
        let length = if self.flexible {
            self.compact_length()?
        } else {
            usize::try_from(self.i16()?).ok()
        };
        let Some(length) = length else {
            return Ok(None);
        };
        if length > MAX_STRING {
            return Err(DecodeError::Length);
        }
        let end = self.end_of(length)?;
        let text = self
            .bytes
            .get(self.at..end)
            .ok_or(DecodeError::Length)?
            .to_vec();
        self.at = end;
        Ok(Some(String::from_utf8(text).unwrap_or_else(|error| {
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        })))
    }

    /// A string of at most 32,767 bytes.
    ///
    /// # Errors
    /// As [`Reader::nullable_string`], and [`DecodeError::Null`].
    pub fn string(&mut self) -> Result<String, DecodeError> {
        self.nullable_string()?.ok_or(DecodeError::Null)
    }

    /// Bytes with a length before them, or null, as a view into the frame.
    ///
    /// # Errors
    /// [`DecodeError::Length`] or [`DecodeError::Varint`] for a bad length.
    #[inline(never)]
    pub fn nullable_bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        match self.length()? {
            None => Ok(None),
            Some(length) => self.take(length).map(Some),
        }
    }

    /// The number of elements of an array, or null; memory for elements of type `T` may be reserved
    /// afterwards: it is already paid for.
    ///
    /// # Errors
    /// [`DecodeError::Length`] if the bytes that are left cannot hold so many elements,
    /// [`DecodeError::Memory`] if the budget cannot.
    pub fn array_length<T: Wire>(&mut self) -> Result<Option<usize>, DecodeError> {
        self.elements(T::MIN_LEN, size_of::<T>())
    }

    #[inline(never)]
    fn elements(&mut self, least: usize, in_memory: usize) -> Result<Option<usize>, DecodeError> {
        let Some(count) = self.length()? else {
            return Ok(None);
        };
        // No schema has elements of no bytes, so a count above the bytes that are left is a lie.
        if count.saturating_mul(least.max(1)) > self.remaining() {
            return Err(DecodeError::Length);
        }
        self.budget = self
            .budget
            .checked_sub(count.saturating_mul(in_memory))
            .ok_or(DecodeError::Memory)?;
        Ok(Some(count))
    }

    /// Reads the tagged fields that end every struct of a flexible version; nothing in others.
    ///
    /// `known` reads the value of a tag that it knows and returns true, or returns false; then the
    /// value is skipped.
    ///
    /// # Errors
    /// [`DecodeError::Tag`] if a known field has another size than claimed, or what `known`
    /// returns.
    #[inline(never)]
    pub fn tagged_fields(
        &mut self,
        known: &mut dyn FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        if !self.flexible {
            return Ok(());
        }
        // Each field takes two bytes or more, so a false count runs out of bytes.
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let length = self.unsigned_varint()?;
            let length = usize::try_from(length).map_err(|_| DecodeError::Length)?;
            let end = self.end_of(length)?;
            if known(self, tag)? {
                if self.at != end {
                    return Err(DecodeError::Tag);
                }
            } else {
                self.at = end;
            }
        }
        Ok(())
    }

    /// Whether a struct that may be null is there: one byte before it says so.
    pub(super) fn struct_is_present(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? >= 0)
    }

    fn length(&mut self) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            self.compact_length()
        } else {
            Ok(usize::try_from(self.i32()?).ok())
        }
    }

    /// A length plus one, where 0 is null.
    fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        match self.unsigned_varint()?.checked_sub(1) {
            None => Ok(None),
            Some(length) => usize::try_from(length)
                .map(Some)
                .map_err(|_| DecodeError::Length),
        }
    }

    fn varint_bits(&mut self, bytes: u32) -> Result<u64, DecodeError> {
        let mut value: u64 = 0;
        for i in 0..bytes {
            let [byte] = self.array()?;
            let shift = i.saturating_mul(7);
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Varint);
            }
            value |= bits.wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let found = self
            .bytes
            .get(self.at..)
            .and_then(<[u8]>::first_chunk::<N>)
            .copied()
            .ok_or(DecodeError::Truncated)?;
        self.at = self.at.saturating_add(N);
        Ok(found)
    }

    fn end_of(&self, length: usize) -> Result<usize, DecodeError> {
        self.at
            .checked_add(length)
            .filter(|&end| end <= self.bytes.len())
            .ok_or(DecodeError::Length)
    }
}
