//! A response, assembled outside wasm memory: stored bytes are copied once, from their chunk.

use js_sys::Uint8Array;
use partita_core::broker::{Frame, Segment};

use crate::num::to_u32;
use crate::storage::Chunk;

/// The frame's bytes in a buffer of their own, which can be transferred. `None` if a chunk that it
/// refers to is not at hand, or shorter than it should be.
pub(crate) fn assemble(frame: &Frame, at_hand: &[Chunk]) -> Option<Uint8Array> {
    if let [Segment::Bytes(bytes)] = frame.segments.as_slice() {
        return Some(Uint8Array::from(bytes.as_ref()));
    }
    let out = Uint8Array::new_with_length(to_u32(frame.len()));
    let mut at: u32 = 0;
    for segment in &frame.segments {
        let end = match segment {
            Segment::Bytes(bytes) => {
                let end = at.checked_add(to_u32(bytes.len()))?;
                out.subarray(at, end).copy_from(bytes);
                end
            }
            Segment::Stored { log, chunk, range } => {
                let named = |(l, c, _): &&Chunk| l == log && c == chunk;
                let (_, _, bytes) = at_hand.iter().find(named)?;
                if range.end > bytes.length() {
                    return None;
                }
                out.set(&bytes.subarray(range.start, range.end), at);
                at.checked_add(range.end.checked_sub(range.start)?)?
            }
        };
        at = end;
    }
    Some(out)
}
