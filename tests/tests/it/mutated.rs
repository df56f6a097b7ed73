//! A whole broker and frames that nobody should send. `PARTITA_FRAMES` says how many there are in
//! all, and `PARTITA_SEED` runs one world alone.

use partita_tests::mutated::{self, WORLD};

/// How many there are without `PARTITA_FRAMES`: as many worlds as take a few seconds.
const FRAMES: usize = 20_000;

#[test]
fn the_broker_outlives_a_million_frames() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let worlds = number("PARTITA_FRAMES").unwrap_or(FRAMES).div_ceil(WORLD);
    let seeds: Vec<u64> = match number("PARTITA_SEED") {
        Some(seed) => vec![u64::try_from(seed).unwrap()],
        None => (0..u64::try_from(worlds).unwrap()).collect(),
    };
    let half = seeds.len().div_ceil(2).max(1);
    std::thread::scope(|scope| {
        for part in seeds.chunks(half) {
            scope.spawn(move || {
                for &seed in part {
                    if let Err(panic) = std::panic::catch_unwind(|| mutated::run(seed)) {
                        eprintln!(
                            "this replays it: PARTITA_SEED={seed} cargo test --profile sim \
                             -p partita-tests --test it -- mutated::"
                        );
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}
