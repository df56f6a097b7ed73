//! Records side by side in one buffer, with a table of what lies where: how many of them cross
//! between Rust and JavaScript at once, without an object for each.
//!
//! # Layout
//! `data` holds, record after record and without gaps: key, value, then name and value of each
//! header. `table` holds, record after record, seven words and two more for each header:
//!
//! | Word | What |
//! |---|---|
//! | 0, 1 | offset, low and high half |
//! | 2, 3 | timestamp, low and high half |
//! | 4 | length of the key in bytes, −1 for none |
//! | 5 | length of the value in bytes, −1 for none |
//! | 6 | number of headers |
//! | 7 … | for each header: length of the name, length of the value or −1 |
//!
//! In JavaScript `high * 2 ** 32 + (low >>> 0)` is the number, exact up to 2^53.

use super::batch::BatchView;
use super::error::{BatchError, Defect};
use super::record::{Cursor, Record, read_bytes, read_header_count};
use bytes::Bytes;

/// Words of a record without headers.
const FIXED_WORDS: usize = 7;

/// Any number of records in two buffers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackedRecords {
    data: Vec<u8>,
    table: Vec<i32>,
    len: usize,
}

impl PackedRecords {
    /// No records, with room for some.
    #[must_use]
    pub fn with_capacity(records: usize, bytes: usize) -> Self {
        Self {
            data: Vec::with_capacity(bytes),
            table: Vec::with_capacity(records.saturating_mul(FIXED_WORDS)),
            len: 0,
        }
    }

    /// All keys, values and headers.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Offsets, timestamps and lengths.
    #[must_use]
    pub fn table(&self) -> &[i32] {
        &self.table
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Both buffers: data and table.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<i32>) {
        (self.data, self.table)
    }

    /// Appends the records of a batch that have `from` or a higher offset. `limit` is as for
    /// [`BatchView::records`].
    ///
    /// # Errors
    /// As the iterator of [`BatchView::records`]; what was appended before the damage stays.
    pub fn push_batch(
        &mut self,
        batch: &BatchView,
        from: i64,
        limit: usize,
    ) -> Result<(), BatchError> {
        let mut cursor = Cursor::new(batch, limit)?;
        while let Some(read) = cursor.next_record(|position, body, _| {
            if position.offset < from {
                *body = &[];
                return Ok(());
            }
            self.table.extend_from_slice(&halves(position.offset));
            self.table.extend_from_slice(&halves(position.timestamp));
            let key = read_bytes(body)?;
            let value = read_bytes(body)?;
            let headers = read_header_count(body)?;
            let (key, value) = (self.put(key)?, self.put(value)?);
            let headers_word = i32::try_from(headers).map_err(|_| Defect::HeaderCount)?;
            self.table.extend_from_slice(&[key, value, headers_word]);
            for _ in 0..headers {
                let name = read_bytes(body)?.ok_or(Defect::RecordMalformed)?;
                let name = self.put(Some(name))?;
                let value = read_bytes(body)?;
                let value = self.put(value)?;
                self.table.extend_from_slice(&[name, value]);
            }
            self.len = self.len.saturating_add(1);
            Ok(())
        }) {
            read?;
        }
        Ok(())
    }

    #[inline(always)]
    fn put(&mut self, bytes: Option<&[u8]>) -> Result<i32, BatchError> {
        let Some(bytes) = bytes else { return Ok(-1) };
        self.data.extend_from_slice(bytes);
        i32::try_from(bytes.len()).map_err(|_| Defect::RecordTooLong.into())
    }

    /// The records one by one, each copied out.
    pub fn iter(&self) -> impl Iterator<Item = Record> + '_ {
        let mut words = self.table.iter().copied();
        let mut data = self.data.as_slice();
        std::iter::from_fn(move || {
            let mut take = |length: i32| {
                let length = usize::try_from(length).ok()?;
                let (part, rest) = data.split_at_checked(length)?;
                data = rest;
                Some(Bytes::copy_from_slice(part))
            };
            let offset = whole(words.next()?, words.next()?);
            let timestamp = whole(words.next()?, words.next()?);
            let (key, value) = (take(words.next()?), take(words.next()?));
            let headers = (0..words.next()?).map_while(|_| {
                let name = take(words.next()?).unwrap_or_default();
                let name = String::from_utf8_lossy(&name).into_owned();
                Some((name, take(words.next()?)))
            });
            Some(Record {
                offset,
                timestamp,
                key,
                value,
                headers: headers.collect(),
            })
        })
    }
}

/// The low and the high half.
#[inline(always)]
fn halves(number: i64) -> [i32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    [
        i32::from_le_bytes([a, b, c, d]),
        i32::from_le_bytes([e, f, g, h]),
    ]
}

fn whole(low: i32, high: i32) -> i64 {
    i64::from(high).wrapping_shl(32) | i64::from(low.cast_unsigned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::records::{BatchBuilder, Compression, Level};

    fn records() -> Vec<Record> {
        let big = 1i64 << 40;
        let headers = vec![
            ("a".to_owned(), Some(Bytes::from_static(b"1"))),
            ("ä".to_owned(), None),
            (String::new(), Some(Bytes::new())),
        ];
        let mut records = vec![
            Record::new(5, None, None),
            Record::new(-1, Some("key".into()), Some("value".into())),
            Record::new(big, Some(Bytes::new()), Some(Bytes::new())),
            Record {
                headers,
                ..Record::new(7, None, Some("x".into()))
            },
        ];
        for (record, offset) in records.iter_mut().zip(big..) {
            record.offset = offset;
        }
        records
    }

    fn batch(compression: Compression) -> BatchView {
        let mut builder = BatchBuilder::new()
            .compression(compression, Level::Default)
            .base_offset(1 << 40, 0);
        for record in records() {
            builder.push(&record).unwrap();
        }
        BatchView::parse(builder.build().unwrap()).unwrap().0
    }

    #[test]
    fn what_is_packed_is_what_the_batch_holds() {
        let mut packed = PackedRecords::with_capacity(4, 64);
        packed
            .push_batch(&batch(Compression::None), 0, 1024)
            .unwrap();
        packed
            .push_batch(&batch(Compression::Gzip), 0, 1024)
            .unwrap();
        assert_eq!(packed.len(), 8);
        let unpacked: Vec<Record> = packed.iter().collect();
        assert_eq!(unpacked, [records(), records()].concat());
        assert_eq!(packed.table().len(), 8 * FIXED_WORDS + 2 * 3 * 2);
    }

    #[test]
    fn records_below_the_position_are_left_out() {
        let mut packed = PackedRecords::default();
        let from = (1 << 40) + 2;
        packed
            .push_batch(&batch(Compression::None), from, 0)
            .unwrap();
        let unpacked: Vec<Record> = packed.iter().collect();
        assert_eq!(unpacked, records().get(2..).unwrap());
    }

    #[test]
    fn halves_make_the_whole() {
        for number in [0, 1, -1, i64::MAX, i64::MIN, 1 << 31, 1 << 32, -(1 << 33)] {
            let [low, high] = halves(number);
            assert_eq!(whole(low, high), number);
        }
    }
}
