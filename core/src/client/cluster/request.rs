//! A request on its way: to whom, in which version, and what became of it.

use std::fmt::Debug;

use bytes::Bytes;

use super::super::error::{ClientError, ErrorKind};
use crate::protocol::{
    ApiKey, EncodeError, Part, Reader, Request, ResponseHeader, Versions, encode_request,
};
use crate::time::Now;
use crate::types::TopicPartition;

/// A request under way; its [`Answer`] carries the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// To whom a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Whichever broker is the least busy.
    Any,
    /// The broker of this id.
    Node(i32),
    /// The broker that takes requests for the controller; any, where none is named.
    Controller,
    /// The partition's leader; topics are asked for first if it is not known.
    Leader(TopicPartition),
    /// The coordinator; brokers are asked for it first if it is not known.
    Coordinator(CoordinatorKey),
}

/// Whose coordinator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CoordinatorKey {
    /// A consumer group's.
    Group(String),
    /// A transactional id's.
    Transaction(String),
}

/// Which of a broker's connections a request takes.
///
/// A broker answers a connection's requests one after the other, so what must not wait behind a
/// long poll has a connection of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Records, topics, everything else.
    Main,
    /// Groups: joins, heartbeats, commits. Requests to a coordinator always go here.
    Coordinator,
    /// Long polls: a consumer's fetches, which brokers hold back until there are records.
    Fetch,
}

/// How a request is sent, where the usual way will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOptions {
    /// Which connection.
    pub lane: Lane,
    /// No higher version than this.
    pub max_version: Option<i16>,
    /// How long to wait for the answer, instead of the configured `request_timeout_ms`: for
    /// requests that a broker holds back, such as JoinGroup.
    pub timeout_ms: Option<u64>,
    /// False for Produce with acks=0, which brokers do not answer: it counts as answered, with an
    /// empty body, when it is sent.
    pub answered: bool,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            lane: Lane::Main,
            max_version: None,
            timeout_ms: None,
            answered: true,
        }
    }
}

/// What a broker answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Who answered; `None` for a bootstrap address whose broker is not known.
    pub node: Option<i32>,
    /// The version of request and response.
    pub version: i16,
    /// The response, from its header on; empty where none was to come.
    frame: Bytes,
}

impl Answer {
    pub(super) fn new(node: Option<i32>, version: i16, frame: Bytes) -> Self {
        Self {
            node,
            version,
            frame,
        }
    }

    /// The response to a request of type `R`.
    ///
    /// # Errors
    /// `PartialMessage` if it cannot be read.
    pub fn decode<R: Request>(&self) -> Result<R::Response, ClientError> {
        use crate::protocol::Message as _;
        let mut reader = Reader::new(self.frame.clone());
        ResponseHeader::read(&mut reader, R::KEY, self.version)
            .and_then(|_| R::Response::read_version(&mut reader, self.version))
            .map_err(|error| unreadable(R::KEY, error))
    }

    /// Whether there is no response, because none was to come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }

    /// The size of the response in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.frame.len()
    }
}

/// A response that is not what the schema says.
pub(super) fn unreadable(api: ApiKey, error: crate::protocol::DecodeError) -> ClientError {
    ClientError::fatal(
        ErrorKind::PartialMessage,
        format!("the response to {api} cannot be read: {error}"),
    )
}

/// A request of any API, encoded when its connection and so its version are known.
pub(super) trait AnyRequest: Debug {
    fn api(&self) -> ApiKey;
    fn versions(&self) -> Versions;
    fn encode(
        &self,
        version: i16,
        correlation_id: i32,
        client_id: &str,
    ) -> Result<Vec<Part>, EncodeError>;
}

impl<R: Request + Debug> AnyRequest for R {
    fn api(&self) -> ApiKey {
        R::KEY
    }

    fn versions(&self) -> Versions {
        R::VERSIONS
    }

    fn encode(
        &self,
        version: i16,
        correlation_id: i32,
        client_id: &str,
    ) -> Result<Vec<Part>, EncodeError> {
        encode_request(self, version, correlation_id, Some(client_id))
    }
}

/// Whom an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asker {
    /// The owner of the network layer.
    Owner,
    /// The same, with a question about topics of its own: the cache takes over the answer.
    OwnerOfTopics {
        /// Whether it is about every topic.
        all: bool,
    },
    /// The metadata cache.
    Metadata,
    /// The cache of coordinators.
    Coordinators(CoordinatorKey),
}

/// A request that is not sent yet.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) token: Token,
    pub(super) asker: Asker,
    pub(super) target: Target,
    pub(super) options: RequestOptions,
    pub(super) request: Box<dyn AnyRequest>,
    pub(super) created: Now,
    /// Brokers that could not be reached for it, where any broker would do.
    pub(super) tried: Vec<super::Peer>,
    /// Whether topics or the coordinator were asked for on its behalf before: once is enough.
    pub(super) looked_up: bool,
}
