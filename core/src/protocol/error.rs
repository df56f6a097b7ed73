//! Kafka's error codes: their numbers, names and meaning, and which a client may retry.
//!
//! An [`ErrorCode`] is the number on the wire, so codes of newer brokers pass through unchanged.
//! Names are those of Kafka's `Errors`. Which are retriable follows Kafka's Java client, where it
//! is the class of the exception that decides.

use std::fmt;

/// An error code as it is on the wire; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ErrorCode(pub i16);

impl ErrorCode {
    /// Whether this is [`ErrorCode::NONE`].
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Whether this is any error.
    #[must_use]
    pub fn is_error(self) -> bool {
        self != Self::NONE
    }

    /// Kafka's name, such as `UNKNOWN_TOPIC_OR_PARTITION`. A number that Kafka 4.3 does not know
    /// is named `UNKNOWN_SERVER_ERROR`, as Kafka's clients treat it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// What it means, as a sentence for people.
    #[must_use]
    pub fn message(self) -> &'static str {
        self.entry().1
    }

    /// Whether the same request may succeed later, or at another broker.
    #[must_use]
    pub fn retriable(self) -> bool {
        self.entry().2
    }
}

impl From<i16> for ErrorCode {
    fn from(code: i16) -> Self {
        Self(code)
    }
}

impl From<ErrorCode> for i16 {
    fn from(code: ErrorCode) -> Self {
        code.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.as_str(), self.0)
    }
}

macro_rules! error_codes {
    ($( $name:ident = $code:literal, $retry:ident, $message:literal; )*) => {
        impl ErrorCode {
            $(
                #[doc = $message]
                pub const $name: Self = Self($code);
            )*

            /// Every code that Kafka 4.3 knows, ascending.
            pub const ALL: &'static [Self] = &[$( Self::$name ),*];

            fn entry(self) -> (&'static str, &'static str, bool) {
                match self {
                    $( Self::$name => (stringify!($name), $message, error_codes!(@$retry)), )*
                    _ => Self::UNKNOWN_SERVER_ERROR.entry(),
                }
            }
        }
    };
    (@retry) => { true };
    (@fatal) => { false };
}

error_codes! {
    UNKNOWN_SERVER_ERROR = -1, fatal, "The broker failed in a way it did not foresee.";
    NONE = 0, fatal, "No error.";
    OFFSET_OUT_OF_RANGE = 1, fatal, "The offset lies outside of the partition's log.";
    CORRUPT_MESSAGE = 2, retry,
        "A record batch is damaged: its checksum, size or content is wrong.";
    UNKNOWN_TOPIC_OR_PARTITION = 3, retry, "This broker has no such topic or partition.";
    INVALID_FETCH_SIZE = 4, fatal, "The fetch size is not valid.";
    LEADER_NOT_AVAILABLE = 5, retry, "The partition has no leader yet: one is being elected.";
    NOT_LEADER_OR_FOLLOWER = 6, retry,
        "This broker is not the partition's leader, or has no replica of it.";
    REQUEST_TIMED_OUT = 7, retry, "The request was not done within its time limit.";
    BROKER_NOT_AVAILABLE = 8, fatal, "The broker is not there.";
    REPLICA_NOT_AVAILABLE = 9, retry, "The partition's replica cannot be reached now.";
    MESSAGE_TOO_LARGE = 10, fatal, "A record batch is larger than the topic accepts.";
    STALE_CONTROLLER_EPOCH = 11, fatal, "The controller has moved on to another broker.";
    OFFSET_METADATA_TOO_LARGE = 12, fatal, "The text stored with a committed offset is too long.";
    NETWORK_EXCEPTION = 13, retry, "The connection ended before the response came.";
    COORDINATOR_LOAD_IN_PROGRESS = 14, retry, "The coordinator is still reading its state.";
    COORDINATOR_NOT_AVAILABLE = 15, retry, "No coordinator is available now.";
    NOT_COORDINATOR = 16, retry, "This broker is not the coordinator asked for.";
    INVALID_TOPIC_EXCEPTION = 17, fatal,
        "The topic's name is not allowed, or the topic not open to this operation.";
    RECORD_LIST_TOO_LARGE = 18, fatal, "The record batches are larger than a log segment.";
    NOT_ENOUGH_REPLICAS = 19, retry,
        "Fewer replicas are in sync than the topic requires; nothing was written.";
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, retry,
        "The records were written, but fewer replicas are in sync than required.";
    INVALID_REQUIRED_ACKS = 21, fatal, "The acks of a produce request must be 0, 1 or -1.";
    ILLEGAL_GENERATION = 22, fatal, "The group is in another generation.";
    INCONSISTENT_GROUP_PROTOCOL = 23, fatal,
        "The member shares no protocol with its group, or named none.";
    INVALID_GROUP_ID = 24, fatal, "The group id is not valid.";
    UNKNOWN_MEMBER_ID = 25, fatal, "The coordinator knows no such member.";
    INVALID_SESSION_TIMEOUT = 26, fatal, "The session timeout lies outside of the broker's limits.";
    REBALANCE_IN_PROGRESS = 27, fatal, "The group is rebalancing: join it again.";
    INVALID_COMMIT_OFFSET_SIZE = 28, fatal, "The commit is too large to be stored.";
    TOPIC_AUTHORIZATION_FAILED = 29, fatal, "Not allowed on this topic.";
    GROUP_AUTHORIZATION_FAILED = 30, fatal, "Not allowed on this group.";
    CLUSTER_AUTHORIZATION_FAILED = 31, fatal, "Not allowed on this cluster.";
    INVALID_TIMESTAMP = 32, fatal, "A record's timestamp lies outside of the accepted range.";
    UNSUPPORTED_SASL_MECHANISM = 33, fatal, "The broker does not offer this SASL mechanism.";
    ILLEGAL_SASL_STATE = 34, fatal, "The request does not fit the state of the authentication.";
    UNSUPPORTED_VERSION = 35, fatal, "The broker does not serve this version of the API.";
    TOPIC_ALREADY_EXISTS = 36, fatal, "A topic of this name exists already.";
    INVALID_PARTITIONS = 37, fatal, "The number of partitions is not valid.";
    INVALID_REPLICATION_FACTOR = 38, fatal,
        "The replication factor is below 1 or above the number of brokers.";
    INVALID_REPLICA_ASSIGNMENT = 39, fatal, "The assignment of replicas is not valid.";
    INVALID_CONFIG = 40, fatal, "A config is unknown or its value not valid.";
    NOT_CONTROLLER = 41, retry, "This broker is not the controller.";
    INVALID_REQUEST = 42, fatal, "The request contradicts itself or the protocol.";
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, fatal,
        "The format of the stored records does not allow this request.";
    POLICY_VIOLATION = 44, fatal, "The request breaks a policy of the cluster.";
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, fatal, "A batch does not follow the producer's last one.";
    DUPLICATE_SEQUENCE_NUMBER = 46, fatal, "A batch was written before, too long ago to say where.";
    INVALID_PRODUCER_EPOCH = 47, fatal, "The producer's epoch is older than the known one.";
    INVALID_TXN_STATE = 48, fatal, "The transaction's state does not allow this operation.";
    INVALID_PRODUCER_ID_MAPPING = 49, fatal, "The transactional id belongs to another producer id.";
    INVALID_TRANSACTION_TIMEOUT = 50, fatal, "The transaction timeout is above the broker's limit.";
    CONCURRENT_TRANSACTIONS = 51, retry, "Another operation on the same transaction is under way.";
    TRANSACTION_COORDINATOR_FENCED = 52, fatal,
        "A transaction marker came from a coordinator that is one no more.";
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, fatal, "Not allowed on this transactional id.";
    SECURITY_DISABLED = 54, fatal, "The broker runs without an authorizer.";
    OPERATION_NOT_ATTEMPTED = 55, fatal,
        "Not tried, because another operation of the same request failed.";
    KAFKA_STORAGE_ERROR = 56, retry, "The log's storage failed.";
    LOG_DIR_NOT_FOUND = 57, fatal, "The broker has no such log directory.";
    SASL_AUTHENTICATION_FAILED = 58, fatal, "The credentials were refused.";
    UNKNOWN_PRODUCER_ID = 59, fatal, "The broker remembers nothing of this producer id.";
    REASSIGNMENT_IN_PROGRESS = 60, fatal, "The partition is being reassigned.";
    DELEGATION_TOKEN_AUTH_DISABLED = 61, fatal, "Delegation tokens are turned off.";
    DELEGATION_TOKEN_NOT_FOUND = 62, fatal, "The broker has no such delegation token.";
    DELEGATION_TOKEN_OWNER_MISMATCH = 63, fatal,
        "Neither owner nor renewer of the delegation token.";
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64, fatal,
        "Delegation tokens cannot be asked for over this connection.";
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65, fatal, "Not allowed on this delegation token.";
    DELEGATION_TOKEN_EXPIRED = 66, fatal, "The delegation token has expired.";
    INVALID_PRINCIPAL_TYPE = 67, fatal, "No principal can be of this type.";
    NON_EMPTY_GROUP = 68, fatal, "The group still has members.";
    GROUP_ID_NOT_FOUND = 69, fatal, "No group has this id.";
    FETCH_SESSION_ID_NOT_FOUND = 70, retry, "The broker has no such fetch session.";
    INVALID_FETCH_SESSION_EPOCH = 71, retry, "The fetch session is at another epoch.";
    LISTENER_NOT_FOUND = 72, retry, "The leader has no listener like the one that was asked.";
    TOPIC_DELETION_DISABLED = 73, fatal, "Topics cannot be deleted in this cluster.";
    FENCED_LEADER_EPOCH = 74, retry, "The leader epoch of the request is older than the broker's.";
    UNKNOWN_LEADER_EPOCH = 75, retry, "The leader epoch of the request is newer than the broker's.";
    UNSUPPORTED_COMPRESSION_TYPE = 76, fatal,
        "The requester's version cannot carry this compression type.";
    STALE_BROKER_EPOCH = 77, fatal, "The broker has registered again since.";
    OFFSET_NOT_AVAILABLE = 78, retry, "The new leader does not know the high watermark yet.";
    MEMBER_ID_REQUIRED = 79, fatal, "Join again with the member id that was given.";
    PREFERRED_LEADER_NOT_AVAILABLE = 80, retry, "The preferred leader is not available.";
    GROUP_MAX_SIZE_REACHED = 81, fatal, "The group has as many members as it may have.";
    FENCED_INSTANCE_ID = 82, fatal, "Another member has taken over this group instance id.";
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83, retry, "No replica may become leader.";
    ELECTION_NOT_NEEDED = 84, retry, "The partition has the right leader already.";
    NO_REASSIGNMENT_IN_PROGRESS = 85, fatal, "The partition is not being reassigned.";
    GROUP_SUBSCRIBED_TO_TOPIC = 86, fatal,
        "The group consumes the topic: its offsets cannot be deleted.";
    INVALID_RECORD = 87, fatal, "A record does not pass the broker's checks.";
    UNSTABLE_OFFSET_COMMIT = 88, retry, "An open transaction has offsets pending.";
    THROTTLING_QUOTA_EXCEEDED = 89, retry, "A quota is used up.";
    PRODUCER_FENCED = 90, fatal, "A newer producer uses the same transactional id.";
    RESOURCE_NOT_FOUND = 91, fatal, "There is no such resource.";
    DUPLICATE_RESOURCE = 92, fatal, "A resource is named twice.";
    UNACCEPTABLE_CREDENTIAL = 93, fatal, "The credential does not meet the requirements.";
    INCONSISTENT_VOTER_SET = 94, fatal, "One side of the request is not among the expected voters.";
    INVALID_UPDATE_VERSION = 95, fatal, "The version of the update is not valid.";
    FEATURE_UPDATE_FAILED = 96, fatal, "The features could not be updated.";
    PRINCIPAL_DESERIALIZATION_FAILURE = 97, fatal,
        "The principal of a forwarded request could not be read.";
    SNAPSHOT_NOT_FOUND = 98, fatal, "There is no such snapshot.";
    POSITION_OUT_OF_RANGE = 99, fatal, "The position lies outside of the snapshot.";
    UNKNOWN_TOPIC_ID = 100, retry, "This broker has no topic of this id.";
    DUPLICATE_BROKER_REGISTRATION = 101, fatal, "Another broker has this id.";
    BROKER_ID_NOT_REGISTERED = 102, fatal, "No broker is registered under this id.";
    INCONSISTENT_TOPIC_ID = 103, retry, "The topic of this name has another id.";
    INCONSISTENT_CLUSTER_ID = 104, fatal, "The broker belongs to another cluster.";
    TRANSACTIONAL_ID_NOT_FOUND = 105, fatal, "The coordinator knows no such transactional id.";
    FETCH_SESSION_TOPIC_ID_ERROR = 106, retry,
        "The fetch session mixes topics with and without ids.";
    INELIGIBLE_REPLICA = 107, fatal, "A replica of the new in-sync set may not be in it.";
    NEW_LEADER_ELECTED = 108, fatal, "The partition was changed, and has a new leader.";
    OFFSET_MOVED_TO_TIERED_STORAGE = 109, fatal, "The offset is in tiered storage.";
    FENCED_MEMBER_EPOCH = 110, fatal,
        "The member's epoch is fenced: give up all partitions and join again.";
    UNRELEASED_INSTANCE_ID = 111, fatal, "Another member still uses this group instance id.";
    UNSUPPORTED_ASSIGNOR = 112, fatal, "The group does not support this assignor.";
    STALE_MEMBER_EPOCH = 113, fatal,
        "The member's epoch is old: take the new one from a heartbeat first.";
    MISMATCHED_ENDPOINT_TYPE = 114, fatal, "The request was meant for another type of endpoint.";
    UNSUPPORTED_ENDPOINT_TYPE = 115, fatal, "No endpoint is of this type.";
    UNKNOWN_CONTROLLER_ID = 116, fatal, "No controller has this id.";
    UNKNOWN_SUBSCRIPTION_ID = 117, fatal, "The telemetry subscription is unknown or out of date.";
    TELEMETRY_TOO_LARGE = 118, fatal, "The telemetry is larger than the broker accepts.";
    INVALID_REGISTRATION = 119, fatal, "The controller refuses the broker's registration.";
    TRANSACTION_ABORTABLE = 120, fatal,
        "The transaction failed; after aborting it the producer can go on.";
    INVALID_RECORD_STATE = 121, fatal, "The record's delivery cannot be acknowledged in its state.";
    SHARE_SESSION_NOT_FOUND = 122, retry, "The broker has no such share session.";
    INVALID_SHARE_SESSION_EPOCH = 123, retry, "The share session is at another epoch.";
    FENCED_STATE_EPOCH = 124, fatal, "The share group's state is at another epoch.";
    INVALID_VOTER_KEY = 125, fatal, "The voter's key is not that of the receiver.";
    DUPLICATE_VOTER = 126, fatal, "The voter is in the set already.";
    VOTER_NOT_FOUND = 127, fatal, "The voter is not in the set.";
    INVALID_REGULAR_EXPRESSION = 128, fatal, "The regular expression is not valid.";
    REBOOTSTRAP_REQUIRED = 129, fatal,
        "The client's metadata is out of date: start from the bootstrap servers again.";
    STREAMS_INVALID_TOPOLOGY = 130, fatal, "The topology is not valid.";
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131, fatal, "The topology's epoch is not valid.";
    STREAMS_TOPOLOGY_FENCED = 132, fatal, "The topology's epoch is out of date.";
    SHARE_SESSION_LIMIT_REACHED = 133, retry,
        "The broker has as many share sessions as it may have.";
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn every_code_is_there_once_and_in_order() {
        let numbers: Vec<i16> = ErrorCode::ALL.iter().map(|code| code.0).collect();
        assert_eq!(numbers, (-1..=133).collect::<Vec<i16>>());
    }

    #[test]
    fn an_unknown_code_keeps_its_number() {
        let code = ErrorCode::from(9999);
        assert_eq!(i16::from(code), 9999);
        assert_eq!(code.as_str(), "UNKNOWN_SERVER_ERROR");
        assert!(!code.retriable() && code.is_error());
    }

    #[test]
    fn retriable_is_what_kafkas_client_retries() {
        // The numbers of Kafka 4.3.1 whose exceptions extend RetriableException.
        let expected = [
            2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83,
            84, 88, 89, 100, 103, 106, 122, 123, 133,
        ];
        let found: Vec<i16> = ErrorCode::ALL
            .iter()
            .filter(|code| code.retriable())
            .map(|code| code.0)
            .collect();
        assert_eq!(found, expected);
    }
}
