//! One file per request: its versions, what it does, the KIPs behind it.
//!
//! A handler answers with `Broker::respond`, parks the request in the purgatory, or leaves the
//! answer with `Broker::when_durable`.

use bytes::Bytes;

use super::Broker;
use super::dispatch::Context;
use crate::protocol::{ApiKey, Request};

/// Decodes a request and hands it to its handler.
///
/// # Errors
/// Why the connection must be closed: an API or version that is not served, or a body that cannot
/// be read.
pub(super) fn handle(
    broker: &mut Broker,
    api: ApiKey,
    context: &Context,
    body: Bytes,
) -> Result<(), &'static str> {
    match api {
        _ => Err("this API is not served"),
    }
}

/// Decodes the body of a request in a version we serve, and runs its handler.
fn run<R: Request>(
    broker: &mut Broker,
    context: &Context,
    body: Bytes,
    handle: impl FnOnce(&mut Broker, &Context, R),
) -> Result<(), &'static str> {
    if !R::KEY.served().contains(&context.version) {
        return Err("this version of the API is not served");
    }
    let request =
        R::decode(body, context.version).map_err(|_| "the request body cannot be read")?;
    handle(broker, context, request);
    Ok(())
}
