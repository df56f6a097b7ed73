//! Opening logs from their manifests, and reading them back after a failure.
//!
//! A manifest in a newer format stops the broker, in words that say so. One that is damaged takes
//! only its log out of service: it answers `KAFKA_STORAGE_ERROR`, and nothing of it is changed.
//!
//! A log that was read back is used again when a manifest with its next leader epoch is durable,
//! which also shows that storage can be written again.

use bytes::Bytes;

use super::LogNotice;
use super::encoding::FormatError;
use super::manifest::{Manifest, SNAPSHOT_KEY, decode_snapshot};
use super::partition::{PartitionLog, Phase, State};
use super::producer_state::Producers;
use super::walk::Walk;
use crate::broker::effect::{Detail, LogId, ReadData, ReadWhat, StorageError, StoredLog};
use crate::broker::{Broker, Lifecycle, Timer};
use crate::records::packed_headers;
use crate::types::Uuid;

/// After how long a log that could not be read back is tried again, in milliseconds.
const READ_BACK_AFTER: i64 = 500;

impl Broker {
    /// Storage has reported every log there is.
    pub(super) fn loaded(&mut self, result: Result<Vec<StoredLog>, StorageError>) {
        let stored = match result {
            Ok(stored) => stored,
            Err(why) => return self.fail(format!("the logs cannot be read: {why}")),
        };
        self.logs.opened_at = self.clock.wall().0;
        for stored in stored {
            let id = stored.log;
            let mut log = PartitionLog::new(id, 0);
            let apart = self.restore_log(&mut log, Some(stored));
            match apart {
                Ok(apart) => {
                    log.come_online();
                    self.logs.logs.insert(id, log);
                    if let Some(covers) = apart {
                        self.recover_producers(id, covers, false);
                    }
                }
                Err(FormatError::Newer(version)) => {
                    return self.fail(newer(version));
                }
                Err(damaged) => {
                    let why = StorageError::Corrupt(format!("the manifest of {id}: {damaged}"));
                    log.state = State::Offline {
                        why,
                        phase: Phase::Broken,
                    };
                    self.logs.logs.insert(id, log);
                }
            }
        }
        self.logs_restored();
    }

    /// Takes a log as storage has it.
    fn restore_log(
        &self,
        log: &mut PartitionLog,
        stored: Option<StoredLog>,
    ) -> Result<Option<i64>, FormatError> {
        let stored = match stored {
            None => None,
            Some(stored) => Some((
                Manifest::decode(log.id(), &stored.manifest)?,
                stored.last_chunk,
            )),
        };
        log.restore(stored, self.clock.wall().0)
    }

    /// Reads a failed log's manifest again. Also what its timer does.
    pub(in crate::broker) fn read_back(&mut self, log: LogId) {
        let Some(found) = self.logs.logs.get_mut(&log) else {
            return;
        };
        if found.phase() != Some(Phase::Waiting) {
            return;
        }
        found.set_phase(Phase::Reading);
        self.read(
            ReadWhat::Manifest { log },
            move |broker, result| match result {
                Ok(ReadData::Manifest(stored)) => broker.was_read_back(log, stored),
                Ok(_) => {
                    broker.read_back_failed(log, StorageError::Corrupt("not a manifest".to_owned()))
                }
                Err(why) => broker.read_back_failed(log, why),
            },
        );
    }

    /// Has a log that could not be read back wait for another try.
    fn read_back_failed(&mut self, log: LogId, why: StorageError) {
        if let StorageError::Fenced(_) = why {
            return self.fail(why.to_string());
        }
        let Some(found) = self.logs.logs.get_mut(&log) else {
            return;
        };
        found.state = State::Offline {
            why,
            phase: Phase::Waiting,
        };
        let deadline = self.clock.monotonic().after_millis(READ_BACK_AFTER);
        self.timers.schedule(deadline, Timer::ReadBack(log));
    }

    fn was_read_back(&mut self, log: LogId, stored: Option<StoredLog>) {
        let Some(mut found) = self.logs.logs.remove(&log) else {
            return;
        };
        let restored = self.restore_log(&mut found, stored);
        self.logs.logs.insert(log, found);
        match restored {
            Ok(Some(covers)) => self.recover_producers(log, covers, true),
            Ok(None) => self.catch_up(log),
            Err(FormatError::Newer(version)) => self.fail(newer(version)),
            Err(damaged) => self.log_broken(log, damaged.to_string()),
        }
    }

    /// What is stored of a log cannot be used.
    fn log_broken(&mut self, log: LogId, why: String) {
        if log.topic == Uuid::METADATA {
            return self.fail(format!("the metadata log cannot be read back: {why}"));
        }
        if let Some(found) = self.logs.logs.get_mut(&log) {
            found.state = State::Offline {
                why: StorageError::Corrupt(format!("{log}: {why}")),
                phase: Phase::Broken,
            };
            self.observe_log(log);
        }
    }

    /// After a failure of unknown outcome more may be durable than was known. Logs of hard state
    /// hand it to their owners before they are used again.
    fn catch_up(&mut self, log: LogId) {
        let Some(found) = self.logs.get(log) else {
            return;
        };
        let (known, end) = (found.known_end(), found.high_watermark());
        let hard = log.topic == Uuid::METADATA || self.topic_of(log).is_some_and(|t| t.internal);
        if !hard || end <= known {
            return self.announce(log);
        }
        self.walk(Walk {
            log,
            next: known,
            end,
            detail: Detail::Full,
            each: Box::new(move |broker, _, batches| {
                let notice = LogNotice::Replayed { log, batches };
                broker.logs.notices.push_back(notice);
                Ok(())
            }),
            done: Box::new(move |broker, result| match result {
                Ok(()) => broker.announce(log),
                Err(why) => broker.read_back_failed(log, why),
            }),
        });
    }

    /// The log is as storage has it; its next epoch has to become durable before it is used.
    fn announce(&mut self, log: LogId) {
        if let Some(found) = self.logs.logs.get_mut(&log) {
            found.announce();
            self.log_changed(log);
        }
    }

    /// Reads the producers' state that is stored apart, and the headers of the batches after it.
    fn recover_producers(&mut self, log: LogId, covers: i64, failed: bool) {
        if let Some(found) = self.logs.logs.get_mut(&log)
            && found.is_online()
        {
            found.state = State::Offline {
                why: StorageError::Other("the log is being opened".to_owned()),
                phase: Phase::Reading,
            };
        }
        let what = ReadWhat::Page {
            log,
            offset: SNAPSHOT_KEY,
        };
        self.read(what, move |broker, result| {
            let page = match result {
                Ok(ReadData::Page(Some((SNAPSHOT_KEY, page)))) => page,
                Ok(_) => return broker.log_broken(log, "a page is missing".to_owned()),
                Err(why) => return broker.read_back_failed(log, why),
            };
            match decode_snapshot(covers, &page) {
                Ok(producers) => broker.replay_producers(log, covers, producers, failed),
                Err(FormatError::Newer(version)) => broker.fail(newer(version)),
                Err(damaged) => broker.log_broken(log, damaged.to_string()),
            }
        });
    }

    fn replay_producers(&mut self, log: LogId, covers: i64, producers: Producers, failed: bool) {
        let Some(found) = self.logs.logs.get_mut(&log) else {
            return;
        };
        let end = found.high_watermark();
        let now = self.clock.wall().0;
        found.restore_producers(producers, now);
        self.walk(Walk {
            log,
            next: covers,
            end,
            detail: Detail::Headers,
            each: Box::new(move |broker, _, headers: Bytes| {
                let Some(found) = broker.logs.logs.get_mut(&log) else {
                    return Ok(());
                };
                for header in packed_headers(&headers) {
                    let header = header.map_err(|e| StorageError::Corrupt(e.to_string()))?;
                    if header.base_offset >= covers {
                        found.note_recovered(&header, now);
                    }
                }
                Ok(())
            }),
            done: Box::new(move |broker, result| match result {
                Err(why) => broker.read_back_failed(log, why),
                Ok(()) if failed => broker.catch_up(log),
                Ok(()) => broker.opened(log),
            }),
        });
    }

    /// A log that was being opened is complete. If the broker serves by now, the log was not there
    /// when all others began this opening's leader epoch.
    fn opened(&mut self, log: LogId) {
        let late = self.lifecycle == Lifecycle::Running;
        let epoch = self.metadata.leader_epoch();
        if let Some(found) = self.logs.logs.get_mut(&log) {
            found.come_online();
            if late {
                found.raise_epoch(epoch);
            }
            let high_watermark = found.high_watermark();
            let notice = LogNotice::Advanced {
                log,
                high_watermark,
            };
            self.logs.notices.push_back(notice);
            self.log_changed(log);
        }
    }
}

fn newer(version: u16) -> String {
    format!(
        "the database was written by a newer version of Partita (format {version}); \
         open it with that version"
    )
}
