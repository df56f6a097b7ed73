//! CRC-32C (Castagnoli), the checksum of record batches, in safe and portable Rust; and gzip's
//! CRC-32, which differs in its polynomial.
//!
//! Two interleaved streams over 8-byte words ("braids", as in zlib's `crc32.c` by Mark Adler)
//! keep two table look-up chains busy at once; what is left over goes word by word, then byte by
//! byte. The tables (16 KiB) are made at first use, which keeps them out of the wasm file.
//!
//! Sources: RFC 3720, appendix B.4 (test vectors); Adler's notes in zlib on braided CRCs.

use std::sync::LazyLock;

/// Castagnoli's polynomial, bit-reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;
/// That of IEEE 802.3, bit-reversed.
#[cfg(feature = "gzip")]
const GZIP_POLYNOMIAL: u32 = 0xEDB8_8320;

/// The CRC-32C of `bytes`.
///
/// ```
/// assert_eq!(partita_core::records::crc32c::checksum(b"123456789"), 0xE306_9283);
/// ```
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    extend(0, bytes)
}

/// The CRC-32C of some bytes whose CRC-32C is `crc`, followed by `bytes`.
///
/// `extend(checksum(a), b)` is `checksum(a + b)`, so a checksum can run over separate buffers.
#[must_use]
pub fn extend(crc: u32, bytes: &[u8]) -> u32 {
    TABLES.extend(crc, bytes)
}

/// The CRC-32 of gzip (RFC 1952, section 8).
#[cfg(feature = "gzip")]
pub(super) fn gzip_checksum(bytes: &[u8]) -> u32 {
    static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::new(GZIP_POLYNOMIAL));
    TABLES.extend(0, bytes)
}

#[inline(always)]
fn halves(pair: &[u8; 16]) -> ([u8; 8], [u8; 8]) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *pair;
    ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p])
}

/// `0[n][b]` is the state after the byte `b` and `n` zero bytes, from state 0.
struct Tables([[u32; 256]; 16]);

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::new(POLYNOMIAL));

impl Tables {
    fn new(polynomial: u32) -> Self {
        let mut tables = [[0u32; 256]; 16];
        let mut previous = [0u32; 256];
        for (byte, entry) in (0u32..).zip(previous.iter_mut()) {
            *entry = (0..8).fold(byte, |state, _| {
                if state & 1 == 0 {
                    state >> 1
                } else {
                    (state >> 1) ^ polynomial
                }
            });
        }
        let one_byte = previous;
        for table in &mut tables {
            *table = previous;
            for entry in &mut previous {
                let [low, ..] = entry.to_le_bytes();
                *entry = (*entry >> 8) ^ pick(&one_byte, low);
            }
        }
        Self(tables)
    }

    fn extend(&self, crc: u32, bytes: &[u8]) -> u32 {
        let (pairs, rest) = bytes.as_chunks::<16>();
        let mut state = !crc;
        if let Some((last, front)) = pairs.split_last() {
            // Each stream handles every other word; `even` also carries the state so far.
            let (mut even, mut odd) = (state, 0);
            for pair in front {
                let (a, b) = halves(pair);
                even = self.braid(even, a);
                odd = self.braid(odd, b);
            }
            let (a, b) = halves(last);
            state = self.word(even, a);
            state = self.word(state ^ odd, b);
        }
        let (words, rest) = rest.as_chunks::<8>();
        for word in words {
            state = self.word(state, *word);
        }
        for &byte in rest {
            state = self.byte(state, byte);
        }
        !state
    }

    /// The state's share after `word`, moved on to the start of the next word but one.
    #[inline(always)]
    fn braid(&self, state: u32, word: [u8; 8]) -> u32 {
        let [_, _, _, _, _, _, _, _, t8, t9, t10, t11, t12, t13, t14, t15] = &self.0;
        let [a, b, c, d, e, f, g, h] = mix(state, word);
        pick(t15, a)
            ^ pick(t14, b)
            ^ pick(t13, c)
            ^ pick(t12, d)
            ^ pick(t11, e)
            ^ pick(t10, f)
            ^ pick(t9, g)
            ^ pick(t8, h)
    }

    /// The state after `word`.
    #[inline(always)]
    fn word(&self, state: u32, word: [u8; 8]) -> u32 {
        let [t0, t1, t2, t3, t4, t5, t6, t7, ..] = &self.0;
        let [a, b, c, d, e, f, g, h] = mix(state, word);
        pick(t7, a)
            ^ pick(t6, b)
            ^ pick(t5, c)
            ^ pick(t4, d)
            ^ pick(t3, e)
            ^ pick(t2, f)
            ^ pick(t1, g)
            ^ pick(t0, h)
    }

    #[inline(always)]
    fn byte(&self, state: u32, byte: u8) -> u32 {
        let [t0, ..] = &self.0;
        let [low, ..] = state.to_le_bytes();
        (state >> 8) ^ pick(t0, low ^ byte)
    }
}

/// The word with the state folded into its first four bytes.
#[inline(always)]
fn mix(state: u32, word: [u8; 8]) -> [u8; 8] {
    (u64::from_le_bytes(word) ^ u64::from(state)).to_le_bytes()
}

#[inline(always)]
#[expect(
    clippy::indexing_slicing,
    reason = "a u8 is always below 256; written so that no bounds check is left"
)]
fn pick(table: &[u32; 256], byte: u8) -> u32 {
    table[usize::from(byte)]
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// One bit at a time: slow, and obviously the definition.
    fn bitwise(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |state, byte| {
            (0..8).fold(state ^ u32::from(*byte), |state, _| {
                (state >> 1) ^ (POLYNOMIAL & 0u32.wrapping_sub(state & 1))
            })
        })
    }

    #[test]
    fn the_vectors_of_rfc_3720() {
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        assert_eq!(checksum(&[0; 32]), 0x8A91_36AA);
        assert_eq!(checksum(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(checksum(&rising), 0x46DD_794E);
        assert_eq!(checksum(&falling), 0x113F_DB5C);
        assert_eq!(checksum(b"123456789"), 0xE306_9283);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    #[cfg(feature = "gzip")]
    fn the_check_value_of_gzip() {
        assert_eq!(gzip_checksum(b"123456789"), 0xCBF4_3926);
        assert_eq!(gzip_checksum(b""), 0);
    }

    #[test]
    fn every_length_and_every_split_agree_with_the_definition() {
        let bytes: Vec<u8> = (0..200u32)
            .map(|i| i.wrapping_mul(0x9E37_79B1).to_be_bytes()[0])
            .collect();
        for length in 0..bytes.len() {
            let part = &bytes[..length];
            let expected = bitwise(part);
            assert_eq!(checksum(part), expected, "length {length}");
            for at in [0, 1, 7, 8, 9, 16, 40]
                .into_iter()
                .filter(|at| *at <= length)
            {
                let (a, b) = part.split_at(at);
                assert_eq!(extend(checksum(a), b), expected, "length {length} at {at}");
            }
        }
    }
}
