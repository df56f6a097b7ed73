//! The coordinator driven through the broker's own interface: frames in, effects and responses out,
//! storage that keeps, holds back, fails and forgets as the test says.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod admin;
mod commits;
mod expiring;
mod failures;
mod find;
mod golden;
mod loading;
mod membership;
mod requests;
mod views;

use std::marker::PhantomData;

use bytes::Bytes;

use super::partition_for;
use crate::broker::{ConnectionId, Effect, LogId, StorageError};
use crate::protocol::messages::offset_fetch::OffsetFetchRequestTopics;
use crate::protocol::messages::*;
use crate::protocol::{ErrorCode, Message as _, Request};
use crate::records::{Batches, Record};
use crate::testing::Harness;
use requests::*;

/// What happens to the writes that the broker issues.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Writes {
    /// They become durable at once.
    Done,
    /// They wait for [`World::release`].
    Held,
    /// They fail, and nothing of them is stored.
    Failed,
    /// They are stored, but the broker is told that this is not known.
    Unknown,
}

/// A broker with its storage and its clients.
struct World {
    harness: Option<Harness>,
    writes: Writes,
    /// Reads wait.
    hold_reads: bool,
}

/// A request that was sent, and how to read its answer.
#[derive(Debug)]
struct Sent<R> {
    connection: ConnectionId,
    version: i16,
    request: PhantomData<R>,
}

impl<R> Clone for Sent<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sent<R> {}

impl std::ops::Deref for World {
    type Target = Harness;

    fn deref(&self) -> &Harness {
        self.harness.as_ref().unwrap()
    }
}

impl std::ops::DerefMut for World {
    fn deref_mut(&mut self) -> &mut Harness {
        self.harness.as_mut().unwrap()
    }
}

impl World {
    /// A broker with the topics `orders` (4 partitions) and `other` (1), and with
    /// `__consumer_offsets`.
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(configs: &[(&str, &str)]) -> Self {
        let mut world = Self::empty(configs);
        world.create_topic("orders", 4);
        world.create_topic("other", 1);
        world.find("any");
        world
    }

    /// A broker without topics.
    fn empty(configs: &[(&str, &str)]) -> Self {
        let harness = Harness::with_config(configs);
        Self {
            harness: Some(harness),
            writes: Writes::Done,
            hold_reads: false,
        }
    }

    /// Opens the database again, with whatever was durable.
    fn restart(&mut self) {
        self.harness = self.harness.take().map(Harness::crash);
    }

    /// The same, as far as the read of a log, which is left waiting.
    fn restart_until_read_of(&mut self, log: LogId) {
        self.harness = self.harness.take().map(Harness::crash_opening);
        let is_it = |effect: &Effect| match effect {
            Effect::Read(read) => format!("{:?}", read.what).contains(&format!("{log:?}")),
            Effect::Load | Effect::Write(_) => false,
        };
        loop {
            let next = self.storage.waiting().next().map(is_it);
            match next {
                Some(false) => self.step_storage(),
                Some(true) => break self.hold_reads = true,
                None => panic!("{log} is not read"),
            };
        }
        self.pump();
    }

    /// Storage does what it is asked until it is asked for nothing more, or for writes that it has
    /// to hold back.
    fn pump(&mut self) {
        while let Some(reply) = {
            let (writes, hold_reads) = (self.writes, self.hold_reads);
            let storage = &mut self.storage;
            let read = if hold_reads {
                None
            } else {
                storage.complete_read()
            };
            read.or_else(|| match writes {
                Writes::Done => storage.complete_write(),
                Writes::Held => None,
                Writes::Failed => storage.fail_write(StorageError::Other("so it is".into())),
                Writes::Unknown => storage.lose_answer(),
            })
        } {
            self.reply(reply);
        }
    }

    /// Ends the writes that were held back: the first one so, and all later ones.
    fn release(&mut self, writes: Writes) {
        self.writes = writes;
        self.pump();
    }

    /// Ends the oldest write that was held back.
    fn release_one(&mut self) {
        let reply = self.storage.complete_write().unwrap();
        self.reply(reply);
    }

    /// Lets time pass; everything that is due happens when it is due.
    fn pass(&mut self, millis: u64) {
        let end = self.now().monotonic.0 + millis;
        loop {
            self.pump();
            let now = self.now().monotonic.0;
            let due = self.broker.poll_timeout().map(|due| due.0.max(now));
            match due.filter(|&due| due <= end) {
                Some(due) => self.advance(due - now),
                None => break self.advance(end - now),
            }
        }
        // Early, which does nothing but tell the time.
        let now = self.now();
        self.broker.handle_timeout(now);
    }

    /// Moves the wall clock alone.
    fn set_wall_clock_ahead(&mut self, millis: i64) {
        let wall = self.now().wall.0;
        self.set_wall(wall + millis);
    }

    /// Sends a request in the newest version, on a connection of its own.
    fn send<R: Request>(&mut self, request: &R) -> Sent<R> {
        self.send_in(R::VERSIONS.max, request)
    }

    fn send_in<R: Request>(&mut self, version: i16, request: &R) -> Sent<R> {
        let connection = self.connect();
        self.harness
            .as_mut()
            .unwrap()
            .send(connection, request, version);
        self.pump();
        Sent {
            connection,
            version,
            request: PhantomData,
        }
    }

    /// The answer, if it has come; it is taken.
    fn answer<R: Request>(&mut self, sent: Sent<R>) -> Option<R::Response> {
        assert_eq!(self.closed(sent.connection), None);
        self.receive::<R>(sent.connection, sent.version)
    }

    /// Sends a request that is answered at once.
    fn ask<R: Request>(&mut self, request: &R) -> R::Response {
        self.ask_in(R::VERSIONS.max, request)
    }

    fn ask_in<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let sent = self.send_in(version, request);
        self.answer(sent).expect("an answer at once")
    }

    /// The records of the log that holds a group.
    fn records_of(&self, group: &str) -> Vec<Record> {
        let log = self.log_of(group);
        let chunks = self
            .storage
            .stored()
            .chunks
            .range((log, 0)..=(log, i64::MAX));
        let batches = chunks.flat_map(|(_, chunk)| Batches::new(chunk.clone()));
        let records = batches.flat_map(|batch| batch.unwrap().records(usize::MAX).unwrap());
        records.map(|record| record.unwrap()).collect()
    }

    /// The log that holds a group.
    fn log_of(&self, group: &str) -> LogId {
        let topic = self.broker.metadata.offsets_topic().unwrap();
        topic.log(partition_for(group, topic.partitions)).unwrap()
    }
}

/// `Utils.abs(groupId.hashCode()) % numPartitions`.
#[test]
fn groups_map_to_partitions_as_in_kafka() {
    assert_eq!(partition_for("", 50), 0);
    assert_eq!(partition_for("a", 50), 97 % 50);
    assert_eq!(
        partition_for("polygenelubricants", 50),
        0,
        "its hashCode is MIN_VALUE"
    );
    // Two units of UTF-16: 0xD83D * 31 + 0xDE00.
    assert_eq!(partition_for("\u{1F600}", 50), 1_772_899 % 50);
}
