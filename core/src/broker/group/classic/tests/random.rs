//! Random lives: whatever happens to a group, its invariants hold and nobody is left waiting.

use super::super::{Leaver, State};
use super::{Driver, TimerKey, protocols};
use crate::protocol::ErrorCode;

/// A small generator: the lives must be the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, names: &[&'a str]) -> &'a str {
        names[usize::try_from(self.roll(names.len() as u64)).unwrap()]
    }
}

/// Names of dynamic members; those of static ones tell the instance and the incarnation.
const NAMES: &[&str] = &["a", "b", "c", "d"];
const INSTANCES: &[&str] = &["one", "two"];
const OFFERS: &[&[&str]] = &[
    &["range"],
    &["range", "roundrobin"],
    &["roundrobin", "range"],
];

fn step(driver: &mut Driver, dice: &mut Dice, sent: &mut Vec<u64>) {
    let generation = match dice.roll(8) {
        0 => driver.group.generation.wrapping_sub(1),
        _ => driver.group.generation,
    };
    let everyone: Vec<String> = driver.names().iter().map(|&name| name.to_owned()).collect();
    let names: Vec<&str> = everyone
        .iter()
        .map(String::as_str)
        .chain(["a", "nobody"])
        .collect();
    match dice.roll(16) {
        0..=3 => {
            let name = dice.pick(NAMES);
            let mut join = driver.a_join(name);
            join.protocols = protocols(OFFERS[usize::try_from(dice.roll(3)).unwrap()]);
            join.id_required = dice.roll(2) == 0;
            sent.push(join.request.number);
            driver.send(join);
        }
        4 => {
            let instance = dice.pick(INSTANCES);
            let name = format!("{instance}-{}", dice.roll(1_000_000));
            let mut join = driver.a_join(&name);
            join.instance_id = Some(instance.to_owned());
            join.can_skip_assignment = dice.roll(2) == 0;
            sent.push(join.request.number);
            driver.send(join);
        }
        5..=8 => {
            let request = driver.sync(dice.pick(&names), generation);
            sent.push(request);
        }
        9 => {
            driver.heartbeat(dice.pick(&names), generation).ok();
        }
        10 => {
            driver.commit(dice.pick(&names), generation).ok();
        }
        11 => {
            let by_instance = Leaver {
                member_id: String::new(),
                instance_id: Some(dice.pick(INSTANCES).to_owned()),
            };
            if dice.roll(2) == 0 {
                driver.leave_as(&[by_instance]);
            } else {
                driver.leave(&[dice.pick(&names)]);
            }
        }
        12..=13 => {
            let armed: Vec<TimerKey> = driver.timers.keys().cloned().collect();
            if let Some(last) = armed.len().checked_sub(1) {
                let at = usize::try_from(dice.roll(last as u64 + 1)).unwrap();
                driver.expire(&armed[at]);
            }
        }
        _ => {
            if !driver.writes.is_empty() {
                let failed = dice.roll(4) == 0;
                driver.written(if failed {
                    Err(ErrorCode::NOT_COORDINATOR)
                } else {
                    Ok(())
                });
            }
        }
    }
}

/// The driver itself checks the group's invariants at each step, and that nobody is told twice.
#[test]
fn a_group_keeps_its_word_whatever_happens() {
    let mut seen = crate::sorted::SortedSet::new();
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let mut driver = Driver::new();
        let mut sent = Vec::new();
        for _ in 0..150 {
            step(&mut driver, &mut dice, &mut sent);
            seen.insert(driver.group.state);
            // A group that rebalances or assigns has a timer that ends it.
            match driver.group.state {
                State::PreparingRebalance => assert!(driver.timers.contains_key(&TimerKey::Join)),
                State::CompletingRebalance => assert!(
                    driver.timers.contains_key(&TimerKey::Sync) || !driver.writes.is_empty(),
                    "seed {seed}"
                ),
                State::Empty | State::Stable | State::Dead => {}
            }
        }
        driver.run(|group, settings, out| group.die(settings.now, out));
        for request in sent {
            assert!(
                driver.answers.contains_key(&request),
                "seed {seed}, request {request}"
            );
        }
    }
    let states = [
        State::Empty,
        State::PreparingRebalance,
        State::CompletingRebalance,
        State::Stable,
    ];
    assert!(seen.iter().eq(states.iter()), "every state was seen");
}
