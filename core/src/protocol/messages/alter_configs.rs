//! AlterConfigs (API key 33): replaces all configs of a resource. IncrementalAlterConfigs is meant
//! instead.
//!
//! Versions 0 to 2, flexible from 2; otherwise unchanged.

use crate::protocol::ErrorCode;

message! {
    /// New configs that replace all set before.
    request AlterConfigsRequest(
        AlterConfigs, versions [0-2], flexible [2+], answer AlterConfigsResponse
    ) {
        resources [0+]: Vec<AlterConfigsResource>,
        validate_only [0+]: bool,
    }

    struct AlterConfigsResource {
        resource_type [0+]: i8,
        resource_name [0+]: String,
        configs [0+]: Vec<AlterableConfig>,
    }

    struct AlterableConfig {
        name [0+]: String,
        value [0+] nullable [0+]: Option<String> = Some(String::new()),
    }

    /// How each resource's change went.
    response AlterConfigsResponse(AlterConfigs, versions [0-2], flexible [2+]) {
        throttle_time_ms [0+]: i32,
        responses [0+]: Vec<AlterConfigsResourceResponse>,
    }

    struct AlterConfigsResourceResponse {
        error_code [0+]: ErrorCode,
        error_message [0+] nullable [0+]: Option<String> = Some(String::new()),
        resource_type [0+]: i8,
        resource_name [0+]: String,
    }
}
