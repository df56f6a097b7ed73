//! The clients' side: what joins a Kafka client of `partita_core` to brokers.
//!
//! A [`Driver`] runs one client ([`partita_core::client::Endpoint`]) over a [`Network`]: a
//! [`Link`], whose port leads to a host in another thread or beside it, or a transport that
//! JavaScript provides, such as Node's TCP. It moves bytes and time, and decides nothing.

mod driver;
mod link;
mod network;
mod transport;

pub use driver::Driver;
pub use link::{Link, LinkNetwork};
pub use network::{Handler, Network};
pub use transport::{Transport, TransportNetwork};
