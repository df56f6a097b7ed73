//! `tests/scenarios/RULES.md`: every rule of the engine with the tests that pin it down, and every
//! scenario with the rule that it belongs to. And `README.md`, which lists the commands.
//!
//! A rule is a list item `- [x] Text`; lines below it that begin with `  → ` name tests, with `; `
//! between: a scenario by its path (`fetch/long-poll.txt`), any other test by its file and name
//! (`core/src/broker/clock.rs: monotonic_time_never_goes_back`).

use std::collections::BTreeSet;
use std::path::Path;

use crate::{commands, folder, name, scenarios};

/// A rule and the tests that it names.
struct Rule {
    text: String,
    tests: Vec<String>,
}

fn rules(text: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines() {
        if let Some(text) = line.strip_prefix("- ") {
            let (text, tests) = (text.to_owned(), Vec::new());
            rules.push(Rule { text, tests });
        } else if let (Some(tests), Some(rule)) = (line.strip_prefix("  → "), rules.last_mut()) {
            let tests = tests.split("; ").map(str::to_owned);
            rule.tests.extend(tests);
        }
    }
    rules
}

/// Why a test that a rule names is none, if it is none.
fn missing(test: &str) -> Option<String> {
    let Some((file, name)) = test.split_once(": ") else {
        let there = test.ends_with(".txt") && folder().join(test).is_file();
        return (!there).then(|| "there is no such scenario".to_owned());
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Ok(text) = std::fs::read_to_string(root.join(file)) else {
        return Some("there is no such file".to_owned());
    };
    let there = match file.ends_with(".rs") {
        true => text.contains(&format!("fn {name}(")),
        // A title, whichever quotation marks it stands in.
        false => text.contains(name),
    };
    (!there).then(|| "the file has no such test".to_owned())
}

#[test]
fn every_rule_names_tests_that_there_are() {
    let text = std::fs::read_to_string(folder().join("RULES.md")).unwrap();
    let rules = rules(&text);
    assert!(!rules.is_empty());
    let mut wrong = Vec::new();
    for rule in &rules {
        if !rule.text.starts_with("[x] ") || rule.tests.is_empty() {
            wrong.push(format!("no test: {}", rule.text));
        }
        let missing = rule
            .tests
            .iter()
            .filter_map(|test| Some((test, missing(test)?)));
        wrong.extend(missing.map(|(test, why)| format!("{test}: {why}")));
    }
    let named: BTreeSet<&str> = rules
        .iter()
        .flat_map(|rule| rule.tests.iter().map(String::as_str))
        .collect();
    let stray = scenarios()
        .iter()
        .map(|path| name(path))
        .filter(|name| !named.contains(name.as_str()))
        .collect::<Vec<_>>();
    wrong.extend(stray.iter().map(|name| format!("no rule names it: {name}")));
    assert!(
        wrong.is_empty(),
        "tests/scenarios/RULES.md:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_readme_lists_the_commands() {
    let path = folder().join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once("```text\n").unwrap();
    let (_, tail) = rest.split_once("```\n").unwrap();
    let right = format!("{head}```text\n{}```\n{tail}", commands::usage());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, right).unwrap();
    } else {
        assert_eq!(text, right, "UPDATE=1 writes the commands into it");
    }
}
