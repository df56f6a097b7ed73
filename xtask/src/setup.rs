//! Installs what is missing: the wasm target and the locked npm packages.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::process::{self, command, output, root};

/// The target of everything that runs in a page or in Node.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The oldest Node that the tools and the tests run on.
const NODE_MAJOR: u32 = 20;

/// Makes sure that a build can run.
///
/// # Errors
/// When Node is missing or too old, or an installation fails.
pub fn run() -> Result<()> {
    wasm_target()?;
    node_version()?;
    npm_packages()
}

fn wasm_target() -> Result<()> {
    let libdir =
        output(command("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))?;
    if Path::new(libdir.trim()).is_dir() {
        return Ok(());
    }
    process::run(command("rustup").args(["target", "add", WASM_TARGET]))
        .with_context(|| format!("Rust's target {WASM_TARGET} is missing"))
}

fn node_version() -> Result<()> {
    let version = output(command("node").arg("--version"))
        .with_context(|| format!("Node {NODE_MAJOR} or newer is needed"))?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= NODE_MAJOR => Ok(()),
        _ => bail!(
            "Node {NODE_MAJOR} or newer is needed, this is {}",
            version.trim()
        ),
    }
}

/// `npm ci`, unless what is installed already is what the lock file says.
fn npm_packages() -> Result<()> {
    let lock = std::fs::read_to_string(root().join("package-lock.json"))?;
    // In node_modules, so that whoever removes that folder removes the stamp too.
    let stamp = root().join("node_modules").join(".partita-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    process::run(command("npm").args(["ci", "--no-audit", "--no-fund"]))?;
    std::fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}
