//! Both against the standard library's, operation by operation.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use proptest::prelude::*;

use super::{SortedMap, SortedSet, sort_by_key};

/// One operation on both maps.
#[derive(Debug, Clone)]
enum Op {
    Insert(u16, u32),
    Remove(u16),
    Change(u16),
    Entry(u16),
    PopFirst,
    PopLast,
    Retain(u16),
    SplitOff(u16),
    Range(u16, u16),
}

fn op() -> impl Strategy<Value = Op> {
    // Few keys, so that removals find something; yet enough for several chunks.
    let key = || 0_u16..700;
    prop_oneof![
        12 => (key(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
        4 => key().prop_map(Op::Remove),
        1 => key().prop_map(Op::Change),
        2 => key().prop_map(Op::Entry),
        1 => Just(Op::PopFirst),
        1 => Just(Op::PopLast),
        1 => (2_u16..60).prop_map(Op::Retain),
        1 => (500_u16..800).prop_map(Op::SplitOff),
        2 => (key(), key()).prop_map(|(from, to)| Op::Range(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_map_is_a_btree_map(
        start in 0_u16..600,
        rising in any::<bool>(),
        ops in prop::collection::vec(op(), 1..400),
    ) {
        let mut real: BTreeMap<u16, u32> = (0..start).map(|key| (key, 1)).collect();
        let mut ours: SortedMap<u16, u32> = if rising {
            (0..start).map(|key| (key, 1)).collect()
        } else {
            (0..start).rev().map(|key| (key, 1)).collect()
        };
        for op in ops {
            match op {
                Op::Insert(key, value) => {
                    prop_assert_eq!(ours.insert(key, value), real.insert(key, value));
                }
                Op::Remove(key) => prop_assert_eq!(ours.remove(&key), real.remove(&key)),
                Op::Change(key) => {
                    let (a, b) = (ours.get_mut(&key), real.get_mut(&key));
                    prop_assert_eq!(&a, &b);
                    if let (Some(a), Some(b)) = (a, b) {
                        *a = 7;
                        *b = 7;
                    }
                }
                Op::Entry(key) => {
                    *ours.entry(key).and_modify(|value| *value = 3).or_insert(9) ^= 1;
                    *real.entry(key).and_modify(|value| *value = 3).or_insert(9) ^= 1;
                }
                Op::PopFirst => prop_assert_eq!(ours.pop_first(), real.pop_first()),
                Op::PopLast => prop_assert_eq!(ours.pop_last(), real.pop_last()),
                Op::Retain(modulus) => {
                    ours.retain(|key, _| key % modulus != 0);
                    real.retain(|key, _| key % modulus != 0);
                }
                Op::SplitOff(key) => {
                    let (a, b) = (ours.split_off(&key), real.split_off(&key));
                    prop_assert!(a.into_iter().eq(b));
                }
                Op::Range(a, b) => {
                    let (from, to) = (a.min(b), a.max(b));
                    prop_assert!(ours.range(from..to).eq(real.range(from..to)));
                    prop_assert!(ours.range(from..=to).rev().eq(real.range(from..=to).rev()));
                    prop_assert!(ours.range(..from).eq(real.range(..from)));
                    let behind = (Bound::Excluded(from), Bound::Unbounded);
                    prop_assert!(ours.range(behind).eq(real.range(behind)));
                    prop_assert_eq!(ours.get(&a), real.get(&a));
                }
            }
            prop_assert!(ours.iter().eq(&real), "{:?} is not {:?}", ours, real);
            prop_assert!(ours.iter().rev().eq(real.iter().rev()));
            prop_assert_eq!(ours.len(), real.len());
            prop_assert_eq!(ours.is_empty(), real.is_empty());
            prop_assert_eq!(ours.first_key_value(), real.first_key_value());
            prop_assert_eq!(ours.last_key_value(), real.last_key_value());
        }
        // From both ends at once: every entry comes once.
        let (mut one, mut other) = (ours.iter(), real.iter());
        while let Some(entry) = one.next() {
            prop_assert_eq!(Some(entry), other.next());
            prop_assert_eq!(one.next_back(), other.next_back());
        }
        for value in ours.values_mut() {
            *value = 0;
        }
        prop_assert!(ours.into_iter().eq(real.into_keys().map(|key| (key, 0))));
    }

    #[test]
    fn sorting_is_stable(elements in prop::collection::vec((0_u8..20, any::<u16>()), 0..200)) {
        let (mut ours, mut real) = (elements.clone(), elements);
        sort_by_key(&mut ours, |(key, _)| *key);
        real.sort_by_key(|(key, _)| *key);
        prop_assert_eq!(ours, real);
    }
}

#[test]
fn bounds_that_contradict_each_other_hold_nothing() {
    let map: SortedMap<i32, ()> = (0..1_000).map(|key| (key, ())).collect();
    assert_eq!(
        map.range((Bound::Included(900), Bound::Excluded(3)))
            .count(),
        0
    );
    assert_eq!(
        map.range((Bound::Included(9), Bound::Excluded(3))).count(),
        0
    );
    assert_eq!(
        map.range((Bound::Excluded(9), Bound::Excluded(9))).count(),
        0
    );
}

#[test]
fn what_is_appended_in_order_fills_its_chunks() {
    let map: SortedMap<i32, ()> = (0..1_280).map(|key| (key, ())).collect();
    assert_eq!(map.chunks().count(), 10);
}

#[test]
fn sets_differ_as_btree_sets_do() {
    let (a, b) = (SortedSet::from([1, 2, 3, 4]), SortedSet::from([2, 4, 6]));
    let (c, d) = (BTreeSet::from([1, 2, 3, 4]), BTreeSet::from([2, 4, 6]));
    assert!(a.difference(&b).eq(c.difference(&d)));
    assert!(!b.is_subset(&a) && SortedSet::from([3]).is_subset(&a));
    assert!(a.range(2..4).eq([2, 3].iter()));
}
