//! From frames to handlers, and from responses to frames.
//!
//! A frame whose header or body cannot be read, or that asks for an API or version we do not serve,
//! closes its connection, as in Kafka. The exception is ApiVersions of an unknown version, which is
//! answered in version 0 with `UNSUPPORTED_VERSION` (KIP-35), so that newer clients can step down.

use bytes::Bytes;

use super::connection::{ConnectionId, RequestId, RequestInfo};
use super::event::RequestView;
use super::{Broker, Frame, Lifecycle, Output, Segment, handler};
use crate::protocol::{self, ErrorCode, Part, Reader, RequestHeader, Response};
use crate::types::Uuid;

/// One decoded request on its way to its handler.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Where the answer goes.
    pub(crate) id: RequestId,
    /// The version it came in; the answer leaves in the same.
    pub(crate) version: i16,
    /// The client id of its header.
    pub(crate) client_id: Option<String>,
}

/// A stored piece that a response refers to: see [`protocol::Records::External`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPiece {
    pub(crate) log: super::LogId,
    pub(crate) chunk: i64,
    pub(crate) range: std::ops::Range<u32>,
}

impl Broker {
    /// Takes as many of a connection's requests as may be in work together.
    pub(super) fn take_requests(&mut self, connection: ConnectionId) {
        while let Some(open) = self.connections.get_mut(connection) {
            if let Lifecycle::Failed(_) = self.lifecycle {
                return self.close(connection, "the broker has failed");
            }
            let Some(frame) = open.next_frame() else {
                return;
            };
            if let Err(reason) = self.dispatch(connection, frame) {
                return self.close(connection, reason);
            }
        }
    }

    fn dispatch(&mut self, connection: ConnectionId, frame: Bytes) -> Result<(), &'static str> {
        let request_bytes = frame.len();
        let mut reader = Reader::new(frame);
        let header = RequestHeader::read(&mut reader)
            .map_err(|_| "the request header cannot be read, or no such API")?;
        let info = RequestInfo {
            api: header.api_key,
            version: header.api_version,
            correlation_id: header.correlation_id,
            client_id: header.client_id.clone(),
            request_bytes,
            taken: self.clock.now(),
            summary: String::new(),
            error: None,
        };
        let Some(open) = self.connections.get_mut(connection) else {
            return Ok(());
        };
        let number = open.begin(info);
        let context = Context {
            id: RequestId { connection, number },
            version: header.api_version,
            client_id: header.client_id,
        };
        handler::handle(self, header.api_key, &context, &mut reader)
    }

    /// Answers a request. If its connection is gone, or it was answered before, nothing happens.
    pub(crate) fn respond<M: Response>(&mut self, id: RequestId, response: &M) {
        self.respond_stored(id, response, &[]);
    }

    /// Answers a request with a response whose `Records::External` are stored: the `index` of each
    /// counts into `stored`, where the pieces that make it up stand in order.
    pub(crate) fn respond_stored<M: Response>(
        &mut self,
        id: RequestId,
        response: &M,
        stored: &[Vec<StoredPiece>],
    ) {
        let Some(info) = self.request_info(id) else {
            return;
        };
        let version = info.version;
        self.respond_in_version(id, response, version, stored);
    }

    /// Answers in another version than that of the request: only for ApiVersions.
    pub(crate) fn respond_in_version<M: Response>(
        &mut self,
        id: RequestId,
        response: &M,
        version: i16,
        stored: &[Vec<StoredPiece>],
    ) {
        let Some(info) = self.request_info(id) else {
            return;
        };
        let encoded = protocol::encode_response(response, version, info.correlation_id);
        let Ok(parts) = encoded else {
            return self.close(
                id.connection,
                "the response cannot be written in this version",
            );
        };
        let mut segments = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Bytes(bytes) => segments.push(Segment::Bytes(bytes)),
                Part::External { index, .. } => {
                    let pieces = usize::try_from(index).ok().and_then(|at| stored.get(at));
                    segments.extend(pieces.into_iter().flatten().map(|piece| Segment::Stored {
                        log: piece.log,
                        chunk: piece.chunk,
                        range: piece.range.clone(),
                    }));
                }
            }
        }
        let frame = Frame { segments };
        self.finish(id, Some(frame));
    }

    /// Ends a request that gets no response: Produce with acks=0.
    pub(crate) fn finish_without_response(&mut self, id: RequestId) {
        self.finish(id, None);
    }

    fn finish(&mut self, id: RequestId, frame: Option<Frame>) {
        if self.observer.watching() {
            self.observe_request(id, frame.as_ref());
        }
        let Some(open) = self.connections.get_mut(id.connection) else {
            return;
        };
        open.finish(id.number, frame);
        for frame in open.take_finished() {
            self.output(Output::Response {
                connection: id.connection,
                frame,
            });
        }
        self.run_soon(id.connection);
    }

    /// The address that the listener of a connection advertises.
    pub(crate) fn advertised(&self, connection: ConnectionId) -> Option<(String, i32)> {
        let listener = &self.connections.get(connection)?.peer.listener;
        Some((listener.host.clone(), listener.port))
    }

    /// What is known of a request in work.
    pub(crate) fn request_info(&self, id: RequestId) -> Option<&RequestInfo> {
        self.connections.get(id.connection)?.info(id.number)
    }

    /// Says in a few words what a request asks for, and with which error it ends, for watchers.
    pub(crate) fn describe_request(
        &mut self,
        id: RequestId,
        summary: impl FnOnce(&Self) -> String,
    ) {
        if !self.observer.watching() {
            return;
        }
        let summary = summary(self);
        if let Some(open) = self.connections.get_mut(id.connection)
            && let Some(info) = open.info_mut(id.number)
        {
            info.summary = summary;
        }
    }

    /// What a watcher calls a topic that a request names by its name, or else by its id.
    pub(crate) fn topic_title(&self, name: &str, id: Uuid) -> String {
        match self.metadata.topic_by_id(id) {
            Some(topic) => topic.name.clone(),
            None if id.is_zero() => name.to_owned(),
            None => id.to_string(),
        }
    }

    fn observe_request(&mut self, id: RequestId, frame: Option<&Frame>) {
        let Some(info) = self.request_info(id) else {
            return;
        };
        let view = RequestView {
            connection: id.connection.0,
            client_id: info.client_id.clone().unwrap_or_default(),
            api: info.api.name().to_owned(),
            version: info.version,
            at: info.taken.wall.0,
            took: self.clock.monotonic().since(info.taken.monotonic),
            summary: info.summary.clone(),
            error: info
                .error
                .map(|code| code.as_str().to_owned())
                .unwrap_or_default(),
            request_bytes: u64::try_from(info.request_bytes).unwrap_or(u64::MAX),
            response_bytes: frame.map_or(0, |f| u64::try_from(f.len()).unwrap_or(u64::MAX)),
        };
        self.observer.request(view);
    }

    /// Notes the first error in a response, for watchers.
    pub(crate) fn note_error(&mut self, id: RequestId, error: ErrorCode) {
        if error.is_error()
            && let Some(open) = self.connections.get_mut(id.connection)
            && let Some(info) = open.info_mut(id.number)
        {
            info.error.get_or_insert(error);
        }
    }
}
