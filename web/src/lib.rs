//! The wasm host: it moves bytes between Kafka's engine and the platform, and decides nothing of
//! Kafka's.
//!
//! No export here starts by itself (no `#[wasm_bindgen(start)]`) and none guesses where it runs:
//! the JavaScript bootstrap instantiates one compiled `WebAssembly.Module` in each thread and
//! calls what belongs there.
//!
//! Natively only what needs no platform is built, so that `cargo check --workspace` needs no wasm
//! target and plain tests run quickly.

#[cfg(any(target_arch = "wasm32", test))]
mod key;
mod num;
#[cfg(target_arch = "wasm32")]
pub mod storage;
#[cfg(target_arch = "wasm32")]
mod worker;

#[cfg(target_arch = "wasm32")]
pub use worker::run_broker;
