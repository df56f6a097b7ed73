//! Names shared by broker and client: topic ids, partitions, logs.

use std::fmt;
use std::str::FromStr;

/// A 16-byte id, written as Kafka writes it: URL-safe base64 without padding, 22 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub [u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    /// All zero: "no id" on the wire.
    pub const ZERO: Self = Self([0; 16]);
    /// The id of `__cluster_metadata` (Kafka's `Uuid.METADATA_TOPIC_ID`).
    pub const METADATA: Self = Self([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// Whether this is [`Uuid::ZERO`].
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        for i in 0..22u32 {
            // 21 groups of six bits from the top, then the last two bits.
            let six = if i < 21 {
                bits >> (122 - 6 * i)
            } else {
                bits << 4
            } & 63;
            let letter = ALPHABET
                .get(usize::try_from(six).unwrap_or(0))
                .copied()
                .unwrap_or(b'A');
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uuid({self})")
    }
}

impl FromStr for Uuid {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 22 {
            return Err(());
        }
        let mut bits: u128 = 0;
        for (i, letter) in text.bytes().enumerate() {
            let six = ALPHABET.iter().position(|&a| a == letter).ok_or(())?;
            let six = u128::try_from(six).map_err(|_| ())?;
            bits = if i < 21 {
                (bits << 6) | six
            } else {
                (bits << 2) | (six >> 4)
            };
        }
        Ok(Self(bits.to_be_bytes()))
    }
}

/// A topic's name and a partition number; shown as `orders-0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Pairs a topic with a partition number.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_as_kafka_writes_it() {
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Uuid::METADATA.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        let id = Uuid(*b"0123456789abcdef");
        assert_eq!(id.to_string(), "MDEyMzQ1Njc4OWFiY2RlZg");
        assert_eq!("MDEyMzQ1Njc4OWFiY2RlZg".parse(), Ok(id));
        assert_eq!("short".parse::<Uuid>(), Err(()));
    }
}
