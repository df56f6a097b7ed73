//! Scenarios, simulation, golden bytes and end-to-end tests.
