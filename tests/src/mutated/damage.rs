//! Bytes that nobody should send.

use bytes::Bytes;

use crate::numbers::Numbers;

/// Bytes of no meaning, of at most 79.
pub fn noise(numbers: &mut Numbers) -> Bytes {
    let length = numbers.below(80);
    (0..length)
        .map(|_| numbers.next().to_le_bytes()[0])
        .collect()
}

/// The bytes with a few things wrong.
pub fn mutate(bytes: Bytes, numbers: &mut Numbers) -> Bytes {
    let mut bytes = bytes.to_vec();
    for _ in 0..=numbers.below(3) {
        if bytes.is_empty() {
            return bytes.into();
        }
        let at = numbers.below(bytes.len());
        match numbers.below(8) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << numbers.below(8),
            2 => bytes[at] = numbers.next().to_le_bytes()[0],
            3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)],
            4 => drop(bytes.remove(at)),
            5 => bytes.insert(at, numbers.next().to_le_bytes()[0]),
            // A length or count that claims much.
            6 => {
                let end = bytes.len().min(at + 4);
                let claim = [0x7f, 0xff, 0xff, 0xff];
                bytes[at..end].copy_from_slice(&claim[..end - at]);
            }
            _ => {
                let end = at + numbers.below(bytes.len() - at + 1);
                bytes.extend_from_within(at..end);
            }
        }
    }
    bytes.into()
}
