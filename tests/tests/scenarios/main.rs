//! Scenarios: what the broker does, pinned down by scripts in `tests/scenarios` that are at once
//! the commands and what came back.
//!
//! A script drives a real broker by Kafka's own frames, in virtual time, on storage that does, holds
//! back, fails or forgets what it is asked. `UPDATE=1` writes what came back into the scripts;
//! `SCENARIO=fetch` plays those only whose path has the word. CONTRIBUTING.md says more.
//!
//! - `script`: the text of a scenario. `words`, `records`, `internal`: its parts.
//! - `commands`: what each command does. `world`, `fate`, `known`: what it does it to.
//! - `kafka`: the same scenarios on an Apache Kafka, to see whether it answers as they say;
//!   `chance`: scripts that chance writes.
//! - `index`: `RULES.md` there, where every rule names what pins it down, and `README.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod chance;
mod commands;
mod fate;
mod index;
mod internal;
mod kafka;
mod known;
mod records;
mod script;
mod words;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use script::{Mistake, Script};
use world::World;

/// Where the scenarios are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Every scenario, in order of its path.
fn scenarios() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "txt") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A scenario's path as the index has it.
fn name(path: &Path) -> String {
    let name = path.strip_prefix(folder()).unwrap();
    name.to_string_lossy().into_owned()
}

/// Plays a script; returns it with what came back.
fn play(mut world: World, script: &Script) -> Result<Script, Mistake> {
    script.with_answers(|command| {
        let line = command.line;
        if world.is_kafka() && commands::looks_behind(commands::name(&command.text)) {
            return Ok(command.answers.clone());
        }
        let ran = catch_unwind(AssertUnwindSafe(|| {
            commands::run(&mut world, &command.text)
        }));
        let ran = ran.unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
        ran.map_err(|what| Mistake { line, what })
    })
}

/// Plays a scenario and compares, or writes what came back if `update`.
fn check(path: &Path, update: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let script = Script::parse(&text).map_err(|mistake| mistake.to_string())?;
    let came = play(World::default(), &script).map_err(|mistake| mistake.to_string())?;
    if update && came.to_string() != text {
        std::fs::write(path, came.to_string()).map_err(|error| error.to_string())?;
        return Ok(());
    }
    // What follows the first difference often follows from it.
    if let Some(first) = script.differences(&came, <[String]>::eq).into_iter().next() {
        return Err(first);
    }
    if came.expects_nothing() {
        return Err("nothing is expected: a scenario without answers says nothing".to_owned());
    }
    Ok(())
}

#[test]
fn every_scenario_goes_as_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let chosen: Vec<_> = scenarios()
        .into_iter()
        .filter(|path| name(path).contains(&only))
        .collect();
    assert!(!chosen.is_empty(), "no scenario has {only:?} in its path");
    let failed: Vec<String> = chosen
        .iter()
        .filter_map(|path| {
            let why = check(path, update).err()?;
            Some(format!("{}: {why}", name(path)))
        })
        .collect();
    let all = chosen.len();
    assert!(
        failed.is_empty(),
        "{} of {all} scenarios went another way; UPDATE=1 takes what came for right\n\n{}",
        failed.len(),
        failed.join("\n")
    );
}

/// What `check` says of a script that lies nowhere.
fn verdict(text: &str) -> String {
    let played = Script::parse(text).and_then(|script| {
        let came = play(World::default(), &script)?;
        Ok(script.differences(&came, <[String]>::eq).join("\n"))
    });
    played.unwrap_or_else(|mistake| mistake.to_string())
}

#[test]
fn a_mistake_in_a_script_is_told_with_its_line() {
    let with = |lines: &str| format!("# Title\n# Source: a test\n{lines}\n");
    for (script, says) in [
        ("metadata", "line 1: the first line is the title"),
        ("# Title\nmetadata", "line 1: a line `# Source: ...`"),
        (&with("    answer"), "line 3: an answer without a command"),
        (
            &with("  metadata"),
            "line 3: answers are indented by four spaces",
        ),
        (&with("\nfly"), "line 4: there is no command \"fly\""),
        (&with("create"), "line 3: a topic is missing\nusage: create"),
        (
            &with("fetch orders 0"),
            "line 3: \"orders\" is not a partition such as orders-0",
        ),
        (&with("advance 5"), "line 3: \"5\" is not a span of time"),
        (
            &with("metadata version=999"),
            "line 3: version 999 cannot say this",
        ),
        (
            &with("heartbeat g a b"),
            "line 3: nobody asked for \"b\"\nusage: heartbeat",
        ),
        (&with("writes go 1"), "line 3: nothing of that kind waits"),
        (
            &with("metadata none\nbroker a=b"),
            "line 4: the broker runs already",
        ),
    ] {
        let said = verdict(script);
        assert!(said.starts_with(says), "{script}\n{said}");
    }
}

#[test]
fn what_did_not_come_as_written_is_shown_beside_what_came() {
    let script = "# Title\n# Source: a test\ncreate orders\n    orders: created, 2 partitions\n";
    assert_eq!(
        verdict(script),
        "line 3: create orders\n  expected\n    orders: created, 2 partitions\n  came\n    \
         orders: created, 1 partition\n"
    );
}

#[test]
fn a_script_is_written_as_it_is_read() {
    for path in scenarios() {
        let text = std::fs::read_to_string(&path).unwrap();
        let script = Script::parse(&text).unwrap();
        assert_eq!(script.to_string(), text, "{}", name(&path));
    }
}
