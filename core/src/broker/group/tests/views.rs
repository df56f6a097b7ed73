//! What watchers see.

use super::*;
use crate::broker::Event;

/// A group as it lives: who has joined, who has synced, who owns what, and how long is left.
#[test]
fn a_watcher_sees_the_group_live() {
    let mut world = World::new();
    let ids = world.a_group("g", 2);
    world.pass(4_000);
    let view = world.broker.group_view("g").unwrap();
    assert_eq!(
        (view.state.as_str(), view.generation, &view.leader),
        ("Stable", 1, &ids[0])
    );
    assert_eq!(
        (view.protocol_type.as_str(), view.protocol.as_str()),
        ("consumer", "range")
    );
    assert_eq!(view.rebalance_ends_in, None);
    let mut assigned: Vec<_> = view.members.iter().map(|m| m.assigned.clone()).collect();
    assigned.sort();
    assert_eq!(
        assigned,
        [[("orders".to_owned(), 0)], [("orders".to_owned(), 1)]]
    );
    for member in &view.members {
        assert_eq!(member.subscribed, ["orders"]);
        assert_eq!((member.joined, member.synced), (false, true));
        assert_eq!(
            (member.session_ends_in, member.session_timeout),
            (Some(6_000), 10_000)
        );
        assert_eq!(
            (member.client_id.as_str(), member.client_host.as_str()),
            ("harness", "/client.test")
        );
    }
    let join = world.a_join("g", &ids[0]);
    world.send(&join);
    world.pass(1_000);
    let view = world.broker.group_view("g").unwrap();
    assert_eq!(
        (view.state.as_str(), view.rebalance_ends_in),
        ("PreparingRebalance", Some(59_000))
    );
    let joined: Vec<_> = view
        .members
        .iter()
        .filter(|m| m.joined)
        .map(|m| m.member_id.as_str())
        .collect();
    assert_eq!(joined, [ids[0].as_str()]);
    assert_eq!(world.broker.all_group_ids(), ["g"]);
    assert_eq!(world.broker.group_view("no such group"), None);
}

/// A commit with the record that says so.
#[test]
fn a_watcher_sees_commits_when_they_are_durable() {
    let mut world = World::new();
    world.writes = Writes::Held;
    world.send_in(9, &a_commit(("g", "", -1), "orders", &[(2, 42)]));
    assert_eq!(world.broker.commit_view("g", "orders", 2), None);
    world.release(Writes::Done);
    let view = world.broker.commit_view("g", "orders", 2).unwrap();
    assert_eq!((view.offset, view.metadata.as_str()), (42, "note"));
    assert_eq!(
        (view.log_partition, view.log_offset),
        (partition_for("g", 50), 0)
    );
    assert_eq!(
        world.broker.all_commits(),
        [("g".to_owned(), "orders".to_owned(), 2)]
    );
}

/// Whoever watches a broker from its opening on is told of all that it reads: groups and commits.
#[test]
fn a_watcher_from_the_opening_on_sees_what_is_read() {
    let mut world = World::new();
    world.a_group("g", 1);
    world.ask_in(9, &a_commit(("h", "", -1), "orders", &[(2, 42)]));
    let opening = world.harness.take().unwrap().crash_opening();
    world.harness = Some(opening);
    world.broker.watch(true);
    let mut events = Vec::new();
    while world.step_storage() {
        events.extend(std::iter::from_fn(|| world.broker.poll_event()));
    }
    events.extend(std::iter::from_fn(|| world.broker.poll_event()));
    let commit = events.iter().rev().find_map(|event| {
        let Event::Commit(commit) = event else {
            return None;
        };
        Some((commit.group.as_str(), commit.partition, commit.offset))
    });
    assert_eq!(commit, Some(("h", 2, 42)));
    let group = |event: &Event| matches!(event, Event::Group(view) if view.group == "g" && view.members.len() == 1);
    assert!(events.iter().any(group), "{events:?}");
    let topic = |event: &Event| matches!(event, Event::Topic(view) if view.topic == "orders");
    assert!(events.iter().any(topic), "{events:?}");
}

/// What a request asks for is told by the names of topics, also where it has only their ids.
#[test]
fn a_watcher_sees_requests_by_the_names_of_topics() {
    let mut world = World::new();
    let id = world.broker.metadata.topic_by_name("orders").unwrap().id;
    world.broker.watch(true);
    let fetch = FetchRequest {
        topics: vec![fetch::FetchTopic {
            topic_id: id,
            partitions: vec![fetch::FetchPartition {
                partition: 1,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    world.ask(&fetch);
    let told = std::iter::from_fn(|| world.broker.poll_event());
    let told = told.filter_map(|event| {
        let Event::Request(request) = event else {
            return None;
        };
        Some(request.summary)
    });
    assert_eq!(told.collect::<Vec<_>>(), ["orders-1 from 0"]);
}
