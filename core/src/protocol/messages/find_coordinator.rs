//! FindCoordinator: API key 10, versions 0-6, flexible from 3.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request FindCoordinatorRequest(FindCoordinator, versions [0-6], flexible [3+], answer FindCoordinatorResponse) {
        key [0-3]: String,
        key_type [1+]: i8,
        coordinator_keys [4+]: Vec<String>,
    }

    /// The response.
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
