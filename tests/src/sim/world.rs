//! The world: virtual time, the programs, the broker's machine and its storage.
//!
//! `wires`: frames between them. `faults`: what goes wrong. `end`: what must be there when all is
//! over.

mod end;
mod faults;
mod wires;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use partita_core::broker::{Broker, BrokerConfig, ConnectionId, Output, StorageError};
use partita_core::client::ConnId;
use partita_core::client::assignor::Assignor;
use partita_core::testing::{MemoryStorage, Stored};
use partita_core::time::{Monotonic, Now, Wall};

use super::client::{Duties, Keeper, Member, Membership, Program, Writer};
use super::journal::{self, Journal};
use super::model::{Model, PASSING, TOPIC};
use super::tap::{Asked, Tap};
use super::{Listener, Outcome, PARTITIONS};
use crate::digest::Digest;
use crate::numbers::Numbers;

const BEGINNING: i64 = 1_770_000_000_000;
/// For how long faults last, in virtual milliseconds.
const FAULTS_LAST: u64 = 40_000;
/// Some worlds last so many times as long: until the group's log was compacted.
const LONG: u64 = 10;
/// How long healing may take: several session timeouts and backoffs.
const HEALING: u64 = 360_000;
/// How long all must stay as it is in the end.
const QUIET: u64 = 3_000;
/// No request waits longer for its response, unless somebody stood still: clients give up then.
const PATIENCE: u64 = 29_000;

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
    /// Who stood still goes on.
    Thaw(Party),
}

/// Who can stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Broker,
    Program(usize),
}

#[derive(Debug)]
struct Link {
    at_broker: ConnectionId,
    /// When the last frame arrives in each direction: frames do not overtake each other.
    up: u64,
    down: u64,
}

#[derive(Debug)]
pub(super) struct World {
    random: Numbers,
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
    /// Storage has no room until then.
    full_until: u64,
    links: BTreeMap<(usize, ConnId), Link>,
    next_connection: u64,
    programs: Vec<Program>,
    members: u64,
    membership: Membership,
    static_members: bool,
    faults_last: u64,
    healing: bool,
    /// Programs that have died and are not replaced yet.
    dead: BTreeSet<usize>,
    /// Until when the broker, or everyone, has stood still.
    slept: u64,
    /// What arrived for who stands still.
    held: BTreeMap<Party, VecDeque<Packet>>,
    tap: Tap,
    answers: Vec<(Asked, Bytes)>,
    journal: Journal,
    model: Model,
}

impl World {
    pub(super) fn new(seed: u64, listener: Option<Listener>) -> Self {
        let config = BrokerConfig::new([
            ("num.partitions", PARTITIONS.to_string().as_str()),
            ("offsets.topic.num.partitions", "2"),
            ("log.retention.check.interval.ms", "2000"),
        ])
        .expect("the configs are valid");
        let mut random = Numbers(seed);
        let assignors = [
            Assignor::Range,
            Assignor::RoundRobin,
            Assignor::Sticky,
            Assignor::CooperativeSticky,
            Assignor::KafkaJsRoundRobin,
        ];
        let assignor = *random.one_of(&assignors);
        let duties = Duties {
            grows: random.once_in(3),
            trims: random.once_in(3),
            recreates: random.once_in(3),
        };
        let topics = match duties.recreates {
            true => vec![TOPIC, PASSING],
            false => vec![TOPIC],
        };
        let long = if random.once_in(50) { LONG } else { 1 };
        let model = Model::new(listener, assignor.is_cooperative(), PARTITIONS);
        let mut world = Self {
            now: 1_000,
            sequence: 0,
            wire: BTreeMap::new(),
            config,
            broker: None,
            storage: MemoryStorage::new(),
            stored: Some(Stored::default()),
            life: 0,
            full_until: 0,
            links: BTreeMap::new(),
            next_connection: 0,
            programs: Vec::new(),
            members: 0,
            membership: Membership {
                assignor,
                topics: topics.clone(),
                instance: None,
            },
            static_members: random.once_in(4),
            faults_last: FAULTS_LAST * long,
            healing: false,
            dead: BTreeSet::new(),
            slept: 0,
            held: BTreeMap::new(),
            tap: Tap::default(),
            answers: Vec::new(),
            journal: Journal::new(listener),
            model,
            random,
        };
        world.journal.note(
            0,
            format_args!("seed {seed}: {:?} {duties:?}", world.membership),
        );
        world.start_broker();
        for name in ["p0", "p1"] {
            let seed = world.seed();
            let now = world.clock();
            let writer = Writer::new(name, topics.clone(), seed, now, &mut world.random);
            world.programs.push(Program::Producer(Box::new(writer)));
        }
        let seed = world.seed();
        let keeper = Keeper::new(duties, seed, world.clock());
        world.programs.push(Program::Admin(Box::new(keeper)));
        for _ in 0..=world.random.below(4_u8) {
            let member = world.new_member(world.programs.len());
            world.programs.push(member);
        }
        world.schedule_fault();
        world
    }

    /// A member at a place among the programs: a static one takes over from who was there before.
    fn new_member(&mut self, index: usize) -> Program {
        self.members += 1;
        let name = format!("c{}", self.members);
        let seed = self.seed();
        let membership = Membership {
            instance: self.static_members.then(|| format!("static-{index}")),
            ..self.membership.clone()
        };
        Program::Consumer(Box::new(Member::new(&name, membership, seed, self.clock())))
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed.fill_with(|| u8::try_from(self.random.below(256_u16)).unwrap_or(0));
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

    /// How the run went.
    pub(super) fn outcome(&mut self) -> Outcome {
        let summary = Digest::of(self.model.summary().as_bytes());
        self.journal
            .note(self.now, format_args!("the end: {summary:016x}"));
        Outcome {
            digest: self.journal.digest(),
            steps: self.model.step,
            records: self.model.counts(),
        }
    }

    // ---- Time.

    /// Lets everything live, with faults, until their time is over.
    pub(super) fn live_through_faults(&mut self) {
        while self.now < self.faults_last {
            self.step();
        }
    }

    /// One event: the earliest of what is on its way and of all deadlines.
    fn step(&mut self) {
        self.model.step += 1;
        let packet = self.wire.keys().next().map(|(time, _)| *time);
        let broker = self.broker.as_ref().filter(|_| !self.stands(Party::Broker));
        let broker = broker.and_then(Broker::poll_timeout).map(|due| due.0);
        let program = (0..self.programs.len())
            .filter(|index| !self.stands(Party::Program(*index)) && !self.dead.contains(index))
            .filter_map(|index| Some((self.programs.get(index)?.due()?.0, index)))
            .min();
        let program_time = program.map(|(time, _)| time);
        let next = [packet, broker, program_time].into_iter().flatten().min();
        self.now = self.now.max(next.expect("something is always due"));
        if packet.is_some_and(|time| time <= self.now)
            && let Some((_, packet)) = self.wire.pop_first()
        {
            self.arrive(packet);
        } else if broker.is_some_and(|time| time <= self.now) {
            let now = self.clock();
            self.journal.note(self.now, format_args!("timeout"));
            if let Some(broker) = &mut self.broker {
                broker.handle_timeout(now);
            }
        } else if let Some((_, index)) = program {
            self.journal.note(self.now, format_args!("due {index}"));
            self.act(index);
        }
        self.drain_broker();
    }

    fn act(&mut self, index: usize) {
        if self.dead.contains(&index) {
            return;
        }
        let now = self.clock();
        if let Some(program) = self.programs.get_mut(index) {
            program.act(now, &mut self.model, &mut self.random);
        }
        self.transmit(index);
        if let Some(Program::Consumer(member)) = self.programs.get(index)
            && member.gone
        {
            self.kill_member(index, true);
        }
    }

    fn stands(&self, party: Party) -> bool {
        self.held.contains_key(&party)
    }

    /// Something arrives; if who it is for stands still, it waits there.
    fn arrive(&mut self, packet: Packet) {
        let party = match &packet {
            Packet::Open(..) | Packet::Up(..) | Packet::Gone(_) | Packet::Storage(_) => {
                Party::Broker
            }
            Packet::Opened(index, _) | Packet::Down(index, ..) | Packet::Closed(index, _) => {
                Party::Program(*index)
            }
            Packet::Start | Packet::Fault | Packet::Revive(_) | Packet::Thaw(_) => {
                return self.happen(packet);
            }
        };
        match self.held.get_mut(&party) {
            Some(held) => held.push_back(packet),
            None => self.happen(packet),
        }
    }

    fn happen(&mut self, packet: Packet) {
        let now = self.clock();
        self.note(&packet);
        match packet {
            Packet::Open(index, conn) => self.open(index, conn),
            Packet::Opened(index, conn) => {
                self.tell(index, |program| {
                    program.endpoint().handle_connected(now, conn);
                });
            }
            Packet::Up(index, conn, frame) => self.up(index, conn, frame),
            Packet::Down(index, conn, frame) => {
                if self.links.contains_key(&(index, conn)) {
                    self.tell(index, |program| {
                        program.endpoint().handle_received(now, conn, frame);
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
                self.tap.closed(connection);
                if let Some(broker) = &mut self.broker {
                    broker.handle_disconnect(now, connection);
                }
            }
            Packet::Storage(life) => self.storage_acts(life),
            Packet::Start => self.start_broker(),
            Packet::Fault => self.fault(),
            Packet::Revive(index) => {
                self.dead.remove(&index);
                let member = self.new_member(index);
                if let Some(program) = self.programs.get_mut(index) {
                    *program = member;
                }
                self.act(index);
            }
            Packet::Thaw(party) => {
                self.slept = self.now;
                // What has come meanwhile is heard before anything else is found to be late.
                for packet in self.held.remove(&party).unwrap_or_default() {
                    self.happen(packet);
                    self.drain_broker();
                }
            }
        }
    }

    fn note(&mut self, packet: &Packet) {
        let now = self.now;
        match packet {
            Packet::Up(index, conn, frame) => {
                let digest = Digest::of(frame);
                self.journal
                    .note(now, format_args!("up {index}/{} {digest:016x}", conn.0));
            }
            Packet::Down(index, conn, frame) => {
                let digest = Digest::of(frame);
                self.journal
                    .note(now, format_args!("down {index}/{} {digest:016x}", conn.0));
            }
            other => self.journal.note(now, format_args!("{other:?}")),
        }
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
                    let text = journal::effect(&effect);
                    self.journal.note(self.now, format_args!("> {text}"));
                    self.storage.accept(effect);
                    let delay = self.storage_delay();
                    self.after(delay, Packet::Storage(self.life));
                }
                Output::Response { connection, frame } => {
                    let bytes = self.storage.resolve(&frame);
                    self.down(connection, bytes);
                }
                Output::Close { connection, reason } => self.closed(connection, reason),
            }
        }
        self.storage.let_go();
        while let Some(event) = self.broker.as_mut().and_then(Broker::poll_event) {
            self.model.explain(|| format!("{event:?}"));
            self.model.observed(event);
        }
        for (asked, frame) in std::mem::take(&mut self.answers) {
            self.model.answered(&asked, frame);
        }
        if self.model.failed {
            self.crash_broker();
        }
    }

    fn storage_acts(&mut self, life: u64) {
        if life != self.life || self.broker.is_none() {
            return;
        }
        let reply = if self.model.fenced {
            let why = StorageError::Fenced("another host has taken over".to_owned());
            let failed = self.storage.fail_write(why.clone());
            failed.or_else(|| self.storage.fail_read(why))
        } else {
            self.unlucky_storage()
        };
        let reply = reply.or_else(|| self.storage.complete_next());
        let now = self.clock();
        if let (Some(reply), Some(broker)) = (reply, &mut self.broker) {
            broker.handle_storage(now, reply);
        }
    }
}
