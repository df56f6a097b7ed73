//! Whole workflows on a real broker, in virtual time.
#![allow(clippy::indexing_slicing, reason = "tests")]

use super::world::{World, lively, with};
use super::*;

fn sorted(mut values: Vec<&str>) -> Vec<String> {
    values.sort_unstable();
    values.into_iter().map(str::to_owned).collect()
}

#[test]
fn publish_and_subscribe_every_group_gets_everything_in_order() {
    let mut world = World::new(2);
    let in_group = |name: &str| ConsumerConfig {
        group_id: Some(name.to_owned()),
        ..lively()
    };
    let first = world.join(in_group("one"));
    let second = world.join(in_group("two"));
    world.send(0, &["a", "b"]);
    world.send(1, &["x"]);
    world.send(0, &["c"]);
    world.until("all records", |world| {
        world.member(first).seen.len() == 4 && world.member(second).seen.len() == 4
    });
    for id in [first, second] {
        let seen = &world.member(id).seen;
        let of_0 = seen.iter().filter(|(place, _)| place.starts_with("t-0"));
        let of_0: Vec<_> = of_0
            .map(|(place, value)| format!("{place} {value}"))
            .collect();
        assert_eq!(of_0, ["t-0@0 a", "t-0@1 b", "t-0@2 c"]);
    }
    // Who comes later goes on where its group stands.
    world.pass(1_000);
    world.command(first, |consumer, now| consumer.stop(now));
    world.send(1, &["y"]);
    let third = world.join(in_group("one"));
    world.until("the last record", |world| {
        !world.member(third).seen.is_empty()
    });
    assert_eq!(
        world.member(third).seen,
        [("t-1@1".to_owned(), "y".to_owned())]
    );
}

#[test]
fn a_group_shares_and_who_is_too_many_waits_until_one_dies() {
    let mut world = World::new(2);
    let mut config = lively();
    config.auto_commit.interval_ms = Some(2_000);
    let a = world.join(config.clone());
    let b = world.join(config.clone());
    world.until_stable(&[a, b]);
    assert_eq!([world.owned(a).len(), world.owned(b).len()], [1, 1]);
    let c = world.join(config);
    world.until_stable(&[a, b, c]);
    let owned = [world.owned(a), world.owned(b), world.owned(c)];
    let idle = [a, b, c].into_iter().find(|id| world.owned(*id).is_empty());
    let idle = idle.unwrap();
    assert_eq!(owned.concat().len(), 2);
    let busy = [a, b, c].into_iter().find(|id| *id != idle).unwrap();
    let partition = world.owned(busy)[0];
    world.send(partition, &["done"]);
    world.pass(1_000);
    assert_eq!(world.member(busy).values(), ["done"]);
    // Processed but not committed when it dies: the next owner sees it again.
    world.send(partition, &["again"]);
    world.pass(100);
    assert_eq!(world.member(busy).values(), ["done", "again"]);
    world.kill(busy);
    world.send(partition, &["new"]);
    world.pass(9_000);
    assert!(world.owned(idle).is_empty());
    world.until("the new owner", |world| !world.owned(idle).is_empty());
    world.pass(1_000);
    let rest: Vec<_> = [a, b, c].into_iter().filter(|id| *id != busy).collect();
    world.until_stable(&rest);
    let mut all = Vec::new();
    for id in rest {
        all.extend(world.member(id).values().into_iter().map(str::to_owned));
    }
    assert_eq!(all, ["again", "new"]);
}

#[test]
fn leaving_hands_over_without_loss_or_repetition() {
    let mut world = World::new(2);
    let a = world.join(lively());
    let b = world.join(lively());
    world.until_stable(&[a, b]);
    world.send(0, &["0"]);
    world.send(1, &["1"]);
    world.pass(50);
    world.command(a, |consumer, now| consumer.stop(now));
    world.until("the rest for the other", |world| world.owned(b) == [0, 1]);
    world.send(0, &["2"]);
    world.send(1, &["3"]);
    world.pass(1_000);
    let mut all: Vec<_> = world
        .member(a)
        .values()
        .into_iter()
        .map(str::to_owned)
        .collect();
    all.extend(world.member(b).values().into_iter().map(str::to_owned));
    all.sort();
    assert_eq!(all, ["0", "1", "2", "3"]);
    assert_eq!(world.member(a).consumer.state(), ConsumerState::Idle);
}

#[test]
fn cooperative_members_keep_consuming_while_the_group_rebalances() {
    let mut world = World::new(4);
    let config = with(&[Assignor::CooperativeSticky]);
    let a = world.join(config.clone());
    world.until_stable(&[a]);
    assert_eq!(world.owned(a), [0, 1, 2, 3]);
    let b = world.join(config.clone());
    world.until_stable(&[a, b]);
    let (of_a, of_b) = (world.owned(a), world.owned(b));
    assert_eq!([of_a.len(), of_b.len()], [2, 2]);
    // The one that keeps its partitions never gave them up.
    let events = &world.member(a).events;
    let revoked: Vec<i32> = events
        .iter()
        .filter_map(|event| match event {
            ConsumerEvent::Revoked { partitions } => Some(partitions),
            _ => None,
        })
        .flatten()
        .map(|it| it.partition)
        .collect();
    assert_eq!(revoked, of_b);
    // While the coordinator waits for a member that says nothing, the other goes on.
    world.member(b).frozen = true;
    let c = world.join(config);
    world.pass(3_500);
    assert_eq!(world.member(a).consumer.state(), ConsumerState::Joining);
    world.send(of_a[0], &["meanwhile"]);
    assert_eq!(world.member(a).values(), ["meanwhile"]);
    world.until("the group without the silent one", |world| {
        world.owned(a).len() + world.owned(c).len() == 4
    });
    world.until_stable(&[a, c]);
}

#[test]
fn a_member_that_was_frozen_loses_its_partitions_and_comes_back() {
    let mut world = World::new(2);
    let a = world.join(lively());
    let b = world.join(lively());
    world.until_stable(&[a, b]);
    world.member(a).frozen = true;
    world.until("everything for the other", |world| world.owned(b) == [0, 1]);
    world.member(a).frozen = false;
    world.member(a).events.clear();
    world.pass(100);
    let lost = |event: &ConsumerEvent| matches!(event, ConsumerEvent::Lost { .. });
    assert!(world.member(a).events.iter().any(lost));
    world.until_stable(&[a, b]);
    assert_eq!([world.owned(a).len(), world.owned(b).len()], [1, 1]);
}

#[test]
fn seeks_and_pauses_act_soon_beside_a_long_poll() {
    let mut world = World::new(2);
    let a = world.join(lively());
    world.send(0, &["0", "1", "2"]);
    world.until("three records", |world| world.member(a).seen.len() == 3);
    world.pass(100);
    // A long poll of five seconds is under way.
    world.command(a, |consumer, now| {
        consumer.seek(now, &tp(0), SeekTo::Offset(1))
    });
    assert_eq!(world.member(a).values(), ["0", "1", "2", "1", "2"]);
    world.command(a, |consumer, now| {
        consumer.seek(now, &tp(0), SeekTo::Beginning)
    });
    // The question where that is waits for the brief fetch.
    world.pass(250);
    assert_eq!(world.member(a).seen.len(), 8);
    world.command(a, |consumer, _| consumer.pause("t", Some(&[0])));
    world.send(0, &["3"]);
    world.pass(10_000);
    assert_eq!(world.member(a).seen.len(), 8);
    world.send(1, &["other"]);
    assert_eq!(world.member(a).values().last(), Some(&"other"));
    world.command(a, |consumer, now| consumer.resume(now, "t", None));
    assert_eq!(world.member(a).values().last(), Some(&"3"));
    let times = world.harness.now().wall.0;
    world.pass(1_000);
    world.send(0, &["late"]);
    world.member(a).seen.clear();
    let to = SeekTo::Timestamp(times + 1);
    world.command(a, |consumer, now| consumer.seek(now, &tp(0), to));
    world.pass(250);
    assert_eq!(world.member(a).values(), ["late"]);
    world.command(a, |consumer, now| consumer.seek(now, &tp(0), SeekTo::End));
    world.pass(300);
    assert_eq!(world.member(a).values(), ["late"]);
}

#[test]
fn after_an_outage_everything_goes_on_where_it_was() {
    let mut world = World::new(2);
    let a = world.join(lively());
    let b = world.join(lively());
    world.until_stable(&[a, b]);
    world.send(0, &["0"]);
    world.send(1, &["1"]);
    world.pass(1_000);
    let generation = world.member(a).consumer.generation();
    world.crash_broker();
    world.pass(4_000);
    world.revive();
    world.send(0, &["2"]);
    world.send(1, &["3"]);
    world.until("the new records", |world| {
        world.member(a).seen.len() + world.member(b).seen.len() == 4
    });
    world.pass(20_000);
    // The members were kept, so nobody had to rejoin.
    assert_eq!(world.member(a).consumer.generation(), generation);
    assert_eq!(world.member(b).consumer.generation(), generation);
    let mut all = Vec::new();
    for id in [a, b] {
        assert!(world.member(id).crashes().is_empty());
        all.extend(world.member(id).values().into_iter().map(str::to_owned));
    }
    all.sort();
    assert_eq!(all, ["0", "1", "2", "3"]);
}

#[test]
fn an_outage_beyond_all_retries_crashes_and_a_restart_goes_on_at_the_committed_offset() {
    let mut world = World::new(1);
    let config = ConsumerConfig {
        retry: RetryConfig::default(),
        ..lively()
    };
    let a = world.join(config);
    world.send(0, &["0", "1"]);
    world.pass(2_000);
    world.crash_broker();
    world.until("a crash", |world| !world.member(a).crashes().is_empty());
    world.command(a, |consumer, now| consumer.stop(now));
    world.until("the end", |world| {
        world.member(a).consumer.state() == ConsumerState::Idle
    });
    world.revive();
    world.command(a, |consumer, now| consumer.start(now));
    world.send(0, &["2"]);
    world.until("the new record", |world| world.member(a).seen.len() == 3);
    assert_eq!(world.member(a).values(), ["0", "1", "2"]);
}

#[test]
fn a_rolling_restart_loses_and_repeats_nothing() {
    for assignor in Assignor::ALL {
        let mut world = World::new(6);
        let mut members: Vec<_> = (0..3).map(|_| world.join(with(&[assignor]))).collect();
        world.until_stable(&members);
        let mut everybody = members.clone();
        for round in 0..3 {
            for partition in 0..6 {
                world.send(partition, &[&format!("{round} before {partition}")]);
            }
            world.pass(100);
            let leaving = members.remove(0);
            world.command(leaving, |consumer, now| consumer.disconnect(now));
            for partition in 0..6 {
                world.send(partition, &[&format!("{round} between {partition}")]);
            }
            world.pass(500);
            let coming = world.join(with(&[assignor]));
            members.push(coming);
            everybody.push(coming);
            world.until_stable(&members);
        }
        world.pass(2_000);
        let mut seen = Vec::new();
        for id in everybody {
            seen.extend(world.member(id).values().into_iter().map(str::to_owned));
        }
        seen.sort();
        let mut sent: Vec<_> = world
            .acknowledged
            .iter()
            .map(|(_, it)| it.clone())
            .collect();
        sent.sort();
        assert_eq!(seen, sent, "{assignor:?}");
    }
}

#[test]
fn the_group_uses_an_assignor_that_all_have() {
    let mut world = World::new(3);
    let a = world.join(with(&[Assignor::Range, Assignor::RoundRobin]));
    world.until_stable(&[a]);
    assert_eq!(world.member(a).consumer.protocol(), "range");
    let b = world.join(with(&[Assignor::RoundRobin, Assignor::KafkaJsRoundRobin]));
    world.until_stable(&[a, b]);
    assert_eq!(world.member(a).consumer.protocol(), "roundrobin");
    assert_eq!(world.owned(a).len() + world.owned(b).len(), 3);
    let c = world.join(with(&[Assignor::KafkaJsRoundRobin]));
    world.pass(1_000);
    let crashes = world.member(c).crashes();
    let code = crashes[0].error_code();
    assert_eq!(code, Some(ErrorCode::INCONSISTENT_GROUP_PROTOCOL));
    // A member that can be cooperative and otherwise follows the others.
    let d = world.join(with(&[Assignor::CooperativeSticky, Assignor::RoundRobin]));
    world.until_stable(&[a, b, d]);
    assert_eq!(world.member(d).consumer.protocol(), "roundrobin");
    let owned = [world.owned(a), world.owned(b), world.owned(d)];
    assert_eq!(owned.map(|it| it.len()), [1, 1, 1]);
}

#[test]
fn a_static_member_comes_back_to_its_partitions_without_a_rebalance() {
    let mut world = World::new(2);
    let instance = |name: &str| ConsumerConfig {
        group_instance_id: Some(name.to_owned()),
        ..lively()
    };
    let a = world.join(instance("a"));
    let b = world.join(instance("b"));
    world.until_stable(&[a, b]);
    let (owned, generation) = (world.owned(a), world.member(b).consumer.generation());
    world.command(a, |consumer, now| consumer.disconnect(now));
    world.pass(5_000);
    let again = world.join(instance("a"));
    world.until_stable(&[again, b]);
    assert_eq!(world.owned(again), owned);
    assert_eq!(world.member(b).consumer.generation(), generation);
    // Two of the same name: the older one is fenced.
    let twin = world.join(instance("a"));
    world.until_stable(&[twin, b]);
    world.until("the end of the older one", |world| {
        !world.member(again).crashes().is_empty()
    });
    let code = world.member(again).crashes()[0].error_code();
    assert_eq!(code, Some(ErrorCode::FENCED_INSTANCE_ID));
}

#[test]
fn a_topic_that_grows_and_one_that_comes_are_shared_out() {
    let mut world = World::new(1);
    let a = world.add(lively());
    world.command(a, |consumer, now| {
        consumer.subscribe_matching(now, Box::new(|name| name.starts_with('t')), None);
        consumer.start(now);
    });
    let b = world.join(lively());
    world.until_stable(&[a, b]);
    world.grow("t", 2);
    world.until("both partitions", |world| {
        world.owned(a).len() + world.owned(b).len() == 2
    });
    world.until_stable(&[a, b]);
    world.create("t2", 1);
    world.until("the new topic", |world| {
        let new = TopicPartition::new("t2", 0);
        world.member(a).consumer.assignment_now().contains(&new)
    });
    world.until_stable(&[a, b]);
    world.send(1, &["in the new partition"]);
    world.pass(1_000);
    let mut all = world.member(a).values().len();
    all += world.member(b).values().len();
    assert_eq!(all, 1);
}

#[test]
fn a_slow_host_is_waited_for_so_nothing_comes_twice() {
    let mut world = World::new(2);
    let a = world.join(lively());
    world.until_stable(&[a]);
    world.member(a).holds = true;
    world.send(0, &["0"]);
    world.send(1, &["1"]);
    let b = world.join(lively());
    world.pass(8_000);
    assert_eq!(world.member(a).consumer.state(), ConsumerState::Revoking);
    assert_eq!(world.member(b).consumer.state(), ConsumerState::Joining);
    world.finish(a);
    world.until_stable(&[a, b]);
    world.pass(1_000);
    world.finish(a);
    assert_eq!(sorted(world.member(a).values()), ["0", "1"]);
    assert!(world.member(b).seen.is_empty());
}

#[test]
fn a_group_without_an_offset_gets_one_if_asked_for() {
    let mut world = World::new(1);
    world.send(0, &["0", "1"]);
    let config = ConsumerConfig {
        commit_initial_offset: true,
        offset_reset: OffsetReset::Latest,
        ..lively()
    };
    let a = world.join(config.clone());
    world.until_stable(&[a]);
    world.kill(a);
    world.send(0, &["2"]);
    // Without that commit this one would begin at the end.
    let b = world.join(config);
    world.until("the record", |world| !world.member(b).seen.is_empty());
    assert_eq!(world.member(b).values(), ["2"]);
}

#[test]
fn an_offset_that_retention_took_is_reset() {
    let mut world = World::new(1);
    world.send(0, &["0", "1", "2"]);
    let a = world.join(lively());
    world.until_stable(&[a]);
    world.command(a, |consumer, now| {
        consumer.seek(now, &tp(0), SeekTo::Offset(50))
    });
    world.pass(500);
    assert_eq!(world.member(a).values(), ["0", "1", "2", "0", "1", "2"]);
    let out = |event: &ConsumerEvent| matches!(event, ConsumerEvent::OutOfRange { offset: 50, .. });
    assert!(world.member(a).events.iter().any(out));
}
