//! ApiVersions: API key 18, versions 0-4, flexible from 3.

use crate::protocol::ErrorCode;

message! {
    /// The request.
    request ApiVersionsRequest(ApiVersions, versions [0-4], flexible [3+], answer ApiVersionsResponse) {
        client_software_name [3+]: String,
        client_software_version [3+]: String,
    }

    /// The response.
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
