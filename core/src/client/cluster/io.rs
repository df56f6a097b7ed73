//! What happens on connections: opened, frames, closed, deadlines; and answers to whoever asked.

use bytes::Bytes;

use super::super::error::{ClientError, ErrorKind};
use super::connection::{InFlight, Received, Sent, State};
use super::events::{ClusterEvent, NetworkEvent, RequestInfo};
use super::request::{Answer, Asker, Lane, Outgoing, Target, Token};
use super::routing::no_broker;
use super::{Cluster, End, Peer};
use crate::client::{ConnId, Transmit};
use crate::time::Now;

impl Cluster {
    /// A connection is open: the handshake begins.
    pub fn handle_connected(&mut self, now: Now, conn: ConnId) {
        let now = self.clock(now);
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        if let State::Connecting(_) = connection.state {
            let frame = connection.begin(now, &self.config);
            self.transmits.push_back(Transmit::Send { conn, frame });
        }
    }

    /// A frame has come, here without its length prefix.
    pub fn handle_received(&mut self, now: Now, conn: ConnId, frame: Bytes) {
        let now = self.clock(now);
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        let peer = connection.peer;
        match connection.received(now, &self.config, frame) {
            Received::StepDown(frame) => self.transmits.push_back(Transmit::Send { conn, frame }),
            Received::Ready(request, size) => {
                let (broker, lane) = (connection.broker(), connection.lane);
                self.note_success(peer);
                self.tell(|| answered(now, broker.clone(), &request, size));
                self.tell(|| NetworkEvent::Connected { broker });
                if let (Peer::Node(node), Lane::Main) = (peer, lane) {
                    self.events.push_back(ClusterEvent::NodeReady(node));
                }
                self.flush(now, conn);
            }
            Received::Answer(request, answer) => {
                let broker = connection.broker();
                self.tell(|| answered(now, broker, &request, answer.size()));
                self.complete(now, request.asker, Ok(answer));
                self.flush(now, conn);
                self.close_if_superfluous(conn);
            }
            Received::Broken(reason) => {
                self.transmits.push_back(Transmit::Close { conn });
                self.connection_ended(now, conn, &reason, End::Lost);
            }
        }
    }

    /// A connection could not be opened, or has ended.
    pub fn handle_closed(&mut self, now: Now, conn: ConnId, reason: &str) {
        let now = self.clock(now);
        self.connection_ended(now, conn, reason, End::Lost);
    }

    /// Deadlines may have passed.
    pub fn handle_timeout(&mut self, now: Now) {
        let now = self.clock(now);
        let due: Vec<ConnId> = self
            .connections
            .iter()
            .filter(|(_, open)| open.deadline().is_some_and(|at| at <= now.monotonic))
            .map(|(conn, _)| *conn)
            .collect();
        for conn in due {
            self.connection_due(now, conn);
        }
        if self.refresh_due().is_some_and(|at| at <= now.monotonic) {
            self.refresh_metadata(now);
        }
    }

    fn connection_due(&mut self, now: Now, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        match connection.state {
            State::Waiting(_) => self.open(now, conn),
            State::Connecting(_) => {
                self.transmits.push_back(Transmit::Close { conn });
                self.connection_ended(now, conn, "Connection timeout", End::OpenTimeout);
            }
            State::Negotiating | State::Ready => {
                let broker = connection.broker();
                while let Some(expired) = self
                    .connections
                    .get_mut(&conn)
                    .and_then(|open| open.take_expired(now))
                {
                    let error = timed_out(&broker, &expired);
                    self.tell(|| NetworkEvent::RequestTimeout(info(broker.clone(), &expired)));
                    self.complete(now, expired.asker, Err(error));
                }
                self.transmits.push_back(Transmit::Close { conn });
                let reason = "a request was not answered in time";
                self.connection_ended(now, conn, reason, End::Lost);
            }
        }
    }

    /// Queues a request on a connection, and sends what may be sent.
    pub(super) fn enqueue(&mut self, now: Now, conn: ConnId, outgoing: Outgoing) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.queue.push_back(outgoing);
            self.flush(now, conn);
        }
    }

    /// Sends what a connection's limits allow.
    fn flush(&mut self, now: Now, conn: ConnId) {
        while let Some(connection) = self.connections.get_mut(&conn) {
            let broker = if self.watched {
                connection.broker()
            } else {
                String::new()
            };
            match connection.send_next(now, &self.config) {
                None => {
                    let queue_size = connection.queue.len();
                    if queue_size > 0 && connection.state == State::Ready {
                        self.tell(|| NetworkEvent::RequestQueueSize { broker, queue_size });
                    }
                    return;
                }
                Some(Sent::Frame(request, frame)) => {
                    self.tell(|| NetworkEvent::RequestSent(info(broker, &request)));
                    self.transmits.push_back(Transmit::Send { conn, frame });
                }
                Some(Sent::Unanswered(request, frame)) => {
                    let answer = Answer::new(connection.node(), request.version, Bytes::new());
                    self.tell(|| answered(now, broker, &request, 0));
                    self.transmits.push_back(Transmit::Send { conn, frame });
                    self.complete(now, request.asker, Ok(answer));
                }
                Some(Sent::Refused(outgoing, error)) => {
                    self.fail(outgoing.token, outgoing.asker, error);
                }
            }
        }
    }

    /// Forgets a connection. What waits for it fails, or goes elsewhere.
    pub(super) fn connection_ended(&mut self, now: Now, conn: ConnId, reason: &str, end: End) {
        let Some(mut connection) = self.connections.remove(&conn) else {
            return;
        };
        let broker = connection.broker();
        let peer = connection.peer;
        let never_used = connection.state != State::Ready;
        let error = if never_used && end != End::Closing {
            cannot_connect(&broker, reason, end)
        } else {
            ClientError::passing(
                ErrorKind::ConnectionClosed {
                    broker: broker.clone(),
                },
                format!("Closed connection to {broker}: {reason}"),
            )
        };
        if end != End::Closing
            && let Peer::Node(_) = peer
        {
            self.refresh.stale |= never_used || !connection.is_idle();
        }
        if never_used && end != End::Closing {
            self.note_failure(now, peer);
            if let (Peer::Node(node), Lane::Main) = (peer, connection.lane) {
                self.events
                    .push_back(ClusterEvent::NodeFailed(node, error.clone()));
            }
        }
        self.tell(|| NetworkEvent::Disconnected {
            broker,
            reason: reason.to_owned(),
        });
        if end != End::Closing {
            self.log(error.clone());
        }
        let sent = connection.take_in_flight();
        let queued = std::mem::take(&mut connection.queue);
        for request in sent {
            self.complete(now, request.asker, Err(error.clone()));
        }
        for mut outgoing in queued {
            if outgoing.target == Target::Any && end != End::Closing {
                outgoing.tried.push(peer);
                self.reroute(now, outgoing, &error);
            } else {
                self.fail(outgoing.token, outgoing.asker, error.clone());
            }
        }
    }

    /// Brings a request that was never sent to another broker; without one left it fails with the
    /// error of the last.
    fn reroute(&mut self, now: Now, outgoing: Outgoing, error: &ClientError) {
        match self.any_connection(now, &outgoing) {
            Some(conn) => self.enqueue(now, conn, outgoing),
            None => self.fail(outgoing.token, outgoing.asker, error.clone()),
        }
    }

    /// Closes a bootstrap address's connection once brokers are known and nothing waits for it.
    pub(super) fn close_if_superfluous(&mut self, conn: ConnId) {
        let now = self.now();
        let superfluous = self.connections.get(&conn).is_some_and(|connection| {
            matches!(connection.peer, Peer::Bootstrap(_)) && connection.is_idle()
        });
        if superfluous && !self.metadata().brokers.is_empty() {
            self.transmits.push_back(Transmit::Close { conn });
            self.connection_ended(now, conn, "the brokers are known now", End::Closing);
        }
    }

    pub(super) fn fail(&mut self, token: Token, asker: Asker, error: ClientError) {
        let now = self.now();
        self.complete(now, Some((token, asker)), Err(error));
    }

    /// Hands an answer, or the lack of one, to whoever asked.
    fn complete(
        &mut self,
        now: Now,
        asker: Option<(Token, Asker)>,
        result: Result<Answer, ClientError>,
    ) {
        let Some((token, asker)) = asker else { return };
        match asker {
            Asker::Owner => {
                if !self.cancelled.remove(&token) {
                    self.events
                        .push_back(ClusterEvent::Answer { token, result });
                }
            }
            Asker::OwnerOfTopics { all } => {
                if let Ok(answer) = &result {
                    self.merge_topics(now, answer, all);
                }
                if !self.cancelled.remove(&token) {
                    self.events
                        .push_back(ClusterEvent::Answer { token, result });
                }
            }
            Asker::Metadata => self.metadata_answered(now, result),
            Asker::Coordinators(key) => self.coordinator_answered(now, &key, result),
        }
    }
}

fn cannot_connect(broker: &str, reason: &str, end: End) -> ClientError {
    if broker.is_empty() {
        return no_broker();
    }
    let code = reason.split([' ', ':']).next().filter(|word| {
        word.starts_with('E') && word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase())
    });
    let message = match end {
        End::OpenTimeout => format!("Connection timeout: {broker} did not answer"),
        End::Lost | End::Closing => format!("Connection error: {broker}: {reason}"),
    };
    let kind = ErrorKind::Connection {
        broker: broker.to_owned(),
        code: code.map(str::to_owned),
    };
    ClientError::passing(kind, message)
}

fn timed_out(broker: &str, request: &InFlight) -> ClientError {
    let kind = ErrorKind::RequestTimeout {
        broker: broker.to_owned(),
        correlation_id: request.correlation_id,
        created_at: request.created.wall.0,
        sent_at: request.sent.wall.0,
    };
    ClientError::passing(kind, format!("Request {} timed out", request.api))
}

fn answered(now: Now, broker: String, request: &InFlight, size: usize) -> NetworkEvent {
    NetworkEvent::Request {
        size,
        duration: now.monotonic.since(request.sent.monotonic),
        request: info(broker, request),
    }
}

fn info(broker: String, request: &InFlight) -> RequestInfo {
    RequestInfo {
        broker,
        correlation_id: request.correlation_id,
        api: request.api,
        version: request.version,
        created_at: request.created.wall.0,
        sent_at: request.sent.wall.0,
        pending_duration: request.sent.monotonic.since(request.created.monotonic),
    }
}
