//! Offsets that nobody needs any more, and the groups they leave behind (KIP-211).
//!
//! An offset lives for `offsets.retention.minutes` after the group became empty; in a group that
//! only ever committed, or whose consumers no longer subscribe to the topic, after the commit. One
//! that was committed with a retention of its own lives for that. A time in the future (the clock
//! was set, or a page's virtual time ran ahead) only makes it live longer.
//!
//! It runs every `offsets.retention.check.interval.ms`, and not before the first interval has
//! passed.

use std::sync::Arc;

use super::classic::RETRY_MILLIS;
use super::partition::{Partition, Phase};
use super::records::{Change, Commit};
use super::{ClassicGroup, GroupTimer, State};
use crate::broker::Broker;

impl Broker {
    /// Arms the first clean-up.
    pub(super) fn start_expiry(&mut self) {
        if self.groups.expiry.is_none() {
            self.expire_after(self.config.long("offsets.retention.check.interval.ms"));
        }
    }

    fn expire_after(&mut self, millis: i64) {
        if let Some(timer) = self.groups.expiry.take() {
            self.groups.timers.cancel(timer);
        }
        let deadline = self.clock.monotonic().after_millis(millis);
        self.groups.expiry = Some(self.groups.timers.schedule(deadline, GroupTimer::Expiry));
    }

    /// Drops what has expired; if that cannot be written it is tried again soon.
    pub(super) fn expire_offsets(&mut self) {
        self.expire_after(self.config.long("offsets.retention.check.interval.ms"));
        let now = self.clock.wall().0;
        let minutes = self.config.long("offsets.retention.minutes");
        let retention = minutes.saturating_mul(60_000);
        let expired: Vec<(i32, Vec<Change>)> = self
            .groups
            .partitions
            .iter()
            .filter(|(_, found)| found.phase == Phase::Ready)
            .map(|(&number, found)| (number, found.expired(now, retention)))
            .filter(|(_, changes)| !changes.is_empty())
            .collect();
        for (partition, changes) in expired {
            match self.append_tombstones(partition, changes) {
                Ok(()) => self.after_group_write(
                    partition,
                    Box::new(|broker, result| {
                        if result.is_err() {
                            broker.expire_after(RETRY_MILLIS);
                        }
                    }),
                ),
                Err(_) => self.expire_after(RETRY_MILLIS),
            }
        }
    }
}

impl Partition {
    /// Tombstones for all that has expired.
    fn expired(&self, now: i64, retention: i64) -> Vec<Change> {
        let mut changes = Vec::new();
        for (id, entry) in &self.groups {
            let all_gone = self.expired_of(id, &entry.group, now, retention, &mut changes);
            if all_gone && entry.group.state() == State::Empty {
                changes.push(Change::Group(id.clone(), None));
            }
        }
        changes
    }

    /// Adds tombstones for a group's expired offsets; returns whether none is left.
    fn expired_of(
        &self,
        id: &Arc<str>,
        group: &ClassicGroup,
        now: i64,
        retention: i64,
        changes: &mut Vec<Change>,
    ) -> bool {
        let mut all_gone = true;
        for (key, commit) in self.latest_commits(id) {
            if is_expired(group, &key.topic, &commit, now, retention) {
                changes.push(Change::Commit(key, None));
            } else {
                all_gone = false;
            }
        }
        all_gone
    }
}

/// Whether an offset has outlived its use.
fn is_expired(
    group: &ClassicGroup,
    topic: &str,
    commit: &Commit,
    now: i64,
    retention: i64,
) -> bool {
    let since = match (group.protocol_type(), group.state()) {
        (None, _) => commit.timestamp,
        // Old records do not say since when the group is empty.
        (Some(_), State::Empty) => group.state_since().unwrap_or(commit.timestamp),
        (Some(_), State::Stable) if group.knows_subscriptions() => commit.timestamp,
        // During a rebalance, or if nobody can tell what is consumed, nothing expires.
        (Some(_), _) => return false,
    };
    if group.is_subscribed_to(topic) {
        return false;
    }
    match commit.expires {
        Some(expires) => now >= expires,
        None => now.saturating_sub(since) >= retention,
    }
}
