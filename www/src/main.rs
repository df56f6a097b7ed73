//! The playground: a page in Yew on top of `partita-web`.
fn main() {}
