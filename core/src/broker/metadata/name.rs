//! Topic names: what Kafka allows, and which names its metrics would confuse.

/// The most characters of a topic's name.
const MAX_LENGTH: usize = 249;

/// Checks a topic's name as Kafka's `Topic.validate` does.
///
/// # Errors
/// What Kafka says with `INVALID_TOPIC_EXCEPTION`.
pub(crate) fn validate_topic_name(name: &str) -> Result<(), String> {
    let why = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.len() > MAX_LENGTH {
        format!("the length of '{name}' is longer than the max allowed length {MAX_LENGTH}")
    } else if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        )
    } else {
        return Ok(());
    };
    Err(format!("Topic name is invalid: {why}"))
}

/// Whether two names differ only in `.` and `_`, which Kafka's metrics take for the same.
pub(crate) fn collides(one: &str, other: &str) -> bool {
    one != other && one.replace('.', "_") == other.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_kafka_checks_them() {
        for good in ["orders", "a.b-c_D9", &"x".repeat(249)] {
            assert_eq!(validate_topic_name(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "\u{e9}", &"x".repeat(250)] {
            assert!(validate_topic_name(bad).is_err(), "{bad}");
        }
        assert!(collides("a.b", "a_b") && !collides("a.b", "a.b") && !collides("a.b", "a-b"));
    }
}
