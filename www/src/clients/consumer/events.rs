//! What a consumer does about what its client tells: rebalances, commits, its end.

use std::rc::Rc;

use partita_core::client::consumer::{ConsumerEvent, OffsetToCommit};
use partita_core::client::{ClientError, Consumer};
use partita_core::types::TopicPartition;
use partita_web::client::Driver;

use super::{PageConsumer, explain};

impl PageConsumer {
    pub(super) fn heard(self: &Rc<Self>, driver: &Rc<Driver<Consumer>>, event: ConsumerEvent) {
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
}
