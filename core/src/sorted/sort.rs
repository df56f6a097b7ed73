//! Stable sorting, of which only the last step is compiled for each type.

use std::cmp::Ordering;

/// Sorts by the elements' own order. Equal elements keep their order.
pub fn sort<T: Ord>(elements: &mut [T]) {
    sort_by(elements, T::cmp);
}

/// Sorts by a key of each element. Equal elements keep their order.
pub fn sort_by_key<T, K: Ord>(elements: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(elements, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by a comparison. Equal elements keep their order.
pub fn sort_by<T>(elements: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = order(elements.len(), &mut |a, b| {
        // Both are below the number of elements.
        compare(&elements[a], &elements[b])
    });
    arrange(order, &mut |a, b| elements.swap(a, b));
}

/// In which order elements known by their numbers are to be: one sort for all types.
fn order(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| compare(a, b));
    order
}

/// Brings elements into an order, cycle by cycle, by swapping.
fn arrange(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut at = start;
        loop {
            let from = order[at];
            order[at] = at;
            if from == start {
                break;
            }
            swap(at, from);
            at = from;
        }
    }
}
