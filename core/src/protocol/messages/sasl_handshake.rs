//! SaslHandshake: API key 17, versions 0-1, flexible from none.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request SaslHandshakeRequest(SaslHandshake, versions [0-1], flexible [none], answer SaslHandshakeResponse) {
        mechanism [0+]: String,
    }

    /// The response.
    response SaslHandshakeResponse(SaslHandshake, versions [0-1], flexible [none]) {
        error_code [0+]: ErrorCode,
        mechanisms [0+]: Vec<String>,
    }
}
