//! The broker's time, and that of every client of its page: real time, or what a person makes of it.
//!
//! Monotonic time goes on at a rate, stands still while paused, and can jump forward by a step.
//! It starts at the real time of opening, so that it does not go back when a broker is started
//! again. Wall time is monotonic time too: real time at opening plus virtual time since. A host
//! whose clock cannot be changed follows the system's clock instead, which counts a laptop's sleep.
//!
//! Invariant: monotonic time never goes back.

use partita_core::time::{Monotonic, Now, Wall};

use crate::num::{to_f64, to_i64, to_u64};

/// Real time as the platform tells it, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Real {
    /// Since 1970 by a clock that never goes back.
    pub(crate) monotonic: f64,
    /// Since 1970 by the system's clock.
    pub(crate) wall: f64,
}

/// A clock.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// A moment by the real monotonic clock, and what this clock showed then.
    since: f64,
    shown: f64,
    rate: f64,
    paused: bool,
    /// What wall time was when this clock showed 0, if wall time is virtual.
    wall_offset: Option<f64>,
}

impl Clock {
    /// A clock that runs with real time, and keeps to the system's wall time unless it may be
    /// changed.
    pub(crate) fn new(real: Real, may_change: bool) -> Self {
        Self {
            since: real.monotonic,
            shown: real.monotonic,
            rate: 1.0,
            paused: false,
            wall_offset: may_change.then_some(real.wall - real.monotonic),
        }
    }

    /// What it shows.
    pub(crate) fn now(&self, real: Real) -> Now {
        let shown = self.shown(real);
        let wall = self.wall_offset.map_or(real.wall, |offset| shown + offset);
        Now {
            monotonic: Monotonic(to_u64(shown)),
            wall: Wall(to_i64(wall)),
        }
    }

    fn shown(&self, real: Real) -> f64 {
        if self.paused {
            return self.shown;
        }
        self.shown + (real.monotonic - self.since).max(0.0) * self.rate
    }

    /// How many real milliseconds it takes until it shows `due`; `None` while it stands still.
    pub(crate) fn until(&self, due: Monotonic, real: Real) -> Option<f64> {
        if self.paused {
            return None;
        }
        Some(((to_f64(due.0) - self.shown(real)) / self.rate).max(0.0))
    }

    /// Changes how fast it runs: 1 is real time. What is not a positive number changes nothing.
    pub(crate) fn set_rate(&mut self, rate: f64, real: Real) {
        if rate.is_finite() && rate > 0.0 {
            self.anchor(real);
            self.rate = rate;
        }
    }

    /// Stops it, or lets it run on.
    pub(crate) fn set_paused(&mut self, paused: bool, real: Real) {
        self.anchor(real);
        self.paused = paused;
    }

    /// Sets it forward to `due`, never back.
    pub(crate) fn step_to(&mut self, due: Monotonic, real: Real) {
        self.anchor(real);
        self.shown = self.shown.max(to_f64(due.0));
    }

    /// How fast it runs.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether it stands still.
    pub(crate) fn paused(&self) -> bool {
        self.paused
    }

    fn anchor(&mut self, real: Real) {
        self.shown = self.shown(real);
        self.since = real.monotonic;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: f64) -> Real {
        Real {
            monotonic: 1_000.0 + millis,
            wall: 5_000.0 + millis,
        }
    }

    fn shows(clock: &Clock, real: Real) -> (u64, i64) {
        let now = clock.now(real);
        (now.monotonic.0, now.wall.0)
    }

    #[test]
    fn it_runs_at_its_rate_and_stands_still_when_paused() {
        let mut clock = Clock::new(at(0.0), true);
        assert_eq!(shows(&clock, at(10.0)), (1_010, 5_010));
        clock.set_rate(10.0, at(10.0));
        assert_eq!(shows(&clock, at(20.0)), (1_110, 5_110));
        assert_eq!(clock.until(Monotonic(1_210), at(20.0)), Some(10.0));
        clock.set_paused(true, at(20.0));
        assert_eq!(shows(&clock, at(500.0)), (1_110, 5_110));
        assert_eq!(clock.until(Monotonic(1_210), at(500.0)), None);
        clock.step_to(Monotonic(1_210), at(500.0));
        clock.step_to(Monotonic(1_000), at(500.0));
        assert_eq!(shows(&clock, at(600.0)), (1_210, 5_210));
        clock.set_paused(false, at(600.0));
        assert_eq!(shows(&clock, at(601.0)), (1_220, 5_220));
    }

    #[test]
    fn a_rate_that_makes_no_sense_changes_nothing() {
        let mut clock = Clock::new(at(0.0), true);
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            clock.set_rate(rate, at(0.0));
        }
        assert_eq!(clock.rate(), 1.0);
    }

    #[test]
    fn without_control_wall_time_is_the_systems() {
        let clock = Clock::new(at(0.0), false);
        let asleep = Real {
            monotonic: 1_001.0,
            wall: 99_000.0,
        };
        assert_eq!(shows(&clock, asleep), (1_001, 99_000));
    }
}
