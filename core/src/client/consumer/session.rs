//! A fetch session (KIP-227): the broker remembers which partitions are fetched from where, and a
//! request says only what has changed.
//!
//! Epoch 0 asks for a new session with everything; then each request counts up. An answer with
//! session id 0 means that there is none, and the next request asks again. A request that failed
//! leaves the broker's side unknown: the next one closes that session and begins another.

use crate::sorted::SortedMap;

use crate::protocol::ErrorCode;
use crate::protocol::messages::FetchRequest;
use crate::protocol::messages::fetch::{FetchPartition, FetchTopic, ForgottenTopic};
use crate::types::{TopicPartition, Uuid};

/// The epoch of a request that wants no session.
const NO_SESSION: i32 = -1;

/// A partition as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) topic_id: Uuid,
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) max_bytes: i32,
}

/// Our side of a session with one broker.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
    /// What the broker remembers.
    partitions: SortedMap<TopicPartition, Wanted>,
}

impl Session {
    /// Fills in what a request says to get exactly these partitions, in this order where the order
    /// is new to the broker.
    pub(super) fn ask(&mut self, request: &mut FetchRequest, wanted: &[(TopicPartition, Wanted)]) {
        let now: SortedMap<_, _> = wanted.iter().cloned().collect();
        let known = std::mem::replace(&mut self.partitions, now);
        // A topic that was created anew is another one: older versions could not say so.
        let other = |(name, before): (&TopicPartition, &Wanted)| {
            let now = self.partitions.get(name);
            now.is_some_and(|now| now.topic_id != before.topic_id)
        };
        if known.iter().any(other) {
            self.epoch = 0;
        }
        request.session_id = self.id;
        request.session_epoch = self.epoch;
        if self.epoch == 0 {
            request.topics = by_topic(wanted.iter());
            return;
        }
        let changed = wanted
            .iter()
            .filter(|(name, it)| known.get(name) != Some(it));
        request.topics = by_topic(changed);
        for (name, before) in &known {
            if !self.partitions.contains_key(name) {
                forget(&mut request.forgotten_topics_data, name, before.topic_id);
            }
        }
    }

    /// A request was answered without an error of the session.
    pub(super) fn answered(&mut self, id: i32) {
        if id == 0 {
            *self = Self::default();
        } else {
            self.id = id;
            self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        }
    }

    /// A request has failed, or was answered with an error of the session.
    pub(super) fn failed(&mut self, code: Option<ErrorCode>) {
        if code == Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND) {
            self.id = 0;
        }
        self.epoch = 0;
        self.partitions.clear();
    }
}

/// Fills in what a request says that wants no session.
pub(super) fn ask_without_session(request: &mut FetchRequest, wanted: &[(TopicPartition, Wanted)]) {
    request.session_id = 0;
    request.session_epoch = NO_SESSION;
    request.topics = by_topic(wanted.iter());
}

/// Partitions under their topics; neighbours of one topic share an entry, so the order stays.
fn by_topic<'a>(wanted: impl Iterator<Item = &'a (TopicPartition, Wanted)>) -> Vec<FetchTopic> {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for (name, wanted) in wanted {
        let partition = FetchPartition {
            partition: name.partition,
            current_leader_epoch: wanted.leader_epoch,
            fetch_offset: wanted.offset,
            partition_max_bytes: wanted.max_bytes,
            ..FetchPartition::default()
        };
        match topics.last_mut() {
            Some(last) if last.topic == name.topic => last.partitions.push(partition),
            _ => topics.push(FetchTopic {
                topic: name.topic.clone(),
                topic_id: wanted.topic_id,
                partitions: vec![partition],
            }),
        }
    }
    topics
}

fn forget(topics: &mut Vec<ForgottenTopic>, name: &TopicPartition, topic_id: Uuid) {
    match topics.last_mut() {
        Some(last) if last.topic == name.topic && last.topic_id == topic_id => {
            last.partitions.push(name.partition);
        }
        _ => topics.push(ForgottenTopic {
            topic: name.topic.clone(),
            topic_id,
            partitions: vec![name.partition],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(list: &[(i32, i64)]) -> Vec<(TopicPartition, Wanted)> {
        let wanted = list.iter().map(|(partition, offset)| {
            let wanted = Wanted {
                topic_id: Uuid([1; 16]),
                offset: *offset,
                leader_epoch: 0,
                max_bytes: 10,
            };
            (TopicPartition::new("t", *partition), wanted)
        });
        wanted.collect()
    }

    fn ask(session: &mut Session, list: &[(i32, i64)]) -> (i32, i32, Vec<i32>, Vec<i32>) {
        let mut request = FetchRequest::default();
        session.ask(&mut request, &wanted(list));
        let topics = request.topics.iter().flat_map(|topic| &topic.partitions);
        let forgotten = request.forgotten_topics_data.iter();
        (
            request.session_id,
            request.session_epoch,
            topics.map(|it| it.partition).collect(),
            forgotten.flat_map(|it| it.partitions.clone()).collect(),
        )
    }

    #[test]
    fn only_changes_are_said() {
        let mut session = Session::default();
        assert_eq!(
            ask(&mut session, &[(1, 0), (0, 0)]),
            (0, 0, vec![1, 0], vec![])
        );
        session.answered(7);
        assert_eq!(
            ask(&mut session, &[(0, 0), (1, 5)]),
            (7, 1, vec![1], vec![])
        );
        session.answered(7);
        assert_eq!(ask(&mut session, &[(1, 5)]), (7, 2, vec![], vec![0]));
        session.answered(7);
        assert_eq!(
            ask(&mut session, &[(1, 5), (0, 0)]),
            (7, 3, vec![0], vec![])
        );
    }

    #[test]
    fn a_topic_created_anew_needs_a_new_session() {
        let mut session = Session::default();
        ask(&mut session, &[(0, 0), (1, 0)]);
        session.answered(7);
        let mut again = wanted(&[(0, 0), (1, 0)]);
        for (_, it) in &mut again {
            it.topic_id = Uuid([2; 16]);
        }
        let mut request = FetchRequest::default();
        session.ask(&mut request, &again);
        assert_eq!((request.session_id, request.session_epoch), (7, 0));
        assert_eq!(request.topics.len(), 1);
    }

    #[test]
    fn a_broker_without_room_for_sessions_is_asked_for_everything() {
        let mut session = Session::default();
        for _ in 0..2 {
            assert_eq!(ask(&mut session, &[(0, 0)]), (0, 0, vec![0], vec![]));
            session.answered(0);
        }
    }

    #[test]
    fn after_a_failure_another_session_begins() {
        let mut session = Session::default();
        ask(&mut session, &[(0, 0)]);
        session.answered(7);
        session.failed(None);
        assert_eq!(ask(&mut session, &[(0, 0)]), (7, 0, vec![0], vec![]));
        session.failed(Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
        assert_eq!(ask(&mut session, &[(0, 0)]), (0, 0, vec![0], vec![]));
    }
}
