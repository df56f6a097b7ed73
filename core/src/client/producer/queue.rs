//! One partition's batches, in the order of the sends, and the sequence that keeps them so.
//!
//! A batch waits (`waiting`), is under way (`in_flight`), comes back to its place after an attempt
//! that may be repeated, and leaves when it is acknowledged or given up.
//!
//! # Order
//! With sequences up to five batches are under way at once, as many as brokers remember. Only the
//! first goes alone: from a producer that they do not know brokers take any sequence, so a second
//! batch could be written though the first was not, and the first would never be. A batch that was sent before is sent again only when nothing else is under way, and nothing follows it
//! until it is answered. Without sequences, where a repeat could overtake, one is under way at a
//! time.
//!
//! # Gaps
//! A batch that is given up leaves a gap in the sequence: brokers refuse what comes after it with
//! `OUT_OF_ORDER_SEQUENCE_NUMBER`. Then nothing new is sent until everything under way is answered
//! and every batch that might have been written was offered once more (`ambiguous`); those refused
//! were certainly not written. Then the epoch is raised for this partition, the rest is numbered
//! from 0, and an attempt of the old epoch that is still somewhere on its way cannot be written any
//! more. This is how Kafka's own producer recovers (KIP-360).
//!
//! Sources: KIP-98, KIP-360, KIP-679; Kafka's `RecordAccumulator` and `TransactionManager`.

use std::collections::VecDeque;

use bytes::Bytes;

use super::super::OpId;
use super::super::error::ClientError;
use super::super::retry::{Retry, RetryConfig, Verdict};
use super::super::rng::Rng;
use super::batch::{Batch, Identity, Kind, NUMBER_SPAN, Sequence, Unsendable};
use crate::records::{RecordParts, increment_sequence};
use crate::time::Monotonic;

/// How many batches of a producer a broker recognises per partition.
const MAX_IN_FLIGHT: usize = 5;

/// What decides whether a batch may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    pub(super) now: Monotonic,
    pub(super) linger_ms: u64,
    pub(super) batch_size: usize,
    /// Whether to wait for nothing more: the producer disconnects.
    pub(super) flush: bool,
    /// Whether batches with acks=all get a sequence.
    pub(super) idempotent: bool,
    /// Whom the sequences are for, once known.
    pub(super) identity: Option<Identity>,
}

/// Whether a batch may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There is none, or an answer must come first.
    Nothing,
    /// Not before then.
    Later(Monotonic),
    /// A producer id is needed first.
    NeedsIdentity,
    /// The one at this place.
    Ready(usize),
}

/// How records are added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adding {
    pub(super) op: OpId,
    pub(super) kind: Kind,
    /// A bound on what the whole send will add.
    pub(super) upper: usize,
    /// A guess of it, to reserve memory by.
    pub(super) expected: usize,
    pub(super) batch_size: usize,
    pub(super) max_request_size: usize,
    pub(super) now: Monotonic,
}

/// One partition's batches.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Batch>,
    in_flight: VecDeque<Batch>,
    next_number: u64,
    /// Whom the next sequence is for.
    identity: Option<Identity>,
    next_sequence: i32,
    /// The sequence has a gap.
    gap: bool,
    /// The broker has acknowledged a batch of this producer id.
    established: bool,
    /// A size that the broker has refused: batches stay below.
    refused_size: Option<usize>,
}

impl Queue {
    /// Whether any batch waits to be sent.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Adds a record. Returns the bytes added, and whether its send has a new share to wait for.
    pub(super) fn add(
        &mut self,
        adding: &Adding,
        record: &impl RecordParts,
        retry: impl FnOnce() -> Retry,
    ) -> Result<(usize, bool), ClientError> {
        let limit = self.refused_size.unwrap_or(usize::MAX);
        let fits = self.waiting.back().is_some_and(|batch| {
            let own = batch
                .shares
                .last()
                .is_some_and(|share| share.op == adding.op);
            let limit = if own {
                adding.max_request_size.min(limit)
            } else {
                adding.batch_size.min(limit)
            };
            // What a send has for a partition stays together if it can.
            let together = own || batch.size().saturating_add(adding.upper) <= limit;
            batch.kind == adding.kind && together && batch.has_room_for(record, limit)
        });
        if !fits {
            if let Some(last) = self.waiting.back_mut() {
                last.closed = true;
            }
            let reserve = adding.expected.min(adding.max_request_size);
            let (kind, now) = (adding.kind, adding.now);
            let batch = Batch::new(self.next_number, kind, now, retry(), reserve);
            self.next_number = self.next_number.wrapping_add(NUMBER_SPAN);
            self.waiting.push_back(batch);
        }
        let Some(batch) = self.waiting.back_mut() else {
            return Ok((0, false));
        };
        let before = if fits { batch.memory } else { 0 };
        let pushed = batch.push(adding.op, record);
        let added = batch.memory.saturating_sub(before);
        if pushed.is_err() && batch.count == 0 {
            self.waiting.pop_back();
        }
        Ok((added, pushed?))
    }

    /// The bytes of records that wait to be sent, for the partitioner.
    pub(super) fn last_is_full(&self, batch_size: usize) -> bool {
        self.waiting
            .back()
            .is_none_or(|batch| batch.closed || batch.size() >= batch_size)
    }

    /// Whether a batch may go now, and which. Closes a gap first if that can be done.
    pub(super) fn next(&mut self, gate: &Gate) -> Next {
        if self.waiting.is_empty() {
            return Next::Nothing;
        }
        if self.gap {
            if !self.in_flight.is_empty() {
                return Next::Nothing;
            }
            if let Some(at) = self.waiting.iter().position(|batch| batch.ambiguous) {
                return self.when_due(at, gate.now);
            }
            if !self.close_gap(gate.identity) {
                return Next::NeedsIdentity;
            }
        }
        let Some(first) = self.waiting.front() else {
            return Next::Nothing;
        };
        let sequenced = first.sequence.is_some() || (gate.idempotent && first.kind.acks == -1);
        if !self.in_flight.is_empty() {
            let alone = |batch: &Batch| batch.sent > 1 || batch.sequence.is_none();
            let blocked = first.sent > 0
                || !sequenced
                || !self.established
                || self.in_flight.len() >= MAX_IN_FLIGHT
                || self.in_flight.iter().any(alone);
            if blocked {
                return Next::Nothing;
            }
        }
        let full = first.closed || self.waiting.len() > 1 || first.size() >= gate.batch_size;
        if !full && !gate.flush && gate.linger_ms > 0 {
            let until = Monotonic(first.created.0.saturating_add(gate.linger_ms));
            if until > gate.now {
                return Next::Later(until);
            }
        }
        if sequenced && first.sequence.is_none() && self.identity.or(gate.identity).is_none() {
            let due = first.retry.due();
            return if due > gate.now {
                Next::Later(due)
            } else {
                Next::NeedsIdentity
            };
        }
        self.when_due(0, gate.now)
    }

    /// When [`Queue::next`] may say something else merely because time has passed.
    pub(super) fn due(&self, gate: &Gate) -> Option<Monotonic> {
        let first = self.waiting.front()?;
        if self.gap {
            let ambiguous = self.waiting.iter().find(|batch| batch.ambiguous);
            return Some(ambiguous.unwrap_or(first).retry.due());
        }
        let due = first.retry.due();
        let full = first.closed || self.waiting.len() > 1 || first.size() >= gate.batch_size;
        if full || gate.flush {
            return Some(due);
        }
        Some(due.max(Monotonic(first.created.0.saturating_add(gate.linger_ms))))
    }

    fn when_due(&self, at: usize, now: Monotonic) -> Next {
        match self.waiting.get(at).map(|batch| batch.retry.due()) {
            Some(due) if due > now => Next::Later(due),
            Some(_) => Next::Ready(at),
            None => Next::Nothing,
        }
    }

    /// The size and kind of the batch that [`Queue::next`] found.
    pub(super) fn peek(&self, at: usize) -> Option<(usize, Kind)> {
        self.waiting.get(at).map(|batch| (batch.size(), batch.kind))
    }

    /// Sends the batch that [`Queue::next`] found: its number and its bytes.
    pub(super) fn take(
        &mut self,
        at: usize,
        gate: &Gate,
    ) -> Option<Result<(u64, Bytes), Unsendable>> {
        let mut batch = self.waiting.remove(at)?;
        if gate.idempotent && batch.kind.acks == -1 && batch.sequence.is_none() {
            let Some(identity) = self.identity.or(gate.identity) else {
                // `next` has not found this batch ready.
                self.put_back(batch);
                return None;
            };
            self.identity = Some(identity);
            let sequence = Sequence {
                identity,
                base: self.next_sequence,
            };
            if let Err(error) = batch.set_sequence(sequence) {
                return Some(Err((Box::new(batch), error)));
            }
            self.next_sequence = increment_sequence(self.next_sequence, batch.count);
        }
        let bytes = match batch.seal() {
            Ok(bytes) => bytes,
            Err(error) => {
                self.gap |= batch.sequence.is_some();
                return Some(Err((Box::new(batch), error)));
            }
        };
        batch.sent = batch.sent.saturating_add(1);
        let number = batch.number;
        let after = self
            .in_flight
            .iter()
            .take_while(|other| other.number < number);
        let place = after.count();
        self.in_flight.insert(place, batch);
        Some(Ok((number, bytes)))
    }

    /// The broker has written a batch with a sequence.
    pub(super) fn note_written(&mut self) {
        self.established = true;
    }

    /// Removes an answered batch.
    pub(super) fn answered(&mut self, number: u64) -> Option<Batch> {
        let at = self
            .in_flight
            .iter()
            .position(|batch| batch.number == number)?;
        self.in_flight.remove(at)
    }

    /// Whether an earlier batch than this is still to be answered.
    pub(super) fn has_earlier(&self, number: u64) -> bool {
        let earlier = |batch: &Batch| batch.number < number;
        self.in_flight.iter().any(earlier) || self.waiting.iter().any(earlier)
    }

    /// Puts a batch back to its place, to be sent again when it is due.
    pub(super) fn put_back(&mut self, batch: Batch) {
        let number = batch.number;
        let after = self
            .waiting
            .iter()
            .take_while(|other| other.number < number);
        let place = after.count();
        self.waiting.insert(place, batch);
    }

    /// A batch with a sequence was given up.
    pub(super) fn note_gap(&mut self) {
        self.gap = true;
    }

    /// Whether the sequence has a gap.
    pub(super) fn has_gap(&self) -> bool {
        self.gap
    }

    /// The broker refuses batches of this size.
    pub(super) fn refuse_size(&mut self, size: usize) {
        self.refused_size = Some((size / 2).max(1_024));
    }

    /// The partition could not be served: an attempt of every waiting batch that was due has
    /// failed. Returns those that are given up.
    pub(super) fn fail_waiting(
        &mut self,
        config: &RetryConfig,
        rng: &mut Rng,
        now: Monotonic,
        error: &ClientError,
    ) -> Vec<(Batch, ClientError)> {
        let mut given_up = Vec::new();
        let mut kept = VecDeque::with_capacity(self.waiting.len());
        for mut batch in std::mem::take(&mut self.waiting) {
            batch.closed = true;
            if batch.retry.due() > now {
                kept.push_back(batch);
                continue;
            }
            if !error.retriable {
                given_up.push((batch, error.clone()));
                continue;
            }
            match batch.retry.failed(config, rng, now, error.clone()) {
                Verdict::Again(_) => kept.push_back(batch),
                Verdict::GiveUp(error) => given_up.push((batch, error)),
            }
        }
        self.waiting = kept;
        self.gap |= given_up.iter().any(|(batch, _)| batch.sequence.is_some());
        given_up
    }

    /// Raises the epoch and numbers what waits anew. False if a new producer id is needed first.
    fn close_gap(&mut self, current: Option<Identity>) -> bool {
        let Some(identity) = self.identity else {
            self.gap = false;
            return true;
        };
        let next = match current {
            Some(current) if current.id != identity.id => Some(current),
            _ => identity
                .epoch
                .checked_add(1)
                .map(|epoch| Identity { epoch, ..identity }),
        };
        let Some(next) = next else { return false };
        self.established &= next.id == identity.id;
        self.identity = Some(next);
        self.next_sequence = 0;
        self.gap = false;
        for batch in &mut self.waiting {
            // All of these were refused or never sent: see the module.
            batch.sequence = None;
            batch.sent = 0;
        }
        true
    }

    /// The broker knows the identity no more, or as an older one: another is needed.
    pub(super) fn fence(&mut self) {
        if let Some(identity) = &mut self.identity {
            identity.epoch = i16::MAX;
        }
        self.gap = true;
    }
}
