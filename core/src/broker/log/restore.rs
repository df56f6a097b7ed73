//! How a log fails and comes back: as storage has it, under a new leader epoch.

use super::encoding::FormatError;
use super::manifest::{Manifest, Snapshot};
use super::partition::{PartitionLog, Phase, State};
use super::producer_state::Producers;
use crate::broker::effect::StorageError;
use crate::records::BatchHeader;
use crate::sabotage::{Rule, broken};

impl PartitionLog {
    /// A write failed: whatever is not known to be durable is gone, and the log is offline.
    pub(super) fn fail(&mut self, why: StorageError) {
        let patient = self.phase() == Some(Phase::Announcing);
        self.incarnation = self.incarnation.wrapping_add(1);
        self.generation = self.generation.wrapping_add(1);
        self.staged.clear();
        self.staged_bytes = 0;
        self.replacement = None;
        self.changed = false;
        self.log_end = self.high_watermark;
        self.state = State::Offline {
            why,
            phase: Phase::Draining { patient },
        };
    }

    /// A write of a failed log has been answered.
    pub(super) fn drained(&mut self) {
        self.writes = self.writes.saturating_sub(1);
        if self.writes == 0 {
            self.replacing = false;
        }
    }

    /// Where it is on its way back.
    pub(super) fn set_phase(&mut self, to: Phase) {
        if let State::Offline { phase, .. } = &mut self.state {
            *phase = to;
        }
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        match &self.state {
            State::Online => None,
            State::Offline { phase, .. } => Some(*phase),
        }
    }

    /// Takes the log as storage has it: at opening, or after a failure.
    ///
    /// Returns the offset from which batch headers have to be read for the producers' state, if
    /// that is stored apart.
    ///
    /// # Errors
    /// [`FormatError`]: the manifest is not that of a log whose durable records are all there. The
    /// log is unchanged then.
    pub(super) fn restore(
        &mut self,
        stored: Option<(Manifest, Option<i64>)>,
        now: i64,
    ) -> Result<Option<i64>, FormatError> {
        let (manifest, last_chunk) = match stored {
            Some((manifest, last_chunk)) => (manifest, last_chunk),
            None => (Manifest::empty(self.id), None),
        };
        if manifest.index.last().map(|chunk| chunk.base) != last_chunk {
            return Err(FormatError::Damaged(
                "the last chunk is not the one it names",
            ));
        }
        if manifest.log_end < self.high_watermark {
            return Err(FormatError::Damaged("durable records are missing"));
        }
        let apart = match &manifest.producers {
            Snapshot::Inline(_) => None,
            Snapshot::Page(covers) => Some(*covers),
        };
        // The next write renews it.
        // The next write renews it.
        self.snapshot = apart.map(|covers| (covers, u32::MAX));
        self.leader_epoch = self.leader_epoch.max(manifest.leader_epoch);
        self.stored_epoch = Some(manifest.leader_epoch);
        self.log_start = manifest.log_start;
        self.durable_start = manifest.log_start;
        self.high_watermark = manifest.log_end;
        self.log_end = match broken(Rule::NoHoles) {
            true => manifest.log_end.saturating_add(1),
            false => manifest.log_end,
        };
        self.opened_end = manifest.log_end;
        self.epochs = manifest.epochs;
        self.deleted_to = manifest.index.first();
        self.pages_deleted_to = manifest.index.first_page();
        self.index = manifest.index;
        if let Snapshot::Inline(producers) = manifest.producers {
            self.restore_producers(producers, now);
        }
        Ok(apart)
    }

    /// Takes the producers' state as it is durable, and remembers what a failure took from them.
    pub(super) fn restore_producers(&mut self, mut durable: Producers, now: i64) {
        if broken(Rule::ProducersAreKnown) {
            durable = Producers::default();
        }
        durable.bound_timestamps(now);
        self.written_producers = durable.clone();
        let end = self.high_watermark;
        let lost = self.not_durable.iter().filter(|b| b.last_offset() >= end);
        let before = std::mem::take(&mut self.producers);
        self.producers = durable;
        self.producers.note_lost(before, lost, now);
        self.not_durable.clear();
    }

    /// Notes a batch that came after the producers' state that was stored apart.
    pub(super) fn note_recovered(&mut self, batch: &BatchHeader, now: i64) {
        let mut batch = *batch;
        batch.max_timestamp = batch.max_timestamp.min(now);
        self.producers.replay(&batch);
        self.written_producers.replay(&batch);
    }

    /// Can be used, again or for the first time.
    pub(super) fn come_online(&mut self) {
        self.state = State::Online;
        self.announced_epoch = self.leader_epoch;
        self.known_end = self.high_watermark;
    }

    /// Comes back after a failure, under the next epoch.
    pub(super) fn announce(&mut self) {
        self.begin_epoch(self.leader_epoch.saturating_add(1), false);
        self.set_phase(Phase::Announcing);
    }
}
