//! `cargo xtask play`: builds the playground and serves it.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::build::{self, Mode, Product};
use crate::process::target;
use crate::serve::Server;
use crate::{bundle, setup};

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    port: u16,
    open: bool,
    debug: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            port: 8080,
            open: true,
            debug: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--port" => {
                    let port = args.next().context("--port needs a number")?;
                    options.port = port.parse().with_context(|| format!("--port {port}"))?;
                }
                "--no-open" => options.open = false,
                "--debug" => options.debug = true,
                other => bail!("play has no option {other:?}"),
            }
        }
        Ok(options)
    }
}

/// Runs the command; serves until the process is ended.
///
/// # Errors
/// When an option is wrong, the build fails, or the port is in use.
pub fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    let folder = target().join("play");
    std::fs::create_dir_all(&folder)?;
    // Before the build: whoever must choose another port should not wait a minute to hear it.
    drop(Server::bind(&folder, options.port)?);

    setup::run()?;
    let mode = if options.debug {
        Mode::Debug
    } else {
        Mode::Play
    };
    build::wasm(Product::Playground, mode)?;
    bundle::playground(&folder, mode)?;

    let server = Server::bind(&folder, options.port)?;
    let url = server.url()?;
    println!("Partita's playground: {url} (Ctrl-C ends it)");
    if options.open && !open(&url) {
        println!("No browser could be started: open that address in one.");
    }
    server.run();
    Ok(())
}

/// Asks the desktop to open `url`; says whether it took the request.
fn open(url: &str) -> bool {
    let (program, args): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command
        .args(args)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Options> {
        Options::parse(
            &args
                .split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn options() {
        assert_eq!(
            parse("").unwrap(),
            Options {
                port: 8080,
                open: true,
                debug: false
            }
        );
        let all = parse("--debug --no-open --port 0").unwrap();
        assert_eq!(
            all,
            Options {
                port: 0,
                open: false,
                debug: true
            }
        );
        for wrong in ["--port", "--port x", "--port 65536", "--open", "8081"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
