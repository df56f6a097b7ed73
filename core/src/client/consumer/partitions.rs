//! The partitions that a consumer has: where each stands, and what was fetched of it.
//!
//! A partition has up to three places. What was *fetched* lies in its buffer. What was *delivered*
//! is in the host's hands, one batch at a time; the position is the offset after it. What was
//! *processed*, as the host reports it, is what is committed.
//!
//! Invariant: whenever a position is set from outside (assignment, seek, reset, release), the
//! partition's epoch changes. Fetches and lookups under way and batches in the host's hands carry
//! the epoch of their beginning; those of an older one have no effect any more.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

use super::super::cluster::Token;
use super::super::retry::Retry;
use super::batch::{BatchId, Chunk};
use super::event::Origin;
use super::subscription::SeekTo;
use crate::time::Monotonic;
use crate::types::TopicPartition;

/// Where the next record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// What the group has committed is to be asked for.
    Unknown,
    /// That is being asked for.
    AskingCommitted,
    /// The offset of a place in the log is to be asked for.
    Find(SeekTo, Origin),
    /// That is being asked for.
    Finding(SeekTo, Origin),
    /// The offset of the next record to deliver.
    At(i64),
    /// Nowhere: the reset policy is to have none, and the host has not sought yet.
    Nowhere,
}

/// A batch that the host works on.
#[derive(Debug, Clone, Copy)]
pub(super) struct InHand {
    pub(super) id: BatchId,
    /// The partition's epoch when it was delivered.
    epoch: u64,
    /// The position before it.
    pub(super) first: i64,
    /// The position after it.
    pub(super) next: i64,
    /// The offset after what the host has processed of it.
    pub(super) processed: Option<i64>,
}

/// A partition that is assigned.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) epoch: u64,
    pub(super) position: Position,
    pub(super) buffer: VecDeque<Chunk>,
    /// The fetch under way that covers it.
    pub(super) fetching: Option<Token>,
    pub(super) in_hand: Option<InHand>,
    /// What is to be committed: the offset after the last processed record.
    pub(super) processed: Option<i64>,
    pub(super) committed: Option<i64>,
    pub(super) high_watermark: Option<i64>,
    pub(super) last_stable_offset: Option<i64>,
    pub(super) log_start_offset: Option<i64>,
    /// About to be given up: nothing more is delivered.
    pub(super) revoking: bool,
    /// The failures of late, if the last attempt was one.
    pub(super) trouble: Option<Retry>,
    /// How often the host failed to process the record that is next: it gets it again only then.
    pub(super) failures: Option<Retry>,
    /// When it was last delivered from, as a count of deliveries.
    pub(super) turn: u64,
}

impl Partition {
    fn new(epoch: u64) -> Self {
        Self {
            epoch,
            position: Position::Unknown,
            buffer: VecDeque::new(),
            fetching: None,
            in_hand: None,
            processed: None,
            committed: None,
            high_watermark: None,
            last_stable_offset: None,
            log_start_offset: None,
            revoking: false,
            trouble: None,
            failures: None,
            turn: 0,
        }
    }

    /// Where the next fetch begins, if the position is known.
    pub(super) fn fetch_offset(&self) -> Option<i64> {
        match (self.buffer.back(), self.position) {
            (Some(last), Position::At(_)) => Some(last.next_offset),
            (None, Position::At(offset)) => Some(offset),
            _ => None,
        }
    }

    pub(super) fn buffered(&self) -> usize {
        let sizes = self.buffer.iter().map(Chunk::size);
        sizes.fold(0, usize::saturating_add)
    }

    /// When the next attempt may start, if the last one has failed.
    pub(super) fn due(&self) -> Option<Monotonic> {
        self.trouble.as_ref().map(Retry::due)
    }

    /// When the host may have what it failed to process again.
    pub(super) fn deliverable_at(&self) -> Option<Monotonic> {
        self.failures.as_ref().map(Retry::due)
    }

    /// Whether there is something to deliver but for pauses.
    pub(super) fn is_deliverable(&self, now: Monotonic) -> bool {
        let known = matches!(self.position, Position::At(_));
        let waits = self.deliverable_at().is_some_and(|due| due > now);
        known && self.in_hand.is_none() && !self.revoking && !waits && !self.buffer.is_empty()
    }

    /// What is processed and not committed.
    pub(super) fn uncommitted(&self) -> Option<i64> {
        self.processed.filter(|_| self.processed != self.committed)
    }

    /// The batch in hand, if it is the current one of this id.
    pub(super) fn current(&mut self, id: BatchId) -> Option<&mut InHand> {
        let epoch = self.epoch;
        self.in_hand
            .as_mut()
            .filter(|held| held.id == id && held.epoch == epoch)
    }

    /// Passes over what was fetched and holds no record.
    pub(super) fn skip_empty(&mut self) {
        if self.in_hand.is_some() {
            return;
        }
        while let Some(first) = self.buffer.front()
            && first.batches.is_empty()
            && let Position::At(before) = self.position
        {
            // What is not there counts as processed if everything before it is.
            if self.processed == Some(before) {
                self.processed = Some(first.next_offset);
            }
            self.position = Position::At(first.next_offset);
            self.buffer.pop_front();
        }
    }

    /// Puts a batch into the host's hands.
    pub(super) fn hand_out(&mut self, id: BatchId, turn: u64) -> Option<(i64, Chunk)> {
        let Position::At(first) = self.position else {
            return None;
        };
        let chunk = self.buffer.pop_front()?;
        self.position = Position::At(chunk.next_offset);
        self.turn = turn;
        self.in_hand = Some(InHand {
            id,
            epoch: self.epoch,
            first,
            next: chunk.next_offset,
            processed: None,
        });
        Some((first, chunk))
    }
}

/// All partitions that are assigned.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    all: SortedMap<TopicPartition, Partition>,
    batches: SortedMap<BatchId, TopicPartition>,
    next_epoch: u64,
    next_batch: u64,
}

impl Partitions {
    pub(super) fn get(&self, partition: &TopicPartition) -> Option<&Partition> {
        self.all.get(partition)
    }

    pub(super) fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut Partition> {
        self.all.get_mut(partition)
    }

    /// The partition, if no position was set from outside since `epoch`.
    pub(super) fn at_epoch(
        &mut self,
        partition: &TopicPartition,
        epoch: u64,
    ) -> Option<&mut Partition> {
        let found = self.all.get_mut(partition);
        found.filter(|it| it.epoch == epoch)
    }

    pub(super) fn contains(&self, partition: &TopicPartition) -> bool {
        self.all.contains_key(partition)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &Partition)> {
        self.all.iter()
    }

    pub(super) fn names(&self) -> Vec<TopicPartition> {
        self.all.keys().cloned().collect()
    }

    pub(super) fn insert(&mut self, partition: TopicPartition) {
        let epoch = self.epoch();
        self.all.insert(partition, Partition::new(epoch));
    }

    pub(super) fn remove(&mut self, partition: &TopicPartition) {
        if let Some(Partition {
            in_hand: Some(held),
            ..
        }) = self.all.remove(partition)
        {
            self.batches.remove(&held.id);
        }
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.batches.clear();
    }

    /// Sets a position from outside: what was fetched is dropped.
    pub(super) fn place(&mut self, partition: &TopicPartition, position: Position) {
        let epoch = self.epoch();
        if let Some(placed) = self.all.get_mut(partition) {
            placed.epoch = epoch;
            placed.position = position;
            placed.buffer.clear();
            placed.fetching = None;
            placed.trouble = None;
        }
    }

    /// Hands out what is next of the partition that has waited the longest.
    pub(super) fn next_batch(
        &mut self,
        now: Monotonic,
        may: impl Fn(&TopicPartition) -> bool,
    ) -> Option<(TopicPartition, BatchId, i64, Chunk)> {
        let mut waiting = self.all.iter_mut();
        let deliverable = |(name, partition): &(&TopicPartition, &mut Partition)| {
            partition.is_deliverable(now) && may(name)
        };
        let (name, partition) = waiting
            .by_ref()
            .filter(deliverable)
            .min_by_key(|(_, partition)| partition.turn)?;
        self.next_batch = self.next_batch.saturating_add(1);
        let id = BatchId(self.next_batch);
        let (first, chunk) = partition.hand_out(id, self.next_batch)?;
        let name = name.clone();
        self.batches.insert(id, name.clone());
        Some((name, id, first, chunk))
    }

    /// The partition of a batch that is in the host's hands.
    pub(super) fn of_batch(&mut self, id: BatchId) -> Option<&mut Partition> {
        self.all.get_mut(self.batches.get(&id)?)
    }

    /// The name of the partition of a batch that is in the host's hands.
    pub(super) fn name_of_batch(&self, id: BatchId) -> Option<&TopicPartition> {
        self.batches.get(&id)
    }

    /// Whether a batch has no effect any more.
    pub(super) fn is_stale(&self, id: BatchId) -> bool {
        let partition = self.batches.get(&id).and_then(|name| self.all.get(name));
        partition.is_none_or(|it| it.in_hand.is_none_or(|held| held.epoch != it.epoch))
    }

    /// Takes a batch back from the host. What it was, if it still counts.
    pub(super) fn take_back(&mut self, id: BatchId) -> Option<(TopicPartition, InHand)> {
        let name = self.batches.remove(&id)?;
        let partition = self.all.get_mut(&name)?;
        let current = partition.current(id).copied();
        partition.in_hand = None;
        if current.is_none() {
            partition.skip_empty();
        }
        current.map(|held| (name, held))
    }

    fn epoch(&mut self) -> u64 {
        self.next_epoch = self.next_epoch.saturating_add(1);
        self.next_epoch
    }
}
