/**
 * Errors as the wasm gives them, plain objects (`web/src/exports/error.rs`), and the way from those
 * to KafkaJS's classes; and what users' code throws.
 */
import {
  KafkaJSAggregateError,
  KafkaJSBrokerNotFound,
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  KafkaJSCreateTopicError,
  KafkaJSDeleteGroupsError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSInvariantViolation,
  KafkaJSLockTimeout,
  KafkaJSMemberIdRequired,
  KafkaJSMetadataNotLoaded,
  KafkaJSNoBrokerAvailableError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSOffsetOutOfRange,
  KafkaJSPartialMessageError,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
  KafkaJSStaleTopicMetadataAssignment,
  KafkaJSTimeout,
  KafkaJSTopicMetadataNotLoaded,
  KafkaJSUnsupportedMagicByteInMessageSet,
  PartitaQuotaExceeded,
} from "./errors.js";

/** An error as the wasm gives it. */
export interface WireError {
  name: string;
  message: string;
  retriable: boolean;
  type?: string;
  code?: number | string;
  help?: string;
  cause?: WireError;
  topic?: string;
  partition?: number;
  memberId?: string;
  broker?: string;
  correlationId?: number;
  createdAt?: number;
  sentAt?: number;
  pendingDuration?: number;
  retryCount?: number;
  retryTime?: number;
  unknownPartitions?: number[];
  apiKey?: number;
  apiName?: string;
  groups?: { groupId: string; errorCode: number; error: WireError }[];
  partitions?: { partition: number; offset: string; error: WireError }[];
  errors?: WireError[];
}

/** Whether something thrown by the wasm is an error as above, and not, say, a trap. */
export const isWireError = (thrown: unknown): thrown is WireError =>
  typeof thrown === "object" &&
  thrown !== null &&
  !(thrown instanceof Error) &&
  "retriable" in thrown;

/** What users' code has thrown, which may be anything. */
export const asError = (thrown: unknown): Error =>
  typeof thrown === "object" && thrown !== null && "message" in thrown
    ? (thrown as Error)
    : new Error(String(thrown));

/** The error of KafkaJS's class that the wasm means. */
export function fromWire(wire: WireError): Error {
  const error = build(wire);
  if (error instanceof KafkaJSError) {
    error.retriable = wire.retriable;
    if (wire.help !== undefined) error.help = wire.help;
    if (wire.cause && error.cause === undefined) error.cause = fromWire(wire.cause);
  }
  return error;
}

function build(wire: WireError): Error {
  const { message, topic = "", partition = -1 } = wire;
  const protocol = {
    message,
    type: wire.type ?? "UNKNOWN",
    code: typeof wire.code === "number" ? wire.code : -1,
    retriable: wire.retriable,
  };
  switch (wire.name) {
    case "KafkaJSProtocolError":
      return new KafkaJSProtocolError(protocol);
    case "KafkaJSOffsetOutOfRange":
      return new KafkaJSOffsetOutOfRange(protocol, { topic, partition });
    case "KafkaJSMemberIdRequired":
      return new KafkaJSMemberIdRequired(protocol, { memberId: wire.memberId ?? "" });
    case "KafkaJSCreateTopicError":
      return new KafkaJSCreateTopicError(protocol, topic);
    case "PartitaQuotaExceeded":
      return new PartitaQuotaExceeded(protocol, { topic, partition });
    case "KafkaJSNumberOfRetriesExceeded": {
      const cause = wire.cause ? fromWire(wire.cause) : new KafkaJSError(message);
      const { retryCount = 0, retryTime = 0 } = wire;
      return new KafkaJSNumberOfRetriesExceeded(cause, { retryCount, retryTime });
    }
    case "KafkaJSConnectionError": {
      const code = wire.code === undefined ? undefined : String(wire.code);
      return new KafkaJSConnectionError(message, { broker: wire.broker, code });
    }
    case "KafkaJSConnectionClosedError": {
      const broker = wire.broker ?? "";
      const colon = broker.lastIndexOf(":");
      const [host, port] = [broker.slice(0, colon), Number(broker.slice(colon + 1))];
      return new KafkaJSConnectionClosedError(message, { host, port });
    }
    case "KafkaJSRequestTimeoutError":
      return new KafkaJSRequestTimeoutError(message, wire);
    case "KafkaJSTopicMetadataNotLoaded":
      return new KafkaJSTopicMetadataNotLoaded(message, { topic });
    case "KafkaJSStaleTopicMetadataAssignment": {
      const { unknownPartitions = [] } = wire;
      return new KafkaJSStaleTopicMetadataAssignment(message, { topic, unknownPartitions });
    }
    case "KafkaJSDeleteGroupsError": {
      const groups = (wire.groups ?? []).map(({ groupId, errorCode, error }) => ({
        groupId,
        errorCode,
        error: fromWire(error) as KafkaJSError,
      }));
      return new KafkaJSDeleteGroupsError(message, groups);
    }
    case "KafkaJSDeleteTopicRecordsError": {
      const partitions = (wire.partitions ?? []).map((failure) => ({
        ...failure,
        error: fromWire(failure.error) as KafkaJSError,
      }));
      return new KafkaJSDeleteTopicRecordsError({ topic, partitions });
    }
    case "KafkaJSServerDoesNotSupportApiKey":
      return new KafkaJSServerDoesNotSupportApiKey(message, wire);
    case "KafkaJSAggregateError":
      return new KafkaJSAggregateError(message, (wire.errors ?? []).map(fromWire));
    case "KafkaJSNoBrokerAvailableError":
      return new KafkaJSNoBrokerAvailableError();
    default: {
      const plain = PLAIN[wire.name] ?? KafkaJSError;
      return new plain(message);
    }
  }
}

/** The classes that are made of words alone. */
const PLAIN: Record<string, new (reason: string) => KafkaJSError> = {
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSMetadataNotLoaded,
  KafkaJSPartialMessageError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSNotImplemented,
  KafkaJSTimeout,
  KafkaJSLockTimeout,
  KafkaJSUnsupportedMagicByteInMessageSet,
  KafkaJSInvariantViolation,
  KafkaJSSASLAuthenticationError,
  KafkaJSBrokerNotFound,
};
