//! One connection: handshake, correlation of answers with requests, limits.
//!
//! `Waiting` (for its turn to be opened, after a failure) → `Connecting` → `Negotiating`
//! (ApiVersions is under way) → `Ready`. Requests queue in all states and are sent, in order, in
//! the last. A broker answers a connection's requests in the order in which it got them, so an
//! answer with another number than the oldest request's ends the connection.
//!
//! Sources: KIP-35 and KIP-511 for the handshake: a broker that does not know our version of
//! ApiVersions answers in version 0 with `UNSUPPORTED_VERSION` and what it does know.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

use bytes::Bytes;

use super::super::error::{ClientError, ErrorKind};
use super::request::{Answer, AnyRequest, Asker, Outgoing, Token};
use super::{ClusterConfig, Lane, Peer};
use crate::protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use crate::protocol::{ApiKey, ErrorCode, Message as _, Part, Reader, ResponseHeader, Versions};
use crate::time::{Monotonic, Now};

/// Where a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// To be opened then.
    Waiting(Monotonic),
    /// Being opened, at most until then.
    Connecting(Monotonic),
    /// Asked for its versions.
    Negotiating,
    /// Open for requests.
    Ready,
}

/// A request that waits for its answer.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    /// Whom the answer is for; `None` for the handshake's own.
    pub(super) asker: Option<(Token, Asker)>,
    pub(super) api: ApiKey,
    pub(super) version: i16,
    pub(super) correlation_id: i32,
    pub(super) created: Now,
    pub(super) sent: Now,
    deadline: Option<Monotonic>,
    bytes: usize,
}

/// A connection to a broker.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: Peer,
    pub(super) lane: Lane,
    pub(super) host: String,
    pub(super) port: i32,
    pub(super) state: State,
    pub(super) queue: VecDeque<Outgoing>,
    in_flight: VecDeque<InFlight>,
    in_flight_bytes: usize,
    next_correlation_id: i32,
    versions: SortedMap<i16, Versions>,
}

/// What became of the request at the head of the queue.
#[derive(Debug)]
pub(super) enum Sent {
    /// It goes out as this frame.
    Frame(InFlight, Vec<Bytes>),
    /// It goes out, and that is all there will be.
    Unanswered(InFlight, Vec<Bytes>),
    /// It cannot be sent to this broker.
    Refused(Outgoing, ClientError),
}

/// What a frame turned out to be.
#[derive(Debug)]
pub(super) enum Received {
    /// The handshake goes on with this frame.
    StepDown(Vec<Bytes>),
    /// The handshake is done, with this many bytes in its answer.
    Ready(InFlight, usize),
    /// An answer.
    Answer(InFlight, Answer),
    /// Nonsense: the connection must be closed.
    Broken(String),
}

impl Connection {
    pub(super) fn new(peer: Peer, lane: Lane, host: String, port: i32, state: State) -> Self {
        Self {
            peer,
            lane,
            host,
            port,
            state,
            queue: VecDeque::new(),
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            next_correlation_id: 0,
            versions: SortedMap::new(),
        }
    }

    /// `host:port`.
    pub(super) fn broker(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The broker's id, if known.
    pub(super) fn node(&self) -> Option<i32> {
        match self.peer {
            Peer::Node(node) => Some(node),
            Peer::Bootstrap(_) => None,
        }
    }

    /// How many requests wait, sent or not.
    pub(super) fn load(&self) -> usize {
        self.queue.len().saturating_add(self.in_flight.len())
    }

    /// Whether nothing waits for this connection.
    pub(super) fn is_idle(&self) -> bool {
        self.load() == 0
    }

    /// Whether requests can be sent.
    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// How many more requests could be sent at once.
    pub(super) fn room(&self, config: &ClusterConfig) -> usize {
        if self.state != State::Ready || self.in_flight_bytes >= config.max_in_flight_bytes {
            return 0;
        }
        config.max_in_flight.saturating_sub(self.load())
    }

    /// The highest version of an API that both sides know.
    fn negotiate(&self, ours: Versions, api: ApiKey, cap: Option<i16>) -> Option<i16> {
        let theirs = self.versions.get(&i16::from(api))?;
        let max = ours.max.min(theirs.max).min(cap.unwrap_or(i16::MAX));
        (max >= ours.min.max(theirs.min)).then_some(max)
    }

    /// Takes the next request that may be sent now.
    pub(super) fn send_next(&mut self, now: Now, config: &ClusterConfig) -> Option<Sent> {
        let blocked = self.in_flight.len() >= config.max_in_flight
            || self.in_flight_bytes >= config.max_in_flight_bytes;
        if self.state != State::Ready || blocked {
            return None;
        }
        let outgoing = self.queue.pop_front()?;
        let api = outgoing.request.api();
        let cap = outgoing.options.max_version;
        let Some(version) = self.negotiate(outgoing.request.versions(), api, cap) else {
            let error = ClientError::fatal(
                ErrorKind::ServerDoesNotSupportApiKey { api },
                format!(
                    "the broker {} has no version of {api} that can be used",
                    self.broker()
                ),
            );
            return Some(Sent::Refused(outgoing, error));
        };
        let correlation_id = self.take_correlation_id();
        let encoded = outgoing
            .request
            .encode(version, correlation_id, &config.client_id);
        let frame = match encoded {
            Ok(parts) => pieces(parts),
            Err(error) => {
                let message = format!("{api} cannot be written in version {version}: {error}");
                return Some(Sent::Refused(outgoing, ClientError::non_retriable(message)));
            }
        };
        let timeout = match outgoing.options.timeout_ms {
            Some(timeout) => Some(timeout),
            None => config
                .enforce_request_timeout
                .then_some(config.request_timeout_ms),
        };
        let sent = InFlight {
            asker: Some((outgoing.token, outgoing.asker)),
            api,
            version,
            correlation_id,
            created: outgoing.created,
            sent: now,
            deadline: timeout.map(|timeout| later(now, timeout)),
            bytes: frame.iter().map(Bytes::len).fold(0, usize::saturating_add),
        };
        if !outgoing.options.answered {
            return Some(Sent::Unanswered(sent, frame));
        }
        self.push_in_flight(sent.clone());
        Some(Sent::Frame(sent, frame))
    }

    /// Begins the handshake: the frame to send.
    pub(super) fn begin(&mut self, now: Now, config: &ClusterConfig) -> Vec<Bytes> {
        self.state = State::Negotiating;
        self.ask_versions(now, config, ApiVersionsRequest::VERSIONS.max)
    }

    fn ask_versions(&mut self, now: Now, config: &ClusterConfig, version: i16) -> Vec<Bytes> {
        let request = ApiVersionsRequest {
            client_software_name: "partita".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let correlation_id = self.take_correlation_id();
        // Names of plain letters and digits: this cannot fail.
        let frame = AnyRequest::encode(&request, version, correlation_id, &config.client_id)
            .map(pieces)
            .unwrap_or_default();
        self.push_in_flight(InFlight {
            asker: None,
            api: ApiKey::ApiVersions,
            version,
            correlation_id,
            created: now,
            sent: now,
            deadline: Some(later(now, config.request_timeout_ms)),
            bytes: 0,
        });
        frame
    }

    /// A frame has come.
    pub(super) fn received(&mut self, now: Now, config: &ClusterConfig, frame: Bytes) -> Received {
        let correlation_id = Reader::new(frame.clone()).i32();
        let Some(oldest) = self.in_flight.front() else {
            return Received::Broken("an answer to no request".to_owned());
        };
        if correlation_id != Ok(oldest.correlation_id) {
            return Received::Broken("an answer to another request than the oldest".to_owned());
        }
        let Some(answered) = self.in_flight.pop_front() else {
            return Received::Broken("an answer to no request".to_owned());
        };
        self.in_flight_bytes = self.in_flight_bytes.saturating_sub(answered.bytes);
        if answered.asker.is_some() {
            let answer = Answer::new(self.node(), answered.version, frame);
            return Received::Answer(answered, answer);
        }
        let size = frame.len();
        match self.versions_answered(answered.version, frame) {
            Ok(None) => {
                self.state = State::Ready;
                Received::Ready(answered, size)
            }
            Ok(Some(lower)) => Received::StepDown(self.ask_versions(now, config, lower)),
            Err(reason) => Received::Broken(reason),
        }
    }

    /// Takes what the broker can; or returns the version in which to ask again.
    fn versions_answered(&mut self, version: i16, frame: Bytes) -> Result<Option<i16>, String> {
        let read = |version: i16| {
            let mut reader = Reader::new(frame.clone());
            ResponseHeader::read(&mut reader, ApiKey::ApiVersions, version)?;
            ApiVersionsResponse::read_version(&mut reader, version)
        };
        let mut start = Reader::new(frame.clone());
        let code = start.i32().and_then(|_| start.i16());
        match code.map(ErrorCode) {
            Ok(ErrorCode::NONE) => {
                let response = read(version).map_err(|error| error.to_string())?;
                let served = response.api_keys.into_iter().map(|api| {
                    let (min, max) = (api.min_version, api.max_version);
                    (api.api_key, Versions { min, max })
                });
                self.versions = served.collect();
                Ok(None)
            }
            Ok(ErrorCode::UNSUPPORTED_VERSION) if version > 0 => {
                // What it knows comes in the form of version 0, and from old brokers not at all.
                let known = read(0)
                    .map(|response| response.api_keys)
                    .unwrap_or_default();
                let key = i16::from(ApiKey::ApiVersions);
                let known = known.iter().find(|api| api.api_key == key);
                let highest = known.map_or(0, |api| api.max_version);
                Ok(Some(highest.clamp(0, version.saturating_sub(1))))
            }
            Ok(code) => Err(format!("the handshake failed: {code}")),
            Err(error) => Err(format!("the handshake failed: {error}")),
        }
    }

    /// The moment at which something of this connection is due.
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        match self.state {
            State::Waiting(until) => Some(until),
            State::Connecting(until) => Some(until),
            State::Negotiating | State::Ready => self
                .in_flight
                .iter()
                .filter_map(|request| request.deadline)
                .min(),
        }
    }

    /// Removes a request whose time is up, if there is one.
    pub(super) fn take_expired(&mut self, now: Now) -> Option<InFlight> {
        let expired = |request: &InFlight| request.deadline.is_some_and(|at| at <= now.monotonic);
        let at = self.in_flight.iter().position(expired)?;
        self.in_flight.remove(at)
    }

    /// Removes every request that waits for an answer.
    pub(super) fn take_in_flight(&mut self) -> VecDeque<InFlight> {
        self.in_flight_bytes = 0;
        std::mem::take(&mut self.in_flight)
    }

    fn push_in_flight(&mut self, request: InFlight) {
        self.in_flight_bytes = self.in_flight_bytes.saturating_add(request.bytes);
        self.in_flight.push_back(request);
    }

    fn take_correlation_id(&mut self) -> i32 {
        let id = self.next_correlation_id;
        self.next_correlation_id = id.checked_add(1).unwrap_or(0);
        id
    }
}

/// A request's frame as pieces of bytes; requests hold no data that is elsewhere.
fn pieces(parts: Vec<Part>) -> Vec<Bytes> {
    let bytes = parts.into_iter().filter_map(|part| match part {
        Part::Bytes(bytes) => Some(bytes),
        Part::External { .. } => None,
    });
    bytes.collect()
}

pub(super) fn later(now: Now, millis: u64) -> Monotonic {
    Monotonic(now.monotonic.0.saturating_add(millis))
}
