//! `cargo xtask play | test | dist | bench`.
fn main() {}
