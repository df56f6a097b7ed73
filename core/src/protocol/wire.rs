//! What can be on the wire: [`Wire`] for every type of field, [`Message`] for whole messages.
//!
//! A value reads and writes itself in the version that the [`Reader`] or [`Writer`] is set to.
//! Structs get their [`Wire`] from the schema macro; this file has the primitive types, arrays and
//! nullable forms.

use bytes::Bytes;

use super::api::ApiKey;
use super::error::ErrorCode;
use super::reader::{DecodeError, Reader};
use super::writer::{EncodeError, Writer};
use crate::types::Uuid;

/// A range of versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The lowest.
    pub min: i16,
    /// The highest.
    pub max: i16,
}

impl Versions {
    /// Whether the range has this version.
    #[must_use]
    pub const fn contains(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }

    /// Every version of the range, ascending.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = i16> {
        self.min..=self.max
    }
}

/// A whole message: a request, a response, or the key or value of an internal record.
pub trait Message: Wire + Default {
    /// The versions of the schema.
    const VERSIONS: Versions;
    /// The first version with compact lengths and tagged fields (KIP-482), if any.
    const FLEXIBLE: Option<i16>;

    /// Reads the message from the reader's position on.
    ///
    /// # Errors
    /// A [`DecodeError`]; the reader's position is then anywhere.
    fn read_version(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        reader.enter(version, Self::VERSIONS, Self::FLEXIBLE)?;
        let mut message = Self::default();
        message.read(reader)?;
        Ok(message)
    }

    /// Appends the message. A bad version is kept as the writer's error.
    fn write_version(&self, writer: &mut Writer, version: i16) {
        writer.enter(version, Self::VERSIONS, Self::FLEXIBLE);
        self.write(writer);
    }

    /// Reads the message from bytes that start with it. Bytes after it are ignored, as Kafka does.
    ///
    /// # Errors
    /// A [`DecodeError`].
    fn decode(bytes: Bytes, version: i16) -> Result<Self, DecodeError> {
        Self::read_version(&mut Reader::new(bytes), version)
    }

    /// The message as bytes.
    ///
    /// # Errors
    /// An [`EncodeError`]; [`EncodeError::External`] if record data is held elsewhere.
    fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        self.write_version(&mut writer, version);
        writer.into_bytes()
    }
}

/// The body of a request.
pub trait Request: Message {
    /// The API it belongs to.
    const KEY: ApiKey;
    /// What answers it.
    type Response: Response;
}

/// The body of a response.
pub trait Response: Message {
    /// The API it belongs to.
    const KEY: ApiKey;
}

/// A type of field.
pub trait Wire: Sized {
    /// The least number of bytes of a value, in any version.
    const MIN_LEN: usize;

    /// Replaces `self` by what comes next.
    ///
    /// # Errors
    /// A [`DecodeError`]; `self` is then partly read.
    fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError>;

    /// Appends the value. Errors are kept by the writer.
    fn write(&self, writer: &mut Writer);
}

/// A type of field that can be null.
pub trait Nullable: Wire {
    /// The next value, or null.
    ///
    /// # Errors
    /// A [`DecodeError`].
    fn read_nullable(reader: &mut Reader) -> Result<Option<Self>, DecodeError>;

    /// Appends the value, or null.
    fn write_nullable(value: Option<&Self>, writer: &mut Writer);
}

/// Record batches in a Produce request or a Fetch response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// The batches themselves, or null. Decoding always gives this.
    Bytes(Option<Bytes>),
    /// Batches that the caller holds, to be put in place of [`Part::External`](super::Part).
    External {
        /// The caller's own number for them.
        index: u32,
        /// How many bytes they are.
        len: u32,
    },
}

impl Records {
    /// The bytes, if they are here and not null.
    #[must_use]
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => bytes.as_ref(),
            Self::External { .. } => None,
        }
    }

    /// How many bytes they are; 0 for null.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.as_ref().map_or(0, Bytes::len),
            Self::External { len, .. } => usize::try_from(*len).unwrap_or(usize::MAX),
        }
    }

    /// Whether there is no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Records {
    fn default() -> Self {
        Self::Bytes(None)
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl Wire for Records {
    const MIN_LEN: usize = 1;

    fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError> {
        *self = Self::Bytes(reader.nullable_bytes()?);
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        writer.records(self);
    }
}

macro_rules! primitive {
    ($($type:ty: $name:ident, $length:literal;)*) => {$(
        impl Wire for $type {
            const MIN_LEN: usize = $length;

            fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError> {
                *self = reader.$name()?;
                Ok(())
            }

            fn write(&self, writer: &mut Writer) {
                writer.$name(*self);
            }
        }
    )*};
}

primitive! {
    bool: bool, 1;
    i8: i8, 1;
    i16: i16, 2;
    u16: u16, 2;
    i32: i32, 4;
    u32: u32, 4;
    i64: i64, 8;
    f64: f64, 8;
    Uuid: uuid, 16;
}

impl Wire for ErrorCode {
    const MIN_LEN: usize = 2;

    fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError> {
        self.0.read(reader)
    }

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl Wire for String {
    const MIN_LEN: usize = 1;

    fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError> {
        *self = reader.string()?;
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        writer.nullable_string(Some(self));
    }
}

impl Nullable for String {
    fn read_nullable(reader: &mut Reader) -> Result<Option<Self>, DecodeError> {
        reader.nullable_string()
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer) {
        writer.nullable_string(value.map(String::as_str));
    }
}

impl Wire for Bytes {
    const MIN_LEN: usize = 1;

    fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError> {
        *self = reader.nullable_bytes()?.ok_or(DecodeError::Null)?;
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        writer.nullable_bytes(Some(self));
    }
}

impl Nullable for Bytes {
    fn read_nullable(reader: &mut Reader) -> Result<Option<Self>, DecodeError> {
        reader.nullable_bytes()
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer) {
        writer.nullable_bytes(value);
    }
}

impl<T: Wire + Default> Wire for Vec<T> {
    const MIN_LEN: usize = 1;

    fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError> {
        *self = Self::read_nullable(reader)?.ok_or(DecodeError::Null)?;
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        Self::write_nullable(Some(self), writer);
    }
}

impl<T: Wire + Default> Nullable for Vec<T> {
    fn read_nullable(reader: &mut Reader) -> Result<Option<Self>, DecodeError> {
        let Some(count) = reader.array_length::<T>()? else {
            return Ok(None);
        };
        let mut elements = Self::new();
        elements
            .try_reserve_exact(count)
            .map_err(|_| DecodeError::Memory)?;
        for _ in 0..count {
            let mut element = T::default();
            element.read(reader)?;
            elements.push(element);
        }
        Ok(Some(elements))
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer) {
        writer.array_length(value.map(Vec::len));
        for element in value.into_iter().flatten() {
            element.write(writer);
        }
    }
}

impl<T: Nullable> Wire for Option<T> {
    const MIN_LEN: usize = 1;

    fn read(&mut self, reader: &mut Reader) -> Result<(), DecodeError> {
        *self = T::read_nullable(reader)?;
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        T::write_nullable(self.as_ref(), writer);
    }
}

pub(super) fn read_nullable_struct<T: Wire + Default>(
    reader: &mut Reader,
) -> Result<Option<T>, DecodeError> {
    if !reader.struct_is_present()? {
        return Ok(None);
    }
    let mut value = T::default();
    value.read(reader)?;
    Ok(Some(value))
}

pub(super) fn write_nullable_struct<T: Wire>(value: Option<&T>, writer: &mut Writer) {
    writer.struct_is_present(value.is_some());
    if let Some(value) = value {
        value.write(writer);
    }
}
