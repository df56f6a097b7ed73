//! Members come, go, freeze and die, and so does the broker, at random: in the end every record
//! that was sent has been processed by the group, and every partition has one owner.
#![allow(clippy::indexing_slicing, reason = "tests")]

use crate::sorted::SortedSet;

use super::world::{Id, World, with};
use super::*;

struct Turmoil {
    world: World,
    rng: Rng,
    assignors: Vec<Assignor>,
    partitions: i32,
    /// Members that were not told to go.
    here: Vec<Id>,
    everybody: Vec<Id>,
    /// How many there were in all: each static member has an id of its own.
    made: usize,
    sent: usize,
    /// What members that are gone had processed.
    seen: Vec<(String, String)>,
}

impl Turmoil {
    fn new(seed: u8) -> Self {
        let mut rng = Rng::new([seed; 32]);
        let families = [
            vec![Assignor::CooperativeSticky],
            vec![Assignor::CooperativeSticky],
            vec![Assignor::Sticky, Assignor::Range],
            vec![Assignor::Range],
            vec![Assignor::KafkaJsRoundRobin],
            vec![Assignor::RoundRobin, Assignor::CooperativeSticky],
        ];
        let family = usize::try_from(rng.below(6)).unwrap();
        let partitions = i32::try_from(1 + rng.below(4)).unwrap();
        Self {
            world: World::new(partitions),
            rng,
            assignors: families[family].clone(),
            partitions,
            here: Vec::new(),
            everybody: Vec::new(),
            made: 0,
            sent: 0,
            seen: Vec::new(),
        }
    }

    fn some_partition(&mut self) -> i32 {
        let count = u64::try_from(self.partitions).unwrap();
        i32::try_from(self.rng.below(count)).unwrap()
    }

    fn some_member(&mut self) -> Option<Id> {
        let count = u64::try_from(self.here.len()).unwrap();
        let at = usize::try_from(self.rng.below(count)).unwrap();
        self.here.get(at).copied()
    }

    fn send(&mut self) {
        let partition = self.some_partition();
        let value = format!("record {}", self.sent);
        self.sent += 1;
        self.world.send(partition, &[&value]);
    }

    fn join(&mut self) {
        let mut config = with(&self.assignors);
        self.made += 1;
        if self.rng.below(4) == 0 {
            config.group_instance_id = Some(format!("static {}", self.made));
        }
        let id = self.world.join(config);
        self.world.member(id).holds = self.rng.below(3) == 0;
        self.here.push(id);
        self.everybody.push(id);
    }

    fn step(&mut self) {
        let member = self.some_member();
        match (self.rng.below(20), member) {
            (0..=6, _) => self.send(),
            (7 | 8, _) if self.here.len() < 4 => self.join(),
            (9, Some(id)) => {
                self.here.retain(|it| *it != id);
                self.world.member(id).frozen = false;
                self.world.finish(id);
                self.world.member(id).holds = false;
                self.world
                    .command(id, |consumer, now| consumer.disconnect(now));
            }
            (10, Some(id)) => {
                self.here.retain(|it| *it != id);
                self.everybody.retain(|it| *it != id);
                let seen = std::mem::take(&mut self.world.member(id).seen);
                self.seen.extend(seen);
                self.world.kill(id);
            }
            (11, Some(id)) => {
                let member = self.world.member(id);
                member.frozen = !member.frozen;
            }
            (12, _) if !self.world.is_down() => self.world.crash_broker(),
            (12..=14, _) if self.world.is_down() => self.world.revive(),
            (15, Some(id)) => {
                let frozen = self.world.member(id).frozen;
                if !frozen {
                    self.world.finish(id);
                }
            }
            (16, Some(id)) if !self.world.member(id).frozen => {
                let name = tp(self.some_partition());
                // Never forward, so that nothing is passed over.
                let status = self.world.member(id).consumer.partition(&name);
                let processed = status.and_then(|it| it.processed.or(it.committed));
                if let Some(processed) = processed {
                    let back = processed.saturating_sub(2).max(0);
                    let to = SeekTo::Offset(back);
                    self.world
                        .command(id, |consumer, now| consumer.seek(now, &name, to));
                }
            }
            (17, _) if !self.world.is_down() && self.partitions < 6 => {
                self.partitions += 1;
                self.world.grow("t", self.partitions);
            }
            _ => {
                let millis = self.rng.below(6_000);
                self.world.pass(millis);
            }
        }
    }

    /// Calm: everybody who is there does what there is to do.
    fn end(&mut self) {
        if self.world.is_down() {
            self.world.revive();
        }
        if self.here.is_empty() {
            self.join();
        }
        for id in self.everybody.clone() {
            self.world.member(id).frozen = false;
            self.world.member(id).holds = false;
            self.world.finish(id);
        }
        let here = self.here.clone();
        self.world.until_stable(&here);
        self.world.until("the last acknowledgement", |world| {
            world.unacknowledged() == 0
        });
        let all: SortedSet<i32> = (0..self.partitions).collect();
        self.world.until("one owner for each partition", |world| {
            let owned = here.iter().flat_map(|id| world.owned(*id));
            let owned: Vec<_> = owned.collect();
            owned.len() == all.len() && all == owned.into_iter().collect()
        });
        self.world.pass(10_000);
        for id in &here {
            let crashes = self.world.member(*id).crashes();
            assert!(crashes.is_empty(), "{crashes:?}");
        }
        self.check_seen();
    }

    fn check_seen(&mut self) {
        let mut seen = std::mem::take(&mut self.seen);
        for id in self.everybody.clone() {
            seen.append(&mut self.world.member(id).seen);
        }
        let mut places = SortedMap::new();
        for (place, value) in seen {
            let before = places.insert(value.clone(), place.clone());
            assert!(before.is_none_or(|before| before == place), "{value} twice");
        }
        for sent in 0..self.sent {
            let value = format!("record {sent}");
            let summary = || self.world.summary();
            assert!(places.contains_key(&value), "no {value}: {}", summary());
        }
    }
}

#[test]
fn after_any_turmoil_everything_was_processed_and_everything_has_an_owner() {
    let only = std::env::var("TURMOIL_SEED").ok();
    let seeds: Vec<u8> = match only.and_then(|it| it.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..40).collect(),
    };
    for seed in seeds {
        let result = std::panic::catch_unwind(|| {
            let mut turmoil = Turmoil::new(seed);
            for _ in 0..60 {
                turmoil.step();
            }
            turmoil.end();
        });
        if let Err(panic) = result {
            // The seed is what is needed to see it again: TURMOIL_SEED.
            panic!("seed {seed}: {:?}", panic.downcast_ref::<String>());
        }
    }
}
