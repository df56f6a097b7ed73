//! Leader epochs: the offset at which each began.
//!
//! A consumer that comes back after a change of leader asks where the epoch that it read last ends
//! (KIP-101, KIP-320); an answer below its position means that what it read is gone.
//!
//! Invariant: epochs and start offsets both ascend. Source: Kafka's `LeaderEpochFileCache`.

use super::encoding::{Decoder, Encoder, FormatError};

/// Where each leader epoch of a log began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Epochs {
    starts: Vec<(i32, i64)>,
}

impl Epochs {
    /// Notes that an epoch begins at an offset. Entries that contradict it go: an epoch in which
    /// nothing was appended leaves no trace.
    pub(super) fn assign(&mut self, epoch: i32, start: i64) {
        if let Some(&(latest, began)) = self.starts.last()
            && latest == epoch
            && start >= began
        {
            return;
        }
        while self
            .starts
            .last()
            .is_some_and(|&(other, began)| other >= epoch || began >= start)
        {
            self.starts.pop();
        }
        self.starts.push((epoch, start));
    }

    /// The end of the largest epoch at or below `epoch`, and which epoch that is; `None` if `epoch`
    /// is newer than all.
    pub(super) fn end_of(&self, epoch: i32, log_end: i64) -> Option<(i32, i64)> {
        if epoch < 0 {
            return None;
        }
        if let Some(&(latest, _)) = self.starts.last()
            && latest == epoch
        {
            return Some((epoch, log_end));
        }
        let next = self.starts.partition_point(|&(other, _)| other <= epoch);
        let &(_, end) = self.starts.get(next)?;
        let floor = next
            .checked_sub(1)
            .and_then(|at| self.starts.get(at))
            .map_or(epoch, |&(floor, _)| floor);
        Some((floor, end))
    }

    /// The epoch of the record at the log's start, if it is known.
    pub(super) fn earliest(&self, log_start: i64) -> Option<i32> {
        self.starts
            .first()
            .filter(|&&(_, began)| began <= log_start)
            .map(|&(epoch, _)| epoch)
    }

    /// Forgets epochs that ended at or below the log's new start.
    pub(super) fn truncate_front(&mut self, log_start: i64) {
        let ended = self
            .starts
            .partition_point(|&(_, began)| began <= log_start);
        if let Some(keep) = ended.checked_sub(1) {
            self.starts.drain(..keep);
            if let Some(first) = self.starts.first_mut() {
                first.1 = log_start;
            }
        }
    }

    pub(super) fn encode(&self, out: &mut Encoder) {
        out.count(self.starts.len());
        for &(epoch, start) in &self.starts {
            out.number(i64::from(epoch));
            out.number(start);
        }
    }

    pub(super) fn decode(input: &mut Decoder<'_>) -> Result<Self, FormatError> {
        let mut starts = Vec::new();
        for _ in 0..input.count()? {
            let entry: (i32, i64) = (input.narrow()?, input.number()?);
            if starts
                .last()
                .is_some_and(|last: &(i32, i64)| last.0 >= entry.0 || last.1 >= entry.1)
            {
                return Err(FormatError::Damaged("leader epochs do not ascend"));
            }
            starts.push(entry);
        }
        Ok(Self { starts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_epoch_is_the_start_of_the_next() {
        let mut epochs = Epochs::default();
        assert_eq!(epochs.end_of(0, 0), None);
        epochs.assign(2, 0);
        epochs.assign(4, 10);
        epochs.assign(7, 20);
        assert_eq!(
            epochs.end_of(7, 25),
            Some((7, 25)),
            "the latest ends at the log end"
        );
        assert_eq!(epochs.end_of(4, 25), Some((4, 20)));
        assert_eq!(
            epochs.end_of(5, 25),
            Some((4, 20)),
            "unknown: the one before it"
        );
        assert_eq!(
            epochs.end_of(1, 25),
            Some((1, 0)),
            "before the first: where that began"
        );
        assert_eq!(epochs.end_of(8, 25), None, "newer than all");
        assert_eq!(epochs.end_of(-1, 25), None);
    }

    #[test]
    fn an_epoch_without_records_leaves_no_trace() {
        let mut epochs = Epochs::default();
        epochs.assign(1, 0);
        epochs.assign(2, 5);
        epochs.assign(3, 5);
        epochs.assign(3, 9);
        assert_eq!(epochs.starts, vec![(1, 0), (3, 5)]);
        epochs.assign(4, 3);
        assert_eq!(
            epochs.starts,
            vec![(1, 0), (4, 3)],
            "truncation takes later starts along"
        );
    }

    #[test]
    fn the_log_start_keeps_the_epoch_it_lies_in() {
        let mut epochs = Epochs::default();
        epochs.assign(1, 0);
        epochs.assign(2, 5);
        epochs.assign(3, 9);
        assert_eq!(epochs.earliest(0), Some(1));
        epochs.truncate_front(7);
        assert_eq!(epochs.starts, vec![(2, 7), (3, 9)]);
        assert_eq!(epochs.earliest(7), Some(2));
        epochs.truncate_front(9);
        assert_eq!(epochs.starts, vec![(3, 9)]);
    }
}
