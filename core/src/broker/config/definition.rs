//! A config's definition: its name, type, default and check, and what Kafka says of a bad value.

use super::ConfigError;

/// Kafka's `ConfigDef.Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    String,
    Int,
    Long,
    Double,
    List,
}

impl Kind {
    /// The number that DescribeConfigs gives it.
    pub(crate) fn code(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::String => 2,
            Self::Int => 3,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
        }
    }
}

/// What a value must satisfy beyond its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Check {
    Any,
    AtLeast(i64),
    Between(i64, i64),
    /// gzip's: a level from 1 to 9, or -1 for the default.
    GzipLevel,
    /// A double between two bounds.
    Ratio(f64, f64),
    OneOf(&'static [&'static str]),
    /// A list of `partition:broker` pairs, or `*`.
    Throttled,
}

/// One config.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// `None` where Kafka's default is null.
    pub(crate) default: Option<&'static str>,
    pub(crate) check: Check,
    /// For a topic config, the broker config that sets its default; for a broker config, whether it
    /// can be changed while the broker runs is in `dynamic`.
    pub(crate) synonym: Option<&'static str>,
    pub(crate) dynamic: bool,
}

/// Defines a broker config that is set at start only.
pub(crate) const fn fixed(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    check: Check,
) -> Definition {
    Definition {
        name,
        kind,
        default,
        check,
        synonym: None,
        dynamic: false,
    }
}

/// Defines a broker config that can be changed while the broker runs.
pub(crate) const fn dynamic(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    check: Check,
) -> Definition {
    Definition {
        name,
        kind,
        default,
        check,
        synonym: None,
        dynamic: true,
    }
}

/// Defines a topic config, with the broker config that sets its default.
pub(crate) const fn topic(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    check: Check,
    synonym: Option<&'static str>,
) -> Definition {
    Definition {
        name,
        kind,
        default: Some(default),
        check,
        synonym,
        dynamic: true,
    }
}

impl Definition {
    /// Checks a value as Kafka's `ConfigDef` does.
    ///
    /// # Errors
    /// In Kafka's pattern: `Invalid value x for configuration retention.ms: Not a number of type LONG`.
    pub(crate) fn validate(&self, value: &str) -> Result<(), ConfigError> {
        let invalid = |shown: &str, why: String| {
            ConfigError(format!(
                "Invalid value {shown} for configuration {}: {why}",
                self.name
            ))
        };
        let trimmed = value.trim();
        match self.kind {
            Kind::Boolean => {
                if parse_bool(trimmed).is_none() {
                    let why = "Expected value to be either true or false".to_owned();
                    return Err(invalid(value, why));
                }
                Ok(())
            }
            Kind::Int | Kind::Long => {
                let number = if self.kind == Kind::Int {
                    trimmed.parse::<i32>().ok().map(i64::from)
                } else {
                    trimmed.parse::<i64>().ok()
                };
                let Some(number) = number else {
                    let why = format!("Not a number of type {}", self.kind.name());
                    return Err(invalid(value, why));
                };
                self.check_number(number)
                    .map_err(|why| invalid(&number.to_string(), why))
            }
            Kind::Double => {
                let Some(number) = double(trimmed) else {
                    return Err(invalid(value, "Not a number of type DOUBLE".to_owned()));
                };
                if let Check::Ratio(least, most) = self.check {
                    if number < least {
                        let why = format!("Value must be at least {least}");
                        return Err(invalid(&format!("{number:?}"), why));
                    }
                    if number > most {
                        let why = format!("Value must be no more than {most}");
                        return Err(invalid(&format!("{number:?}"), why));
                    }
                }
                Ok(())
            }
            Kind::String => self
                .check_choice(trimmed)
                .map_err(|why| invalid(trimmed, why)),
            Kind::List => {
                for item in list_items(value) {
                    self.check_choice(item).map_err(|why| invalid(item, why))?;
                }
                if self.check == Check::Throttled {
                    check_throttled(self.name, value).map_err(|why| {
                        let items: Vec<&str> = list_items(value).collect();
                        invalid(&format!("[{}]", items.join(", ")), why)
                    })?;
                }
                Ok(())
            }
        }
    }

    fn check_number(&self, number: i64) -> Result<(), String> {
        let (least, most) = match self.check {
            Check::AtLeast(least) => (least, i64::MAX),
            Check::Between(least, most) => (least, most),
            Check::GzipLevel => {
                let fits = (1..=9).contains(&number) || number == -1;
                let why = "Value must be between 1 and 9 or equal to -1".to_owned();
                return if fits { Ok(()) } else { Err(why) };
            }
            Check::Any | Check::Ratio(..) | Check::OneOf(_) | Check::Throttled => return Ok(()),
        };
        if number < least {
            return Err(format!("Value must be at least {least}"));
        }
        if number > most {
            return Err(format!("Value must be no more than {most}"));
        }
        Ok(())
    }

    fn check_choice(&self, value: &str) -> Result<(), String> {
        if let Check::OneOf(choices) = self.check
            && !choices.contains(&value)
        {
            return Err(format!("String must be one of: {}", choices.join(", ")));
        }
        Ok(())
    }
}

/// Kafka's booleans: `true` and `false` in any case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The items of a list config: separated by commas, trimmed; an empty text has none.
pub(crate) fn list_items(value: &str) -> impl Iterator<Item = &str> {
    let value = value.trim();
    value
        .split(',')
        .map(str::trim)
        .filter(move |_| !value.is_empty())
}

/// A decimal number as Java writes and reads doubles, `0.5` or `5e-1`. The standard library's
/// parser is right to the last bit for every text, which takes 10 KB of tables; this one is so for
/// up to 15 digits.
fn double(text: &str) -> Option<f64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        number = number * 10.0 + f64::from(digit.to_digit(10)?);
    }
    let places = i32::try_from(fraction.len()).ok()?;
    let exponent = exponent.checked_sub(places)?;
    let scale = 10f64.powi(exponent.saturating_abs());
    let number = if exponent < 0 {
        number / scale
    } else {
        number * scale
    };
    Some(if negative { -number } else { number })
}

fn check_throttled(name: &str, value: &str) -> Result<(), String> {
    let pair = |item: &str| {
        item.split_once(':').is_some_and(|(partition, broker)| {
            partition.parse::<u32>().is_ok() && broker.parse::<u32>().is_ok()
        })
    };
    if value.trim() == "*" || list_items(value).all(pair) {
        return Ok(());
    }
    Err(format!(
        "{name} must be the literal '*' or a list of replicas in the following format: \
         [partitionId]:[brokerId],[partitionId]:[brokerId],..."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_read_as_java_reads_them() {
        for text in [
            "0",
            "1",
            "0.5",
            "-0.25",
            "+1.5",
            ".5",
            "1.",
            "1e3",
            "5E-1",
            "123456.789",
            "1e22",
        ] {
            assert_eq!(double(text), text.parse().ok(), "{text}");
        }
        assert_eq!(double("0.5d"), Some(0.5));
        for text in [
            "", ".", "-", "e5", "1e", "0x1", "1,5", "half", "--1", "1e+-2",
        ] {
            assert_eq!(double(text), None, "{text}");
        }
    }
}
