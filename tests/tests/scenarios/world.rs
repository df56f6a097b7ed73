//! What a scenario plays in: a broker in virtual time, its storage, and clients by their names.
//!
//! Storage does what it is asked at once, unless a script says that it waits, fails, or that nobody
//! knows. Time stands still but where a script lets it pass.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use partita_core::broker::{BrokerConfig, ConnectionId, Event, PartitionView, Peer};
use partita_core::protocol::{Request, decode_response, encode_request, join};
use partita_core::testing::Harness;
use partita_core::types::TopicPartition;

pub(crate) use partita_core::testing::BEGINNING;

use crate::fate::{Fate, carry_out};
use crate::kafka::{self, Kafka};
use crate::known::Known;
use crate::words::{Result, show_span};

/// What an answer says, and what its client does next.
type Render = Box<dyn FnOnce(&mut Known, Bytes) -> Result<Answer>>;

/// An answer in words.
pub(crate) struct Answer {
    pub(crate) lines: Vec<String>,
    /// A request that the client sends at once: a member that was given its id joins with it.
    pub(crate) next: Option<Next>,
}

/// What a client does when an answer has come and storage has nothing left to do.
type Next = Box<dyn FnOnce(&mut World) -> Result<()>>;

impl From<Vec<String>> for Answer {
    fn from(lines: Vec<String>) -> Self {
        Self { lines, next: None }
    }
}

impl From<String> for Answer {
    fn from(line: String) -> Self {
        Self::from(vec![line])
    }
}

/// A request without an answer so far.
struct Pending {
    connection: ConnectionId,
    correlation: i32,
    /// The command it belongs to, counted from the script's beginning.
    command: usize,
    /// The client and the command's first word.
    label: String,
    /// Whether no answer means that all is well: Produce with acks=0.
    silent: bool,
    render: Render,
}

/// Whose answers they are.
enum Side {
    Ours(Box<Harness>),
    /// An Apache Kafka that runs elsewhere; it knows nothing of storage and time as scripts do.
    Kafka(Kafka),
}

/// More steps than this at one moment are a circle.
const MOST_STEPS: usize = 10_000;

/// A scenario's world.
#[derive(Default)]
pub(crate) struct World {
    broker: Option<Side>,
    pub(crate) writes: Fate,
    pub(crate) reads: Fate,
    clients: BTreeMap<String, ConnectionId>,
    pending: Vec<Pending>,
    /// What clients do next, each for the command that it belongs to.
    next: VecDeque<(usize, Next)>,
    /// The broker does not hear of the time that passed, until something else happens.
    asleep: bool,
    correlation: i32,
    /// How many commands there were, this one included.
    command: usize,
    /// What the command is called.
    word: String,
    /// What clients know by now.
    pub(crate) known: Known,
    partitions: BTreeMap<TopicPartition, PartitionView>,
    came: Vec<String>,
}

impl World {
    /// A command begins: what is sent from now on is sent for it.
    pub(crate) fn begin(&mut self, word: &str) {
        self.command += 1;
        self.word = word.to_owned();
        self.asleep = false;
    }

    /// A world whose broker is an Apache Kafka.
    pub(crate) fn on_kafka(kafka: Kafka) -> Self {
        Self {
            broker: Some(Side::Kafka(kafka)),
            ..Self::default()
        }
    }

    /// Starts the broker with configs of its own; once only, before anything else.
    pub(crate) fn start(&mut self, configs: &[(String, String)]) -> Result<()> {
        if self.broker.is_some() {
            return Err("the broker runs already: `broker` comes first".to_owned());
        }
        let names = configs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        BrokerConfig::new(names.clone()).map_err(|error| error.to_string())?;
        self.run(Harness::with_config(&names.collect::<Vec<_>>()));
        Ok(())
    }

    fn run(&mut self, mut harness: Harness) {
        harness.broker.watch(true);
        self.broker = Some(Side::Ours(Box::new(harness)));
    }

    /// Our broker and its storage. Panics where an Apache Kafka plays.
    pub(crate) fn harness(&mut self) -> &mut Harness {
        if self.broker.is_none() {
            self.run(Harness::new());
        }
        match &mut self.broker {
            Some(Side::Ours(harness)) => harness,
            Some(Side::Kafka(_)) | None => panic!("no such thing can be asked of Apache Kafka"),
        }
    }

    /// Whether an Apache Kafka plays.
    pub(crate) fn is_kafka(&self) -> bool {
        matches!(self.broker, Some(Side::Kafka(_)))
    }

    fn kafka(&mut self) -> Option<&mut Kafka> {
        match &mut self.broker {
            Some(Side::Kafka(kafka)) => Some(kafka),
            Some(Side::Ours(_)) | None => None,
        }
    }

    /// The wall time by which clients stamp their records.
    pub(crate) fn wall(&mut self) -> i64 {
        if self.is_kafka() {
            BEGINNING
        } else {
            self.harness().now().wall.0
        }
    }

    /// The broker crashes and is opened again; what was not durable is lost, and connections.
    pub(crate) fn crash(&mut self, writes: Fate, reads: Fate) {
        self.harness();
        (self.writes, self.reads) = (writes, reads);
        if let Some(Side::Ours(harness)) = self.broker.take() {
            self.run(harness.crash_opening());
        }
        self.partitions.clear();
        let pending = std::mem::take(&mut self.pending);
        for pending in pending.iter().filter(|pending| !pending.silent) {
            self.came
                .push(format!("{}: connection lost", pending.label));
        }
        self.clients.clear();
        self.next.clear();
    }

    /// A client's connection; it connects if it has none.
    pub(crate) fn connection(&mut self, client: &str) -> Result<ConnectionId> {
        if let Some(&connection) = self.clients.get(client) {
            return Ok(connection);
        }
        let connection = match self.kafka() {
            Some(kafka) => kafka.connect()?,
            None => self.harness().connect(),
        };
        self.clients.insert(client.to_owned(), connection);
        Ok(connection)
    }

    /// Connects a client in a way of its own.
    pub(crate) fn connect(&mut self, client: &str, peer: Peer) -> Result<()> {
        if self.clients.contains_key(client) {
            return Err(format!("{client} is connected already"));
        }
        let connection = self.harness().connect_as(peer);
        self.clients.insert(client.to_owned(), connection);
        Ok(())
    }

    /// A client's connection breaks.
    pub(crate) fn disconnect(&mut self, client: &str) -> Result<()> {
        let connection = self.clients.remove(client);
        let connection = connection.ok_or_else(|| format!("{client} is not connected"))?;
        match self.kafka() {
            Some(kafka) => kafka.disconnect(connection),
            None => self.harness().disconnect(connection),
        }
        self.pending
            .retain(|pending| pending.connection != connection);
        Ok(())
    }

    /// Sends a request; `render` says its answer in words when it comes.
    pub(crate) fn send<R: Request, A: Into<Answer>>(
        &mut self,
        client: &str,
        request: &R,
        version: Option<i16>,
        render: impl FnOnce(&mut Known, R::Response) -> A + 'static,
    ) -> Result<()> {
        let version = version.unwrap_or(R::VERSIONS.max);
        let render: Render = Box::new(move |known, frame| {
            let (_, response) = decode_response(frame, version)
                .map_err(|error| format!("the answer cannot be read: {error}"))?;
            Ok(render(known, response).into())
        });
        self.send_frame(client, request, version, false, render)
    }

    /// Sends a request that has no answer if all is well.
    pub(crate) fn send_silently<R: Request>(
        &mut self,
        client: &str,
        request: &R,
        version: Option<i16>,
    ) -> Result<()> {
        let render: Render =
            Box::new(|_, _| Ok("an answer, which nobody waits for".to_owned().into()));
        let version = version.unwrap_or(R::VERSIONS.max);
        self.send_frame(client, request, version, true, render)
    }

    fn send_frame<R: Request>(
        &mut self,
        client: &str,
        request: &R,
        version: i16,
        silent: bool,
        render: Render,
    ) -> Result<()> {
        let connection = self.connection(client)?;
        self.correlation += 1;
        let parts = encode_request(request, version, self.correlation, Some(client));
        let frame = parts
            .and_then(join)
            .map_err(|error| format!("version {version} cannot say this: {error}"))?;
        self.pending.push(Pending {
            connection,
            correlation: self.correlation,
            command: self.command,
            label: format!("{client} {}", self.word),
            silent,
            render,
        });
        match self.kafka() {
            Some(kafka) => kafka.send(connection, &frame)?,
            None => self.harness().send_frame(connection, frame),
        }
        Ok(())
    }

    /// Lets storage, clients and timers do what they can at this moment.
    pub(crate) fn settle(&mut self) -> Result<()> {
        if self.is_kafka() {
            return self.listen(kafka::patience(&self.word));
        }
        for _ in 0..MOST_STEPS {
            self.watch();
            if !(self.answers()? || self.step_storage() || self.step_client()? || self.step_timer())
            {
                return Ok(());
            }
        }
        Err(format!(
            "after {MOST_STEPS} steps there is still something to do"
        ))
    }

    /// Takes answers of Apache Kafka until none has come for so long.
    fn listen(&mut self, patience: Duration) -> Result<()> {
        let mut last = Instant::now();
        while last.elapsed() < patience {
            if self.answers()? {
                last = Instant::now();
            } else if !self.next.is_empty() {
                std::thread::sleep(kafka::PAUSE);
                self.step_client()?;
                last = Instant::now();
            } else if self.pending.is_empty() && !kafka::settles_late(&self.word) {
                return Ok(());
            }
            std::thread::sleep(kafka::POLL);
        }
        Ok(())
    }

    fn step_storage(&mut self) -> bool {
        let (writes, reads) = (self.writes.clone(), self.reads.clone());
        self.carry_out(&writes, &reads)
    }

    fn carry_out(&mut self, writes: &Fate, reads: &Fate) -> bool {
        let harness = self.harness();
        let reply = carry_out(harness, writes, reads);
        reply.map(|reply| harness.reply(reply)).is_some()
    }

    fn step_client(&mut self) -> Result<bool> {
        let Some((command, next)) = self.next.pop_front() else {
            return Ok(false);
        };
        let now = std::mem::replace(&mut self.command, command);
        let done = next(self);
        self.command = now;
        done.map(|()| true)
    }

    /// What is due is done after everything that arrived before, as hosts do it.
    fn step_timer(&mut self) -> bool {
        let now = self.harness().now();
        let due = self.harness().broker.poll_timeout();
        let due = !self.asleep && due.is_some_and(|due| due <= now.monotonic);
        if due {
            self.harness().advance(0);
        }
        due
    }

    /// Time passes without the broker hearing of it.
    pub(crate) fn sleep(&mut self, millis: u64) {
        self.harness().freeze(millis);
        self.asleep = true;
    }

    /// Ends the oldest write, or read, that waits; whether there was one.
    pub(crate) fn end_one(&mut self, writes: &Fate, reads: &Fate) -> Result<bool> {
        let was = self.carry_out(writes, reads);
        self.settle()?;
        Ok(was)
    }

    /// Lets time pass; what is due happens when it is due, and answers say when they came.
    pub(crate) fn advance(&mut self, millis: u64) -> Result<()> {
        if self.is_kafka() {
            let end = Instant::now() + Duration::from_millis(millis);
            while Instant::now() < end {
                self.answers()?;
                self.step_client()?;
                std::thread::sleep(kafka::POLL);
            }
            return Ok(());
        }
        let start = self.harness().now().monotonic.0;
        let end = start + millis;
        loop {
            self.settle()?;
            let harness = self.harness();
            let now = harness.now().monotonic.0;
            let due = harness.broker.poll_timeout().map(|due| due.0.max(now));
            let due = due.filter(|&due| due <= end);
            let before = self.came.len();
            self.harness().advance(due.unwrap_or(end) - now);
            // Early, which does nothing but tell the time.
            let now = self.harness().now();
            self.harness().broker.handle_timeout(now);
            self.settle()?;
            let passed = show_span(now.monotonic.0 - start);
            for line in self.came.iter_mut().skip(before) {
                *line = format!("after {passed}: {line}");
            }
            if due.is_none() {
                return Ok(());
            }
        }
    }

    /// What came back since the last time.
    pub(crate) fn take_answers(&mut self) -> Vec<String> {
        std::mem::take(&mut self.came)
    }

    /// Whether this command's own request has no answer yet, though it will get one.
    pub(crate) fn waits(&self) -> bool {
        let mut own = self.pending.iter();
        own.any(|pending| pending.command == self.command && !pending.silent)
    }

    /// A partition as the broker shows it.
    pub(crate) fn partition(&self, partition: &TopicPartition) -> Option<&PartitionView> {
        self.partitions.get(partition)
    }

    /// Takes the answers that have arrived; whether there were any.
    fn answers(&mut self) -> Result<bool> {
        let mut any = false;
        // In the order in which they were asked, as far as connections allow.
        let asked: Vec<_> = self
            .pending
            .iter()
            .map(|pending| pending.connection)
            .collect();
        for connection in asked {
            while let Some(frame) = self.receive(connection)? {
                any = true;
                self.answer(connection, frame)?;
            }
        }
        let clients = self.clients.clone();
        for (client, connection) in clients {
            if let Some(why) = self.closed(connection) {
                self.clients.remove(&client);
                self.pending
                    .retain(|pending| pending.connection != connection);
                self.came.push(format!("{client}: closed, {why}"));
                any = true;
            }
        }
        Ok(any)
    }

    fn receive(&mut self, connection: ConnectionId) -> Result<Option<Bytes>> {
        match self.kafka() {
            Some(kafka) => kafka.receive(connection),
            None => Ok(self.harness().receive_frame(connection)),
        }
    }

    fn closed(&mut self, connection: ConnectionId) -> Option<&'static str> {
        match self.kafka() {
            Some(kafka) => kafka.closed(connection),
            None => self.harness().closed(connection),
        }
    }

    /// An answer belongs to the oldest request of its connection, but for those without answer.
    fn answer(&mut self, connection: ConnectionId, frame: Bytes) -> Result<()> {
        let correlation = frame.get(..4).and_then(|bytes| bytes.try_into().ok());
        let correlation = correlation.map(i32::from_be_bytes);
        let at = self
            .pending
            .iter()
            .position(|pending| {
                pending.connection == connection
                    && (!pending.silent || Some(pending.correlation) == correlation)
            })
            .ok_or("an answer to nothing that was asked")?;
        let pending = self.pending.remove(at);
        if Some(pending.correlation) != correlation {
            return Err(format!("{}: answered out of order", pending.label));
        }
        let answer = (pending.render)(&mut self.known, frame)?;
        let own = pending.command == self.command;
        self.came
            .extend(answer.lines.into_iter().map(|line| match own {
                true => line,
                false => format!("{}: {line}", pending.label),
            }));
        if let Some(next) = answer.next {
            self.next.push_back((pending.command, next));
        }
        Ok(())
    }

    /// Takes what the broker shows to watchers.
    fn watch(&mut self) {
        while let Some(event) = self.harness().broker.poll_event() {
            match event {
                Event::Topic(topic) => {
                    if let Ok(id) = topic.id.parse() {
                        self.known.topic(&topic.topic, id);
                    }
                }
                Event::TopicDeleted { topic } => {
                    self.partitions
                        .retain(|partition, _| partition.topic != topic);
                }
                Event::Partition(view) => {
                    let partition = TopicPartition::new(&view.topic, view.partition);
                    self.partitions.insert(partition, view);
                }
                Event::Broker(_)
                | Event::Group(_)
                | Event::GroupDeleted { .. }
                | Event::Commit(_)
                | Event::CommitDeleted { .. }
                | Event::Request(_)
                | Event::RequestsLeftOut(_) => {}
            }
        }
    }
}
