//! The runner of `cargo test --target wasm32-unknown-unknown`: tests in a real, headless Chromium.
//!
//! wasm-bindgen's own runner prepares the test page and serves it; `tests/browser/wasm-tests.mjs`
//! opens it with playwright-core, as all browser tests do, so no WebDriver has to be installed; with
//! `PARTITA_TESTS_IN=firefox`, `tests/firefox/wasm-tests.mjs` does.
//! Two processes, because the server never ends by itself: this one reads what the other prints,
//! starts the browser when the page is up, and passes the verdict on.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::process::{end, node, root};
use crate::setup;

/// The command of the process that serves.
pub const SERVER: &str = "test-server";

/// The variable that says in which browser.
pub const IN: &str = "PARTITA_TESTS_IN";

/// Node 20 has the WebSocket by which Firefox is told what to do, but not by default.
pub const NODE_WEBSOCKET: &str = "--experimental-websocket";

/// What wasm-bindgen's runner prints when it serves instead of driving a browser itself.
const READY: &str = "Interactive browsers tests are now available at ";

/// Runs the tests of one wasm file; `args` are the file and what `cargo test` passes on.
///
/// # Errors
/// When a test fails, or the browser cannot be started.
pub fn run(mut args: Vec<String>) -> Result<()> {
    // `cargo test -q` passes this on to a runner that does not know it.
    args.retain(|arg| arg != "--quiet" && arg != "-q");
    setup::run()?;

    // A free port; that another process takes it in between would show as an error, not as a pass.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut server = Command::new(std::env::current_exe()?)
        .arg(SERVER)
        .args(&args)
        .env("NO_HEADLESS", "1")
        .env("WASM_BINDGEN_TEST_ADDRESS", address.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = server.stdout.take().context("the server has no output")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        if let Some(url) = line.strip_prefix(READY) {
            let browser = browser().arg(url).status();
            end(&mut server);
            return match browser?.success() {
                true => Ok(()),
                false => bail!("wasm tests failed"),
            };
        }
        println!("{line}");
    }
    // Tests that run in Node, or none at all: the runner has done everything itself.
    match server.wait()?.success() {
        true => Ok(()),
        false => bail!("wasm tests failed"),
    }
}

/// What opens a page of tests.
fn browser() -> Command {
    if std::env::var_os(IN).is_none_or(|browser| browser != "firefox") {
        return node(root().join("tests/browser/wasm-tests.mjs"));
    }
    let mut firefox = node(NODE_WEBSOCKET);
    firefox.arg(root().join("tests/firefox/wasm-tests.mjs"));
    firefox
}

/// Runs wasm-bindgen's runner in this process.
///
/// # Errors
/// What it reports.
pub fn serve(args: Vec<String>) -> Result<()> {
    let program = OsString::from("wasm-bindgen-test-runner");
    let args = std::iter::once(program).chain(args.into_iter().map(OsString::from));
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(args)
}
