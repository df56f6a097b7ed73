//! From batches to requests: which may go now, to which broker, together with which others.

use crate::sorted::SortedMap;

use bytes::Bytes;

use super::super::cluster::{RequestOptions, Target};
use super::super::error::ClientError;
use super::batch::Kind;
use super::identity::IdentityState;
use super::queue::{Gate, Next};
use super::{Idempotence, Producer, Status};
use crate::protocol::Records;
use crate::protocol::messages::ProduceRequest;
use crate::protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use crate::time::{Monotonic, Now};
use crate::types::{TopicPartition, Uuid};

/// A batch in a request.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) topic: String,
    pub(super) topic_id: Uuid,
    pub(super) partition: i32,
    pub(super) number: u64,
}

impl Producer {
    fn gate(&self, now: Now) -> Gate {
        let wanted = self.config.idempotence != Idempotence::Off;
        Gate {
            now: now.monotonic,
            linger_ms: self.config.linger_ms,
            batch_size: self.config.batch_size,
            flush: self.status != Status::Connected,
            idempotent: wanted && self.identity != IdentityState::Unavailable,
            identity: self.identity.known(),
        }
    }

    /// Sends everything that may go now.
    pub(super) fn pump(&mut self, now: Now) {
        let gate = self.gate(now);
        let mut ready: SortedMap<i32, Vec<(String, i32)>> = SortedMap::new();
        let mut leaderless = Vec::new();
        let mut needs_identity = false;
        for (name, topic) in &mut self.topics {
            for (partition, queue) in &mut topic.queues {
                match queue.next(&gate) {
                    Next::Nothing | Next::Later(_) => {}
                    Next::NeedsIdentity => needs_identity = true,
                    Next::Ready(_) => match self.cluster.metadata().leader(name, *partition) {
                        Some(node) => {
                            let ready = ready.entry(node).or_default();
                            ready.push((name.clone(), *partition));
                        }
                        None => leaderless.push(TopicPartition::new(name, *partition)),
                    },
                }
            }
        }
        if needs_identity {
            self.ask_for_identity(now);
        }
        for partition in leaderless {
            let code = self.cluster.metadata().why_no_leader(&partition);
            let error = ClientError::protocol_about(code, None, &partition.to_string());
            self.fail_waiting(now, &partition.topic, partition.partition, &error);
            self.ask_for_leader(now, &partition.topic);
        }
        for (node, mut partitions) in ready {
            let turn = self.turn.checked_rem(partitions.len()).unwrap_or(0);
            partitions.rotate_left(turn);
            self.pump_node(now, &gate, node, &partitions);
        }
        self.turn = self.turn.wrapping_add(1);
    }

    fn pump_node(&mut self, now: Now, gate: &Gate, node: i32, partitions: &[(String, i32)]) {
        while self.cluster.room(node) > 0 {
            if !self.send_request(now, gate, node, partitions) {
                return;
            }
        }
        let held = partitions.iter().filter(|(name, partition)| {
            let topic = self.topics.get_mut(name);
            let queue = topic.and_then(|topic| topic.queues.get_mut(partition));
            queue.is_some_and(|queue| matches!(queue.next(gate), Next::Ready(_)))
        });
        let held = held.count();
        if held > 0 {
            self.cluster.held_back(node, held);
        }
        // Either it has enough to do, or it is not connected. Its address is known: it is in the
        // metadata, or it would be nobody's leader.
        self.cluster.open_node(now, node);
    }

    /// Sends one request with at most one batch of each partition. False if there is none to send.
    fn send_request(
        &mut self,
        now: Now,
        gate: &Gate,
        node: i32,
        partitions: &[(String, i32)],
    ) -> bool {
        let mut sent: Vec<Sent> = Vec::new();
        let mut topic_data: Vec<TopicProduceData> = Vec::new();
        let mut size: usize = 0;
        let mut common: Option<Kind> = None;
        let mut broken = Vec::new();
        for (name, partition) in partitions {
            let queue = self
                .topics
                .get_mut(name)
                .and_then(|topic| topic.queues.get_mut(partition));
            let Some(queue) = queue else { continue };
            let Next::Ready(at) = queue.next(gate) else {
                continue;
            };
            let Some((bytes, kind)) = queue.peek(at) else {
                continue;
            };
            let fits = common.is_none_or(|common| {
                common.acks == kind.acks
                    && common.timeout_ms == kind.timeout_ms
                    && size.saturating_add(bytes) <= self.config.max_request_size
            });
            if !fits {
                continue;
            }
            let (number, records) = match queue.take(at, gate) {
                Some(Ok(taken)) => taken,
                Some(Err((batch, error))) => {
                    broken.push((name.clone(), *partition, *batch, error));
                    continue;
                }
                None => continue,
            };
            common = Some(kind);
            size = size.saturating_add(records.len());
            let known = self.cluster.metadata().topic(name);
            let topic_id = known.map_or(Uuid::ZERO, |topic| topic.id);
            add_partition(&mut topic_data, name, topic_id, *partition, records);
            sent.push(Sent {
                topic: name.clone(),
                topic_id,
                partition: *partition,
                number,
            });
        }
        for (name, partition, batch, error) in broken {
            self.finish_batch(&name, partition, &batch, Err(error));
        }
        let Some(kind) = common else { return false };
        let nameless = sent.iter().any(|sent| sent.topic_id.is_zero());
        let request = ProduceRequest {
            transactional_id: None,
            acks: kind.acks,
            timeout_ms: kind.timeout_ms,
            topic_data,
        };
        let options = RequestOptions {
            answered: kind.acks != 0,
            // From version 13 on topics go by id.
            max_version: nameless.then_some(12),
            ..RequestOptions::default()
        };
        let target = Target::Node(node);
        let token = self.cluster.request_with(now, target, request, options);
        self.requests.insert(token, sent);
        true
    }

    /// One attempt of what waits for a partition has failed.
    fn fail_waiting(&mut self, now: Now, topic: &str, partition: i32, error: &ClientError) {
        let queues = self.topics.get_mut(topic).map(|topic| &mut topic.queues);
        let Some(queue) = queues.and_then(|queues| queues.get_mut(&partition)) else {
            return;
        };
        let config = &self.config.retry;
        let given_up = queue.fail_waiting(config, &mut self.rng, now.monotonic, error);
        for (batch, error) in given_up {
            self.finish_batch(topic, partition, &batch, Err(error));
        }
    }

    /// One attempt of everything that waits has failed.
    pub(super) fn fail_all_waiting(&mut self, now: Now, error: &ClientError) {
        for partition in self.waiting_partitions(|_, _| true) {
            self.fail_waiting(now, &partition.topic, partition.partition, error);
        }
    }

    /// A broker cannot be reached: one attempt of everything for it has failed.
    pub(super) fn node_failed(&mut self, now: Now, node: i32, error: &ClientError) {
        let partitions = self.waiting_partitions(|producer, partition| {
            let metadata = producer.cluster.metadata();
            metadata.leader(&partition.topic, partition.partition) == Some(node)
        });
        if partitions.is_empty() {
            return;
        }
        for partition in partitions {
            self.fail_waiting(now, &partition.topic, partition.partition, error);
        }
        self.cluster.refresh_metadata(now);
    }

    fn waiting_partitions(
        &self,
        which: impl Fn(&Self, &TopicPartition) -> bool,
    ) -> Vec<TopicPartition> {
        let mut found = Vec::new();
        for (name, topic) in &self.topics {
            for (partition, _) in topic.queues.iter().filter(|(_, queue)| queue.has_waiting()) {
                let partition = TopicPartition::new(name, *partition);
                if which(self, &partition) {
                    found.push(partition);
                }
            }
        }
        found
    }

    fn ask_for_leader(&mut self, now: Now, topic: &str) {
        if self.cluster.metadata().topic(topic).is_some() {
            self.cluster.refresh_metadata(now);
        } else {
            self.cluster.track_topics(now, [topic]);
        }
    }

    /// Tries again what waits for its topic to be known.
    pub(super) fn place_due(&mut self, now: Now) {
        let due = self
            .topics
            .iter()
            .filter(|(_, topic)| topic.waiting_due().is_some_and(|due| due <= now.monotonic));
        let due: Vec<String> = due.map(|(name, _)| name.clone()).collect();
        for name in due {
            self.place(now, &name);
        }
    }

    /// When something of what waits can be tried.
    pub(super) fn send_due(&self) -> Option<Monotonic> {
        let gate = self.gate(self.cluster.now());
        let topics = self.topics.values();
        let queues = topics.clone().flat_map(|topic| topic.queues.values());
        let batches = queues.filter_map(|queue| queue.due(&gate));
        let parts = topics.filter_map(super::topics::Topic::waiting_due);
        // What is due already waits for an answer or a connection, not for time to pass.
        let later = |due: &Monotonic| *due > gate.now;
        batches.chain(parts).filter(later).min()
    }
}

fn add_partition(
    topics: &mut Vec<TopicProduceData>,
    name: &str,
    topic_id: Uuid,
    partition: i32,
    records: Bytes,
) {
    let data = PartitionProduceData {
        index: partition,
        records: Records::from(records),
    };
    match topics.iter_mut().find(|topic| topic.name == name) {
        Some(topic) => topic.partition_data.push(data),
        None => topics.push(TopicProduceData {
            name: name.to_owned(),
            topic_id,
            partition_data: vec![data],
        }),
    }
}
