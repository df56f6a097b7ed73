//! Somebody who administers the topics while all is under way: grows one, deletes its records, lets
//! a short retention act for a while, deletes another topic and creates it again, and looks.

use partita_core::client::admin::{
    ConfigChange, ConfigOperation, NewPartitions, NewTopic, RecordsBefore,
};
use partita_core::client::{Admin, AdminConfig, AdminEvent, Endpoint as _, OpId};
use partita_core::time::{Monotonic, Now};

use super::super::PARTITIONS;
use super::super::model::{GROUP, Model, PASSING, TOPIC};
use super::{cluster, later, patient};
use crate::numbers::Numbers;

/// What it does besides looking.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim) struct Duties {
    /// [`TOPIC`] gets more partitions.
    pub(in crate::sim) grows: bool,
    /// [`TOPIC`] loses its oldest records.
    pub(in crate::sim) trims: bool,
    /// [`PASSING`] is deleted and created again.
    pub(in crate::sim) recreates: bool,
}

/// [`TOPIC`] gets no more partitions than this.
const MOST_PARTITIONS: i32 = 5;
/// The resource type of topics in requests for configs.
const TOPIC_CONFIGS: i8 = 2;

/// See the module.
#[derive(Debug)]
pub(in crate::sim) struct Keeper {
    pub(super) admin: Admin,
    duties: Duties,
    next: Monotonic,
    /// What is under way, and which records are gone when it is done.
    under_way: Option<(OpId, Option<(i32, i64)>)>,
    /// Whether a short retention acts.
    short: bool,
    /// Begins nothing new, but puts the retention right.
    pub(in crate::sim) ends: bool,
}

impl Keeper {
    pub(in crate::sim) fn new(duties: Duties, seed: [u8; 32], now: Now) -> Self {
        let config = AdminConfig {
            cluster: cluster("keeper"),
            retry: patient(),
        };
        Self {
            admin: Admin::new(config, seed),
            duties,
            next: later(now, 3_000),
            under_way: None,
            short: false,
            ends: false,
        }
    }

    /// Nothing is under way, and nothing is to come.
    pub(in crate::sim) fn is_done(&self) -> bool {
        self.ends && self.under_way.is_none() && !self.short
    }

    pub(super) fn due(&self) -> Option<Monotonic> {
        (self.under_way.is_none() && !self.is_done()).then_some(self.next)
    }

    pub(super) fn describe(&self) -> String {
        format!("keeper: {:?}", self.under_way)
    }

    pub(super) fn act(&mut self, now: Now, model: &mut Model, random: &mut Numbers) {
        let due = self.admin.poll_timeout();
        if due.is_some_and(|due| due <= now.monotonic) {
            self.admin.handle_timeout(now);
        }
        if self.due().is_some_and(|due| due <= now.monotonic) {
            self.next = later(now, 300 + random.below(3_000));
            self.begin(now, model, random);
        }
        while let Some(event) = self.admin.poll_event() {
            model.explain(|| format!("keeper: {event:?}"));
            if let AdminEvent::Finished { op, result } = event
                && let Some((_, trimmed)) = self.under_way.take_if(|(begun, _)| *begun == op)
                && result.is_ok()
                && let Some((partition, offset)) = trimmed
            {
                model.trimmed(partition, offset);
            }
        }
    }

    fn begin(&mut self, now: Now, model: &mut Model, random: &mut Numbers) {
        let mut trimmed = None;
        let op = match random.below(8_u8) {
            _ if self.ends || self.short => Some(self.retain(now, false)),
            0 if self.duties.grows => self.grow(now, model),
            1 if self.duties.trims => Some(self.retain(now, true)),
            2 | 3 if self.duties.trims => {
                let partition = random.below(model.partitions_of(TOPIC).max(1));
                let (start, end) = model.bounds(partition);
                let offset = start + random.below(end - start + 1);
                trimmed = Some((partition, offset));
                let before = RecordsBefore { partition, offset };
                Some(self.admin.delete_topic_records(now, TOPIC, vec![before]))
            }
            4 if self.duties.recreates => {
                model.may_be_deleted(PASSING);
                let names = vec![PASSING.to_owned()];
                Some(self.admin.delete_topics(now, names, 5_000))
            }
            5 if self.duties.recreates => {
                let topics = vec![NewTopic::new(PASSING, PARTITIONS)];
                Some(self.admin.create_topics(now, topics, 5_000, false, false))
            }
            6 => {
                let topics = vec![TOPIC.to_owned()];
                Some(self.admin.fetch_offsets(now, GROUP, topics, false))
            }
            _ => Some(self.admin.describe_groups(now, vec![GROUP.to_owned()])),
        };
        self.under_way = op.map(|op| (op, trimmed));
    }

    fn grow(&mut self, now: Now, model: &Model) -> Option<OpId> {
        let count = model.partitions_of(TOPIC);
        let more = NewPartitions {
            topic: TOPIC.to_owned(),
            count: count + 1,
            assignments: None,
        };
        let may = (1..MOST_PARTITIONS).contains(&count);
        may.then(|| self.admin.create_partitions(now, vec![more], 5_000, false))
    }

    /// Sets a retention that keeps next to nothing, or takes it away.
    fn retain(&mut self, now: Now, short: bool) -> OpId {
        self.short = short;
        let entry = match short {
            true => (ConfigOperation::Set, Some("300".to_owned())),
            false => (ConfigOperation::Delete, None),
        };
        let change = ConfigChange {
            resource_type: TOPIC_CONFIGS,
            name: TOPIC.to_owned(),
            entries: vec![("retention.bytes".to_owned(), entry.0, entry.1)],
        };
        self.admin
            .incremental_alter_configs(now, vec![change], false)
    }
}
