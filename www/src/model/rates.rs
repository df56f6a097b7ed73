//! How fast a partition grows: its last ten seconds in bars, and when a topic's partitions are shown
//! as rows of bars instead of cells.

use std::collections::VecDeque;

/// How long a bar is.
const BAR_MILLIS: u64 = 100;
/// How many bars are kept: ten seconds.
pub(crate) const BARS: usize = 100;
/// Over so many bars the rate is taken.
const RATED: usize = 20;

/// From so many partitions on the page, all are rows.
const MOST_STRIPS: usize = 6;
/// From so many records a second, a topic's partitions are rows.
const MOST_RECORDS: u64 = 10;
/// A level changes so many seconds after its threshold.
const SECONDS_BEFORE_CHANGE: u8 = 2;

/// The records of the last ten seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bars {
    /// The newest last.
    bars: VecDeque<u32>,
    /// Which tenth of a second the last bar is.
    newest: u64,
    /// Up to where records are counted.
    end: Option<i64>,
}

impl Bars {
    /// The partition reaches up to `end` at this time, in milliseconds.
    pub(crate) fn reach(&mut self, now: u64, end: i64) {
        self.advance(now);
        let before = self.end.replace(end).unwrap_or(end);
        let came = u32::try_from(end.saturating_sub(before)).unwrap_or(0);
        if let Some(last) = self.bars.back_mut() {
            *last = last.saturating_add(came);
        }
    }

    /// Lets bars in which nothing came pass by.
    pub(crate) fn advance(&mut self, now: u64) {
        let tenth = now / BAR_MILLIS;
        let passed = usize::try_from(tenth.saturating_sub(self.newest)).unwrap_or(BARS);
        if self.bars.is_empty() || passed >= BARS {
            self.bars = VecDeque::from(vec![0; BARS]);
        } else {
            for _ in 0..passed {
                self.bars.pop_front();
                self.bars.push_back(0);
            }
        }
        self.newest = self.newest.max(tenth);
    }

    /// Records a second, over the last two.
    pub(crate) fn rate(&self) -> u64 {
        let newest = self.bars.iter().rev().take(RATED);
        let records = newest.fold(0_u64, |sum, bar| sum.saturating_add(u64::from(*bar)));
        let millis = BAR_MILLIS.saturating_mul(u64::try_from(RATED).unwrap_or(1));
        records
            .saturating_mul(1_000)
            .checked_div(millis)
            .unwrap_or(0)
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.bars.iter().copied()
    }

    /// How many bars from the right the newest `lag` records reach: those not committed, say.
    /// A record older than all bars is beyond the left end.
    pub(crate) fn back(&self, lag: i64) -> usize {
        let mut left = u64::try_from(lag).unwrap_or(0);
        for (at, bar) in self.bars.iter().rev().enumerate() {
            if left == 0 {
                return at;
            }
            left = left.saturating_sub(u64::from(*bar));
        }
        BARS
    }

    /// The path of an SVG of that height whose unit of width is one bar; `from` counts bars from
    /// the left. A bar of `most` records is as high as the picture.
    pub(crate) fn path(&self, from: usize, to: usize, most: u32, height: f64) -> String {
        let mut path = String::new();
        for (at, bar) in self.bars.iter().enumerate().take(to).skip(from) {
            if *bar > 0 {
                let high = (f64::from(*bar) / f64::from(most.max(1)) * height).clamp(1.0, height);
                path.push_str(&format!("M{at}.5 {height}v-{high:.1}"));
            }
        }
        path
    }
}

/// Whether a topic's partitions are shown as rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Level {
    rows: bool,
    /// For how many seconds it should have been the other way.
    wrong: u8,
}

impl Level {
    /// A second has passed; the page shows so many partitions, and the fastest of this topic gets
    /// so many records a second.
    pub(crate) fn second(&mut self, partitions: usize, fastest: u64) {
        if (partitions > MOST_STRIPS || fastest > MOST_RECORDS) == self.rows {
            self.wrong = 0;
            return;
        }
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong >= SECONDS_BEFORE_CHANGE {
            *self = Self {
                rows: !self.rows,
                wrong: 0,
            };
        }
    }

    /// Whether they are rows, where the page shows so many partitions: too many are rows at once.
    pub(crate) fn rows(&self, partitions: usize) -> bool {
        self.rows || partitions > MOST_STRIPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_fall_into_the_bar_of_their_time() {
        let mut bars = Bars::default();
        bars.reach(10_000, 500);
        assert_eq!(
            bars.iter().sum::<u32>(),
            0,
            "what was there before is not new"
        );
        bars.reach(10_010, 507);
        bars.reach(10_250, 510);
        let newest: Vec<_> = bars.iter().skip(BARS - 3).collect();
        assert_eq!(newest, [7, 0, 3]);
        bars.advance(30_000);
        assert_eq!(bars.iter().sum::<u32>(), 0);
    }

    #[test]
    fn the_rate_is_that_of_the_last_two_seconds() {
        let mut bars = Bars::default();
        for tenth in 0..50_u32 {
            bars.reach(u64::from(tenth) * BAR_MILLIS, i64::from(tenth) * 4);
        }
        assert_eq!(bars.rate(), 40);
    }

    #[test]
    fn lag_reaches_back_as_far_as_its_records() {
        let mut bars = Bars::default();
        for tenth in 0..10_i64 {
            bars.reach(tenth.unsigned_abs() * BAR_MILLIS, tenth * 5);
        }
        assert_eq!(bars.back(0), 0);
        assert_eq!(bars.back(5), 1);
        assert_eq!(bars.back(6), 2);
        assert_eq!(bars.back(1_000_000), BARS);
    }

    #[test]
    fn a_level_changes_two_seconds_after_its_threshold() {
        let mut level = Level::default();
        level.second(2, 400);
        assert!(!level.rows(2));
        level.second(2, 5);
        level.second(2, 400);
        assert!(!level.rows(2), "it was calm in between");
        level.second(2, 400);
        assert!(level.rows(2));
        level.second(2, 5);
        level.second(2, 5);
        assert!(!level.rows(2));
        assert!(level.rows(7), "too many are rows at once");
    }
}
