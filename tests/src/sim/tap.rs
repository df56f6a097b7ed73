//! The broker's end of all connections, listened to: what was asked, what was answered.
//!
//! Every response must belong to the oldest request of its connection that has none: requests are
//! answered in order, each once.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use partita_core::broker::ConnectionId;
use partita_core::protocol::messages::{OffsetCommitRequest, ProduceRequest};
use partita_core::protocol::{
    ApiKey, Message as _, Reader, Request, RequestHeader, decode_response,
};

/// A request that awaits its response, or has just got it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) api: ApiKey,
    version: i16,
    correlation: i32,
    /// When it reached the broker, in virtual milliseconds, and in which step.
    pub(super) at: u64,
    pub(super) step: u64,
    pub(super) body: Body,
}

/// What must be known of a request to judge its response.
#[derive(Debug)]
pub(super) enum Body {
    Produce(ProduceRequest),
    Commit(OffsetCommitRequest),
    Other,
}

impl Asked {
    /// The response to it.
    pub(super) fn response<R: Request>(&self, frame: Bytes) -> R::Response {
        let (_, response) = decode_response::<R::Response>(frame, self.version)
            .unwrap_or_else(|why| panic!("no response to {:?}: {why:?}", self.api));
        response
    }
}

/// What is under way on each connection.
#[derive(Debug, Default)]
pub(super) struct Tap {
    open: BTreeMap<ConnectionId, VecDeque<Asked>>,
}

impl Tap {
    /// A request has reached the broker.
    pub(super) fn asked(&mut self, connection: ConnectionId, frame: Bytes, at: u64, step: u64) {
        let mut reader = Reader::new(frame);
        let header = RequestHeader::read(&mut reader).expect("clients send whole headers");
        let version = header.api_version;
        let body = match header.api_key {
            ApiKey::Produce => Body::Produce(
                ProduceRequest::read_version(&mut reader, version).expect("a whole request"),
            ),
            ApiKey::OffsetCommit => Body::Commit(
                OffsetCommitRequest::read_version(&mut reader, version).expect("a whole request"),
            ),
            _ => Body::Other,
        };
        self.open.entry(connection).or_default().push_back(Asked {
            api: header.api_key,
            version,
            correlation: header.correlation_id,
            at,
            step,
            body,
        });
    }

    /// The broker has answered: to which request.
    pub(super) fn answered(&mut self, connection: ConnectionId, frame: &Bytes) -> Asked {
        let oldest = self.open.get_mut(&connection).and_then(VecDeque::pop_front);
        let asked = oldest.unwrap_or_else(|| panic!("{connection:?} got a response to no request"));
        let correlation = frame.get(..4).and_then(|bytes| bytes.try_into().ok());
        assert_eq!(
            correlation.map(i32::from_be_bytes),
            Some(asked.correlation),
            "{connection:?} got a response out of order, to {:?}",
            asked.api
        );
        asked
    }

    /// A connection is gone, and with it what was under way on it.
    pub(super) fn closed(&mut self, connection: ConnectionId) {
        self.open.remove(&connection);
    }

    /// The broker is gone.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// The oldest request of a connection, and since when it waits.
    pub(super) fn oldest_of(&self, connection: ConnectionId) -> Option<(ApiKey, u64)> {
        let oldest = self.open.get(&connection)?.front()?;
        Some((oldest.api, oldest.at))
    }

    /// The request that has waited the longest, and since when.
    pub(super) fn oldest(&self) -> Option<(ApiKey, u64)> {
        let oldest = self.open.values().filter_map(VecDeque::front);
        oldest
            .map(|asked| (asked.api, asked.at))
            .min_by_key(|(_, at)| *at)
    }
}
