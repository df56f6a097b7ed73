//! Which chunks a log has: the newest in memory and in the manifest, older ones in pages of 128
//! that are stored apart and loaded when somebody asks for old offsets.
//!
//! Each chunk covers all offsets up to the next one, so that every offset of the log lies in
//! exactly one, also where compaction took records away. A page knows how many bytes and which
//! timestamps came before it in the log's whole life: sizes are then known without reading all
//! pages, and a timestamp is found by bisection.
//!
//! Invariants: chunks follow on without a gap; the tail is empty only if the log has no chunk;
//! pages lie before the tail.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::encoding::{Decoder, Encoder, FormatError};
use crate::records::NO_TIMESTAMP;

/// How many chunks a page has.
pub(super) const PAGE_CHUNKS: usize = 128;
/// How many of the newest chunks are never in a page: more than writes under way can have, so that
/// what a page lists is durable.
const KEPT_IN_TAIL: usize = 32;

const PAGE_FORMAT: u16 = 1;

/// One stored chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Its key: the base offset of its first batch.
    pub(crate) base: i64,
    /// The last offset it covers.
    pub(crate) last: i64,
    /// Its bytes.
    pub(crate) size: u32,
    /// The largest timestamp of its records.
    pub(crate) max_timestamp: i64,
}

/// What came before some point in the log's whole life, deleted chunks included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) bytes: u64,
    pub(super) max_timestamp: i64,
}

impl Totals {
    fn add(&mut self, chunk: &Chunk) {
        self.bytes = self.bytes.saturating_add(u64::from(chunk.size));
        self.max_timestamp = self.max_timestamp.max(chunk.max_timestamp);
    }
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            bytes: 0,
            max_timestamp: NO_TIMESTAMP,
        }
    }
}

/// Consecutive chunks, and the bytes of the log's life before the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) bytes_before: u64,
}

/// Where the chunk with an offset is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the tail, as the so-manieth.
    Tail(usize),
    /// In a page that is being written.
    Unwritten(Arc<Page>),
    /// In a stored page, to be found under this offset.
    Stored(i64),
    /// Nowhere: no chunk reaches so far.
    End,
}

/// A page of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) before: Totals,
    pub(super) chunks: Vec<Chunk>,
}

impl Page {
    /// The key under which it is stored: its first chunk's.
    pub(super) fn key(&self) -> i64 {
        self.chunks.first().map_or(0, |chunk| chunk.base)
    }

    /// One past the last offset it covers.
    pub(super) fn end(&self) -> i64 {
        self.chunks.last().map_or(0, Chunk::end)
    }

    /// The chunks from the one with `offset` on: see [`Index::tail_run`].
    pub(super) fn run(&self, offset: i64, below: i64, budget: u64) -> Run {
        let at = self.chunks.partition_point(|chunk| chunk.last < offset);
        let before = self.chunks.iter().take(at);
        collect(
            before.fold(self.before.bytes, |sum, c| {
                sum.saturating_add(u64::from(c.size))
            }),
            self.chunks.iter().skip(at),
            below,
            budget,
        )
    }

    pub(super) fn encode(&self) -> Bytes {
        let mut out = Encoder::new(PAGE_FORMAT);
        encode_totals(&self.before, &mut out);
        encode_chunks(self.chunks.iter(), self.chunks.len(), &mut out);
        out.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut input = Decoder::open(bytes, PAGE_FORMAT)?;
        let page = Self {
            before: decode_totals(&mut input)?,
            chunks: decode_chunks(&mut input)?,
        };
        input.end()?;
        if page.chunks.is_empty() {
            return Err(FormatError::Damaged("an index page is empty"));
        }
        Ok(page)
    }
}

impl Chunk {
    /// One past the last offset it covers.
    pub(super) fn end(&self) -> i64 {
        self.last.saturating_add(1)
    }
}

/// The chunks of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    tail: VecDeque<Chunk>,
    tail_bytes: u64,
    /// Everything before the tail.
    before_tail: Totals,
    /// The bytes before the first chunk that is still there.
    bytes_before_first: u64,
    /// The key of the first page that is still there, if there is one.
    first_page: Option<i64>,
    /// The base of the first chunk that is still there.
    first: i64,
    /// The largest timestamp in pages and its chunk, if known.
    paged_max: Option<(i64, i64)>,
    /// Pages in writes under way, with the write's id.
    unwritten: Vec<(u64, Arc<Page>)>,
}

impl Index {
    /// The base of the first chunk; meaningless if there is none.
    pub(super) fn first(&self) -> i64 {
        self.first
    }

    /// The newest chunk.
    pub(super) fn last(&self) -> Option<&Chunk> {
        self.tail.back()
    }

    /// Whether there is no chunk at all.
    pub(super) fn is_empty(&self) -> bool {
        self.tail.is_empty()
    }

    /// Bytes of all chunks that are there.
    pub(super) fn size(&self) -> u64 {
        self.total_bytes().saturating_sub(self.bytes_before_first)
    }

    /// Bytes of all chunks there ever were.
    pub(super) fn total_bytes(&self) -> u64 {
        self.before_tail.bytes.saturating_add(self.tail_bytes)
    }

    /// The same without chunks from `offset` on.
    pub(super) fn total_bytes_below(&self, offset: i64) -> u64 {
        let above = self
            .tail
            .iter()
            .rev()
            .take_while(|chunk| chunk.base >= offset);
        above.fold(self.total_bytes(), |sum, c| {
            sum.saturating_sub(u64::from(c.size))
        })
    }

    /// The base of the first chunk of the tail, before which pages lie.
    pub(super) fn tail_base(&self) -> i64 {
        self.tail.front().map_or(self.first, |chunk| chunk.base)
    }

    /// The key of the first page that is there.
    pub(super) fn first_page(&self) -> Option<i64> {
        self.first_page
    }

    /// The largest timestamp of anything that was ever moved to a page or deleted.
    pub(super) fn max_timestamp_before_tail(&self) -> i64 {
        self.before_tail.max_timestamp
    }

    /// The largest timestamp in pages and the base of its chunk, if known.
    pub(super) fn paged_max(&self) -> Option<(i64, i64)> {
        self.paged_max
    }

    /// The chunks of the tail.
    pub(super) fn tail(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        self.tail.iter()
    }

    /// Adds the next chunk.
    pub(super) fn push(&mut self, chunk: Chunk) {
        if self.tail.is_empty() {
            self.first = chunk.base;
        }
        self.tail_bytes = self.tail_bytes.saturating_add(u64::from(chunk.size));
        self.tail.push_back(chunk);
    }

    /// Lets the newest chunk cover offsets below `end` that hold no records.
    pub(super) fn stretch(&mut self, end: i64) {
        if let Some(last) = self.tail.back_mut() {
            last.last = last.last.max(end.saturating_sub(1));
        }
    }

    /// Moves the oldest chunks of a full tail to a page, which write `id` is to store.
    pub(super) fn spill(&mut self, id: u64) -> Option<Arc<Page>> {
        if self.tail.len() <= PAGE_CHUNKS.saturating_add(KEPT_IN_TAIL) {
            return None;
        }
        let chunks: Vec<Chunk> = self.tail.drain(..PAGE_CHUNKS).collect();
        let page = Arc::new(Page {
            before: self.before_tail,
            chunks,
        });
        let mut newest = self.paged_max;
        let known = newest.is_some() || self.first_page.is_none();
        for chunk in &page.chunks {
            self.tail_bytes = self.tail_bytes.saturating_sub(u64::from(chunk.size));
            // An unknown maximum becomes known again with a timestamp above all there ever were.
            if (known || chunk.max_timestamp > self.before_tail.max_timestamp)
                && newest.is_none_or(|(timestamp, _)| chunk.max_timestamp > timestamp)
            {
                newest = Some((chunk.max_timestamp, chunk.base));
            }
            self.before_tail.add(chunk);
        }
        self.paged_max = newest;
        self.first_page = self.first_page.or_else(|| Some(page.key()));
        self.unwritten.push((id, Arc::clone(&page)));
        Some(page)
    }

    /// Takes the pages that writes up to `id` have stored.
    pub(super) fn take_written(&mut self, id: u64) -> Vec<Arc<Page>> {
        let (written, unwritten) = std::mem::take(&mut self.unwritten)
            .into_iter()
            .partition::<Vec<_>, _>(|(write, _)| *write <= id);
        self.unwritten = unwritten;
        written.into_iter().map(|(_, page)| page).collect()
    }

    /// Where the chunk with `offset` is listed; the first chunk, if `offset` lies before it.
    pub(super) fn locate(&self, offset: i64) -> Place {
        let offset = offset.max(self.first);
        if self.first_page.is_none() || offset >= self.tail_base() {
            let at = self.tail.partition_point(|chunk| chunk.last < offset);
            return if at < self.tail.len() {
                Place::Tail(at)
            } else {
                Place::End
            };
        }
        let covers = |page: &Page| page.key() <= offset && offset < page.end();
        match self.unwritten.iter().find(|(_, page)| covers(page)) {
            Some((_, page)) => Place::Unwritten(Arc::clone(page)),
            None => Place::Stored(offset),
        }
    }

    /// The chunks of the tail from the so-manieth on that begin below `below`, until those after
    /// the first have `budget` bytes.
    pub(super) fn tail_run(&self, at: usize, below: i64, budget: u64) -> Run {
        let before = self.tail.iter().take(at);
        collect(
            before.fold(self.before_tail.bytes, |sum, c| {
                sum.saturating_add(u64::from(c.size))
            }),
            self.tail.iter().skip(at),
            below,
            budget,
        )
    }

    /// Forgets chunks of the tail that end below `start`. To be called when no page is left, or
    /// `start` lies in the tail.
    pub(super) fn trim_tail(&mut self, start: i64) {
        while let Some(chunk) = self.tail.front().copied() {
            if chunk.last >= start {
                break;
            }
            self.tail.pop_front();
            self.tail_bytes = self.tail_bytes.saturating_sub(u64::from(chunk.size));
            self.before_tail.add(&chunk);
            self.first = chunk.end();
        }
        if let Some(chunk) = self.tail.front() {
            self.first = chunk.base;
        }
        self.bytes_before_first = self.before_tail.bytes;
        self.first_page = None;
        self.paged_max = None;
    }

    /// Forgets chunks that end below `start`, which lies in this page.
    pub(super) fn trim_to_page(&mut self, page: &Page, start: i64) {
        let run = page.run(start, i64::MAX, 0);
        if let Some(chunk) = run.chunks.first() {
            self.first = chunk.base;
            self.first_page = Some(page.key());
            self.bytes_before_first = run.bytes_before;
            self.paged_max = self.paged_max.filter(|&(_, base)| base >= chunk.base);
        }
    }

    /// Replaces all chunks below `below`, where one begins or the log ends, by others.
    pub(super) fn replace_below(&mut self, below: i64, chunks: Vec<Chunk>) {
        let kept: Vec<Chunk> = self
            .tail
            .iter()
            .filter(|c| c.base >= below)
            .copied()
            .collect();
        let mut max = self.before_tail;
        for chunk in self.tail.iter().filter(|c| c.base < below) {
            max.add(chunk);
        }
        *self = Self {
            before_tail: max,
            bytes_before_first: max.bytes,
            first: below,
            ..Self::default()
        };
        for chunk in chunks {
            self.push(chunk);
        }
        self.stretch(below);
        for chunk in kept {
            self.push(chunk);
        }
    }

    pub(super) fn encode(&self, out: &mut Encoder) {
        encode_totals(&self.before_tail, out);
        out.number(self.bytes_before_first.cast_signed());
        out.number(self.first);
        out.number(self.first_page.unwrap_or(-1));
        let (timestamp, base) = self.paged_max.unwrap_or((NO_TIMESTAMP, -1));
        out.number(timestamp);
        out.number(base);
        encode_chunks(self.tail.iter(), self.tail.len(), out);
    }

    pub(super) fn decode(input: &mut Decoder<'_>) -> Result<Self, FormatError> {
        let before_tail = decode_totals(input)?;
        let bytes_before_first = input.number()?.cast_unsigned();
        let first = input.number()?;
        let first_page = Some(input.number()?).filter(|&key| key >= 0);
        let paged_max = Some((input.number()?, input.number()?)).filter(|&(_, base)| base >= 0);
        let tail = VecDeque::from(decode_chunks(input)?);
        if bytes_before_first > before_tail.bytes || (tail.is_empty() && first_page.is_some()) {
            return Err(FormatError::Damaged(
                "the totals of the index contradict it",
            ));
        }
        Ok(Self {
            tail_bytes: tail
                .iter()
                .fold(0, |sum, c| sum.saturating_add(u64::from(c.size))),
            tail,
            before_tail,
            bytes_before_first,
            first_page,
            first,
            paged_max,
            unwritten: Vec::new(),
        })
    }
}

fn collect<'a>(
    bytes_before: u64,
    chunks: impl Iterator<Item = &'a Chunk>,
    below: i64,
    budget: u64,
) -> Run {
    let mut run = Run {
        chunks: Vec::new(),
        bytes_before,
    };
    let mut after_first = 0u64;
    for chunk in chunks.take_while(|chunk| chunk.base < below) {
        if !run.chunks.is_empty() {
            if after_first >= budget {
                break;
            }
            after_first = after_first.saturating_add(u64::from(chunk.size));
        }
        run.chunks.push(*chunk);
    }
    run
}

fn encode_totals(totals: &Totals, out: &mut Encoder) {
    out.number(totals.bytes.cast_signed());
    out.number(totals.max_timestamp);
}

fn decode_totals(input: &mut Decoder<'_>) -> Result<Totals, FormatError> {
    Ok(Totals {
        bytes: input.number()?.cast_unsigned(),
        max_timestamp: input.number()?,
    })
}

fn encode_chunks<'a>(chunks: impl Iterator<Item = &'a Chunk>, count: usize, out: &mut Encoder) {
    out.count(count);
    let mut previous: Option<&Chunk> = None;
    for chunk in chunks {
        let timestamp = match previous {
            None => {
                out.number(chunk.base);
                0
            }
            Some(previous) => previous.max_timestamp,
        };
        out.number(chunk.last.wrapping_sub(chunk.base));
        out.number(i64::from(chunk.size));
        out.number(chunk.max_timestamp.wrapping_sub(timestamp));
        previous = Some(chunk);
    }
}

fn decode_chunks(input: &mut Decoder<'_>) -> Result<Vec<Chunk>, FormatError> {
    let count = input.count()?;
    let mut chunks: Vec<Chunk> = Vec::with_capacity(count);
    for _ in 0..count {
        let (base, timestamp) = match chunks.last() {
            None => (input.number()?, 0),
            Some(previous) => (previous.end(), previous.max_timestamp),
        };
        let chunk = Chunk {
            base,
            last: base.wrapping_add(input.number()?),
            size: input.narrow()?,
            max_timestamp: timestamp.wrapping_add(input.number()?),
        };
        if chunk.base < 0 || chunk.last < chunk.base || chunk.last == i64::MAX {
            return Err(FormatError::Damaged("a chunk's offsets make no sense"));
        }
        chunks.push(chunk);
    }
    Ok(chunks)
}
