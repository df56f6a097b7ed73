//! Messages that are not requests: records of the internal topics, and what group members exchange.
//!
//! Keys and values in `__consumer_offsets`, subscriptions and assignments start with a version of
//! two bytes: [`write_versioned`] and [`read_versioned`]. Records in `__cluster_metadata` have a
//! frame: [`metadata::MetadataRecord`].

pub mod consumer_offsets;
pub mod consumer_protocol;
pub mod metadata;
pub mod metadata_records;

use bytes::Bytes;

use super::{DecodeError, EncodeError, Message, Reader, Writer};

/// The message with its version before it.
///
/// # Errors
/// An [`EncodeError`].
pub fn write_versioned<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    writer.i16(version);
    message.write_version(&mut writer, version);
    writer.into_bytes()
}

/// A message with its version before it. A version above the schema's is refused.
///
/// # Errors
/// A [`DecodeError`].
pub fn read_versioned<M: Message>(bytes: Bytes) -> Result<M, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    M::read_version(&mut reader, version)
}
