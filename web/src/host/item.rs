//! What passes through the host's queue, and how it is named to a person.

use js_sys::Uint8Array;
use partita_core::broker::{ConnectionId, Peer, Reply};
use partita_core::protocol::ApiKey;
use partita_core::time::Monotonic;

use super::connections::PortId;
use crate::storage::Completion;

/// One thing that happens.
#[derive(Debug)]
pub(crate) enum Item {
    /// A client connects.
    Connect {
        connection: ConnectionId,
        peer: Peer,
    },
    /// A request has come.
    Frame {
        connection: ConnectionId,
        frame: Uint8Array,
    },
    /// A client has gone.
    Disconnect { connection: ConnectionId },
    /// Storage has answered, to the engine of that generation.
    Stored {
        generation: u64,
        completion: Completion,
    },
    /// Storage says to that engine that it has no room for records, or some again.
    Room {
        generation: u64,
        none: Option<String>,
    },
    /// The broker's next deadline. `late`: it was put off once.
    Timeout { due: Monotonic, late: bool },
    /// A client's alarm.
    Wake {
        port: PortId,
        id: u32,
        due: Monotonic,
        late: bool,
    },
    /// A response leaves.
    Deliver {
        connection: ConnectionId,
        frame: Uint8Array,
    },
    /// The broker has closed a connection.
    Close {
        connection: ConnectionId,
        reason: &'static str,
    },
}

impl Item {
    /// Whether it goes on without a broker: clients' alarms do.
    pub(crate) fn is_client(&self) -> bool {
        matches!(self, Self::Wake { .. })
    }

    /// Whether it is that alarm of that port.
    pub(crate) fn is_alarm(&self, of: PortId, alarm: u32) -> bool {
        matches!(self, Self::Wake { port, id, .. } if *port == of && *id == alarm)
    }

    /// When it was due, if it is an alarm that was not put off yet.
    pub(crate) fn alarm_due(&self) -> Option<Monotonic> {
        if let Self::Timeout { due, late: false }
        | Self::Wake {
            due, late: false, ..
        } = self
        {
            return Some(*due);
        }
        None
    }

    /// Notes that it was put off.
    pub(crate) fn put_off(&mut self) {
        if let Self::Timeout { late, .. } | Self::Wake { late, .. } = self {
            *late = true;
        }
    }

    /// Says what it is, briefly enough to be noted before each.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Connect { connection, .. } => Kind::Connect(*connection),
            Self::Frame { connection, frame } => Kind::Frame(*connection, api(frame)),
            Self::Disconnect { connection } => Kind::Disconnect(*connection),
            Self::Stored { completion, .. } => match &completion.reply {
                Reply::Loaded(_) => Kind::Loaded,
                Reply::Written { id, result } => Kind::Written(*id, result.is_ok()),
                Reply::Read { id, result } => Kind::Read(*id, result.is_ok()),
            },
            Self::Room { none, .. } => Kind::Room(none.is_none()),
            Self::Timeout { .. } => Kind::Timeout,
            Self::Wake { .. } => Kind::Wake,
            Self::Deliver { connection, frame } => Kind::Deliver(*connection, frame.length()),
            Self::Close { connection, .. } => Kind::Close(*connection),
        }
    }
}

/// The API key at the beginning of a request.
fn api(frame: &Uint8Array) -> i16 {
    match frame.length() {
        0 | 1 => -1,
        _ => i16::from_be_bytes([frame.get_index(0), frame.get_index(1)]),
    }
}

/// An item, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect(ConnectionId),
    Frame(ConnectionId, i16),
    Disconnect(ConnectionId),
    Loaded,
    Written(u64, bool),
    Read(u64, bool),
    Room(bool),
    Timeout,
    Wake,
    Deliver(ConnectionId, u32),
    Close(ConnectionId),
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(id) => write!(f, "a client connects (connection {})", id.0),
            Self::Frame(id, api) => match ApiKey::try_from(*api) {
                Ok(api) => write!(f, "{} request on connection {}", api.name(), id.0),
                Err(_) => write!(f, "request {api} on connection {}", id.0),
            },
            Self::Disconnect(id) => write!(f, "a client disconnects (connection {})", id.0),
            Self::Loaded => write!(f, "storage has listed its logs"),
            Self::Written(id, true) => write!(f, "write {id} is durable"),
            Self::Written(id, false) => write!(f, "write {id} has failed"),
            Self::Read(id, true) => write!(f, "read {id} has answered"),
            Self::Read(id, false) => write!(f, "read {id} has failed"),
            Self::Room(false) => write!(f, "storage has no more room for records"),
            Self::Room(true) => write!(f, "storage has room for records again"),
            Self::Timeout => write!(f, "a deadline of the broker"),
            Self::Wake => write!(f, "a deadline of a client"),
            Self::Deliver(id, bytes) => {
                write!(f, "a response of {bytes} bytes on connection {}", id.0)
            }
            Self::Close(id) => write!(f, "the broker closes connection {}", id.0),
        }
    }
}
