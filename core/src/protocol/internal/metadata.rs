//! The framing of records in `__cluster_metadata`: what a record's value holds.
//!
//! A value is the frame version (1), the record's type and its version, each an unsigned varint,
//! then the record, and nothing after it. Keys are null. Sources: KIP-631, Kafka's
//! `AbstractApiMessageSerde`.

use bytes::Bytes;

use super::metadata_records::{
    BrokerRegistrationChangeRecord, ConfigRecord, FeatureLevelRecord, NoOpRecord,
    PartitionChangeRecord, PartitionRecord, ProducerIdsRecord, RegisterBrokerRecord,
    RemoveTopicRecord, TopicRecord,
};
use crate::protocol::{DecodeError, EncodeError, Message, Reader, Versions, Writer};

/// The only frame version there is.
const FRAME_VERSION: u32 = 1;

macro_rules! metadata_records {
    ($( $name:ident($type:ident) = $key:literal; )*) => {
        /// One record of the metadata log.
        #[derive(Debug, Clone, PartialEq)]
        pub enum MetadataRecord {
            $(
                #[doc = concat!("Type ", $key, ".")]
                $name($type),
            )*
        }

        impl MetadataRecord {
            /// The number of the record's type in its frame.
            #[must_use]
            pub fn key(&self) -> u32 {
                match self {
                    $( Self::$name(_) => $key, )*
                }
            }

            /// Kafka's name of the record's type.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$name(_) => stringify!($type), )*
                }
            }

            /// The versions that this type of record can have.
            #[must_use]
            pub fn versions(&self) -> Versions {
                match self {
                    $( Self::$name(_) => $type::VERSIONS, )*
                }
            }

            fn write(&self, writer: &mut Writer, version: i16) {
                match self {
                    $( Self::$name(record) => record.write_version(writer, version), )*
                }
            }

            fn read(reader: &mut Reader, key: u32, version: i16) -> Result<Self, DecodeError> {
                match key {
                    $( $key => $type::read_version(reader, version).map(Self::$name), )*
                    _ => Err(DecodeError::Unknown),
                }
            }
        }

        $(
            impl From<$type> for MetadataRecord {
                fn from(record: $type) -> Self {
                    Self::$name(record)
                }
            }
        )*
    };
}

metadata_records! {
    RegisterBroker(RegisterBrokerRecord) = 0;
    Topic(TopicRecord) = 2;
    Partition(PartitionRecord) = 3;
    Config(ConfigRecord) = 4;
    PartitionChange(PartitionChangeRecord) = 5;
    RemoveTopic(RemoveTopicRecord) = 9;
    FeatureLevel(FeatureLevelRecord) = 12;
    ProducerIds(ProducerIdsRecord) = 15;
    BrokerRegistrationChange(BrokerRegistrationChangeRecord) = 17;
    NoOp(NoOpRecord) = 20;
}

impl MetadataRecord {
    /// The record in its frame, at one of its versions.
    ///
    /// # Errors
    /// [`EncodeError::Version`], or another [`EncodeError`].
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        writer.unsigned_varint(FRAME_VERSION);
        writer.unsigned_varint(self.key());
        writer.unsigned_varint(u32::try_from(version).map_err(|_| EncodeError::Version)?);
        self.write(&mut writer, version);
        writer.into_bytes()
    }

    /// The record in a frame.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for another frame version or type, [`DecodeError::Trailing`] if
    /// bytes are left, or another [`DecodeError`].
    pub fn decode(frame: Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(frame);
        if reader.unsigned_varint()? != FRAME_VERSION {
            return Err(DecodeError::Unknown);
        }
        let key = reader.unsigned_varint()?;
        let version = i16::try_from(reader.unsigned_varint()?).map_err(|_| DecodeError::Version)?;
        let record = Self::read(&mut reader, key, version)?;
        if reader.remaining() > 0 {
            return Err(DecodeError::Trailing);
        }
        Ok(record)
    }
}
