//! What tests and the simulation drive a broker with: storage in memory whose every effect the
//! caller completes, fails or forgets, a harness that runs a broker in virtual time, and a way to
//! have it break a rule.
//!
//! Nothing here is part of the engine. Misuse panics, as tests do.
#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "for tests: misuse should fail them at once"
)]

mod harness;
mod storage;

pub use crate::sabotage::{Rule, break_rule};
pub use harness::{BEGINNING, Harness};
pub use storage::{MemoryStorage, Stored};
