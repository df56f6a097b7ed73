//! Keys of chunks, pages and manifests: binary, so that their order is the logs' order.
//!
//! 28 bytes, big-endian: topic id, partition, base offset; the two numbers with their sign bit
//! flipped, so that bytes compare as the numbers do. A log's chunks are therefore one key range,
//! offsets are exact beyond 2^53, and a manifest's key is the first 20 bytes.

use partita_core::broker::LogId;
use partita_core::types::Uuid;

/// A manifest's key, and what all keys of a log begin with.
pub(crate) fn log(log: LogId) -> [u8; 20] {
    let mut key = [0; 20];
    let (topic, partition) = key.split_at_mut(16);
    topic.copy_from_slice(&log.topic.0);
    partition.copy_from_slice(&(log.partition ^ i32::MIN).to_be_bytes());
    key
}

/// The key of a chunk or page.
pub(crate) fn chunk(id: LogId, base_offset: i64) -> [u8; 28] {
    let mut key = [0; 28];
    let (prefix, offset) = key.split_at_mut(20);
    prefix.copy_from_slice(&log(id));
    offset.copy_from_slice(&(base_offset ^ i64::MIN).to_be_bytes());
    key
}

/// The log of a manifest's key.
pub(crate) fn parse_log(key: &[u8]) -> Option<LogId> {
    let (topic, partition) = key.split_first_chunk::<16>()?;
    let partition = <[u8; 4]>::try_from(partition).ok()?;
    Some(LogId {
        topic: Uuid(*topic),
        partition: i32::from_be_bytes(partition) ^ i32::MIN,
    })
}

/// The log and base offset of a chunk's or page's key.
pub(crate) fn parse_chunk(key: &[u8]) -> Option<(LogId, i64)> {
    let (log, offset) = key.split_first_chunk::<20>()?;
    let offset = <[u8; 8]>::try_from(offset).ok()?;
    Some((parse_log(log)?, i64::from_be_bytes(offset) ^ i64::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: LogId = LogId {
        topic: Uuid([7; 16]),
        partition: 3,
    };

    #[test]
    fn keys_sort_as_logs_and_offsets_do() {
        let offsets = [i64::MIN, -1, 0, 1, 255, 256, 1 << 53, i64::MAX];
        let keys = offsets.map(|offset| chunk(ORDERS, offset));
        assert!(keys.is_sorted());
        let next = LogId {
            partition: 4,
            ..ORDERS
        };
        assert!(chunk(ORDERS, i64::MAX) < chunk(next, 0));
        assert!(
            chunk(next, 0)
                < chunk(
                    LogId {
                        topic: Uuid([8; 16]),
                        partition: 0
                    },
                    0
                )
        );
    }

    #[test]
    fn a_key_says_whose_it_is() {
        assert_eq!(
            parse_chunk(&chunk(ORDERS, 1 << 60)),
            Some((ORDERS, 1 << 60))
        );
        assert_eq!(parse_log(&log(ORDERS)), Some(ORDERS));
        assert_eq!(parse_chunk(&log(ORDERS)), None);
        assert_eq!(parse_log(&chunk(ORDERS, 0)), None);
    }
}
