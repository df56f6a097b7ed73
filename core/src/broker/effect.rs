//! What the broker asks of its storage, and what storage answers.
//!
//! Storage knows logs and nothing else: chunks (one or more whole record batches, byte for byte),
//! index pages and one manifest per log. It decides nothing. The broker groups whatever waits into
//! one [`Write`], which is atomic; at most [`MAX_WRITES_IN_FLIGHT`] are under way.
//!
//! What a host must hold to:
//! - Writes take effect in the order they were issued. If one fails, all issued behind it fail too,
//!   so that no log gets a hole (HOST.md, "Guard").
//! - A reply arrives exactly once per effect, in any order between reads and writes; replies to
//!   writes arrive in order.
//! - After the reply to a [`ReadWhat::Chunks`] was handled, the chunks it named stay at hand until
//!   the outputs that follow are drained: responses refer to them by [`Segment::Stored`].
//!
//! [`Segment::Stored`]: super::Segment::Stored

use std::fmt;

use bytes::Bytes;

use crate::types::Uuid;

/// How many writes the broker keeps under way at once.
pub const MAX_WRITES_IN_FLIGHT: usize = 2;
/// The most bytes of chunks that the broker puts into one write, unless one chunk alone is larger.
pub const MAX_WRITE_BYTES: usize = 8 << 20;
/// The size to which waiting batches are gathered into one chunk.
pub const MAX_CHUNK_BYTES: usize = 1 << 20;

/// A log's identity: never the topic's name, so a re-created topic finds nothing of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// The topic's id.
    pub topic: Uuid,
    /// The partition's number.
    pub partition: i32,
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Something for the host's storage to do. Each is answered by one [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Report every log there is. The first effect of a broker, answered by [`Reply::Loaded`].
    Load,
    /// Change storage atomically, answered by [`Reply::Written`].
    Write(Write),
    /// Read, answered by [`Reply::Read`].
    Read(Read),
}

/// A set of changes that take effect together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Names the write in its reply; rises by one with each.
    pub id: u64,
    /// The changes, to be applied in this order.
    pub ops: Vec<WriteOp>,
    /// Whether clients' records are among them. All else is commits, metadata and deletes, for
    /// which a host may keep some room back.
    pub records: bool,
}

/// One change within a [`Write`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOp {
    /// Store a chunk under (log, base offset); replaces one of the same key.
    PutChunk {
        /// The log.
        log: LogId,
        /// The first batch's base offset: the chunk's key within the log.
        base_offset: i64,
        /// The chunk's content, to be concatenated.
        bytes: Vec<Bytes>,
    },
    /// Delete the chunks whose base offsets are in `from..to`.
    DeleteChunks {
        /// The log.
        log: LogId,
        /// The first base offset to delete.
        from: i64,
        /// One past the last base offset to delete.
        to: i64,
    },
    /// Store an index page under (log, base offset of its first chunk).
    PutPage {
        /// The log.
        log: LogId,
        /// The base offset of the page's first chunk.
        base_offset: i64,
        /// The page.
        bytes: Bytes,
    },
    /// Delete the index pages whose keys are in `from..to`.
    DeletePages {
        /// The log.
        log: LogId,
        /// The first key to delete.
        from: i64,
        /// One past the last key to delete.
        to: i64,
    },
    /// Store the log's manifest.
    PutManifest {
        /// The log.
        log: LogId,
        /// The manifest.
        bytes: Bytes,
    },
    /// Delete everything of a log: chunks, pages, manifest.
    DropLog {
        /// The log.
        log: LogId,
    },
}

/// A request to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Names the read in its reply; rises by one with each.
    pub id: u64,
    /// What is wanted.
    pub what: ReadWhat,
}

/// What a [`Read`] wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadWhat {
    /// These chunks, perhaps of several logs: what one Fetch answers with. Answered by
    /// [`ReadData::Chunks`] with one entry per chunk in the same order. If one of them is not
    /// there: [`StorageError::Missing`].
    Chunks(Vec<ChunkRef>),
    /// The log's index page with the largest key at or below `offset`, answered by
    /// [`ReadData::Page`]. Keys may be negative.
    Page {
        /// The log.
        log: LogId,
        /// The offset to look for.
        offset: i64,
    },
    /// The log's manifest as it is durable now and the key of its last chunk, answered by
    /// [`ReadData::Manifest`].
    Manifest {
        /// The log.
        log: LogId,
    },
}

/// A chunk to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkRef {
    /// The log.
    pub log: LogId,
    /// The chunk's key.
    pub base_offset: i64,
    /// How much of it the broker itself needs.
    pub detail: Detail,
}

/// How much of a chunk is handed to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Nothing: it is enough that the host has the chunk at hand.
    Ready,
    /// The 61-byte header of every batch in the chunk, concatenated.
    Headers,
    /// All bytes.
    Full,
}

/// Storage's answer to an [`Effect`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To [`Effect::Load`].
    Loaded(Result<Vec<StoredLog>, StorageError>),
    /// To [`Effect::Write`]: the write is durable, or nothing of it happened (or, for
    /// [`StorageError::Unknown`], either).
    Written {
        /// The write's id.
        id: u64,
        /// Whether it took effect.
        result: Result<(), StorageError>,
    },
    /// To [`Effect::Read`].
    Read {
        /// The read's id.
        id: u64,
        /// What was read.
        result: Result<ReadData, StorageError>,
    },
}

/// A log as storage knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLog {
    /// The log.
    pub log: LogId,
    /// Its manifest.
    pub manifest: Bytes,
    /// The key of its last chunk.
    pub last_chunk: Option<i64>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadData {
    /// One entry per chunk asked for: empty, the batch headers, or all bytes, as asked.
    Chunks(Vec<Bytes>),
    /// The key and content of the page, if there is one.
    Page(Option<(i64, Bytes)>),
    /// The manifest and the key of the last chunk, if there is such a log.
    Manifest(Option<StoredLog>),
}

/// Why storage could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageError {
    /// No room: the origin's quota or the disk is full. Nothing was written.
    QuotaExceeded(String),
    /// Another host has taken the database over: this one must stop.
    Fenced(String),
    /// The database was closed, deleted or taken away under the host.
    Closed(String),
    /// Something that must be there is not.
    Missing(String),
    /// Stored bytes make no sense, or come from a newer version.
    Corrupt(String),
    /// It is not known whether the write took effect.
    Unknown(String),
    /// Anything else.
    Other(String),
}

impl StorageError {
    /// The host's own words.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::QuotaExceeded(text)
            | Self::Fenced(text)
            | Self::Closed(text)
            | Self::Missing(text)
            | Self::Corrupt(text)
            | Self::Unknown(text)
            | Self::Other(text) => text,
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::QuotaExceeded(_) => "storage is full",
            Self::Fenced(_) => "another host has taken over",
            Self::Closed(_) => "the database is closed",
            Self::Missing(_) => "stored data is missing",
            Self::Corrupt(_) => "stored data cannot be read",
            Self::Unknown(_) => "the outcome of a write is unknown",
            Self::Other(_) => "storage failed",
        };
        write!(f, "{kind}: {}", self.message())
    }
}

impl std::error::Error for StorageError {}
