//! What goes wrong in a client, in KafkaJS's classes, with what to do about it.
//!
//! Every error is a [`ClientError`]: an [`ErrorKind`] that corresponds to one class of KafkaJS 2.2
//! (its name is [`ClientError::name`], its extra fields are the variant's), a message for people,
//! whether repeating may help, and the error behind it. [`ErrorKind::QuotaExceeded`] is our own.
//!
//! Codes up to 88 have the `type` that KafkaJS gives them, which is not always Kafka's name of
//! today. Newer codes keep Kafka's name and number, where KafkaJS says "unknown".

use std::fmt;

use crate::protocol::{ApiKey, ErrorCode};

/// Anything that a command can fail with.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientError {
    /// Which class it is, with that class's own fields.
    pub kind: ErrorKind,
    /// What happened, in words.
    pub message: String,
    /// Whether the same command may succeed later.
    pub retriable: bool,
    /// The error behind this one.
    pub cause: Option<Box<Self>>,
}

/// The class of a [`ClientError`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing more special.
    General,
    /// Repeating does not help.
    NonRetriable,
    /// A broker answered with an error.
    Protocol {
        /// Its code.
        code: ErrorCode,
    },
    /// A position lies outside of a partition's log.
    OffsetOutOfRange {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// A consumer must join again with the id it was given.
    MemberIdRequired {
        /// That id.
        member_id: String,
    },
    /// A topic could not be created.
    CreateTopic {
        /// Its name.
        topic: String,
        /// Why.
        code: ErrorCode,
    },
    /// Repeated as often as configured, in vain.
    NumberOfRetriesExceeded {
        /// How often.
        retry_count: u32,
        /// The wait that would have come next, in milliseconds.
        retry_time_ms: u64,
    },
    /// No connection could be made.
    Connection {
        /// The address, as `host:port`.
        broker: String,
        /// The system's error code, such as `ECONNREFUSED`.
        code: Option<String>,
    },
    /// A connection ended while something waited for it.
    ConnectionClosed {
        /// The address, as `host:port`.
        broker: String,
    },
    /// No answer came in time.
    RequestTimeout {
        /// The address, as `host:port`.
        broker: String,
        /// The request's number on its connection.
        correlation_id: i32,
        /// When it was made, in milliseconds since the epoch.
        created_at: i64,
        /// When it was sent, in milliseconds since the epoch.
        sent_at: i64,
    },
    /// No broker has been asked for topics yet.
    MetadataNotLoaded,
    /// Nothing is known of this topic.
    TopicMetadataNotLoaded {
        /// Its name.
        topic: String,
    },
    /// A consumer was given partitions that are not known.
    StaleTopicMetadata {
        /// The topic.
        topic: String,
        /// The unknown partitions.
        unknown_partitions: Vec<i32>,
    },
    /// A response was cut short.
    PartialMessage,
    /// No broker is the group's coordinator.
    GroupCoordinatorNotFound,
    /// Asked for something that does not exist here.
    NotImplemented,
    /// Waited too long for something other than a request.
    Timeout,
    /// Waited too long for exclusive use of something.
    LockTimeout,
    /// Records of an old format.
    UnsupportedMagicByte,
    /// A variable-length number that is none.
    InvalidVarInt,
    /// Our own mistake.
    InvariantViolation,
    /// Credentials were refused.
    SaslAuthentication,
    /// Some groups could not be deleted.
    DeleteGroups {
        /// Which, and why.
        groups: Vec<GroupFailure>,
    },
    /// Records of some partitions could not be deleted.
    DeleteTopicRecords {
        /// Which, and why.
        partitions: Vec<RecordsFailure>,
    },
    /// The broker is too old, or too new, for an operation.
    ServerDoesNotSupportApiKey {
        /// The API of the operation.
        api: ApiKey,
    },
    /// A partition has no leader that is known.
    BrokerNotFound,
    /// No broker at all can be reached.
    NoBrokerAvailable,
    /// Several errors at once.
    Aggregate {
        /// All of them.
        errors: Vec<ClientError>,
    },
    /// The broker's storage is full.
    QuotaExceeded {
        /// The topic that was written to.
        topic: String,
        /// The partition that was written to.
        partition: i32,
    },
}

/// A group that could not be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFailure {
    /// Its id.
    pub group_id: String,
    /// Why.
    pub code: ErrorCode,
}

/// A partition whose records could not be deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordsFailure {
    /// Its number.
    pub partition: i32,
    /// Below which offset they should have gone.
    pub offset: i64,
    /// Why they are still there.
    pub error: ClientError,
}

impl ClientError {
    /// An error of this kind, which repeating does not help.
    #[must_use]
    pub fn fatal(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retriable: false,
            cause: None,
        }
    }

    /// An error of this kind, which may pass.
    #[must_use]
    pub fn passing(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            retriable: true,
            ..Self::fatal(kind, message)
        }
    }

    /// A mistake of the caller.
    #[must_use]
    pub fn non_retriable(message: impl Into<String>) -> Self {
        Self::fatal(ErrorKind::NonRetriable, message)
    }

    /// A broker's error code.
    #[must_use]
    pub fn protocol(code: ErrorCode) -> Self {
        Self::protocol_about(code, None, "")
    }

    /// A broker's error code, with the broker's own words if it sent any, and what it is about
    /// (`orders-0`; may be empty).
    #[must_use]
    pub fn protocol_about(code: ErrorCode, words: Option<&str>, about: &str) -> Self {
        let code = by_name(code);
        let said = words.filter(|words| !words.is_empty());
        let said = said.unwrap_or_else(|| code.message());
        Self {
            kind: ErrorKind::Protocol { code },
            message: if about.is_empty() {
                said.to_owned()
            } else {
                format!("{about}: {said}")
            },
            retriable: code.retriable(),
            cause: None,
        }
    }

    /// The same as `NonRetriable`, with the cause that KafkaJS gives: this error's own cause, or
    /// else this error.
    #[must_use]
    pub fn into_non_retriable(self) -> Self {
        let message = self.message.clone();
        let cause = match self.cause {
            Some(cause) => cause,
            None => Box::new(self),
        };
        Self {
            cause: Some(cause),
            ..Self::non_retriable(message)
        }
    }

    /// What the caller gets after the last repeat.
    #[must_use]
    pub fn into_retries_exceeded(self, retry_count: u32, retry_time_ms: u64) -> Self {
        Self {
            message: self.message.clone(),
            kind: ErrorKind::NumberOfRetriesExceeded {
                retry_count,
                retry_time_ms,
            },
            retriable: false,
            cause: Some(Box::new(self)),
        }
    }

    /// The name of KafkaJS's class.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.kind {
            ErrorKind::General => "KafkaJSError",
            // The last is the name that KafkaJS gives its class KafkaJSInvalidVarIntError.
            ErrorKind::NonRetriable | ErrorKind::InvalidVarInt => "KafkaJSNonRetriableError",
            ErrorKind::Protocol { .. } => "KafkaJSProtocolError",
            ErrorKind::OffsetOutOfRange { .. } => "KafkaJSOffsetOutOfRange",
            ErrorKind::MemberIdRequired { .. } => "KafkaJSMemberIdRequired",
            ErrorKind::CreateTopic { .. } => "KafkaJSCreateTopicError",
            ErrorKind::NumberOfRetriesExceeded { .. } => "KafkaJSNumberOfRetriesExceeded",
            ErrorKind::Connection { .. } => "KafkaJSConnectionError",
            ErrorKind::ConnectionClosed { .. } => "KafkaJSConnectionClosedError",
            ErrorKind::RequestTimeout { .. } => "KafkaJSRequestTimeoutError",
            ErrorKind::MetadataNotLoaded => "KafkaJSMetadataNotLoaded",
            ErrorKind::TopicMetadataNotLoaded { .. } => "KafkaJSTopicMetadataNotLoaded",
            ErrorKind::StaleTopicMetadata { .. } => "KafkaJSStaleTopicMetadataAssignment",
            ErrorKind::PartialMessage => "KafkaJSPartialMessageError",
            ErrorKind::GroupCoordinatorNotFound => "KafkaJSGroupCoordinatorNotFound",
            ErrorKind::NotImplemented => "KafkaJSNotImplemented",
            ErrorKind::Timeout => "KafkaJSTimeout",
            ErrorKind::LockTimeout => "KafkaJSLockTimeout",
            ErrorKind::UnsupportedMagicByte => "KafkaJSUnsupportedMagicByteInMessageSet",
            ErrorKind::InvariantViolation => "KafkaJSInvariantViolation",
            ErrorKind::SaslAuthentication => "KafkaJSSASLAuthenticationError",
            ErrorKind::DeleteGroups { .. } => "KafkaJSDeleteGroupsError",
            ErrorKind::DeleteTopicRecords { .. } => "KafkaJSDeleteTopicRecordsError",
            ErrorKind::ServerDoesNotSupportApiKey { .. } => "KafkaJSServerDoesNotSupportApiKey",
            ErrorKind::BrokerNotFound => "KafkaJSBrokerNotFound",
            ErrorKind::NoBrokerAvailable => "KafkaJSNoBrokerAvailableError",
            ErrorKind::Aggregate { .. } => "KafkaJSAggregateError",
            ErrorKind::QuotaExceeded { .. } => "PartitaQuotaExceeded",
        }
    }

    /// KafkaJS's name of the broker's code, where there is one.
    #[must_use]
    pub fn error_type(&self) -> Option<&'static str> {
        self.error_code().map(kafkajs_type)
    }

    /// The number of the broker's code, where there is one.
    #[must_use]
    pub fn code(&self) -> Option<i16> {
        self.error_code().map(|code| code.0)
    }

    /// The broker's code, where there is one.
    #[must_use]
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no other kind comes from a broker"
    )]
    pub fn error_code(&self) -> Option<ErrorCode> {
        match &self.kind {
            ErrorKind::Protocol { code } | ErrorKind::CreateTopic { code, .. } => Some(*code),
            ErrorKind::OffsetOutOfRange { .. } => Some(ErrorCode::OFFSET_OUT_OF_RANGE),
            ErrorKind::MemberIdRequired { .. } => Some(ErrorCode::MEMBER_ID_REQUIRED),
            ErrorKind::QuotaExceeded { .. } => Some(ErrorCode::KAFKA_STORAGE_ERROR),
            _ => None,
        }
    }

    /// What a person can do about it.
    #[must_use]
    #[allow(clippy::wildcard_enum_match_arm, reason = "few kinds can be helped")]
    pub fn help(&self) -> Option<&'static str> {
        match &self.kind {
            ErrorKind::NumberOfRetriesExceeded { .. } | ErrorKind::NonRetriable => {
                self.cause.as_ref().and_then(|cause| cause.help())
            }
            ErrorKind::Connection { .. } | ErrorKind::NoBrokerAvailable => {
                Some("Check that the broker runs and that the address given in `brokers` is right.")
            }
            ErrorKind::ConnectionClosed { .. } => {
                Some("The broker has stopped or moved. The client connects again by itself.")
            }
            ErrorKind::RequestTimeout { .. } => {
                Some("The broker is busy or stuck. Raise `requestTimeout` if it is only slow.")
            }
            ErrorKind::ServerDoesNotSupportApiKey { .. } => {
                Some("Use a broker of a version that has this operation.")
            }
            ErrorKind::QuotaExceeded { .. } => Some(
                "The storage given to this origin is used up: delete topics or records, or set \
                 retention.bytes, then send again. Nothing that was acknowledged is lost.",
            ),
            ErrorKind::Timeout => {
                Some("Await earlier sends before sending more, or raise the producer's buffer.")
            }
            _ => self.error_code().and_then(help_for_code),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}

/// The codes that newer versions answer about topic ids, as those that older versions answer about
/// names: the caller gave a name.
fn by_name(code: ErrorCode) -> ErrorCode {
    match code {
        ErrorCode::UNKNOWN_TOPIC_ID | ErrorCode::INCONSISTENT_TOPIC_ID => {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        }
        other => other,
    }
}

/// KafkaJS's name for a code.
fn kafkajs_type(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::UNKNOWN_SERVER_ERROR => "UNKNOWN",
        ErrorCode::NOT_LEADER_OR_FOLLOWER => "NOT_LEADER_FOR_PARTITION",
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => "GROUP_LOAD_IN_PROGRESS",
        ErrorCode::COORDINATOR_NOT_AVAILABLE => "GROUP_COORDINATOR_NOT_AVAILABLE",
        ErrorCode::NOT_COORDINATOR => "NOT_COORDINATOR_FOR_GROUP",
        other => other.as_str(),
    }
}

fn help_for_code(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
            "Check the name, or create the topic first (`admin.createTopics`)."
        }
        ErrorCode::INVALID_TOPIC_EXCEPTION => {
            "Topic names have 1 to 249 characters of a-z, A-Z, 0-9, `.`, `_` and `-`."
        }
        ErrorCode::MESSAGE_TOO_LARGE => {
            "Send smaller messages, or raise the topic's `max.message.bytes`."
        }
        ErrorCode::INVALID_RECORD => "A compacted topic takes only messages that have a key.",
        ErrorCode::INVALID_TIMESTAMP => {
            "The message's timestamp is too far from the broker's time: leave it out, or raise \
             the topic's `message.timestamp.after.max.ms` or `message.timestamp.before.max.ms`."
        }
        ErrorCode::ILLEGAL_GENERATION | ErrorCode::UNKNOWN_MEMBER_ID => {
            "The group has rebalanced without this consumer: handle messages faster, or raise \
             `sessionTimeout`, or call `heartbeat()` in long handlers."
        }
        ErrorCode::REBALANCE_IN_PROGRESS => "The consumer joins again by itself.",
        ErrorCode::NON_EMPTY_GROUP => "Stop the group's consumers first.",
        ErrorCode::TOPIC_ALREADY_EXISTS => "Choose another name, or use the topic as it is.",
        ErrorCode::FENCED_INSTANCE_ID => {
            "Two consumers use the same group instance id: give each its own."
        }
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER => {
            "The broker has lost records that it had acknowledged to this producer."
        }
        ErrorCode::UNSUPPORTED_COMPRESSION_TYPE => "Use a codec that the broker knows.",
        _ => return None,
    })
}
