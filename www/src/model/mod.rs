//! What the page knows, without a browser: a mirror of the broker, and how it is put.
//!
//! The broker's events are the only source of [`World`](world::World); records come from a client that reads
//! them. Nothing here calls anything, so all of it is tested natively.

pub(crate) mod cells;
pub(crate) mod flights;
pub(crate) mod fold;
pub(crate) mod former;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod rates;
pub(crate) mod said;
pub(crate) mod settings;
pub(crate) mod strip;
pub(crate) mod terms;
pub(crate) mod text;
pub(crate) mod traffic;
pub(crate) mod world;
