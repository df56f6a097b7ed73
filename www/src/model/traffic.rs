//! The newest requests, of all clients.

use std::collections::VecDeque;

use partita_core::broker::RequestView;

use super::fold::Folded;

/// How many are kept.
const KEPT: usize = 500;
/// The page's own clients that only look: their requests are part of the window, not of the view.
pub(crate) const ONLOOKERS: [&str; 2] = ["playground-viewer", "playground-admin"];

/// The newest requests, newest first.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    rows: VecDeque<RequestView>,
    /// The same by kind.
    pub(crate) folded: Folded,
    left_out: u64,
    total: u64,
}

impl Traffic {
    pub(crate) fn push(&mut self, request: RequestView) {
        if ONLOOKERS.contains(&request.client_id.as_str()) {
            return;
        }
        self.folded.push(&request);
        self.total = self.total.wrapping_add(1);
        self.rows.push_front(request);
        self.rows.truncate(KEPT);
    }

    pub(crate) fn left_out(&mut self, count: u64) {
        self.left_out = self.left_out.saturating_add(count);
    }

    /// How many were too many to be told.
    pub(crate) fn missing(&self) -> u64 {
        self.left_out
    }

    /// How many there were: changes with each.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Newest first; without those that say nothing, or only those that failed.
    pub(crate) fn rows(&self, errors_only: bool) -> impl Iterator<Item = &RequestView> {
        self.rows.iter().filter(move |row| {
            let failed = !row.error.is_empty();
            failed || !errors_only && !says_nothing(row)
        })
    }
}

/// Heartbeats and empty fetches, which come all the time.
fn says_nothing(row: &RequestView) -> bool {
    match row.api.as_str() {
        "Heartbeat" | "ApiVersions" => true,
        // Without records a response has only its heads.
        "Fetch" => row.response_bytes < 120,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(api: &str, client: &str, error: &str) -> RequestView {
        RequestView {
            connection: 1,
            client_id: client.into(),
            api: api.into(),
            version: 1,
            at: 0,
            took: 0,
            summary: String::new(),
            error: error.into(),
            request_bytes: 0,
            response_bytes: 0,
        }
    }

    #[test]
    fn what_says_nothing_is_folded_unless_it_failed() {
        let mut traffic = Traffic::default();
        traffic.push(request("Heartbeat", "c1", ""));
        traffic.push(request("Heartbeat", "c1", "REBALANCE_IN_PROGRESS"));
        traffic.push(request("Produce", "p1", ""));
        traffic.push(request("Fetch", "playground-viewer", ""));
        let shown: Vec<_> = traffic.rows(false).map(|row| row.api.as_str()).collect();
        assert_eq!(shown, ["Produce", "Heartbeat"]);
        assert_eq!(traffic.rows(true).count(), 1);
    }
}
