//! Randomness, from the 256 bits that the host hands over at each open.

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::types::Uuid;

/// A cryptographic generator seeded once. Only the simulator gives the same seed twice.
pub(crate) struct Rng(ChaCha12Rng);

impl std::fmt::Debug for Rng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rng")
    }
}

impl Rng {
    /// Starts from a seed.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha12Rng::from_seed(seed))
    }

    /// 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A random (version 4) UUID that is none of Kafka's reserved ones and, as Kafka sees to it,
    /// does not start with `-` in its base64 form.
    pub(crate) fn uuid(&mut self) -> Uuid {
        loop {
            let mut bytes = [0; 16];
            self.0.fill_bytes(&mut bytes);
            bytes[6] = bytes[6] & 0x0f | 0x40;
            bytes[8] = bytes[8] & 0x3f | 0x80;
            let id = Uuid(bytes);
            if !id.to_string().starts_with('-') {
                return id;
            }
        }
    }

    /// A random UUID in the hyphenated form of `java.util.UUID`: the tail of a member id.
    pub(crate) fn member_suffix(&mut self) -> String {
        let hex: String = self
            .uuid()
            .0
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
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
