//! Examples worked out by hand, and what other clients are known to say.

use super::*;

fn group(members: &[(&str, Subscription)]) -> SortedMap<String, Subscription> {
    members
        .iter()
        .map(|(id, subscription)| ((*id).to_owned(), subscription.clone()))
        .collect()
}

fn topics(counts: &[(&str, i32)]) -> SortedMap<String, i32> {
    counts
        .iter()
        .map(|(topic, count)| ((*topic).to_owned(), *count))
        .collect()
}

/// Runs an assignor and compares with `id: partitions`, one a line.
fn check(
    assignor: Assignor,
    members: &[(&str, Subscription)],
    counts: &[(&str, i32)],
    expected: &[(&str, &str)],
) {
    let result = assign(assignor, &group(members), &topics(counts));
    let result: Vec<(&str, String)> = result
        .iter()
        .map(|(id, assigned)| (id.as_str(), text(assigned)))
        .collect();
    let expected: Vec<(&str, String)> = expected
        .iter()
        .map(|(id, assigned)| (*id, (*assigned).to_owned()))
        .collect();
    assert_eq!(result, expected, "{}", assignor.name());
}

fn fixed(topics: &str, instance: &str) -> Subscription {
    Subscription {
        group_instance_id: Some(instance.to_owned()),
        ..member(topics)
    }
}

fn owning(topics: &str, owned: &str, generation: i32) -> Subscription {
    Subscription {
        owned_partitions: partitions(owned),
        generation_id: generation,
        user_data: Assignor::Sticky.user_data(Some((&partitions(owned), generation))),
        ..member(topics)
    }
}

#[test]
fn names_lead_back_to_their_assignors() {
    for assignor in Assignor::ALL {
        assert_eq!(Assignor::by_name(assignor.name()), Some(assignor));
    }
    assert_eq!(Assignor::by_name("unknown"), None);
}

#[test]
fn range_cuts_each_topic_and_keeps_equal_topics_together() {
    check(
        Assignor::Range,
        &[("c1", member("t0 t1")), ("c0", member("t0 t1"))],
        &[("t0", 3), ("t1", 3)],
        &[("c0", "t0-0 t0-1 t1-0 t1-1"), ("c1", "t0-2 t1-2")],
    );
}

#[test]
fn round_robin_goes_round_and_skips_who_does_not_subscribe() {
    check(
        Assignor::RoundRobin,
        &[("c0", member("t0 t1")), ("c1", member("t0 t1"))],
        &[("t0", 3), ("t1", 3)],
        &[("c0", "t0-0 t0-2 t1-1"), ("c1", "t0-1 t1-0 t1-2")],
    );
    check(
        Assignor::RoundRobin,
        &[
            ("c0", member("t0")),
            ("c1", member("t0 t1")),
            ("c2", member("t0 t1 t2")),
        ],
        &[("t0", 1), ("t1", 2), ("t2", 3)],
        &[
            ("c0", "t0-0"),
            ("c1", "t1-0"),
            ("c2", "t1-1 t2-0 t2-1 t2-2"),
        ],
    );
}

#[test]
fn static_members_come_first_whatever_their_member_ids() {
    for assignor in [Assignor::Range, Assignor::RoundRobin] {
        for ids in [["a", "b"], ["z", "y"]] {
            let members = [
                (ids[0], fixed("t", "i1")),
                (ids[1], fixed("t", "i2")),
                ("m", member("t")),
            ];
            let result = assign(assignor, &group(&members), &topics(&[("t", 3)]));
            assert_eq!(text(&result[ids[0]]), "t-0");
            assert_eq!(text(&result[ids[1]]), "t-1");
            assert_eq!(text(&result["m"]), "t-2");
        }
    }
}

#[test]
fn an_over_full_group_leaves_members_idle() {
    let members: Vec<(String, Subscription)> =
        (0..5).map(|i| (format!("c{i}"), member("t"))).collect();
    let members: Vec<(&str, Subscription)> = members
        .iter()
        .map(|(id, s)| (id.as_str(), s.clone()))
        .collect();
    for assignor in Assignor::ALL {
        let result = assign(assignor, &group(&members), &topics(&[("t", 3)]));
        let mut counts: Vec<usize> = result.values().map(Vec::len).collect();
        counts.sort_unstable();
        assert_eq!(counts, [0, 0, 1, 1, 1], "{}", assignor.name());
    }
}

#[test]
fn a_new_member_takes_only_what_balance_demands() {
    check(
        Assignor::Sticky,
        &[
            ("c0", owning("t", "t-0 t-1 t-2", 5)),
            ("c1", owning("t", "t-3 t-4 t-5", 5)),
            ("c2", member("t")),
        ],
        &[("t", 6)],
        &[("c0", "t-0 t-1"), ("c1", "t-3 t-4"), ("c2", "t-2 t-5")],
    );
}

#[test]
fn cooperative_members_revoke_first() {
    let first = [
        ("c0", owning("t", "t-0 t-1 t-2", 5)),
        ("c1", owning("t", "t-3 t-4 t-5", 5)),
        ("c2", member("t")),
    ];
    check(
        Assignor::CooperativeSticky,
        &first,
        &[("t", 6)],
        &[("c0", "t-0 t-1"), ("c1", "t-3 t-4"), ("c2", "")],
    );
    check(
        Assignor::CooperativeSticky,
        &[
            ("c0", owning("t", "t-0 t-1", 6)),
            ("c1", owning("t", "t-3 t-4", 6)),
            ("c2", owning("t", "", 6)),
        ],
        &[("t", 6)],
        &[("c0", "t-0 t-1"), ("c1", "t-3 t-4"), ("c2", "t-2 t-5")],
    );
}

#[test]
fn a_newer_claim_wins_and_equally_new_ones_both_lose() {
    for assignor in [Assignor::Sticky, Assignor::CooperativeSticky] {
        check(
            assignor,
            &[
                ("c0", owning("t", "t-0 t-1", 7)),
                ("c1", owning("t", "t-0 t-2 t-3", 6)),
            ],
            &[("t", 4)],
            &[("c0", "t-0 t-1"), ("c1", "t-2 t-3")],
        );
    }
    let claims = [
        ("c0", owning("t", "t-0 t-1", 6)),
        ("c1", owning("t", "t-0 t-2", 6)),
    ];
    // Nobody may use t-0 before the other has given it up, so nobody gets it yet.
    check(
        Assignor::CooperativeSticky,
        &claims,
        &[("t", 4)],
        &[("c0", "t-1"), ("c1", "t-2 t-3")],
    );
}

#[test]
fn claims_of_what_does_not_exist_are_ignored() {
    for assignor in [Assignor::Sticky, Assignor::CooperativeSticky] {
        check(
            assignor,
            &[
                ("c0", owning("t u", "t-0 t-9 gone-0", 5)),
                ("c1", owning("t u", "u-0", 5)),
            ],
            &[("t", 2), ("u", 2)],
            &[("c0", "t-0 t-1"), ("c1", "u-0 u-1")],
        );
    }
}

#[test]
fn nonsense_as_user_data_is_no_claim() {
    for assignor in [Assignor::Sticky, Assignor::CooperativeSticky] {
        for nonsense in [&[][..], &[1], &[0x7F; 40], &[0xFF; 8], &[0, 0, 0, 1, 0, 9]] {
            let strange = Subscription {
                user_data: Some(Bytes::copy_from_slice(nonsense)),
                ..member("t")
            };
            let members = [("c0", strange), ("c1", member("t"))];
            let result = assign(assignor, &group(&members), &topics(&[("t", 4)]));
            assert_eq!(result["c0"].len(), 2);
            assert_eq!(result["c1"].len(), 2);
        }
    }
}

#[test]
fn user_data_of_version_0_has_no_generation() {
    let newer = owning("t", "t-0", 3);
    let mut older = member("t");
    // One topic "t" with partitions 0 and 1, nothing after it.
    older.user_data = Some(Bytes::from_static(
        b"\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\0\0\0\0\x01",
    ));
    check(
        Assignor::Sticky,
        &[("c0", newer), ("c1", older)],
        &[("t", 2)],
        &[("c0", "t-0"), ("c1", "t-1")],
    );
}

#[test]
fn an_empty_group_is_no_trouble() {
    for assignor in Assignor::ALL {
        check(assignor, &[], &[("t", 3)], &[]);
        check(assignor, &[("c", member(""))], &[("t", 3)], &[("c", "")]);
        check(assignor, &[("c", member("t"))], &[], &[("c", "")]);
    }
}

fn hex(bytes: &Bytes) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Recorded from KafkaJS 2.2.4: its `RoundRobinAssigner` with members c-2, é and c-10, of which
/// the leader subscribed to orders (5 partitions), a (2) and none (no metadata).
#[test]
fn kafkajs_says_the_same() {
    let assignor = Assignor::KafkaJsRoundRobin;
    let wanted = Subscription {
        user_data: assignor.user_data(None),
        ..member("orders a")
    };
    assert_eq!(
        hex(&encode_subscription(assignor, &wanted).unwrap()),
        "00000000000200066f726465727300016100000000"
    );
    let subscription = member("orders a none");
    let members = ["c-2", "é", "c-10"].map(|id| (id, subscription.clone()));
    let result = assign(
        assignor,
        &group(&members),
        &topics(&[("orders", 5), ("a", 2)]),
    );
    let wire: Vec<(&str, String)> = result
        .iter()
        .map(|(id, assigned)| {
            (
                id.as_str(),
                hex(&encode_assignment(assignor, assigned).unwrap()),
            )
        })
        .collect();
    assert_eq!(
        wire,
        [
            (
                "c-10",
                "00000000000200066f7264657273000000020000000000000003000161000000010000000100000000"
                    .to_owned()
            ),
            (
                "c-2",
                "00000000000100066f726465727300000002000000010000000400000000".to_owned()
            ),
            (
                "é",
                "00000000000200066f72646572730000000100000002000161000000010000000000000000"
                    .to_owned()
            ),
        ]
    );
}

#[test]
fn kafkajs_members_get_only_topics_they_want() {
    let members = group(&[("a", member("x")), ("b", member("y x")), ("c", member("x"))]);
    let result = Assignor::KafkaJsRoundRobin.assign(&Group {
        members: &members,
        partitions: &topics(&[("x", 3), ("y", 2)]),
        leader: "b",
    });
    assert_eq!(text(&result["a"]), "x-1");
    assert_eq!(text(&result["b"]), "x-2 y-0 y-1");
    assert_eq!(text(&result["c"]), "x-0");
}

#[test]
fn assignments_are_read_in_every_version_and_when_empty() {
    let owned = partitions("t-0 t-3 u-1");
    for assignor in Assignor::ALL {
        let bytes = encode_assignment(assignor, &owned).unwrap();
        assert_eq!(decode_assignment(bytes.clone()).unwrap().0, owned);
        // A version that does not exist yet.
        let mut newer = bytes.to_vec();
        newer[1] = 9;
        newer.extend_from_slice(b"something new");
        assert_eq!(decode_assignment(Bytes::from(newer)).unwrap().0, owned);
    }
    assert_eq!(decode_assignment(Bytes::new()).unwrap().0, []);
    assert!(decode_assignment(Bytes::from_static(&[0])).is_err());
    assert!(decode_assignment(Bytes::from_static(&[0, 0, 0x7F, 0, 0, 0])).is_err());
}

#[test]
fn an_old_subscription_lacks_owner_and_generation() {
    let bytes = Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xFF\xFF\xFF\xFF");
    let expected = member("t");
    assert_eq!(decode_subscription(bytes, None).unwrap(), expected);
}
