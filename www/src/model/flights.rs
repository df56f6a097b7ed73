//! Records on their way, to be shown: from a producer to its partition, from there to a consumer.
//!
//! Each is something that has happened: a record that was acknowledged, or one that a consumer was
//! given. They wait here until the page is drawn, and never are more than a few.

use partita_core::types::TopicPartition;

use super::cells::{key_colour, key_letters};

/// How many fly at once at most.
pub(crate) const MOST: usize = 12;

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// From that producer to the partition.
    In { producer: String },
    /// From the partition to that member of a group.
    Out { group: String, member: String },
}

/// Some records that fly together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) way: Way,
    pub(crate) partition: TopicPartition,
    /// The offset of the last of them.
    pub(crate) offset: i64,
    /// The colour of its key, from 1; 0 without one or for several records.
    pub(crate) colour: u32,
    /// What stands on it.
    pub(crate) letters: String,
    count: usize,
}

impl Flight {
    /// One record.
    pub(crate) fn one(
        way: Way,
        partition: TopicPartition,
        offset: i64,
        key: Option<&[u8]>,
    ) -> Self {
        Self {
            way,
            partition,
            offset,
            colour: key_colour(key),
            letters: key_letters(key),
            count: 1,
        }
    }

    /// So many records up to that offset.
    pub(crate) fn batch(way: Way, partition: TopicPartition, offset: i64, count: usize) -> Self {
        let mut flight = Self::one(way, partition, offset, None);
        flight.add(offset, count.saturating_sub(1));
        flight
    }

    fn add(&mut self, offset: i64, count: usize) {
        self.offset = self.offset.max(offset);
        self.count = self.count.saturating_add(count);
        if self.count > 1 {
            self.colour = 0;
            self.letters = format!("×{}", self.count);
        }
    }
}

/// Those that wait for the next drawing.
#[derive(Debug, Default)]
pub(crate) struct Flights(Vec<Flight>);

impl Flights {
    /// Records of the same way fly together.
    pub(crate) fn push(&mut self, flight: Flight) {
        let same = |it: &&mut Flight| it.way == flight.way && it.partition == flight.partition;
        if let Some(waiting) = self.0.iter_mut().find(same) {
            waiting.add(flight.offset, flight.count);
        } else if self.0.len() < MOST {
            // What is not seen to fly is seen where it has come to.
            self.0.push(flight);
        }
    }

    /// All that wait, but no more than there is room for; those to partitions first.
    pub(crate) fn take(&mut self, room: usize) -> Vec<Flight> {
        let mut all = std::mem::take(&mut self.0);
        all.sort_by_key(|flight| matches!(flight.way, Way::Out { .. }));
        all.truncate(room);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(producer: &str) -> Way {
        Way::In {
            producer: producer.into(),
        }
    }

    fn orders(partition: i32) -> TopicPartition {
        TopicPartition::new("orders", partition)
    }

    #[test]
    fn records_of_the_same_way_fly_together() {
        let mut flights = Flights::default();
        flights.push(Flight::one(from("p1"), orders(0), 7, Some(b"de")));
        flights.push(Flight::one(from("p1"), orders(1), 3, Some(b"fr")));
        flights.push(Flight::batch(from("p1"), orders(0), 20, 13));
        let told: Vec<_> = flights
            .take(MOST)
            .into_iter()
            .map(|it| (it.partition.partition, it.offset, it.letters))
            .collect();
        assert_eq!(told, [(0, 20, "×14".into()), (1, 3, "fr".into())]);
    }

    #[test]
    fn they_are_never_many() {
        let mut flights = Flights::default();
        for producer in 0..100 {
            flights.push(Flight::one(
                from(&format!("p{producer}")),
                orders(0),
                0,
                None,
            ));
        }
        assert_eq!(flights.take(MOST).len(), MOST);
        assert!(flights.take(MOST).is_empty());
        flights.push(Flight::one(from("p1"), orders(0), 0, None));
        assert!(flights.take(0).is_empty());
    }

    #[test]
    fn those_to_a_partition_begin_first() {
        let mut flights = Flights::default();
        let out = Way::Out {
            group: "billing".into(),
            member: "c1".into(),
        };
        flights.push(Flight::one(out.clone(), orders(0), 0, None));
        flights.push(Flight::one(from("p1"), orders(0), 0, None));
        let last = flights.take(MOST).pop();
        assert_eq!(last.map(|it| it.way), Some(out));
    }
}
