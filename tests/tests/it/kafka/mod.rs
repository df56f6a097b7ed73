//! The same frames to Apache Kafka 4.3.1 and to us.
//!
//! Each suite asks a broker many things, one request after the other, and writes down every field
//! of every answer. What Kafka answered lies in `answers/`, a line for each answer; we must answer
//! the same, but for what [`differences`] lists with a reason. A difference that is not listed
//! fails, and so does one that is listed and is none any more.
//!
//! `PARTITA_KAFKA=HOST:PORT cargo test -p partita-tests --test it -- --ignored kafka::record`
//! asks the Kafka at that address and writes its answers down again; with `PARTITA_SUITES=fetch,…`
//! only some suites. CONTRIBUTING.md says how that Kafka has to be started.

mod batches;
mod cluster;
mod commits;
mod compare;
mod configs;
mod differences;
mod fetch;
mod group_admin;
mod groups;
mod list_offsets;
mod members;
mod peer;
mod produce;
mod rebalances;
mod records;
mod scribe;
mod sessions;
mod stand_ins;
mod topics;

use peer::Peer;
use scribe::{Answer, Scribe};

/// Questions that belong together.
struct Suite {
    name: &'static str,
    ask: fn(&mut Scribe),
    recorded: &'static str,
}

macro_rules! suites {
    ($($name:ident),* $(,)?) => {
        const SUITES: &[Suite] = &[$(Suite {
            name: stringify!($name),
            ask: $name::ask,
            recorded: include_str!(concat!("answers/", stringify!($name), ".txt")),
        }),*];

        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*
    };
}

suites!(
    produce,
    batches,
    fetch,
    sessions,
    list_offsets,
    commits,
    groups,
    rebalances,
    group_admin,
    topics,
    configs,
    cluster,
);

/// Everything a peer answers to a suite's questions.
fn answers(suite: &Suite, peer: Peer) -> Vec<Answer> {
    let mut scribe = Scribe::new(peer);
    (suite.ask)(&mut scribe);
    let answers = scribe.answers;
    for (at, answer) in answers.iter().enumerate() {
        let before = &answers[..at];
        let twice = |other: &Answer| other.what == answer.what && other.version == answer.version;
        assert!(!before.iter().any(twice), "asked twice: {answer:?}");
    }
    answers
}

fn check(name: &str) {
    let suite = SUITES.iter().find(|suite| suite.name == name).unwrap();
    let ours = answers(suite, Peer::ours());
    let faults = compare::faults(suite.name, suite.recorded, &ours);
    assert!(
        faults.is_empty(),
        "{} answers are not as they should be:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Records what the Kafka at `PARTITA_KAFKA` answers, all suites or those that `PARTITA_SUITES`
/// names. Each is asked three times: an answer that changes from run to run would be a test that
/// sometimes fails.
#[test]
#[ignore = "asks a real Kafka and overwrites its recorded answers"]
fn record() {
    let address = std::env::var("PARTITA_KAFKA").expect("set PARTITA_KAFKA=HOST:PORT");
    let wanted = std::env::var("PARTITA_SUITES").ok();
    let wanted: Option<Vec<&str>> = wanted.as_ref().map(|names| names.split(',').collect());
    for suite in SUITES {
        if wanted
            .as_ref()
            .is_some_and(|names| !names.contains(&suite.name))
        {
            continue;
        }
        let ask = || Scribe::lines(&answers(suite, Peer::kafka(&address)));
        let lines = ask();
        for _ in 0..2 {
            let again = ask();
            for (line, again) in lines.lines().zip(again.lines()) {
                assert_eq!(line, again, "answers vary from run to run");
            }
            assert_eq!(lines, again);
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/kafka/answers");
        std::fs::write(format!("{folder}/{}.txt", suite.name), lines).unwrap();
    }
}
