//! Scenarios played on an Apache Kafka, to see whether it answers as they say.
//!
//! `PARTITA_KAFKA=HOST:PORT cargo test -p partita-tests --test scenarios -- --ignored kafka` plays
//! those that ask for nothing but Kafka's protocol and not too much time. Each begins without topics
//! and groups: **the Kafka at that address loses all it has.** What differs on purpose has its
//! reason in the scenario: a line `# On Kafka: ...`.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use partita_core::broker::ConnectionId;

use crate::commands;
use crate::script::Script;
use crate::words::{Result, span};
use crate::world::World;

/// How often it is looked whether something has come.
pub(crate) const POLL: Duration = Duration::from_millis(3);
/// How long a client pauses before it tries again.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);
/// How often it is tried to be rid of all groups.
const MOST_TRIES: usize = 500;
/// The longest time that a scenario may let pass to be played.
const LONGEST: u64 = 120_000;

/// Commands after which Kafka's controller has told its broker a little later.
const CHANGES: [&str; 6] = [
    "create",
    "delete",
    "grow",
    "alter",
    "replace-configs",
    "metadata",
];

/// Whether a command's effects come later than its answer.
pub(crate) fn settles_late(command: &str) -> bool {
    CHANGES.contains(&command)
}

/// How long an answer may take that does not wait for anything.
pub(crate) fn patience(command: &str) -> Duration {
    Duration::from_millis(match command {
        // A block of producer ids, a coordinator's topic: they take as long as they take.
        "init-producer" | "find-coordinator" => 10_000,
        _ => 1_000,
    })
}

/// Connections to an Apache Kafka.
pub(crate) struct Kafka {
    address: String,
    connections: BTreeMap<ConnectionId, Connection>,
    next: u64,
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    ended: bool,
}

impl Kafka {
    pub(crate) fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            connections: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) fn connect(&mut self) -> Result<ConnectionId> {
        let stream = TcpStream::connect(&self.address).map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let id = ConnectionId(self.next);
        self.next += 1;
        let connection = Connection {
            stream,
            received: Vec::new(),
            ended: false,
        };
        self.connections.insert(id, connection);
        Ok(id)
    }

    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    fn get(&mut self, id: ConnectionId) -> Result<&mut Connection> {
        let connection = self.connections.get_mut(&id);
        connection.ok_or_else(|| "there is no such connection".to_owned())
    }

    pub(crate) fn send(&mut self, id: ConnectionId, frame: &Bytes) -> Result<()> {
        let length = u32::try_from(frame.len()).map_err(|error| error.to_string())?;
        let stream = &mut self.get(id)?.stream;
        let whole = [&length.to_be_bytes(), frame.as_ref()].concat();
        let sent = stream
            .set_nonblocking(false)
            .and_then(|()| stream.write_all(&whole));
        sent.map_err(|error| error.to_string())
    }

    /// The next frame that has come, if it has come whole.
    pub(crate) fn receive(&mut self, id: ConnectionId) -> Result<Option<Bytes>> {
        let Some(connection) = self.connections.get_mut(&id) else {
            return Ok(None);
        };
        connection.read()?;
        let received = &mut connection.received;
        let Some(length) = received.get(..4).and_then(|bytes| bytes.try_into().ok()) else {
            return Ok(None);
        };
        let end = usize::try_from(u32::from_be_bytes(length)).map_err(|e| e.to_string())? + 4;
        if received.len() < end {
            return Ok(None);
        }
        let rest = received.split_off(end);
        let frame = std::mem::replace(received, rest);
        Ok(Some(Bytes::from(frame).slice(4..)))
    }

    pub(crate) fn closed(&mut self, id: ConnectionId) -> Option<&'static str> {
        let connection = self.connections.get_mut(&id)?;
        if connection.read().is_err() {
            connection.ended = true;
        }
        connection.ended.then_some("by Apache Kafka")
    }
}

impl Connection {
    fn read(&mut self) -> Result<()> {
        let blocking = self.stream.set_nonblocking(true);
        blocking.map_err(|error| error.to_string())?;
        let mut buffer = [0; 65_536];
        while !self.ended {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.received.extend(buffer.iter().take(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// Whether a scenario can be played: why not, if not.
fn cannot_play(script: &Script) -> Option<String> {
    if let Some(why) = script.aside("# On Kafka: ") {
        return Some(why.to_owned());
    }
    let mut time = 0_u64;
    for command in script.commands() {
        let name = commands::name(&command.text);
        if commands::is_for_us_alone(name) {
            return Some(format!("`{name}` is for our broker only"));
        }
        if name == "advance" {
            let passes = command.text.split(' ').next_back().unwrap_or_default();
            time = time.saturating_add(span(passes).unwrap_or(0));
        }
    }
    (time > LONGEST).then(|| "it takes too long".to_owned())
}

/// A line without what may differ: addresses, numbers of producers, ids, times.
fn plain(line: &str) -> String {
    let line = match (line.strip_prefix("after "), line.split_once(": closed,")) {
        (Some(rest), _) => rest.split_once(": ").map_or(rest, |(_, rest)| rest),
        (None, Some((client, _))) => client,
        (None, None) => line,
    };
    let mut plain = Vec::new();
    let mut before = "";
    for word in line.split(' ') {
        let differs = matches!(before, "at" | "producer" | "stranger") || word.starts_with('@');
        plain.push(if differs { "…" } else { word });
        before = word;
    }
    plain.join(" ")
}

/// The same lines in any order, for connections are independent of each other; internal topics
/// stay when an earlier scenario has made them.
fn alike(one: &[String], other: &[String]) -> bool {
    let sorted = |lines: &[String]| {
        let lines = lines.iter().filter(|line| !line.contains(" (internal): "));
        let mut lines: Vec<_> = lines.map(|line| plain(line)).collect();
        lines.sort();
        lines
    };
    sorted(one) == sorted(other)
}

/// Takes everything away that an earlier scenario has left.
fn clean(address: &str) -> Result<()> {
    let mut world = World::on_kafka(Kafka::at(address));
    commands::run(&mut world, "find-coordinator retry any")?;
    // The first one to ask is told to come back until there is a block of ids.
    while !commands::run(&mut world, "init-producer any")?
        .iter()
        .any(|line| line.starts_with("producer "))
    {
        std::thread::sleep(PAUSE);
    }
    for line in commands::run(&mut world, "metadata")? {
        if let Some((topic, _)) = line
            .split_once(": ")
            .filter(|(name, _)| !name.contains(' '))
        {
            commands::run(&mut world, &format!("delete {topic}"))?;
        }
    }
    // Who waits to join is put out by a rebalance, and then by its end.
    for _ in 0..MOST_TRIES {
        let groups = commands::run(&mut world, "groups")?;
        if groups == ["none"] {
            return Ok(());
        }
        for line in groups {
            let group = line.split(": ").next().unwrap_or_default();
            commands::run(&mut world, &format!("remove-members \"{group}\""))?;
            commands::run(&mut world, &format!("delete-groups \"{group}\""))?;
        }
        std::thread::sleep(PAUSE);
    }
    Err("there are groups that cannot be deleted".to_owned())
}

/// Plays a script on the Kafka at an address: what it answers otherwise.
pub(crate) fn differences(address: &str, script: &Script) -> Result<Vec<String>> {
    clean(address)?;
    let came = crate::play(World::on_kafka(Kafka::at(address)), script);
    let came = came.map_err(|mistake| mistake.to_string())?;
    Ok(script.differences(&came, alike))
}

#[test]
#[ignore = "needs an Apache Kafka at PARTITA_KAFKA, whose topics and groups it deletes"]
fn kafka_answers_the_same() {
    let address = std::env::var("PARTITA_KAFKA").expect("set PARTITA_KAFKA=HOST:PORT");
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let mut failed = Vec::new();
    let mut played = 0;
    for path in crate::scenarios() {
        let name = crate::name(&path);
        let script = Script::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        if !name.contains(&only) {
            continue;
        }
        if let Some(why) = cannot_play(&script) {
            eprintln!("{name}: not played, {why}");
            continue;
        }
        played += 1;
        match differences(&address, &script) {
            Err(mistake) => failed.push(format!("{name}: {mistake}")),
            Ok(all) => failed.extend(all.iter().map(|one| format!("{name}: {one}"))),
        }
    }
    let failures = failed.join("\n");
    assert!(
        failed.is_empty(),
        "{} answers differ in {played} scenarios\n{failures}",
        failed.len()
    );
    assert!(played > 0, "nothing was played");
}
