//! Reads the records that the strips show: a consumer without a group, of all partitions.

use partita_core::sorted::SortedSet;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use partita_core::client::consumer::{AutoCommit, SeekTo};
use partita_core::client::{Consumer, ConsumerConfig};
use partita_core::types::TopicPartition;
use partita_web::client::{Driver, Link};

use super::{cluster, patient, seed};
use crate::model::traffic::ONLOOKERS;
use crate::session::Session;

/// How far behind the end reading begins, and from where it is brought back there.
const BEHIND: i64 = 40;
const TOO_FAR: i64 = 400;

/// The viewer.
pub(crate) struct Viewer {
    driver: Rc<Driver<Consumer>>,
    session: Weak<Session>,
    assigned: RefCell<SortedSet<TopicPartition>>,
    due: Cell<bool>,
    taking: Cell<bool>,
}

impl Viewer {
    pub(crate) fn new(link: &Rc<Link>, session: Weak<Session>) -> Option<Rc<Self>> {
        let [name, _] = ONLOOKERS;
        let config = ConsumerConfig {
            cluster: cluster(name),
            auto_commit: AutoCommit {
                enabled: false,
                interval_ms: None,
                threshold: None,
            },
            max_bytes: 1 << 20,
            max_bytes_per_partition: 64 << 10,
            prefetch_bytes: 1 << 20,
            retry: patient(),
            ..ConsumerConfig::default()
        };
        let consumer = Consumer::new(config, seed()).ok()?;
        let driver = Driver::new(link.network(), |_| consumer);
        let viewer = Rc::new(Self {
            driver,
            session,
            assigned: RefCell::default(),
            due: Cell::new(false),
            taking: Cell::new(false),
        });
        let weak = Rc::downgrade(&viewer);
        viewer.driver.set_notify(move || {
            if let Some(viewer) = weak.upgrade() {
                viewer.soon();
            }
        });
        viewer.driver.with(|consumer, now| {
            consumer.assign(now, &[]);
            consumer.start(now)
        });
        Some(viewer)
    }

    /// Follows these partitions, each with where its log begins and ends.
    pub(crate) fn follow(&self, partitions: Vec<(TopicPartition, i64, i64)>) {
        let names: SortedSet<_> = partitions.iter().map(|(name, ..)| name.clone()).collect();
        if *self.assigned.borrow() == names {
            return;
        }
        let list: Vec<_> = names.iter().cloned().collect();
        let before = self.assigned.replace(names);
        self.driver.with(|consumer, now| {
            consumer.assign(now, &list);
            for (name, start, end) in &partitions {
                if !before.contains(name) {
                    let from = end.saturating_sub(BEHIND).max(*start);
                    consumer.seek(now, name, SeekTo::Offset(from));
                }
            }
        });
    }

    /// Takes what has come, when the client is done with what it does; unless that is being done,
    /// which ends only when there is nothing left.
    fn soon(self: &Rc<Self>) {
        if !self.taking.get() && !self.due.replace(true) {
            let viewer = Rc::downgrade(self);
            wasm_bindgen_futures::spawn_local(async move {
                if let Some(viewer) = viewer.upgrade() {
                    viewer.due.set(false);
                    viewer.taking.set(true);
                    viewer.take();
                    viewer.taking.set(false);
                }
            });
        }
    }

    fn take(&self) {
        while self.driver.peek(Consumer::poll_event).is_some() {}
        let Some(session) = self.session.upgrade() else {
            return;
        };
        while let Some(batch) = self.driver.with(Consumer::poll) {
            let name = TopicPartition::new(batch.topic.clone(), batch.partition);
            {
                let mut cells = session.cells.borrow_mut();
                for record in batch.records().flatten() {
                    cells.push(&name, record, batch.log_start_offset);
                }
            }
            self.driver.with(|consumer, now| {
                consumer.complete(now, batch.id);
                if batch.next_offset.saturating_add(TOO_FAR) < batch.high_watermark {
                    let to = batch.high_watermark.saturating_sub(BEHIND);
                    consumer.seek(now, &name, SeekTo::Offset(to));
                }
            });
            session.changed();
        }
    }
}
