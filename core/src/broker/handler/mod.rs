//! One file per request: its versions, what it does, the KIPs behind it.
//!
//! A handler answers with `Broker::respond`, parks the request in the purgatory, or leaves the
//! answer with `Broker::when_durable`.

use super::Broker;
use super::dispatch::Context;
use crate::protocol::{ApiKey, Reader, Request};

/// Reads a request's body and hands it to its handler.
///
/// # Errors
/// Why the connection must be closed: an API or version that is not served, or a body that cannot
/// be read.
pub(super) fn handle(
    broker: &mut Broker,
    api: ApiKey,
    context: &Context,
    body: &mut Reader,
) -> Result<(), &'static str> {
    match api {
        _ => Err("this API is not served"),
    }
}

/// Reads the body of a request in a version we serve, and runs its handler.
fn run<R: Request>(
    broker: &mut Broker,
    context: &Context,
    body: &mut Reader,
    handle: impl FnOnce(&mut Broker, &Context, R),
) -> Result<(), &'static str> {
    if !R::VERSIONS.contains(context.version) {
        return Err("this version of the API is not served");
    }
    let request =
        R::read_version(body, context.version).map_err(|_| "the request body cannot be read")?;
    handle(broker, context, request);
    Ok(())
}
