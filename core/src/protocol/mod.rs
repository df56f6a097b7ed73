//! Kafka's wire format: primitives, one schema per message, error codes.
//!
//! # How to use it
//!
//! - Each API has a file under [`messages`] with its request and response, such as
//!   [`messages::FetchRequest`] and [`messages::FetchResponse`]; inner structs are in the API's
//!   module (`messages::fetch::FetchTopic`). Fields are Kafka's in snake case. `Default` gives the
//!   schema's defaults, so write what matters and `..Default::default()`.
//! - [`Message::decode`] and [`Message::encode`] read and write a body at a version;
//!   [`Message::read_version`] and [`Message::write_version`] do so in the middle of a frame.
//!   [`Request`] names a request's [`ApiKey`] and response type.
//! - A frame is a header and a body: a broker reads [`RequestHeader::read`], then the body from the
//!   same [`Reader`], and answers with [`encode_response`]. A client sends [`encode_request`] and
//!   reads [`decode_response`]. Frames here have no length before them; TCP adds it.
//! - An encoded frame is a list of [`Part`]s. Long byte fields are parts of their own, not copied.
//!   A Fetch response may say [`Records::External`] for batches that the host holds: they come out
//!   as [`Part::External`] with the same index, in their place. [`join`] makes one piece.
//! - [`internal`] has the records of `__consumer_offsets` and `__cluster_metadata`, and the
//!   consumers' subscription and assignment, with their version prefixes and framing.
//!
//! # What it decides, and what not
//!
//! Decoding is bounded by construction: see [`Reader`]. It judges form only; whether a value makes
//! sense is the handler's question. Encoding leaves out what a version does not have.
//!
//! Decoded [`Bytes`](bytes::Bytes) are views that keep their whole frame in memory; copy what is
//! stored for long.
//!
//! # To add an API
//!
//! Write its file under `messages/` with the `message!` macro (`schema.rs` says how) and list it
//! in `messages/mod.rs`; its key is in `api.rs` already.
//!
//! Sources: the message schemas of Apache Kafka 4.3.1; KIP-482 (tagged fields), KIP-511.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

#[macro_use]
mod schema;

mod api;
#[cfg(feature = "arbitrary")]
pub mod arbitrary;
mod error;
pub mod internal;
pub mod messages;
mod reader;
#[cfg(test)]
mod tests;
pub(crate) mod wire;
mod writer;

pub use api::{
    ApiKey, RequestHeader, ResponseHeader, decode_response, encode_request, encode_response,
};
pub use error::ErrorCode;
pub use reader::{DecodeError, Reader};
pub use wire::{Message, Nullable, Records, Request, Response, Versions, Wire};
pub use writer::{EncodeError, Part, Tags, Writer, join};
