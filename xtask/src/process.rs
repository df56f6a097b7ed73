//! Other programs: how they are started, shown, bounded in time, and found.
//!
//! A command is echoed before it runs, so that a log shows what to repeat by hand. A command that
//! passes its limit is ended: a hung browser must not take a whole CI run with it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// No single command of a build or a test may take longer.
const LIMIT: Duration = Duration::from_secs(25 * 60);

/// The repository's root.
pub fn root() -> PathBuf {
    // `cargo run` sets this when it runs xtask; the compiled-in path serves a bare start.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map_or(manifest.clone(), Path::to_path_buf)
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Whether this is a CI run: nothing may be skipped, and lock files must be up to date.
pub fn ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// A command that starts in the repository's root.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// `cargo SUBCOMMAND`, by the cargo that runs xtask.
pub fn cargo(subcommand: &str) -> Command {
    let mut command = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand);
    if ci() && subcommand != "fmt" {
        command.arg("--locked");
    }
    command
}

/// `node SCRIPT`, for a script of an npm package or of our own.
pub fn node(script: impl AsRef<OsStr>) -> Command {
    let mut command = command("node");
    command.arg(script);
    command
}

/// Runs a command to its end, showing its output.
///
/// # Errors
/// When it cannot be started, fails, or passes the limit.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    println!("$ {shown}");
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > LIMIT {
            end(&mut child);
            bail!("`{shown}` was ended after {} minutes", LIMIT.as_secs() / 60);
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Runs a command quietly and returns what it printed.
///
/// # Errors
/// When it cannot be started or fails; the error carries what it wrote to its standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "`{}` failed: {}\n{}",
            show(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Ends a child and waits for it.
pub fn end(child: &mut Child) {
    // It may have ended by itself in the meantime; either way it is gone after the wait.
    if child.kill().is_ok()
        && let Err(error) = child.wait()
    {
        eprintln!("warning: {error}");
    }
}

/// The command as one would type it in the root.
fn show(command: &Command) -> String {
    let root = format!("{}/", root().display());
    let program = Path::new(command.get_program());
    let program = match program.file_stem() {
        Some(stem) if stem == "cargo" => Path::new(stem),
        _ => program,
    };
    let words = std::iter::once(program.as_os_str()).chain(command.get_args());
    let words: Vec<String> = words
        .map(|word| word.display().to_string().replace(&root, ""))
        .collect();
    words.join(" ")
}
