//! The table of the states: what each answers, and where it goes.

use super::super::State::{self, CompletingRebalance, Dead, Empty, PreparingRebalance, Stable};
use super::{Driver, TimerKey, protocols};
use crate::protocol::ErrorCode;

/// Something that happens to a group with the leader `a` and the follower `b`.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A new member joins.
    NewJoins,
    /// The follower joins as it did before.
    FollowerRejoins,
    /// The follower joins with other protocols.
    FollowerChanges,
    /// The leader joins as it did before.
    LeaderRejoins,
    /// An unknown member id joins.
    StrangerJoins,
    /// The leader syncs; its write has not ended.
    LeaderSyncs,
    /// The leader syncs and its write ends.
    LeaderSyncsAndIsWritten,
    /// The leader syncs and its write fails.
    LeaderSyncsInVain,
    /// The follower syncs.
    FollowerSyncs,
    /// The follower syncs with the last generation.
    FollowerSyncsLate,
    /// The follower's heartbeat.
    Heartbeat,
    /// The follower's heartbeat with the last generation.
    HeartbeatLate,
    /// The follower commits.
    Commits,
    /// The follower commits with the last generation.
    CommitsLate,
    /// Somebody who is no member commits with generation -1.
    CommitsFromOutside,
    /// The follower leaves.
    Leaves,
    /// Both leave.
    BothLeave,
    /// The follower's session ends.
    FollowerFails,
    /// The join timer expires.
    JoinTimer,
    /// The sync timer expires.
    SyncTimer,
    /// The coordinator goes.
    Dies,
}

/// How it is answered at once.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    /// Without an error, or there was nothing to answer.
    Ok,
    /// Not yet.
    Waits,
    Error(ErrorCode),
}

fn in_state(state: State) -> Driver {
    match state {
        Empty => Driver::new(),
        PreparingRebalance => {
            // A third member has joined; `a` and `b` are asked to.
            let mut driver = Driver::stable();
            driver.join("c");
            driver
        }
        CompletingRebalance => Driver::completing(),
        Stable => Driver::stable(),
        Dead => {
            let mut driver = Driver::stable();
            driver.run(|group, settings, out| group.die(settings.now, out));
            driver
        }
    }
}

fn happens(driver: &mut Driver, event: Event) -> Said {
    let said = |driver: &Driver, request: u64| match driver.error(request) {
        None => Said::Waits,
        Some(ErrorCode::NONE) => Said::Ok,
        Some(error) => Said::Error(error),
    };
    let result = |result: Result<(), ErrorCode>| match result {
        Ok(()) => Said::Ok,
        Err(error) => Said::Error(error),
    };
    let by_id = |driver: &mut Driver, name: &str| {
        let mut join = driver.a_join(name);
        join.member_id = name.to_owned();
        join
    };
    let joins_as = |driver: &mut Driver, name: &str| {
        let join = by_id(driver, name);
        let request = driver.send(join);
        said(driver, request)
    };
    match event {
        Event::NewJoins => {
            let request = driver.join("d");
            said(driver, request)
        }
        Event::FollowerRejoins => joins_as(driver, "b"),
        Event::LeaderRejoins => joins_as(driver, "a"),
        Event::StrangerJoins => joins_as(driver, "nobody"),
        Event::FollowerChanges => {
            let mut join = by_id(driver, "b");
            join.protocols = protocols(&["range"]);
            let request = driver.send(join);
            said(driver, request)
        }
        Event::LeaderSyncs => {
            let request = driver.sync("a", 1);
            said(driver, request)
        }
        Event::LeaderSyncsAndIsWritten | Event::LeaderSyncsInVain => {
            let request = driver.sync("a", 1);
            if !driver.writes.is_empty() {
                let failed = matches!(event, Event::LeaderSyncsInVain);
                let outcome = if failed {
                    Err(ErrorCode::NOT_COORDINATOR)
                } else {
                    Ok(())
                };
                driver.written(outcome);
            }
            said(driver, request)
        }
        Event::FollowerSyncs => {
            let request = driver.sync("b", 1);
            said(driver, request)
        }
        Event::FollowerSyncsLate => {
            let request = driver.sync("b", 0);
            said(driver, request)
        }
        Event::Heartbeat => result(driver.heartbeat("b", 1)),
        Event::HeartbeatLate => result(driver.heartbeat("b", 0)),
        Event::Commits => result(driver.commit("b", 1)),
        Event::CommitsLate => result(driver.commit("b", 0)),
        Event::CommitsFromOutside => result(driver.commit("", -1)),
        Event::Leaves => match driver.leave(&["b"])[0] {
            ErrorCode::NONE => Said::Ok,
            error => Said::Error(error),
        },
        Event::BothLeave => match driver.leave(&["a", "b"])[1] {
            ErrorCode::NONE => Said::Ok,
            error => Said::Error(error),
        },
        Event::FollowerFails => {
            driver.expire(&Driver::session("b"));
            Said::Ok
        }
        Event::JoinTimer => {
            driver.expire(&TimerKey::Join);
            Said::Ok
        }
        Event::SyncTimer => {
            driver.expire(&TimerKey::Sync);
            Said::Ok
        }
        Event::Dies => {
            driver.run(|group, settings, out| group.die(settings.now, out));
            Said::Ok
        }
    }
}

/// `ClassicGroupState` and the handlers of `GroupMetadataManager`, row by row.
#[test]
fn each_state_answers_and_goes_where_kafka_says() {
    for &(state, event, said, next) in table::TABLE {
        let mut driver = in_state(state);
        assert_eq!(driver.group.state, state);
        assert_eq!(happens(&mut driver, event), said, "{state:?}, {event:?}");
        assert_eq!(driver.group.state, next, "{state:?}, {event:?}");
    }
    // The table reaches every state, and goes only where the states themselves allow.
    for state in State::ALL {
        assert!(table::TABLE.iter().any(|row| row.0 == state));
    }
}

/// `ClassicGroupState.validPreviousStates`.
#[test]
fn a_group_goes_only_from_one_state_to_the_next() {
    let allowed: &[(State, &[State])] = &[
        (Empty, &[PreparingRebalance, Dead]),
        (PreparingRebalance, &[CompletingRebalance, Empty, Dead]),
        (CompletingRebalance, &[Stable, PreparingRebalance, Dead]),
        (Stable, &[PreparingRebalance, Dead]),
        (Dead, &[Dead]),
    ];
    for &(state, nexts) in allowed {
        for next in State::ALL {
            assert_eq!(
                state.may_become(next),
                nexts.contains(&next),
                "{state:?} -> {next:?}"
            );
        }
    }
}

/// The table, where the names of states, events and answers are short.
mod table {
    use super::Event::{self, *};
    use super::Said::{self, Error, Ok, Waits};
    use super::State::{self, CompletingRebalance, Dead, Empty, PreparingRebalance, Stable};
    use crate::protocol::ErrorCode;

    const UNKNOWN: Said = Error(ErrorCode::UNKNOWN_MEMBER_ID);
    const OLD: Said = Error(ErrorCode::ILLEGAL_GENERATION);
    const REBALANCING: Said = Error(ErrorCode::REBALANCE_IN_PROGRESS);
    const ELSEWHERE: Said = Error(ErrorCode::COORDINATOR_NOT_AVAILABLE);

    /// State, what happens, how it is answered, and the state after it.
    pub(super) const TABLE: &[(State, Event, Said, State)] = &[
        (Empty, NewJoins, Waits, PreparingRebalance),
        (Empty, StrangerJoins, UNKNOWN, Empty),
        (Empty, LeaderSyncs, UNKNOWN, Empty),
        (Empty, Heartbeat, UNKNOWN, Empty),
        (Empty, Commits, UNKNOWN, Empty),
        (Empty, CommitsFromOutside, Ok, Empty),
        (Empty, Leaves, UNKNOWN, Empty),
        (Empty, FollowerFails, Ok, Empty),
        (Empty, JoinTimer, Ok, Empty),
        (Empty, SyncTimer, Ok, Empty),
        (Empty, Dies, Ok, Dead),
        (PreparingRebalance, NewJoins, Waits, PreparingRebalance),
        (
            PreparingRebalance,
            FollowerRejoins,
            Waits,
            PreparingRebalance,
        ),
        (
            PreparingRebalance,
            FollowerChanges,
            Waits,
            PreparingRebalance,
        ),
        (PreparingRebalance, LeaderRejoins, Waits, PreparingRebalance),
        (
            PreparingRebalance,
            StrangerJoins,
            UNKNOWN,
            PreparingRebalance,
        ),
        (
            PreparingRebalance,
            LeaderSyncs,
            REBALANCING,
            PreparingRebalance,
        ),
        (
            PreparingRebalance,
            FollowerSyncsLate,
            OLD,
            PreparingRebalance,
        ),
        (
            PreparingRebalance,
            Heartbeat,
            REBALANCING,
            PreparingRebalance,
        ),
        (PreparingRebalance, HeartbeatLate, OLD, PreparingRebalance),
        (PreparingRebalance, Commits, Ok, PreparingRebalance),
        (PreparingRebalance, CommitsLate, OLD, PreparingRebalance),
        (
            PreparingRebalance,
            CommitsFromOutside,
            UNKNOWN,
            PreparingRebalance,
        ),
        (PreparingRebalance, Leaves, Ok, PreparingRebalance),
        // The third member has joined already: it is the next generation.
        (PreparingRebalance, BothLeave, Ok, CompletingRebalance),
        (PreparingRebalance, FollowerFails, Ok, PreparingRebalance),
        (PreparingRebalance, JoinTimer, Ok, CompletingRebalance),
        (PreparingRebalance, SyncTimer, Ok, PreparingRebalance),
        (PreparingRebalance, Dies, Ok, Dead),
        (CompletingRebalance, NewJoins, Waits, PreparingRebalance),
        (
            CompletingRebalance,
            FollowerRejoins,
            Ok,
            CompletingRebalance,
        ),
        (CompletingRebalance, LeaderRejoins, Ok, CompletingRebalance),
        (
            CompletingRebalance,
            FollowerChanges,
            Waits,
            PreparingRebalance,
        ),
        (
            CompletingRebalance,
            StrangerJoins,
            UNKNOWN,
            CompletingRebalance,
        ),
        (CompletingRebalance, LeaderSyncs, Waits, CompletingRebalance),
        (CompletingRebalance, LeaderSyncsAndIsWritten, Ok, Stable),
        (
            CompletingRebalance,
            LeaderSyncsInVain,
            Error(ErrorCode::NOT_COORDINATOR),
            PreparingRebalance,
        ),
        (
            CompletingRebalance,
            FollowerSyncs,
            Waits,
            CompletingRebalance,
        ),
        (
            CompletingRebalance,
            FollowerSyncsLate,
            OLD,
            CompletingRebalance,
        ),
        (CompletingRebalance, Heartbeat, Ok, CompletingRebalance),
        (CompletingRebalance, HeartbeatLate, OLD, CompletingRebalance),
        (
            CompletingRebalance,
            Commits,
            REBALANCING,
            CompletingRebalance,
        ),
        (CompletingRebalance, CommitsLate, OLD, CompletingRebalance),
        (
            CompletingRebalance,
            CommitsFromOutside,
            UNKNOWN,
            CompletingRebalance,
        ),
        (CompletingRebalance, Leaves, Ok, PreparingRebalance),
        (CompletingRebalance, BothLeave, Ok, Empty),
        (CompletingRebalance, FollowerFails, Ok, PreparingRebalance),
        (CompletingRebalance, JoinTimer, Ok, CompletingRebalance),
        // Neither has synced.
        (CompletingRebalance, SyncTimer, Ok, Empty),
        (CompletingRebalance, Dies, Ok, Dead),
        (Stable, NewJoins, Waits, PreparingRebalance),
        (Stable, FollowerRejoins, Ok, Stable),
        (Stable, FollowerChanges, Waits, PreparingRebalance),
        (Stable, LeaderRejoins, Waits, PreparingRebalance),
        (Stable, StrangerJoins, UNKNOWN, Stable),
        (Stable, LeaderSyncs, Ok, Stable),
        (Stable, FollowerSyncs, Ok, Stable),
        (Stable, FollowerSyncsLate, OLD, Stable),
        (Stable, Heartbeat, Ok, Stable),
        (Stable, HeartbeatLate, OLD, Stable),
        (Stable, Commits, Ok, Stable),
        (Stable, CommitsLate, OLD, Stable),
        (Stable, CommitsFromOutside, UNKNOWN, Stable),
        (Stable, Leaves, Ok, PreparingRebalance),
        (Stable, BothLeave, Ok, Empty),
        (Stable, FollowerFails, Ok, PreparingRebalance),
        (Stable, JoinTimer, Ok, Stable),
        (Stable, SyncTimer, Ok, Stable),
        (Stable, Dies, Ok, Dead),
        (Dead, NewJoins, ELSEWHERE, Dead),
        (Dead, FollowerRejoins, ELSEWHERE, Dead),
        (Dead, LeaderSyncs, ELSEWHERE, Dead),
        (Dead, Heartbeat, ELSEWHERE, Dead),
        (Dead, Commits, ELSEWHERE, Dead),
        (Dead, CommitsFromOutside, ELSEWHERE, Dead),
        (Dead, FollowerFails, Ok, Dead),
        (Dead, JoinTimer, Ok, Dead),
        (Dead, SyncTimer, Ok, Dead),
    ];
}
