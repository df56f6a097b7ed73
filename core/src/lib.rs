//! Partita's engine: Apache Kafka's broker and client as two state machines that exchange frames.
//!
//! Nothing here does I/O, reads a clock, draws randomness or waits. A host feeds events in
//! (`handle_*`), gives commands, and polls outputs out (`poll_*`); time is an argument of each
//! call. So the same code runs in a browser tab, in Node and in a deterministic simulation.
//!
//! - [`protocol`]: Kafka's wire format, one file per API.
//! - [`records`]: record batches v2, compression, CRC-32C.
//! - [`broker`]: connections, handlers, logs, coordinators.
//! - [`client`]: producer, consumer with its assignors, admin.
//! - [`sorted`]: maps, sets and sorting in little code.
#![forbid(unsafe_code)]

pub mod protocol;
pub mod records;
pub mod sorted;
pub mod time;
pub mod types;

#[cfg(feature = "broker")]
pub mod broker;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "broker")]
mod sabotage;
#[cfg(all(feature = "broker", any(test, feature = "testing")))]
pub mod testing;
