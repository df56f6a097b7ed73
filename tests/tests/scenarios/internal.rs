//! Records of `__consumer_offsets` in words.

use bytes::Bytes;
use partita_core::protocol::internal::consumer_offsets::{
    GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue,
};
use partita_core::protocol::internal::read_versioned;
use partita_core::protocol::{DecodeError, Message, Reader};
use partita_core::records::Record;

/// What the key of a group's own record has for its version.
const GROUP_KEY: i16 = 2;

/// What a record says: `g orders-0 = 5`, `g = generation 1, range, 2 members`, `g = ~`.
pub(crate) fn show(record: &Record) -> String {
    let key = record.key.clone().unwrap_or_default();
    let said = say(key, record.value.clone());
    said.unwrap_or_else(|error| format!("a record that cannot be read: {error}"))
}

fn say(key: Bytes, value: Option<Bytes>) -> Result<String, DecodeError> {
    let mut reader = Reader::new(key);
    if reader.i16()? == GROUP_KEY {
        let key = GroupMetadataKey::read_version(&mut reader, 0)?;
        let Some(value) = value else {
            return Ok(format!("{} = ~", key.group));
        };
        let value: GroupMetadataValue = read_versioned(value)?;
        let (generation, members) = (value.generation, value.members.len());
        let protocol = value.protocol.unwrap_or_else(|| "no protocol".to_owned());
        let group = key.group;
        return Ok(format!(
            "{group} = generation {generation}, {protocol}, {members} members"
        ));
    }
    let key = OffsetCommitKey::read_version(&mut reader, 0)?;
    let of = format!("{} {}-{}", key.group, key.topic, key.partition);
    let Some(value) = value else {
        return Ok(format!("{of} = ~"));
    };
    let value: OffsetCommitValue = read_versioned(value)?;
    Ok(format!("{of} = {}", value.offset))
}
