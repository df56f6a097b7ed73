//! Idempotent producers of one log: which batches each wrote last, and which may come next.
//!
//! The last five batches of a producer are remembered; a batch with the same sequences as one of
//! them is a duplicate and gets its offset. Otherwise sequences must follow on, a new epoch starts
//! at 0, and a producer that the log does not know may start anywhere (its records may have been
//! deleted long ago).
//!
//! One rule is ours: when a failed write rolls batches back, the first sequence that was lost of
//! each producer is the only one accepted next. Otherwise an unknown producer's later batch could
//! be appended in front of the retry of its first.
//!
//! Sources: KIP-98, KIP-360; Kafka's `ProducerStateManager`, `ProducerAppendInfo`.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

use super::encoding::{Decoder, Encoder, FormatError};
use crate::protocol::ErrorCode;
use crate::records::{BatchHeader, decrement_sequence, increment_sequence};

/// How many batches of each producer are remembered.
const REMEMBERED: usize = 5;

/// A batch that was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Appended {
    last_sequence: i32,
    last_offset: i64,
    offset_delta: i32,
    timestamp: i64,
}

impl Appended {
    fn first_sequence(&self) -> i32 {
        decrement_sequence(self.last_sequence, self.offset_delta)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Producer {
    epoch: i16,
    /// When it last wrote: the largest timestamp of its last batch.
    last_timestamp: i64,
    /// The newest is last.
    batches: VecDeque<Appended>,
}

/// The first sequence that a rollback took back of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lost {
    epoch: i16,
    sequence: i32,
    /// When, in wall time.
    at: i64,
}

/// A batch that is among those remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) base_offset: i64,
    pub(super) last_offset: i64,
    /// The largest timestamp of the batch.
    pub(super) timestamp: i64,
}

/// All producers that a log knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Producers {
    known: SortedMap<i64, Producer>,
    lost: SortedMap<i64, Lost>,
}

impl Producers {
    /// Whether a producer's batch may be appended now, or which one it repeats.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH`, `OUT_OF_ORDER_SEQUENCE_NUMBER`.
    pub(super) fn check(&self, batch: &BatchHeader) -> Result<Option<Duplicate>, ErrorCode> {
        let known = self.known.get(&batch.producer_id);
        if let Some(duplicate) = known.and_then(|producer| producer.duplicate(batch)) {
            return Ok(Some(duplicate));
        }
        let lost = self.lost.get(&batch.producer_id);
        let latest_epoch = [known.map(|k| k.epoch), lost.map(|l| l.epoch)]
            .into_iter()
            .flatten()
            .max();
        let Some(latest_epoch) = latest_epoch else {
            return Ok(None);
        };
        if batch.producer_epoch < latest_epoch {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        let expected = if batch.producer_epoch > latest_epoch {
            Some(0)
        } else if let Some(lost) = lost.filter(|lost| lost.epoch == latest_epoch) {
            Some(lost.sequence)
        } else {
            known
                .and_then(|producer| producer.batches.back())
                .map(|last| increment_sequence(last.last_sequence, 1))
        };
        match expected {
            Some(sequence) if sequence != batch.base_sequence => {
                Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Notes a batch that is appended, with the offsets it got.
    pub(super) fn note(&mut self, batch: &BatchHeader) {
        if !batch.has_producer_id() {
            return;
        }
        self.lost.remove(&batch.producer_id);
        self.replay(batch);
    }

    /// Notes a batch that is durable already: what was lost after it stays lost.
    pub(super) fn replay(&mut self, batch: &BatchHeader) {
        if !batch.has_producer_id() {
            return;
        }
        let producer = self
            .known
            .entry(batch.producer_id)
            .or_insert_with(|| Producer {
                epoch: batch.producer_epoch,
                last_timestamp: batch.max_timestamp,
                batches: VecDeque::new(),
            });
        if producer.epoch != batch.producer_epoch {
            producer.epoch = batch.producer_epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == REMEMBERED {
            producer.batches.pop_front();
        }
        producer.last_timestamp = batch.max_timestamp;
        producer.batches.push_back(Appended {
            last_sequence: batch.last_sequence(),
            last_offset: batch.last_offset(),
            offset_delta: batch.last_offset_delta,
            timestamp: batch.max_timestamp,
        });
    }

    /// Takes over, from the state before a rollback, what producers had lost already, and adds the
    /// batches lost now, which come in the order of the log.
    pub(super) fn note_lost<'a>(
        &mut self,
        before: Self,
        lost: impl Iterator<Item = &'a BatchHeader>,
        now: i64,
    ) {
        self.lost = before.lost;
        let mut seen = SortedMap::new();
        for batch in lost.filter(|batch| batch.has_producer_id()) {
            seen.entry(batch.producer_id).or_insert(Lost {
                epoch: batch.producer_epoch,
                sequence: batch.base_sequence,
                at: now,
            });
        }
        self.lost.extend(seen);
    }

    /// Forgets producers that have not written for `expiration_ms`.
    pub(super) fn expire(&mut self, now: i64, expiration_ms: i64) {
        let expired = |at: i64| now.saturating_sub(at) >= expiration_ms;
        self.known
            .retain(|_, producer| !expired(producer.last_timestamp));
        self.lost.retain(|_, lost| !expired(lost.at));
    }

    /// Takes nobody to have written later than now: a clock that ran ahead when the records were
    /// stamped would keep its producers for as long.
    pub(super) fn bound_timestamps(&mut self, now: i64) {
        for producer in self.known.values_mut() {
            producer.last_timestamp = producer.last_timestamp.min(now);
        }
    }

    /// How many producers are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn encode(&self, out: &mut Encoder) {
        out.count(self.known.len());
        for (&id, producer) in &self.known {
            out.number(id);
            out.number(i64::from(producer.epoch));
            out.number(producer.last_timestamp);
            out.count(producer.batches.len());
            for batch in &producer.batches {
                out.number(i64::from(batch.last_sequence));
                out.number(batch.last_offset);
                out.number(i64::from(batch.offset_delta));
                out.number(batch.timestamp);
            }
        }
    }

    pub(super) fn decode(input: &mut Decoder<'_>) -> Result<Self, FormatError> {
        let mut known = SortedMap::new();
        for _ in 0..input.count()? {
            let id = input.number()?;
            let mut producer = Producer {
                epoch: input.narrow()?,
                last_timestamp: input.number()?,
                batches: VecDeque::new(),
            };
            for _ in 0..input.count()? {
                producer.batches.push_back(Appended {
                    last_sequence: input.narrow()?,
                    last_offset: input.number()?,
                    offset_delta: input.narrow()?,
                    timestamp: input.number()?,
                });
            }
            known.insert(id, producer);
        }
        Ok(Self {
            known,
            lost: SortedMap::new(),
        })
    }
}

impl Producer {
    fn duplicate(&self, batch: &BatchHeader) -> Option<Duplicate> {
        if batch.producer_epoch != self.epoch {
            return None;
        }
        let appended = self.batches.iter().find(|appended| {
            appended.first_sequence() == batch.base_sequence
                && appended.last_sequence == batch.last_sequence()
        })?;
        Some(Duplicate {
            base_offset: appended
                .last_offset
                .saturating_sub(i64::from(appended.offset_delta)),
            last_offset: appended.last_offset,
            timestamp: appended.timestamp,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::records::{BatchBuilder, BatchView, Record};

    fn batch(epoch: i16, sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
        let mut builder = BatchBuilder::new().producer(9, epoch, sequence);
        for _ in 0..count {
            builder
                .push(&Record::new(100, None, Some("x".into())))
                .unwrap();
        }
        let (view, _) = BatchView::parse(builder.build().unwrap()).unwrap();
        let mut header = *view.header();
        header.set_base_offset_and_epoch(base_offset, 0);
        header
    }

    fn duplicate(base_offset: i64, last_offset: i64) -> Result<Option<Duplicate>, ErrorCode> {
        Ok(Some(Duplicate {
            base_offset,
            last_offset,
            timestamp: 100,
        }))
    }

    const OUT_OF_ORDER: Result<Option<Duplicate>, ErrorCode> =
        Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);

    #[test]
    fn the_last_five_batches_are_recognised() {
        let mut producers = Producers::default();
        for i in 0..6 {
            let next = batch(0, i * 2, 2, i64::from(i) * 2);
            assert_eq!(producers.check(&next), Ok(None));
            producers.note(&next);
        }
        assert_eq!(producers.check(&batch(0, 2, 2, 99)), duplicate(2, 3));
        assert_eq!(producers.check(&batch(0, 10, 2, 99)), duplicate(10, 11));
        assert_eq!(
            producers.check(&batch(0, 0, 2, 99)),
            OUT_OF_ORDER,
            "too old"
        );
        assert_eq!(
            producers.check(&batch(0, 2, 1, 99)),
            OUT_OF_ORDER,
            "other range"
        );
        assert_eq!(producers.check(&batch(0, 13, 1, 99)), OUT_OF_ORDER, "a gap");
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let mut producers = Producers::default();
        producers.note(&batch(0, i32::MAX - 1, 2, 0));
        assert_eq!(producers.check(&batch(0, 1, 1, 2)), OUT_OF_ORDER);
        assert_eq!(producers.check(&batch(0, 0, 1, 2)), Ok(None));
        producers.note(&batch(0, 0, 1, 2));
        let across = batch(0, i32::MAX - 1, 2, 9);
        assert_eq!(producers.check(&across), duplicate(0, 1));
        let mut wrapped = Producers::default();
        wrapped.note(&batch(0, i32::MAX, 3, 0));
        assert_eq!(wrapped.check(&batch(0, 2, 1, 3)), Ok(None));
        assert_eq!(wrapped.check(&batch(0, i32::MAX, 3, 3)), duplicate(0, 2));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_an_old_one_is_fenced() {
        let mut producers = Producers::default();
        assert_eq!(
            producers.check(&batch(3, 77, 1, 0)),
            Ok(None),
            "an unknown producer"
        );
        producers.note(&batch(3, 77, 1, 0));
        assert_eq!(producers.check(&batch(4, 78, 1, 1)), OUT_OF_ORDER);
        assert_eq!(producers.check(&batch(4, 0, 1, 1)), Ok(None));
        producers.note(&batch(4, 0, 1, 1));
        assert_eq!(
            producers.check(&batch(3, 78, 1, 2)),
            Err(ErrorCode::INVALID_PRODUCER_EPOCH)
        );
        assert_eq!(
            producers.check(&batch(3, 77, 1, 2)),
            Err(ErrorCode::INVALID_PRODUCER_EPOCH),
            "a duplicate of the old epoch is no duplicate"
        );
    }

    #[test]
    fn after_a_rollback_only_the_first_lost_sequence_is_accepted() {
        let (first, second) = (batch(0, 10, 2, 5), batch(0, 12, 2, 7));
        let mut durable = Producers::default();
        durable.note_lost(Producers::default(), [&first, &second].into_iter(), 0);
        assert_eq!(durable.check(&second), OUT_OF_ORDER);
        assert_eq!(durable.check(&batch(0, 0, 1, 5)), OUT_OF_ORDER);
        assert_eq!(durable.check(&first), Ok(None));
        let mut again = durable.clone();
        again.note_lost(durable.clone(), std::iter::empty(), 0);
        assert_eq!(
            again.check(&second),
            OUT_OF_ORDER,
            "a second rollback keeps it"
        );
        durable.note(&first);
        assert_eq!(durable.check(&second), Ok(None));
        assert_eq!(
            again.check(&batch(1, 0, 1, 5)),
            Ok(None),
            "a new epoch starts at 0"
        );
        assert_eq!(again.check(&batch(1, 4, 1, 5)), OUT_OF_ORDER);
    }

    #[test]
    fn producers_expire_and_future_timestamps_do_not_keep_them() {
        let mut producers = Producers::default();
        producers.note(&batch(0, 0, 1, 0));
        producers.expire(1_099, 1_000);
        assert_eq!(producers.len(), 1);
        producers.expire(1_100, 1_000);
        assert_eq!(producers.len(), 0);
        producers.note(&batch(0, 0, 1, 0));
        producers.bound_timestamps(50);
        producers.expire(1_050, 1_000);
        assert_eq!(producers.len(), 0);
    }

    #[test]
    fn a_snapshot_is_read_back_as_it_was() {
        let mut producers = Producers::default();
        producers.note(&batch(2, i32::MAX, 3, 40));
        producers.note(&batch(2, 2, 1, 43));
        let mut encoder = Encoder::new(1);
        producers.encode(&mut encoder);
        let bytes = encoder.finish();
        let mut decoder = Decoder::open(&bytes, 1).unwrap();
        assert_eq!(Producers::decode(&mut decoder).unwrap(), producers);
        decoder.end().unwrap();
    }
}
