//! Variable-length integers of records: zigzag, seven bits a byte, least significant first.
//!
//! A reader never looks beyond its slice, and refuses what does not end within 5 bytes (32 bits)
//! or 10 bytes (64 bits), as Kafka's `ByteUtils` does.

/// Takes a signed 32-bit integer off the front of `input`; `None` if it is cut short or too long.
#[inline(always)]
pub fn read_i32(input: &mut &[u8]) -> Option<i32> {
    // Most are a single byte.
    if let Some((&byte @ ..0x80, rest)) = input.split_first() {
        *input = rest;
        let byte = i32::from(byte);
        return Some((byte >> 1) ^ (byte & 1).wrapping_neg());
    }
    let raw = read_u32(input)?;
    Some((raw >> 1).cast_signed() ^ (raw & 1).cast_signed().wrapping_neg())
}

/// Takes a signed 64-bit integer off the front of `input`; `None` if it is cut short or too long.
#[inline(always)]
pub fn read_i64(input: &mut &[u8]) -> Option<i64> {
    // Most are a single byte.
    if let Some((&byte @ ..0x80, rest)) = input.split_first() {
        *input = rest;
        let byte = i64::from(byte);
        return Some((byte >> 1) ^ (byte & 1).wrapping_neg());
    }
    let mut raw = 0u64;
    for shift in [0, 7, 14, 21, 28, 35, 42, 49, 56, 63] {
        let byte = take(input)?;
        // The tenth byte has room for one bit; the others fall off, as in Kafka.
        raw |= u64::from(byte & 0x7F).wrapping_shl(shift);
        if byte < 0x80 {
            return Some((raw >> 1).cast_signed() ^ (raw & 1).cast_signed().wrapping_neg());
        }
    }
    None
}

/// Appends `value` to `out`.
#[inline(always)]
pub fn write_i32(value: i32, out: &mut Vec<u8>) {
    write_u64(u64::from(zigzag_i32(value)), out);
}

/// Appends `value` to `out`.
#[inline(always)]
pub fn write_i64(value: i64, out: &mut Vec<u8>) {
    write_u64(zigzag_i64(value), out);
}

/// How many bytes [`write_i32`] writes.
#[must_use]
#[inline(always)]
pub fn size_i32(value: i32) -> usize {
    size_u64(u64::from(zigzag_i32(value)))
}

/// How many bytes [`write_i64`] writes.
#[must_use]
#[inline(always)]
pub fn size_i64(value: i64) -> usize {
    size_u64(zigzag_i64(value))
}

#[inline(always)]
fn read_u32(input: &mut &[u8]) -> Option<u32> {
    let mut raw = 0u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = take(input)?;
        raw |= u32::from(byte & 0x7F).wrapping_shl(shift);
        if byte < 0x80 {
            return Some(raw);
        }
    }
    None
}

#[inline(always)]
fn take(input: &mut &[u8]) -> Option<u8> {
    let (first, rest) = input.split_first()?;
    *input = rest;
    Some(*first)
}

#[inline(always)]
fn write_u64(mut raw: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = raw.to_le_bytes();
        raw >>= 7;
        if raw == 0 {
            out.push(low & 0x7F);
            return;
        }
        out.push(low | 0x80);
    }
}

#[inline(always)]
fn size_u64(raw: u64) -> usize {
    match raw {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        0x1000_0000..0x8_0000_0000 => 5,
        0x8_0000_0000..0x400_0000_0000 => 6,
        0x400_0000_0000..0x2_0000_0000_0000 => 7,
        0x2_0000_0000_0000..0x100_0000_0000_0000 => 8,
        0x100_0000_0000_0000..0x8000_0000_0000_0000 => 9,
        0x8000_0000_0000_0000.. => 10,
    }
}

#[inline(always)]
fn zigzag_i32(value: i32) -> u32 {
    value.cast_unsigned().wrapping_shl(1) ^ (value >> 31).cast_unsigned()
}

#[inline(always)]
fn zigzag_i64(value: i64) -> u64 {
    value.cast_unsigned().wrapping_shl(1) ^ (value >> 63).cast_unsigned()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn known_encodings() {
        // From Kafka's ByteUtilsTest.
        for (value, bytes) in [
            (0, &[0x00][..]),
            (-1, &[0x01]),
            (1, &[0x02]),
            (63, &[0x7E]),
            (-64, &[0x7F]),
            (64, &[0x80, 0x01]),
            (-65, &[0x81, 0x01]),
            (8191, &[0xFE, 0x7F]),
            (i32::MAX, &[0xFE, 0xFF, 0xFF, 0xFF, 0x0F]),
            (i32::MIN, &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        ] {
            let mut out = Vec::new();
            write_i32(value, &mut out);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(size_i32(value), bytes.len());
            assert_eq!(read_i32(&mut &out[..]), Some(value));
        }
    }

    #[test]
    fn every_power_of_two_round_trips() {
        for shift in 0..64 {
            for near in [-1i64, 0, 1] {
                for value in [
                    (1i64 << shift).wrapping_add(near),
                    (1i64 << shift).wrapping_neg().wrapping_add(near),
                ] {
                    let mut out = Vec::new();
                    write_i64(value, &mut out);
                    assert_eq!(out.len(), size_i64(value));
                    let mut input = &out[..];
                    assert_eq!(read_i64(&mut input), Some(value));
                    assert!(input.is_empty());
                    for cut in 0..out.len() {
                        assert_eq!(read_i64(&mut &out[..cut]), None);
                    }
                }
            }
        }
    }

    #[test]
    fn what_never_ends_is_refused() {
        assert_eq!(read_i32(&mut &[0x80, 0x80, 0x80, 0x80, 0x80, 0][..]), None);
        assert_eq!(read_i64(&mut &[0x80; 11][..]), None);
        assert_eq!(read_i32(&mut &[][..]), None);
    }
}
