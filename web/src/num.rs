//! JavaScript's one kind of number, and ours.

/// A count or time of JavaScript as an integer: fractions are cut off, what lies outside (or is no
/// number) goes to the nearest end, NaN to 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from f64 saturates, which is what is wanted here"
)]
pub(crate) fn to_u64(number: f64) -> u64 {
    number as u64
}

/// The same for times that may lie before 1970.
#[expect(clippy::cast_possible_truncation, reason = "`as` from f64 saturates")]
pub(crate) fn to_i64(number: f64) -> i64 {
    number as i64
}

/// An integer as JavaScript's number; exact up to 2^53.
pub(crate) fn to_f64(number: u64) -> f64 {
    number as f64
}

/// A length as JavaScript counts bytes in a buffer: 32 bits are all a wasm memory has.
pub(crate) fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A length of JavaScript's as Rust's.
pub(crate) fn to_usize(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_to_the_nearest_end() {
        assert_eq!(to_u64(1.9), 1);
        assert_eq!(to_u64(-5.0), 0);
        assert_eq!(to_u64(f64::NAN), 0);
        assert_eq!(to_u64(f64::INFINITY), u64::MAX);
        assert_eq!(to_i64(-1.5), -1);
    }
}
