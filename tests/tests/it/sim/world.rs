//! The world: virtual time, the wires, the broker's machine and its storage.
//!
//! `faults`: what goes wrong. `end`: what must be there when all is over.

mod end;
mod faults;

use std::collections::BTreeMap;

use bytes::Bytes;
use partita_core::broker::{
    Broker, BrokerConfig, ConnectionId, Listener, Output, Peer, StorageError,
};
use partita_core::client::assignor::Assignor;
use partita_core::client::{ConnId, Transmit};
use partita_core::testing::{MemoryStorage, Stored};
use partita_core::time::{Monotonic, Now, Wall};

use super::client::{Member, PARTITIONS, Program, Writer};
use super::model::Model;

const BEGINNING: i64 = 1_770_000_000_000;
/// For how long faults last, in virtual milliseconds.
const FAULTS_LAST: u64 = 40_000;
/// By when everything must have healed: several session timeouts and backoffs.
const HEALED_BY: u64 = 400_000;

/// What is on its way.
#[derive(Debug)]
enum Packet {
    Open(usize, ConnId),
    Opened(usize, ConnId),
    Up(usize, ConnId, Bytes),
    Down(usize, ConnId, Bytes),
    /// The client's end is closed.
    Closed(usize, ConnId),
    /// The broker's end is closed.
    Gone(ConnectionId),
    /// Storage does the next thing that waits.
    Storage(u64),
    /// A broker that had crashed starts.
    Start,
    /// Something goes wrong.
    Fault,
    /// A member that died is started again.
    Revive(usize),
}

#[derive(Debug)]
struct Link {
    at_broker: ConnectionId,
    /// When the last frame arrives in each direction: frames do not overtake each other.
    up: u64,
    down: u64,
}

pub(super) struct World {
    random: u64,
    now: u64,
    sequence: u64,
    wire: BTreeMap<(u64, u64), Packet>,
    config: BrokerConfig,
    broker: Option<Broker>,
    storage: MemoryStorage,
    /// What is durable while no broker runs.
    stored: Option<Stored>,
    /// Counts the broker's lives: storage replies of an earlier one are lost.
    life: u64,
    links: BTreeMap<(usize, ConnId), Link>,
    next_connection: u64,
    programs: Vec<Program>,
    members: u64,
    assignor: Assignor,
    healing: bool,
    model: Model,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let config = BrokerConfig::new([
            ("num.partitions", PARTITIONS.to_string().as_str()),
            ("offsets.topic.num.partitions", "2"),
        ])
        .expect("the configs are valid");
        let mut world = Self {
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1,
            now: 1_000,
            sequence: 0,
            wire: BTreeMap::new(),
            config,
            broker: None,
            storage: MemoryStorage::new(),
            stored: Some(Stored::default()),
            life: 0,
            links: BTreeMap::new(),
            next_connection: 0,
            programs: Vec::new(),
            members: 0,
            assignor: Assignor::Range,
            healing: false,
            model: Model::default(),
        };
        let assignors = [
            Assignor::Range,
            Assignor::RoundRobin,
            Assignor::Sticky,
            Assignor::CooperativeSticky,
            Assignor::KafkaJsRoundRobin,
        ];
        let choice = usize::try_from(world.pick(5)).unwrap_or(0);
        world.assignor = assignors.into_iter().nth(choice).expect("there are five");
        world.start_broker();
        for name in ["p0", "p1"] {
            let seed = world.seed();
            let now = world.clock();
            let writer = Writer::new(name, seed, now, &mut |below| world.pick(below));
            world.programs.push(Program::Producer(Box::new(writer)));
        }
        for _ in 0..=world.pick(4) {
            let member = world.new_member();
            world.programs.push(member);
        }
        world.schedule_fault();
        world
    }

    fn new_member(&mut self) -> Program {
        self.members += 1;
        let name = format!("c{}", self.members);
        let seed = self.seed();
        Program::Consumer(Box::new(Member::new(
            &name,
            seed,
            self.assignor,
            self.clock(),
        )))
    }

    /// A number below `below`, from the world's seed (xorshift64*).
    fn pick(&mut self, below: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below.max(1)
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed.fill_with(|| u8::try_from(self.pick(256)).unwrap_or(0));
        seed
    }

    fn clock(&self) -> Now {
        Now {
            monotonic: Monotonic(self.now),
            wall: Wall(BEGINNING + i64::try_from(self.now).unwrap_or(0)),
        }
    }

    fn after(&mut self, millis: u64, packet: Packet) {
        self.at(self.now + millis, packet);
    }

    fn at(&mut self, time: u64, packet: Packet) {
        self.sequence += 1;
        self.wire.insert((time, self.sequence), packet);
    }

    // ---- Time.

    /// Lets everything live, with faults, until their time is over.
    pub(super) fn live_through_faults(&mut self) {
        while self.now < FAULTS_LAST {
            self.step();
        }
    }

    /// No more faults: everything acknowledged must arrive, and every send be answered.
    pub(super) fn heal(&mut self) {
        self.healing = true;
        let ends = Monotonic(self.now + 500);
        for program in &mut self.programs {
            if let Program::Producer(writer) = program {
                writer.ends = ends;
            }
        }
        loop {
            self.step();
            let now = self.clock();
            let sent = self.programs.iter().all(|program| match program {
                Program::Producer(writer) => writer.is_done(now),
                Program::Consumer(_) => true,
            });
            if sent
                && self.model.all_delivered()
                && self.wire.values().all(|p| !matches!(p, Packet::Storage(_)))
            {
                return;
            }
            if self.now >= HEALED_BY {
                let clients: Vec<String> = self.programs.iter().map(Program::describe).collect();
                panic!(
                    "it did not heal: all sends answered {sent}, not delivered {:?}, {}",
                    self.model.not_delivered(),
                    clients.join("; ")
                );
            }
        }
    }

    /// One event: the earliest of what is on its way and of all deadlines.
    fn step(&mut self) {
        let packet = self.wire.keys().next().map(|(time, _)| *time);
        let broker = self
            .broker
            .as_ref()
            .and_then(Broker::poll_timeout)
            .map(|due| due.0);
        let program = (0..self.programs.len())
            .filter_map(|index| Some((self.programs.get(index)?.due()?.0, index)))
            .min();
        let program_time = program.map(|(time, _)| time);
        let next = [packet, broker, program_time].into_iter().flatten().min();
        self.now = self.now.max(next.expect("something is always due"));
        if packet.is_some_and(|time| time <= self.now)
            && let Some((_, packet)) = self.wire.pop_first()
        {
            self.happen(packet);
        } else if broker.is_some_and(|time| time <= self.now) {
            let now = self.clock();
            if let Some(broker) = &mut self.broker {
                broker.handle_timeout(now);
            }
        } else if let Some((_, index)) = program {
            self.act(index);
        }
        self.drain_broker();
    }

    fn act(&mut self, index: usize) {
        let now = self.clock();
        let mut random = self.random;
        let mut pick = |below: u64| {
            random ^= random >> 12;
            random ^= random << 25;
            random ^= random >> 27;
            (random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below.max(1)
        };
        if let Some(program) = self.programs.get_mut(index) {
            program.act(now, &mut self.model, &mut pick);
        }
        self.random = random;
        self.transmit(index);
        let crashed = matches!(
            self.programs.get(index),
            Some(Program::Consumer(member)) if member.crashed
        );
        if crashed {
            self.kill_member(index, true);
        }
    }

    // ---- Wires.

    fn transmit(&mut self, index: usize) {
        while let Some(transmit) = self
            .programs
            .get_mut(index)
            .and_then(|program| program.endpoint().poll_transmit())
        {
            let delay = 1 + self.pick(8);
            match transmit {
                Transmit::Open { conn, .. } => self.after(delay, Packet::Open(index, conn)),
                Transmit::Send { conn, frame } => {
                    let bytes: Vec<u8> =
                        frame.iter().flat_map(|part| part.iter().copied()).collect();
                    let now = self.now;
                    if let Some(link) = self.links.get_mut(&(index, conn)) {
                        link.up = link.up.max(now + delay);
                        let at = link.up;
                        self.at(at, Packet::Up(index, conn, bytes.into()));
                    }
                }
                Transmit::Close { conn } => {
                    if let Some(link) = self.links.remove(&(index, conn)) {
                        self.after(delay, Packet::Gone(link.at_broker));
                    }
                }
            }
        }
    }

    fn happen(&mut self, packet: Packet) {
        let now = self.clock();
        match packet {
            Packet::Open(index, conn) => self.open(index, conn),
            Packet::Opened(index, conn) => {
                self.tell(index, |program| {
                    program.endpoint().handle_connected(now, conn)
                });
            }
            Packet::Up(index, conn, frame) => {
                if let (Some(link), Some(broker)) =
                    (self.links.get(&(index, conn)), &mut self.broker)
                {
                    broker.handle_request(now, link.at_broker, frame);
                }
            }
            Packet::Down(index, conn, frame) => {
                if self.links.contains_key(&(index, conn)) {
                    self.tell(index, |program| {
                        program.endpoint().handle_received(now, conn, frame)
                    });
                }
            }
            Packet::Closed(index, conn) => {
                self.links.remove(&(index, conn));
                self.tell(index, |program| {
                    program
                        .endpoint()
                        .handle_closed(now, conn, "ECONNRESET".to_owned());
                });
            }
            Packet::Gone(connection) => {
                if let Some(broker) = &mut self.broker {
                    broker.handle_disconnect(now, connection);
                }
            }
            Packet::Storage(life) => self.storage_acts(life),
            Packet::Start => self.start_broker(),
            Packet::Fault => self.fault(),
            Packet::Revive(index) => {
                let member = self.new_member();
                if let Some(program) = self.programs.get_mut(index) {
                    *program = member;
                }
                self.act(index);
            }
        }
    }

    fn tell(&mut self, index: usize, what: impl FnOnce(&mut Program)) {
        if let Some(program) = self.programs.get_mut(index) {
            what(program);
        }
        self.act(index);
    }

    fn open(&mut self, index: usize, conn: ConnId) {
        let now = self.clock();
        let Some(broker) = &mut self.broker else {
            let delay = 1 + self.pick(8);
            return self.after(delay, Packet::Closed(index, conn));
        };
        self.next_connection += 1;
        let at_broker = ConnectionId(self.next_connection);
        let listener = Listener {
            name: "SIM".to_owned(),
            host: "broker".to_owned(),
            port: 9092,
        };
        broker.handle_connect(
            now,
            at_broker,
            Peer {
                listener,
                address: format!("program-{index}"),
            },
        );
        let delay = 1 + self.pick(8);
        let ready = self.now + delay;
        self.links.insert(
            (index, conn),
            Link {
                at_broker,
                up: ready,
                down: ready,
            },
        );
        self.at(ready, Packet::Opened(index, conn));
    }

    // ---- The broker's machine.

    fn start_broker(&mut self) {
        let Some(stored) = self.stored.take() else {
            return;
        };
        self.life += 1;
        self.storage = MemoryStorage::with(stored);
        let seed = self.seed();
        let mut broker = Broker::new(self.config.clone(), seed, self.clock());
        broker.watch(true);
        self.broker = Some(broker);
        self.drain_broker();
    }

    fn crash_broker(&mut self) {
        if self.broker.take().is_none() {
            return;
        }
        let storage = std::mem::take(&mut self.storage);
        self.stored = Some(storage.crash());
        self.model.running = false;
        let links: Vec<(usize, ConnId)> = self.links.keys().copied().collect();
        for (index, conn) in links {
            let delay = 1 + self.pick(20);
            self.after(delay, Packet::Closed(index, conn));
            self.links.remove(&(index, conn));
        }
        let away = 20 + self.pick(4_000);
        self.after(away, Packet::Start);
    }

    fn drain_broker(&mut self) {
        loop {
            let Some(broker) = &mut self.broker else {
                return;
            };
            let Some(output) = broker.poll_output() else {
                break;
            };
            match output {
                Output::Effect(effect) => {
                    self.storage.accept(effect);
                    let delay = self.pick(if self.healing { 4 } else { 40 });
                    self.after(delay, Packet::Storage(self.life));
                }
                Output::Response { connection, frame } => {
                    let bytes = self.storage.resolve(&frame);
                    let delay = 1 + self.pick(8);
                    let now = self.now;
                    let link = self
                        .links
                        .iter_mut()
                        .find(|(_, link)| link.at_broker == connection);
                    if let Some((&(index, conn), link)) = link {
                        link.down = link.down.max(now + delay);
                        let at = link.down;
                        self.at(at, Packet::Down(index, conn, bytes));
                    }
                }
                Output::Close { connection, reason } => {
                    assert!(
                        !self.model.running,
                        "the broker closed {connection:?}: {reason}"
                    );
                }
            }
        }
        self.storage.let_go();
        while let Some(event) = self.broker.as_mut().and_then(Broker::poll_event) {
            self.model.observed(event);
        }
        if std::mem::take(&mut self.model.failed) {
            self.crash_broker();
        }
    }

    fn storage_acts(&mut self, life: u64) {
        if life != self.life || self.broker.is_none() {
            return;
        }
        let luck = if self.healing {
            1_000
        } else {
            self.pick(1_000)
        };
        let reply = match luck {
            0..8 => {
                let why = StorageError::QuotaExceeded("no room".to_owned());
                self.storage.fail_write(why)
            }
            8..14 => self
                .storage
                .fail_write(StorageError::Other("a bad block".to_owned())),
            14..20 => self.storage.lose_answer(),
            20..30 => self
                .storage
                .fail_read(StorageError::Other("a bad read".to_owned())),
            30..400 => self.storage.complete_read(),
            400..700 => self.storage.complete_write(),
            _ => None,
        };
        let reply = reply.or_else(|| self.storage.complete_next());
        let now = self.clock();
        if let (Some(reply), Some(broker)) = (reply, &mut self.broker) {
            broker.handle_storage(now, reply);
        }
    }
}
