//! Scenarios, simulation, golden bytes and end-to-end tests, and the hosts they need.
#![allow(
    clippy::panic,
    clippy::type_complexity,
    reason = "support for tests: a failed check panics"
)]

mod digest;
pub mod drive;
pub mod memory;
pub mod mutated;
pub mod native;
mod net;
pub mod numbers;
pub mod sim;
