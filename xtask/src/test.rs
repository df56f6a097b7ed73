//! `cargo xtask test [STAGE…]`: every check and test, in stages.
//!
//! A failed stage does not stop the later ones (one run should say everything that is wrong), but
//! those that need it fail at once. The table at the end has each stage's result and seconds.
//!
//! To add a test there is nothing to do here: Rust tests are found by cargo, and files named
//! `tests/npm/*.test.mjs`, `tests/browser/*.spec.mjs`, `tests/firefox/*.test.mjs` and
//! `tests/clients/*.test.mjs` by their folder.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::build::Mode;
use crate::process::{self, cargo, command, root, target};
use crate::setup::{self, WASM_TARGET};
use crate::{dist, tidy, wasm_test};

/// One stage: a name, what must have passed before it, and what it does.
struct Stage {
    name: &'static str,
    needs: &'static [&'static str],
    /// What this machine does not have, without which the stage is left out.
    lacks: fn() -> Option<&'static str>,
    run: fn() -> Result<()>,
}

const STAGES: [Stage; 9] = [
    stage("setup", &[], setup::run),
    stage("lint", &["setup"], lint),
    stage("native", &["setup"], native),
    stage("sim", &["setup"], sim),
    stage("wasm", &["setup"], wasm),
    stage("dist", &["setup"], dist),
    stage("browser", &["setup", "dist"], browser),
    Stage {
        lacks: lacks_firefox,
        ..stage("firefox", &["setup", "dist"], firefox)
    },
    stage("clients", &["setup", "dist"], clients),
];

/// A stage that runs on every machine.
const fn stage(
    name: &'static str,
    needs: &'static [&'static str],
    run: fn() -> Result<()>,
) -> Stage {
    Stage {
        name,
        needs,
        lacks: || None,
        run,
    }
}

/// The modules of `tests/tests/it` that stage sim runs, as filters of their tests' paths.
const SIM_MODULES: [&str; 2] = ["sim::", "mutated::"];

/// How many seeds each of these tests runs there; `PARTITA_SEEDS` overrides it.
const SIM_SEEDS: &str = "3000";

/// Which seeds run as wasm too.
const SIM_WASM_SEEDS: &str = "0..50";

/// Which worlds of mutated frames do, of 2,000 frames each.
const SIM_WASM_WORLDS: &str = "0..25";

/// How many frames the broker gets there; `PARTITA_FRAMES` overrides it.
const SIM_FRAMES: &str = "1000000";

/// How a stage ended.
struct Outcome {
    stage: &'static str,
    took: Duration,
    lacks: Option<&'static str>,
    result: Result<()>,
}

/// Runs the stages named, or all.
///
/// # Errors
/// When a name is unknown, or a stage failed.
pub fn run(args: &[String]) -> Result<()> {
    if let Some(unknown) = args
        .iter()
        .find(|arg| !STAGES.iter().any(|s| s.name == arg.as_str()))
    {
        let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
        bail!("no stage {unknown:?}; there are: {}", names.join(", "));
    }
    let chosen = STAGES
        .iter()
        .filter(|s| args.is_empty() || args.iter().any(|a| a == s.name));
    let mut outcomes: Vec<Outcome> = Vec::new();
    for stage in chosen {
        println!("\n== {} ==", stage.name);
        let started = Instant::now();
        let broken = outcomes
            .iter()
            .find(|outcome| outcome.result.is_err() && stage.needs.contains(&outcome.stage));
        let lacks = (stage.lacks)();
        let result = match broken {
            Some(broken) => Err(anyhow::anyhow!(
                "needs stage {}, which failed",
                broken.stage
            )),
            None if lacks.is_some() => Ok(()),
            None => (stage.run)(),
        };
        if let Err(error) = &result {
            println!("{}: {error:#}", stage.name);
        }
        outcomes.push(Outcome {
            stage: stage.name,
            took: started.elapsed(),
            lacks,
            result,
        });
    }
    report(&outcomes)
}

fn report(outcomes: &[Outcome]) -> Result<()> {
    println!("\n{:<10} {:>8}  result", "stage", "seconds");
    let mut failed = 0;
    let mut left_out = 0;
    for outcome in outcomes {
        let seconds = outcome.took.as_secs_f64();
        match (&outcome.result, outcome.lacks) {
            (Ok(()), None) => println!("{:<10} {seconds:>8.1}  passed", outcome.stage),
            (Ok(()), Some(what)) => {
                left_out += 1;
                println!("{:<10} {seconds:>8.1}  left out: no {what}", outcome.stage);
            }
            (Err(error), _) => {
                failed += 1;
                println!("{:<10} {seconds:>8.1}  FAILED: {error}", outcome.stage);
            }
        }
    }
    let passed = outcomes.len() - failed - left_out;
    println!("stages: {passed} passed, {failed} failed, {left_out} left out");
    match failed {
        0 => Ok(()),
        _ => bail!("tests failed"),
    }
}

/// Every check, whatever the ones before it found: one run lists all there is to mend.
fn lint() -> Result<()> {
    let mut checks = vec![
        tidy::run(),
        process::run(cargo("fmt").args(["--all", "--check"])),
        clippy(&["--workspace", "--all-targets"]),
    ];
    // Each half of the core stands alone.
    for feature in ["broker", "client"] {
        let alone = [
            "-p",
            "partita-core",
            "--lib",
            "--no-default-features",
            "--features",
            feature,
        ];
        checks.push(clippy(&alone));
    }
    // Natively the hosts are all but empty; here is the rest of them.
    checks.push(clippy(&[
        "--target",
        WASM_TARGET,
        "-p",
        "partita-core",
        "--lib",
    ]));
    let hosts = ["-p", "partita-web", "-p", "partita-www"];
    let hosts = [&["--target", WASM_TARGET], hosts.as_slice()].concat();
    checks.push(clippy(&[hosts.as_slice(), &["--all-targets"]].concat()));
    checks.push(doc(&["-p", "partita-core"]));
    checks.push(doc(&hosts));
    let total = checks.len();
    let failed: Vec<_> = checks.into_iter().filter_map(Result::err).collect();
    for error in &failed {
        println!("{error:#}");
    }
    match failed.len() {
        0 => Ok(()),
        count => bail!("{count} of {total} checks failed"),
    }
}

fn clippy(args: &[&str]) -> Result<()> {
    process::run(cargo("clippy").args(args).args(["--", "-D", "warnings"]))
}

fn doc(args: &[&str]) -> Result<()> {
    let mut doc = cargo("doc");
    doc.args(["--no-deps", "--document-private-items"])
        .args(args);
    // These pages are read with the code: they may lead to what is private.
    process::run(doc.env(
        "RUSTDOCFLAGS",
        "-D warnings -A rustdoc::private_intra_doc_links",
    ))
}

fn native() -> Result<()> {
    process::run(cargo("test").arg("--workspace"))
}

/// What needs speed and every overflow check: the simulation and the mutated frames.
///
/// These tests run in stage native too, with the few seeds of their default.
fn sim() -> Result<()> {
    let mut sim = cargo("test");
    sim.args([
        "--profile",
        "sim",
        "-p",
        "partita-tests",
        "--test",
        "it",
        "--",
    ])
    .args(SIM_MODULES);
    let listed = process::output(sim.arg("--list"))?;
    if !listed.contains(": test") {
        bail!("there are no tests in {SIM_MODULES:?}");
    }
    let mut sim = cargo("test");
    sim.args([
        "--profile",
        "sim",
        "-p",
        "partita-tests",
        "--test",
        "it",
        "--",
    ])
    .args(SIM_MODULES);
    if std::env::var_os("PARTITA_SEEDS").is_none() {
        sim.env("PARTITA_SEEDS", SIM_SEEDS);
    }
    if std::env::var_os("PARTITA_FRAMES").is_none() {
        sim.env("PARTITA_FRAMES", SIM_FRAMES);
    }
    process::run(&mut sim)?;
    // The same seeds as wasm. The native program was built with the tests.
    let wasm = ["-p", "partita-tests", "--lib", "--crate-type", "cdylib"];
    process::run(
        cargo("rustc")
            .args(["--target", WASM_TARGET, "--profile", "sim"])
            .args(wasm),
    )?;
    let wasm = target().join(WASM_TARGET).join("sim/partita_tests.wasm");
    process::run(
        command("node")
            .arg("tests/sim/wasm.mjs")
            .arg(target().join("sim/sim"))
            .arg(wasm)
            .arg(SIM_WASM_SEEDS)
            .arg(SIM_WASM_WORLDS),
    )
}

fn wasm() -> Result<()> {
    process::run(cargo("test").args([
        "--target",
        WASM_TARGET,
        "-p",
        "partita-web",
        "-p",
        "partita-www",
    ]))
}

/// Builds both products and tries the npm package in Node.
fn dist() -> Result<()> {
    dist::build(Mode::Dist)?;
    node_tests("tests/npm", ".test.mjs", &[])
}

fn browser() -> Result<()> {
    node_tests("tests/browser", ".spec.mjs", &[])
}

fn lacks_firefox() -> Option<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::env::var_os("FIREFOX").is_some()
        || std::env::split_paths(&path)
            .any(|dir| dir.join("firefox").exists() || dir.join("firefox-esr").exists());
    (!installed).then_some("Firefox is installed (or named in FIREFOX)")
}

fn firefox() -> Result<()> {
    let mut tests = cargo("test");
    tests.args(["--target", WASM_TARGET, "-p", "partita-web", "--tests"]);
    process::run(tests.env(wasm_test::IN, "firefox"))?;
    node_tests("tests/firefox", ".test.mjs", &[wasm_test::NODE_WEBSOCKET])
}

fn clients() -> Result<()> {
    node_tests("tests/clients", ".test.mjs", &[])
}

/// Runs the test files of a folder, one after the other: they share two cores.
fn node_tests(folder: &str, suffix: &str, flags: &[&str]) -> Result<()> {
    let mut files = Vec::new();
    let path = root().join(folder);
    if !path.exists() {
        println!("no {folder} yet");
        return Ok(());
    }
    for entry in std::fs::read_dir(&path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(suffix) {
            files.push(format!("{folder}/{name}"));
        }
    }
    if files.is_empty() {
        bail!("{folder} has no *{suffix}");
    }
    files.sort();
    let mut tests = command("node");
    tests.args(flags);
    tests.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    // A file that hangs fails by name, before the whole command is ended.
    tests.arg("--test-timeout=600000");
    process::run(tests.args(files))
}
