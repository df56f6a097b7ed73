//! Scenarios, simulation, golden bytes and end-to-end tests, and the hosts they need.

pub mod drive;
pub mod native;
mod net;
