//! A producer's connection to its cluster as a whole: connecting, disconnecting, looking topics up.

use super::super::OpId;
use super::super::admin::PartitionView;
use super::super::error::ClientError;
use super::super::retry::{Retry, Verdict};
use super::{Producer, ProducerEvent, Status};
use crate::client::Endpoint as _;
use crate::time::{Monotonic, Now};

/// A [`Producer::connect`] under way.
#[derive(Debug)]
pub(super) struct Connecting {
    op: OpId,
    retry: Retry,
    asked: bool,
}

/// A [`Producer::fetch_partitions`] under way.
#[derive(Debug)]
pub(super) struct Lookup {
    op: OpId,
    topic: String,
    retry: Retry,
    asked: bool,
}

impl Producer {
    /// Reaches for a broker; [`ProducerEvent::Connected`] says whether there is one. Sends may be
    /// given meanwhile.
    pub fn connect(&mut self, now: Now) -> OpId {
        let op = self.take_op();
        if self.disconnecting.is_empty() {
            self.status = Status::Connected;
        }
        let retry = Retry::new(&self.config.retry, &mut self.rng, now.monotonic);
        self.connecting.push(Connecting {
            op,
            retry,
            asked: false,
        });
        self.advance(now);
        op
    }

    /// Takes no further sends, waits for those under way, and closes every connection.
    pub fn disconnect(&mut self, now: Now) -> OpId {
        let op = self.take_op();
        self.status = Status::Disconnecting;
        self.disconnecting.push(op);
        self.advance(now);
        op
    }

    /// A topic's partitions, for a partitioner of the host's own: [`ProducerEvent::Partitions`]. As
    /// with a send, the topic may be created by that, and is asked for again until it is there.
    pub fn fetch_partitions(&mut self, now: Now, topic: &str) -> OpId {
        let op = self.take_op();
        self.lookups.push(Lookup {
            op,
            topic: topic.to_owned(),
            retry: Retry::new(&self.config.retry, &mut self.rng, now.monotonic),
            asked: false,
        });
        self.advance(now);
        op
    }

    /// Makes the attempts of [`Producer::connect`] and [`Producer::fetch_partitions`] that are due.
    pub(super) fn session_due(&mut self, now: Now) {
        if !self.disconnecting.is_empty() {
            return;
        }
        let mut ask = false;
        for connecting in &mut self.connecting {
            let due = !connecting.asked && connecting.retry.due() <= now.monotonic;
            connecting.asked |= due;
            ask |= due;
        }
        if ask {
            self.cluster.refresh_metadata(now);
        }
        let mut names = Vec::new();
        for lookup in &mut self.lookups {
            if !lookup.asked && lookup.retry.due() <= now.monotonic {
                lookup.asked = true;
                names.push(lookup.topic.clone());
            }
        }
        if names.is_empty() {
            return;
        }
        let names = names.iter().map(String::as_str);
        self.cluster.track_topics(now, names);
        // Those that are known already.
        self.lookups_answered(now, None);
    }

    /// When an attempt of those is due.
    pub(super) fn session_timeout(&self) -> Option<Monotonic> {
        if !self.disconnecting.is_empty() {
            return None;
        }
        let connecting = self.connecting.iter().map(|one| (one.asked, &one.retry));
        let lookups = self.lookups.iter().map(|one| (one.asked, &one.retry));
        let waiting = connecting.chain(lookups).filter(|(asked, _)| !asked);
        waiting.map(|(_, retry)| retry.due()).min()
    }

    /// A broker was reached, or not.
    pub(super) fn connected(&mut self, now: Now, result: Result<(), &ClientError>) {
        let mut kept = Vec::new();
        for mut connecting in std::mem::take(&mut self.connecting) {
            if !connecting.asked {
                kept.push(connecting);
                continue;
            }
            connecting.asked = false;
            let op = connecting.op;
            let result = match result {
                Ok(()) => Ok(()),
                Err(error) => {
                    let config = &self.config.retry;
                    let error = error.clone();
                    match connecting
                        .retry
                        .failed(config, &mut self.rng, now.monotonic, error)
                    {
                        Verdict::Again(_) => {
                            kept.push(connecting);
                            continue;
                        }
                        Verdict::GiveUp(error) => Err(error),
                    }
                }
            };
            if result.is_err() && self.status == Status::Connected {
                self.status = Status::Disconnected;
            }
            self.events
                .push_back(ProducerEvent::Connected { op, result });
        }
        self.connecting = kept;
    }

    /// Topics were answered, or could not be asked for: ends the lookups that this decides.
    pub(super) fn lookups_answered(&mut self, now: Now, failure: Option<&ClientError>) {
        let mut kept = Vec::new();
        for mut lookup in std::mem::take(&mut self.lookups) {
            let metadata = self.cluster.metadata();
            let known = metadata.topic(&lookup.topic);
            let error = match (failure, known, metadata.topic_error(&lookup.topic)) {
                _ if !lookup.asked => {
                    kept.push(lookup);
                    continue;
                }
                (None, Some(known), _) => {
                    let partitions = known.partitions.iter();
                    let view = |(number, info): (&i32, _)| PartitionView::new(*number, info);
                    let result = Ok(partitions.map(view).collect());
                    let op = lookup.op;
                    self.events
                        .push_back(ProducerEvent::Partitions { op, result });
                    continue;
                }
                (Some(error), ..) => error.clone(),
                (None, None, Some(code)) => ClientError::protocol_about(code, None, &lookup.topic),
                (None, None, None) => {
                    kept.push(lookup);
                    continue;
                }
            };
            lookup.asked = false;
            let config = &self.config.retry;
            match lookup
                .retry
                .failed(config, &mut self.rng, now.monotonic, error)
            {
                Verdict::Again(_) => kept.push(lookup),
                Verdict::GiveUp(error) => self.events.push_back(ProducerEvent::Partitions {
                    op: lookup.op,
                    result: Err(error),
                }),
            }
        }
        self.lookups = kept;
    }

    /// Ends [`Producer::disconnect`] once nothing is under way. Returns whether it has.
    pub(super) fn finish_disconnecting(&mut self, now: Now) -> bool {
        let connecting = self.connecting.iter().any(|connecting| connecting.asked);
        let busy = !self.sends.is_empty() || connecting || !self.lookups.is_empty();
        if self.disconnecting.is_empty() || busy {
            return false;
        }
        self.cluster.close(now);
        while self.cluster.poll_event().is_some() {}
        self.requests.clear();
        self.identity.forget_request();
        // Who has asked to connect meanwhile does so now.
        self.status = if self.connecting.is_empty() {
            Status::Disconnected
        } else {
            Status::Connected
        };
        for op in std::mem::take(&mut self.disconnecting) {
            self.events.push_back(ProducerEvent::Disconnected { op });
        }
        true
    }
}
