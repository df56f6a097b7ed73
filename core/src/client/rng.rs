//! The client's randomness, from the 32 bytes that its host gives at creation: jitter of waits,
//! where round robin starts, the names of consumers.

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A generator that the same seed always starts alike; only tests use a seed twice.
pub struct Rng(ChaCha12Rng);

impl std::fmt::Debug for Rng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rng")
    }
}

impl Rng {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha12Rng::from_seed(seed))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `bound`, which is left out; 0 if `bound` is 0. So slightly uneven that no
    /// use here can tell.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A seed for a generator that is independent of this one from now on.
    pub fn fork(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// A random (version 4) UUID in its hyphenated form.
    pub fn uuid(&mut self) -> String {
        let mut bits = u128::from(self.next_u64()) << 64 | u128::from(self.next_u64());
        bits = bits & !(0xf << 76) | 0x4 << 76;
        bits = bits & !(0x3 << 62) | 0x2 << 62;
        let hex = format!("{bits:032x}");
        let mut text = String::with_capacity(36);
        for (i, digit) in hex.chars().enumerate() {
            if matches!(i, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            text.push(digit);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn a_uuid_has_the_form_of_version_4() {
        let mut rng = Rng::new([7; 32]);
        for _ in 0..100 {
            let id = rng.uuid();
            let parts: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(id.chars().nth(14), Some('4'), "{id}");
            assert!(
                id.chars().nth(19).is_some_and(|c| "89ab".contains(c)),
                "{id}"
            );
        }
    }
}
