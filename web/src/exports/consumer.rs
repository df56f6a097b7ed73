//! The consumer, for JavaScript.
//!
//! JavaScript owns the `run` loop and calls handlers and its own assigners; it takes batches by
//! `poll` whenever there may be some, says by `processed` how far it has come, and ends each by
//! `release` or `failed`.

use partita_core::sorted::SortedMap;

use bytes::Bytes;
use js_sys::{Array, Function, Uint8Array};
use partita_core::client::admin::PartitionView;
use partita_core::client::consumer::{
    BatchId, Consumer, OffsetToCommit, SeekTo, TopicSubscription,
};
use partita_core::client::{ClientError, Endpoint as _, ErrorKind};
use partita_core::types::TopicPartition;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::client::Client;
use super::consumer_options::{AutoCommitOption, Options, TopicOption};
use super::consumer_view::{by_topic, partitions_by_topic, push, show_batch};
use super::error::{argument, thrown};
use super::link::Way;
use super::producer::PartitionMetadata;
use crate::num::{to_f64, to_i64, to_u64};
use crate::port::to_js;

/// A consumer.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ConsumerClient(Client<Consumer>);

#[wasm_bindgen]
impl ConsumerClient {
    /// A consumer that is not connected. `ready` is called when it may have events or records.
    ///
    /// # Errors
    /// When the options make no sense.
    #[wasm_bindgen(constructor)]
    pub fn new(way: &Way, options: JsValue, ready: Function) -> Result<Self, JsValue> {
        let options: Options = argument(options)?;
        let seed = crate::sys::random_seed();
        let consumer = Consumer::new(options.config(), seed).map_err(thrown)?;
        Ok(Self(Client::new(way, ready, consumer)))
    }

    /// Reaches for a broker. Value: nothing.
    pub fn connect(&self) -> f64 {
        self.0.op(Consumer::connect)
    }

    /// Stops, and closes every connection. Value: nothing.
    pub fn disconnect(&self) -> f64 {
        self.0.op(Consumer::disconnect)
    }

    /// Subscribes to topics, `{ topic, fromBeginning }` each, beside those before. Value: nothing.
    ///
    /// # Errors
    /// When the argument is no such list.
    pub fn subscribe(&self, topics: JsValue) -> Result<f64, JsValue> {
        let topics: Vec<TopicOption> = argument(topics)?;
        let topics: Vec<TopicSubscription> = topics.into_iter().map(Into::into).collect();
        Ok(self.0.op(|consumer, now| consumer.subscribe(now, &topics)))
    }

    /// Asks for all topics. Value: their names.
    pub fn topics(&self) -> f64 {
        self.0.op(Consumer::list_topics)
    }

    /// Begins to consume: `{ autoCommit, autoCommitInterval, autoCommitThreshold }` says what is
    /// committed by itself. Value: nothing, when the group is joined.
    ///
    /// # Errors
    /// When the argument is no such object.
    pub fn start(&self, auto_commit: JsValue) -> Result<f64, JsValue> {
        let auto_commit: AutoCommitOption = argument(auto_commit)?;
        Ok(self.0.op(|consumer, now| {
            consumer.set_auto_commit(auto_commit.into());
            consumer.start(now)
        }))
    }

    /// Ends consuming once every batch is back, commits, and leaves the group. Value: nothing.
    pub fn stop(&self) -> f64 {
        self.0.op(Consumer::stop)
    }

    /// What has happened: an `Outcome` for each operation that has ended, and objects with a
    /// `type`.
    ///
    /// # Errors
    /// When an event cannot be shown in JavaScript.
    pub fn events(&self) -> Result<Array, JsValue> {
        let events = Array::new();
        while let Some(event) = self.0.peek(Consumer::poll_event) {
            push(&events, event)?;
        }
        Ok(events)
    }

    /// The next batch, if there is one now. One that cannot be decoded makes the consumer crash.
    ///
    /// # Errors
    /// When it cannot be shown in JavaScript.
    pub fn poll(&self) -> Result<JsValue, JsValue> {
        let now = self.0.now();
        while self.0.peek(|consumer| consumer.has_records(now)) {
            let Some(batch) = self.0.with(Consumer::poll) else {
                break;
            };
            match batch.pack() {
                Ok(packed) => return show_batch(batch, packed),
                Err(error) => self
                    .0
                    .with(|consumer, now| consumer.corrupt(now, batch.id, &error)),
            }
        }
        Ok(JsValue::UNDEFINED)
    }

    /// Everything of a batch below this offset is processed. Returns whether to go on with it.
    pub fn processed(&self, batch: f64, next_offset: f64) -> bool {
        let id = batch_id(batch);
        self.0.peek(|consumer| {
            consumer.note_processed(id, to_i64(next_offset));
            consumer.may_go_on(id)
        })
    }

    /// Whether to go on with a batch.
    pub fn may_go_on(&self, batch: f64) -> bool {
        self.0.peek(|consumer| consumer.may_go_on(batch_id(batch)))
    }

    /// Whether a batch does not count any more.
    pub fn is_stale(&self, batch: f64) -> bool {
        self.0.peek(|consumer| consumer.is_stale(batch_id(batch)))
    }

    /// Whether nobody knows, until the coordinator is heard of, if partitions are still assigned.
    pub fn may_have_lost(&self) -> bool {
        let now = self.0.now();
        self.0.peek(|consumer| consumer.may_have_lost(now))
    }

    /// Whether a rebalance takes a batch's partition away, or has.
    pub fn is_going(&self, batch: f64) -> bool {
        self.0.peek(|consumer| consumer.is_going(batch_id(batch)))
    }

    /// Gives a batch back; what is not processed of it comes again.
    pub fn release(&self, batch: f64) {
        self.0
            .with(|consumer, now| consumer.release(now, batch_id(batch)));
    }

    /// Gives a batch back because its handler failed; what is not processed of it comes again after
    /// a while.
    ///
    /// # Errors
    /// When it has failed too often: `KafkaJSNumberOfRetriesExceeded`.
    pub fn failed(&self, batch: f64, message: &str) -> Result<(), JsValue> {
        let error = ClientError::passing(ErrorKind::General, message);
        self.0
            .with(|consumer, now| consumer.failed(now, batch_id(batch), error))
            .map_err(thrown)
    }

    /// Moves a partition's position; −1 and −2 are where a new group would start.
    ///
    /// # Errors
    /// When the offset is no number of 64 bits.
    pub fn seek(&self, topic: &str, partition: i32, offset: &str) -> Result<(), JsValue> {
        let to = match parse_offset(offset)? {
            -1 | -2 => SeekTo::Default,
            offset => SeekTo::Offset(offset),
        };
        let partition = TopicPartition::new(topic, partition);
        self.0
            .with(|consumer, now| consumer.seek(now, &partition, to));
        Ok(())
    }

    /// Pauses partitions of a topic, or all of it.
    pub fn pause(&self, topic: &str, partitions: Option<Vec<i32>>) {
        self.0
            .with(|consumer, _| consumer.pause(topic, partitions.as_deref()));
    }

    /// Ends a pause.
    pub fn resume(&self, topic: &str, partitions: Option<Vec<i32>>) {
        self.0
            .with(|consumer, now| consumer.resume(now, topic, partitions.as_deref()));
    }

    /// The assigned partitions that are paused: pairs of a topic and its partitions.
    ///
    /// # Errors
    /// When they cannot be shown in JavaScript.
    pub fn paused(&self) -> Result<JsValue, JsValue> {
        let paused = self.0.peek(|consumer| consumer.paused());
        to_js(&partitions_by_topic(paused))
    }

    /// Commits offsets: `{ topic, partition, offset, metadata }` each. Value: nothing.
    ///
    /// # Errors
    /// When the argument is no such list.
    pub fn commit(&self, offsets: JsValue) -> Result<f64, JsValue> {
        let offsets: Vec<OffsetOption> = argument(offsets)?;
        let offsets = offsets.into_iter().map(OffsetOption::parse);
        let offsets = offsets.collect::<Result<_, JsValue>>()?;
        Ok(self.0.op(|consumer, now| consumer.commit(now, offsets)))
    }

    /// Commits what is processed and not committed; nothing if there is nothing. Value: nothing.
    pub fn commit_processed(&self) -> Option<f64> {
        let op = self.0.with(Consumer::commit_processed);
        op.map(|op| to_f64(op.0))
    }

    /// As `commit_processed`, if it is time.
    pub fn commit_if_due(&self) -> Option<f64> {
        let op = self.0.with(Consumer::commit_if_due);
        op.map(|op| to_f64(op.0))
    }

    /// What is processed and not committed: KafkaJS's `TopicOffsets[]`.
    ///
    /// # Errors
    /// When it cannot be shown in JavaScript.
    pub fn uncommitted(&self) -> Result<JsValue, JsValue> {
        let offsets = self.0.peek(|consumer| consumer.uncommitted()).into_iter();
        let offsets = offsets.map(|(partition, offset)| OffsetToCommit {
            partition,
            offset,
            metadata: None,
        });
        to_js(&by_topic(offsets.collect()))
    }

    /// What is known of a topic's partitions: KafkaJS's `PartitionMetadata[]`.
    ///
    /// # Errors
    /// When it cannot be shown in JavaScript.
    pub fn partitions(&self, topic: &str) -> Result<JsValue, JsValue> {
        let found: Vec<PartitionMetadata> = self.0.peek(|consumer| {
            let metadata = consumer.cluster().metadata();
            let partitions = metadata.topic(topic).map(|it| &it.partitions);
            let views = partitions.into_iter().flatten();
            let views = views.map(|(number, info)| PartitionView::new(*number, info));
            views.map(Into::into).collect()
        });
        to_js(&found)
    }

    /// How the assigners in JavaScript take part: a name and metadata each.
    pub fn protocols(&self, names: Vec<String>, metadata: Vec<Uint8Array>) {
        let protocols: SortedMap<String, Bytes> = pairs(names, &metadata).collect();
        self.0
            .with(|consumer, now| consumer.protocols(now, protocols));
    }

    /// What each member gets in a generation, by an assigner in JavaScript.
    pub fn assignment(&self, generation: i32, members: Vec<String>, assignments: Vec<Uint8Array>) {
        let shares = pairs(members, &assignments).collect();
        self.0
            .with(|consumer, now| consumer.assignment(now, generation, Ok(shares)));
    }

    /// Begins or ends to gather what happens on the network.
    pub fn watch(&self, on: bool) {
        self.0.watch(on);
    }

    /// What has happened on the network since the last call.
    ///
    /// # Errors
    /// As [`ConsumerClient::events`].
    pub fn network_events(&self) -> Result<Array, JsValue> {
        self.0.network_events()
    }
}

/// An offset to commit.
#[derive(Debug, Deserialize)]
struct OffsetOption {
    topic: String,
    partition: i32,
    offset: String,
    #[serde(default)]
    metadata: Option<String>,
}

impl OffsetOption {
    fn parse(self) -> Result<OffsetToCommit, JsValue> {
        Ok(OffsetToCommit {
            partition: TopicPartition::new(self.topic, self.partition),
            offset: parse_offset(&self.offset)?,
            metadata: self.metadata,
        })
    }
}

fn parse_offset(text: &str) -> Result<i64, JsValue> {
    text.parse().map_err(|_| {
        let message = format!("Invalid offset, expected a long received {text}");
        thrown(ClientError::non_retriable(message))
    })
}

fn batch_id(number: f64) -> BatchId {
    BatchId(to_u64(number))
}

fn pairs(names: Vec<String>, bytes: &[Uint8Array]) -> impl Iterator<Item = (String, Bytes)> {
    let bytes = bytes.iter().map(|bytes| Bytes::from(bytes.to_vec()));
    names.into_iter().zip(bytes)
}
