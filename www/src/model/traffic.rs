//! The newest requests, of all clients.

use std::collections::VecDeque;

use partita_core::broker::RequestView;
use partita_core::sorted::SortedMap;

use super::fold::Folded;

/// How many are kept.
const KEPT: usize = 500;
/// Of how many clients it is known what they asked for last.
const CLIENTS: usize = 200;
/// The page's own clients that only look: their requests are part of the window, not of the view.
pub(crate) const ONLOOKERS: [&str; 2] = ["playground-viewer", "playground-admin"];

/// Which requests are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shown {
    /// Those that say something new.
    #[default]
    News,
    Errors,
    All,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// The how-manyeth of all.
    pub(crate) number: u64,
    /// Whether it only says what was known.
    quiet: bool,
    pub(crate) view: RequestView,
}

/// The newest requests, newest first.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    rows: VecDeque<Row>,
    /// The same by kind.
    pub(crate) folded: Folded,
    /// By client: which topics it asked about last.
    asked: SortedMap<String, String>,
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
        let quiet = self.says_nothing(&request);
        self.rows.push_front(Row {
            number: self.total,
            quiet,
            view: request,
        });
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

    /// Newest first.
    pub(crate) fn rows(&self, shown: Shown) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| match shown {
            Shown::News => !row.quiet,
            Shown::Errors => !row.view.error.is_empty(),
            Shown::All => true,
        })
    }

    /// Heartbeats, empty fetches and questions asked before, which come all the time.
    fn says_nothing(&mut self, request: &RequestView) -> bool {
        if !request.error.is_empty() {
            return false;
        }
        match request.api.as_str() {
            "Heartbeat" | "ApiVersions" => true,
            // Without records a response has only its heads.
            "Fetch" => request.response_bytes < 120,
            "Metadata" => {
                if self.asked.len() >= CLIENTS {
                    self.asked.clear();
                }
                let (who, what) = (request.client_id.clone(), request.summary.clone());
                self.asked.insert(who, what).as_ref() == Some(&request.summary)
            }
            _ => false,
        }
    }
}

/// What a request asks for, in plain words.
pub(crate) fn words(request: &RequestView) -> String {
    let what = request.summary.as_str();
    let before = match request.api.as_str() {
        "Produce" => {
            return match what.split_once(", ") {
                Some((partition, records)) if !records.contains([',', ';']) => {
                    format!("writes {records} to {partition}")
                }
                Some(_) | None => format!("writes {what}"),
            };
        }
        "SyncGroup" if what.contains("assignment") => "sends the assignment:",
        "SyncGroup" => "asks for its assignment:",
        "JoinGroup" => "joins",
        "LeaveGroup" => "leaves",
        "Heartbeat" => "is alive in",
        "Fetch" => "asks for",
        "ListOffsets" => "asks for offsets",
        "OffsetCommit" => "commits for",
        "OffsetFetch" => "asks where it left off:",
        "Metadata" => "asks who leads",
        "FindCoordinator" => "asks who coordinates",
        "ApiVersions" => "asks which requests the broker serves",
        "InitProducerId" => "asks for a producer id",
        "CreateTopics" => "creates",
        "DeleteTopics" | "DeleteGroups" => "deletes",
        "CreatePartitions" => "adds partitions to",
        _ => return what.to_owned(),
    };
    format!("{before} {what}").trim_end().to_owned()
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
            summary: "orders".into(),
            error: error.into(),
            request_bytes: 0,
            response_bytes: 0,
        }
    }

    fn shown(traffic: &Traffic, shown: Shown) -> Vec<&str> {
        let rows = traffic.rows(shown);
        rows.map(|row| row.view.api.as_str()).collect()
    }

    #[test]
    fn what_says_nothing_is_folded_unless_it_failed() {
        let mut traffic = Traffic::default();
        traffic.push(request("Heartbeat", "c1", ""));
        traffic.push(request("Heartbeat", "c1", "REBALANCE_IN_PROGRESS"));
        traffic.push(request("Produce", "p1", ""));
        traffic.push(request("Fetch", "playground-viewer", ""));
        assert_eq!(shown(&traffic, Shown::News), ["Produce", "Heartbeat"]);
        assert_eq!(shown(&traffic, Shown::Errors), ["Heartbeat"]);
        assert_eq!(shown(&traffic, Shown::All).len(), 3);
    }

    #[test]
    fn metadata_is_told_when_a_client_asks_for_something_else() {
        let mut traffic = Traffic::default();
        let other = RequestView {
            summary: "orders, payments".into(),
            ..request("Metadata", "c1", "")
        };
        for asked in [
            request("Metadata", "c1", ""),
            request("Metadata", "c1", ""),
            other,
        ] {
            traffic.push(asked);
        }
        traffic.push(request("Metadata", "p1", ""));
        let told = traffic.rows(Shown::News).map(|row| row.number);
        assert_eq!(told.collect::<Vec<_>>(), [4, 3, 1]);
    }

    #[test]
    fn words_for_people() {
        let mut produce = request("Produce", "p1", "");
        produce.summary = "orders-1, 2 records".into();
        assert_eq!(words(&produce), "writes 2 records to orders-1");
        assert_eq!(
            words(&request("FindCoordinator", "c1", "")),
            "asks who coordinates orders"
        );
        assert_eq!(words(&request("DescribeConfigs", "c1", "")), "orders");
    }
}
