//! SaslHandshake (API key 17): the choice of a SASL mechanism.
//!
//! Versions 0 and 1, never flexible: old clients negotiate it wrongly (KAFKA-9577).
//!
//! - 0: the mechanism's bytes follow raw.
//! - 1: they follow in SaslAuthenticate requests (KIP-152).

use crate::protocol::ErrorCode;

message! {
    /// The mechanism a client wants.
    request SaslHandshakeRequest(
        SaslHandshake, versions [0-1], flexible [none], answer SaslHandshakeResponse
    ) {
        mechanism [0+]: String,
    }

    /// The mechanisms the broker has.
    response SaslHandshakeResponse(SaslHandshake, versions [0-1], flexible [none]) {
        error_code [0+]: ErrorCode,
        mechanisms [0+]: Vec<String>,
    }
}
