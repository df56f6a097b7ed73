//! One classic group (KIP-62 and after) as a state machine: requests and expired timers in, actions
//! out.
//!
//! It decides who is a member, which generation and protocol the group is in, and who is told what;
//! it neither writes, nor waits, nor tells the time. Whoever runs it carries out its [`Action`]s in
//! order, and reports the outcome of each [`Action::Write`].
//!
//! Nothing here is hard state: a record says what the group was like after its last rebalance, and
//! [`ClassicGroup::from_record`] starts from it again. Joins, syncs and timers in progress are lost
//! with the broker, and members find their way back by `UNKNOWN_MEMBER_ID` or by their session.
//!
//! Invariants:
//! - Every request that is parked is answered once: by the rebalance it waits for, by one that takes
//!   its place, or when its member or the group goes.
//! - A group has a leader exactly while it has members; the leader is one of them.
//! - Members of a group share at least one protocol.
//! - The group is Stable only after the record of its assignments was reported written.
//!
//! - `state`: the five states, what each answers and where it may go.
//! - `member`, `group`: the data, and how records hold it.
//! - `join`, `sync`, `leave`: a member's requests; `rebalance`: from one generation to the next.
//!
//! Sources: KIP-62, KIP-134 (initial delay), KIP-345 (static members), KIP-394 (member ids first),
//! KIP-559, KIP-800, KIP-814; Kafka's `ClassicGroup` and `GroupMetadataManager`.

mod action;
mod group;
mod join;
mod leave;
mod member;
mod rebalance;
mod state;
mod sync;

pub(crate) use action::{Action, Actions, Settings, TimerKey, Written, join_error};
pub(crate) use group::{ClassicGroup, subscription};
pub(crate) use join::Join;
pub(crate) use leave::Leaver;
pub(crate) use member::{Member, Protocol};
pub(crate) use rebalance::RETRY_MILLIS;
pub(crate) use state::State;
pub(crate) use sync::Sync;

#[cfg(test)]
mod tests;
