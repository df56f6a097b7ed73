//! A consumer that people added: polls, processes each record for a while, acknowledges.
//!
//! Processing takes the time that a person chose, by the broker's clock. What is acknowledged is
//! committed: by the consumer itself after each record, or by a person.

use partita_core::sorted::SortedMap;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use partita_core::client::assignor::Assignor;
use partita_core::client::consumer::{
    AutoCommit, BatchId, ConsumerEvent, ConsumerState, FetchedBatch, GroupAssignor, OffsetReset,
    OffsetToCommit, PartitionStatus, SeekTo, TopicSubscription,
};
use partita_core::client::{ClientError, Consumer, ConsumerConfig, OpId};
use partita_core::records::Record;
use partita_core::time::{Monotonic, Now};
use partita_core::types::TopicPartition;
use partita_web::client::{Driver, Link};

use super::alarm::Alarm;
use super::{cluster, explain, patient, seed};
use crate::model::settings::{ConsumerSettings, SESSION_TIMEOUT};
use crate::session::Session;

/// How many delivered records are kept for the list.
const DELIVERED: usize = 500;
/// Without processing time, so many records are taken before the page draws again.
const AT_ONCE: usize = 200;

/// A record and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivered {
    pub(crate) partition: TopicPartition,
    pub(crate) record: Record,
}

/// The batch that is being processed.
struct Hand {
    id: BatchId,
    partition: TopicPartition,
    rest: VecDeque<Record>,
    current: Option<Current>,
}

struct Current {
    record: Record,
    since: Monotonic,
    until: Monotonic,
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
        let topics: Vec<_> = settings.topics.iter().map(TopicSubscription::new).collect();
        driver.with(|consumer, now| {
            consumer.subscribe(now, &topics);
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
        let topics = self.settings.borrow().topics.clone();
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

    /// Goes on when the client is done with what it does.
    fn soon(self: &Rc<Self>) {
        if !self.taking.get() && !self.due.replace(true) {
            let consumer = Rc::downgrade(self);
            wasm_bindgen_futures::spawn_local(async move {
                if let Some(consumer) = consumer.upgrade() {
                    consumer.due.set(false);
                    consumer.taking.set(true);
                    consumer.go_on();
                    consumer.taking.set(false);
                }
            });
        }
    }

    /// Takes events and records until there are none, or a record is being processed.
    fn go_on(self: &Rc<Self>) {
        let mut left = AT_ONCE;
        loop {
            // Not held while an event is heard: with its last one the client is let go.
            let driver = self.driver.borrow().clone();
            let Some(driver) = driver else { break };
            if let Some(event) = driver.peek(Consumer::poll_event) {
                self.heard(&driver, event);
                continue;
            }
            let now = self.link.now();
            match self.work(&driver, now) {
                Work::Nothing => break,
                Work::Until(at) => {
                    self.set_alarm(Some(at));
                    break;
                }
                Work::Done => {
                    left = left.saturating_sub(1);
                    if left == 0 {
                        self.set_alarm(Some(now.monotonic));
                        break;
                    }
                }
            }
        }
        self.tell();
    }

    /// The next bit of work.
    fn work(&self, driver: &Driver<Consumer>, now: Now) -> Work {
        let mut hand = self.hand.borrow_mut();
        let Some(held) = hand.as_mut() else {
            drop(hand);
            if self.paused.get() || self.life.get() != Life::Running {
                return Work::Nothing;
            }
            return match driver.with(Consumer::poll) {
                Some(batch) => self.take(driver, &batch),
                // What the poll has brought about is looked at first.
                None if driver.peek(|consumer| consumer.has_events()) => Work::Done,
                None => Work::Nothing,
            };
        };
        if driver.peek(|consumer| consumer.is_stale(held.id)) {
            let id = held.id;
            *hand = None;
            drop(hand);
            driver.with(|consumer, now| consumer.release(now, id));
            return Work::Done;
        }
        match held.current.take() {
            Some(current) if current.until > now.monotonic => {
                let until = current.until;
                held.current = Some(current);
                Work::Until(until)
            }
            Some(current) => {
                let (id, partition) = (held.id, held.partition.clone());
                drop(hand);
                self.processed(driver, id, partition, current.record);
                Work::Done
            }
            None if self.paused.get() && !held.rest.is_empty() => Work::Nothing,
            None => {
                let processing = self.settings.borrow().processing;
                match held.rest.pop_front() {
                    Some(record) => {
                        held.current = Some(Current {
                            record,
                            since: now.monotonic,
                            until: Monotonic(now.monotonic.0.saturating_add(processing)),
                        });
                    }
                    None => {
                        let id = held.id;
                        *hand = None;
                        drop(hand);
                        driver.with(|consumer, now| consumer.complete(now, id));
                    }
                }
                Work::Done
            }
        }
    }

    /// A batch has come.
    fn take(&self, driver: &Driver<Consumer>, batch: &FetchedBatch) -> Work {
        let mut rest = VecDeque::new();
        for record in batch.records() {
            match record {
                Ok(record) => rest.push_back(record),
                Err(error) => {
                    driver.with(|consumer, now| consumer.corrupt(now, batch.id, &error));
                    return Work::Done;
                }
            }
        }
        *self.hand.borrow_mut() = Some(Hand {
            id: batch.id,
            partition: TopicPartition::new(batch.topic.clone(), batch.partition),
            rest,
            current: None,
        });
        Work::Done
    }

    /// A record is processed: it counts as delivered, and is acknowledged or waits for that.
    fn processed(
        &self,
        driver: &Driver<Consumer>,
        id: BatchId,
        partition: TopicPartition,
        record: Record,
    ) {
        let next = record.offset.saturating_add(1);
        if !driver.with(|consumer, now| consumer.mark_processed(now, id, next)) {
            return;
        }
        if self.settings.borrow().manual {
            self.unacknowledged
                .borrow_mut()
                .insert(partition.clone(), record.offset);
        }
        let mut delivered = self.delivered.borrow_mut();
        let list = Rc::make_mut(&mut delivered);
        list.push_back(Delivered { partition, record });
        if list.len() > DELIVERED {
            list.pop_front();
        }
        self.delivered_total
            .set(self.delivered_total.get().wrapping_add(1));
    }

    fn heard(self: &Rc<Self>, driver: &Rc<Driver<Consumer>>, event: ConsumerEvent) {
        match event {
            ConsumerEvent::Revoking { partitions, .. } => {
                self.let_go(driver, &partitions);
                driver.with(Consumer::revoked);
                self.revoked.borrow_mut().extend(partitions);
            }
            ConsumerEvent::Revoked { partitions } | ConsumerEvent::Lost { partitions } => {
                self.let_go(driver, &partitions);
            }
            ConsumerEvent::Joined(_) => {
                self.revoked.borrow_mut().clear();
                *self.error.borrow_mut() = None;
                if self.paused.get() {
                    self.pause(true);
                }
            }
            ConsumerEvent::Committed {
                offsets, result, ..
            } => self.committed(&offsets, result),
            ConsumerEvent::Crashed { error, .. } => {
                *self.error.borrow_mut() = Some(explain(&error));
                self.hand.borrow_mut().take();
                self.restart.set(Some(driver.with(Consumer::stop)));
            }
            ConsumerEvent::Done { op, result } => {
                if self.ending.get() == Some(op) {
                    self.driver.borrow_mut().take();
                    self.gone();
                } else if self.restart.get() == Some(op) {
                    self.restart.set(None);
                    driver.with(Consumer::start);
                } else if let Err(error) = result {
                    *self.error.borrow_mut() = Some(explain(&error));
                }
            }
            ConsumerEvent::OutOfRange { .. }
            | ConsumerEvent::NoPosition { .. }
            | ConsumerEvent::Positioned { .. }
            | ConsumerEvent::Assigned { .. }
            | ConsumerEvent::Topics { .. }
            | ConsumerEvent::Rebalancing { .. }
            | ConsumerEvent::UnsubscribedTopics { .. }
            | ConsumerEvent::ProtocolsNeeded { .. }
            | ConsumerEvent::AssignmentNeeded { .. }
            | ConsumerEvent::Heartbeat { .. }
            | ConsumerEvent::FetchStart { .. }
            | ConsumerEvent::Fetched { .. } => {}
        }
    }

    fn committed(&self, offsets: &[OffsetToCommit], result: Result<(), ClientError>) {
        match result {
            Ok(()) => {
                let mut waiting = self.unacknowledged.borrow_mut();
                for commit in offsets {
                    if waiting
                        .get(&commit.partition)
                        .is_some_and(|last| *last < commit.offset)
                    {
                        waiting.remove(&commit.partition);
                    }
                }
            }
            Err(error) => *self.error.borrow_mut() = Some(explain(&error)),
        }
    }

    /// Partitions go: what was begun of them is given back.
    fn let_go(&self, driver: &Driver<Consumer>, partitions: &[TopicPartition]) {
        let held = {
            let mut hand = self.hand.borrow_mut();
            match &*hand {
                Some(held) if partitions.contains(&held.partition) => hand.take(),
                Some(_) | None => None,
            }
        };
        if let Some(held) = held {
            driver.with(|consumer, now| consumer.release(now, held.id));
        }
        let mut waiting = self.unacknowledged.borrow_mut();
        waiting.retain(|partition, _| !partitions.contains(partition));
    }

    fn set_alarm(&self, at: Option<Monotonic>) {
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(at);
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

/// What became of a bit of work.
enum Work {
    /// There is none.
    Nothing,
    /// There is more.
    Done,
    /// There is more at that time.
    Until(Monotonic),
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
