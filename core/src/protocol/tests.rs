//! Frames whose bytes were worked out by hand from the schemas.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use bytes::Bytes;

use super::messages::api_versions::ApiVersion;
use super::messages::produce::{PartitionProduceData, TopicProduceData};
use super::messages::{ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, ProduceRequest};
use super::{
    ApiKey, DecodeError, EncodeError, ErrorCode, Message, Part, Reader, Records, RequestHeader,
    decode_response, encode_request, encode_response, join,
};

fn hex(text: &str) -> Bytes {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

fn check<M: Message + PartialEq + std::fmt::Debug>(message: &M, version: i16, bytes: &str) {
    let bytes = hex(bytes);
    assert_eq!(message.encode(version).unwrap(), bytes);
    assert_eq!(&M::decode(bytes, version).unwrap(), message);
}

#[test]
fn an_api_versions_request() {
    check(&ApiVersionsRequest::default(), 0, "");
    let request = ApiVersionsRequest {
        client_software_name: "kc".into(),
        client_software_version: "1".into(),
    };
    check(&request, 3, "03 6b63 02 31 00");
}

#[test]
fn an_api_versions_response() {
    let mut response = ApiVersionsResponse {
        api_keys: vec![ApiVersion {
            api_key: 18,
            min_version: 0,
            max_version: 4,
        }],
        ..ApiVersionsResponse::default()
    };
    check(&response, 0, "0000 00000001 0012 0000 0004");
    response.finalized_features_epoch = 5;
    response.zk_migration_ready = true;
    check(
        &response,
        4,
        "0000 02 0012 0000 0004 00 00000000 02 01 08 0000000000000005 03 01 01",
    );
}

#[test]
fn a_metadata_request() {
    let mut request = MetadataRequest {
        topics: Some(Vec::new()),
        ..MetadataRequest::default()
    };
    check(&request, 0, "00000000");
    request.topics = None;
    assert_eq!(request.encode(0), Err(EncodeError::Null));
    check(&request, 1, "ffffffff");
    check(&request, 12, "00 01 00 00");
    assert_eq!(
        MetadataRequest::decode(hex("ffffffff"), 0),
        Err(DecodeError::Null)
    );
}

fn produce(records: Records) -> ProduceRequest {
    ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: "t".into(),
            partition_data: vec![PartitionProduceData { index: 2, records }],
            ..TopicProduceData::default()
        }],
    }
}

#[test]
fn a_produce_request() {
    let request = produce(hex("cafe").into());
    check(
        &request,
        3,
        "ffff ffff 00007530 00000001 0001 74 00000001 00000002 00000002 cafe",
    );
    check(
        &request,
        9,
        "00 ffff 00007530 02 02 74 02 00000002 03 cafe 00 00 00",
    );
}

#[test]
fn unknown_tagged_fields_are_skipped() {
    let decoded = ProduceRequest::decode(
        hex("00 ffff 00007530 02 02 74 02 00000002 03 cafe 01 07 02 aaaa 00 01 c801 00"),
        9,
    );
    assert_eq!(decoded.unwrap(), produce(hex("cafe").into()));
}

#[test]
fn long_and_external_records_are_parts_of_their_own() {
    let long = Bytes::from(vec![7u8; 600]);
    let parts = encode_request(&produce(long.clone().into()), 9, 1, Some("c")).unwrap();
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[1], Part::Bytes(long.clone()));
    let inside = |part: &Bytes| part.as_ptr() == long.as_ptr();
    assert!(matches!(&parts[1], Part::Bytes(bytes) if inside(bytes)));

    let external = produce(Records::External { index: 4, len: 600 });
    let with_hole = encode_request(&external, 9, 1, Some("c")).unwrap();
    assert_eq!(with_hole[0], parts[0]);
    assert_eq!(with_hole[1], Part::External { index: 4, len: 600 });
    assert_eq!(with_hole[2], parts[2]);
    assert_eq!(join(with_hole), Err(EncodeError::External));

    let mut reader = Reader::new(join(parts).unwrap());
    let header = RequestHeader::read(&mut reader).unwrap();
    assert_eq!(header.api_key, ApiKey::Produce);
    assert_eq!((header.api_version, header.correlation_id), (9, 1));
    assert_eq!(header.client_id.as_deref(), Some("c"));
    assert_eq!(
        ProduceRequest::read_version(&mut reader, 9).unwrap(),
        produce(long.into())
    );
    assert_eq!(reader.remaining(), 0);
}

#[test]
fn headers_of_frames() {
    let request = ApiVersionsRequest::default();
    let old = join(encode_request(&request, 0, 7, None).unwrap()).unwrap();
    assert_eq!(old, hex("0012 0000 00000007 ffff"));
    let new = join(encode_request(&request, 3, 7, Some("x")).unwrap()).unwrap();
    assert_eq!(new, hex("0012 0003 00000007 0001 78 00 01 01 00"));

    // The header of an ApiVersions response has no tagged fields, whatever its version.
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        ..ApiVersionsResponse::default()
    };
    let frame = join(encode_response(&response, 3, 7).unwrap()).unwrap();
    assert_eq!(frame, hex("00000007 0023 01 00000000 00"));
    assert_eq!(decode_response(frame, 3).unwrap(), (7, response));

    assert_eq!(
        RequestHeader::read(&mut Reader::new(hex("7fff 0000 00000007 ffff"))),
        Err(DecodeError::Unknown)
    );
}
