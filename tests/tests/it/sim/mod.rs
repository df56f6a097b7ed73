//! Seeded simulation: a broker, its storage, producers, a consumer group and the network between
//! them, in virtual time, with faults. A seed decides everything, so a failure replays exactly:
//! `PARTITA_SEED=17 cargo test -p partita-tests sim::`.
//!
//! Faults: storage delays, fails writes and reads, loses answers; the broker crashes and forgets
//! everything after the last durable reply; connections drop; consumers die without a word; the
//! broker's machine sleeps. Then everything heals, and what was promised is checked.
//!
//! `world` moves time and frames, `client` are the simulated programs, `model` is what must hold.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a simulation looks at some events only"
)]

mod client;
mod model;
mod world;

use world::World;

/// The seeds to run: `PARTITA_SEED` for one, else `PARTITA_SEEDS` many from 0.
fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("PARTITA_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("PARTITA_SEEDS").unwrap_or(60)).collect(),
    }
}

/// Runs every seed on both cores; panics with the first one that fails.
fn run_seeds(run: fn(u64)) {
    let seeds = seeds();
    let half = seeds.len().div_ceil(2).max(1);
    std::thread::scope(|scope| {
        for part in seeds.chunks(half) {
            scope.spawn(move || {
                for &seed in part {
                    let outcome = std::panic::catch_unwind(|| run(seed));
                    if let Err(panic) = outcome {
                        eprintln!(
                            "the simulation failed; this replays it: PARTITA_SEED={seed} cargo test \
                             --profile sim -p partita-tests --test it -- sim::what"
                        );
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}

/// DESIGN.md, "Invariants": nothing acknowledged is lost, nothing is seen that a crash takes back,
/// logs have no holes, offsets keep their order, a partition has one owner in a generation.
#[test]
fn what_was_acknowledged_survives_every_fault() {
    run_seeds(|seed| {
        let mut world = World::new(seed);
        world.live_through_faults();
        world.heal();
        world.check_the_end();
    });
}

/// The same seed gives the same run, event by event: two worlds side by side.
#[test]
fn a_seed_decides_everything() {
    for seed in 0..4 {
        let run = || {
            let mut world = World::new(seed);
            world.live_through_faults();
            world.heal();
            world.fingerprint()
        };
        assert_eq!(run(), run(), "seed {seed}");
    }
}
