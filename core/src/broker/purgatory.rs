//! Requests that wait: Produce and DeleteRecords for durability, Fetch for bytes.
//!
//! A parked request watches logs. When one of them moves, fails or goes, it is looked at again, and
//! when its time is over it is answered with what there is. Kafka's `DelayedOperation`s.

use crate::sorted::{SortedMap, SortedSet};

use super::effect::LogId;
use super::handler::{DelayedDelete, DelayedFetch, DelayedOffsets, DelayedProduce};
use super::timers::TimerId;
use super::{Broker, Timer};
use crate::time::Monotonic;

/// Names a parked request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ParkedId(pub(crate) u64);

/// A request that waits.
#[derive(Debug)]
pub(crate) enum Parked {
    Produce(DelayedProduce),
    Fetch(DelayedFetch),
    Delete(DelayedDelete),
}

#[derive(Debug)]
struct Entry {
    parked: Parked,
    timer: Option<TimerId>,
    logs: Vec<LogId>,
}

/// Everything that is parked.
#[derive(Debug, Default)]
pub(crate) struct Purgatory {
    entries: SortedMap<ParkedId, Entry>,
    watching: SortedMap<LogId, SortedSet<ParkedId>>,
    /// ListOffsets whose records are being looked for.
    offsets: SortedMap<u64, DelayedOffsets>,
    next: u64,
}

impl Purgatory {
    /// Keeps a ListOffsets until all its offsets are found; returns its number.
    pub(crate) fn hold_offsets(&mut self, delayed: DelayedOffsets) -> u64 {
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.offsets.insert(number, delayed);
        number
    }

    /// A ListOffsets that is kept.
    pub(crate) fn offsets_mut(&mut self, number: u64) -> Option<&mut DelayedOffsets> {
        self.offsets.get_mut(&number)
    }

    /// Takes a ListOffsets out.
    pub(crate) fn take_offsets(&mut self, number: u64) -> Option<DelayedOffsets> {
        self.offsets.remove(&number)
    }

    fn remove(&mut self, id: ParkedId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        for log in &entry.logs {
            if let Some(watching) = self.watching.get_mut(log) {
                watching.remove(&id);
                if watching.is_empty() {
                    self.watching.remove(log);
                }
            }
        }
        Some(entry)
    }

    fn insert(&mut self, id: ParkedId, entry: Entry) {
        for log in &entry.logs {
            self.watching.entry(*log).or_default().insert(id);
        }
        self.entries.insert(id, entry);
    }
}

impl Broker {
    /// Has a request wait for `logs` until a deadline, if it has one.
    pub(crate) fn park(&mut self, parked: Parked, logs: Vec<LogId>, deadline: Option<Monotonic>) {
        let id = ParkedId(self.purgatory.next);
        self.purgatory.next = id.0.wrapping_add(1);
        let timer = deadline.map(|at| self.timers.schedule(at, Timer::Parked(id)));
        let entry = Entry {
            parked,
            timer,
            logs,
        };
        self.purgatory.insert(id, entry);
    }

    /// The time of a parked request is over: it is answered with what there is.
    pub(super) fn parked_timed_out(&mut self, id: ParkedId) {
        if let Some(entry) = self.purgatory.remove(id) {
            match entry.parked {
                Parked::Produce(produce) => self.produce_timed_out(produce),
                Parked::Fetch(fetch) => self.fetch_timed_out(fetch),
                Parked::Delete(delete) => self.delete_timed_out(delete),
            }
        }
    }

    /// A log moved, failed or went: looks at the requests that wait for it, in the order in which
    /// they were parked.
    pub(super) fn wake_parked(&mut self, log: LogId) {
        let Some(watching) = self.purgatory.watching.get(&log) else {
            return;
        };
        for id in watching.iter().copied().collect::<Vec<_>>() {
            let Some(mut entry) = self.purgatory.remove(id) else {
                continue;
            };
            let waits = match entry.parked {
                Parked::Produce(produce) => self.try_produce(produce).map(Parked::Produce),
                Parked::Fetch(fetch) => self.try_fetch(fetch).map(Parked::Fetch),
                Parked::Delete(delete) => self.try_delete(delete).map(Parked::Delete),
            };
            match waits {
                Some(parked) => {
                    entry.parked = parked;
                    self.purgatory.insert(id, entry);
                }
                None => {
                    if let Some(timer) = entry.timer {
                        self.timers.cancel(timer);
                    }
                }
            }
        }
    }
}
