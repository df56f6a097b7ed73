//! Rules that a test can have broken, to show that whoever watches the broker notices.
//!
//! Without the feature `testing` nothing of this is in the broker: [`broken`] is `false`, and the
//! compiler leaves out what depends on it.

/// A rule that the broker breaks when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(any(test, feature = "testing")),
    allow(unreachable_pub, reason = "only tests name it")
)]
pub enum Rule {
    /// Every opening begins a leader epoch.
    EpochsRise,
    /// With acks=all a Produce is answered when its batches are durable.
    AcknowledgedIsDurable,
    /// What storage has not answered is not durable.
    StorageAnswersFirst,
    /// After a failure the log goes on where it was durable.
    NoHoles,
    /// A producer's batches are known again after an opening.
    ProducersAreKnown,
    /// Commits are those of the present generation.
    CommitsAreOfTheGeneration,
    /// What was pending in a log that failed never happened.
    PendingIsRolledBack,
    /// Readers see durable offsets.
    ReadersSeeDurableOffsets,
    /// A commit that is acknowledged is in the log.
    CommitsAreWritten,
    /// A member gets what the leader gave it.
    SharesAreTheirs,
    /// Every request is answered.
    RequestsAreAnswered,
}

#[cfg(any(test, feature = "testing"))]
mod switch {
    use std::cell::Cell;

    use super::Rule;

    thread_local! {
        static BROKEN: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    /// From now on every broker of this thread breaks a rule, or none.
    pub fn break_rule(rule: Option<Rule>) {
        BROKEN.set(rule);
    }

    /// Whether a rule is to be broken.
    pub(crate) fn broken(rule: Rule) -> bool {
        BROKEN.get() == Some(rule)
    }
}

#[cfg(not(any(test, feature = "testing")))]
mod switch {
    use super::Rule;

    /// Whether a rule is to be broken: never.
    pub(crate) const fn broken(_: Rule) -> bool {
        false
    }
}

#[cfg(any(test, feature = "testing"))]
pub use switch::break_rule;
pub(crate) use switch::broken;
