//! Seeded simulation: a broker, its storage, producers, a consumer group, an administrator and the
//! network between them, in virtual time, with faults. A seed decides everything, so a failure
//! replays exactly: `cargo run --profile sim -p partita-tests --bin sim -- --steps 17` prints every
//! step.
//!
//! Faults: storage delays, fails writes and reads, has no room, loses answers; the broker crashes
//! and forgets everything after the last durable reply, or what it was not told of; another host
//! takes over; the broker or a member stands still while the others go on, or all of them at once;
//! connections drop, frames are late; members die without a word, leave, come back. Meanwhile topics
//! grow, lose records, are deleted and created again. Then everything heals, and what was promised
//! is checked.
//!
//! `world` moves time and frames, `client` are the simulated programs, `tap` listens at the broker's
//! door, `model` is what must hold, `journal` is what happened.

#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a simulation looks at some events only, and a failed check panics"
)]

mod client;
mod journal;
mod model;
mod tap;
mod world;

pub use journal::Listener;

use world::World;

/// How many partitions topics have to begin with.
const PARTITIONS: i32 = 3;

/// How a run ended, if nothing was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Of every step: its time, what happened, and what the broker put out.
    pub digest: u64,
    /// How many steps there were.
    pub steps: u64,
    /// How many records were acknowledged and how many delivered.
    pub records: (usize, usize),
}

/// Lives through the world of a seed. Panics when something is not as it must be. `listener` gets
/// every line of what happens.
#[must_use]
pub fn run(seed: u64, listener: Option<Listener>) -> Outcome {
    let mut world = World::new(seed, listener);
    world.live_through_faults();
    world.heal();
    world.check_the_end();
    world.outcome()
}

/// For Node: the same steps as wasm as natively.
#[cfg(target_arch = "wasm32")]
mod exports {
    #[unsafe(no_mangle)]
    extern "C" fn simulate(seed: u64) -> u64 {
        super::run(seed, None).digest
    }
}
