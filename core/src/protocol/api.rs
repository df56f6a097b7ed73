//! The APIs by their keys, the versions Apache Kafka 4.3.1 serves, and the headers of frames.
//!
//! Whether a broker serves an API is its dispatch table's decision; this is only what Kafka's own
//! broker serves. Two traps are kept as Kafka keeps them: Produce is advertised from version 0
//! although requests below 3 are refused (KAFKA-18659), and an ApiVersions response always has a
//! response header of version 0 (KIP-511), whatever its own version.

use std::fmt;

use bytes::Bytes;

use super::reader::{DecodeError, Reader};
use super::wire::{Request, Response, Versions};
use super::writer::{EncodeError, Part, Writer};

macro_rules! api_keys {
    ($( $name:ident = $key:literal, $min:literal - $max:literal, $flexible:expr; )*) => {
        /// What a request asks for, by the number in its header.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {
            $(
                #[doc = concat!("API key ", $key, ", versions ", $min, " to ", $max, ".")]
                $name = $key,
            )*
        }

        impl ApiKey {
            /// Every API that Apache Kafka's brokers serve, by ascending key.
            pub const ALL: &'static [Self] = &[$( Self::$name ),*];

            /// Kafka's name of the API.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $( Self::$name => stringify!($name), )*
                }
            }

            /// The versions that Apache Kafka 4.3.1 advertises.
            #[must_use]
            pub fn versions(self) -> Versions {
                match self {
                    $( Self::$name => Versions { min: $min, max: $max }, )*
                }
            }

            /// The first version with compact lengths and tagged fields, if any.
            #[must_use]
            pub fn flexible(self) -> Option<i16> {
                match self {
                    $( Self::$name => $flexible, )*
                }
            }
        }

        impl TryFrom<i16> for ApiKey {
            type Error = DecodeError;

            fn try_from(key: i16) -> Result<Self, DecodeError> {
                match key {
                    $( $key => Ok(Self::$name), )*
                    _ => Err(DecodeError::Unknown),
                }
            }
        }

        impl From<ApiKey> for i16 {
            fn from(key: ApiKey) -> Self {
                match key {
                    $( ApiKey::$name => $key, )*
                }
            }
        }
    };
}

impl ApiKey {
    /// The version of the request header before a request of this version.
    #[must_use]
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.flexible().is_some_and(|first| version >= first) {
            2
        } else {
            1
        }
    }

    /// The version of the response header before a response of this version.
    #[must_use]
    pub fn response_header_version(self, version: i16) -> i16 {
        if self == Self::ApiVersions {
            return 0;
        }
        i16::from(self.request_header_version(version) == 2)
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What stands before every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API asked for.
    pub api_key: ApiKey,
    /// The version of the request, not yet checked against those that are served.
    pub api_version: i16,
    /// The number that the response will carry.
    pub correlation_id: i32,
    /// The client's name for itself.
    pub client_id: Option<String>,
}

impl RequestHeader {
    /// Reads the header that starts a request's frame; the body is next.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for an unknown API key, or another [`DecodeError`]. Kafka closes
    /// the connection then: nothing tells in which form an answer would be understood.
    pub fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let api_key = ApiKey::try_from(reader.i16()?)?;
        let api_version = reader.i16()?;
        let correlation_id = reader.i32()?;
        // The client id never became compact, so that any broker can read it.
        reader.set_version(1, None);
        let client_id = reader.nullable_string()?;
        reader.set_version(api_key.request_header_version(api_version), Some(2));
        reader.tagged_fields(&mut |_, _| Ok(false))?;
        Ok(Self {
            api_key,
            api_version,
            correlation_id,
            client_id,
        })
    }

    /// Appends the header.
    pub fn write(&self, writer: &mut Writer) {
        writer.i16(self.api_key.into());
        writer.i16(self.api_version);
        writer.i32(self.correlation_id);
        writer.set_version(1, None);
        writer.nullable_string(self.client_id.as_deref());
        let version = self.api_key.request_header_version(self.api_version);
        writer.set_version(version, Some(2));
        writer.tagged_fields(&mut |_| {});
    }
}

/// What stands before every response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseHeader {
    /// The number of the request that is answered.
    pub correlation_id: i32,
}

impl ResponseHeader {
    /// Reads the header of a response to a request of this API and version; the body is next.
    ///
    /// # Errors
    /// A [`DecodeError`].
    pub fn read(reader: &mut Reader, key: ApiKey, version: i16) -> Result<Self, DecodeError> {
        let correlation_id = reader.i32()?;
        reader.set_version(key.response_header_version(version), Some(1));
        reader.tagged_fields(&mut |_, _| Ok(false))?;
        Ok(Self { correlation_id })
    }

    /// Appends the header of a response to a request of this API and version.
    pub fn write(&self, writer: &mut Writer, key: ApiKey, version: i16) {
        writer.i32(self.correlation_id);
        writer.set_version(key.response_header_version(version), Some(1));
        writer.tagged_fields(&mut |_| {});
    }
}

/// A request's frame, without the length that a TCP connection puts before it.
///
/// # Errors
/// An [`EncodeError`].
pub fn encode_request<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) -> Result<Vec<Part>, EncodeError> {
    let mut writer = Writer::new();
    let header = RequestHeader {
        api_key: R::KEY,
        api_version: version,
        correlation_id,
        client_id: client_id.map(str::to_owned),
    };
    header.write(&mut writer);
    request.write_version(&mut writer, version);
    writer.finish()
}

/// A response's frame, without the length that a TCP connection puts before it.
///
/// # Errors
/// An [`EncodeError`].
pub fn encode_response<R: Response>(
    response: &R,
    version: i16,
    correlation_id: i32,
) -> Result<Vec<Part>, EncodeError> {
    let mut writer = Writer::new();
    ResponseHeader { correlation_id }.write(&mut writer, R::KEY, version);
    response.write_version(&mut writer, version);
    writer.finish()
}

/// The correlation id and the body of a response's frame.
///
/// # Errors
/// A [`DecodeError`].
pub fn decode_response<R: Response>(frame: Bytes, version: i16) -> Result<(i32, R), DecodeError> {
    let mut reader = Reader::new(frame);
    let header = ResponseHeader::read(&mut reader, R::KEY, version)?;
    let response = R::read_version(&mut reader, version)?;
    Ok((header.correlation_id, response))
}

api_keys! {
    Produce = 0, 0 - 13, Some(9);
    Fetch = 1, 4 - 18, Some(12);
    ListOffsets = 2, 1 - 11, Some(6);
    Metadata = 3, 0 - 13, Some(9);
    OffsetCommit = 8, 2 - 10, Some(8);
    OffsetFetch = 9, 1 - 10, Some(6);
    FindCoordinator = 10, 0 - 6, Some(3);
    JoinGroup = 11, 0 - 9, Some(6);
    Heartbeat = 12, 0 - 4, Some(4);
    LeaveGroup = 13, 0 - 5, Some(4);
    SyncGroup = 14, 0 - 5, Some(4);
    DescribeGroups = 15, 0 - 6, Some(5);
    ListGroups = 16, 0 - 5, Some(3);
    SaslHandshake = 17, 0 - 1, None;
    ApiVersions = 18, 0 - 4, Some(3);
    CreateTopics = 19, 2 - 7, Some(5);
    DeleteTopics = 20, 1 - 6, Some(4);
    DeleteRecords = 21, 0 - 2, Some(2);
    InitProducerId = 22, 0 - 5, Some(2);
    OffsetForLeaderEpoch = 23, 2 - 4, Some(4);
    AddPartitionsToTxn = 24, 0 - 5, Some(3);
    AddOffsetsToTxn = 25, 0 - 4, Some(3);
    EndTxn = 26, 0 - 5, Some(3);
    WriteTxnMarkers = 27, 1 - 2, Some(1);
    TxnOffsetCommit = 28, 0 - 5, Some(3);
    DescribeAcls = 29, 1 - 3, Some(2);
    CreateAcls = 30, 1 - 3, Some(2);
    DeleteAcls = 31, 1 - 3, Some(2);
    DescribeConfigs = 32, 1 - 4, Some(4);
    AlterConfigs = 33, 0 - 2, Some(2);
    AlterReplicaLogDirs = 34, 1 - 2, Some(2);
    DescribeLogDirs = 35, 1 - 5, Some(2);
    SaslAuthenticate = 36, 0 - 2, Some(2);
    CreatePartitions = 37, 0 - 3, Some(2);
    CreateDelegationToken = 38, 1 - 3, Some(2);
    RenewDelegationToken = 39, 1 - 2, Some(2);
    ExpireDelegationToken = 40, 1 - 2, Some(2);
    DescribeDelegationToken = 41, 1 - 3, Some(2);
    DeleteGroups = 42, 0 - 2, Some(2);
    ElectLeaders = 43, 0 - 2, Some(2);
    IncrementalAlterConfigs = 44, 0 - 1, Some(1);
    AlterPartitionReassignments = 45, 0 - 1, Some(0);
    ListPartitionReassignments = 46, 0 - 0, Some(0);
    OffsetDelete = 47, 0 - 0, None;
    DescribeClientQuotas = 48, 0 - 1, Some(1);
    AlterClientQuotas = 49, 0 - 1, Some(1);
    DescribeUserScramCredentials = 50, 0 - 0, Some(0);
    AlterUserScramCredentials = 51, 0 - 0, Some(0);
    DescribeQuorum = 55, 0 - 2, Some(0);
    UpdateFeatures = 57, 0 - 2, Some(0);
    DescribeCluster = 60, 0 - 2, Some(0);
    DescribeProducers = 61, 0 - 0, Some(0);
    UnregisterBroker = 64, 0 - 0, Some(0);
    DescribeTransactions = 65, 0 - 0, Some(0);
    ListTransactions = 66, 0 - 2, Some(0);
    ConsumerGroupHeartbeat = 68, 0 - 1, Some(0);
    ConsumerGroupDescribe = 69, 0 - 1, Some(0);
    GetTelemetrySubscriptions = 71, 0 - 0, Some(0);
    PushTelemetry = 72, 0 - 0, Some(0);
    ListConfigResources = 74, 0 - 1, Some(0);
    DescribeTopicPartitions = 75, 0 - 0, Some(0);
    ShareGroupHeartbeat = 76, 1 - 1, Some(0);
    ShareGroupDescribe = 77, 1 - 1, Some(0);
    ShareFetch = 78, 1 - 2, Some(0);
    ShareAcknowledge = 79, 1 - 2, Some(0);
    AddRaftVoter = 80, 0 - 1, Some(0);
    RemoveRaftVoter = 81, 0 - 0, Some(0);
    InitializeShareGroupState = 83, 0 - 0, Some(0);
    ReadShareGroupState = 84, 0 - 0, Some(0);
    WriteShareGroupState = 85, 0 - 1, Some(0);
    DeleteShareGroupState = 86, 0 - 0, Some(0);
    ReadShareGroupStateSummary = 87, 0 - 1, Some(0);
    StreamsGroupHeartbeat = 88, 0 - 0, Some(0);
    StreamsGroupDescribe = 89, 0 - 0, Some(0);
    DescribeShareGroupOffsets = 90, 0 - 1, Some(0);
    AlterShareGroupOffsets = 91, 0 - 0, Some(0);
    DeleteShareGroupOffsets = 92, 0 - 0, Some(0);
}
