//! Opening: metadata is replayed, then logs are brought in line with it, then the broker registers
//! under a new epoch. When that is durable it serves.
//!
//! What a crash cut short is done again here: logs of topics that metadata does not know are
//! dropped, logs that are missing are made.

use bytes::Bytes;

use super::METADATA_LOG;
use super::state::{CLUSTER_ID, Key, RESOURCE_BROKER, decode_record};
use crate::broker::effect::LogId;
use crate::broker::log::ReplayFailed;
use crate::broker::{Broker, Lifecycle};
use crate::protocol::internal::metadata::MetadataRecord;
use crate::protocol::internal::metadata_records::{ConfigRecord, RegisterBrokerRecord};
use crate::records::{Batches, DEFAULT_DECOMPRESSED_LIMIT};
use crate::types::Uuid;

impl Broker {
    /// Storage has reported its logs: reads the metadata, or starts with none.
    pub(in crate::broker) fn logs_restored(&mut self) {
        if self.restored_logs().contains(&METADATA_LOG) {
            self.replay(METADATA_LOG);
        } else {
            self.create_log(METADATA_LOG, 0);
            self.register();
        }
    }

    /// Applies batches of the metadata log.
    pub(in crate::broker) fn metadata_replayed(&mut self, log: LogId, batches: &Bytes) {
        if log != METADATA_LOG {
            return;
        }
        if let Err(why) = self.apply_metadata_batches(batches) {
            self.fail(format!("the metadata log cannot be read: {why}"));
        }
    }

    fn apply_metadata_batches(&mut self, batches: &Bytes) -> Result<(), String> {
        for batch in Batches::new(batches.clone()) {
            let batch = batch.map_err(|error| error.to_string())?;
            let records = batch
                .records(DEFAULT_DECOMPRESSED_LIMIT)
                .map_err(|error| error.to_string())?;
            for record in records {
                let record = record.map_err(|error| error.to_string())?;
                let decoded = record.value.and_then(decode_record).ok_or_else(|| {
                    format!("the record at offset {} is of no known form", record.offset)
                })?;
                self.metadata.note_durable(record.offset, &decoded);
            }
        }
        Ok(())
    }

    /// All metadata is here: brings the logs in line and registers under a new epoch.
    pub(in crate::broker) fn metadata_replay_ended(
        &mut self,
        log: LogId,
        result: &Result<(), ReplayFailed>,
    ) {
        if log != METADATA_LOG || self.lifecycle != Lifecycle::Recovering {
            return;
        }
        if let Err(ReplayFailed(why)) = result {
            return self.fail(format!("the metadata log cannot be read: {why}"));
        }
        self.metadata.refresh_cluster(&mut self.config);
        let restored = self.restored_logs();
        // Makes the logs that are missing: `create_log` leaves alone what is there.
        self.refresh_topics();
        for log in restored {
            if log != METADATA_LOG
                && self
                    .topic_of(log)
                    .and_then(|t| t.log(log.partition))
                    .is_none()
            {
                self.drop_log(log);
            }
        }
        self.register();
    }

    /// Appends this opening's registration. Nothing is served before it is durable: its epoch is
    /// the lower bound of all leader epochs.
    fn register(&mut self) {
        let node = self.config.node_id();
        let known = self.metadata.state.durable(&Key::Broker(node));
        let epoch = match known {
            // A log that failed has gone through epochs of its own.
            Some(MetadataRecord::RegisterBroker(record)) => record
                .broker_epoch
                .max(i64::from(self.logs.max_leader_epoch()))
                .saturating_add(1),
            _ => 0,
        };
        let mut records: Vec<MetadataRecord> = vec![
            RegisterBrokerRecord {
                broker_id: node,
                incarnation_id: self.rng.uuid(),
                broker_epoch: epoch,
                fenced: false,
                rack: None,
                ..RegisterBrokerRecord::default()
            }
            .into(),
        ];
        if self.metadata.cluster_id.is_none() {
            let id: Uuid = self.rng.uuid();
            records.push(
                ConfigRecord {
                    resource_type: RESOURCE_BROKER,
                    resource_name: String::new(),
                    name: CLUSTER_ID.to_owned(),
                    value: Some(id.to_string()),
                }
                .into(),
            );
        }
        if let Err(code) = self.append_metadata(&records) {
            return self.fail(format!("the broker cannot register: {}", code.message()));
        }
        self.when_durable(
            METADATA_LOG,
            Box::new(|broker, written| match written {
                Ok(()) => broker.begin_to_serve(),
                Err(_) => {
                    // What could not be written will be tried again by whoever opens the broker.
                    broker.fail("the broker cannot write to its storage".to_owned());
                }
            }),
        );
    }

    fn begin_to_serve(&mut self) {
        self.raise_epochs(self.metadata.leader_epoch());
        self.lifecycle = Lifecycle::Running;
        self.observer.state();
        self.load_groups();
        self.schedule_clean_up();
        for connection in self.connections.ids() {
            self.run_soon(connection);
        }
    }
}
