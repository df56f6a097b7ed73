//! Maps, sets and sorting in little code: what the wasm is made of must travel before it can run.
//!
//! The standard library's `BTreeMap` and its sorts are compiled anew for each type that uses them,
//! 5 to 10 KB each, and made up a quarter of the broker. These do what the broker and the client
//! need of them in a tenth of that.
//!
//! - [`SortedMap`] and [`SortedSet`]: as `BTreeMap` and `BTreeSet`, method by method, as far as
//!   they are used here.
//! - [`sort`](sort()), [`sort_by`], [`sort_by_key`]: stable, as those of slices.

mod iter;
mod map;
#[cfg(feature = "serde")]
mod serde;
mod set;
mod sort;
#[cfg(test)]
mod tests;

pub use iter::{Iter, IterMut};
pub use map::{Entry, SortedMap};
pub use set::SortedSet;
pub use sort::{sort, sort_by, sort_by_key};
