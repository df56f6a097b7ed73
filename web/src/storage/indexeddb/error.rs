//! IndexedDB's errors in the broker's words.

use indexed_db_futures::error::Error;
use indexed_db_futures::internals::SystemRepr as _;
use partita_core::broker::StorageError;
use web_sys::DomException;

/// What an exception means. Only its name says which it is; the message is the browser's own.
fn from_exception(exception: &DomException) -> StorageError {
    let name = exception.name();
    let text = format!("{name}: {}", exception.message());
    match name.as_str() {
        "QuotaExceededError" => StorageError::QuotaExceeded(text),
        // The connection is closing, or closed by the browser.
        "InvalidStateError" => StorageError::Closed(text),
        // An error of the disk below: what it means for a commit is anyone's guess.
        "UnknownError" => StorageError::Unknown(text),
        _ => StorageError::Other(text),
    }
}

/// What a failed request or transaction means.
pub(super) fn from_error(error: &Error) -> StorageError {
    match error {
        Error::DomException(exception) => from_exception(exception.as_sys()),
        Error::Serialisation(_) | Error::MissingData(_) | Error::Unknown(_) => {
            StorageError::Other(error.to_string())
        }
    }
}

/// Why a transaction was aborted: the transaction knows, its last request does not (over quota,
/// every put succeeds and the commit fails).
pub(super) fn of_transaction(transaction: &web_sys::IdbTransaction, error: &Error) -> StorageError {
    match transaction.error() {
        Some(exception) => from_exception(&exception),
        None => from_error(error),
    }
}
