//! The simulated programs: producers that number their records, members of one group that process
//! what they are given and then commit it, and somebody who administers the topics.

mod keeper;
mod member;
mod writer;

use partita_core::client::{ClusterConfig, Endpoint, RetryConfig};
use partita_core::time::{Monotonic, Now};

pub(super) use keeper::{Duties, Keeper};
pub(super) use member::{Member, Membership, SESSION};
pub(super) use writer::Writer;

use super::model::Model;
use crate::numbers::Numbers;

/// One simulated program.
#[derive(Debug)]
pub(super) enum Program {
    Producer(Box<Writer>),
    Consumer(Box<Member>),
    Admin(Box<Keeper>),
}

impl Program {
    /// The client inside.
    pub(super) fn endpoint(&mut self) -> &mut dyn Endpoint {
        match self {
            Self::Producer(writer) => &mut writer.producer,
            Self::Consumer(member) => &mut member.consumer,
            Self::Admin(keeper) => &mut keeper.admin,
        }
    }

    /// When it wants to be called next.
    pub(super) fn due(&self) -> Option<Monotonic> {
        let (client, own) = match self {
            Self::Producer(writer) => (writer.producer.poll_timeout(), writer.due()),
            Self::Consumer(member) => (member.consumer.poll_timeout(), member.due()),
            Self::Admin(keeper) => (keeper.admin.poll_timeout(), keeper.due()),
        };
        client.into_iter().chain(own).min()
    }

    /// How it stands, for a failed run.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Producer(writer) => writer.describe(),
            Self::Consumer(member) => member.describe(),
            Self::Admin(keeper) => keeper.describe(),
        }
    }

    /// Does what is due, and takes note of what the client says.
    pub(super) fn act(&mut self, now: Now, model: &mut Model, random: &mut Numbers) {
        match self {
            Self::Producer(writer) => writer.act(now, model, random),
            Self::Consumer(member) => member.act(now, model, random),
            Self::Admin(keeper) => keeper.act(now, model, random),
        }
    }
}

fn cluster(client_id: &str) -> ClusterConfig {
    ClusterConfig {
        client_id: client_id.to_owned(),
        bootstrap: vec![("broker".to_owned(), 9092)],
        metadata_max_age_ms: 20_000,
        ..ClusterConfig::default()
    }
}

/// Enough retries to live through every outage that the world has.
fn patient() -> RetryConfig {
    RetryConfig {
        retries: Some(1_000),
        ..RetryConfig::default()
    }
}

/// So many milliseconds later.
fn later(now: Now, millis: u64) -> Monotonic {
    Monotonic(now.monotonic.0.saturating_add(millis))
}
