//! FindCoordinator (API key 10): the broker that coordinates a group or a transaction.
//!
//! Versions 0 to 6, flexible from 3.
//!
//! - 0: groups only.
//! - 1: key type (0 group, 1 transaction); throttle time; error messages.
//! - 3: flexible.
//! - 4: several keys at once (KIP-699); the answer moves into a list.
//! - 5: may answer `TRANSACTION_ABORTABLE` (KIP-890).
//! - 6: key type 2, a share group's partition as `group:topic id:partition` (KIP-932).

use crate::protocol::ErrorCode;

message! {
    /// Groups or transactional ids, by their keys.
    request FindCoordinatorRequest(
        FindCoordinator, versions [0-6], flexible [3+], answer FindCoordinatorResponse
    ) {
        key [0-3]: String,
        key_type [1+]: i8,
        coordinator_keys [4+]: Vec<String>,
    }

    /// The broker that coordinates each key.
    response FindCoordinatorResponse(FindCoordinator, versions [0-6], flexible [3+]) {
        throttle_time_ms [1+]: i32,
        error_code [0-3]: ErrorCode,
        error_message [1-3] nullable [0+]: Option<String> = Some(String::new()),
        node_id [0-3]: i32,
        host [0-3]: String,
        port [0-3]: i32,
        coordinators [4+]: Vec<Coordinator>,
    }

    struct Coordinator {
        key [0+]: String,
        node_id [0+]: i32,
        host [0+]: String,
        port [0+]: i32,
        error_code [0+]: ErrorCode,
        error_message [0+] nullable [0+]: Option<String> = Some(String::new()),
    }
}
