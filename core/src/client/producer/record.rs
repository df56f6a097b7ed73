//! The records of a send, one by one or packed in one buffer, as they come from the host.
//!
//! # The packed form
//! One buffer, numbers in little-endian order:
//!
//! - `u32` number of records, `u32` number of headers of all records together;
//! - per record 24 bytes: `i32` partition (−1: the partitioner chooses), `i32` length of the key
//!   (−1: null), `i32` length of the value (−1: null), `u32` number of headers, `i64` timestamp in
//!   milliseconds (−1: the time of the send);
//! - per header, in the order of the records, 8 bytes: `u32` length of the name, `i32` length of
//!   the value (−1: null);
//! - the bytes: per record key, value, then name and value of each header.
//!
//! So thousands of records cross from JavaScript in one copy, and are written into their batches
//! from there.

use bytes::Bytes;

use super::super::error::ClientError;
use crate::records::RecordParts;

/// A record to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducerRecord {
    /// Its partition; `None` leaves the choice to the partitioner.
    pub partition: Option<i32>,
    /// Milliseconds since the epoch; `None` is the time of the send.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Headers in order; names may repeat.
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// The records of a send to one topic.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordList {
    /// One by one.
    Single(Vec<ProducerRecord>),
    /// Packed in one buffer.
    Packed(Packed),
}

impl From<Vec<ProducerRecord>> for RecordList {
    fn from(records: Vec<ProducerRecord>) -> Self {
        Self::Single(records)
    }
}

impl From<Packed> for RecordList {
    fn from(packed: Packed) -> Self {
        Self::Packed(packed)
    }
}

impl RecordList {
    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Single(records) => records.len(),
            Self::Packed(packed) => packed.count,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes they take in batches; never less than without compression.
    #[must_use]
    pub fn size(&self) -> usize {
        /// The most that a record takes beside its parts, without headers' lengths.
        const PER_RECORD: usize = 36;
        let parts = match self {
            Self::Single(records) => records
                .iter()
                .map(single_size)
                .fold(0, usize::saturating_add),
            Self::Packed(packed) => packed.buffer.len(),
        };
        parts.saturating_add(self.len().saturating_mul(PER_RECORD))
    }

    /// Calls `each` with every record until it returns false. `now` is the timestamp of those
    /// without one.
    pub(super) fn for_each(&self, now: i64, mut each: impl FnMut(View<'_>) -> bool) {
        match self {
            Self::Single(records) => {
                for record in records {
                    let view = View {
                        partition: record.partition,
                        timestamp: record.timestamp.unwrap_or(now),
                        key: record.key.as_deref(),
                        value: record.value.as_deref(),
                        headers: Headers::Single(record.headers.iter()),
                    };
                    if !each(view) {
                        return;
                    }
                }
            }
            Self::Packed(packed) => packed.for_each(now, each),
        }
    }
}

fn single_size(record: &ProducerRecord) -> usize {
    let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
    let header = |(name, value): &(String, Option<Bytes>)| {
        name.len().saturating_add(length(value)).saturating_add(10)
    };
    let headers = record.headers.iter().map(header);
    headers.fold(
        length(&record.key).saturating_add(length(&record.value)),
        usize::saturating_add,
    )
}

/// Records in the packed form, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    buffer: Bytes,
    count: usize,
}

const HEAD: usize = 8;
const ENTRY: usize = 24;
const HEADER_ENTRY: usize = 8;

impl Packed {
    /// Takes a buffer in the packed form.
    ///
    /// # Errors
    /// `NonRetriable` if the lengths do not fit together; a host that packs right never sees it.
    pub fn new(buffer: Bytes) -> Result<Self, ClientError> {
        let malformed = || ClientError::non_retriable("malformed packed records");
        let packed = Self { buffer, count: 0 };
        let (count, headers) = packed.counts().ok_or_else(malformed)?;
        let (entries, header_entries, data) = packed.sections().ok_or_else(malformed)?;
        let mut bytes: usize = 0;
        let mut expected_headers: usize = 0;
        let (entries, _) = entries.as_chunks::<ENTRY>();
        for entry in entries {
            let entry = Entry::read(entry).ok_or_else(malformed)?;
            bytes = add_length(bytes, entry.key).ok_or_else(malformed)?;
            bytes = add_length(bytes, entry.value).ok_or_else(malformed)?;
            expected_headers = expected_headers
                .checked_add(entry.headers)
                .ok_or_else(malformed)?;
        }
        let (header_entries, _) = header_entries.as_chunks::<HEADER_ENTRY>();
        for entry in header_entries {
            let (name, value) = read_header(entry).ok_or_else(malformed)?;
            bytes = bytes.checked_add(name).ok_or_else(malformed)?;
            bytes = add_length(bytes, value).ok_or_else(malformed)?;
        }
        if bytes != data.len() || expected_headers != headers {
            return Err(malformed());
        }
        Ok(Self { count, ..packed })
    }

    fn counts(&self) -> Option<(usize, usize)> {
        let (head, _) = self.buffer.split_first_chunk::<HEAD>()?;
        let (count, headers) = head.split_first_chunk::<4>()?;
        let headers = headers.first_chunk::<4>()?;
        Some((
            usize::try_from(u32::from_le_bytes(*count)).ok()?,
            usize::try_from(u32::from_le_bytes(*headers)).ok()?,
        ))
    }

    /// Entries, header entries, bytes.
    fn sections(&self) -> Option<(&[u8], &[u8], &[u8])> {
        let (count, headers) = self.counts()?;
        let rest = self.buffer.get(HEAD..)?;
        let (entries, rest) = rest.split_at_checked(count.checked_mul(ENTRY)?)?;
        let (headers, data) = rest.split_at_checked(headers.checked_mul(HEADER_ENTRY)?)?;
        Some((entries, headers, data))
    }

    fn for_each(&self, now: i64, mut each: impl FnMut(View<'_>) -> bool) {
        let Some((entries, mut header_entries, mut data)) = self.sections() else {
            return;
        };
        let (entries, _) = entries.as_chunks::<ENTRY>();
        for entry in entries {
            // All lengths were checked by `new`, so nothing here comes to an end early.
            let Some(entry) = Entry::read(entry) else {
                return;
            };
            let Some(key) = take(&mut data, entry.key) else {
                return;
            };
            let Some(value) = take(&mut data, entry.value) else {
                return;
            };
            let size = entry.headers.saturating_mul(HEADER_ENTRY);
            let Some((own, rest)) = header_entries.split_at_checked(size) else {
                return;
            };
            header_entries = rest;
            let headers = PackedHeaders { entries: own, data };
            for (name, value) in headers.clone() {
                let size = name.len().saturating_add(value.map_or(0, <[u8]>::len));
                data = data.get(size..).unwrap_or_default();
            }
            let view = View {
                partition: (entry.partition >= 0).then_some(entry.partition),
                timestamp: if entry.timestamp == -1 {
                    now
                } else {
                    entry.timestamp
                },
                key,
                value,
                headers: Headers::Packed(headers),
            };
            if !each(view) {
                return;
            }
        }
    }
}

#[derive(Debug)]
struct Entry {
    partition: i32,
    key: Option<usize>,
    value: Option<usize>,
    headers: usize,
    timestamp: i64,
}

impl Entry {
    #[inline(always)]
    fn read(entry: &[u8; ENTRY]) -> Option<Self> {
        let (partition, rest) = entry.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_first_chunk::<4>()?;
        let (headers, rest) = rest.split_first_chunk::<4>()?;
        let timestamp = rest.first_chunk::<8>()?;
        Some(Self {
            partition: i32::from_le_bytes(*partition),
            key: nullable(i32::from_le_bytes(*key)),
            value: nullable(i32::from_le_bytes(*value)),
            headers: usize::try_from(u32::from_le_bytes(*headers)).ok()?,
            timestamp: i64::from_le_bytes(*timestamp),
        })
    }
}

#[inline(always)]
fn read_header(entry: &[u8; HEADER_ENTRY]) -> Option<(usize, Option<usize>)> {
    let (name, value) = entry.split_first_chunk::<4>()?;
    let value = value.first_chunk::<4>()?;
    let name = usize::try_from(u32::from_le_bytes(*name)).ok()?;
    Some((name, nullable(i32::from_le_bytes(*value))))
}

/// A length, or null if it is negative.
#[inline(always)]
fn nullable(length: i32) -> Option<usize> {
    usize::try_from(length).ok()
}

fn add_length(sum: usize, length: Option<usize>) -> Option<usize> {
    sum.checked_add(length.unwrap_or(0))
}

/// The next bytes of this length, or null; `None` if there are not so many.
#[inline(always)]
fn take<'a>(data: &mut &'a [u8], length: Option<usize>) -> Option<Option<&'a [u8]>> {
    let Some(length) = length else {
        return Some(None);
    };
    let (part, rest) = data.split_at_checked(length)?;
    *data = rest;
    Some(Some(part))
}

/// One record of a send, wherever it is kept.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) partition: Option<i32>,
    timestamp: i64,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Headers<'a>,
}

impl RecordParts for View<'_> {
    fn timestamp(&self) -> i64 {
        self.timestamp
    }

    fn key(&self) -> Option<&[u8]> {
        self.key
    }

    fn value(&self) -> Option<&[u8]> {
        self.value
    }

    fn headers(&self) -> impl ExactSizeIterator<Item = (&[u8], Option<&[u8]>)> {
        self.headers.clone()
    }
}

#[derive(Debug, Clone)]
enum Headers<'a> {
    Single(std::slice::Iter<'a, (String, Option<Bytes>)>),
    Packed(PackedHeaders<'a>),
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Single(headers) => {
                let (name, value) = headers.next()?;
                Some((name.as_bytes(), value.as_deref()))
            }
            Self::Packed(headers) => headers.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self {
            Self::Single(headers) => headers.len(),
            Self::Packed(headers) => headers.entries.len() / HEADER_ENTRY,
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Headers<'_> {}

#[derive(Debug, Clone)]
struct PackedHeaders<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

impl<'a> Iterator for PackedHeaders<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let (entry, rest) = self.entries.split_first_chunk::<HEADER_ENTRY>()?;
        self.entries = rest;
        let (name, value) = read_header(entry)?;
        let name = take(&mut self.data, Some(name))??;
        let value = take(&mut self.data, value)?;
        Some((name, value))
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]
pub(crate) mod tests {
    use super::*;

    /// Packs as JavaScript does.
    pub(crate) fn pack(records: &[ProducerRecord]) -> Bytes {
        let length = |bytes: &Option<Bytes>| {
            bytes
                .as_ref()
                .map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap())
        };
        let headers: usize = records.iter().map(|record| record.headers.len()).sum();
        let mut out = Vec::new();
        out.extend_from_slice(&(records.len() as u32).to_le_bytes());
        out.extend_from_slice(&(headers as u32).to_le_bytes());
        for record in records {
            out.extend_from_slice(&record.partition.unwrap_or(-1).to_le_bytes());
            out.extend_from_slice(&length(&record.key).to_le_bytes());
            out.extend_from_slice(&length(&record.value).to_le_bytes());
            out.extend_from_slice(&(record.headers.len() as u32).to_le_bytes());
            out.extend_from_slice(&record.timestamp.unwrap_or(-1).to_le_bytes());
        }
        for (name, value) in records.iter().flat_map(|record| &record.headers) {
            out.extend_from_slice(&(name.len() as u32).to_le_bytes());
            out.extend_from_slice(&length(value).to_le_bytes());
        }
        for record in records {
            out.extend_from_slice(record.key.as_deref().unwrap_or_default());
            out.extend_from_slice(record.value.as_deref().unwrap_or_default());
            for (name, value) in &record.headers {
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(value.as_deref().unwrap_or_default());
            }
        }
        out.into()
    }

    fn samples() -> Vec<ProducerRecord> {
        vec![
            ProducerRecord {
                value: Some(Bytes::from_static(b"one")),
                ..ProducerRecord::default()
            },
            ProducerRecord {
                partition: Some(3),
                timestamp: Some(77),
                key: Some(Bytes::new()),
                value: None,
                headers: vec![
                    ("a".to_owned(), Some(Bytes::from_static(b"1"))),
                    ("b".to_owned(), None),
                ],
            },
            ProducerRecord {
                key: Some(Bytes::from_static(b"k")),
                value: Some(Bytes::from_static(b"v")),
                headers: vec![(String::new(), Some(Bytes::new()))],
                ..ProducerRecord::default()
            },
        ]
    }

    fn show(records: &RecordList) -> Vec<String> {
        let mut shown = Vec::new();
        records.for_each(5, |view| {
            let headers: Vec<_> = view.headers().collect();
            shown.push(format!(
                "{:?} {} {:?} {:?} {headers:?}",
                view.partition,
                view.timestamp(),
                view.key(),
                view.value()
            ));
            true
        });
        shown
    }

    #[test]
    fn packed_records_read_as_they_were() {
        let single = RecordList::Single(samples());
        let packed = RecordList::Packed(Packed::new(pack(&samples())).unwrap());
        assert_eq!(show(&single), show(&packed));
        assert_eq!(single.len(), packed.len());
        assert_eq!(show(&single).len(), 3);
    }

    #[test]
    fn nothing_malformed_is_taken() {
        let good = pack(&samples());
        Packed::new(good.clone()).unwrap();
        for cut in 0..good.len() {
            let cut = good.slice(..cut);
            Packed::new(cut).unwrap_err();
        }
        for at in 0..good.len() {
            let mut bad = good.to_vec();
            if let Some(byte) = bad.get_mut(at) {
                *byte ^= 0x40;
            }
            // Data, partitions and timestamps may change; whatever is taken can be read.
            if let Ok(packed) = Packed::new(bad.into()) {
                assert_eq!(show(&RecordList::Packed(packed)).len(), 3);
            }
        }
    }
}
