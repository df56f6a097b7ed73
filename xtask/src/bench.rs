//! `cargo xtask bench [--quick] [NAME…]`: each benchmark as a ratio to a baseline of the same run.
//!
//! Sizes are measured here; everything else by a script of `tests/bench`, run by Node with `dist`
//! built. A script gets the names that are wanted, and prints as its last line a JSON array of
//! `{ "name", "ours", "baseline", "unit", "what" }`: two numbers in the same unit, and what they
//! are. `--quick` does little of each and takes `dist` as it was built last: it shows that the
//! benchmarks work, and its figures say nothing.

use std::fmt::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::build::{Mode, Product, wasm_file};
use crate::dist::{self, brotli_size};
use crate::process::{self, cargo, node, output, root, target};
use crate::setup::{self, WASM_TARGET};

/// The aim for broker and client together, in KB after brotli.
const SIZE_AIM: f64 = 300.0;

/// What measures some benchmarks.
struct Suite {
    names: &'static [&'static str],
    /// A script of `tests/bench`; sizes need none.
    script: Option<&'static str>,
}

const SUITES: [Suite; 5] = [
    Suite {
        names: &["size-play", "size-npm"],
        script: None,
    },
    Suite {
        names: &[
            "append-memory-native",
            "fetch-memory-native",
            "append-memory-wasm",
            "fetch-memory-wasm",
        ],
        script: Some(MEMORY),
    },
    Suite {
        names: &[
            "append-durable-1k",
            "append-durable-100b",
            "append-durable-1k-16k-requests",
            "append-durable-1k-256k-requests",
            "append-durable-1k-1m-requests",
            "append-durable-1k-one-unanswered",
        ],
        script: Some("append-durable.mjs"),
    },
    Suite {
        names: &["load-to-first-record"],
        script: Some("load.mjs"),
    },
    Suite {
        names: &["open-10k-chunks", "open-100k-chunks", "open-100k-commits"],
        script: Some("open.mjs"),
    },
];

/// The script that needs `tests/src/memory.rs`, natively and as wasm.
const MEMORY: &str = "memory.mjs";

/// What a script found, or a size.
#[derive(Debug, Deserialize)]
struct Measurement {
    name: String,
    ours: f64,
    baseline: f64,
    unit: String,
    what: String,
}

/// An entry of `target/bench.json`.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    ours: f64,
    baseline: f64,
    ratio: f64,
    unit: String,
    what: String,
}

/// Runs the benchmarks named, or all.
///
/// # Errors
/// When a name is unknown, a build fails, or a benchmark does.
pub fn run(args: &[String]) -> Result<()> {
    let quick = args.iter().any(|arg| arg == "--quick");
    let named: Vec<&str> = args.iter().map(String::as_str).collect();
    let named: Vec<&str> = named.into_iter().filter(|arg| *arg != "--quick").collect();
    let known: Vec<&str> = SUITES
        .iter()
        .flat_map(|suite| suite.names)
        .copied()
        .collect();
    if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
        bail!("no benchmark {unknown:?}; there are: {}", known.join(", "));
    }
    if !quick {
        setup::run()?;
        dist::build(Mode::Dist)?;
    }
    let mut entries = Vec::new();
    for suite in &SUITES {
        let chosen = suite.names.iter().copied();
        let chosen: Vec<&str> = chosen
            .filter(|name| named.is_empty() || named.contains(name))
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let measured = match suite.script {
            None => chosen.iter().map(|name| size(name)).collect(),
            Some(script) => run_script(script, &chosen, quick).with_context(|| script.to_owned()),
        }?;
        entries.extend(checked(&chosen, measured)?);
    }
    print!("{}", table(&entries));
    let file = target().join("bench.json");
    std::fs::write(&file, serde_json::to_string_pretty(&entries)? + "\n")?;
    println!(
        "written to {}",
        file.strip_prefix(root()).unwrap_or(&file).display()
    );
    Ok(())
}

/// What was measured is what was asked for, in that order; with the ratio.
fn checked(chosen: &[&str], measured: Vec<Measurement>) -> Result<Vec<Entry>> {
    let found: Vec<&str> = measured.iter().map(|one| one.name.as_str()).collect();
    let missing = chosen.iter().find(|name| !found.contains(name));
    if let Some(name) = missing {
        bail!("{name} was not measured, only {found:?}");
    }
    let mut entries = Vec::new();
    for Measurement {
        name,
        ours,
        baseline,
        unit,
        what,
    } in measured
    {
        let ratio = ours / baseline;
        if !(ratio.is_finite() && ratio > 0.0) {
            bail!("{name}: {ours} over {baseline} is no ratio");
        }
        entries.push(Entry {
            name,
            ours,
            baseline,
            ratio,
            unit,
            what,
        });
    }
    entries.sort_by_key(|entry| chosen.iter().position(|name| *name == entry.name));
    Ok(entries)
}

fn table(entries: &[Entry]) -> String {
    let mut table = format!(
        "\n{:<32} {:>10} {:>10} {:>7}  unit\n",
        "benchmark", "ours", "baseline", "ratio"
    );
    for Entry {
        name,
        ours,
        baseline,
        ratio,
        unit,
        what,
    } in entries
    {
        // Writing to a string cannot fail.
        writeln!(
            table,
            "{name:<32} {ours:>10.1} {baseline:>10.1} {ratio:>7.2}  {unit}: {what}"
        )
        .unwrap_or_default();
    }
    table
}

fn size(name: &str) -> Result<Measurement> {
    let product = match name {
        "size-npm" => Product::Npm,
        _ => Product::Playground,
    };
    let bytes = u32::try_from(brotli_size(&wasm_file(product))?)?;
    Ok(Measurement {
        name: name.to_owned(),
        ours: f64::from(bytes) / 1000.0,
        baseline: SIZE_AIM,
        unit: "KB".into(),
        what: format!(
            "{} wasm after brotli, over the aim for broker and client",
            product.name()
        ),
    })
}

fn run_script(script: &str, names: &[&str], quick: bool) -> Result<Vec<Measurement>> {
    let mut command = node(root().join("tests/bench").join(script));
    if quick {
        command.arg("--quick");
    }
    command.args(names);
    if script == MEMORY {
        let program = ["-p", "partita-tests", "--bin", "memory-bench"];
        process::run(cargo("build").args(["--profile", "bench"]).args(program))?;
        let wasm = ["-p", "partita-tests", "--lib", "--crate-type", "cdylib"];
        process::run(
            cargo("rustc")
                .args(["--target", WASM_TARGET, "--profile", "wasm-dist"])
                .args(wasm),
        )?;
        let wasm = target().join(WASM_TARGET).join("wasm-dist");
        command
            .env(
                "PARTITA_BENCH_NATIVE",
                target().join("release/memory-bench"),
            )
            .env("PARTITA_BENCH_WASM", wasm.join("partita_tests.wasm"));
    }
    println!("$ node tests/bench/{script} {}", names.join(" "));
    // What it says on its way goes to its standard error, straight to the terminal.
    let printed = output(command.stderr(Stdio::inherit()))?;
    let last = printed.lines().next_back().context("it printed nothing")?;
    serde_json::from_str(last).with_context(|| format!("it printed {last}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test panics")]
mod tests {
    use super::*;

    fn measured(name: &str, ours: f64, baseline: f64) -> Measurement {
        Measurement {
            name: name.to_owned(),
            ours,
            baseline,
            unit: "MB/s".to_owned(),
            what: "bytes over bytes".to_owned(),
        }
    }

    #[test]
    fn the_promised_benchmarks_are_there() {
        let promised = "append-durable-100b append-durable-1k append-memory-wasm \
            append-memory-native fetch-memory-wasm fetch-memory-native load-to-first-record \
            open-10k-chunks open-100k-chunks open-100k-commits size-play size-npm";
        for name in promised.split_whitespace() {
            assert!(
                SUITES.iter().any(|suite| suite.names.contains(&name)),
                "{name}"
            );
        }
    }

    #[test]
    fn entries_have_the_promised_shape_and_order() {
        let entries = checked(
            &["one", "two"],
            vec![measured("two", 3.0, 4.0), measured("one", 1.0, 2.0)],
        )
        .unwrap();
        let json = serde_json::to_value(&entries).unwrap();
        assert_eq!(
            json,
            serde_json::json!([
                { "name": "one", "ours": 1.0, "baseline": 2.0, "ratio": 0.5,
                  "unit": "MB/s", "what": "bytes over bytes" },
                { "name": "two", "ours": 3.0, "baseline": 4.0, "ratio": 0.75,
                  "unit": "MB/s", "what": "bytes over bytes" },
            ])
        );
        let table = table(&entries);
        let two = table.lines().find(|line| line.starts_with("two")).unwrap();
        assert_eq!(
            two.split_whitespace().collect::<Vec<_>>(),
            [
                "two", "3.0", "4.0", "0.75", "MB/s:", "bytes", "over", "bytes"
            ]
        );
    }

    #[test]
    fn what_is_missing_or_no_number_is_an_error() {
        assert!(checked(&["one"], Vec::new()).is_err());
        assert!(checked(&["one"], vec![measured("one", 1.0, 0.0)]).is_err());
        assert!(checked(&["one"], vec![measured("one", f64::NAN, 1.0)]).is_err());
    }
}
