//! When topics are asked for, and which.
//!
//! There are two questions. One names topics that the owner needs and that are not known; only it
//! may create topics, where the broker does that. The other covers everything of interest and
//! creates nothing: so a topic that was deleted does not come back because a client once used it.
//! One question is under way at a time.

use crate::sorted::SortedSet;

use super::super::error::ClientError;
use super::connection::later;
use super::events::ClusterEvent;
use super::request::{Answer, Asker, Outgoing, RequestOptions, Target, Token};
use super::{Cluster, Peer};
use crate::protocol::ErrorCode;
use crate::protocol::messages::MetadataRequest;
use crate::protocol::messages::metadata::MetadataRequestTopic;
use crate::time::{Monotonic, Now};

/// Of which topics the owner wants to know, and how asking for them stands.
#[derive(Debug, Default)]
pub(super) struct Refresh {
    topics: SortedSet<String>,
    all: bool,
    /// Unknown topics that are needed.
    needed: SortedSet<String>,
    /// Everything of interest is to be asked for.
    wanted: bool,
    under_way: Option<Question>,
    /// After a failure, topics that are old are not asked for again before then.
    retry_at: Option<Monotonic>,
    /// A broker could not be reached: leaders may have moved.
    pub(super) stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Needed,
    Tracked,
    All,
}

impl Refresh {
    /// Nothing is under way any more; what is of interest stays.
    pub(super) fn stop(&mut self) {
        self.under_way = None;
        self.needed.clear();
        self.wanted = false;
        self.retry_at = None;
    }
}

fn named(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic {
        name: Some(name.to_owned()),
        ..MetadataRequestTopic::default()
    }
}

/// How long after a failure topics that are old are asked for again.
const RETRY_MS: u64 = 1_000;

impl Cluster {
    /// Adds topics to those of interest, and asks at once for those of them that are not known,
    /// which may create them.
    pub fn track_topics<'a>(&mut self, now: Now, topics: impl IntoIterator<Item = &'a str>) {
        let now = self.clock(now);
        for topic in topics {
            if !self.refresh.topics.contains(topic) {
                self.refresh.topics.insert(topic.to_owned());
            }
            if self.metadata.topic(topic).is_none() {
                self.metadata.forget_error(topic);
                self.refresh.needed.insert(topic.to_owned());
            }
        }
        self.ask_for_topics(now);
    }

    /// Makes these the topics of interest, instead of all before.
    pub fn set_tracked_topics(&mut self, topics: impl IntoIterator<Item = String>) {
        self.refresh.topics = topics.into_iter().collect();
    }

    /// Whether every topic of the cluster is of interest, for subscriptions by pattern. Counts from
    /// the next question on.
    pub fn track_all_topics(&mut self, all: bool) {
        self.refresh.all = all;
    }

    /// Asks for the topics of interest, or only for the brokers if there are none.
    /// [`ClusterEvent::MetadataUpdated`] or [`ClusterEvent::MetadataFailed`] follows. If the same
    /// question is under way, its answer will do.
    pub fn refresh_metadata(&mut self, now: Now) {
        let now = self.clock(now);
        let same = match self.refresh.under_way {
            Some(Question::All) => true,
            Some(Question::Tracked) => !self.refresh.all,
            Some(Question::Needed) | None => false,
        };
        if !same {
            self.refresh.wanted = true;
            self.ask_for_topics(now);
        }
    }

    /// Asks for these topics, or for all, as a request of the owner's own: the answer comes as
    /// [`ClusterEvent::Answer`], after the cache has taken it over. Creates nothing.
    pub fn fetch_metadata(&mut self, now: Now, topics: Option<&[String]>) -> Token {
        let now = self.clock(now);
        let request = MetadataRequest {
            topics: topics.map(|topics| topics.iter().map(|name| named(name)).collect()),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let asker = Asker::OwnerOfTopics {
            all: topics.is_none(),
        };
        self.submit(now, asker, Target::Any, request, RequestOptions::default())
    }

    /// Takes over an answer to [`Cluster::fetch_metadata`]. One that cannot be read is its asker's
    /// to notice.
    pub(super) fn merge_topics(&mut self, now: Now, answer: &Answer, all: bool) {
        if let Ok(response) = answer.decode::<MetadataRequest>()
            && response.error_code == ErrorCode::NONE
        {
            self.metadata
                .merge(now.monotonic, false, answer.version, all, response);
            self.adopt_bootstrap_connections();
        }
    }

    /// Asks the next question, if there is one and none is under way.
    fn ask_for_topics(&mut self, now: Now) {
        if self.refresh.under_way.is_some() {
            return;
        }
        let (question, names) = if !self.refresh.needed.is_empty() {
            (Question::Needed, Some(&self.refresh.needed))
        } else if !self.refresh.wanted {
            return;
        } else if self.refresh.all {
            (Question::All, None)
        } else {
            (Question::Tracked, Some(&self.refresh.topics))
        };
        let may_create = self.config.allow_auto_topic_creation && question == Question::Needed;
        let request = MetadataRequest {
            topics: names.map(|names| names.iter().map(|name| named(name)).collect()),
            allow_auto_topic_creation: may_create,
            ..MetadataRequest::default()
        };
        match question {
            Question::Needed => self.refresh.needed.clear(),
            Question::Tracked | Question::All => self.refresh.wanted = false,
        }
        self.refresh.under_way = Some(question);
        self.refresh.stale = false;
        let options = RequestOptions::default();
        self.submit(now, Asker::Metadata, Target::Any, request, options);
    }

    /// When topics are so old that they must be asked for again, if any connection is open.
    pub(super) fn refresh_due(&self) -> Option<Monotonic> {
        let refresh = &self.refresh;
        let interested = refresh.all || !refresh.topics.is_empty();
        if !interested || refresh.under_way.is_some() || self.connections.is_empty() {
            return None;
        }
        let updated = self.metadata.updated?;
        let old = Monotonic(updated.0.saturating_add(self.config.metadata_max_age_ms));
        Some(refresh.retry_at.map_or(old, |retry| old.max(retry)))
    }

    /// A broker has answered, or none could.
    pub(super) fn metadata_answered(&mut self, now: Now, result: Result<Answer, ClientError>) {
        let question = self.refresh.under_way.take();
        let all = question == Some(Question::All);
        let merged = result.and_then(|answer| {
            let response = answer.decode::<MetadataRequest>()?;
            if response.error_code != ErrorCode::NONE {
                return Err(ClientError::protocol(response.error_code));
            }
            let whole = question != Some(Question::Needed);
            self.metadata
                .merge(now.monotonic, whole, answer.version, all, response);
            Ok(())
        });
        match merged {
            Ok(()) => {
                self.refresh.retry_at = None;
                self.adopt_bootstrap_connections();
                self.events.push_back(ClusterEvent::MetadataUpdated);
                self.ask_for_topics(now);
                if self.refresh.under_way.is_none() {
                    for outgoing in self.release_held() {
                        self.route(now, outgoing);
                    }
                }
            }
            Err(error) => {
                self.refresh.retry_at = Some(later(now, RETRY_MS));
                self.refresh.needed.clear();
                self.refresh.wanted = false;
                self.events
                    .push_back(ClusterEvent::MetadataFailed(error.clone()));
                for outgoing in self.release_held() {
                    self.fail(outgoing.token, outgoing.asker, error.clone());
                }
            }
        }
    }

    /// The requests that waited for topics to be known.
    fn release_held(&mut self) -> Vec<Outgoing> {
        let waits = |outgoing: &Outgoing| !matches!(outgoing.target, Target::Coordinator(_));
        let (waiting, held) = std::mem::take(&mut self.held).into_iter().partition(waits);
        self.held = held;
        waiting
    }

    /// Connections made to bootstrap addresses become those of the brokers that are there; the
    /// others end as soon as nothing waits for them.
    fn adopt_bootstrap_connections(&mut self) {
        let bootstrap = self.connections.iter().filter_map(|(conn, connection)| {
            matches!(connection.peer, Peer::Bootstrap(_)).then_some(*conn)
        });
        let bootstrap: Vec<_> = bootstrap.collect();
        for conn in bootstrap {
            let Some(connection) = self.connections.get(&conn) else {
                continue;
            };
            let here = self
                .metadata
                .brokers
                .iter()
                .find(|(_, info)| info.host == connection.host && info.port == connection.port);
            let lane = connection.lane;
            match here.map(|(node, _)| Peer::Node(*node)) {
                Some(peer) if self.find(peer, lane).is_none() => {
                    if let Some(connection) = self.connections.get_mut(&conn) {
                        connection.peer = peer;
                    }
                }
                _ => self.close_if_superfluous(conn),
            }
        }
    }
}
