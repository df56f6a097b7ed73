//! Errors as plain objects: `web/js/kafkajs/errors.ts` makes KafkaJS's classes of them.

use partita_core::client::{ClientError, ErrorKind, GroupFailure, RecordsFailure};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::port::to_js;

/// An error with the fields of its class; those of other classes are left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorView {
    name: &'static str,
    message: String,
    retriable: bool,
    /// Kafka's name of a broker's code, in KafkaJS's words.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    /// What a person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Box<Self>>,
    // What only some classes have.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_partitions: Option<Vec<i32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<i16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<GroupView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitions: Option<Vec<RecordsView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Self>>,
}

/// A broker's error code, or a system's.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Code {
    Kafka(i16),
    System(String),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView {
    group_id: String,
    error_code: i16,
    error: ErrorView,
}

#[derive(Debug, Serialize)]
struct RecordsView {
    partition: i32,
    offset: String,
    error: ErrorView,
}

impl From<ClientError> for ErrorView {
    fn from(error: ClientError) -> Self {
        let code = if let ErrorKind::Connection { code, .. } = &error.kind {
            code.clone().map(Code::System)
        } else {
            error.code().map(Code::Kafka)
        };
        let mut view = Self {
            name: error.name(),
            retriable: error.retriable,
            kind: error.error_type(),
            code,
            help: error.help(),
            message: error.message,
            cause: error.cause.map(|cause| Box::new((*cause).into())),
            ..Self::default()
        };
        view.set_fields(error.kind);
        view
    }
}

impl ErrorView {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other kinds have no fields of their own"
    )]
    fn set_fields(&mut self, kind: ErrorKind) {
        match kind {
            ErrorKind::OffsetOutOfRange { topic, partition }
            | ErrorKind::QuotaExceeded { topic, partition } => {
                self.topic = Some(topic);
                self.partition = Some(partition);
            }
            ErrorKind::MemberIdRequired { member_id } => self.member_id = Some(member_id),
            ErrorKind::CreateTopic { topic, .. } | ErrorKind::TopicMetadataNotLoaded { topic } => {
                self.topic = Some(topic);
            }
            ErrorKind::NumberOfRetriesExceeded {
                retry_count,
                retry_time_ms,
            } => {
                self.retry_count = Some(retry_count);
                self.retry_time = Some(retry_time_ms);
            }
            ErrorKind::Connection { broker, .. } | ErrorKind::ConnectionClosed { broker } => {
                self.broker = Some(broker);
            }
            ErrorKind::RequestTimeout {
                broker,
                correlation_id,
                created_at,
                sent_at,
            } => {
                self.broker = Some(broker);
                self.correlation_id = Some(correlation_id);
                self.created_at = Some(created_at);
                self.sent_at = Some(sent_at);
                self.pending_duration = Some(sent_at.saturating_sub(created_at));
            }
            ErrorKind::StaleTopicMetadata {
                topic,
                unknown_partitions,
            } => {
                self.topic = Some(topic);
                self.unknown_partitions = Some(unknown_partitions);
            }
            ErrorKind::ServerDoesNotSupportApiKey { api } => {
                self.api_key = Some(i16::from(api));
                self.api_name = Some(api.name());
            }
            ErrorKind::DeleteGroups { groups } => {
                self.groups = Some(groups.into_iter().map(Into::into).collect());
            }
            ErrorKind::DeleteTopicRecords { partitions } => {
                self.partitions = Some(partitions.into_iter().map(Into::into).collect());
            }
            ErrorKind::Aggregate { errors } => {
                self.errors = Some(errors.into_iter().map(Into::into).collect());
            }
            _ => {}
        }
    }
}

impl From<GroupFailure> for GroupView {
    fn from(failure: GroupFailure) -> Self {
        Self {
            group_id: failure.group_id,
            error_code: failure.code.0,
            error: ClientError::protocol(failure.code).into(),
        }
    }
}

impl From<RecordsFailure> for RecordsView {
    fn from(failure: RecordsFailure) -> Self {
        Self {
            partition: failure.partition,
            offset: failure.offset.to_string(),
            error: failure.error.into(),
        }
    }
}

/// The outcome of an operation: `{ op, error }`, or `{ op, value }` with a value that need not be
/// there.
#[derive(Debug, Serialize)]
pub(super) struct Outcome<T> {
    op: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<T>,
}

impl<T> Outcome<T> {
    pub(super) fn new(op: partita_core::client::OpId, result: Result<T, ClientError>) -> Self {
        let (value, error) = match result {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error.into())),
        };
        let op = crate::num::to_f64(op.0);
        Self { op, error, value }
    }
}

/// What an exported function throws: the plain object of an error.
pub(super) fn thrown(error: ClientError) -> JsValue {
    to_js(&ErrorView::from(error)).unwrap_or_else(|unshown| unshown)
}

/// Takes an argument that JavaScript gives as a plain object.
pub(super) fn argument<T: serde::de::DeserializeOwned>(value: JsValue) -> Result<T, JsValue> {
    crate::port::from_js(value).map_err(|error| {
        thrown(ClientError::non_retriable(format!(
            "Invalid argument: {error}"
        )))
    })
}
