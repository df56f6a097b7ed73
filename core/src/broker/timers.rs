//! Deadlines in order, each with what is due then.
//!
//! Cancelling or replacing a timer guarantees that the old one does nothing: its id is gone.

use crate::sorted::SortedMap;

use crate::time::Monotonic;

/// Names a scheduled timer; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TimerId(u64);

/// Timers ordered by (deadline, order of scheduling).
#[derive(Debug)]
pub(crate) struct Timers<T> {
    due: SortedMap<(Monotonic, TimerId), T>,
    deadlines: SortedMap<TimerId, Monotonic>,
    next: u64,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self {
            due: SortedMap::new(),
            deadlines: SortedMap::new(),
            next: 0,
        }
    }
}

impl<T> Timers<T> {
    /// Arms a timer.
    pub(crate) fn schedule(&mut self, deadline: Monotonic, what: T) -> TimerId {
        let id = TimerId(self.next);
        self.next = self.next.wrapping_add(1);
        self.due.insert((deadline, id), what);
        self.deadlines.insert(id, deadline);
        id
    }

    /// Disarms a timer; nothing happens if it has expired or was cancelled.
    pub(crate) fn cancel(&mut self, id: TimerId) -> Option<T> {
        let deadline = self.deadlines.remove(&id)?;
        self.due.remove(&(deadline, id))
    }

    /// When the timer is due, if it is armed.
    pub(crate) fn deadline(&self, id: TimerId) -> Option<Monotonic> {
        self.deadlines.get(&id).copied()
    }

    /// The earliest deadline.
    pub(crate) fn next_deadline(&self) -> Option<Monotonic> {
        self.due.keys().next().map(|&(deadline, _)| deadline)
    }

    /// Takes the earliest timer that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Monotonic) -> Option<T> {
        if self.next_deadline()? > now {
            return None;
        }
        let ((_, id), what) = self.due.pop_first()?;
        self.deadlines.remove(&id);
        Some(what)
    }

    /// Puts every deadline off by `millis`: the broker was away, not those it waits for.
    pub(crate) fn extend_all(&mut self, millis: u64) {
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        for ((deadline, id), what) in std::mem::take(&mut self.due) {
            let deadline = deadline.after_millis(millis);
            self.deadlines.insert(id, deadline);
            self.due.insert((deadline, id), what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_expire_in_order_and_a_cancelled_one_never() {
        let mut timers = Timers::default();
        let late = timers.schedule(Monotonic(20), "late");
        timers.schedule(Monotonic(10), "first");
        timers.schedule(Monotonic(10), "second");
        assert_eq!(timers.next_deadline(), Some(Monotonic(10)));
        assert_eq!(timers.pop_due(Monotonic(9)), None);
        assert_eq!(timers.pop_due(Monotonic(30)), Some("first"));
        assert_eq!(timers.cancel(late), Some("late"));
        assert_eq!(timers.pop_due(Monotonic(30)), Some("second"));
        assert_eq!(timers.pop_due(Monotonic(30)), None);
    }

    #[test]
    fn a_broker_that_was_away_puts_every_deadline_off() {
        let mut timers = Timers::default();
        let id = timers.schedule(Monotonic(10), "session");
        timers.extend_all(100);
        assert_eq!(timers.deadline(id), Some(Monotonic(110)));
        assert_eq!(timers.pop_due(Monotonic(109)), None);
        assert_eq!(timers.pop_due(Monotonic(110)), Some("session"));
    }
}
