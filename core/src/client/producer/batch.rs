//! A batch on its way from sends to its partition: whose records it holds, its number, its sequence.

use bytes::Bytes;

use super::super::OpId;
use super::super::error::{ClientError, ErrorKind};
use super::super::retry::Retry;
use crate::records::{
    BatchBuilder, BatchError, BatchHeader, BatchView, Compression, DEFAULT_DECOMPRESSED_LIMIT,
    Level, RecordParts,
};
use crate::time::Monotonic;

/// What the records of a batch, and the batches of a request, must have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) acks: i16,
    pub(super) timeout_ms: i32,
    pub(super) compression: Compression,
}

/// A send's records in a batch: `count` of them, from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) op: OpId,
    pub(super) first: i32,
    pub(super) count: i32,
}

/// A producer id and its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// What makes a repeat recognisable: fixed before the first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) identity: Identity,
    pub(super) base: i32,
}

#[derive(Debug)]
enum Body {
    Open(Box<BatchBuilder>),
    Sealed(Bytes),
}

/// Records for one partition.
#[derive(Debug)]
pub(super) struct Batch {
    /// Ascending in the order of the sends; see [`Batch::split`] for why they are far apart.
    pub(super) number: u64,
    span: u64,
    pub(super) kind: Kind,
    body: Body,
    pub(super) count: i32,
    pub(super) shares: Vec<Share>,
    /// Takes no more records.
    pub(super) closed: bool,
    pub(super) created: Monotonic,
    pub(super) sequence: Option<Sequence>,
    pub(super) retry: Retry,
    /// How often it was sent.
    pub(super) sent: u32,
    /// An attempt ended without a word: it may have been written.
    pub(super) ambiguous: bool,
    /// Bytes of the producer's buffer that it uses.
    pub(super) memory: usize,
}

/// A batch that cannot be made, and why.
pub(super) type Unsendable = (Box<Batch>, ClientError);

/// How far the numbers of consecutive batches are apart, so that a split finds room between.
pub(super) const NUMBER_SPAN: u64 = 1 << 32;

impl Batch {
    pub(super) fn new(
        number: u64,
        kind: Kind,
        now: Monotonic,
        retry: Retry,
        reserve: usize,
    ) -> Self {
        let mut builder = BatchBuilder::new().compression(kind.compression, Level::Default);
        builder.reserve(reserve);
        let memory = builder.uncompressed_size();
        Self {
            number,
            span: NUMBER_SPAN,
            kind,
            body: Body::Open(Box::new(builder)),
            count: 0,
            shares: Vec::new(),
            closed: false,
            created: now,
            sequence: None,
            retry,
            sent: 0,
            ambiguous: false,
            memory,
        }
    }

    /// Its size in bytes: before compression while it is open.
    pub(super) fn size(&self) -> usize {
        match &self.body {
            Body::Open(builder) => builder.uncompressed_size(),
            Body::Sealed(bytes) => bytes.len(),
        }
    }

    /// Whether it takes a record without passing `limit`.
    pub(super) fn has_room_for(&self, record: &impl RecordParts, limit: usize) -> bool {
        match &self.body {
            Body::Open(builder) => !self.closed && builder.has_room_for(record, limit),
            Body::Sealed(_) => false,
        }
    }

    /// Adds a record of `op`. Returns whether that is the first of `op` in this batch.
    pub(super) fn push(
        &mut self,
        op: OpId,
        record: &impl RecordParts,
    ) -> Result<bool, ClientError> {
        let Body::Open(builder) = &mut self.body else {
            return Err(ClientError::fatal(
                ErrorKind::InvariantViolation,
                "a sealed batch takes no records",
            ));
        };
        let at = builder.push(record).map_err(unbuildable)?;
        self.count = builder.len();
        self.memory = builder.uncompressed_size();
        match self.shares.last_mut() {
            Some(share) if share.op == op => {
                share.count = share.count.saturating_add(1);
                Ok(false)
            }
            _ => {
                self.shares.push(Share {
                    op,
                    first: at,
                    count: 1,
                });
                Ok(true)
            }
        }
    }

    /// Closes it and returns what goes onto the wire; the same bytes every time, until it gets
    /// another sequence.
    pub(super) fn seal(&mut self) -> Result<Bytes, ClientError> {
        self.closed = true;
        let sealed = match &mut self.body {
            Body::Sealed(bytes) => return Ok(bytes.clone()),
            Body::Open(builder) => {
                let mut builder = std::mem::take(builder);
                if let Some(Sequence { identity, base }) = self.sequence {
                    builder.set_producer(identity.id, identity.epoch, base);
                }
                builder.finish().map_err(unbuildable)?
            }
        };
        self.body = Body::Sealed(sealed.clone());
        Ok(sealed)
    }

    /// Gives it a sequence, or another one: only when no attempt with the one before can have been
    /// written.
    pub(super) fn set_sequence(&mut self, sequence: Sequence) -> Result<(), ClientError> {
        self.sequence = Some(sequence);
        if let Body::Sealed(bytes) = &self.body {
            let view = BatchView::single(bytes.clone()).map_err(unbuildable)?;
            let header = BatchHeader {
                producer_id: sequence.identity.id,
                producer_epoch: sequence.identity.epoch,
                base_sequence: sequence.base,
                ..*view.header()
            };
            let mut sealed = header;
            sealed.seal(&view.records_bytes());
            self.body = Body::Sealed(view.with_header(&sealed));
        }
        Ok(())
    }

    /// Whether it can be told apart into smaller ones: `by_send` only between sends.
    pub(super) fn can_split(&self, by_send: bool) -> bool {
        self.shares.len() > 1 || (!by_send && self.count > 1)
    }

    /// Splits a refused batch in two, between two sends if it holds several. Each record keeps its
    /// sequence, so what was sent behind this batch still fits.
    pub(super) fn split(mut self) -> Result<(Self, Self), Unsendable> {
        let at = self.middle();
        let halves = self.seal().and_then(|sealed| self.rebuild(sealed, at));
        let (first, second) = match halves {
            Ok(halves) => halves,
            Err(error) => return Err((Box::new(self), error)),
        };
        let span = self.span / 2;
        let base = self.sequence.map(|sequence| Sequence {
            base: crate::records::increment_sequence(sequence.base, at),
            ..sequence
        });
        let (before, after) = split_shares(&self.shares, at);
        let second = Self {
            number: self.number.saturating_add(span),
            span,
            kind: self.kind,
            memory: self.memory / 2,
            body: Body::Sealed(second),
            count: self.count.saturating_sub(at),
            shares: after,
            closed: true,
            created: self.created,
            sequence: base,
            retry: self.retry.clone(),
            sent: self.sent,
            ambiguous: self.ambiguous,
        };
        self.span = span;
        self.memory = self.memory.saturating_sub(self.memory / 2);
        self.body = Body::Sealed(first);
        self.count = at;
        self.shares = before;
        Ok((self, second))
    }

    /// Where to split: the boundary between sends that is nearest to the middle, or the middle.
    fn middle(&self) -> i32 {
        let middle = self.count / 2;
        let boundaries = self.shares.iter().skip(1).map(|share| share.first);
        boundaries
            .min_by_key(|first| first.abs_diff(middle))
            .unwrap_or(middle)
            .clamp(1, self.count.saturating_sub(1).max(1))
    }

    fn rebuild(&self, sealed: Bytes, at: i32) -> Result<(Bytes, Bytes), ClientError> {
        let view = BatchView::single(sealed).map_err(unbuildable)?;
        let builder = || {
            let builder = BatchBuilder::new().compression(self.kind.compression, Level::Default);
            builder.transactional(view.is_transactional())
        };
        let (mut first, mut second) = (builder(), builder());
        if let Some(Sequence { identity, base }) = self.sequence {
            first.set_producer(identity.id, identity.epoch, base);
            let base = crate::records::increment_sequence(base, at);
            second.set_producer(identity.id, identity.epoch, base);
        }
        let records = view
            .records(DEFAULT_DECOMPRESSED_LIMIT)
            .map_err(unbuildable)?;
        for record in records {
            let record = record.map_err(unbuildable)?;
            let half = if first.len() < at {
                &mut first
            } else {
                &mut second
            };
            half.push(&record).map_err(unbuildable)?;
        }
        let first = first.finish().map_err(unbuildable)?;
        let second = second.finish().map_err(unbuildable)?;
        Ok((first, second))
    }
}

fn split_shares(shares: &[Share], at: i32) -> (Vec<Share>, Vec<Share>) {
    let mut before = Vec::new();
    let mut after = Vec::new();
    for share in shares {
        let end = share.first.saturating_add(share.count);
        if share.first < at {
            before.push(Share {
                count: end.min(at).saturating_sub(share.first),
                ..*share
            });
        }
        if end > at {
            let first = share.first.max(at);
            after.push(Share {
                op: share.op,
                first: first.saturating_sub(at),
                count: end.saturating_sub(first),
            });
        }
    }
    (before, after)
}

fn unbuildable(error: BatchError) -> ClientError {
    let kind = if matches!(error, BatchError::CodecMissing(_)) {
        ErrorKind::NotImplemented
    } else {
        ErrorKind::NonRetriable
    };
    ClientError::fatal(kind, error.to_string())
}
