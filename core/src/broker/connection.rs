//! Connections: requests in the order they came, responses in the same order.
//!
//! Kafka handles one request of a connection at a time, and so do we: the next frame is taken when
//! the previous one is answered, or has finished without a response. One exception: consecutive
//! Produce requests may be appended at once; they are answered in order.
//!
//! Invariant: responses leave a connection in the order of its requests.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

use bytes::Bytes;

use super::output::Frame;
use crate::protocol::{ApiKey, ErrorCode};
use crate::time::Now;

/// Names a connection; the host gives each a number that it never uses again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Who is at the other end of a connection, and where clients of its kind can reach the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The listener that accepted the connection.
    pub listener: Listener,
    /// The client's address as DescribeGroups shows it, `127.0.0.1` or `page`.
    pub address: String,
}

/// A listener: Metadata and FindCoordinator answer with the address of the one that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name, `PLAINTEXT` or `PAGE`.
    pub name: String,
    /// The advertised host.
    pub host: String,
    /// The advertised port.
    pub port: i32,
}

/// Names one request of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RequestId {
    pub(crate) connection: ConnectionId,
    pub(crate) number: u64,
}

/// What must be known of a request to answer it.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) client_id: Option<String>,
    pub(crate) request_bytes: usize,
    /// When it was taken from the queue.
    pub(crate) taken: Now,
    /// What it asks for, in a few words; written only while someone watches.
    pub(crate) summary: String,
    /// The first error of its response.
    pub(crate) error: Option<ErrorCode>,
}

#[derive(Debug)]
struct Slot {
    number: u64,
    info: RequestInfo,
    /// `None` while the request is in work; then the response, or `Some(None)` for none.
    done: Option<Option<Frame>>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    queued: VecDeque<Bytes>,
    queued_bytes: usize,
    slots: VecDeque<Slot>,
    next_number: u64,
}

impl Connection {
    fn new(peer: Peer) -> Self {
        Self {
            peer,
            queued: VecDeque::new(),
            queued_bytes: 0,
            slots: VecDeque::new(),
            next_number: 0,
        }
    }

    /// Bytes of requests that wait for earlier ones.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Bytes of requests that are not finished: those that wait and those in work.
    pub(crate) fn unanswered_bytes(&self) -> usize {
        let in_work = self.slots.iter().map(|slot| slot.info.request_bytes);
        in_work.fold(self.queued_bytes, usize::saturating_add)
    }

    /// Queues a frame.
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.queued_bytes = self.queued_bytes.saturating_add(frame.len());
        self.queued.push_back(frame);
    }

    /// Takes the next frame if it may be handled now. Which API it is, is in its first two bytes.
    pub(crate) fn next_frame(&mut self) -> Option<Bytes> {
        let front = self.queued.front()?;
        let produce = front.get(..2) == Some(&[0, 0]);
        let free = self.slots.is_empty()
            || (produce
                && self
                    .slots
                    .iter()
                    .all(|slot| slot.info.api == ApiKey::Produce));
        if !free {
            return None;
        }
        let frame = self.queued.pop_front()?;
        self.queued_bytes = self.queued_bytes.saturating_sub(frame.len());
        Some(frame)
    }

    /// Opens a slot for a request in work.
    pub(crate) fn begin(&mut self, info: RequestInfo) -> u64 {
        let number = self.next_number;
        self.next_number = self.next_number.wrapping_add(1);
        self.slots.push_back(Slot {
            number,
            info,
            done: None,
        });
        number
    }

    /// What is known of a request in work.
    pub(crate) fn info(&self, number: u64) -> Option<&RequestInfo> {
        self.slots
            .iter()
            .find(|slot| slot.number == number && slot.done.is_none())
            .map(|slot| &slot.info)
    }

    /// The same, to change it.
    pub(crate) fn info_mut(&mut self, number: u64) -> Option<&mut RequestInfo> {
        self.slots
            .iter_mut()
            .find(|slot| slot.number == number && slot.done.is_none())
            .map(|slot| &mut slot.info)
    }

    /// Finishes a request, with or without a response. A second time is ignored.
    pub(crate) fn finish(&mut self, number: u64, response: Option<Frame>) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.number == number)
            && slot.done.is_none()
        {
            slot.done = Some(response);
        }
    }

    /// Takes the responses that may leave now, in order.
    pub(crate) fn take_finished(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while self.slots.front().is_some_and(|slot| slot.done.is_some()) {
            if let Some(Slot {
                done: Some(Some(frame)),
                ..
            }) = self.slots.pop_front()
            {
                frames.push(frame);
            }
        }
        frames
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: SortedMap<ConnectionId, Connection>,
}

impl Connections {
    /// Takes note of a new connection.
    pub(crate) fn open(&mut self, id: ConnectionId, peer: Peer) {
        self.open.insert(id, Connection::new(peer));
    }

    /// Forgets a connection with everything queued on it; whether it was there.
    pub(crate) fn close(&mut self, id: ConnectionId) -> bool {
        self.open.remove(&id).is_some()
    }

    /// One connection.
    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.open.get(&id)
    }

    /// One connection, to change it.
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.open.get_mut(&id)
    }

    /// The names of all connections.
    pub(crate) fn ids(&self) -> Vec<ConnectionId> {
        self.open.keys().copied().collect()
    }
}
