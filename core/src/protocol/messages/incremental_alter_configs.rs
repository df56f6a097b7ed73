//! IncrementalAlterConfigs (API key 44): sets, deletes, appends to or
//! subtracts from configs (KIP-339).
//!
//! Versions 0 and 1, flexible from 1; otherwise unchanged.
//!
//! Operations: 0 set, 1 delete, 2 append, 3 subtract. Resource types are those of DescribeConfigs.

use crate::protocol::ErrorCode;

message! {
    /// Changes of single configs.
    request IncrementalAlterConfigsRequest(
        IncrementalAlterConfigs, versions [0-1], flexible [1+],
        answer IncrementalAlterConfigsResponse
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
        config_operation [0+]: i8,
        value [0+] nullable [0+]: Option<String> = Some(String::new()),
    }

    /// How each resource's changes went.
    response IncrementalAlterConfigsResponse(
        IncrementalAlterConfigs, versions [0-1], flexible [1+]
    ) {
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
