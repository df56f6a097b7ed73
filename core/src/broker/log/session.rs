//! Fetch sessions (KIP-227): the broker remembers what a consumer fetches, so that requests and
//! responses name only what changed.
//!
//! A session belongs to whoever names its id, not to a connection. There are only so many slots: a
//! new one takes the place of one that was idle for two minutes, or of a smaller one that is old
//! enough; otherwise the client gets session id 0 and goes on without. Sessions do not survive the
//! broker.
//!
//! Source: Kafka's `FetchSession.scala`.

use crate::sorted::SortedMap;

use crate::protocol::ErrorCode;
use crate::time::Monotonic;
use crate::types::Uuid;

/// The epoch of a request that begins a session.
const INITIAL_EPOCH: i32 = 0;
/// The epoch of a request that ends one, or never began one.
const FINAL_EPOCH: i32 = -1;
/// After so many milliseconds without use, or of age, a session may be evicted.
const EVICTION_MS: u64 = 120_000;

/// A partition as a session knows it: by topic id from version 13 on, by name before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionKey {
    /// Empty where the id counts.
    pub(crate) topic: String,
    /// Zero where the name counts.
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
}

/// What a consumer wants of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionPartition {
    pub(crate) current_leader_epoch: i32,
    pub(crate) fetch_offset: i64,
    pub(crate) last_fetched_epoch: i32,
    pub(crate) max_bytes: i32,
}

/// What a response says about a partition, as far as it decides whether it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) records: bool,
    pub(crate) error: bool,
    /// It tells of a diverging epoch.
    pub(crate) diverging: bool,
    pub(crate) high_watermark: i64,
    pub(crate) log_start: i64,
}

#[derive(Debug, Clone, Copy)]
struct Cached {
    wanted: SessionPartition,
    /// What was said last; −1 if nothing, or an error.
    high_watermark: i64,
    log_start: i64,
}

#[derive(Debug)]
struct Session {
    epoch: i32,
    by_ids: bool,
    created: Monotonic,
    used: Monotonic,
    /// Partitions in the order in which they are served: who got records goes to the end.
    order: SortedMap<u64, SessionKey>,
    partitions: SortedMap<SessionKey, (u64, Cached)>,
    next: u64,
}

/// How a request is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionUse {
    /// Without a session.
    None,
    /// In full, and a session begins if there is room.
    Begin {
        /// Whether it goes by topic ids.
        by_ids: bool,
    },
    /// With what changed in a session, if it is still at this epoch.
    Continue {
        /// The session.
        id: i32,
        /// The epoch the next request has to have.
        next_epoch: i32,
    },
}

/// All fetch sessions.
#[derive(Debug, Default)]
pub(crate) struct FetchSessions {
    sessions: SortedMap<i32, Session>,
}

impl FetchSessions {
    /// Takes a request: which partitions it is about, and how it is to be answered.
    ///
    /// # Errors
    /// `FETCH_SESSION_ID_NOT_FOUND`, `INVALID_FETCH_SESSION_EPOCH`, `FETCH_SESSION_TOPIC_ID_ERROR`.
    pub(crate) fn take(
        &mut self,
        (id, epoch): (i32, i32),
        by_ids: bool,
        wanted: Vec<(SessionKey, SessionPartition)>,
        forgotten: &[SessionKey],
        now: Monotonic,
    ) -> Result<(SessionUse, Vec<(SessionKey, SessionPartition)>), ErrorCode> {
        if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
            // A full request ends the session that it names.
            self.sessions.remove(&id);
            let how = match epoch {
                INITIAL_EPOCH => SessionUse::Begin { by_ids },
                _ => SessionUse::None,
            };
            return Ok((how, deduplicated(wanted)));
        }
        let session = self
            .sessions
            .get_mut(&id)
            .ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
        if session.epoch != epoch {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        if session.by_ids != by_ids {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        for (key, wanted) in &wanted {
            session.want(key, *wanted);
        }
        for key in forgotten {
            session.forget(key);
        }
        if session.partitions.is_empty() {
            self.sessions.remove(&id);
            return Ok((SessionUse::None, deduplicated(wanted)));
        }
        session.used = now;
        session.epoch = next_epoch(session.epoch);
        let how = SessionUse::Continue {
            id,
            next_epoch: session.epoch,
        };
        Ok((how, session.wanted()))
    }

    /// Begins a session with the partitions of a response, if there is room, and returns its id, or
    /// 0. `draw` gives random numbers.
    pub(crate) fn begin(
        &mut self,
        by_ids: bool,
        partitions: &[(SessionKey, SessionPartition, Answered)],
        slots: usize,
        now: Monotonic,
        mut draw: impl FnMut() -> u64,
    ) -> i32 {
        if self.sessions.len() >= slots && !self.evict(partitions.len(), now) {
            return 0;
        }
        let id = loop {
            // 31 random bits, and not 0.
            let id = i32::try_from(draw() >> 33).unwrap_or(0);
            if id != 0 && !self.sessions.contains_key(&id) {
                break id;
            }
        };
        let mut session = Session {
            epoch: next_epoch(INITIAL_EPOCH),
            by_ids,
            created: now,
            used: now,
            order: SortedMap::new(),
            partitions: SortedMap::new(),
            next: 0,
        };
        for (key, wanted, answered) in partitions {
            session.want(key, *wanted);
            session.note(key, answered);
        }
        self.sessions.insert(id, session);
        id
    }

    /// Notes what a session's response says about a partition; whether it has to be said.
    pub(crate) fn answered(&mut self, id: i32, key: &SessionKey, answered: &Answered) -> bool {
        match self.sessions.get_mut(&id) {
            Some(session) => session.answered(key, answered),
            None => true,
        }
    }

    /// Whether a session still expects this epoch next: else its request was repeated meanwhile.
    pub(crate) fn is_at(&self, id: i32, epoch: i32) -> bool {
        self.sessions
            .get(&id)
            .is_some_and(|session| session.epoch == epoch)
    }

    /// Makes room for a session of so many partitions, if it may have it.
    fn evict(&mut self, size: usize, now: Monotonic) -> bool {
        let idle = self
            .sessions
            .iter()
            .min_by_key(|(id, session)| (session.used, **id));
        if let Some((&id, session)) = idle
            && now.since(session.used) > EVICTION_MS
        {
            self.sessions.remove(&id);
            return true;
        }
        let smallest = self
            .sessions
            .iter()
            .filter(|(_, session)| now.since(session.created) > EVICTION_MS)
            .min_by_key(|(id, session)| (session.partitions.len(), **id));
        match smallest {
            Some((&id, session)) if session.partitions.len() < size => {
                self.sessions.remove(&id);
                true
            }
            _ => false,
        }
    }
}

impl Session {
    fn want(&mut self, key: &SessionKey, wanted: SessionPartition) {
        if let Some((_, cached)) = self.partitions.get_mut(key) {
            cached.wanted = wanted;
            return;
        }
        let cached = Cached {
            wanted,
            high_watermark: -1,
            log_start: -1,
        };
        self.order.insert(self.next, key.clone());
        self.partitions.insert(key.clone(), (self.next, cached));
        self.next = self.next.wrapping_add(1);
    }

    fn forget(&mut self, key: &SessionKey) {
        if let Some((place, _)) = self.partitions.remove(key) {
            self.order.remove(&place);
        }
    }

    fn wanted(&self) -> Vec<(SessionKey, SessionPartition)> {
        self.order
            .values()
            .filter_map(|key| Some((key.clone(), self.partitions.get(key)?.1.wanted)))
            .collect()
    }

    fn note(&mut self, key: &SessionKey, answered: &Answered) {
        if let Some((_, cached)) = self.partitions.get_mut(key) {
            cached.high_watermark = answered.high_watermark;
            cached.log_start = answered.log_start;
        }
    }

    fn answered(&mut self, key: &SessionKey, answered: &Answered) -> bool {
        let Some((place, cached)) = self.partitions.get_mut(key) else {
            return true;
        };
        let changed = cached.high_watermark != answered.high_watermark
            || cached.log_start != answered.log_start;
        cached.high_watermark = answered.high_watermark;
        cached.log_start = answered.log_start;
        if answered.error {
            // When the error is over, the partition is named again.
            cached.high_watermark = -1;
        }
        if answered.records {
            self.order.remove(place);
            *place = self.next;
            self.order.insert(self.next, key.clone());
            self.next = self.next.wrapping_add(1);
        }
        changed || answered.records || answered.error || answered.diverging
    }
}

/// The epoch after another: from the largest back to 1.
fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

/// A partition that is named twice counts once, at its first place with its last wishes.
fn deduplicated(
    wanted: Vec<(SessionKey, SessionPartition)>,
) -> Vec<(SessionKey, SessionPartition)> {
    let mut places = SortedMap::new();
    let mut unique: Vec<(SessionKey, SessionPartition)> = Vec::with_capacity(wanted.len());
    for (key, wish) in wanted {
        match places.get(&key).and_then(|&at: &usize| unique.get_mut(at)) {
            Some(earlier) => earlier.1 = wish,
            None => {
                places.insert(key.clone(), unique.len());
                unique.push((key, wish));
            }
        }
    }
    unique
}
