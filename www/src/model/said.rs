//! What is said aloud by assistive tools: not every change, for speech is slow.

use std::rc::Rc;

/// At most one message in so many milliseconds.
const APART_MILLIS: u64 = 2_000;

/// What one speaker says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    text: Rc<str>,
    /// When it began to say that; `None` before its first message.
    since: Option<u64>,
}

impl Said {
    /// What is to be said at this time, in milliseconds, when `text` holds: that, or still what was
    /// said last.
    pub(crate) fn say(&mut self, now: u64, text: String) -> Rc<str> {
        let busy = self
            .since
            .is_some_and(|since| now.saturating_sub(since) < APART_MILLIS);
        if !busy && *self.text != *text {
            self.text = text.into();
            self.since = Some(now);
        }
        Rc::clone(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_in_two_seconds_and_then_the_newest() {
        let mut said = Said::default();
        assert_eq!(&*said.say(500, "one".into()), "one");
        assert_eq!(&*said.say(600, "two".into()), "one");
        assert_eq!(&*said.say(2_400, "three".into()), "one");
        assert_eq!(&*said.say(2_500, "three".into()), "three");
        assert_eq!(&*said.say(9_000, "three".into()), "three");
    }
}
