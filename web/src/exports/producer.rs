//! The producer, for JavaScript.

use bytes::Bytes;
use js_sys::{Array, Function, Uint8Array};
use partita_core::client::admin::PartitionView;
use partita_core::client::producer::{
    Idempotence, Packed, PartitionResult, PartitionerKind, Producer, ProducerConfig, ProducerEvent,
    Send,
};
use partita_core::client::{ClientError, OpId};
use partita_core::records::Compression;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::client::Client;
use super::error::{Outcome, argument, thrown};
use super::link::Way;
use super::options::ClusterOptions;
use crate::num::to_u64;
use crate::port::to_js;

/// What a producer can be told. What is left out is the core's default.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    cluster: ClusterOptions,
    idempotent: bool,
    sticky: bool,
    /// Milliseconds.
    linger: Option<f64>,
    /// Bytes, as are the next two.
    batch_size: Option<f64>,
    max_request_size: Option<f64>,
    buffer_memory: Option<f64>,
    /// Milliseconds.
    max_block: Option<f64>,
}

impl Options {
    fn config(&self) -> ProducerConfig {
        let default = ProducerConfig::default();
        let bytes = |given: Option<f64>, default: usize| {
            given.map_or(default, |given| {
                usize::try_from(to_u64(given)).unwrap_or(usize::MAX)
            })
        };
        ProducerConfig {
            cluster: self.cluster.cluster(),
            retry: self.cluster.retry(),
            idempotence: if self.idempotent {
                Idempotence::Required
            } else {
                Idempotence::Auto
            },
            partitioner: if self.sticky {
                PartitionerKind::Sticky
            } else {
                PartitionerKind::RoundRobin
            },
            linger_ms: self.linger.map_or(default.linger_ms, to_u64),
            batch_size: bytes(self.batch_size, default.batch_size),
            max_request_size: bytes(self.max_request_size, default.max_request_size),
            buffer_memory: bytes(self.buffer_memory, default.buffer_memory),
            max_block_ms: self.max_block.map_or(default.max_block_ms, to_u64),
            max_in_flight: self
                .cluster
                .max_in_flight()
                .unwrap_or(default.max_in_flight),
        }
    }
}

/// A producer.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ProducerClient(Client<Producer>);

#[wasm_bindgen]
impl ProducerClient {
    /// A producer that is not connected. `ready` is called when it may have events.
    ///
    /// # Errors
    /// When the options make no sense.
    #[wasm_bindgen(constructor)]
    pub fn new(way: &Way, options: JsValue, ready: Function) -> Result<Self, JsValue> {
        let options: Options = argument(options)?;
        let producer = Producer::new(options.config(), crate::sys::random_seed());
        Ok(Self(Client::new(way, ready, producer)))
    }

    /// Reaches for a broker. Value: nothing.
    pub fn connect(&self) -> f64 {
        self.0.op(Producer::connect)
    }

    /// Takes no further sends and waits for those under way. Value: nothing.
    pub fn disconnect(&self) -> f64 {
        self.0.op(Producer::disconnect)
    }

    /// Sends records: `topics` are names, `packed` for each of them its records in the packed form
    /// of `client::producer::Packed`, as a `Uint8Array`, which is copied. Value: KafkaJS's
    /// `RecordMetadata[]`.
    ///
    /// # Errors
    /// When the records are not packed right.
    pub fn send(
        &self,
        topics: Vec<String>,
        packed: Vec<Uint8Array>,
        acks: i16,
        timeout_ms: i32,
        compression: i8,
    ) -> Result<f64, JsValue> {
        let lists = topics.into_iter().zip(packed).map(|(topic, packed)| {
            let records = Packed::new(Bytes::from(packed.to_vec())).map_err(thrown)?;
            Ok((topic, records.into()))
        });
        let send = Send {
            topics: lists.collect::<Result<_, JsValue>>()?,
            acks,
            timeout_ms,
            compression: codec(compression).map_err(thrown)?,
        };
        Ok(self.0.op(|producer, now| producer.send(now, send)))
    }

    /// A topic's partitions, for a partitioner in JavaScript. Value: KafkaJS's
    /// `PartitionMetadata[]`.
    pub fn partitions(&self, topic: &str) -> f64 {
        self.0
            .op(|producer, now| producer.fetch_partitions(now, topic))
    }

    /// Whether further records would have to wait for room.
    pub fn is_full(&self) -> bool {
        self.0.peek(|producer| producer.is_full())
    }

    /// What has happened: an [`Outcome`] for each operation that has ended.
    ///
    /// # Errors
    /// When an event cannot be shown in JavaScript.
    pub fn events(&self) -> Result<Array, JsValue> {
        self.0.events(Producer::poll_event, view)
    }

    /// Begins or ends to gather what happens on the network.
    pub fn watch(&self, on: bool) {
        self.0.watch(on);
    }

    /// What has happened on the network since the last call.
    ///
    /// # Errors
    /// As [`ProducerClient::events`].
    pub fn network_events(&self) -> Result<Array, JsValue> {
        self.0.network_events()
    }
}

/// KafkaJS's number of a codec.
fn codec(number: i8) -> Result<Compression, ClientError> {
    Ok(match number {
        0 => Compression::None,
        1 => Compression::Gzip,
        2 => Compression::Snappy,
        3 => Compression::Lz4,
        4 => Compression::Zstd,
        _ => {
            let message = format!("Unknown compression type {number}");
            return Err(ClientError::non_retriable(message));
        }
    })
}

fn view(event: ProducerEvent) -> Result<JsValue, JsValue> {
    match event {
        ProducerEvent::Connected { op, result } => to_js(&Outcome::new(op, result)),
        ProducerEvent::Disconnected { op } => to_js(&Outcome::new(op, Ok(()))),
        ProducerEvent::Partitions { op, result } => outcome(op, result, PartitionMetadata::from),
        ProducerEvent::Sent { op, result } => outcome(op, result, RecordMetadata::from),
    }
}

fn outcome<T, V: Serialize>(
    op: OpId,
    result: Result<Vec<T>, ClientError>,
    show: impl Fn(T) -> V,
) -> Result<JsValue, JsValue> {
    let shown = |list: Vec<T>| list.into_iter().map(show).collect::<Vec<V>>();
    to_js(&Outcome::new(op, result.map(shown)))
}

/// Where the records of a send went, in one partition.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordMetadata {
    topic_name: String,
    partition: i32,
    error_code: i16,
    base_offset: String,
    log_append_time: String,
    log_start_offset: String,
}

impl From<PartitionResult> for RecordMetadata {
    fn from(result: PartitionResult) -> Self {
        Self {
            topic_name: result.topic,
            partition: result.partition,
            error_code: 0,
            base_offset: result.base_offset.to_string(),
            log_append_time: result.log_append_time.to_string(),
            log_start_offset: result.log_start_offset.to_string(),
        }
    }
}

/// A partition as KafkaJS shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartitionMetadata {
    partition_error_code: i16,
    partition_id: i32,
    leader: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
    offline_replicas: Vec<i32>,
}

impl From<PartitionView> for PartitionMetadata {
    fn from(partition: PartitionView) -> Self {
        Self {
            partition_error_code: partition.error.0,
            partition_id: partition.partition,
            leader: partition.leader,
            replicas: partition.replicas,
            isr: partition.isr,
            offline_replicas: partition.offline_replicas,
        }
    }
}
