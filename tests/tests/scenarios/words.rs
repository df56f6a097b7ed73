//! The words of a command, and the things they name: partitions, times, sizes.

use std::collections::VecDeque;

use partita_core::types::TopicPartition;

use crate::world::BEGINNING;

/// What a command says when it cannot be understood.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// What is left of a command's words.
#[derive(Debug)]
pub(crate) struct Words {
    words: VecDeque<String>,
}

impl Words {
    /// Splits at spaces; quotation marks keep words together.
    pub(crate) fn split(text: &str) -> Result<Self> {
        let mut words = VecDeque::new();
        let mut word = String::new();
        let (mut quoted, mut begun) = (false, false);
        for letter in text.chars() {
            match letter {
                '"' => {
                    quoted = !quoted;
                    begun = true;
                }
                ' ' if !quoted => {
                    if std::mem::take(&mut begun) {
                        words.push_back(std::mem::take(&mut word));
                    }
                }
                _ => {
                    word.push(letter);
                    begun = true;
                }
            }
        }
        if quoted {
            return Err("a quotation mark is missing".to_owned());
        }
        if begun {
            words.push_back(word);
        }
        Ok(Self { words })
    }

    /// The next word, which must be there.
    pub(crate) fn next(&mut self, what: &str) -> Result<String> {
        let word = self.words.pop_front();
        word.ok_or_else(|| format!("{what} is missing"))
    }

    /// The next word, if there is one.
    pub(crate) fn next_if_any(&mut self) -> Option<String> {
        self.words.pop_front()
    }

    /// Takes the word out, if it is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let at = self.words.iter().position(|word| word == name);
        at.and_then(|at| self.words.remove(at)).is_some()
    }

    /// Takes `name=value` out, if it is there.
    pub(crate) fn option(&mut self, name: &str) -> Option<String> {
        let value = |word: &String| {
            let value = word.strip_prefix(name)?.strip_prefix('=')?;
            Some(value.to_owned())
        };
        let at = self.words.iter().position(|word| value(word).is_some())?;
        value(&self.words.remove(at)?)
    }

    /// The same for a number.
    pub(crate) fn number<T: std::str::FromStr>(&mut self, name: &str) -> Result<Option<T>> {
        self.option(name).map(|text| number(&text)).transpose()
    }

    /// The same for a span of time, in milliseconds.
    pub(crate) fn millis(&mut self, name: &str, default: i32) -> Result<i32> {
        match self.option(name) {
            None => Ok(default),
            Some(text) => i32::try_from(span(&text)?).map_err(|_| format!("{text} is too long")),
        }
    }

    /// All words that are left.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        self.words.drain(..).collect()
    }

    /// All that are left, as partitions with something each: `orders-0 5 orders-1 7`.
    pub(crate) fn by_partition(&mut self, what: &str) -> Result<Vec<(TopicPartition, String)>> {
        let mut pairs = vec![(partition(&self.next("a partition")?)?, self.next(what)?)];
        while let Some(word) = self.next_if_any() {
            pairs.push((partition(&word)?, self.next(what)?));
        }
        Ok(pairs)
    }

    /// Fails if a word was not understood.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.words.front() {
            Some(word) => Err(format!("nobody asked for {word:?}")),
            None => Ok(()),
        }
    }
}

/// A number.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a number that fits here"))
}

/// A partition: `orders-0`.
pub(crate) fn partition(text: &str) -> Result<TopicPartition> {
    let split = text.rsplit_once('-');
    split
        .and_then(|(topic, partition)| Some(TopicPartition::new(topic, partition.parse().ok()?)))
        .ok_or_else(|| format!("{text:?} is not a partition such as orders-0"))
}

/// Several of them: `orders-0,orders-1`.
pub(crate) fn partitions(text: &str) -> Result<Vec<TopicPartition>> {
    list(text).iter().map(|text| partition(text)).collect()
}

/// Words with commas between them; none for an empty word.
pub(crate) fn list(text: &str) -> Vec<String> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// `name=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String)> {
    let split = text.split_once('=');
    let (name, value) = split.ok_or_else(|| format!("{text:?} is not NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Units of time in milliseconds, largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A span of time in milliseconds: `500ms`, `5s`, `2m`, `1h`, `7d`.
pub(crate) fn span(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    match (digits.parse::<u64>(), unit) {
        (Ok(count), Some((_, millis))) => Ok(count.saturating_mul(*millis)),
        _ => Err(format!(
            "{text:?} is not a span of time such as 500ms, 5s, 2m, 1h, 7d"
        )),
    }
}

/// A span of time as a script writes it.
pub(crate) fn show_span(millis: u64) -> String {
    let unit = UNITS
        .iter()
        .find(|(_, unit)| millis > 0 && millis.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}

/// A wall time, as the span since the scenario began: `@5s`, `@-1h`; in milliseconds since 1970.
pub(crate) fn wall(text: &str) -> Result<i64> {
    let text = text.strip_prefix('@').unwrap_or(text);
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let span = i64::try_from(span(text)?).map_err(|_| format!("{text} is too long"))?;
    Ok(BEGINNING.saturating_add(span.saturating_mul(sign)))
}

/// A wall time as a script writes it.
pub(crate) fn show_wall(wall: i64) -> String {
    let since = wall.saturating_sub(BEGINNING);
    let sign = if since < 0 { "-" } else { "" };
    format!("@{sign}{}", show_span(since.unsigned_abs()))
}
