//! A log's manifest: everything that must be known of it to open it again, in one small value that
//! each write of the log replaces.
//!
//! It has the log's bounds, the index's tail, the leader epochs and what is known of idempotent
//! producers. That last part is in the manifest itself while it is small; with many producers it
//! is a page of its own under a key below all offsets, renewed now and then, and opening reads the
//! headers of the batches that came after it.
//!
//! A manifest in a newer format than ours is refused: see [`super::encoding`].

use bytes::Bytes;

use super::encoding::{Decoder, Encoder, FormatError};
use super::epoch::Epochs;
use super::index::Index;
use super::producer_state::Producers;
use crate::broker::effect::LogId;
use crate::types::Uuid;

/// The newest format of manifests, and the one we write.
pub(super) const MANIFEST_FORMAT: u16 = 1;

const SNAPSHOT_FORMAT: u16 = 1;

/// The key of the page with the producers' state.
pub(super) const SNAPSHOT_KEY: i64 = -1;

/// With how many producers their state still goes into the manifest.
pub(super) const INLINE_PRODUCERS: usize = 64;

/// What a manifest says about producers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Snapshot<P> {
    /// Their state at the log's end.
    Inline(P),
    /// Their state as of this offset is in the page [`SNAPSHOT_KEY`].
    Page(i64),
}

/// A manifest; `I`, `E` and `P` are owned when read and borrowed when written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest<I = Index, E = Epochs, P = Producers> {
    pub(super) log: LogId,
    pub(super) leader_epoch: i32,
    pub(super) log_start: i64,
    pub(super) log_end: i64,
    pub(super) index: I,
    pub(super) epochs: E,
    pub(super) producers: Snapshot<P>,
}

impl Manifest<&Index, &Epochs, &Producers> {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = Encoder::new(MANIFEST_FORMAT);
        out.raw(&self.log.topic.0);
        out.number(i64::from(self.log.partition));
        out.number(i64::from(self.leader_epoch));
        out.number(self.log_start);
        out.number(self.log_end);
        self.index.encode(&mut out);
        self.epochs.encode(&mut out);
        match self.producers {
            Snapshot::Inline(producers) => {
                out.number(-1);
                producers.encode(&mut out);
            }
            Snapshot::Page(covers) => out.number(covers),
        }
        out.finish()
    }
}

impl Manifest {
    /// What a log that was never written would say.
    pub(super) fn empty(log: LogId) -> Self {
        Self {
            log,
            leader_epoch: 0,
            log_start: 0,
            log_end: 0,
            index: Index::default(),
            epochs: Epochs::default(),
            producers: Snapshot::Inline(Producers::default()),
        }
    }

    /// Reads the manifest of a log.
    ///
    /// # Errors
    /// [`FormatError`], also if it is another log's or contradicts itself.
    pub(super) fn decode(log: LogId, bytes: &[u8]) -> Result<Self, FormatError> {
        let mut input = Decoder::open(bytes, MANIFEST_FORMAT)?;
        let named = LogId {
            topic: Uuid(input.raw()?),
            partition: input.narrow()?,
        };
        if named != log {
            return Err(FormatError::Damaged("it is the manifest of another log"));
        }
        let manifest = Self {
            log,
            leader_epoch: input.narrow()?,
            log_start: input.number()?,
            log_end: input.number()?,
            index: Index::decode(&mut input)?,
            epochs: Epochs::decode(&mut input)?,
            producers: match input.number()? {
                -1 => Snapshot::Inline(Producers::decode(&mut input)?),
                covers => Snapshot::Page(covers),
            },
        };
        input.end()?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), FormatError> {
        let bounds = 0 <= self.log_start && self.log_start <= self.log_end;
        let last = self.index.last();
        if bounds && last.is_none_or(|chunk| chunk.end() == self.log_end) {
            Ok(())
        } else {
            Err(FormatError::Damaged("its offsets contradict each other"))
        }
    }
}

/// The page with the producers' state as of the offset it `covers`.
pub(super) fn encode_snapshot(covers: i64, producers: &Producers) -> Bytes {
    let mut out = Encoder::new(SNAPSHOT_FORMAT);
    out.number(covers);
    producers.encode(&mut out);
    out.finish()
}

/// Reads the page with the producers' state; it must be as of the offset that the manifest says.
pub(super) fn decode_snapshot(covers: i64, bytes: &[u8]) -> Result<Producers, FormatError> {
    let mut input = Decoder::open(bytes, SNAPSHOT_FORMAT)?;
    if input.number()? != covers {
        return Err(FormatError::Damaged(
            "the producers' state is of another time",
        ));
    }
    let producers = Producers::decode(&mut input)?;
    input.end()?;
    Ok(producers)
}
