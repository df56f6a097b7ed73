//! A consumer that people added: polls, processes each record for a while, acknowledges.
//!
//! Processing takes the time that a person chose, by the broker's clock. What is acknowledged is
//! committed: by the consumer itself after each record, or by a person.
//!
//! - `work`: taking and processing records. `events`: what its client tells.

mod events;
mod pattern;
mod work;

use partita_core::sorted::{SortedMap, SortedSet};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use partita_core::client::assignor::Assignor;
use partita_core::client::consumer::{
    AutoCommit, ConsumerState, GroupAssignor, OffsetReset, OffsetToCommit, PartitionStatus, SeekTo,
    TopicSubscription,
};
use partita_core::client::{Consumer, ConsumerConfig, OpId};
use partita_core::records::Record;
use partita_core::types::TopicPartition;
use partita_web::client::{Driver, Link};

pub(crate) use self::pattern::Pattern;
use self::work::Hand;
use super::alarm::Alarm;
use super::{cluster, explain, patient, seed};
use crate::model::settings::{ConsumerSettings, SESSION_TIMEOUT};
use crate::session::Session;

/// A record and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivered {
    pub(crate) partition: TopicPartition,
    pub(crate) record: Record,
}

/// What is being processed, to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Processing {
    pub(crate) partition: TopicPartition,
    pub(crate) record: Record,
    pub(crate) since: u64,
    pub(crate) until: u64,
}

/// Whether the client is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Running,
    /// It says goodbye to its group.
    Leaving,
    /// It vanished without a word.
    Crashed,
}

/// One consumer.
pub(crate) struct PageConsumer {
    pub(crate) settings: RefCell<ConsumerSettings>,
    pub(crate) life: Cell<Life>,
    pub(crate) paused: Cell<bool>,
    pub(crate) error: RefCell<Option<String>>,
    /// Newest last, and how many there were: changes with each.
    pub(crate) delivered: RefCell<Rc<VecDeque<Delivered>>>,
    pub(crate) delivered_total: Cell<u64>,
    /// What a person may acknowledge: by partition, the offset of the last record.
    pub(crate) unacknowledged: RefCell<SortedMap<TopicPartition, i64>>,
    /// What was taken away in the rebalance that is under way.
    pub(crate) revoked: RefCell<Vec<TopicPartition>>,
    /// The member id that it had, for when it has crashed.
    member_id: RefCell<String>,
    /// The last member id that the page was told of.
    issued: RefCell<String>,
    driver: RefCell<Option<Rc<Driver<Consumer>>>>,
    hand: RefCell<Option<Hand>>,
    alarm: RefCell<Option<Alarm>>,
    restart: Cell<Option<OpId>>,
    ending: Cell<Option<OpId>>,
    due: Cell<bool>,
    taking: Cell<bool>,
    link: Rc<Link>,
    session: Weak<Session>,
}

impl PageConsumer {
    pub(crate) fn new(
        link: &Rc<Link>,
        settings: ConsumerSettings,
        session: Weak<Session>,
    ) -> Rc<Self> {
        let consumer = Rc::new(Self {
            settings: RefCell::new(settings),
            life: Cell::new(Life::Crashed),
            paused: Cell::new(false),
            error: RefCell::default(),
            delivered: RefCell::default(),
            delivered_total: Cell::new(0),
            unacknowledged: RefCell::default(),
            revoked: RefCell::default(),
            member_id: RefCell::default(),
            issued: RefCell::default(),
            driver: RefCell::default(),
            hand: RefCell::default(),
            alarm: RefCell::default(),
            restart: Cell::new(None),
            ending: Cell::new(None),
            due: Cell::new(false),
            taking: Cell::new(false),
            link: Rc::clone(link),
            session,
        });
        let weak = Rc::downgrade(&consumer);
        let alarm = Alarm::new(link, move |_| {
            if let Some(consumer) = weak.upgrade() {
                consumer.soon();
            }
        });
        *consumer.alarm.borrow_mut() = Some(alarm);
        consumer.start();
        consumer
    }

    pub(crate) fn name(&self) -> String {
        self.settings.borrow().name()
    }

    /// The id by which the broker knows it; empty if it does not.
    pub(crate) fn member_id(&self) -> String {
        if let Some(driver) = &*self.driver.borrow() {
            let id = driver.peek(|consumer| consumer.member_id().to_owned());
            *self.member_id.borrow_mut() = id;
        }
        self.member_id.borrow().clone()
    }

    /// The topics that it subscribes to, of those that there are.
    pub(crate) fn topics(&self, session: &Session) -> Vec<String> {
        let settings = self.settings.borrow();
        let pattern = settings
            .pattern
            .as_deref()
            .and_then(|it| Pattern::new(it).ok());
        let meant = |topic: &str| match &pattern {
            Some(pattern) => pattern.matches(topic),
            None => settings.topics.iter().any(|it| it == topic),
        };
        let world = session.world.borrow();
        let topics = world.visible_topics().map(|it| it.topic.clone());
        topics.filter(|topic| meant(topic)).collect()
    }

    /// Where it stands with its group.
    pub(crate) fn state(&self) -> ConsumerState {
        match &*self.driver.borrow() {
            Some(driver) => driver.peek(|consumer| consumer.state()),
            None => ConsumerState::Crashed,
        }
    }

    /// Its partitions, as it sees them.
    pub(crate) fn partitions(&self) -> Vec<PartitionStatus> {
        match &*self.driver.borrow() {
            Some(driver) => driver.peek(|consumer| consumer.partitions()),
            None => Vec::new(),
        }
    }

    /// The offset of the next record that it takes of a partition.
    pub(crate) fn position(&self, partition: &TopicPartition) -> Option<i64> {
        if let Some(hand) = &*self.hand.borrow()
            && hand.partition == *partition
        {
            return hand.position();
        }
        let mut all = self.partitions().into_iter();
        all.find(|status| status.partition == *partition)?.position
    }

    /// What it is working on.
    pub(crate) fn processing(&self) -> Option<Processing> {
        let hand = self.hand.borrow();
        let hand = hand.as_ref()?;
        let current = hand.current.as_ref()?;
        Some(Processing {
            partition: hand.partition.clone(),
            record: current.record.clone(),
            since: current.since.0,
            until: current.until.0,
        })
    }

    /// Begins, also after a crash: as a new client, at what the group has committed.
    pub(crate) fn start(self: &Rc<Self>) {
        let settings = self.settings.borrow().clone();
        let consumer = match Consumer::new(config(&settings), seed()) {
            Ok(consumer) => consumer,
            Err(error) => {
                *self.error.borrow_mut() = Some(explain(&error));
                return self.tell();
            }
        };
        let driver = Driver::new(self.link.network(), |_| consumer);
        let weak = Rc::downgrade(self);
        driver.set_notify(move || {
            if let Some(consumer) = weak.upgrade() {
                consumer.soon();
            }
        });
        *self.driver.borrow_mut() = Some(Rc::clone(&driver));
        self.life.set(Life::Running);
        self.paused.set(false);
        *self.error.borrow_mut() = None;
        self.unacknowledged.borrow_mut().clear();
        self.revoked.borrow_mut().clear();
        driver.with(|consumer, now| {
            match settings.pattern.as_deref().map(Pattern::new) {
                Some(Ok(pattern)) => {
                    let matches = Box::new(move |topic: &str| pattern.matches(topic));
                    consumer.subscribe_matching(now, matches, None);
                }
                Some(Err(wrong)) => *self.error.borrow_mut() = Some(wrong),
                None => {
                    let topics = settings.topics.iter().map(TopicSubscription::new);
                    consumer.subscribe(now, &topics.collect::<Vec<_>>());
                }
            }
            consumer.start(now)
        });
        self.tell();
    }

    /// Vanishes without a word, as a process that is killed.
    pub(crate) fn crash(&self) {
        self.member_id();
        self.driver.borrow_mut().take();
        self.hand.borrow_mut().take();
        self.unacknowledged.borrow_mut().clear();
        self.life.set(Life::Crashed);
        self.tell();
    }

    /// Commits what is acknowledged and says goodbye; then it is gone from the page.
    pub(crate) fn leave(self: &Rc<Self>) {
        let Some(driver) = self.driver.borrow().clone() else {
            return self.gone();
        };
        self.life.set(Life::Leaving);
        let op = driver.with(Consumer::disconnect);
        self.ending.set(Some(op));
        self.soon();
        self.tell();
    }

    /// Stops or goes on fetching; it stays a member.
    pub(crate) fn pause(self: &Rc<Self>, on: bool) {
        self.paused.set(on);
        let topics: SortedSet<String> = {
            let partitions = self.partitions().into_iter();
            partitions.map(|it| it.partition.topic).collect()
        };
        if let Some(driver) = self.driver.borrow().clone() {
            driver.with(|consumer, now| {
                for topic in &topics {
                    match on {
                        true => consumer.pause(topic, None),
                        false => consumer.resume(now, topic, None),
                    }
                }
            });
        }
        self.soon();
        self.tell();
    }

    /// Rewinds or skips. The committed offset stays until the next acknowledgement.
    pub(crate) fn seek(self: &Rc<Self>, partition: &TopicPartition, to: SeekTo) {
        if let Some(driver) = self.driver.borrow().clone() {
            driver.with(|consumer, now| consumer.seek(now, partition, to));
        }
        self.unacknowledged.borrow_mut().remove(partition);
        self.soon();
        self.tell();
    }

    /// Acknowledges all that was delivered of a partition so far: commits the offset after it.
    pub(crate) fn acknowledge(self: &Rc<Self>, partition: &TopicPartition) {
        let Some(offset) = self.unacknowledged.borrow().get(partition).copied() else {
            return;
        };
        let Some(driver) = self.driver.borrow().clone() else {
            return;
        };
        driver.with(|consumer, now| {
            let commit = OffsetToCommit {
                partition: partition.clone(),
                offset: offset.saturating_add(1),
                metadata: None,
            };
            consumer.commit(now, vec![commit])
        });
        self.soon();
    }

    /// How long each record takes from now on.
    pub(crate) fn set_processing(self: &Rc<Self>, millis: u64) {
        self.settings.borrow_mut().processing = millis;
        self.tell();
    }

    /// Whether a person acknowledges from now on.
    pub(crate) fn set_manual(self: &Rc<Self>, manual: bool) {
        self.settings.borrow_mut().manual = manual;
        if let Some(driver) = self.driver.borrow().clone() {
            driver.with(|consumer, _| consumer.set_auto_commit(auto_commit(manual)));
        }
        if !manual {
            self.unacknowledged.borrow_mut().clear();
        }
        self.tell();
    }

    /// Tells the page of a member id that is new, to be known again after a reload.
    fn tell_member_id(&self, driver: &Driver<Consumer>) {
        let new = driver.peek(|consumer| {
            let id = consumer.member_id();
            let new = !id.is_empty() && *id != **self.issued.borrow();
            new.then(|| id.to_owned())
        });
        if let (Some(id), Some(session)) = (new, self.session.upgrade()) {
            *self.issued.borrow_mut() = id.clone();
            session.issued(self.settings.borrow().number, id);
        }
    }

    fn gone(self: &Rc<Self>) {
        if let Some(session) = self.session.upgrade() {
            session.forget_consumer(self.settings.borrow().number);
        }
    }

    fn tell(&self) {
        if let Some(session) = self.session.upgrade() {
            session.changed();
        }
    }
}

/// A consumer that acknowledges by itself does so after each record.
fn auto_commit(manual: bool) -> AutoCommit {
    AutoCommit {
        enabled: !manual,
        interval_ms: None,
        threshold: Some(1),
    }
}

fn config(settings: &ConsumerSettings) -> ConsumerConfig {
    let assignor = Assignor::ALL
        .into_iter()
        .find(|assignor| assignor.name() == settings.assignor)
        .unwrap_or(Assignor::Range);
    ConsumerConfig {
        cluster: cluster(&settings.name()),
        group_id: Some(settings.group.clone()),
        assignors: vec![GroupAssignor::BuiltIn(assignor)],
        session_timeout_ms: SESSION_TIMEOUT,
        rebalance_timeout_ms: 30_000,
        heartbeat_interval_ms: 1_500,
        offset_reset: match settings.from_beginning {
            true => OffsetReset::Earliest,
            false => OffsetReset::Latest,
        },
        auto_commit: auto_commit(settings.manual),
        commit_initial_offset: true,
        max_wait_ms: 500,
        retry: patient(),
        ..ConsumerConfig::default()
    }
}
