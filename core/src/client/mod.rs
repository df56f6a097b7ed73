//! The client as a state machine.

pub mod assignor;
pub mod partitioner;
