//! A member of a world of tests: a consumer, and what its host did with what it got.

use super::*;

/// A consumer with a host that processes what it gets.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) consumer: Consumer,
    /// Whether batches stay in hand until [`World::finish`].
    pub(super) holds: bool,
    pub(super) held: Vec<FetchedBatch>,
    /// What was processed: `t-0@5` and the value.
    pub(super) seen: Vec<(String, String)>,
    pub(super) events: Vec<ConsumerEvent>,
    /// Frozen: it neither hears nor says anything.
    pub(super) frozen: bool,
}

impl Member {
    /// Takes events and records; whether there was anything.
    pub(super) fn act(&mut self, now: Now) -> bool {
        let mut any = false;
        while let Some(event) = self.consumer.poll_event() {
            any = true;
            self.events.push(event);
        }
        while let Some(batch) = self.consumer.poll(now) {
            any = true;
            if self.holds {
                self.held.push(batch);
            } else {
                self.process(now, &batch);
            }
        }
        any
    }

    pub(super) fn process(&mut self, now: Now, batch: &FetchedBatch) {
        if self.consumer.is_stale(batch.id) {
            return self.consumer.complete(now, batch.id);
        }
        for (offset, value) in values(batch) {
            let place = format!("{}-{}@{offset}", batch.topic, batch.partition);
            self.seen.push((place, value));
        }
        self.consumer.complete(now, batch.id);
    }

    /// What was processed, by value.
    pub(super) fn values(&self) -> Vec<&str> {
        self.seen.iter().map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn crashes(&self) -> Vec<&ClientError> {
        let crashes = self.events.iter().filter_map(|event| match event {
            ConsumerEvent::Crashed { error, .. } => Some(error),
            _ => None,
        });
        crashes.collect()
    }
}
