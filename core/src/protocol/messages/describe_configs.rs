//! DescribeConfigs (API key 32): configs of topics, brokers and groups.
//!
//! Versions 1 to 4, flexible from 4.
//!
//! - 1: sources and synonyms (KIP-226).
//! - 3: types and documentation (KIP-569).
//! - 4: flexible.
//!
//! Resource types: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.

use crate::protocol::ErrorCode;

message! {
    /// Topics or brokers, and which of their configs.
    request DescribeConfigsRequest(
        DescribeConfigs, versions [1-4], flexible [4+], answer DescribeConfigsResponse
    ) {
        resources [0+]: Vec<DescribeConfigsResource>,
        include_synonyms [0+]: bool,
        include_documentation [3+]: bool,
    }

    struct DescribeConfigsResource {
        resource_type [0+]: i8,
        resource_name [0+]: String,
        configuration_keys [0+] nullable [0+]: Option<Vec<String>> = Some(Vec::new()),
    }

    /// Each config's value, source and synonyms.
    response DescribeConfigsResponse(DescribeConfigs, versions [1-4], flexible [4+]) {
        throttle_time_ms [0+]: i32,
        results [0+]: Vec<DescribeConfigsResult>,
    }

    struct DescribeConfigsResult {
        error_code [0+]: ErrorCode,
        error_message [0+] nullable [0+]: Option<String> = Some(String::new()),
        resource_type [0+]: i8,
        resource_name [0+]: String,
        configs [0+]: Vec<DescribeConfigsResourceResult>,
    }

    struct DescribeConfigsResourceResult {
        name [0+]: String,
        value [0+] nullable [0+]: Option<String> = Some(String::new()),
        read_only [0+]: bool,
        config_source [0+]: i8 = -1,
        is_sensitive [0+]: bool,
        synonyms [0+]: Vec<DescribeConfigsSynonym>,
        config_type [3+]: i8,
        documentation [3+] nullable [0+]: Option<String> = Some(String::new()),
    }

    struct DescribeConfigsSynonym {
        name [0+]: String,
        value [0+] nullable [0+]: Option<String> = Some(String::new()),
        source [0+]: i8,
    }
}
