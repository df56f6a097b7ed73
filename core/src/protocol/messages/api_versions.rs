//! ApiVersions (API key 18): what the broker serves.
//!
//! Versions 0 to 4, flexible from 3.
//!
//! - 1: throttle time.
//! - 3: flexible; the client's software (KIP-511); features as tagged fields (KIP-584). The
//!   response's header stays at version 0, so that a client can read it whatever the broker knows.
//! - 4: a feature's lowest version may be 0 (KAFKA-17011).
//!
//! A request of an unknown version is answered in version 0 with `UNSUPPORTED_VERSION` and the
//! versions of this API.

use crate::protocol::ErrorCode;

message! {
    /// Which client asks.
    request ApiVersionsRequest(
        ApiVersions, versions [0-4], flexible [3+], answer ApiVersionsResponse
    ) {
        client_software_name [3+]: String,
        client_software_version [3+]: String,
    }

    /// The APIs and versions the broker serves, and its features.
    response ApiVersionsResponse(ApiVersions, versions [0-4], flexible [3+]) {
        error_code [0+]: ErrorCode,
        api_keys [0+]: Vec<ApiVersion>,
        throttle_time_ms [1+]: i32,
        supported_features [3+] tag 0: Vec<SupportedFeatureKey>,
        finalized_features_epoch [3+] tag 1: i64 = -1,
        finalized_features [3+] tag 2: Vec<FinalizedFeatureKey>,
        zk_migration_ready [3+] tag 3: bool,
    }

    struct ApiVersion {
        api_key [0+]: i16,
        min_version [0+]: i16,
        max_version [0+]: i16,
    }

    struct SupportedFeatureKey {
        name [0+]: String,
        min_version [0+]: i16,
        max_version [0+]: i16,
    }

    struct FinalizedFeatureKey {
        name [0+]: String,
        max_version_level [0+]: i16,
        min_version_level [0+]: i16,
    }
}
