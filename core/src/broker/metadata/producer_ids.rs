//! Producer ids, handed out from blocks. A block is durable before its first id leaves, so that an
//! id never repeats, whatever happens (KIP-730).

use super::Metadata;
use crate::broker::Broker;
use crate::broker::hard::Continuation;
use crate::broker::metadata::METADATA_LOG;
use crate::protocol::ErrorCode;
use crate::protocol::internal::metadata_records::ProducerIdsRecord;

/// How many ids a block has, as in Kafka.
const BLOCK_SIZE: i64 = 1_000;

/// The block in use, and where the next one begins.
#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    /// The next id to hand out, and one past the last of the block.
    block: Option<(i64, i64)>,
    /// Where the next block begins, pending ones counted.
    next_block: i64,
    /// The same, durable ones only.
    durable_next: i64,
}

impl ProducerIds {
    fn take(&mut self) -> Option<i64> {
        let (next, end) = self.block?;
        if next >= end {
            return None;
        }
        self.block = Some((next.saturating_add(1), end));
        Some(next)
    }

    /// Everything below `next` has been given to some block.
    pub(super) fn note_durable(&mut self, next: i64) {
        self.durable_next = self.durable_next.max(next);
        self.next_block = self.next_block.max(next);
    }

    /// Blocks that were pending are lost.
    pub(super) fn rollback(&mut self) {
        self.next_block = self.durable_next;
    }
}

impl Metadata {
    /// Takes a producer id from the block in use, if one is left.
    fn take_producer_id(&mut self) -> Option<i64> {
        self.producer_ids.take()
    }
}

impl Broker {
    /// Gives `then` a producer id that was never given to anyone, once its block is durable.
    pub(crate) fn with_producer_id(
        &mut self,
        then: impl FnOnce(&mut Self, Result<i64, ErrorCode>) + 'static,
    ) {
        if let Some(id) = self.metadata.take_producer_id() {
            return then(self, Ok(id));
        }
        let from = self.metadata.producer_ids.next_block;
        let to = from.saturating_add(BLOCK_SIZE);
        let record = ProducerIdsRecord {
            broker_id: self.config.node_id(),
            broker_epoch: self.metadata.broker_epoch,
            next_producer_id: to,
        };
        if let Err(error) = self.append_metadata(&[record.into()]) {
            return then(self, Err(error));
        }
        self.metadata.producer_ids.next_block = to;
        let waiting: Continuation = Box::new(move |broker, written| {
            if written.is_err() {
                return then(broker, Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS));
            }
            // Several may have asked for a block at once: what is left of the older one is lost,
            // as at every restart.
            if broker
                .metadata
                .producer_ids
                .block
                .is_none_or(|(next, end)| next >= end)
            {
                broker.metadata.producer_ids.block = Some((from, to));
            }
            match broker.metadata.take_producer_id() {
                Some(id) => then(broker, Ok(id)),
                None => then(broker, Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)),
            }
        });
        self.when_durable(METADATA_LOG, waiting);
    }
}
