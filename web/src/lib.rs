//! The wasm host: it moves bytes between Kafka's engine and the platform, and decides nothing of
//! Kafka's.
//!
//! Natively this crate is empty, so that `cargo check --workspace` needs no wasm target; all of it
//! is built for `wasm32-unknown-unknown`.
//!
//! No export here starts by itself (no `#[wasm_bindgen(start)]`) and none guesses where it runs:
//! the JavaScript bootstrap instantiates one compiled `WebAssembly.Module` in each thread and
//! calls `run_page` there or [`run_broker`] here.
#![cfg(target_arch = "wasm32")]

mod worker;

pub use worker::run_broker;
