//! From a target to a connection.

use super::super::error::{ClientError, ErrorKind};
use super::connection::{Connection, State, later};
use super::request::{Lane, Outgoing, Target};
use super::{Cluster, Peer};
use crate::client::{ConnId, Transmit};
use crate::protocol::ErrorCode;
use crate::time::{Monotonic, Now};

impl Cluster {
    /// Brings a request on its way: into a connection's queue, or held until its target is known,
    /// or failed.
    pub(super) fn route(&mut self, now: Now, mut outgoing: Outgoing) {
        match outgoing.target.clone() {
            Target::Any => self.route_anywhere(now, outgoing),
            Target::Node(node) => self.route_to(now, node, outgoing),
            Target::Controller => {
                let controller = self.metadata.controller;
                let known = self.metadata.brokers.contains_key(&controller);
                match known.then_some(controller) {
                    Some(node) if outgoing.looked_up || !self.refresh.stale => {
                        self.route_to(now, node, outgoing);
                    }
                    _ if outgoing.looked_up => self.route_anywhere(now, outgoing),
                    _ => {
                        outgoing.looked_up = true;
                        self.held.push(outgoing);
                        self.refresh_metadata(now);
                    }
                }
            }
            Target::Leader(wanted) => {
                let leader = self.metadata.leader(&wanted.topic, wanted.partition);
                match leader.filter(|_| outgoing.looked_up || !self.refresh.stale) {
                    Some(node) => self.route_to(now, node, outgoing),
                    None if outgoing.looked_up => {
                        let code = self.metadata.why_no_leader(&wanted);
                        let error = ClientError::protocol_about(code, None, &wanted.to_string());
                        self.fail(outgoing.token, outgoing.asker, error);
                    }
                    None => {
                        outgoing.looked_up = true;
                        self.held.push(outgoing);
                        if self.metadata.topic(&wanted.topic).is_none() {
                            self.track_topics(now, [wanted.topic.as_str()]);
                        } else {
                            self.refresh_metadata(now);
                        }
                    }
                }
            }
            Target::Coordinator(key) => {
                outgoing.options.lane = Lane::Coordinator;
                match self.coordinators.get(&key) {
                    Some(node) => self.route_to(now, node, outgoing),
                    None if outgoing.looked_up => {
                        let code = ErrorCode::COORDINATOR_NOT_AVAILABLE;
                        self.fail(outgoing.token, outgoing.asker, ClientError::protocol(code));
                    }
                    None => {
                        outgoing.looked_up = true;
                        self.held.push(outgoing);
                        self.ask_for_coordinator(now, &key);
                    }
                }
            }
        }
    }

    fn route_to(&mut self, now: Now, node: i32, outgoing: Outgoing) {
        match self.connection_to(now, Peer::Node(node), outgoing.options.lane) {
            Some(conn) => self.enqueue(now, conn, outgoing),
            None => {
                let message = format!("Broker {node} not found in the cached metadata");
                let error = ClientError::passing(ErrorKind::BrokerNotFound, message);
                self.fail(outgoing.token, outgoing.asker, error);
            }
        }
    }

    fn route_anywhere(&mut self, now: Now, outgoing: Outgoing) {
        match self.any_connection(now, &outgoing) {
            Some(conn) => self.enqueue(now, conn, outgoing),
            None => self.fail(outgoing.token, outgoing.asker, no_broker()),
        }
    }

    /// The least busy open connection, or else one being opened, or else a new one to a broker that
    /// was not tried for this request.
    pub(super) fn any_connection(&mut self, now: Now, outgoing: &Outgoing) -> Option<ConnId> {
        let lane = outgoing.options.lane;
        let usable = |state: fn(State) -> bool| {
            self.connections
                .iter()
                .filter(|(_, connection)| {
                    connection.lane == lane
                        && state(connection.state)
                        && !outgoing.tried.contains(&connection.peer)
                })
                .min_by_key(|(_, connection)| connection.load())
                .map(|(conn, _)| *conn)
        };
        let open = usable(|state| state == State::Ready);
        let opening = || usable(|state| matches!(state, State::Connecting(_) | State::Negotiating));
        if let Some(conn) = open.or_else(opening) {
            return Some(conn);
        }
        let peer = self.next_peer(now, &outgoing.tried)?;
        self.connection_to(now, peer, lane)
    }

    /// The broker to try next: known ones first, then the bootstrap addresses; of each those that
    /// have not just failed.
    fn next_peer(&self, now: Now, tried: &[Peer]) -> Option<Peer> {
        let count = self.config.bootstrap.len();
        let bootstrap = (0..count).filter_map(|i| {
            let turn = i.checked_add(self.first_bootstrap)?.checked_rem(count)?;
            Some(Peer::Bootstrap(turn))
        });
        let nodes = self.metadata.brokers.keys().map(|node| Peer::Node(*node));
        let candidates: Vec<Peer> = nodes
            .chain(bootstrap)
            .filter(|peer| !tried.contains(peer))
            .collect();
        let wait = |peer: &Peer| self.retry_at(*peer).since(now.monotonic);
        // The first of those with the shortest wait, which is mostly none.
        candidates.into_iter().min_by_key(wait)
    }

    fn retry_at(&self, peer: Peer) -> Monotonic {
        self.health
            .get(&peer)
            .map_or(Monotonic(0), |health| health.retry_at)
    }

    /// The connection to a broker, opened if need be; `None` if its address is not known.
    pub(super) fn connection_to(&mut self, now: Now, peer: Peer, lane: Lane) -> Option<ConnId> {
        if let Some(conn) = self.find(peer, lane) {
            return Some(conn);
        }
        let (host, port) = match peer {
            Peer::Bootstrap(i) => self.config.bootstrap.get(i).cloned()?,
            Peer::Node(node) => {
                let info = self.metadata.brokers.get(&node)?;
                (info.host.clone(), info.port)
            }
        };
        let conn = ConnId(self.next_conn);
        self.next_conn = self.next_conn.wrapping_add(1);
        let retry_at = self.retry_at(peer);
        let state = State::Waiting(retry_at);
        let connection = Connection::new(peer, lane, host, port, state);
        self.connections.insert(conn, connection);
        if retry_at <= now.monotonic {
            self.open(now, conn);
        }
        Some(conn)
    }

    /// Tells the host to open a connection.
    pub(super) fn open(&mut self, now: Now, conn: ConnId) {
        let deadline = later(now, self.config.connection_timeout_ms);
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.state = State::Connecting(deadline);
            self.transmits.push_back(Transmit::Open {
                conn,
                host: connection.host.clone(),
                port: connection.port,
            });
        }
    }

    /// The connection to a broker, if there is one.
    pub(super) fn find(&self, peer: Peer, lane: Lane) -> Option<ConnId> {
        let mut connections = self.connections.iter();
        let found = connections.find(|(_, open)| open.peer == peer && open.lane == lane);
        found.map(|(conn, _)| *conn)
    }

    /// Opening a connection has failed: the next attempt waits, longer each time.
    pub(super) fn note_failure(&mut self, now: Now, peer: Peer) {
        let health = self.health.entry(peer).or_default();
        let doublings = health.failures.min(20);
        health.failures = health.failures.saturating_add(1);
        let wait = self
            .config
            .reconnect_backoff_ms
            .saturating_mul(1 << doublings)
            .min(self.config.reconnect_backoff_max_ms);
        let jitter = self.rng.below(wait / 5 + 1);
        health.retry_at = later(now, wait.saturating_add(jitter));
        if let Peer::Node(node) = peer {
            self.coordinators.forget_node(node);
        }
    }

    /// A connection is in order.
    pub(super) fn note_success(&mut self, peer: Peer) {
        self.health.remove(&peer);
    }
}

/// No broker could be found for a request.
pub(super) fn no_broker() -> ClientError {
    ClientError::passing(ErrorKind::NoBrokerAvailable, "No broker available")
}
