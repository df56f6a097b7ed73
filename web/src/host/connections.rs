//! Ports and the connections they carry: names, windows, what waits to be posted.

use partita_core::sorted::SortedMap;
use std::collections::VecDeque;

use js_sys::Uint8Array;
use partita_core::broker::ConnectionId;

use super::trap::Watch;
use crate::num::{to_f64, to_usize};
use crate::port::message::{INITIAL_WINDOW, ToClient};
use crate::port::{Outbox, Receiver};
use crate::queue::Place;

/// Names a port for as long as the host lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PortId(pub(crate) u32);

/// One port.
#[derive(Debug)]
pub(crate) struct PortState {
    pub(crate) out: Outbox,
    pub(crate) watching: bool,
    /// Alarms that are set, and where they stand in the queue.
    pub(crate) alarms: SortedMap<u32, Place>,
    names: SortedMap<u32, ConnectionId>,
    /// Listens to the port, and tells those at it of a trap.
    _ears: (Receiver, Watch),
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) port: PortId,
    /// Its number on the port.
    pub(crate) number: u32,
    /// Bytes of requests that have come, and up to how many may come.
    received: u64,
    granted: u64,
    /// Bytes of responses that were posted, and how many of them the client has read.
    posted: u64,
    read: u64,
    /// Frames that wait until the client has read what was posted.
    pub(crate) waiting: VecDeque<Uint8Array>,
}

impl Connection {
    /// Whether the client reads too slowly for more requests of it to be taken.
    pub(crate) fn is_slow(&self) -> bool {
        self.posted.saturating_sub(self.read) >= INITIAL_WINDOW
    }

    /// How much more may be sent, if it is worth saying. `unanswered`: bytes of requests that the
    /// broker has not finished.
    fn grant(&mut self, unanswered: usize) -> Option<u64> {
        let waiting: usize = self
            .waiting
            .iter()
            .map(|frame| to_usize(frame.length()))
            .sum();
        let unread = self.posted.saturating_sub(self.read);
        let open = u64::try_from(unanswered.saturating_add(waiting)).unwrap_or(u64::MAX);
        let upto = (self.received.saturating_add(INITIAL_WINDOW))
            .saturating_sub(open)
            .saturating_sub(unread);
        if upto < self.granted.saturating_add(INITIAL_WINDOW / 4) {
            return None;
        }
        self.granted = upto;
        Some(upto)
    }
}

/// All ports and connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    ports: SortedMap<PortId, PortState>,
    open: SortedMap<ConnectionId, Connection>,
    next_port: u32,
    next_connection: u64,
}

impl Connections {
    /// A name for the next port, whose receiver needs it before it exists.
    pub(crate) fn next_port(&mut self) -> PortId {
        self.next_port = self.next_port.wrapping_add(1);
        PortId(self.next_port)
    }

    pub(crate) fn add_port(&mut self, id: PortId, out: Outbox, ears: (Receiver, Watch)) {
        let state = PortState {
            out,
            watching: false,
            alarms: SortedMap::new(),
            names: SortedMap::new(),
            _ears: ears,
        };
        self.ports.insert(id, state);
    }

    /// Forgets a port; returns what it leaves behind.
    pub(crate) fn remove_port(&mut self, id: PortId) -> Option<PortState> {
        self.ports.remove(&id)
    }

    pub(crate) fn port(&mut self, id: PortId) -> Option<&mut PortState> {
        self.ports.get_mut(&id)
    }

    pub(crate) fn ports(&mut self) -> impl DoubleEndedIterator<Item = &mut PortState> {
        self.ports.values_mut()
    }

    /// Says something on every port.
    pub(crate) fn tell_all(&mut self, message: &ToClient) {
        self.ports().for_each(|port| port.out.post(message));
    }

    /// Takes note of a connection. A number that is in use is not taken again.
    pub(crate) fn open(&mut self, port: PortId, number: u32) -> Option<ConnectionId> {
        let names = &mut self.ports.get_mut(&port)?.names;
        if names.contains_key(&number) {
            return None;
        }
        self.next_connection = self.next_connection.wrapping_add(1);
        let id = ConnectionId(self.next_connection);
        names.insert(number, id);
        let connection = Connection {
            port,
            number,
            received: 0,
            granted: INITIAL_WINDOW,
            posted: 0,
            read: 0,
            waiting: VecDeque::new(),
        };
        self.open.insert(id, connection);
        Some(id)
    }

    /// The connection of that number on a port.
    pub(crate) fn find(&self, port: PortId, number: u32) -> Option<ConnectionId> {
        self.ports.get(&port)?.names.get(&number).copied()
    }

    pub(crate) fn get(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.open.get_mut(&id)
    }

    /// Forgets a connection; says so to the client if there is a reason to tell.
    pub(crate) fn close(&mut self, id: ConnectionId, reason: Option<&str>) {
        let Some(connection) = self.open.remove(&id) else {
            return;
        };
        let Some(port) = self.ports.get_mut(&connection.port) else {
            return;
        };
        port.names.remove(&connection.number);
        if let Some(reason) = reason {
            let connection = connection.number;
            port.out.post(&ToClient::Closed {
                connection,
                reason: reason.to_owned(),
            });
        }
    }

    /// The names of all connections, or of those of one port.
    pub(crate) fn ids(&self, of: Option<PortId>) -> Vec<ConnectionId> {
        let wanted = |connection: &Connection| of.is_none_or(|port| connection.port == port);
        self.open
            .iter()
            .filter(|(_, open)| wanted(open))
            .map(|(&id, _)| id)
            .collect()
    }

    /// The connections whose requests wait, though their clients read what they are sent.
    pub(crate) fn waiting(&self) -> Vec<ConnectionId> {
        let waits = |open: &Connection| !open.waiting.is_empty() && !open.is_slow();
        self.open
            .iter()
            .filter(|(_, open)| waits(open))
            .map(|(&id, _)| id)
            .collect()
    }

    /// Counts a frame that has come.
    pub(crate) fn received(&mut self, id: ConnectionId, bytes: u32) {
        if let Some(connection) = self.open.get_mut(&id) {
            connection.received = connection.received.saturating_add(u64::from(bytes));
        }
    }

    /// Counts what the client has read; whether it was slow and is so no more.
    pub(crate) fn read(&mut self, id: ConnectionId, bytes: u64) -> bool {
        let Some(connection) = self.open.get_mut(&id) else {
            return false;
        };
        let slow = connection.is_slow();
        connection.read = connection.read.max(bytes).min(connection.posted);
        slow && !connection.is_slow()
    }

    /// Posts a response.
    pub(crate) fn respond(&mut self, id: ConnectionId, frame: &Uint8Array) {
        let Some(connection) = self.open.get_mut(&id) else {
            return;
        };
        connection.posted = connection.posted.saturating_add(u64::from(frame.length()));
        if let Some(port) = self.ports.get_mut(&connection.port) {
            port.out.frame(connection.number, frame);
        }
    }

    /// Grants a connection what it may send now.
    pub(crate) fn grant(&mut self, id: ConnectionId, unanswered: usize) {
        let Some(connection) = self.open.get_mut(&id) else {
            return;
        };
        let Some(upto) = connection.grant(unanswered) else {
            return;
        };
        let message = ToClient::Credit {
            connection: connection.number,
            upto: to_f64(upto),
        };
        if let Some(port) = self.ports.get_mut(&connection.port) {
            port.out.post(&message);
        }
    }
}
