//! The broker's idea of now: what the host said last, never going back.

use crate::time::{Monotonic, Now, Wall};

/// A broker that handles its earliest deadline this much too late was away (a sleeping laptop, a
/// frozen tab), and so does not hold the time against those it waits for.
pub(crate) const AWAY_AFTER_MILLIS: u64 = 1_000;

/// The time of the event being handled.
#[derive(Debug)]
pub(crate) struct Clock {
    now: Now,
}

impl Clock {
    /// Starts at the time of opening.
    pub(crate) fn new(now: Now) -> Self {
        Self { now }
    }

    /// Takes the time of the next event and returns for how many milliseconds the broker may have
    /// been away: 0 unless it is late for what was `due`, else the time since the last event, for
    /// nothing tells when after that it went.
    pub(crate) fn advance(&mut self, now: Now, due: Option<Monotonic>) -> u64 {
        let last = self.now.monotonic;
        self.now = Now {
            monotonic: now.monotonic.max(last),
            wall: now.wall,
        };
        let Some(due) = due else { return 0 };
        if self.now.monotonic.since(due.max(last)) > AWAY_AFTER_MILLIS {
            self.now.monotonic.since(last)
        } else {
            0
        }
    }

    /// Both times.
    pub(crate) fn now(&self) -> Now {
        self.now
    }

    /// Monotonic time.
    pub(crate) fn monotonic(&self) -> Monotonic {
        self.now.monotonic
    }

    /// Wall time.
    pub(crate) fn wall(&self) -> Wall {
        self.now.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Now {
        Now {
            monotonic: Monotonic(millis),
            wall: Wall(0),
        }
    }

    #[test]
    fn monotonic_time_never_goes_back() {
        let mut clock = Clock::new(at(50));
        clock.advance(at(40), None);
        assert_eq!(clock.monotonic(), Monotonic(50));
    }

    #[test]
    fn only_a_late_deadline_counts_as_having_been_away() {
        let mut clock = Clock::new(at(0));
        assert_eq!(
            clock.advance(at(30_000), Some(Monotonic(30_000))),
            0,
            "idle, but on time"
        );
        assert_eq!(clock.advance(at(35_000), None), 0, "nothing was due");
        assert_eq!(clock.advance(at(95_000), Some(Monotonic(36_000))), 60_000);
    }
}
