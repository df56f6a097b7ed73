//! The wire codec: against another implementation, against Kafka's recorded bytes, and against
//! bytes that nobody should send.

mod golden;
mod hostile;
mod peer;

use bytes::Bytes;
use partita_core::protocol::arbitrary::{self, Arbitrary};
use partita_core::protocol::{DecodeError, EncodeError, Message, Reader, Versions};

use partita_tests::numbers::Numbers;

/// One type of message, seen from outside: all of them fit in one table.
struct Codec {
    name: &'static str,
    versions: Versions,
    /// A message of any content, as bytes.
    make: fn(i16, &mut Numbers) -> Bytes,
    /// Reads a message; then writes it again and reads that, which must give the same message.
    /// Returns what it wrote; nothing if it is too long to be written.
    read: fn(&mut Reader, i16) -> Result<Option<Bytes>, DecodeError>,
}

fn codec<M: Message + Arbitrary + PartialEq + std::fmt::Debug>(name: &'static str) -> Codec {
    Codec {
        name,
        versions: M::VERSIONS,
        make: |version, numbers| {
            let message: M = arbitrary::message(version, &mut || numbers.next());
            let bytes = message.encode(version).unwrap();
            assert_eq!(M::decode(bytes.clone(), version).unwrap(), message);
            bytes
        },
        read: |reader, version| {
            let message = M::read_version(reader, version)?;
            match message.encode(version) {
                Ok(bytes) => {
                    assert_eq!(M::decode(bytes.clone(), version).unwrap(), message);
                    Ok(Some(bytes))
                }
                // Bytes that are no text grow when they are replaced, beyond a string's limit.
                Err(error) => {
                    assert_eq!(error, EncodeError::Length);
                    Ok(None)
                }
            }
        },
    }
}

macro_rules! codecs {
    ($($message:ident),* $(,)?) => {
        vec![$( codec::<$message>(stringify!($message)) ),*]
    };
}

/// Every message that the core declares.
fn all() -> Vec<Codec> {
    use partita_core::protocol::internal::consumer_offsets::*;
    use partita_core::protocol::internal::consumer_protocol::{
        ConsumerProtocolAssignment, ConsumerProtocolSubscription,
    };
    use partita_core::protocol::internal::metadata_records::*;
    use partita_core::protocol::messages::*;
    codecs![
        ProduceRequest,
        ProduceResponse,
        FetchRequest,
        FetchResponse,
        ListOffsetsRequest,
        ListOffsetsResponse,
        MetadataRequest,
        MetadataResponse,
        OffsetCommitRequest,
        OffsetCommitResponse,
        OffsetFetchRequest,
        OffsetFetchResponse,
        FindCoordinatorRequest,
        FindCoordinatorResponse,
        JoinGroupRequest,
        JoinGroupResponse,
        HeartbeatRequest,
        HeartbeatResponse,
        LeaveGroupRequest,
        LeaveGroupResponse,
        SyncGroupRequest,
        SyncGroupResponse,
        DescribeGroupsRequest,
        DescribeGroupsResponse,
        ListGroupsRequest,
        ListGroupsResponse,
        SaslHandshakeRequest,
        SaslHandshakeResponse,
        ApiVersionsRequest,
        ApiVersionsResponse,
        CreateTopicsRequest,
        CreateTopicsResponse,
        DeleteTopicsRequest,
        DeleteTopicsResponse,
        DeleteRecordsRequest,
        DeleteRecordsResponse,
        InitProducerIdRequest,
        InitProducerIdResponse,
        OffsetForLeaderEpochRequest,
        OffsetForLeaderEpochResponse,
        DescribeConfigsRequest,
        DescribeConfigsResponse,
        AlterConfigsRequest,
        AlterConfigsResponse,
        CreatePartitionsRequest,
        CreatePartitionsResponse,
        DeleteGroupsRequest,
        DeleteGroupsResponse,
        IncrementalAlterConfigsRequest,
        IncrementalAlterConfigsResponse,
        OffsetDeleteRequest,
        OffsetDeleteResponse,
        DescribeClusterRequest,
        DescribeClusterResponse,
        DescribeTopicPartitionsRequest,
        DescribeTopicPartitionsResponse,
        ConsumerProtocolSubscription,
        ConsumerProtocolAssignment,
        LegacyOffsetCommitKey,
        OffsetCommitKey,
        OffsetCommitValue,
        GroupMetadataKey,
        GroupMetadataValue,
        RegisterBrokerRecord,
        TopicRecord,
        PartitionRecord,
        ConfigRecord,
        PartitionChangeRecord,
        RemoveTopicRecord,
        FeatureLevelRecord,
        ProducerIdsRecord,
        BrokerRegistrationChangeRecord,
        NoOpRecord,
    ]
}
