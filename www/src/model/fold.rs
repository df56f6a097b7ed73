//! Requests by kind, second by second: for when there are too many to read one by one.

use partita_core::sorted::{SortedMap, SortedSet};

use partita_core::broker::RequestView;

use super::history::History;

/// From so many requests a second they are folded, after so many seconds.
const MANY: u64 = 50;
const SECONDS_BEFORE_CHANGE: u8 = 2;
/// So many of a second's durations are kept to find the 99th percentile.
const MOST_TIMES: usize = 1_000;
/// Rates are shown over so many seconds.
const SMOOTHED: usize = 3;

/// The requests of one API.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kind {
    /// Requests a second.
    pub(crate) rates: History,
    /// Over the last seconds.
    pub(crate) rate: u64,
    /// In milliseconds, of the last second that had some.
    pub(crate) p99: u64,
    pub(crate) clients: SortedSet<String>,
    /// The last error, and how many there were.
    pub(crate) errors: Option<(String, u64)>,
    this_second: u64,
    times: Vec<u64>,
}

/// All kinds by the name of their API.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Folded {
    pub(crate) kinds: SortedMap<String, Kind>,
    folded: bool,
    wrong: u8,
}

impl Folded {
    pub(crate) fn push(&mut self, request: &RequestView) {
        let kind = match self.kinds.get_mut(&request.api) {
            Some(kind) => kind,
            None => self.kinds.entry(request.api.clone()).or_default(),
        };
        kind.this_second = kind.this_second.saturating_add(1);
        if kind.times.len() < MOST_TIMES {
            kind.times.push(request.took);
        }
        if !kind.clients.contains(&request.client_id) && kind.clients.len() < 100 {
            kind.clients.insert(request.client_id.clone());
        }
        if !request.error.is_empty() {
            let before = kind.errors.take().map_or(0, |(_, count)| count);
            kind.errors = Some((request.error.clone(), before.saturating_add(1)));
        }
    }

    /// A second has passed.
    pub(crate) fn second(&mut self) {
        let mut all = 0_u64;
        for kind in self.kinds.values_mut() {
            let came = std::mem::take(&mut kind.this_second);
            all = all.saturating_add(came);
            kind.rates.push(i64::try_from(came).unwrap_or(i64::MAX));
            kind.rate = kind.rates.recently(SMOOTHED);
            kind.times.sort_unstable();
            let at = kind.times.len().saturating_mul(99) / 100;
            let last = kind.times.len().saturating_sub(1);
            if let Some(time) = kind.times.get(at.min(last)) {
                kind.p99 = *time;
            }
            kind.times.clear();
        }
        if (all > MANY) == self.folded {
            self.wrong = 0;
            return;
        }
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong >= SECONDS_BEFORE_CHANGE {
            self.wrong = 0;
            self.folded = !self.folded;
        }
    }

    /// Whether requests are too many to be read one by one.
    pub(crate) fn is_folded(&self) -> bool {
        self.folded
    }

    /// Of the last second, all kinds together.
    pub(crate) fn rate(&self) -> u64 {
        let kinds = self.kinds.values();
        kinds.fold(0, |sum, kind| sum.saturating_add(kind.rate))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn request(took: u64, error: &str) -> RequestView {
        RequestView {
            connection: 1,
            client_id: "p1".into(),
            api: "Produce".into(),
            version: 1,
            at: 0,
            took,
            summary: String::new(),
            error: error.into(),
            request_bytes: 0,
            response_bytes: 0,
        }
    }

    #[test]
    fn many_requests_are_folded_after_two_seconds_and_told_by_kind() {
        let mut folded = Folded::default();
        for _ in 0..2 {
            assert!(!folded.is_folded());
            for took in 1..=100 {
                folded.push(&request(
                    took,
                    if took == 7 { "KAFKA_STORAGE_ERROR" } else { "" },
                ));
            }
            folded.second();
        }
        assert!(folded.is_folded());
        let kind = folded.kinds.get("Produce").unwrap();
        assert_eq!((kind.rate, kind.p99), (100, 100));
        assert_eq!(kind.errors, Some(("KAFKA_STORAGE_ERROR".into(), 2)));
        folded.second();
        folded.second();
        assert!(!folded.is_folded());
    }
}
