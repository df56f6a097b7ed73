//! How a consumer works through what it is given: one record after the other, each for a while.

use std::collections::VecDeque;
use std::rc::Rc;

use partita_core::client::Consumer;
use partita_core::client::consumer::{BatchId, FetchedBatch};
use partita_core::records::Record;
use partita_core::time::{Monotonic, Now};
use partita_core::types::TopicPartition;
use partita_web::client::Driver;

use super::{Delivered, Life, PageConsumer};
use crate::model::flights::{Flight, Way};

/// How many delivered records are kept for the list.
const DELIVERED: usize = 500;
/// Without processing time, so many records are taken before the page draws again.
const AT_ONCE: usize = 200;

/// The batch that is being processed.
pub(super) struct Hand {
    pub(super) id: BatchId,
    pub(super) partition: TopicPartition,
    rest: VecDeque<Record>,
    pub(super) current: Option<Current>,
}

pub(super) struct Current {
    pub(super) record: Record,
    pub(super) since: Monotonic,
    pub(super) until: Monotonic,
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

impl Hand {
    /// The offset after what was taken of it.
    pub(super) fn position(&self) -> Option<i64> {
        match (&self.current, self.rest.front()) {
            (Some(current), _) => Some(current.record.offset.saturating_add(1)),
            (None, next) => next.map(|record| record.offset),
        }
    }
}

impl PageConsumer {
    /// Goes on when the client is done with what it does.
    pub(super) fn soon(self: &Rc<Self>) {
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
            self.tell_member_id(&driver);
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
                        self.fly(&held.partition, &record);
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

    /// Shows a record on its way to this consumer.
    fn fly(&self, partition: &TopicPartition, record: &Record) {
        let Some(session) = self.session.upgrade() else {
            return;
        };
        let settings = self.settings.borrow();
        let way = Way::Out {
            group: settings.group.clone(),
            member: settings.name(),
        };
        let key = record.key.as_deref();
        session.fly(Flight::one(way, partition.clone(), record.offset, key));
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

    fn set_alarm(&self, at: Option<Monotonic>) {
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(at);
        }
    }
}
