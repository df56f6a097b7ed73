//! A producer that numbers its records: `p1:42`.

use std::collections::BTreeMap;

use bytes::Bytes;
use partita_core::client::producer::{Idempotence, ProducerRecord, Send};
use partita_core::client::{Endpoint as _, OpId, Producer, ProducerConfig, ProducerEvent};
use partita_core::records::Compression;
use partita_core::time::{Monotonic, Now};

use super::super::model::{Model, TOPIC};
use super::{cluster, later, patient};
use crate::numbers::Numbers;

/// See the module.
#[derive(Debug)]
pub(in crate::sim) struct Writer {
    name: String,
    pub(super) producer: Producer,
    compression: Compression,
    topics: Vec<&'static str>,
    next_send: Monotonic,
    /// Sends no more after this.
    pub(in crate::sim) ends: Monotonic,
    number: u64,
    connecting: bool,
    unanswered: BTreeMap<OpId, (&'static str, i32, Vec<String>)>,
}

impl Writer {
    pub(in crate::sim) fn new(
        name: &str,
        topics: Vec<&'static str>,
        seed: [u8; 32],
        now: Now,
        random: &mut Numbers,
    ) -> Self {
        let config = ProducerConfig {
            cluster: cluster(name),
            retry: patient(),
            idempotence: Idempotence::Required,
            linger_ms: random.below(3_u64) * 5,
            ..ProducerConfig::default()
        };
        // Not LZ4: its crate compresses to other bytes where pointers have 32 bits.
        let codecs = [Compression::None, Compression::Snappy, Compression::Gzip];
        Self {
            name: name.to_owned(),
            producer: Producer::new(config, seed),
            compression: *random.one_of(&codecs),
            topics,
            next_send: now.monotonic,
            ends: Monotonic(u64::MAX),
            number: 0,
            connecting: false,
            unanswered: BTreeMap::new(),
        }
    }

    /// Everything that was sent has been answered.
    pub(in crate::sim) fn is_done(&self, now: Now) -> bool {
        self.unanswered.is_empty() && now.monotonic > self.ends
    }

    pub(super) fn due(&self) -> Option<Monotonic> {
        (self.next_send <= self.ends).then_some(self.next_send)
    }

    pub(super) fn describe(&self) -> String {
        format!("{}: {:?}", self.name, self.unanswered)
    }

    pub(super) fn act(&mut self, now: Now, model: &mut Model, random: &mut Numbers) {
        let due = self.producer.poll_timeout();
        if due.is_some_and(|due| due <= now.monotonic) {
            self.producer.handle_timeout(now);
        }
        if !self.producer.is_connected() && !self.connecting {
            self.connecting = true;
            self.producer.connect(now);
        }
        if self.next_send <= now.monotonic && self.next_send <= self.ends {
            self.next_send = later(now, 5 + random.below(400));
            if self.producer.is_connected() && self.unanswered.len() < 20 {
                self.send(now, model, random);
            }
        }
        while let Some(event) = self.producer.poll_event() {
            model.explain(|| format!("{}: {event:?}", self.name));
            match event {
                ProducerEvent::Connected { .. } => self.connecting = false,
                ProducerEvent::Disconnected { .. } | ProducerEvent::Partitions { .. } => {}
                ProducerEvent::Sent { op, result } => {
                    let (topic, partition, values) =
                        self.unanswered.remove(&op).expect("it was sent");
                    // A send that failed may or may not have been written: nothing was promised.
                    let Ok(results) = result else { continue };
                    let first = results.first().expect("a partition was written to");
                    assert_eq!((results.len(), first.partition), (1, partition));
                    if topic != TOPIC {
                        continue;
                    }
                    for (offset, value) in (first.base_offset..).zip(values) {
                        if first.base_offset < 0 {
                            model.acknowledged_somewhere(partition, value);
                        } else {
                            model.acknowledged(partition, offset, value);
                        }
                    }
                }
            }
        }
    }

    fn send(&mut self, now: Now, model: &Model, random: &mut Numbers) {
        let topic = *random.one_of(&self.topics);
        let partition = random.below(model.partitions_of(topic).max(1));
        let values: Vec<String> = (0..=random.below(4))
            .map(|_| {
                self.number += 1;
                format!("{}:{}", self.name, self.number)
            })
            .collect();
        let records: Vec<ProducerRecord> = values
            .iter()
            .map(|value| ProducerRecord {
                partition: Some(partition),
                value: Some(Bytes::from(value.clone())),
                ..ProducerRecord::default()
            })
            .collect();
        let mut send = Send::new(topic, records);
        send.compression = self.compression;
        let op = self.producer.send(now, send);
        self.unanswered.insert(op, (topic, partition, values));
    }
}
