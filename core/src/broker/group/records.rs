//! What the records of `__consumer_offsets` say, in Kafka's own schemas.
//!
//! Written as Apache Kafka 4.3 writes them: commits in version 4 (1 if they carry an expiry of their
//! own), groups in version 3. All older versions are read. Records of other kinds (groups of
//! KIP-848, share and streams groups) are passed over, as Kafka passes over kinds it does not know.

use std::sync::Arc;

use bytes::Bytes;

use crate::broker::hard::HardRecord;
use crate::protocol::internal::consumer_offsets::{
    GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue,
};
use crate::protocol::internal::{read_versioned, write_versioned};
use crate::protocol::{DecodeError, EncodeError, Message as _, Reader, Writer};
use crate::types::Uuid;

/// Which commit: the key of its record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OffsetKey {
    pub(crate) group: Arc<str>,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The next record to read.
    pub(crate) offset: i64,
    /// The leader epoch of the last one read, or -1.
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: Arc<str>,
    /// Wall time of the commit in milliseconds.
    pub(crate) timestamp: i64,
    /// When it expires, if the commit itself said so (OffsetCommit 2 to 4).
    pub(crate) expires: Option<i64>,
    /// The topic's id, or zero if the record is from a broker that did not note it.
    pub(crate) topic_id: Uuid,
}

/// A group's record, kept as it is written: it is read only after a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredGroup {
    /// The record's value.
    pub(crate) value: Bytes,
    /// The record's timestamp.
    pub(crate) timestamp: i64,
}

/// A record: a key, and its new value or, for `None`, its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A committed offset.
    Commit(OffsetKey, Option<Commit>),
    /// A group's last rebalance.
    Group(Arc<str>, Option<Bytes>),
}

/// The versions of keys: they tell the kinds of records apart.
const LEGACY_COMMIT_KEY: i16 = 0;
const COMMIT_KEY: i16 = 1;
const GROUP_KEY: i16 = 2;

impl Change {
    /// The record that says so.
    pub(crate) fn to_record(&self) -> Result<HardRecord, EncodeError> {
        match self {
            Self::Commit(key, commit) => Ok(HardRecord {
                key: Some(commit_key(key)?),
                value: commit.as_ref().map(commit_value).transpose()?,
            }),
            Self::Group(group, value) => Ok(HardRecord {
                key: Some(group_key(group)?),
                value: value.clone(),
            }),
        }
    }

    /// What a record says; `None` for kinds that are none of ours. Nothing of the result points into
    /// the record's bytes, which belong to a whole chunk.
    pub(crate) fn from_record(
        key: Option<Bytes>,
        value: Option<Bytes>,
    ) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(key.ok_or(DecodeError::Null)?);
        match reader.i16()? {
            LEGACY_COMMIT_KEY | COMMIT_KEY => {
                let key = OffsetCommitKey::read_version(&mut reader, 0)?;
                let key = OffsetKey {
                    group: key.group.into(),
                    topic: key.topic.into(),
                    partition: key.partition,
                };
                let commit = value.map(read_commit).transpose()?;
                Ok(Some(Self::Commit(key, commit)))
            }
            GROUP_KEY => {
                let key = GroupMetadataKey::read_version(&mut reader, 0)?;
                let value = value.map(|value| Bytes::copy_from_slice(&value));
                Ok(Some(Self::Group(key.group.into(), value)))
            }
            _ => Ok(None),
        }
    }
}

fn commit_key(key: &OffsetKey) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    writer.i16(COMMIT_KEY);
    let key = OffsetCommitKey {
        group: key.group.as_ref().to_owned(),
        topic: key.topic.as_ref().to_owned(),
        partition: key.partition,
    };
    key.write_version(&mut writer, 0);
    writer.into_bytes()
}

fn group_key(group: &str) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    writer.i16(GROUP_KEY);
    GroupMetadataKey {
        group: group.to_owned(),
    }
    .write_version(&mut writer, 0);
    writer.into_bytes()
}

fn commit_value(commit: &Commit) -> Result<Bytes, EncodeError> {
    let value = OffsetCommitValue {
        offset: commit.offset,
        leader_epoch: commit.leader_epoch,
        metadata: commit.metadata.as_ref().to_owned(),
        commit_timestamp: commit.timestamp,
        expire_timestamp: commit.expires.unwrap_or(-1),
        topic_id: commit.topic_id,
    };
    write_versioned(&value, if commit.expires.is_some() { 1 } else { 4 })
}

fn read_commit(value: Bytes) -> Result<Commit, DecodeError> {
    let value: OffsetCommitValue = read_versioned(value)?;
    Ok(Commit {
        offset: value.offset,
        leader_epoch: value.leader_epoch,
        metadata: value.metadata.into(),
        timestamp: value.commit_timestamp,
        expires: Some(value.expire_timestamp).filter(|&at| at != -1),
        topic_id: value.topic_id,
    })
}

/// A group's record value as bytes.
pub(crate) fn group_value(value: &GroupMetadataValue) -> Result<Bytes, EncodeError> {
    write_versioned(value, 3)
}

/// Reads a group's record value.
pub(crate) fn read_group(value: &Bytes) -> Result<GroupMetadataValue, DecodeError> {
    read_versioned(value.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn key() -> OffsetKey {
        OffsetKey {
            group: "g".into(),
            topic: "orders".into(),
            partition: 3,
        }
    }

    fn commit() -> Commit {
        Commit {
            offset: 42,
            leader_epoch: 7,
            metadata: "note".into(),
            timestamp: 1_000,
            expires: None,
            topic_id: Uuid([9; 16]),
        }
    }

    fn round(change: &Change) -> Change {
        let record = change.to_record().unwrap();
        Change::from_record(record.key, record.value)
            .unwrap()
            .unwrap()
    }

    #[test]
    fn records_say_what_was_written() {
        let whole = Change::Commit(key(), Some(commit()));
        assert_eq!(round(&whole), whole);
        let gone = Change::Commit(key(), None);
        assert_eq!(round(&gone), gone);
        let group = Change::Group("g".into(), Some(Bytes::from_static(b"\0\x03rest")));
        assert_eq!(round(&group), group);
    }

    /// `GroupCoordinatorRecordHelpers.offsetCommitValueVersion` of 4.3: 1 with an expiry, else 4.
    #[test]
    fn a_commit_with_its_own_expiry_is_written_in_version_1() {
        let expiring = Commit {
            expires: Some(5_000),
            ..commit()
        };
        let record = Change::Commit(key(), Some(expiring)).to_record().unwrap();
        assert_eq!(record.value.clone().unwrap().get(..2), Some(&[0, 1][..]));
        let Some(Change::Commit(_, Some(read))) =
            Change::from_record(record.key, record.value).unwrap()
        else {
            unreachable!("a commit was written")
        };
        // Version 1 has neither leader epoch nor topic id.
        assert_eq!((read.expires, read.leader_epoch), (Some(5_000), -1));
        let record = Change::Commit(key(), Some(commit())).to_record().unwrap();
        assert_eq!(record.value.unwrap().get(..2), Some(&[0, 4][..]));
        assert_eq!(
            record.key.unwrap(),
            Bytes::from_static(b"\0\x01\0\x01g\0\x06orders\0\0\0\x03")
        );
    }

    #[test]
    fn other_kinds_of_records_are_passed_over_and_damaged_ones_reported() {
        let other = Some(Bytes::from_static(b"\0\x03\0\x01g"));
        assert_eq!(Change::from_record(other, None), Ok(None));
        assert!(Change::from_record(None, None).is_err());
        let cut = Some(Bytes::from_static(b"\0\x01\0\x09g"));
        assert!(Change::from_record(cut, None).is_err());
    }
}
