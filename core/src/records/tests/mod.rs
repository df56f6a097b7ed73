//! Tests of the module as a whole.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod batches;
mod codecs;
mod golden;
mod hostile;
mod validation;

use super::*;
use bytes::Bytes;

/// A record with a value only, at time `timestamp`.
fn value(timestamp: i64, value: &str) -> Record {
    Record::new(
        timestamp,
        None,
        Some(Bytes::copy_from_slice(value.as_bytes())),
    )
}

/// The one batch in `bytes`.
fn view(bytes: Bytes) -> BatchView {
    let (batch, rest) = BatchView::parse(bytes).unwrap();
    assert!(rest.is_empty());
    batch
}

/// All records, or the first error.
fn read(batch: &BatchView) -> Result<Vec<Record>, BatchError> {
    batch.records(DEFAULT_DECOMPRESSED_LIMIT)?.collect()
}
