//! Where things stand on a partition's strip.
//!
//! Offsets name edges, records lie between: cell *n* fills tick *n* to *n*+1, and every marker
//! stands on a tick. Two cells at the log's start, a fold with what is hidden, then the newest.

use super::cells::HEAD;

/// The distance of two offsets, in pixels.
pub(crate) const PITCH: f64 = 28.0;
/// What is kept free to the left and to the right of the cells.
const LEFT: f64 = 6.0;
const RIGHT: f64 = 84.0;
/// How wide a fold is.
const FOLD: f64 = 44.0;

/// What a strip shows of its log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    log_start: i64,
    log_end: i64,
    /// The first offset of the newest that are shown, and where it stands.
    tail: i64,
    tail_x: f64,
    /// How many cells there are before the fold; 0 without one.
    head: i64,
}

impl Layout {
    /// Shares the width out among the offsets from `log_start` to `log_end`.
    pub(crate) fn new(log_start: i64, log_end: i64, width: f64) -> Self {
        let length = log_end.saturating_sub(log_start).max(0);
        let free = width - LEFT - RIGHT;
        let room = whole(free / PITCH);
        if length <= room {
            return Self {
                log_start,
                log_end,
                tail: log_start,
                tail_x: LEFT,
                head: 0,
            };
        }
        let head = if width < 440.0 { 1 } else { HEAD };
        let tail = whole((free - float(head) * PITCH - FOLD) / PITCH);
        Self {
            log_start,
            log_end,
            tail: log_end.saturating_sub(tail),
            tail_x: width - RIGHT - float(tail) * PITCH,
            head,
        }
    }

    /// Where an offset stands. One that is hidden stands in the fold.
    pub(crate) fn x(&self, offset: i64) -> f64 {
        if offset >= self.tail {
            return self.tail_x + float(offset.saturating_sub(self.tail)) * PITCH;
        }
        let from_start = offset.saturating_sub(self.log_start).max(0);
        if from_start <= self.head {
            LEFT + float(from_start) * PITCH
        } else {
            self.fold_x() + FOLD / 2.0
        }
    }

    /// Where the fold begins.
    pub(crate) fn fold_x(&self) -> f64 {
        LEFT + float(self.head) * PITCH
    }

    /// How many records the fold hides; 0 if there is none.
    pub(crate) fn hidden(&self) -> i64 {
        self.tail
            .saturating_sub(self.log_start)
            .saturating_sub(self.head)
            .max(0)
    }

    /// The offsets whose cells are shown.
    pub(crate) fn offsets(&self) -> impl Iterator<Item = i64> + use<> {
        let head = self.log_start..self.log_start.saturating_add(self.head);
        head.chain(self.tail..self.log_end)
    }

    /// The ticks that are shown, each with whether it is a large one with a number.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (i64, bool)> + use<> {
        let (start, tail) = (self.log_start, self.tail);
        let ends = [self.log_end];
        self.offsets().chain(ends).map(move |offset| {
            let large = offset == start || offset > tail && offset % 5 == 0;
            (offset, large)
        })
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts of cells on a screen are small"
)]
fn float(value: i64) -> f64 {
    value as f64
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a screen is some thousand pixels wide"
)]
fn whole(value: f64) -> i64 {
    (value.floor() as i64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_log_is_shown_whole() {
        let layout = Layout::new(3, 6, 600.0);
        assert_eq!(layout.offsets().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(layout.hidden(), 0);
        assert!((layout.x(6) - layout.x(3) - 3.0 * PITCH).abs() < 1e-9);
    }

    #[test]
    fn a_long_log_is_folded_behind_its_first_two() {
        let layout = Layout::new(0, 1_000, 600.0);
        let offsets: Vec<_> = layout.offsets().collect();
        assert_eq!(offsets.get(..2), Some([0, 1].as_slice()));
        assert_eq!(offsets.last(), Some(&999));
        let shown = i64::try_from(offsets.len()).unwrap_or(0);
        assert_eq!(layout.hidden().saturating_add(shown), 1_000);
        assert!((layout.x(1_000) - (600.0 - RIGHT)).abs() < 1e-9);
        assert!(
            layout.x(500) > layout.x(2)
                && layout.x(500) < layout.x(offsets.get(2).copied().unwrap_or(0))
        );
    }

    #[test]
    fn an_empty_log_has_one_tick() {
        let layout = Layout::new(0, 0, 600.0);
        assert_eq!(layout.ticks().collect::<Vec<_>>(), [(0, true)]);
    }
}
