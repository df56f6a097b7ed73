//! A map in the order of its keys.
//!
//! The entries are one sorted sequence, cut into chunks of at most [`CHUNK`]: a lookup is two
//! binary searches, an insertion or removal moves part of one chunk. Appending in order, which is
//! what logs do, moves nothing.
//!
//! Invariant: no chunk is empty, and keys rise strictly from entry to entry and chunk to chunk.

use super::iter::{Iter, IterMut};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::mem;
use std::ops::{Bound, Index, RangeBounds};

/// The most entries in a chunk. Larger ones cost more to insert into, smaller ones more memory.
const CHUNK: usize = 128;

/// A map that keeps its entries in the order of their keys: `BTreeMap` in less code.
#[derive(Clone)]
pub struct SortedMap<K, V> {
    pub(super) chunks: Vec<Vec<(K, V)>>,
}

/// Where an entry is, or would have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chunk: usize,
    pub(super) entry: usize,
}

impl<K, V> SortedMap<K, V> {
    /// An empty map; nothing is allocated.
    pub const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.chunks.clear();
    }

    /// The entries in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::over(&self.chunks)
    }

    /// The entries in order; their values can be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        IterMut::over(&mut self.chunks)
    }

    /// The keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// The values in the order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// The keys in order, taken out of the map.
    pub fn into_keys(self) -> impl DoubleEndedIterator<Item = K> {
        self.into_iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys, taken out of the map.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> {
        self.into_iter().map(|(_, value)| value)
    }

    /// The entry with the smallest key.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The entry with the largest key.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }

    /// Removes the entry with the smallest key.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        self.take(Place { chunk: 0, entry: 0 })
    }

    /// Removes the entry with the largest key.
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        let popped = self.chunks.last_mut()?.pop();
        if self.chunks.last().is_some_and(Vec::is_empty) {
            self.chunks.pop();
        }
        popped
    }

    /// Keeps the entries for which `keep` is true; it may change the values.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.chunks.retain_mut(|chunk| {
            chunk.retain_mut(|(key, value)| keep(key, value));
            !chunk.is_empty()
        });
    }

    #[cfg(test)]
    pub(super) fn chunks(&self) -> impl Iterator<Item = usize> {
        self.chunks.iter().map(Vec::len)
    }

    fn at(&self, place: Place) -> Option<&(K, V)> {
        self.chunks.get(place.chunk)?.get(place.entry)
    }

    fn at_mut(&mut self, place: Place) -> Option<&mut (K, V)> {
        self.chunks.get_mut(place.chunk)?.get_mut(place.entry)
    }

    fn take(&mut self, place: Place) -> Option<(K, V)> {
        let chunk = self.chunks.get_mut(place.chunk)?;
        if place.entry >= chunk.len() {
            return None;
        }
        let entry = chunk.remove(place.entry);
        if chunk.is_empty() {
            self.chunks.remove(place.chunk);
        }
        Some(entry)
    }

    /// Puts an entry in; returns where it is now.
    fn put(&mut self, mut place: Place, entry: (K, V)) -> Place {
        let last = place.chunk + 1 >= self.chunks.len();
        let Some(chunk) = self.chunks.get_mut(place.chunk) else {
            self.chunks.push(vec![entry]);
            return Place {
                chunk: self.chunks.len() - 1,
                entry: 0,
            };
        };
        if chunk.len() >= CHUNK {
            // What is appended in order leaves full chunks behind.
            let at = if last && place.entry == CHUNK {
                CHUNK
            } else {
                CHUNK / 2
            };
            let rest = chunk.split_off(at);
            if place.entry >= at {
                place.chunk += 1;
                place.entry -= at;
                self.chunks.insert(place.chunk, rest);
            } else {
                self.chunks.insert(place.chunk + 1, rest);
            }
        }
        if let Some(chunk) = self.chunks.get_mut(place.chunk) {
            chunk.insert(place.entry, entry);
        }
        place
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// The first place whose key is not before the one sought, as `compare` tells a key's order to
    /// it; and whether that key is equal. A place at the end is behind the last entry of its chunk.
    fn search(&self, mut compare: impl FnMut(&K) -> Ordering) -> (Place, bool) {
        let chunk = self.chunks.partition_point(|chunk| {
            chunk
                .last()
                .is_some_and(|(key, _)| compare(key) == Ordering::Less)
        });
        let Some(entries) = self.chunks.get(chunk) else {
            // Behind everything: at the end of the last chunk, so that appending fills it.
            let chunk = self.chunks.len().saturating_sub(1);
            let entry = self.chunks.last().map_or(0, Vec::len);
            return (Place { chunk, entry }, false);
        };
        match entries.binary_search_by(|(key, _)| compare(key)) {
            Ok(entry) => (Place { chunk, entry }, true),
            Err(entry) => (Place { chunk, entry }, false),
        }
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> (Place, bool)
    where
        K: Borrow<Q>,
    {
        self.search(|other| other.borrow().cmp(key))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (place, found) = self.find(key);
        let entry = self.at(place)?;
        found.then_some(&entry.1)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (place, found) = self.find(key);
        let entry = self.at_mut(place)?;
        found.then_some(&mut entry.1)
    }

    /// A key as it is in the map, and its value.
    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (place, found) = self.find(key);
        let (key, value) = self.at(place)?;
        found.then_some((key, value))
    }

    /// Whether there is an entry with a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).1
    }

    /// Gives a key a value; returns the one it had. The key of an entry that was there stays.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (place, found) = self.find(&key);
        if found {
            let entry = self.at_mut(place)?;
            return Some(mem::replace(&mut entry.1, value));
        }
        self.put(place, (key, value));
        None
    }

    /// Removes a key; returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Removes a key; returns it as it was in the map, and its value.
    pub fn remove_entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        let (place, found) = self.find(key);
        if found { self.take(place) } else { None }
    }

    /// A key's place, to be filled or changed.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let (place, found) = self.find(&key);
        Entry {
            map: self,
            key,
            place,
            found,
        }
    }

    /// The entries whose keys lie within bounds, in order. Bounds that contradict each other hold
    /// nothing.
    pub fn range<Q: Ord + ?Sized>(&self, range: impl RangeBounds<Q>) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let start = match range.start_bound() {
            Bound::Included(key) => self.find(key).0,
            Bound::Excluded(key) => self.after(key),
            Bound::Unbounded => Place { chunk: 0, entry: 0 },
        };
        let end = match range.end_bound() {
            Bound::Included(key) => self.after(key),
            Bound::Excluded(key) => self.find(key).0,
            Bound::Unbounded => Place {
                chunk: self.chunks.len(),
                entry: 0,
            },
        };
        Iter::between(&self.chunks, start, end)
    }

    /// The place behind a key and everything before it.
    fn after<Q: Ord + ?Sized>(&self, key: &Q) -> Place
    where
        K: Borrow<Q>,
    {
        let (mut place, found) = self.find(key);
        place.entry += usize::from(found);
        place
    }

    /// Takes out the entries from a key on.
    #[must_use]
    pub fn split_off<Q: Ord + ?Sized>(&mut self, key: &Q) -> Self
    where
        K: Borrow<Q>,
    {
        let (place, _) = self.find(key);
        let Some(chunk) = self.chunks.get_mut(place.chunk) else {
            return Self::new();
        };
        let rest = chunk.split_off(place.entry);
        let empty = chunk.is_empty();
        let mut chunks = self.chunks.split_off(place.chunk + 1);
        if empty {
            self.chunks.pop();
        }
        if !rest.is_empty() {
            chunks.insert(0, rest);
        }
        Self { chunks }
    }
}

/// A key's place in a map, to be filled or changed: see [`SortedMap::entry`].
#[derive(Debug)]
pub struct Entry<'a, K, V> {
    map: &'a mut SortedMap<K, V>,
    key: K,
    place: Place,
    found: bool,
}

impl<'a, K, V> Entry<'a, K, V> {
    /// The key's value, made if it has none.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        let place = if self.found {
            self.place
        } else {
            self.map.put(self.place, (self.key, make()))
        };
        let chunk = &mut self.map.chunks[place.chunk];
        &mut chunk[place.entry].1
    }

    /// The key's value, `value` if it has none.
    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    /// The key's value, the default if it has none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Changes the key's value if it has one.
    #[must_use]
    pub fn and_modify(self, change: impl FnOnce(&mut V)) -> Self {
        if self.found
            && let Some(entry) = self.map.at_mut(self.place)
        {
            change(&mut entry.1);
        }
        self
    }
}

/// Of several entries with one key the last one counts.
impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for SortedMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

// Two maps with the same entries can be cut into chunks differently.
impl<K: PartialEq, V: PartialEq> PartialEq for SortedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other)
    }
}

impl<K: Eq, V: Eq> Eq for SortedMap<K, V> {}

impl<K: Borrow<Q> + Ord, Q: Ord + ?Sized, V> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    #[expect(clippy::expect_used, reason = "as indexing a BTreeMap: for tests")]
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no entry with this key")
    }
}
