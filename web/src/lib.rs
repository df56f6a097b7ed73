//! The wasm host: it moves bytes between Kafka's engine and the platform, and decides nothing of
//! Kafka's.
//!
//! No export here starts by itself (no `#[wasm_bindgen(start)]`) and none guesses where it runs:
//! the JavaScript bootstrap instantiates one compiled `WebAssembly.Module` in each thread and
//! calls what belongs there.
//!
//! Natively only what needs no platform is built, so that `cargo check --workspace` needs no wasm
//! target and plain tests run quickly.

#![cfg_attr(
    all(test, not(target_arch = "wasm32")),
    allow(dead_code, reason = "natively only what needs no platform is tested")
)]

#[cfg(any(target_arch = "wasm32", test))]
mod clock;
#[cfg(any(target_arch = "wasm32", test))]
mod deframer;
#[cfg(any(target_arch = "wasm32", test))]
mod key;
#[cfg(any(target_arch = "wasm32", test))]
mod num;
#[cfg(any(target_arch = "wasm32", test))]
mod queue;

#[cfg(target_arch = "wasm32")]
pub mod client;
#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(target_arch = "wasm32")]
pub mod port;
#[cfg(target_arch = "wasm32")]
pub mod storage;
#[cfg(target_arch = "wasm32")]
mod sys;
#[cfg(target_arch = "wasm32")]
mod worker;

#[cfg(target_arch = "wasm32")]
pub use exports::{AdminClient, ConsumerClient, PortLink, ProducerClient, Way};
#[cfg(target_arch = "wasm32")]
pub use worker::{export_database, run_broker};
