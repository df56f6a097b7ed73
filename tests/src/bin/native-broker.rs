//! Runs the engine natively behind a loopback port: `native-broker [PORT] [NAME=VALUE]…`.

use std::io::Read as _;

use partita_core::broker::BrokerConfig;
use partita_tests::native::NativeBroker;

#[allow(clippy::print_stdout, reason = "a program for a terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut port = 0;
    let mut config = BrokerConfig::default();
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some((name, value)) => config.set(name, value)?,
            None => port = argument.parse()?,
        }
    }
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let broker = NativeBroker::start(config, port, seed)?;
    println!("listening on {}", broker.address);
    std::thread::park();
    Ok(())
}
