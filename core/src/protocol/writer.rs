//! Writes Kafka's primitive types, and collects a frame as parts so that record data is not copied.
//!
//! A frame is a list of [`Part`]s: bytes of its own, views of bytes that were there already, and
//! placeholders for record data that only the host holds (a fetch answered from stored chunks).
//!
//! Writing never fails at once: the first error is kept and returned by [`Writer::finish`], so that
//! generated code stays small.

use std::fmt;

use bytes::Bytes;

use super::reader::MAX_STRING;
use super::wire::{Records, Versions};
use crate::types::Uuid;

/// From this length on, bytes become a part of their own instead of being copied.
const OWN_PART: usize = 512;

/// One piece of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes.
    Bytes(Bytes),
    /// So many bytes that the caller knows by `index`.
    External {
        /// The caller's own number for them.
        index: u32,
        /// How many bytes they are.
        len: u32,
    },
}

impl Part {
    /// The number of bytes in this part.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::External { len, .. } => usize::try_from(*len).unwrap_or(usize::MAX),
        }
    }

    /// Whether this part has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a message cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodeError {
    /// The version is outside the schema's valid versions.
    Version,
    /// A null in a field that cannot be null in this version.
    Null,
    /// A string, array or byte field is longer than its length can say.
    Length,
    /// Record data held elsewhere, where only bytes can be.
    External,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "a version that this message does not have",
            Self::Null => "a null in a field that cannot be null in this version",
            Self::Length => "a field longer than its length can say",
            Self::External => "record data held elsewhere, where only bytes can be",
        })
    }
}

impl std::error::Error for EncodeError {}

/// A frame being written, with the version that is being written.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
    parts: Vec<Part>,
    version: i16,
    flexible: bool,
    /// How many tagged fields are open: their sizes come before them, so they stay in one buffer.
    depth: u32,
    error: Option<EncodeError>,
}

impl Writer {
    /// An empty frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The version that is being written.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.version
    }

    /// Whether that version has compact lengths and tagged fields.
    #[must_use]
    pub fn flexible(&self) -> bool {
        self.flexible
    }

    /// Writes what follows in this version; `flexible` is the first flexible version, if any.
    pub fn set_version(&mut self, version: i16, flexible: Option<i16>) {
        self.version = version;
        self.flexible = flexible.is_some_and(|first| version >= first);
    }

    /// Sets the version after checking it against the schema's.
    pub(super) fn enter(&mut self, version: i16, valid: Versions, flexible: Option<i16>) {
        if !valid.contains(version) {
            self.fail(EncodeError::Version);
        }
        self.set_version(version, flexible);
    }

    /// Keeps the first error for [`Writer::finish`].
    pub fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    /// The whole frame, in order.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(mut self) -> Result<Vec<Part>, EncodeError> {
        match self.error {
            Some(error) => Err(error),
            None => {
                self.flush();
                Ok(self.parts)
            }
        }
    }

    /// The whole frame in one piece.
    ///
    /// # Errors
    /// The first error met while writing, or [`EncodeError::External`].
    pub fn into_bytes(self) -> Result<Bytes, EncodeError> {
        join(self.finish()?)
    }

    /// Appends one byte.
    pub fn i8(&mut self, value: i8) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends two bytes.
    pub fn i16(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends two bytes.
    pub fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends four bytes.
    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends four bytes.
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends eight bytes.
    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends eight bytes.
    pub fn f64(&mut self, value: f64) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends 1 or 0 in one byte.
    pub fn bool(&mut self, value: bool) {
        self.i8(i8::from(value));
    }

    /// Appends 16 bytes.
    pub fn uuid(&mut self, value: Uuid) {
        self.raw(&value.0);
    }

    /// Appends these bytes as they are.
    #[inline(never)]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends an unsigned number, seven bits per byte, low bits first.
    pub fn unsigned_varint(&mut self, value: u32) {
        self.varint_bits(u64::from(value));
    }

    /// Appends a signed number of 32 bits, zigzag-coded.
    pub fn varint(&mut self, value: i32) {
        self.unsigned_varint((value.wrapping_shl(1) ^ (value >> 31)).cast_unsigned());
    }

    /// Appends a signed number of 64 bits, zigzag-coded.
    pub fn varlong(&mut self, value: i64) {
        self.varint_bits((value.wrapping_shl(1) ^ (value >> 63)).cast_unsigned());
    }

    /// Appends a string with its length, or null.
    #[inline(never)]
    pub fn nullable_string(&mut self, text: Option<&str>) {
        let length = text.map(str::len);
        if length.is_some_and(|length| length > MAX_STRING) {
            self.fail(EncodeError::Length);
        }
        if self.flexible {
            self.compact_length(length);
        } else {
            self.i16(length.map_or(-1, |length| i16::try_from(length).unwrap_or(i16::MAX)));
        }
        self.raw(text.unwrap_or_default().as_bytes());
    }

    /// Appends bytes with their length, or null. Long ones become a part of their own.
    #[inline(never)]
    pub fn nullable_bytes(&mut self, bytes: Option<&Bytes>) {
        self.length(bytes.map(Bytes::len));
        if let Some(bytes) = bytes {
            if bytes.len() >= OWN_PART && self.depth == 0 {
                self.flush();
                self.parts.push(Part::Bytes(bytes.clone()));
            } else {
                self.raw(bytes);
            }
        }
    }

    /// Appends record data: bytes, or a placeholder for bytes that the caller holds.
    pub fn records(&mut self, records: &Records) {
        match records {
            Records::Bytes(bytes) => self.nullable_bytes(bytes.as_ref()),
            Records::External { index, len } => {
                self.length(usize::try_from(*len).ok());
                if self.depth > 0 {
                    self.fail(EncodeError::External);
                }
                self.flush();
                self.parts.push(Part::External {
                    index: *index,
                    len: *len,
                });
            }
        }
    }

    /// Appends the number of elements of an array, or null; the elements come after it.
    pub fn array_length(&mut self, count: Option<usize>) {
        self.length(count);
    }

    /// Appends the tagged fields that end every struct of a flexible version; nothing in others.
    ///
    /// `fields` calls [`Tags::field`] for each field that differs from its default, in ascending
    /// order of tags.
    pub fn tagged_fields(&mut self, fields: &mut dyn FnMut(&mut Tags<'_>)) {
        if !self.flexible {
            return;
        }
        let at = self.buffer.len();
        self.buffer.push(0);
        self.depth = self.depth.saturating_add(1);
        let mut tags = Tags {
            writer: self,
            count: 0,
        };
        fields(&mut tags);
        let count = tags.count;
        self.depth = self.depth.saturating_sub(1);
        // A schema with 128 tagged fields would need a second byte here; Kafka's largest has 5.
        if let Some(byte) = self.buffer.get_mut(at) {
            *byte = count;
        }
    }

    /// Appends whether a struct that may be null is there.
    pub(super) fn struct_is_present(&mut self, present: bool) {
        self.i8(if present { 1 } else { -1 });
    }

    fn length(&mut self, length: Option<usize>) {
        if self.flexible {
            self.compact_length(length);
        } else {
            match length.map(i32::try_from) {
                None => self.i32(-1),
                Some(Ok(length)) => self.i32(length),
                Some(Err(_)) => self.fail(EncodeError::Length),
            }
        }
    }

    fn compact_length(&mut self, length: Option<usize>) {
        match length.map(i32::try_from) {
            None => self.unsigned_varint(0),
            Some(Ok(length)) => self.unsigned_varint(length.cast_unsigned().saturating_add(1)),
            Some(Err(_)) => self.fail(EncodeError::Length),
        }
    }

    #[inline(never)]
    fn varint_bits(&mut self, mut value: u64) {
        while value > 0x7f {
            let [low, ..] = value.to_le_bytes();
            self.buffer.push(low | 0x80);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.buffer.push(low);
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let bytes = std::mem::take(&mut self.buffer);
            self.parts.push(Part::Bytes(Bytes::from(bytes)));
        }
    }
}

/// The tagged fields of one struct while they are written.
#[derive(Debug)]
pub struct Tags<'w> {
    writer: &'w mut Writer,
    count: u8,
}

impl Tags<'_> {
    /// The version that is being written.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.writer.version
    }

    /// Appends one field: its tag, its size, and what `value` writes.
    #[inline(never)]
    pub fn field(&mut self, tag: u32, value: &mut dyn FnMut(&mut Writer)) {
        let outer = std::mem::take(&mut self.writer.buffer);
        value(self.writer);
        let inner = std::mem::replace(&mut self.writer.buffer, outer);
        self.writer.unsigned_varint(tag);
        match u32::try_from(inner.len()) {
            Ok(length) => self.writer.unsigned_varint(length),
            Err(_) => self.writer.fail(EncodeError::Length),
        }
        self.writer.raw(&inner);
        self.count = self.count.saturating_add(1);
    }
}

/// Joins the parts of a frame into one piece.
///
/// # Errors
/// [`EncodeError::External`] if a part is held elsewhere.
pub fn join(mut parts: Vec<Part>) -> Result<Bytes, EncodeError> {
    if parts.len() == 1
        && let Some(Part::Bytes(bytes)) = parts.pop_if(|part| matches!(part, Part::Bytes(_)))
    {
        return Ok(bytes);
    }
    let mut whole = Vec::with_capacity(parts.iter().map(Part::len).fold(0, usize::saturating_add));
    for part in &parts {
        match part {
            Part::Bytes(bytes) => whole.extend_from_slice(bytes),
            Part::External { .. } => return Err(EncodeError::External),
        }
    }
    Ok(Bytes::from(whole))
}
