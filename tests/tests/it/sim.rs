//! The simulation ([`partita_tests::sim`]) over many seeds: `PARTITA_SEED=17` runs one alone,
//! `PARTITA_SEEDS=3000` as many from 0, `PARTITA_SEEDS=5000..6000` those.

use std::process::Command;

use partita_core::testing::{Rule, break_rule};
use partita_tests::sim;

/// The seeds to run.
fn seeds() -> Vec<u64> {
    let variable = |name: &str| std::env::var(name).ok();
    let number = |text: &str| text.parse().expect("seeds are numbers");
    if let Some(seed) = variable("PARTITA_SEED") {
        return vec![number(&seed)];
    }
    let many = variable("PARTITA_SEEDS").unwrap_or_else(|| "60".to_owned());
    match many.split_once("..") {
        Some((from, to)) => (number(from)..number(to)).collect(),
        None => (0..number(&many)).collect(),
    }
}

/// DESIGN.md, "Invariants": nothing acknowledged is lost, nothing is seen that a crash takes back,
/// logs have no holes, offsets keep their order, a partition has one owner in a generation. Every
/// seed is run on both cores; the first one that fails is told.
#[test]
fn what_was_acknowledged_survives_every_fault() {
    let seeds = seeds();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(&seed) =
                    seeds.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    if let Err(panic) = std::panic::catch_unwind(|| sim::run(seed, None)) {
                        eprintln!(
                            "the simulation failed; this prints its steps: \
                             cargo run --profile sim -p partita-tests --bin sim -- --steps {seed}"
                        );
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}

/// The same seeds give the same steps in two processes: nothing depends on an address, on the order
/// of a map, on the time or on the machine.
#[test]
fn a_seed_decides_everything() {
    let run = || {
        let output = Command::new(env!("CARGO_BIN_EXE_sim"))
            .args(["--steps", "0..24"])
            .output();
        let output = output.expect("the program runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("it prints text")
    };
    let (one, other) = (run(), run());
    assert!(one.lines().count() > 10_000, "{one}");
    for (number, (one, other)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(one, other, "line {number}");
    }
    assert_eq!(one.len(), other.len());
}

/// A broker that breaks a rule, and what the simulation says then.
const BROKEN: [(Rule, &str); 11] = [
    (Rule::EpochsRise, "an opening began no leader epoch"),
    (Rule::AcknowledgedIsDurable, "and is not stored"),
    (Rule::StorageAnswersFirst, "the high watermark went back"),
    (Rule::NoHoles, "a hole in"),
    (Rule::ProducersAreKnown, "is out of sequence"),
    (Rule::CommitsAreOfTheGeneration, "was accepted"),
    (Rule::PendingIsRolledBack, "went back to the record"),
    (Rule::ReadersSeeDurableOffsets, "durable was"),
    (Rule::CommitsAreWritten, "it did not heal"),
    (Rule::SharesAreTheirs, "has two owners"),
    (Rule::RequestsAreAnswered, "it did not heal"),
];

/// Every check can fail: a broker that breaks one rule is found out within a few dozen seeds.
#[test]
fn a_broker_that_breaks_a_rule_is_found_out() {
    let mut unnoticed = Vec::new();
    for (rule, words) in BROKEN {
        let found = (0..60).find_map(|seed| {
            break_rule(Some(rule));
            let outcome = std::panic::catch_unwind(|| sim::run(seed, None));
            break_rule(None);
            let message = message(outcome.err()?.as_ref());
            message.contains(words).then_some((seed, message))
        });
        match found {
            Some((seed, message)) => println!("{rule:?}: seed {seed}: {message:.200}"),
            None => unnoticed.push(rule),
        }
    }
    assert!(unnoticed.is_empty(), "nobody notices {unnoticed:?}");
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()))
        .unwrap_or_default()
}
