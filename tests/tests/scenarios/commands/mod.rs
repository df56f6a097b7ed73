//! The commands: what each is called, how it is used, and what it does.

mod broker;
mod cluster;
mod configs;
mod groups;
mod membership;
mod offsets;
mod produce;
mod read;
mod topics;

use partita_core::protocol::ErrorCode;
use partita_core::types::TopicPartition;

use crate::words::{Result, Words};
use crate::world::World;

/// One command.
struct Command {
    /// Its name, then its arguments as a reader would write them.
    usage: &'static str,
    run: fn(&mut World, &str, &mut Words) -> Result<Vec<String>>,
}

impl Command {
    fn name(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or_default()
    }
}

/// Every command. Those that send a request end with `[version=N]`, the newest if it is not given.
const COMMANDS: &[&[Command]] = &[
    broker::COMMANDS,
    cluster::COMMANDS,
    topics::COMMANDS,
    configs::COMMANDS,
    produce::COMMANDS,
    read::COMMANDS,
    groups::COMMANDS,
    membership::COMMANDS,
    offsets::COMMANDS,
];

/// The client that sends what a script does not give to another.
const CLIENT: &str = "client";

/// The usage of every command, a line each.
pub(crate) fn usage() -> String {
    let all = COMMANDS.iter().copied().flatten();
    all.map(|command| format!("{}\n", command.usage)).collect()
}

/// The name of a command, whoever sends it.
pub(crate) fn name(text: &str) -> &str {
    let mut words = text.split(' ');
    words.find(|word| !word.ends_with(':')).unwrap_or_default()
}

/// Whether a command looks behind the protocol, where Apache Kafka shows nothing.
pub(crate) fn looks_behind(name: &str) -> bool {
    ["log", "stored"].contains(&name)
}

/// Whether a command is for our broker alone: it has to do with its storage, its time, its life.
pub(crate) fn is_for_us_alone(name: &str) -> bool {
    let mut life = broker::COMMANDS.iter().map(Command::name);
    life.any(|ours| ours == name) && !["advance", "disconnect", "repeat"].contains(&name)
}

/// Does what a command says, and says what came back.
pub(crate) fn run(world: &mut World, text: &str) -> Result<Vec<String>> {
    let mut words = Words::split(text)?;
    let first = words.next("a command")?;
    let (client, name) = match first.strip_suffix(':') {
        Some(client) => (client.to_owned(), words.next("a command")?),
        None => (CLIENT.to_owned(), first),
    };
    let command = COMMANDS
        .iter()
        .copied()
        .flatten()
        .find(|command| command.name() == name)
        .ok_or_else(|| {
            format!("there is no command {name:?}: tests/scenarios/README.md lists them")
        })?;
    world.begin(&name);
    let said = (command.run)(world, &client, &mut words)
        .and_then(|said| words.finish().map(|()| said))
        .map_err(|what| format!("{what}\nusage: {}", command.usage))?;
    world.settle()?;
    let mut answers = said;
    answers.extend(world.take_answers());
    if world.waits() {
        answers.insert(0, "waits".to_owned());
    }
    Ok(answers)
}

/// An error by its name, with the words that came with it.
fn error(code: ErrorCode, message: Option<&str>) -> String {
    match message {
        Some(message) if !message.is_empty() => format!("{code} {message:?}"),
        _ => code.to_string(),
    }
}

/// `ok`, or the error.
fn outcome(code: ErrorCode, message: Option<&str>) -> String {
    if code.is_none() {
        "ok".to_owned()
    } else {
        error(code, message)
    }
}

/// Partitions gathered by their topics, in their order.
fn by_topic<T>(
    partitions: impl IntoIterator<Item = (TopicPartition, T)>,
) -> Vec<(String, Vec<(i32, T)>)> {
    let mut topics: Vec<(String, Vec<(i32, T)>)> = Vec::new();
    for (TopicPartition { topic, partition }, what) in partitions {
        match topics.iter_mut().find(|(name, _)| *name == topic) {
            Some((_, found)) => found.push((partition, what)),
            None => topics.push((topic, vec![(partition, what)])),
        }
    }
    topics
}
