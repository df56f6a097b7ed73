//! The sends under way, and what each is still waiting for.

use crate::sorted::SortedMap;

use super::super::OpId;
use super::super::error::ClientError;

/// What became of a send's records in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionResult {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the first of these records; −1 if the broker could not say.
    pub base_offset: i64,
    /// The broker's time, where that is the records' timestamp; −1 elsewhere.
    pub log_append_time: i64,
    /// The first offset of the partition's log; −1 if the broker did not say.
    pub log_start_offset: i64,
}

/// The sends whose results are not complete.
#[derive(Debug, Default)]
pub(super) struct Sends {
    sends: SortedMap<OpId, Send>,
}

#[derive(Debug, Default)]
struct Send {
    /// Parts that are not in batches yet, and shares of batches.
    outstanding: usize,
    results: Vec<PartitionResult>,
    error: Option<ClientError>,
}

/// How a send ended.
pub(super) type SendResult = Result<Vec<PartitionResult>, ClientError>;

impl Sends {
    pub(super) fn begin(&mut self, op: OpId, parts: usize) {
        let send = Send {
            outstanding: parts,
            ..Send::default()
        };
        self.sends.insert(op, send);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sends.is_empty()
    }

    /// The send waits for one thing more.
    pub(super) fn add(&mut self, op: OpId) {
        if let Some(send) = self.sends.get_mut(&op) {
            send.outstanding = send.outstanding.saturating_add(1);
        }
    }

    /// One thing less. Returns the send's end when it was the last.
    pub(super) fn finish(&mut self, op: OpId) -> Option<SendResult> {
        let send = self.sends.get_mut(&op)?;
        send.outstanding = send.outstanding.saturating_sub(1);
        if send.outstanding > 0 {
            return None;
        }
        let send = self.sends.remove(&op)?;
        Some(match send.error {
            Some(error) => Err(error),
            None => Ok(send.results),
        })
    }

    /// Records of the send were written.
    pub(super) fn written(&mut self, op: OpId, result: PartitionResult) {
        let Some(send) = self.sends.get_mut(&op) else {
            return;
        };
        let known = send
            .results
            .iter_mut()
            .find(|known| known.partition == result.partition && known.topic == result.topic);
        match known {
            // Its records took several batches: the first offset counts.
            Some(known) => {
                if result.base_offset >= 0 && known.base_offset >= 0 {
                    known.base_offset = known.base_offset.min(result.base_offset);
                }
            }
            None => send.results.push(result),
        }
    }

    /// Records of the send were not written, for this reason; the first counts.
    pub(super) fn failed(&mut self, op: OpId, error: ClientError) {
        if let Some(send) = self.sends.get_mut(&op) {
            send.error.get_or_insert(error);
        }
    }
}
