//! Partitioners against Java's known values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::sorted::SortedMap;

const THREE: Partitions<'static> = Partitions {
    count: 3,
    available: &[0, 1, 2],
};

#[test]
fn murmur2_is_that_of_kafka() {
    // From Kafka's UtilsTest.
    for (key, hash) in [
        (&b"21"[..], -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (
            b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
            -58_897_971,
        ),
        (b"abc", 479_470_107),
    ] {
        assert_eq!(murmur2(key), hash);
    }
    assert_eq!(murmur2(b""), 275_646_681);
}

#[test]
fn a_key_always_goes_to_the_same_partition() {
    let mut partitioners = [
        Partitioner::default(),
        Partitioner::Sticky(Box::new(Sticky::new(100, [1; 32]))),
    ];
    for partitioner in &mut partitioners {
        // A partition without a leader is still the key's.
        let partial = Partitions {
            count: 10,
            available: &[0],
        };
        for _ in 0..3 {
            assert_eq!(
                partitioner.partition("t", Some(b"foobar"), &partial),
                Some(6)
            );
        }
        assert_eq!(
            partitioner.partition("t", Some(b""), &partial),
            Some(275_646_681 % 10)
        );
    }
}

#[test]
fn keyless_records_are_shared_out_equally() {
    let mut round = RoundRobin::new();
    let mut turns = |topic: &str, count: usize, partitions: &Partitions<'_>| -> Vec<i32> {
        (0..count)
            .map(|_| round.partition(topic, None, partitions).unwrap())
            .collect()
    };
    assert_eq!(turns("a", 4, &THREE), [0, 1, 2, 0]);
    assert_eq!(turns("b", 2, &THREE), [0, 1]);
    assert_eq!(turns("a", 2, &THREE), [1, 2]);
    let without_one = Partitions {
        count: 3,
        available: &[0, 2],
    };
    assert_eq!(turns("c", 4, &without_one), [0, 2, 0, 2]);
    let none = Partitions {
        count: 2,
        available: &[],
    };
    assert_eq!(turns("d", 3, &none), [0, 1, 0]);
}

#[test]
fn a_topic_without_partitions_has_no_answer() {
    let nothing = Partitions {
        count: 0,
        available: &[],
    };
    for mut partitioner in [
        Partitioner::default(),
        Partitioner::Sticky(Box::new(Sticky::new(1, [0; 32]))),
    ] {
        assert_eq!(partitioner.partition("t", None, &nothing), None);
        assert_eq!(partitioner.partition("t", Some(b"k"), &nothing), None);
    }
}

#[test]
fn keys_can_be_ignored() {
    let mut round = RoundRobin::ignoring_keys();
    let turns: Vec<_> = (0..3)
        .map(|_| round.partition("t", Some(b"same"), &THREE).unwrap())
        .collect();
    assert_eq!(turns, [0, 1, 2]);
}

#[test]
fn sticky_stays_until_a_batch_is_full() {
    let mut sticky = Sticky::new(1_000, [7; 32]);
    let mut runs: Vec<(i32, usize)> = Vec::new();
    for _ in 0..2_000 {
        let partition = sticky.partition("t", None, &THREE).unwrap();
        assert_eq!(sticky.partition("t", None, &THREE), Some(partition));
        match runs.last_mut() {
            Some((last, bytes)) if *last == partition => *bytes += 100,
            _ => runs.push((partition, 100)),
        }
        sticky.appended("t", partition, 100, true, &THREE);
    }
    // A partition may be chosen twice running, so runs are multiples of the batch size.
    assert!(runs.iter().all(|(_, bytes)| bytes % 1_000 == 0), "{runs:?}");
    for partition in 0..3 {
        let bytes: usize = runs
            .iter()
            .filter(|(p, _)| *p == partition)
            .map(|(_, bytes)| bytes)
            .sum();
        assert!((40_000..95_000).contains(&bytes), "{partition}: {bytes}");
    }
}

#[test]
fn sticky_waits_for_a_full_batch_but_not_beyond_twice_its_size() {
    let one_of = |available| Partitions {
        count: 2,
        available,
    };
    let mut sticky = Sticky::new(1_000, [7; 32]);
    assert_eq!(sticky.partition("t", None, &one_of(&[0])), Some(0));
    sticky.appended("t", 0, 1_500, false, &one_of(&[1]));
    assert_eq!(sticky.partition("t", None, &one_of(&[1])), Some(0));
    // The put-off move, before the next append.
    let mut early = sticky.clone();
    early.appended("t", 0, 0, true, &one_of(&[1]));
    assert_eq!(early.partition("t", None, &one_of(&[1])), Some(1));
    sticky.appended("t", 0, 500, false, &one_of(&[1]));
    assert_eq!(sticky.partition("t", None, &one_of(&[1])), Some(1));
    // Bytes of a partition that is no longer current do not count.
    sticky.appended("t", 0, 5_000, true, &one_of(&[0]));
    assert_eq!(sticky.partition("t", None, &one_of(&[0])), Some(1));
}

#[test]
fn long_queues_are_chosen_less() {
    let mut sticky = Sticky::new(1, [3; 32]);
    sticky.set_queues("t", &[(0, 0), (1, 3), (2, 1)], true);
    let mut counts = SortedMap::new();
    for _ in 0..8_000 {
        let partition = sticky.partition("t", None, &THREE).unwrap();
        *counts.entry(partition).or_insert(0) += 1;
        sticky.appended("t", partition, 1, true, &THREE);
    }
    // Weights 4, 1 and 3 of 8.
    for (partition, expected) in [(0, 4_000), (1, 1_000), (2, 3_000)] {
        let count: i32 = counts[&partition];
        assert!((count - expected).abs() < 300, "{partition}: {count}");
    }
    // A partition that was left out for being slow is never chosen.
    sticky.set_queues("t", &[(0, 2), (1, 2)], false);
    for _ in 0..100 {
        let partition = sticky.partition("t", None, &THREE).unwrap();
        sticky.appended("t", partition, 1, true, &THREE);
        assert_ne!(sticky.partition("t", None, &THREE), Some(2));
    }
    // Equal queues weigh nothing: all are chosen again.
    sticky.set_queues("t", &[(0, 2), (1, 2), (2, 2)], true);
    let again = (0..100).any(|_| {
        let partition = sticky.partition("t", None, &THREE).unwrap();
        sticky.appended("t", partition, 1, true, &THREE);
        partition == 2
    });
    assert!(again);
}
