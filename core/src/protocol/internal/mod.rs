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

/// A message with its version before it, where newer versions only append fields: a version above
/// the schema's is read as the highest known, and what follows is ignored.
///
/// # Errors
/// A [`DecodeError`].
pub fn read_versioned_or_newer<M: Message>(bytes: Bytes) -> Result<M, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?.min(M::VERSIONS.max);
    M::read_version(&mut reader, version)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::consumer_protocol::ConsumerProtocolSubscription;
    use super::metadata::MetadataRecord;
    use super::metadata_records::TopicRecord;
    use super::*;
    use crate::types::Uuid;

    #[test]
    fn a_newer_version_is_read_as_the_highest_known() {
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["t".into()],
            generation_id: 7,
            ..ConsumerProtocolSubscription::default()
        };
        let known = write_versioned(&subscription, 3).unwrap();
        assert_eq!(known.get(..2), Some(&[0, 3][..]));
        let newer = Bytes::from([&[0, 9], known.get(2..).unwrap(), b"more"].concat());
        assert_eq!(
            read_versioned(newer.clone()),
            Err::<ConsumerProtocolSubscription, _>(DecodeError::Version)
        );
        assert_eq!(read_versioned_or_newer(newer), Ok(subscription));
        let negative = Bytes::from_static(&[0xff, 0xff, 0, 0, 0, 0]);
        assert_eq!(
            read_versioned_or_newer::<ConsumerProtocolSubscription>(negative),
            Err(DecodeError::Version)
        );
    }

    #[test]
    fn a_metadata_record_fills_its_frame() {
        let record = MetadataRecord::from(TopicRecord {
            name: "ab".into(),
            topic_id: Uuid(*b"0123456789abcdef"),
        });
        let frame = record.encode(0).unwrap();
        assert_eq!(frame, &b"\x01\x02\x00\x03ab0123456789abcdef\x00"[..]);
        assert_eq!(MetadataRecord::decode(frame.clone()), Ok(record.clone()));
        assert_eq!(record.encode(1), Err(EncodeError::Version));

        let longer = Bytes::from([&frame[..], &[0]].concat());
        assert_eq!(MetadataRecord::decode(longer), Err(DecodeError::Trailing));
        for (at, byte, error) in [
            (0, 2, DecodeError::Unknown),
            (1, 99, DecodeError::Unknown),
            (2, 1, DecodeError::Version),
        ] {
            let mut other = frame.to_vec();
            other[at] = byte;
            assert_eq!(MetadataRecord::decode(other.into()), Err(error));
        }
    }
}
