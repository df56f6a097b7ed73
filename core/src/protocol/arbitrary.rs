//! Makes messages of any content for tests: only fields that a version has differ from defaults.

use bytes::Bytes;

use super::error::ErrorCode;
use super::wire::{Message, Records};
use crate::types::Uuid;

/// Where the values come from: numbers that the caller draws, for one version of a message.
pub struct Source<'a> {
    next: &'a mut dyn FnMut() -> u64,
    version: i16,
    /// How many arrays may still be opened inside each other.
    depth: u32,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Source<'_> {
    /// The version that is being made.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.version
    }

    /// A number below `bound`, or 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next)().checked_rem(bound).unwrap_or(0)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| (self.next)().to_le_bytes()[0])
    }

    fn length(&mut self) -> u64 {
        match self.below(16) {
            0..=3 => 0,
            4..=13 => self.below(12),
            14 => self.below(200),
            _ => self.below(3000),
        }
    }
}

/// A message as `version` can carry it, from numbers drawn one after the other.
pub fn message<M: Message + Arbitrary>(version: i16, next: &mut dyn FnMut() -> u64) -> M {
    M::arbitrary(&mut Source {
        next,
        version,
        depth: 0,
    })
}

/// A value of any content.
pub trait Arbitrary: Sized {
    /// Draws one.
    fn arbitrary(source: &mut Source<'_>) -> Self;
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Arbitrary for $type {
            fn arbitrary(source: &mut Source<'_>) -> Self {
                match source.below(8) {
                    0 => Self::MIN,
                    1 => Self::MAX,
                    2 | 3 => 0,
                    _ => Self::from_be_bytes(source.bytes()),
                }
            }
        }
    )*};
}

numbers!(i8, i16, u16, i32, u32, i64);

impl Arbitrary for f64 {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        Self::from(i32::arbitrary(source)) / 16.0
    }
}

impl Arbitrary for bool {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        source.below(2) == 1
    }
}

impl Arbitrary for ErrorCode {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        Self(i16::arbitrary(source))
    }
}

impl Arbitrary for Uuid {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        match source.below(4) {
            0 => Self::ZERO,
            _ => Self(source.bytes()),
        }
    }
}

impl Arbitrary for String {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        let letters = [
            'a',
            'Z',
            '.',
            '_',
            '0',
            ' ',
            '\0',
            '\u{e9}',
            '\u{20ac}',
            '\u{1f600}',
        ];
        (0..source.length())
            .map(|_| {
                let at = source.below(10);
                letters
                    .into_iter()
                    .nth(usize::try_from(at).unwrap_or(0))
                    .unwrap_or('a')
            })
            .collect()
    }
}

impl Arbitrary for Bytes {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        (0..source.length())
            .map(|_| {
                let [byte] = source.bytes();
                byte
            })
            .collect::<Vec<u8>>()
            .into()
    }
}

impl Arbitrary for Records {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        Self::Bytes(Option::arbitrary(source))
    }
}

impl<T: Arbitrary> Arbitrary for Option<T> {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        (source.below(3) > 0).then(|| T::arbitrary(source))
    }
}

impl<T: Arbitrary> Arbitrary for Vec<T> {
    fn arbitrary(source: &mut Source<'_>) -> Self {
        let most = if source.depth < 2 { 4 } else { 3 };
        let count = source.below(most);
        source.depth = source.depth.saturating_add(1);
        let elements = (0..count).map(|_| T::arbitrary(source)).collect();
        source.depth = source.depth.saturating_sub(1);
        elements
    }
}
