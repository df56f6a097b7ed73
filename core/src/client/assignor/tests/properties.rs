//! What holds for every group, however it came to be.

use super::*;
use crate::sorted::SortedSet;
use proptest::prelude::*;

const TOPICS: [&str; 4] = ["a", "b", "c", "gone"];

/// Partition counts; `gone` has none.
fn counts() -> impl Strategy<Value = SortedMap<String, i32>> {
    [1..12i32, 0..6, 1..4].prop_map(|counts| {
        TOPICS
            .iter()
            .zip(counts)
            .map(|(topic, count)| ((*topic).to_owned(), count))
            .collect()
    })
}

fn some_topics() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(TOPICS.to_vec(), 0..=4)
        .prop_shuffle()
        .prop_map(|topics| topics.into_iter().map(str::to_owned).collect())
}

/// A member that claims anything, sensible or not.
fn claimant() -> impl Strategy<Value = Subscription> {
    let claims = prop::collection::vec((prop::sample::select(&TOPICS[..]), -1..14i32), 0..12);
    let instance = prop::option::weighted(0.3, "[a-z]{1,3}");
    (some_topics(), claims, -1..4i32, instance, any::<bool>()).prop_map(
        |(topics, claims, generation, instance, said)| {
            let owned: Vec<TopicPartition> = claims
                .into_iter()
                .map(|(topic, partition)| TopicPartition::new(topic, partition))
                .collect();
            Subscription {
                topics,
                user_data: Assignor::Sticky.user_data(Some((&owned, generation))),
                owned_partitions: owned,
                generation_id: if said { generation } else { -1 },
                rack_id: None,
                group_instance_id: instance,
            }
        },
    )
}

fn members(
    one: impl Strategy<Value = Subscription>,
) -> impl Strategy<Value = SortedMap<String, Subscription>> {
    prop::collection::btree_map("[a-zé]{1,6}", one, 1..7)
        .prop_map(|members| members.into_iter().collect())
}

/// Everyone subscribes to the same topics and owns nothing.
fn equals() -> impl Strategy<Value = SortedMap<String, Subscription>> {
    members(Just(member("a b c")))
}

/// Who owns each partition; fails if two do, or one that does not want it.
fn owners(
    members: &SortedMap<String, Subscription>,
    counts: &SortedMap<String, i32>,
    result: &Assignments,
) -> SortedMap<TopicPartition, String> {
    assert!(result.keys().eq(members.keys()), "an entry for everyone");
    let mut owners = SortedMap::new();
    for (id, assigned) in result {
        for partition in assigned {
            assert!(members[id].topics.contains(&partition.topic), "{partition}");
            assert!((0..counts[&partition.topic]).contains(&partition.partition));
            let other = owners.insert(partition.clone(), id.clone());
            assert_eq!(other, None, "{partition} has two owners");
        }
    }
    owners
}

/// Every partition that somebody subscribes to.
fn wanted(
    members: &SortedMap<String, Subscription>,
    counts: &SortedMap<String, i32>,
) -> SortedSet<TopicPartition> {
    let topics: SortedSet<&String> = members.values().flat_map(|m| &m.topics).collect();
    topics
        .into_iter()
        .filter_map(|topic| counts.get(topic).map(|count| (topic, *count)))
        .flat_map(|(topic, count)| (0..count).map(|p| TopicPartition::new(topic.clone(), p)))
        .collect()
}

/// The members as they come to the next rebalance: owning what they were assigned.
fn next_round(
    members: &SortedMap<String, Subscription>,
    result: &Assignments,
    generation: i32,
) -> SortedMap<String, Subscription> {
    let next = |(id, subscription): (&String, &Subscription)| {
        let owned = result[id].clone();
        let subscription = Subscription {
            user_data: Assignor::Sticky.user_data(Some((&owned, generation))),
            owned_partitions: owned,
            generation_id: generation,
            ..subscription.clone()
        };
        (id.clone(), subscription)
    };
    members.iter().map(next).collect()
}

fn spread(counts: impl Iterator<Item = usize> + Clone) -> usize {
    counts.clone().max().unwrap_or(0) - counts.min().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_partition_has_one_owner_that_wants_it(members in members(claimant()), counts in counts()) {
        for assignor in Assignor::ALL {
            let result = assign(assignor, &members, &counts);
            let owners = owners(&members, &counts, &result);
            let owned: SortedSet<TopicPartition> = owners.keys().cloned().collect();
            let wanted = wanted(&members, &counts);
            if assignor == Assignor::CooperativeSticky {
                prop_assert!(owned.is_subset(&wanted));
                // What is withheld is what somebody says it owns.
                for partition in wanted.difference(&owned) {
                    let claimed = members.values().any(|m| m.owned_partitions.contains(partition));
                    prop_assert!(claimed, "{} is nobody's", partition);
                }
            } else {
                prop_assert_eq!(owned, wanted);
            }
        }
    }

    #[test]
    fn equal_members_differ_by_one_at_most(members in equals(), counts in counts()) {
        for assignor in Assignor::ALL {
            let result = assign(assignor, &members, &counts);
            if assignor == Assignor::Range {
                for topic in counts.keys() {
                    let per_topic = result
                        .values()
                        .map(|assigned| assigned.iter().filter(|p| p.topic == *topic).count());
                    prop_assert!(spread(per_topic) <= 1);
                }
            } else {
                prop_assert!(spread(result.values().map(Vec::len)) <= 1, "{}", assignor.name());
            }
        }
    }

    #[test]
    fn nothing_moves_when_nothing_changed(members in members(claimant()), counts in counts()) {
        for assignor in [Assignor::Sticky, Assignor::CooperativeSticky] {
            let mut members = next_round(&members, &assign(assignor, &members, &counts), 5);
            // The cooperative one may need one more round to hand over.
            members = next_round(&members, &assign(assignor, &members, &counts), 6);
            let settled = assign(assignor, &members, &counts);
            let owned: SortedSet<TopicPartition> =
                owners(&members, &counts, &settled).into_keys().collect();
            prop_assert_eq!(owned, wanted(&members, &counts));
            let again = assign(assignor, &next_round(&members, &settled, 7), &counts);
            for (id, assigned) in &settled {
                prop_assert_eq!(text(assigned), text(&again[id]));
            }
        }
    }

    #[test]
    fn who_stays_keeps_everything_when_another_leaves(members in equals(), counts in counts()) {
        for assignor in [Assignor::Sticky, Assignor::CooperativeSticky] {
            let settled = assign(assignor, &members, &counts);
            let mut fewer = next_round(&members, &settled, 1);
            if fewer.len() < 2 {
                continue;
            }
            fewer.pop_first();
            let result = assign(assignor, &fewer, &counts);
            for (id, assigned) in &result {
                prop_assert!(settled[id].iter().all(|partition| assigned.contains(partition)));
            }
            prop_assert!(spread(result.values().map(Vec::len)) <= 1);
        }
    }

    #[test]
    fn what_moves_to_a_newcomer_moves_nowhere_else(members in equals(), counts in counts()) {
        for assignor in [Assignor::Sticky, Assignor::CooperativeSticky] {
            let settled = assign(assignor, &members, &counts);
            let mut more = next_round(&members, &settled, 1);
            more.insert("newcomer".to_owned(), member("a b c"));
            let first = assign(assignor, &more, &counts);
            let result = if assignor.is_cooperative() {
                assign(assignor, &next_round(&more, &first, 2), &counts)
            } else {
                first
            };
            prop_assert!(spread(result.values().map(Vec::len)) <= 1);
            for (id, before) in &settled {
                prop_assert!(result[id].iter().all(|partition| before.contains(partition)));
            }
        }
    }

    #[test]
    fn static_members_get_the_same_under_other_member_ids(
        instances in prop::collection::btree_set("[a-z]{1,4}", 1..6),
        counts in counts(),
    ) {
        for assignor in [Assignor::Range, Assignor::RoundRobin] {
            let by_instance = |prefix: &str, reverse: bool| -> Vec<String> {
                let mut places: Vec<usize> = (0..instances.len()).collect();
                if reverse {
                    places.reverse();
                }
                let members: SortedMap<String, Subscription> = instances
                    .iter()
                    .zip(places)
                    .map(|(instance, place)| {
                        let subscription = Subscription {
                            group_instance_id: Some(instance.clone()),
                            ..member("a b c")
                        };
                        (format!("{prefix}{place}"), subscription)
                    })
                    .collect();
                let result = assign(assignor, &members, &counts);
                let mut shown: Vec<String> = members
                    .iter()
                    .map(|(id, s)| format!("{:?} {}", s.group_instance_id, text(&result[id])))
                    .collect();
                shown.sort();
                shown
            };
            prop_assert_eq!(by_instance("x", false), by_instance("y", true));
        }
    }

    #[test]
    fn subscriptions_survive_the_wire(one in claimant()) {
        for assignor in Assignor::ALL {
            let bytes = encode_subscription(assignor, &one).unwrap();
            let back = decode_subscription(bytes, one.group_instance_id.clone()).unwrap();
            let mut topics = one.topics.clone();
            if assignor != Assignor::KafkaJsRoundRobin {
                topics.sort();
                let mut owned = one.owned_partitions.clone();
                owned.sort();
                prop_assert_eq!(back.owned_partitions, owned);
                prop_assert_eq!(back.generation_id, one.generation_id);
            }
            prop_assert_eq!(back.topics, topics);
            prop_assert_eq!(&back.user_data, &one.user_data);
        }
    }
}
