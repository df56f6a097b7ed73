//! Tests that need more than one crate, or other people's code to check ours against.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed test panics"
)]

mod allocation;
mod client;
mod kafka;
mod mutated;
mod protocol;
mod sim;
