//! Our codec against the crate `kafka-protocol`: what one writes the other reads, to the byte.
//!
//! Each case makes a message of any content, writes it with ours, reads and writes it with theirs,
//! and reads that with ours. Versions that the crate does not have yet are left to the recorded
//! bytes: ListOffsets 11, OffsetCommit 10, OffsetFetch 10.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, Message as Theirs};
use partita_core::protocol::arbitrary::{self, Arbitrary};
use partita_core::protocol::{
    ApiKey, Message, Reader, Request, RequestHeader, Response, ResponseHeader, Writer, internal,
    messages as ours,
};

use super::Numbers;

/// Messages per type and version.
const CASES: usize = 60;

fn check<O, T>(name: &str)
where
    O: Message + Arbitrary + PartialEq + std::fmt::Debug,
    T: Theirs + Encodable + Decodable + std::fmt::Debug,
{
    let mut numbers = Numbers(7);
    let mut compared = 0;
    for version in O::VERSIONS.iter() {
        if version < T::VERSIONS.min || version > T::VERSIONS.max {
            continue;
        }
        for case in 0..CASES {
            let context = format!("{name} version {version} case {case}");
            let message: O = arbitrary::message(version, &mut || numbers.next());
            let written = message.encode(version).unwrap();

            let mut rest = written.clone();
            let read = T::decode(&mut rest, version)
                .unwrap_or_else(|error| panic!("{context}: {error}\n{message:#?}"));
            assert!(rest.is_empty(), "{context}: left {rest:?}\n{message:#?}");
            // A field under a wrong tag would come back unchanged, as one that they do not know.
            let shown = format!("{read:?}");
            let unknown = shown.matches("unknown_tagged_fields: {").count();
            let empty = shown.matches("unknown_tagged_fields: {}").count();
            assert_eq!(unknown, empty, "{context}: {read:#?}");
            let mut again = BytesMut::new();
            read.encode(&mut again, version)
                .unwrap_or_else(|error| panic!("{context}: {error}\n{read:#?}"));
            assert_eq!(again, written, "{context}\n{message:#?}\n{read:#?}");

            let mut reader = Reader::new(again.freeze());
            assert_eq!(
                O::read_version(&mut reader, version).unwrap(),
                message,
                "{context}"
            );
            assert_eq!(reader.remaining(), 0, "{context}");
            compared += 1;
        }
    }
    assert!(compared > 0, "{name}: no version in common");
}

macro_rules! apis {
    ($( $test:ident: $request:ident, $response:ident; )*) => {$(
        #[test]
        fn $test() {
            check::<ours::$request, theirs::$request>(stringify!($request));
            check::<ours::$response, theirs::$response>(stringify!($response));
            header::<ours::$request>();
        }
    )*};
}

apis! {
    produce: ProduceRequest, ProduceResponse;
    fetch: FetchRequest, FetchResponse;
    list_offsets: ListOffsetsRequest, ListOffsetsResponse;
    metadata: MetadataRequest, MetadataResponse;
    offset_commit: OffsetCommitRequest, OffsetCommitResponse;
    offset_fetch: OffsetFetchRequest, OffsetFetchResponse;
    find_coordinator: FindCoordinatorRequest, FindCoordinatorResponse;
    join_group: JoinGroupRequest, JoinGroupResponse;
    heartbeat: HeartbeatRequest, HeartbeatResponse;
    leave_group: LeaveGroupRequest, LeaveGroupResponse;
    sync_group: SyncGroupRequest, SyncGroupResponse;
    describe_groups: DescribeGroupsRequest, DescribeGroupsResponse;
    list_groups: ListGroupsRequest, ListGroupsResponse;
    sasl_handshake: SaslHandshakeRequest, SaslHandshakeResponse;
    api_versions: ApiVersionsRequest, ApiVersionsResponse;
    create_topics: CreateTopicsRequest, CreateTopicsResponse;
    delete_topics: DeleteTopicsRequest, DeleteTopicsResponse;
    delete_records: DeleteRecordsRequest, DeleteRecordsResponse;
    init_producer_id: InitProducerIdRequest, InitProducerIdResponse;
    offset_for_leader_epoch: OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    describe_configs: DescribeConfigsRequest, DescribeConfigsResponse;
    alter_configs: AlterConfigsRequest, AlterConfigsResponse;
    create_partitions: CreatePartitionsRequest, CreatePartitionsResponse;
    delete_groups: DeleteGroupsRequest, DeleteGroupsResponse;
    incremental_alter_configs: IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
    offset_delete: OffsetDeleteRequest, OffsetDeleteResponse;
    describe_cluster: DescribeClusterRequest, DescribeClusterResponse;
    describe_topic_partitions: DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
}

#[test]
fn consumer_protocol() {
    use internal::consumer_protocol::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
    check::<ConsumerProtocolSubscription, theirs::ConsumerProtocolSubscription>("subscription");
    check::<ConsumerProtocolAssignment, theirs::ConsumerProtocolAssignment>("assignment");
}

/// Headers of a request and its response, and what the table of APIs says of the schema.
fn header<R: Request>() {
    let key = R::KEY;
    let theirs_key = theirs::ApiKey::try_from(i16::from(key)).unwrap();
    assert_eq!(<R::Response as Response>::KEY, key);
    assert_eq!(<R::Response as Message>::VERSIONS, R::VERSIONS);
    assert_eq!(<R::Response as Message>::FLEXIBLE, key.flexible());
    assert_eq!(R::FLEXIBLE, key.flexible());
    assert_eq!(R::VERSIONS.max, key.versions().max);
    // Produce is advertised from 0 although it starts at 3.
    let lowest = if key == ApiKey::Produce {
        0
    } else {
        R::VERSIONS.min
    };
    assert_eq!(lowest, key.versions().min);

    for version in R::VERSIONS.iter() {
        let client_id = (version % 2 == 0).then(|| "client".to_owned());
        let header = RequestHeader {
            api_key: key,
            api_version: version,
            correlation_id: -5,
            client_id: client_id.clone(),
        };
        let mut writer = Writer::new();
        header.write(&mut writer);
        let written = writer.into_bytes().unwrap();
        let expected = theirs::RequestHeader::default()
            .with_request_api_key(key.into())
            .with_request_api_version(version)
            .with_correlation_id(-5)
            .with_client_id(client_id.map(Into::into));
        let form = theirs_key.request_header_version(version);
        assert_eq!(key.request_header_version(version), form, "{key} {version}");
        assert_eq!(written, encoded(&expected, form), "{key} {version}");
        assert_eq!(
            RequestHeader::read(&mut Reader::new(written)).unwrap(),
            header
        );

        let header = ResponseHeader { correlation_id: 9 };
        let mut writer = Writer::new();
        header.write(&mut writer, key, version);
        let written = writer.into_bytes().unwrap();
        let form = theirs_key.response_header_version(version);
        assert_eq!(
            key.response_header_version(version),
            form,
            "{key} {version}"
        );
        let expected = theirs::ResponseHeader::default().with_correlation_id(9);
        assert_eq!(written, encoded(&expected, form), "{key} {version}");
        let read = ResponseHeader::read(&mut Reader::new(written), key, version);
        assert_eq!(read.unwrap(), header);
    }
}

fn encoded(message: &impl Encodable, version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes, version).unwrap();
    bytes.freeze()
}
