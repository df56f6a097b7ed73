//! Frames from a stream of bytes, as TCP delivers it: each has its length, four bytes, before it.

use bytes::{Buf as _, Bytes, BytesMut};

/// The largest frame taken, as Kafka's `socket.request.max.bytes` bounds what a broker takes. A
/// response is as large as its Fetch allows, 50 MiB by default; what claims more than this is no
/// response of a broker.
const MAX_FRAME: usize = 256 << 20;

/// Collects bytes until they are frames.
#[derive(Debug, Default)]
pub(crate) struct Deframer {
    buffer: BytesMut,
}

/// The stream is not one of frames: its connection must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoFrame;

impl Deframer {
    /// Takes what has arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, without its length.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, NoFrame> {
        let Some(length) = self.buffer.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| NoFrame)?;
        if length > MAX_FRAME {
            return Err(NoFrame);
        }
        if self.buffer.len() - 4 < length {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_however_the_stream_is_cut() {
        let stream = b"\0\0\0\x03abc\0\0\0\0\0\0\0\x02de";
        for cut in 0..stream.len() {
            let mut deframer = Deframer::default();
            let mut frames = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                deframer.push(part);
                while let Ok(Some(frame)) = deframer.next() {
                    frames.push(frame);
                }
            }
            assert_eq!(frames, [&b"abc"[..], b"", b"de"]);
        }
    }

    #[test]
    fn what_cannot_be_a_frame_is_refused_before_it_has_come() {
        for claimed in [-1, i32::MAX] {
            let mut deframer = Deframer::default();
            deframer.push(&claimed.to_be_bytes());
            assert_eq!(deframer.next(), Err(NoFrame));
        }
    }
}
