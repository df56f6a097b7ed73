//! The client as a state machine.

pub mod partitioner;
