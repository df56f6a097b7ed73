//! The playground: a page in Yew on top of `partita-web`.
//!
//! The wasm of this binary serves both threads: the page calls [`page::run_page`], the worker
//! calls `run_broker` of `partita-web`. Nothing runs at instantiation: there is no `main` in the
//! wasm, for wasm-bindgen would call it in each thread.
//!
//! - `model`: what the page knows, without a browser. `clients`: its producers and consumers.
//! - `session`: all of that together. `view`: how it is shown.
#![cfg_attr(target_arch = "wasm32", no_main)]
#![cfg_attr(
    all(test, not(target_arch = "wasm32")),
    allow(dead_code, reason = "natively the model has no page that uses it")
)]

// Natively only the model is built, for its tests.
#[cfg(any(target_arch = "wasm32", test))]
mod model;

#[cfg(target_arch = "wasm32")]
mod clients;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
mod session;
#[cfg(target_arch = "wasm32")]
mod view;

// Without a use, the linker would leave partita-web and its exports out.
#[cfg(target_arch = "wasm32")]
use partita_web as _;

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    std::process::exit(1); // The playground is built for wasm only: `cargo xtask play`.
}
