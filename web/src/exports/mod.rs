//! What JavaScript sees of the clients' side: the layer under `web/js/kafkajs`.
//!
//! Each client of `partita_core` is exported as a class whose methods take a command and return the
//! number of the operation ([`OpId`](partita_core::client::OpId)); what became of it comes out of
//! `events()`, an array of plain objects, each with the `op` it answers. The client calls `ready`,
//! which JavaScript gave to the constructor, when there may be events; JavaScript takes them later
//! and not from within that call, so no borrow is held while users' code runs.
//!
//! Configuration, administration and results cross as plain objects in KafkaJS's words; records
//! cross packed in one buffer; offsets are strings, because they have 64 bits.

mod admin;
mod admin_view;
mod client;
mod consumer;
mod consumer_options;
mod consumer_view;
mod error;
mod link;
mod network;
mod options;
mod producer;

pub use admin::AdminClient;
pub use consumer::ConsumerClient;
pub use link::{PortLink, Way};
pub use producer::ProducerClient;
