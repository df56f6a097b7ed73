//! Figures and bytes as people read them.

/// A whole number with thin gaps between thousands.
pub(crate) fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::new();
    if value < 0 {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len().saturating_sub(at)).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// A size in bytes, with a unit.
pub(crate) fn bytes(value: f64) -> String {
    let mut value = value;
    for unit in ["B", "KB", "MB", "GB"] {
        if value < 1000.0 || unit == "GB" {
            return match unit {
                "B" => format!("{value:.0} B"),
                _ if value < 10.0 => format!("{value:.1} {unit}"),
                _ => format!("{value:.0} {unit}"),
            };
        }
        value /= 1000.0;
    }
    String::new()
}

/// `hh:mm:ss.t` of a duration in milliseconds.
pub(crate) fn clock(millis: u64) -> String {
    let (tenths, seconds) = (millis / 100 % 10, millis / 1_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{tenths}", seconds % 60)
}

/// `mm:ss.t` of a wall time in milliseconds.
pub(crate) fn minute(wall: i64) -> String {
    let tenths = wall.rem_euclid(3_600_000) / 100;
    let (minutes, rest) = (tenths / 600, tenths % 600);
    format!("{minutes:02}:{:02}.{}", rest / 10, rest % 10)
}

/// A key or value: text where it is text, else in hexadecimal.
pub(crate) fn content(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".into(),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text)
                if !text
                    .chars()
                    .any(|c| c.is_control() && c != '\n' && c != '\t') =>
            {
                text.to_owned()
            }
            Ok(_) | Err(_) => hex(bytes),
        },
    }
}

/// Bytes in hexadecimal, at most the first 256.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(256).map(|byte| format!("{byte:02x}"));
    let mut out = shown.collect::<Vec<_>>().join(" ");
    if bytes.len() > 256 {
        out.push_str(" …");
    }
    out
}

/// `1 record`, `2 records`.
pub(crate) fn count(value: i64, one: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {one}{plural}", number(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(number(-12), "-12");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(1_900_000.0), "1.9 MB");
        assert_eq!(clock(3_723_450), "01:02:03.4");
        assert_eq!(minute(61_500), "01:01.5");
        assert_eq!(count(1, "record"), "1 record");
    }

    #[test]
    fn bytes_that_are_no_text_are_hexadecimal() {
        assert_eq!(content(Some(b"42")), "42");
        assert_eq!(content(Some(&[0xff, 0])), "ff 00");
        assert_eq!(content(None), "null");
    }
}
