//! Going through a map, from both ends.

use std::iter::Flatten;
use std::mem;
use std::slice;
use std::vec;

use super::SortedMap;
use super::map::Place;

/// The entries of a map, or of part of it, in order.
#[derive(Debug)]
pub struct Iter<'a, K, V> {
    front: slice::Iter<'a, (K, V)>,
    chunks: slice::Iter<'a, Vec<(K, V)>>,
    back: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Iter<'a, K, V> {
    /// All entries.
    pub(super) fn over(chunks: &'a [Vec<(K, V)>]) -> Self {
        Self {
            front: [].iter(),
            chunks: chunks.iter(),
            back: [].iter(),
        }
    }

    /// Those from one place up to another.
    pub(super) fn between(chunks: &'a [Vec<(K, V)>], start: Place, end: Place) -> Self {
        let part = |chunk: usize, from: usize, to: usize| {
            let entries = chunks.get(chunk).map_or(&[][..], Vec::as_slice);
            let to = to.min(entries.len());
            entries.get(from..to).unwrap_or_default().iter()
        };
        if start.chunk >= end.chunk {
            let to = if start.chunk == end.chunk {
                end.entry
            } else {
                0
            };
            return Self {
                front: part(start.chunk, start.entry, to),
                chunks: [].iter(),
                back: [].iter(),
            };
        }
        Self {
            front: part(start.chunk, start.entry, usize::MAX),
            chunks: chunks
                .get(start.chunk + 1..end.chunk)
                .unwrap_or_default()
                .iter(),
            back: part(end.chunk, 0, end.entry),
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.front.len() == 0 {
            self.front = match self.chunks.next() {
                Some(chunk) => chunk.iter(),
                None => mem::take(&mut self.back),
            };
        }
        self.front.next().map(|(key, value)| (key, value))
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.back.len() == 0 {
            self.back = match self.chunks.next_back() {
                Some(chunk) => chunk.iter(),
                None => mem::take(&mut self.front),
            };
        }
        self.back.next_back().map(|(key, value)| (key, value))
    }
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self {
            front: self.front.clone(),
            chunks: self.chunks.clone(),
            back: self.back.clone(),
        }
    }
}

/// The entries of a map in order; their values can be changed.
#[derive(Debug)]
pub struct IterMut<'a, K, V>(Flatten<slice::IterMut<'a, Vec<(K, V)>>>);

impl<'a, K, V> IterMut<'a, K, V> {
    pub(super) fn over(chunks: &'a mut [Vec<(K, V)>]) -> Self {
        Self(chunks.iter_mut().flatten())
    }
}

impl<'a, K, V> Iterator for IterMut<'a, K, V> {
    type Item = (&'a K, &'a mut V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (&*key, value))
    }
}

impl<K, V> DoubleEndedIterator for IterMut<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (&*key, value))
    }
}

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut SortedMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = Flatten<vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter().flatten()
    }
}
