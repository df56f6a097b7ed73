//! Members, a producer and a real broker in one process, in virtual time: frames take no time,
//! storage carries out everything at once, and nothing happens in between but deadlines.
//!
//! After every step it checks that no two members that believe in the same generation have the same
//! partition.

use crate::sorted::SortedMap;

use super::member::Member;
use super::*;
use crate::broker::ConnectionId;
use crate::client::producer::{ProducerConfig, ProducerEvent, ProducerRecord, Send};
use crate::client::{ConnId, Producer, Transmit};
use crate::protocol::messages::create_partitions::CreatePartitionsTopic;
use crate::protocol::messages::create_topics::CreatableTopic;
use crate::protocol::messages::{CreatePartitionsRequest, CreateTopicsRequest};
use crate::testing::Harness;

/// Who lives in a world.
pub(super) type Id = usize;

#[derive(Debug)]
enum Client {
    Member(Box<Member>),
    Producer(Box<Producer>),
    Gone,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) harness: Harness,
    down: bool,
    clients: Vec<Client>,
    links: SortedMap<(Id, ConnId), ConnectionId>,
    /// Connections that ended without their frozen clients hearing of it yet.
    unheard: Vec<(Id, ConnId)>,
    sent: usize,
    pub(super) acknowledged: Vec<(i32, String)>,
    seeds: u8,
}

/// What members are by default here: quick, and in group `g`.
pub(super) fn lively() -> ConsumerConfig {
    ConsumerConfig {
        cluster: ClusterConfig {
            bootstrap: vec![("broker.test".to_owned(), 9092)],
            metadata_max_age_ms: 2_000,
            ..ClusterConfig::default()
        },
        session_timeout_ms: 10_000,
        auto_commit: AutoCommit {
            interval_ms: Some(500),
            ..AutoCommit::default()
        },
        retry: RetryConfig {
            retries: None,
            max_retry_time_ms: 1_000,
            ..RetryConfig::default()
        },
        ..config()
    }
}

pub(super) fn with(assignors: &[Assignor]) -> ConsumerConfig {
    let assignors = assignors.iter().copied().map(GroupAssignor::BuiltIn);
    ConsumerConfig {
        assignors: assignors.collect(),
        ..lively()
    }
}

impl World {
    /// A broker with topic `t`, and a producer.
    pub(super) fn new(partitions: i32) -> Self {
        let mut world = Self {
            harness: Harness::new(),
            down: false,
            clients: Vec::new(),
            links: SortedMap::new(),
            unheard: Vec::new(),
            sent: 0,
            acknowledged: Vec::new(),
            seeds: 0,
        };
        world.create("t", partitions);
        let mut config = ProducerConfig::default();
        config.cluster.bootstrap = vec![("broker.test".to_owned(), 9092)];
        config.retry.retries = None;
        config.retry.max_retry_time_ms = 1_000;
        let mut producer = Producer::new(config, [77; 32]);
        producer.connect(world.harness.now());
        world.clients.push(Client::Producer(Box::new(producer)));
        world.settle();
        world
    }

    pub(super) fn create(&mut self, name: &str, num_partitions: i32) {
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions,
                replication_factor: 1,
                ..CreatableTopic::default()
            }],
            timeout_ms: 1_000,
            ..CreateTopicsRequest::default()
        };
        let connection = self.harness.connect();
        let response = self.harness.request(connection, &request, 7);
        assert_eq!(response.topics[0].error_code, ErrorCode::NONE);
    }

    pub(super) fn grow(&mut self, name: &str, count: i32) {
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: name.to_owned(),
                count,
                assignments: None,
            }],
            timeout_ms: 1_000,
            ..CreatePartitionsRequest::default()
        };
        let connection = self.harness.connect();
        let response = self.harness.request(connection, &request, 3);
        assert_eq!(response.results[0].error_code, ErrorCode::NONE);
    }

    /// A consumer that is subscribed to `t` and started.
    pub(super) fn join(&mut self, config: ConsumerConfig) -> Id {
        let id = self.add(config);
        self.command(id, |consumer, now| {
            consumer.subscribe(now, &[TopicSubscription::new("t")]);
            consumer.start(now);
        });
        id
    }

    /// A consumer that does nothing yet.
    pub(super) fn add(&mut self, config: ConsumerConfig) -> Id {
        self.seeds += 1;
        let member = Member {
            consumer: Consumer::new(config, [self.seeds; 32]).unwrap(),
            holds: false,
            held: Vec::new(),
            seen: Vec::new(),
            events: Vec::new(),
            frozen: false,
        };
        self.clients.push(Client::Member(Box::new(member)));
        self.clients.len() - 1
    }

    pub(super) fn member(&mut self, id: Id) -> &mut Member {
        match &mut self.clients[id] {
            Client::Member(member) => member,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn command<T>(
        &mut self,
        id: Id,
        command: impl FnOnce(&mut Consumer, Now) -> T,
    ) -> T {
        let now = self.harness.now();
        let result = command(&mut self.member(id).consumer, now);
        self.settle();
        result
    }

    /// Sends values to a partition of `t`.
    pub(super) fn send(&mut self, partition: i32, values: &[&str]) {
        let records = values.iter().map(|value| ProducerRecord {
            partition: Some(partition),
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            ..ProducerRecord::default()
        });
        let records: Vec<_> = records.collect();
        let now = self.harness.now();
        if let Client::Producer(producer) = &mut self.clients[0] {
            producer.send(now, Send::new("t", records));
            self.sent += 1;
        }
        let pairs = values.iter().map(|value| (partition, (*value).to_owned()));
        self.acknowledged.extend(pairs);
        self.settle();
    }

    /// A member processes what it holds.
    pub(super) fn finish(&mut self, id: Id) {
        let now = self.harness.now();
        let member = self.member(id);
        for batch in std::mem::take(&mut member.held) {
            member.process(now, &batch);
        }
        self.settle();
    }

    /// A member's process is killed.
    pub(super) fn kill(&mut self, id: Id) {
        self.clients[id] = Client::Gone;
        let links = self.links.iter().filter(|((of, _), _)| *of == id);
        for connection in links.map(|(_, it)| *it).collect::<Vec<_>>() {
            self.harness.disconnect(connection);
        }
        self.links.retain(|(of, _), _| *of != id);
        self.settle();
    }

    /// The broker crashes, and stays away until [`World::revive`].
    pub(super) fn crash_broker(&mut self) {
        let harness = std::mem::take(&mut self.harness);
        self.harness = harness.crash_opening();
        self.down = true;
        let ended = std::mem::take(&mut self.links).into_keys();
        self.unheard.extend(ended);
        self.settle();
    }

    pub(super) fn revive(&mut self) {
        self.harness.run();
        self.down = false;
        self.settle();
    }

    fn endpoint(&mut self, id: Id) -> Option<&mut dyn Endpoint> {
        match &mut self.clients[id] {
            Client::Member(member) if member.frozen => None,
            Client::Member(member) => Some(&mut member.consumer),
            Client::Producer(producer) => Some(producer.as_mut()),
            Client::Gone => None,
        }
    }

    /// Whether the broker is away.
    pub(super) fn is_down(&self) -> bool {
        self.down
    }

    /// How many sends are not acknowledged.
    pub(super) fn unacknowledged(&self) -> usize {
        self.sent
    }

    /// Lets everything happen that needs no time.
    pub(super) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 10_000, "it never ends: {}", self.summary());
            let mut busy = self.tell_of_ends();
            for id in 0..self.clients.len() {
                busy |= self.transmit(id);
                busy |= self.act(id);
            }
            if !self.down {
                self.harness.run();
                busy |= self.deliver();
            }
            self.check_owners();
            if !busy {
                return;
            }
        }
    }

    /// Clients that are not frozen hear of connections that have ended.
    fn tell_of_ends(&mut self) -> bool {
        let now = self.harness.now();
        let mut any = false;
        for (id, conn) in std::mem::take(&mut self.unheard) {
            match self.endpoint(id) {
                Some(client) => {
                    client.handle_closed(now, conn, "ECONNRESET".to_owned());
                    any = true;
                }
                None => self.unheard.push((id, conn)),
            }
        }
        any
    }

    fn transmit(&mut self, id: Id) -> bool {
        let mut any = false;
        let now = self.harness.now();
        while let Some(transmit) = self.endpoint(id).and_then(|it| it.poll_transmit()) {
            any = true;
            match transmit {
                Transmit::Open { conn, .. } if self.down => {
                    if let Some(client) = self.endpoint(id) {
                        client.handle_closed(now, conn, "ECONNREFUSED broker".to_owned());
                    }
                }
                Transmit::Open { conn, .. } => {
                    let connection = self.harness.connect();
                    self.links.insert((id, conn), connection);
                    if let Some(client) = self.endpoint(id) {
                        client.handle_connected(now, conn);
                    }
                }
                Transmit::Close { conn } => {
                    if let Some(connection) = self.links.remove(&(id, conn)) {
                        self.harness.disconnect(connection);
                    }
                }
                Transmit::Send { conn, frame } => {
                    if let Some(connection) = self.links.get(&(id, conn)) {
                        self.harness.send_frame(*connection, frame.concat().into());
                    }
                }
            }
        }
        any
    }

    fn deliver(&mut self) -> bool {
        let mut any = false;
        let now = self.harness.now();
        for ((id, conn), connection) in self.links.clone() {
            if self.endpoint(id).is_none() {
                continue;
            }
            while let Some(frame) = self.harness.receive_frame(connection) {
                any = true;
                if let Some(client) = self.endpoint(id) {
                    client.handle_received(now, conn, frame);
                }
            }
            if self.harness.closed(connection).is_some() {
                any = true;
                self.links.remove(&(id, conn));
                if let Some(client) = self.endpoint(id) {
                    client.handle_closed(now, conn, "ECONNRESET".to_owned());
                }
            }
        }
        any
    }

    /// The hosts' part.
    fn act(&mut self, id: Id) -> bool {
        let now = self.harness.now();
        match &mut self.clients[id] {
            Client::Member(member) if !member.frozen => member.act(now),
            Client::Producer(producer) => {
                let mut any = false;
                while let Some(event) = producer.poll_event() {
                    any = true;
                    if let ProducerEvent::Sent { result, .. } = event {
                        result.unwrap();
                        self.sent -= 1;
                    }
                }
                any
            }
            Client::Member(_) | Client::Gone => false,
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, millis: u64) {
        self.settle();
        let end = self.harness.now().monotonic.0 + millis;
        for round in 0.. {
            assert!(round < 100_000, "time stands still: {}", self.summary());
            let now = self.harness.now().monotonic.0;
            let dues = (0..self.clients.len()).filter_map(|id| self.due(id));
            let due = dues.min().map_or(end, |due| due.0.clamp(now, end));
            let broker = self.harness.broker.poll_timeout();
            let broker = broker.filter(|_| !self.down).map_or(end, |it| it.0);
            let next = due.min(broker.clamp(now, end));
            if self.down {
                self.harness.freeze(next - now);
            } else {
                self.harness.advance_and_run(next - now);
            }
            let now = self.harness.now();
            let mut any = next < end || broker <= end;
            for id in 0..self.clients.len() {
                if self.due(id).is_some_and(|due| due <= now.monotonic) {
                    any = true;
                    if let Some(client) = self.endpoint(id) {
                        client.handle_timeout(now);
                    }
                }
            }
            self.settle();
            if now.monotonic.0 >= end && !any {
                return;
            }
            let later = (0..self.clients.len()).filter_map(|id| self.due(id)).min();
            let broker = self.harness.broker.poll_timeout().filter(|_| !self.down);
            let nothing = later.into_iter().chain(broker).all(|it| it.0 > end);
            if now.monotonic.0 >= end && nothing {
                return;
            }
        }
    }

    fn due(&self, id: Id) -> Option<Monotonic> {
        match &self.clients[id] {
            Client::Member(member) if !member.frozen => member.consumer.poll_timeout(),
            Client::Producer(producer) => producer.poll_timeout(),
            Client::Member(_) | Client::Gone => None,
        }
    }

    /// Lets time pass until something is so.
    pub(super) fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        for _ in 0..2_000 {
            if is_so(self) {
                return;
            }
            self.pass(100);
        }
        panic!("{what} never came about: {}", self.summary());
    }

    /// What a failed test needs to know.
    pub(super) fn summary(&self) -> String {
        let mut text = format!("at {:?}\n", self.harness.now());
        for (id, client) in self.clients.iter().enumerate() {
            let Client::Member(member) = client else {
                continue;
            };
            let consumer = &member.consumer;
            text += &format!("member {id}: {:?}, ", consumer.state());
            text += &format!("generation {}\n", consumer.generation());
            text += &format!("  {:?}\n", consumer.group.state);
            for partition in consumer.partitions() {
                text += &format!("  {partition:?}\n");
            }
            let last = member.events.len().saturating_sub(20);
            for event in &member.events[last..] {
                text += &format!("  {event:?}\n");
            }
        }
        text
    }

    /// Which partitions of `t` a member has.
    pub(super) fn owned(&mut self, id: Id) -> Vec<i32> {
        let assigned = self.member(id).consumer.assignment_now();
        assigned.iter().map(|it| it.partition).collect()
    }

    /// Lets time pass until all members are settled in the same generation.
    pub(super) fn until_stable(&mut self, ids: &[Id]) {
        self.until("a stable group", |world| {
            let generation = world.member(ids[0]).consumer.generation();
            ids.iter().all(|id| {
                let consumer = &world.member(*id).consumer;
                let stable = consumer.state() == ConsumerState::Stable;
                stable && !consumer.is_rebalancing() && consumer.generation() == generation
            })
        });
    }

    /// No partition has two owners within a generation.
    fn check_owners(&self) {
        let mut owners = SortedMap::new();
        for client in &self.clients {
            let Client::Member(member) = client else {
                continue;
            };
            let consumer = &member.consumer;
            if consumer.subscription.by_hand || consumer.generation() < 0 {
                continue;
            }
            let group = consumer.config().group_id.clone();
            for partition in consumer.partitions() {
                // What is being given up is the last generation's.
                if partition.revoking {
                    continue;
                }
                let key = (group.clone(), consumer.generation(), partition.partition);
                let id = consumer.member_id().to_owned();
                // One that was replaced by another of its name hears of it with its next heartbeat.
                let instance = consumer.config().group_instance_id.clone();
                if let Some((other, of)) =
                    owners.insert(key.clone(), (id.clone(), instance.clone()))
                    && (of.is_none() || of != instance)
                {
                    panic!("{key:?} belongs to {other} and to {id}: {}", self.summary());
                }
            }
        }
    }
}
