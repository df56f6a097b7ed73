//! A figure second by second, for a small chart.

use std::collections::VecDeque;

/// How many seconds are kept.
pub(crate) const SECONDS: usize = 60;

/// The last minute of one figure, with marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// The oldest first, each with the mark that fell into it.
    seconds: VecDeque<(i64, Option<i32>)>,
    /// A mark for the second that is not over.
    mark: Option<i32>,
}

impl History {
    /// A second is over.
    pub(crate) fn push(&mut self, value: i64) {
        if self.seconds.len() == SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back((value, self.mark.take()));
    }

    /// Something happened in this second.
    pub(crate) fn mark(&mut self, mark: i32) {
        self.mark = Some(mark);
    }

    /// The values, oldest first.
    pub(crate) fn values(&self) -> impl Iterator<Item = i64> + '_ {
        self.seconds.iter().map(|(value, _)| *value)
    }

    /// The mean of so many of the last values.
    pub(crate) fn recently(&self, seconds: usize) -> u64 {
        let newest = self.seconds.iter().rev().take(seconds);
        let sum = newest.fold(0_i64, |sum, (value, _)| sum.saturating_add(*value));
        let count = i64::try_from(self.seconds.len().min(seconds)).unwrap_or(1);
        u64::try_from(sum.checked_div(count).unwrap_or(0)).unwrap_or(0)
    }

    /// The marks, each with the place of its second.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (usize, i32)> + '_ {
        let seconds = self.seconds.iter().enumerate();
        seconds.filter_map(|(at, (_, mark))| Some((at, (*mark)?)))
    }

    /// A line for an SVG of that size, whose last point is now; `None` while there are not two.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a chart shows three figures of a value"
    )]
    pub(crate) fn path(&self, width: f64, height: f64) -> Option<String> {
        if self.seconds.len() < 2 {
            return None;
        }
        let most = self.values().max().unwrap_or(0).max(1) as f64 * 1.2;
        let step = width / (SECONDS.saturating_sub(1)) as f64;
        let first = SECONDS.saturating_sub(self.seconds.len());
        let points = self.values().enumerate().map(|(at, value)| {
            let x = (first.saturating_add(at)) as f64 * step;
            let y = height - value as f64 / most * height;
            format!("{x:.1} {y:.1}")
        });
        Some(format!("M{}", points.collect::<Vec<_>>().join("L")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_kept() {
        let mut history = History::default();
        for value in 0..100 {
            history.push(value);
        }
        assert_eq!(history.values().count(), SECONDS);
        assert_eq!(history.values().next(), Some(40));
    }

    #[test]
    fn the_line_ends_at_the_right() {
        let mut history = History::default();
        assert_eq!(history.path(59.0, 12.0), None);
        history.push(0);
        history.push(10);
        assert_eq!(
            history.path(59.0, 12.0).as_deref(),
            Some("M58.0 12.0L59.0 2.0")
        );
    }
}
