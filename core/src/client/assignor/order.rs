//! The orders in which the Java client looks at members.
//!
//! Where members are equal Java's sticky assignors prefer the one that comes first in a
//! `HashMap`, so their results are reproduced only with that order: by bucket, and by insertion
//! within a bucket. (A bucket that grew into a tree, with eight members or more, may differ.)

use super::{Group, Subscription};
use crate::sorted;
use std::cmp::Ordering;

/// `String.compareTo`: by UTF-16 units, which differs from Rust's order beyond the basic plane.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        a.cmp(b)
    } else {
        a.encode_utf16().cmp(b.encode_utf16())
    }
}

/// `String.hashCode`.
pub(super) fn hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

/// The bucket of a hash in a table of `capacity` buckets, a power of two.
pub(super) fn bucket(hash: i32, capacity: u32) -> u32 {
    let hash = hash.cast_unsigned();
    (hash ^ (hash >> 16)) & capacity.saturating_sub(1)
}

/// The capacity of a `HashMap` that has grown to `length` entries.
pub(super) fn capacity(length: usize) -> u32 {
    let mut capacity = 16u32;
    while usize::try_from(capacity / 4 * 3).is_ok_and(|full| length > full) {
        capacity = capacity.saturating_mul(2);
    }
    capacity
}

/// The order in which a `HashMap` with these keys, inserted in this order, goes through them.
pub(super) fn hash_order<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut keys: Vec<&str> = keys.collect();
    let capacity = capacity(keys.len());
    sorted::sort_by_key(&mut keys, |key| bucket(hash(key), capacity));
    keys
}

/// Members as Java's hash map has them.
pub(super) fn members<'a>(group: &Group<'a>) -> Vec<(&'a str, &'a Subscription)> {
    hash_order(group.members.keys().map(String::as_str))
        .into_iter()
        .filter_map(|id| group.members.get_key_value(id))
        .map(|(id, subscription)| (id.as_str(), subscription))
        .collect()
}

/// Members as range and round robin count them: static ones first, by instance id, so that a
/// restart with a new member id changes nothing; then the others by member id.
pub(super) fn static_first<'a>(group: &Group<'a>) -> Vec<(&'a str, &'a Subscription)> {
    let mut members = members(group);
    sorted::sort_by(&mut members, |(id_a, a), (id_b, b)| {
        match (&a.group_instance_id, &b.group_instance_id) {
            (Some(a), Some(b)) => compare(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => compare(id_a, id_b),
        }
    });
    members
}
