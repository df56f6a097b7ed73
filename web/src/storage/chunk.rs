//! Chunks as JavaScript buffers: into them, out of them, and what lies inside.

use bytes::Bytes;
use js_sys::Uint8Array;
use partita_core::broker::Detail;

use crate::num::{to_u32, to_usize};

/// A batch's header: 12 bytes to the end of the batch length, which counts what follows them.
const HEADER: usize = 61;
const LENGTH_AT: usize = 8;
const LENGTH_END: usize = 12;

/// Copies pieces out of wasm memory into one buffer of exactly their length.
///
/// Always a copy: a put of a view would store the whole wasm memory behind it.
pub(crate) fn copy_out(pieces: &[Bytes]) -> Uint8Array {
    if let [piece] = pieces {
        return Uint8Array::from(piece.as_ref());
    }
    let length = pieces.iter().map(Bytes::len).sum();
    let out = Uint8Array::new_with_length(to_u32(length));
    let mut at = 0;
    for piece in pieces {
        at = put(&out, at, piece);
    }
    out
}

/// Copies `piece` into `out` at `at`; returns where it ends.
pub(crate) fn put(out: &Uint8Array, at: u32, piece: &[u8]) -> u32 {
    let end = at.saturating_add(to_u32(piece.len()));
    out.subarray(at, end).copy_from(piece);
    end
}

/// What the broker wants of a chunk.
pub(crate) fn detail(chunk: &Uint8Array, detail: Detail) -> Bytes {
    match detail {
        Detail::Ready => Bytes::new(),
        Detail::Headers => headers(&chunk.to_vec()),
        Detail::Full => Bytes::from(chunk.to_vec()),
    }
}

/// The header of every batch in a chunk. Bytes that make no sense end the list: the broker
/// compares what it gets with the manifest.
fn headers(chunk: &[u8]) -> Bytes {
    let mut found = Vec::new();
    let mut rest = chunk;
    while let Some(header) = rest.get(..HEADER) {
        found.extend_from_slice(header);
        let length = header
            .get(LENGTH_AT..LENGTH_END)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u32::from_be_bytes);
        let next = LENGTH_END.saturating_add(to_usize(length));
        match rest.get(next.max(HEADER)..) {
            Some(after) => rest = after,
            None => break,
        }
    }
    Bytes::from(found)
}
