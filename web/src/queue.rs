//! The one queue through which everything passes: ordered by (time due, arrival).

use partita_core::sorted::SortedMap;

use partita_core::time::Monotonic;

/// Where an item stands in the queue, to take it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    due: Monotonic,
    arrival: u64,
}

/// Items in order.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    items: SortedMap<Place, T>,
    arrivals: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            items: SortedMap::new(),
            arrivals: 0,
        }
    }
}

impl<T> Queue<T> {
    /// Adds an item, behind all that are due at the same time.
    pub(crate) fn push(&mut self, due: Monotonic, item: T) -> Place {
        let place = Place {
            due,
            arrival: self.arrivals,
        };
        self.arrivals = self.arrivals.wrapping_add(1);
        self.items.insert(place, item);
        place
    }

    /// Takes an item back, if it is still there.
    pub(crate) fn remove(&mut self, place: Place) -> Option<T> {
        self.items.remove(&place)
    }

    /// When the first item is due.
    pub(crate) fn next_due(&self) -> Option<Monotonic> {
        self.items.first_key_value().map(|(place, _)| place.due)
    }

    /// Takes the first item that is due by `now`.
    pub(crate) fn pop(&mut self, now: Monotonic) -> Option<T> {
        if self.next_due()? > now {
            return None;
        }
        self.items.pop_first().map(|(_, item)| item)
    }

    /// Drops the items that `keep` does not want.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.items.retain(|_, item| keep(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_by_time_due_and_then_by_arrival() {
        let mut queue = Queue::default();
        queue.push(Monotonic(20), "later");
        queue.push(Monotonic(10), "first");
        queue.push(Monotonic(10), "second");
        let gone = queue.push(Monotonic(10), "gone");
        assert_eq!(queue.remove(gone), Some("gone"));
        assert_eq!(queue.next_due(), Some(Monotonic(10)));
        assert_eq!(queue.pop(Monotonic(9)), None);
        assert_eq!(queue.pop(Monotonic(15)), Some("first"));
        assert_eq!(queue.pop(Monotonic(15)), Some("second"));
        assert_eq!(queue.pop(Monotonic(15)), None);
        assert_eq!(queue.pop(Monotonic(20)), Some("later"));
    }
}
