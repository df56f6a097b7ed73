//! ApiVersions (key 18), versions 0 to 4: which APIs are served, in which versions.
//!
//! A key appears here only when its behaviour does: clients choose theirs by it. An unknown version
//! is answered in version 0 with `UNSUPPORTED_VERSION`, so that newer clients can step down
//! (KIP-35, KIP-511). Produce is advertised from version 0 though only 3 and up are served:
//! librdkafka before 2.11.1 otherwise drops compression in silence (KAFKA-18659).

use super::SERVED;
use crate::broker::Broker;
use crate::broker::dispatch::Context;
use crate::protocol::messages::api_versions::ApiVersion;
use crate::protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use crate::protocol::{ApiKey, ErrorCode, Message, Reader};

/// Answers a request of any version.
pub(super) fn handle(broker: &mut Broker, context: &Context, body: &mut Reader) {
    if !ApiVersionsRequest::VERSIONS.contains(context.version) {
        let only = api_version(ApiKey::ApiVersions);
        let response = ApiVersionsResponse {
            error_code: ErrorCode::UNSUPPORTED_VERSION,
            api_keys: vec![only],
            ..ApiVersionsResponse::default()
        };
        broker.note_error(context.id, response.error_code);
        return broker.respond_in_version(context.id, &response, 0, &[]);
    }
    let valid = ApiVersionsRequest::read_version(body, context.version).is_ok_and(|request| {
        context.version < 3
            || (is_software_name(&request.client_software_name)
                && is_software_name(&request.client_software_version))
    });
    let response = if valid {
        ApiVersionsResponse {
            api_keys: SERVED.iter().map(|&api| api_version(api)).collect(),
            ..ApiVersionsResponse::default()
        }
    } else {
        ApiVersionsResponse {
            error_code: ErrorCode::INVALID_REQUEST,
            ..ApiVersionsResponse::default()
        }
    };
    broker.note_error(context.id, response.error_code);
    broker.respond(context.id, &response);
}

fn api_version(api: ApiKey) -> ApiVersion {
    let versions = api.versions();
    ApiVersion {
        api_key: api.into(),
        min_version: versions.min,
        max_version: versions.max,
    }
}

/// Letters and digits, with dots and hyphens between them (KIP-511).
fn is_software_name(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    edge(text.bytes().next())
        && edge(text.bytes().last())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_checked_as_kip_511_says() {
        for good in ["a", "kafka-python", "2.0.1-rc1"] {
            assert!(is_software_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "a_b", "."] {
            assert!(!is_software_name(bad), "{bad}");
        }
    }
}
