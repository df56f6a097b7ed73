//! Configs that are accepted, checked and described, and act on nothing: `COMPATIBILITY.md` lists
//! them and says why they need not. Here it is seen to that its lists are exact.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use super::{BROKER_CONFIGS, TOPIC_CONFIGS};

/// Every source file of the broker without its tests, as one text.
fn sources() -> String {
    fn gather(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(path).unwrap();
                all.push_str(text.split("mod tests {").next().unwrap());
            } else if !path.ends_with("tests") {
                gather(&path, all);
            }
        }
    }
    let mut all = String::new();
    gather(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/broker"),
        &mut all,
    );
    all
}

/// Topic configs that act are fields of `TopicConfig` that somebody uses, or levels of codecs.
fn topic_config_acts(sources: &str, name: &str) -> bool {
    let field = name.replace('.', "_");
    sources.contains(&format!("config.{field}")) || sources.contains(&format!("(level(\"{name}\")"))
}

/// Broker configs that act are asked for, or are the default of a topic config that does.
fn broker_config_acts(sources: &str, name: &str) -> bool {
    let of = match name {
        "log.retention.hours" | "log.retention.minutes" => Some("retention.ms"),
        "log.roll.hours" => Some("segment.ms"),
        "log.roll.jitter.hours" => Some("segment.jitter.ms"),
        _ => {
            let mut all = TOPIC_CONFIGS.iter();
            let of = all.find(|definition| definition.synonym == Some(name));
            of.map(|definition| definition.name)
        }
    };
    ["long", "flag"]
        .iter()
        .any(|asked| sources.contains(&format!(".{asked}(\"{name}\")")))
        || of.is_some_and(|of| topic_config_acts(sources, of))
}

/// The names in the item of `COMPATIBILITY.md` that begins so.
fn listed(beginning: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../COMPATIBILITY.md");
    let text = std::fs::read_to_string(path).unwrap();
    let item = text.lines().find(|line| line.starts_with(beginning));
    let item = item.expect("COMPATIBILITY.md has an item that begins so");
    let marked = item.split('`').skip(1).step_by(2);
    marked.map(str::to_owned).collect()
}

#[test]
fn the_list_of_topic_configs_that_act_on_nothing_is_exact() {
    let sources = sources();
    let inert = TOPIC_CONFIGS
        .iter()
        .filter(|definition| !topic_config_acts(&sources, definition.name))
        .map(|definition| definition.name.to_owned());
    let listed = listed("- *Topic configs that act on nothing*");
    assert_eq!(listed, inert.collect());
}

#[test]
fn the_list_of_broker_configs_that_act_on_nothing_is_exact() {
    let sources = sources();
    let inert = BROKER_CONFIGS
        .iter()
        .filter(|definition| !broker_config_acts(&sources, definition.name))
        .map(|definition| definition.name.to_owned());
    let listed = listed("- *Broker configs that act on nothing*");
    assert_eq!(listed, inert.collect());
}
