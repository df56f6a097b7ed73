//! The wasm host in a dedicated worker of a real Chromium.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::let_underscore_must_use,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "tests"
)]

mod clients;
mod guard;
mod host;
mod leaks;
mod packs;
mod places;
mod raw;
mod room;
mod storage;
mod support;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
