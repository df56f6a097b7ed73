//! What happens on the network, as the payloads of KafkaJS's network events; JavaScript adds the
//! client's id.

use partita_core::client::cluster::{NetworkEvent, RequestInfo};
use serde::Serialize;

use super::error::ErrorView;
use crate::num::to_u32;

/// One event: `{ type, payload }`, the type without its client's name.
#[derive(Debug, Serialize)]
#[serde(tag = "type", content = "payload")]
pub(super) enum NetworkView {
    #[serde(rename = "connected", rename_all = "camelCase")]
    Connected { broker: String },
    #[serde(rename = "disconnected", rename_all = "camelCase")]
    Disconnected { broker: String, reason: String },
    #[serde(rename = "failed")]
    Failed(ErrorView),
    #[serde(rename = "request_sent")]
    Sent(RequestView),
    #[serde(rename = "network.request")]
    Request(RequestView),
    #[serde(rename = "network.request_timeout")]
    Timeout(RequestView),
    #[serde(rename = "network.request_queue_size", rename_all = "camelCase")]
    QueueSize { broker: String, queue_size: u32 },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestView {
    broker: String,
    correlation_id: i32,
    api_key: i16,
    api_name: &'static str,
    api_version: i16,
    created_at: i64,
    sent_at: i64,
    pending_duration: u64,
    /// Of the answer, as is the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
}

impl NetworkView {
    pub(super) fn new(event: NetworkEvent) -> Self {
        match event {
            NetworkEvent::Connected { broker } => Self::Connected { broker },
            NetworkEvent::Disconnected { broker, reason } => Self::Disconnected { broker, reason },
            NetworkEvent::ConnectionFailed(error) => Self::Failed(error.into()),
            NetworkEvent::RequestSent(request) => Self::Sent(RequestView::new(request)),
            NetworkEvent::Request {
                request,
                size,
                duration,
            } => Self::Request(RequestView {
                size: Some(to_u32(size)),
                duration: Some(duration),
                ..RequestView::new(request)
            }),
            NetworkEvent::RequestTimeout(request) => Self::Timeout(RequestView::new(request)),
            NetworkEvent::RequestQueueSize { broker, queue_size } => Self::QueueSize {
                broker,
                queue_size: to_u32(queue_size),
            },
        }
    }
}

impl RequestView {
    fn new(request: RequestInfo) -> Self {
        Self {
            api_name: request.api_name(),
            api_key: i16::from(request.api),
            broker: request.broker,
            correlation_id: request.correlation_id,
            api_version: request.version,
            created_at: request.created_at,
            sent_at: request.sent_at,
            pending_duration: request.pending_duration,
            size: None,
            duration: None,
        }
    }
}
