//! `cargo xtask play | test | dist | bench`: the only build tool anyone must know.
//!
//! Everything else it needs it installs (the wasm target, the locked npm packages), so that a fresh
//! clone needs Rust, Node and, for the tests, a Chromium. Each command lives in the module of its
//! name; the modules they share are [`build`] (Rust to wasm), [`bundle`] (TypeScript to the two
//! products), [`serve`] (static files over HTTP) and [`process`] (other programs).

mod bench;
mod build;
mod bundle;
mod dist;
mod play;
mod process;
mod serve;
mod setup;
mod test;
mod tidy;
mod wasm_test;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  play [--port N] [--no-open] [--debug]   build the playground and serve it
  test [STAGE...]                         every check and test, or only the stages named
  dist [--debug]                          build dist/playground and dist/npm
  bench [--quick] [NAME...]               measure, and write target/bench.json

play serves on http://127.0.0.1:8080 (--port 0: any free port) and opens a browser there.
--debug builds faster, with function names in stack traces and without size optimisation.
";

fn main() {
    if let Err(error) = run() {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn run() -> Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.is_empty() {
        bail!("no command\n\n{USAGE}");
    }
    let command = args.remove(0);
    match command.as_str() {
        "play" => play::run(&args),
        "test" => test::run(&args),
        "dist" => dist::run(&args),
        "bench" => bench::run(&args),
        // cargo's runner for wasm32 (`.cargo/config.toml`), and the half of it that serves.
        "test-runner" => wasm_test::run(args),
        wasm_test::SERVER => wasm_test::serve(args),
        "help" | "-h" | "--help" => {
            print!("{USAGE}");
            Ok(())
        }
        other => bail!("no command {other:?}\n\n{USAGE}"),
    }
}
