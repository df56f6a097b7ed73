//! Keys and values of the records in `__consumer_offsets`.
//!
//! A key and a value each start with a version of two bytes; a key's version tells its kind: 0 and
//! 1 are a commit's, 2 a group's metadata. See [`super::read_versioned`].

use bytes::Bytes;

use crate::types::Uuid;

message! {
    /// The key of a commit as brokers before 0.9 wrote it; its version is 0.
    data LegacyOffsetCommitKey(versions [0], flexible [none]) {
        group [0+]: String,
        topic [0+]: String,
        partition [0+]: i32,
    }

    /// The key of a commit; its version is 1 (version 0 is the same).
    data OffsetCommitKey(versions [0], flexible [none]) {
        group [0+]: String,
        topic [0+]: String,
        partition [0+]: i32,
    }

    /// A committed offset. Version 1 has an expiry, 3 a leader epoch (KIP-320), 4 tagged fields.
    data OffsetCommitValue(versions [0-4], flexible [4+]) {
        offset [0+]: i64,
        leader_epoch [3+]: i32 = -1,
        metadata [0+]: String,
        commit_timestamp [0+]: i64,
        expire_timestamp [1]: i64 = -1,
        topic_id [4+] tag 0: Uuid,
    }

    /// The key of a classic group; its version is 2.
    data GroupMetadataKey(versions [0], flexible [none]) {
        group [0+]: String,
    }

    /// A classic group after a rebalance: its members and what each was assigned.
    data GroupMetadataValue(versions [0-4], flexible [4+]) {
        protocol_type [0+]: String,
        generation [0+]: i32,
        protocol [0+] nullable [0+]: Option<String> = Some(String::new()),
        leader [0+] nullable [0+]: Option<String> = Some(String::new()),
        current_state_timestamp [2+]: i64 = -1,
        members [0+]: Vec<MemberMetadata>,
    }

    struct MemberMetadata {
        member_id [0+]: String,
        group_instance_id [3+] nullable [0+]: Option<String>,
        client_id [0+]: String,
        client_host [0+]: String,
        rebalance_timeout [1+]: i32 = -1,
        session_timeout [0+]: i32,
        subscription [0+]: Bytes,
        assignment [0+]: Bytes,
    }
}
