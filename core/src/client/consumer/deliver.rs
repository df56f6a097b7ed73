//! From an answer to Fetch into the host's hands, and back.

use super::super::error::ClientError;
use super::super::retry::{Retry, Verdict};
use super::batch::{BatchId, Chunk, FetchedBatch};
use super::event::Origin;
use super::partitions::Position;
use super::{Consumer, ConsumerEvent};
use crate::protocol::ErrorCode;
use crate::protocol::messages::fetch::PartitionData;
use crate::records::BatchError;
use crate::time::Now;
use crate::types::TopicPartition;

impl Consumer {
    /// Hands out records of the partition that has waited the longest, if there are any, and if
    /// it is certain that it is [still assigned](Consumer::may_have_lost).
    ///
    /// A partition has one batch in the host's hands at a time. The host reports what it has
    /// processed by [`Consumer::mark_processed`], and ends the batch by [`Consumer::complete`] or
    /// [`Consumer::release`]; only then more of the partition is handed out. A host that processes
    /// at once may complete at once.
    pub fn poll(&mut self, now: Now) -> Option<FetchedBatch> {
        let now = self.clock(now);
        if !self.is_running() || self.is_in_doubt(now) {
            return None;
        }
        loop {
            let pauses = &self.pauses;
            let next = self
                .partitions
                .next_batch(now.monotonic, |name| !pauses.contains(name));
            let (name, id, first, chunk) = next?;
            if self.config.check_crcs
                && let Err(error) = chunk.check_crcs()
            {
                self.partitions.take_back(id);
                self.damaged(now, &name, first, &error);
                if !self.is_running() {
                    return None;
                }
                continue;
            }
            if let Some(partition) = self.partitions.get_mut(&name) {
                partition.trouble = None;
            }
            let batch = chunk.deliver(id, name.topic, name.partition, first);
            // There is room in the buffer now.
            self.advance_own(now);
            return Some(batch);
        }
    }

    /// Whether [`Consumer::poll`] has something to hand out, as far as can be seen without looking
    /// into it.
    #[must_use]
    pub fn has_records(&self, now: Now) -> bool {
        let mut partitions = self.partitions.iter();
        let any = partitions
            .any(|(name, it)| it.is_deliverable(now.monotonic) && !self.pauses.contains(name));
        any && self.is_running() && !self.is_in_doubt(now)
    }

    /// The host has processed everything of a batch below `next_offset`. That is what is committed
    /// by automatic commits. It may go back. Returns false if the batch does not count any more,
    /// because its partition was given up or sought elsewhere.
    pub fn mark_processed(&mut self, now: Now, id: BatchId, next_offset: i64) -> bool {
        let now = self.clock(now);
        let counts = self.note_processed(id, next_offset);
        if counts && self.auto_commit_is_due(now) {
            self.advance_own(now);
        }
        counts
    }

    /// As [`Consumer::mark_processed`], for a host that looks for due commits itself
    /// ([`Consumer::commit_if_due`]): cheap enough to be called for each record.
    pub fn note_processed(&mut self, id: BatchId, next_offset: i64) -> bool {
        let Some(partition) = self.partitions.of_batch(id) else {
            return false;
        };
        let Some(held) = partition.current(id) else {
            return false;
        };
        held.processed = Some(next_offset);
        partition.processed = Some(next_offset);
        partition.failures = None;
        true
    }

    /// Whether the host should go on with a batch. If not, because its partition was given up,
    /// sought elsewhere or paused, or the consumer ends, it [releases](Consumer::release) it.
    #[must_use]
    pub fn may_go_on(&self, id: BatchId) -> bool {
        let Some(name) = self.partitions.name_of_batch(id) else {
            return false;
        };
        let stays = self.partitions.get(name).is_some_and(|it| !it.revoking);
        self.is_running() && stays && !self.is_stale(id) && !self.pauses.contains(name)
    }

    /// Whether nobody knows, until the coordinator is heard of, if this member still has its
    /// partitions, because it has not been for as long as a session lasts. [`Consumer::poll`]
    /// hands out nothing then; a host should not go on with what it has in hand either.
    #[must_use]
    pub fn may_have_lost(&self, now: Now) -> bool {
        self.is_running() && self.is_in_doubt(now)
    }

    /// Whether a batch's partition is being given up, or was: KafkaJS's `heartbeat()` says so.
    #[must_use]
    pub fn is_going(&self, id: BatchId) -> bool {
        let name = self.partitions.name_of_batch(id);
        let partition = name.and_then(|name| self.partitions.get(name));
        partition.is_none_or(|it| it.revoking)
    }

    /// The host is done with a batch, and has processed all of it.
    pub fn complete(&mut self, now: Now, id: BatchId) {
        let now = self.clock(now);
        if let Some((name, held)) = self.partitions.take_back(id)
            && let Some(partition) = self.partitions.get_mut(&name)
        {
            partition.processed = Some(held.next);
            partition.failures = None;
            partition.skip_empty();
        }
        self.advance_own(now);
    }

    /// The host is done with a batch, and wants what it has not
    /// [processed](Consumer::mark_processed) of it again.
    pub fn release(&mut self, now: Now, id: BatchId) {
        let now = self.clock(now);
        self.give_back(id);
        self.advance_own(now);
    }

    /// As [`Consumer::release`], after the host has failed to process the next record: it gets it
    /// again after a wait that grows from failure to failure, as often as
    /// [`ConsumerConfig::retry`](super::ConsumerConfig::retry) says.
    ///
    /// # Errors
    /// That it has failed too often by now; `error` is the cause. The host then stops the consumer,
    /// and starts it again if that is to be.
    pub fn failed(&mut self, now: Now, id: BatchId, error: ClientError) -> Result<(), ClientError> {
        let now = self.clock(now);
        let mut verdict = Ok(());
        if let Some(partition) = self.partitions.of_batch(id)
            && partition.current(id).is_some()
        {
            let (config, rng) = (&self.config.retry, &mut self.rng);
            let failures = partition
                .failures
                .get_or_insert_with(|| Retry::new(config, rng, now.monotonic));
            if let Verdict::GiveUp(last) = failures.failed(config, rng, now.monotonic, error) {
                verdict = Err(last);
            }
        }
        self.give_back(id);
        self.advance_own(now);
        verdict
    }

    /// Takes a batch back and goes on after what was processed of it.
    fn give_back(&mut self, id: BatchId) {
        if let Some((name, held)) = self.partitions.take_back(id) {
            let next = held.processed.unwrap_or(held.first);
            if next != held.next {
                self.place_at(&name, next, Origin::Released);
            } else if let Some(partition) = self.partitions.get_mut(&name) {
                partition.skip_empty();
            }
        }
    }

    /// Whether a batch does not count any more: its partition was given up or sought elsewhere.
    #[must_use]
    pub fn is_stale(&self, id: BatchId) -> bool {
        self.partitions.is_stale(id)
    }

    /// A batch could not be decoded: the consumer crashes, because fetching it again would bring
    /// the same.
    pub fn corrupt(&mut self, now: Now, id: BatchId, error: &BatchError) {
        let now = self.clock(now);
        if let Some((name, held)) = self.partitions.take_back(id) {
            let next = held.processed.unwrap_or(held.first);
            self.partitions.place(&name, Position::At(next));
            let error = damage(&name, held.first, error);
            self.crash(now, error.into_non_retriable());
        }
        self.advance_own(now);
    }

    /// Takes in one partition's part of an answer, fetched from `offset`; returns whether there
    /// were records.
    pub(super) fn take_partition(
        &mut self,
        now: Now,
        name: &TopicPartition,
        offset: i64,
        data: PartitionData,
    ) -> bool {
        let code = data.error_code;
        if code.is_error() {
            self.partition_refused(now, name, offset, &data);
            return false;
        }
        let Some(partition) = self.partitions.get_mut(name) else {
            return false;
        };
        partition.high_watermark = Some(data.high_watermark);
        partition.last_stable_offset = Some(data.last_stable_offset).filter(|it| *it >= 0);
        partition.log_start_offset = Some(data.log_start_offset).filter(|it| *it >= 0);
        let bytes = data.records.bytes().cloned().unwrap_or_default();
        if bytes.is_empty() {
            partition.trouble = None;
            return false;
        }
        let aborted = data.aborted_transactions.unwrap_or_default();
        match Chunk::read(bytes, offset, self.config.isolation, aborted) {
            Ok(chunk) => {
                let any = !chunk.batches.is_empty();
                if chunk.next_offset > offset {
                    partition.buffer.push_back(Chunk {
                        high_watermark: data.high_watermark,
                        last_stable_offset: data.last_stable_offset,
                        log_start_offset: data.log_start_offset,
                        ..chunk
                    });
                    partition.skip_empty();
                }
                any
            }
            Err(error) => {
                self.damaged(now, name, offset, &error);
                false
            }
        }
    }

    /// A partition's part of an answer is an error.
    fn partition_refused(
        &mut self,
        now: Now,
        name: &TopicPartition,
        offset: i64,
        data: &PartitionData,
    ) {
        let code = data.error_code;
        if code == ErrorCode::OFFSET_OUT_OF_RANGE {
            self.out_of_range(now, name, offset);
            return;
        }
        let leader = &data.current_leader;
        if leader.leader_id >= 0 {
            let metadata = self.cluster.metadata_mut();
            metadata.leader_changed(
                &name.topic,
                name.partition,
                leader.leader_id,
                leader.leader_epoch,
            );
        }
        let error = ClientError::protocol_about(code, None, &name.to_string());
        if error.retriable {
            self.cluster.refresh_metadata(now);
        }
        self.partition_failed(now, name, error);
    }

    /// What was fetched is damaged: it is fetched again, because it may have been on the way.
    fn damaged(&mut self, now: Now, name: &TopicPartition, offset: i64, error: &BatchError) {
        // Placing forgets earlier failures, which count on here.
        let trouble = self
            .partitions
            .get_mut(name)
            .and_then(|it| it.trouble.take());
        self.partitions.place(name, Position::At(offset));
        if let Some(partition) = self.partitions.get_mut(name) {
            partition.trouble = trouble;
        }
        self.partition_failed(now, name, damage(name, offset, error));
    }

    /// Something about a partition has failed: it is tried again after a while, or the consumer
    /// crashes.
    pub(super) fn partition_failed(&mut self, now: Now, name: &TopicPartition, error: ClientError) {
        let Some(partition) = self.partitions.get_mut(name) else {
            return;
        };
        let (config, rng) = (&self.config.retry, &mut self.rng);
        let retry = partition
            .trouble
            .get_or_insert_with(|| Retry::new(config, rng, now.monotonic));
        if let Verdict::GiveUp(error) = retry.failed(config, rng, now.monotonic, error) {
            partition.trouble = None;
            self.crash(now, error);
        }
    }

    /// A partition's leader is not known.
    pub(super) fn no_leader(&mut self, now: Now, name: &TopicPartition) {
        let metadata = self.cluster.metadata();
        let known = metadata.topic(&name.topic).is_some();
        if !known && metadata.topic_error(&name.topic).is_none() {
            // The question is under way since the topic became of interest.
            return;
        }
        let code = metadata.why_no_leader(name);
        self.cluster.refresh_metadata(now);
        self.partition_failed(
            now,
            name,
            ClientError::protocol_about(code, None, &name.to_string()),
        );
    }

    /// Sets a position.
    pub(super) fn place_at(&mut self, name: &TopicPartition, offset: i64, origin: Origin) {
        self.partitions.place(name, Position::At(offset));
        self.tell(ConsumerEvent::Positioned {
            partition: name.clone(),
            offset,
            origin,
        });
    }
}

fn damage(name: &TopicPartition, offset: i64, error: &BatchError) -> ClientError {
    let words = format!("from offset {offset}: {error}");
    ClientError::protocol_about(ErrorCode::CORRUPT_MESSAGE, Some(&words), &name.to_string())
}
