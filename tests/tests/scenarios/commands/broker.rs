//! The broker's own life: its configs, its storage, time, crashes; and connections.

use partita_core::broker::{Effect, Listener, Peer, StorageError};

use super::Command;
use crate::fate::Fate;
use crate::words::{Result, Words, number, pair, span};
use crate::world::World;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "broker CONFIG=VALUE...",
        run: |world, _, words| {
            let configs: Result<Vec<_>> = words.rest().iter().map(|word| pair(word)).collect();
            world.start(&configs?)?;
            Ok(Vec::new())
        },
    },
    Command {
        usage: "crash [writes=wait] [reads=wait]",
        run: crash,
    },
    Command {
        usage: "restart [writes=wait] [reads=wait]",
        run: |world, client, words| {
            (world.writes, world.reads) = (Fate::Done, Fate::Done);
            world.settle()?;
            crash(world, client, words)
        },
    },
    Command {
        usage: "writes wait | go [N] | fail [N] [full|closed|fenced] | unknown [N] | waiting",
        run: |world, _, words| storage(world, words, true),
    },
    Command {
        usage: "reads wait | go [N] | fail [N] [missing|closed|fenced] | waiting",
        run: |world, _, words| storage(world, words, false),
    },
    Command {
        usage: "advance SPAN",
        run: |world, _, words| {
            let millis = span(&words.next("a span of time")?)?;
            world.advance(millis)?;
            Ok(Vec::new())
        },
    },
    Command {
        usage: "sleep SPAN",
        run: |world, _, words| {
            let millis = span(&words.next("a span of time")?)?;
            world.sleep(millis);
            Ok(Vec::new())
        },
    },
    Command {
        usage: "wall +SPAN|-SPAN",
        run: wall,
    },
    Command {
        usage: "connect CLIENT [listener=NAME] [advertised=HOST:PORT] [from=ADDRESS]",
        run: connect,
    },
    Command {
        usage: "repeat TIMES COMMAND",
        run: repeat,
    },
    Command {
        usage: "disconnect CLIENT",
        run: |world, _, words| {
            world.disconnect(&words.next("a client")?)?;
            Ok(Vec::new())
        },
    },
];

/// Says what came back the last time.
fn repeat(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let times: u32 = number(&words.next("how many times")?)?;
    let command = format!("{client}: {}", words.rest().join(" "));
    let mut last = Vec::new();
    for _ in 0..times {
        last = super::run(world, &command)?;
    }
    Ok(last)
}

fn crash(world: &mut World, _: &str, words: &mut Words) -> Result<Vec<String>> {
    let mut fate = |name| match words.option(name).as_deref() {
        None => Ok(Fate::Done),
        Some("wait") => Ok(Fate::Wait),
        Some(other) => Err(format!("{name}={other}: they can only wait")),
    };
    let (writes, reads) = (fate("writes")?, fate("reads")?);
    world.crash(writes, reads);
    Ok(Vec::new())
}

fn storage(world: &mut World, words: &mut Words, writes: bool) -> Result<Vec<String>> {
    let fate = match words.next("what becomes of them")?.as_str() {
        "wait" => Fate::Wait,
        "go" => Fate::Done,
        "fail" => {
            let why = ["full", "closed", "fenced", "missing"]
                .into_iter()
                .find(|why| words.flag(why));
            Fate::Fail(failure(why))
        }
        "unknown" if writes => Fate::Unknown,
        "waiting" => {
            let all = world.harness().storage.waiting();
            let count = all
                .filter(|effect| match effect {
                    Effect::Load => false,
                    Effect::Write(_) => writes,
                    Effect::Read(_) => !writes,
                })
                .count();
            return Ok(vec![count.to_string()]);
        }
        other => return Err(format!("{other:?} cannot become of them")),
    };
    let Some(count) = words.next_if_any() else {
        if writes {
            world.writes = fate;
        } else {
            world.reads = fate;
        }
        return Ok(Vec::new());
    };
    for _ in 0..number::<u32>(&count)? {
        let (write, read) = if writes {
            (&fate, &Fate::Wait)
        } else {
            (&Fate::Wait, &fate)
        };
        if !world.end_one(write, read)? {
            return Err("nothing of that kind waits".to_owned());
        }
    }
    Ok(Vec::new())
}

fn failure(why: Option<&str>) -> StorageError {
    let text = "the script says so".to_owned();
    match why {
        Some("full") => StorageError::QuotaExceeded(text),
        Some("closed") => StorageError::Closed(text),
        Some("fenced") => StorageError::Fenced(text),
        Some("missing") => StorageError::Missing(text),
        _ => StorageError::Other(text),
    }
}

fn wall(world: &mut World, _: &str, words: &mut Words) -> Result<Vec<String>> {
    let text = words.next("a span of time")?;
    let (sign, text) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(text), _) => (1, text),
        (None, Some(text)) => (-1, text),
        (None, None) => return Err("a sign is missing".to_owned()),
    };
    let by = i64::try_from(span(text)?).map_err(|_| format!("{text} is too long"))?;
    let now = world.harness().now().wall.0;
    world.harness().set_wall(now.saturating_add(by * sign));
    Ok(Vec::new())
}

fn connect(world: &mut World, _: &str, words: &mut Words) -> Result<Vec<String>> {
    let name = words.next("a client")?;
    let listener = words.option("listener");
    let advertised = words.option("advertised");
    let advertised = advertised.unwrap_or_else(|| "broker.test:9092".to_owned());
    let (host, port) = advertised
        .rsplit_once(':')
        .ok_or_else(|| format!("{advertised:?} is not HOST:PORT"))?;
    let peer = Peer {
        listener: Listener {
            name: listener.unwrap_or_else(|| "PLAINTEXT".to_owned()),
            host: host.to_owned(),
            port: number(port)?,
        },
        address: words
            .option("from")
            .unwrap_or_else(|| "client.test".to_owned()),
    };
    world.connect(&name, peer)?;
    Ok(Vec::new())
}
