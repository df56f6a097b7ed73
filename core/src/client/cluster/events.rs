//! What the network layer tells: to its owner, and to whoever watches the traffic.

use super::super::error::ClientError;
use super::request::{Answer, Token};
use crate::protocol::ApiKey;

/// Something for the owner of a [`Cluster`](super::Cluster) to act on.
#[derive(Debug, Clone, PartialEq)]
pub enum ClusterEvent {
    /// A request was answered, or failed and is not repeated by the network layer.
    Answer {
        /// Which request.
        token: Token,
        /// What became of it.
        result: Result<Answer, ClientError>,
    },
    /// Topics were answered: [`Cluster::metadata`](super::Cluster::metadata) is new.
    MetadataUpdated,
    /// No broker could be asked for topics. Asking again is the owner's decision.
    MetadataFailed(ClientError),
    /// A broker's main connection takes requests now.
    NodeReady(i32),
    /// A broker's main connection could not be opened.
    NodeFailed(i32, ClientError),
}

/// Something that happened on a connection, for watchers: KafkaJS's network events and the page's
/// picture of the traffic. Times are in milliseconds since the epoch, durations in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkEvent {
    /// A connection is open and its versions are known.
    Connected {
        /// Its address, as `host:port`.
        broker: String,
    },
    /// A connection has ended or could not be opened.
    Disconnected {
        /// Its address, as `host:port`.
        broker: String,
        /// Why.
        reason: String,
    },
    /// The same, when it was not the client that closed it. Told whether anybody watches or not: it
    /// belongs into a log.
    ConnectionFailed(ClientError),
    /// A request was sent.
    RequestSent(RequestInfo),
    /// A request was answered.
    Request {
        /// Which.
        request: RequestInfo,
        /// The size of the response in bytes.
        size: usize,
        /// From sending to the answer.
        duration: u64,
    },
    /// A request was not answered in time.
    RequestTimeout(RequestInfo),
    /// Requests wait because a connection has as many unanswered ones as it may.
    RequestQueueSize {
        /// The connection's address, as `host:port`.
        broker: String,
        /// How many wait.
        queue_size: usize,
    },
}

/// A request, as watchers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// The address of its connection, as `host:port`.
    pub broker: String,
    /// Its number on its connection.
    pub correlation_id: i32,
    /// Its API.
    pub api: ApiKey,
    /// Its version.
    pub version: i16,
    /// When it was made.
    pub created_at: i64,
    /// When it was sent.
    pub sent_at: i64,
    /// From making to sending.
    pub pending_duration: u64,
}

impl RequestInfo {
    /// The name of the API in KafkaJS's words.
    #[must_use]
    pub fn api_name(&self) -> &'static str {
        if self.api == ApiKey::FindCoordinator {
            "GroupCoordinator"
        } else {
            self.api.name()
        }
    }
}
