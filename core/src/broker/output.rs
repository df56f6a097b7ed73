//! What the broker hands to its host: responses, storage effects, connections to close.

use std::ops::Range;

use bytes::Bytes;

use super::connection::ConnectionId;
use super::effect::{Effect, LogId};

/// Something the host must do, in the order polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a response frame.
    Response {
        /// To whom.
        connection: ConnectionId,
        /// The frame, without its length prefix.
        frame: Frame,
    },
    /// Do something with storage and answer with `Broker::handle_storage`.
    Effect(Effect),
    /// Send what was polled before, then close the connection. The broker has forgotten it.
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why, in words for a log or a person.
        reason: &'static str,
    },
}

/// A response as a list of pieces, so that stored records need not pass through the broker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The pieces, in order.
    pub segments: Vec<Segment>,
}

impl Frame {
    /// The length in bytes of the whole frame.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments.iter().fold(0, |sum, segment| {
            sum.saturating_add(match segment {
                Segment::Bytes(bytes) => bytes.len(),
                Segment::Stored { range, .. } => {
                    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
                }
            })
        })
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A piece of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Bytes made by the broker.
    Bytes(Bytes),
    /// A part of a stored chunk.
    Stored {
        /// The log.
        log: LogId,
        /// The chunk's key: its base offset.
        chunk: i64,
        /// The bytes within the chunk.
        range: Range<u32>,
    },
}
