//! What no compiler checks, over every file git knows or would add.
//!
//! - A source file starts with its documentation: `//!` in Rust, a comment elsewhere.
//! - No source file is longer than 700 lines; those over 500 are listed, to be split at a seam.
//! - No debugging left behind, no "later" without an issue, no test that runs alone.
//! - Nothing of one machine: no absolute paths, no registry but each tool's default.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process::{command, output, root};

const LONG: usize = 500;
const TOO_LONG: usize = 700;

/// What no source file may contain, with the reason. Written in halves, or this file would too.
const FORBIDDEN: [(&str, &str, &str); 6] = [
    (
        "TO",
        "DO",
        "do it, or file an issue and say why it is absent",
    ),
    (
        "FIX",
        "ME",
        "mend it, or file an issue and say why it is so",
    ),
    ("dbg", "!(", "debugging left behind"),
    ("todo", "!(", "unfinished code"),
    ("debug", "ger;", "debugging left behind"),
    (".on", "ly(", "a test that keeps the others from running"),
];

/// Folders at the root of somebody's machine.
const MACHINE: [&str; 5] = ["home", "root", "tmp", "Users", "work"];

/// Checks every file; prints what it finds.
///
/// # Errors
/// When there is any finding.
pub fn run() -> Result<()> {
    println!("$ tidy");
    let list = output(command("git").args(["ls-files", "-co", "--exclude-standard"]))?;
    let mut findings = Vec::new();
    for name in list.lines() {
        let path = root().join(name);
        // Deleted but not committed yet, or not text: nothing to check.
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        findings.extend(
            check(name, &text)
                .into_iter()
                .map(|finding| format!("{name}{finding}")),
        );
        let lines = text.lines().count();
        if is_source(name) && (LONG + 1..=TOO_LONG).contains(&lines) {
            println!("note: {name} has {lines} lines: look for a seam");
        }
    }
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings", findings.len());
    }
    Ok(())
}

fn extension(name: &str) -> &str {
    Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("")
}

fn is_source(name: &str) -> bool {
    matches!(extension(name), "rs" | "ts" | "mjs" | "js" | "css")
}

/// The findings in one file, each `:LINE: what`.
fn check(name: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if is_source(name) {
        let documented: &[&str] = match extension(name) {
            "rs" => &["//!"],
            _ => &["//", "/*", "#!"],
        };
        if !documented.iter().any(|start| text.starts_with(start)) {
            findings.push(":1: does not start with its documentation".into());
        }
        let lines = text.lines().count();
        if lines > TOO_LONG {
            findings.push(format!(":{lines}: more than {TOO_LONG} lines"));
        }
    }
    for (number, line) in (1..).zip(text.lines()) {
        if is_source(name) {
            for (left, right, why) in FORBIDDEN {
                if line.contains(&format!("{left}{right}")) {
                    findings.push(format!(":{number}: {left}{right}: {why}"));
                }
            }
        }
        if let Some(path) = machine_path(line) {
            findings.push(format!(":{number}: a path of one machine: {path}"));
        }
        if let Some(what) = foreign_source(name, line) {
            findings.push(format!(":{number}: {what}"));
        }
    }
    findings
}

/// An absolute path that starts with a folder of somebody's machine.
fn machine_path(line: &str) -> Option<String> {
    line.match_indices('/').find_map(|(at, _)| {
        // Part of a longer path or of an address, not its start.
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || "._-/*$}~:)>".contains(c)) {
            return None;
        }
        let mut parts = line[at + 1..].split('/');
        let first = parts.next()?;
        let rest = parts.next()?;
        let named = rest.starts_with(|c: char| c.is_alphanumeric() || c == '.');
        (MACHINE.contains(&first) && named).then(|| format!("/{first}/{rest}"))
    })
}

/// A package source other than the tool's default.
fn foreign_source(name: &str, line: &str) -> Option<&'static str> {
    let line = line.trim();
    match Path::new(name).file_name()?.to_str()? {
        "package-lock.json" if line.contains("\"resolved\"") && line.contains("://") => {
            Some("a registry's address: npm must leave it out (.npmrc)")
        }
        "Cargo.lock"
            if line.starts_with("source = ")
                && line != "source = \"registry+https://github.com/rust-lang/crates.io-index\"" =>
        {
            Some("a crate that is not from crates.io")
        }
        ".npmrc" | "config.toml" | "pip.conf" if line.contains("://") => {
            Some("a registry's address")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_must_not_be_there() {
        let marker = ["// TO", "DO: later"].concat();
        for (name, text, expected) in [
            ("a.rs", "//! Docs.\nfn a() {}\n", None),
            ("a.rs", "fn a() {}\n", Some(":1: does not start")),
            ("a.ts", "/** Docs. */\n", None),
            ("a.ts", "export {};\n", Some(":1: does not start")),
            ("a.rs", &format!("//! Docs.\n{marker}\n"), Some(":2: TO")),
            ("a.md", &format!("{marker}\n"), None),
            ("a.md", &["see /ro", "ot/x"].concat(), Some(":1: a path")),
            ("a.md", &["'/ho", "me/me/x'"].concat(), Some(":1: a path")),
            (
                "a.md",
                "https://host/work/x and core/work/x and /work/",
                None,
            ),
            ("a.mjs", "// Docs.\nconst re = /tmp/;\n", None),
            (
                "package-lock.json",
                "\"resolved\": \"https://host/x.tgz\",",
                Some(":1: a reg"),
            ),
            ("package-lock.json", "\"resolved\": \"\",", None),
            (
                "Cargo.lock",
                "source = \"git+https://host/x\"",
                Some(":1: a crate"),
            ),
            (".npmrc", "registry=https://host/", Some(":1: a reg")),
        ] {
            let found = check(name, text);
            match expected {
                None => assert!(found.is_empty(), "{name} {text:?}: {found:?}"),
                Some(start) => {
                    let one = found.len() == 1 && found[0].starts_with(start);
                    assert!(one, "{name} {text:?}: {found:?}");
                }
            }
        }
        let long = "//! Docs.\n".repeat(TOO_LONG + 1);
        assert_eq!(check("a.rs", &long), [":701: more than 700 lines"]);
    }
}
