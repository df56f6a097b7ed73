//! Runs simulated worlds and prints the digest of each: `sim [--steps] SEED…`. A seed can be a range,
//! `0..24`. With `--steps` every step is printed before. With `--frames` they are the worlds of mutated
//! frames, of which the answers make the digest.

use partita_tests::mutated;
use partita_tests::sim::{self, Listener};

#[allow(clippy::print_stdout, reason = "a program for a terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut listener: Option<Listener> = None;
    let mut frames = false;
    for argument in std::env::args().skip(1) {
        if argument == "--steps" {
            listener = Some(|line| println!("{line}"));
            continue;
        }
        if argument == "--frames" {
            frames = true;
            continue;
        }
        let seeds: Vec<u64> = match argument.split_once("..") {
            Some((from, to)) => (from.parse()?..to.parse()?).collect(),
            None => vec![argument.parse()?],
        };
        for seed in seeds {
            let digest = match frames {
                true => mutated::run(seed),
                false => sim::run(seed, listener).digest,
            };
            println!("{seed} {digest:016x}");
        }
    }
    Ok(())
}
