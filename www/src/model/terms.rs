//! Kafka's terms that the page uses, each explained in one line.

/// A term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    HighWatermark,
    LogEndOffset,
    LogStartOffset,
    Committed,
    Position,
    Lag,
    Generation,
    Assignor,
    Leader,
    Empty,
    Preparing,
    Completing,
    Stable,
    Acks,
    Idempotence,
    Partitioner,
    ConsumerGroup,
    Partition,
    Pause,
    Seek,
    Leave,
    Crash,
    ByHand,
}

impl Term {
    /// All of them.
    pub(crate) const ALL: [Self; 23] = [
        Self::HighWatermark,
        Self::LogEndOffset,
        Self::LogStartOffset,
        Self::Committed,
        Self::Position,
        Self::Lag,
        Self::Generation,
        Self::Assignor,
        Self::Leader,
        Self::Empty,
        Self::Preparing,
        Self::Completing,
        Self::Stable,
        Self::Acks,
        Self::Idempotence,
        Self::Partitioner,
        Self::ConsumerGroup,
        Self::Partition,
        Self::Pause,
        Self::Seek,
        Self::Leave,
        Self::Crash,
        Self::ByHand,
    ];

    /// Its name in `data-term`: Kafka's own where Kafka writes it so.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HighWatermark => "high-watermark",
            Self::LogEndOffset => "log-end-offset",
            Self::LogStartOffset => "log-start-offset",
            Self::Committed => "committed",
            Self::Position => "position",
            Self::Lag => "lag",
            Self::Generation => "generation",
            Self::Assignor => "assignor",
            Self::Leader => "leader",
            Self::Empty => "Empty",
            Self::Preparing => "PreparingRebalance",
            Self::Completing => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Acks => "acks",
            Self::Idempotence => "idempotence",
            Self::Partitioner => "partitioner",
            Self::ConsumerGroup => "group",
            Self::Partition => "partition",
            Self::Pause => "pause",
            Self::Seek => "seek",
            Self::Leave => "leave",
            Self::Crash => "crash",
            Self::ByHand => "by-hand",
        }
    }

    /// The line.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::HighWatermark => {
                "High watermark (HW): records below it are durable, and consumers may read them."
            }
            Self::LogEndOffset => "Log end offset (LEO): the offset that the next record gets.",
            Self::LogStartOffset => {
                "Log start offset: the first offset that is still there. Retention and deletion move it on."
            }
            Self::Committed => {
                "Committed offset: where the group reads on after a crash or a restart. It moves \
                 only when a record is acknowledged."
            }
            Self::Position => {
                "Position: the next record that the consumer takes. A seek moves it, the committed \
                 offset stays."
            }
            Self::Lag => {
                "Lag: records that can be read but are not acknowledged yet, so high watermark \
                 minus committed offset."
            }
            Self::Generation => {
                "Generation: goes up by one whenever the group assigns its partitions anew. \
                 Requests of an older one are refused."
            }
            Self::Assignor => "Assignor: the rule by which the leader gives partitions to members.",
            Self::Leader => "Leader: the member that runs the assignor for the whole group.",
            Self::Empty => "Empty: the group has no members; its offsets are kept.",
            Self::Preparing => {
                "PreparingRebalance: the broker waits until all members have joined again."
            }
            Self::Completing => {
                "CompletingRebalance: all have joined; the leader assigns the partitions."
            }
            Self::Stable => "Stable: each partition has its owner.",
            Self::Acks => {
                "acks: when the broker answers. all = when the record is durable, 1 = when it is in \
                 the log, 0 = never."
            }
            Self::Idempotence => "Idempotence: retries never store a record twice.",
            Self::Partitioner => {
                "Partitioner: chooses the partition. With a key by its hash (murmur2), so that a \
                 key keeps its partition and its order; without a key in turn."
            }
            Self::ConsumerGroup => {
                "Consumer group: consumers with the same group id share a topic's partitions; each \
                 group reads all records."
            }
            Self::Partition => {
                "Partition: a log of its own, with its own offsets. Order holds within it, and in a \
                 group it has one owner."
            }
            Self::Pause => "It takes no records, and stays a member: its partitions stay with it.",
            Self::Seek => {
                "Rewinds or skips: to the beginning, the end, an offset or a time. Records are not \
                 removed when they are read."
            }
            Self::Leave => {
                "Says goodbye with LeaveGroup: its partitions go to the other members at once."
            }
            Self::Crash => {
                "Vanishes without a word: its partitions go to the others only when \
                 session.timeout.ms ends."
            }
            Self::ByHand => {
                "Nothing is committed until you acknowledge it. What is not acknowledged comes \
                 again after a crash."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_term_has_a_name_of_its_own_and_one_line() {
        let names: BTreeSet<_> = Term::ALL.into_iter().map(Term::name).collect();
        assert_eq!(names.len(), Term::ALL.len());
        for term in Term::ALL {
            assert!(term.meaning().len() < 160, "{}", term.meaning());
        }
    }
}
