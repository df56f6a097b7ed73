/** KafkaJS's error classes, with its constructors and fields. All of this file is exported. */
import type { PartitionMetadata } from "./producer-types.js";

/** What an error is made of: words, or another error, or an answer of a broker. */
type Reason =
  | string
  | {
      message: string;
      type?: string;
      code?: number | string;
      retriable?: boolean | undefined;
      helpUrl?: string;
    };

const words = (reason: Reason): string => (typeof reason === "string" ? reason : reason.message);
const fields = (reason: Reason): Exclude<Reason, string> =>
  typeof reason === "string" ? { message: reason } : reason;

/** What KafkaJS's constructor takes; it keeps `retriable` alone. */
export interface KafkaJSErrorMetadata {
  retriable?: boolean | undefined;
  topic?: string;
  partitionId?: number;
  metadata?: PartitionMetadata;
}

export class KafkaJSError extends Error {
  override name = "KafkaJSError";
  retriable: boolean;
  declare readonly helpUrl?: string;
  /** What a person can do about it, where something is known to help. Not in KafkaJS. */
  declare help?: string;
  declare cause?: Error;

  constructor(
    reason: Reason,
    { retriable = true, cause }: KafkaJSErrorMetadata & { cause?: Error | undefined } = {},
  ) {
    super(words(reason));
    this.retriable = retriable;
    const { helpUrl } = fields(reason);
    if (helpUrl !== undefined) this.helpUrl = helpUrl;
    if (cause) this.cause = cause;
  }
}

export class KafkaJSNonRetriableError extends KafkaJSError {
  override name = "KafkaJSNonRetriableError";

  constructor(reason: Reason, { cause }: { cause?: Error | undefined } = {}) {
    super(reason, { retriable: false, cause });
  }
}

export class KafkaJSProtocolError extends KafkaJSError {
  override name = "KafkaJSProtocolError";
  readonly code: number;
  readonly type: string;

  constructor(
    reason: Reason,
    { retriable = fields(reason).retriable }: { retriable?: boolean | undefined } = {},
  ) {
    super(reason, { retriable });
    const { type, code } = fields(reason);
    this.type = type as string;
    this.code = code as number;
  }
}

export interface KafkaJSOffsetOutOfRangeMetadata {
  topic: string;
  partition: number;
}

export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override name = "KafkaJSOffsetOutOfRange";
  readonly topic: string;
  readonly partition: number;

  constructor(reason: Reason, { topic, partition }: KafkaJSOffsetOutOfRangeMetadata) {
    super(reason);
    this.topic = topic;
    this.partition = partition;
  }
}

export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  override name = "KafkaJSMemberIdRequired";
  readonly memberId: string;

  constructor(reason: Reason, { memberId }: { memberId: string }) {
    super(reason);
    this.memberId = memberId;
  }
}

export interface KafkaJSNumberOfRetriesExceededMetadata {
  retryCount: number;
  retryTime: number;
}

export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override name = "KafkaJSNumberOfRetriesExceeded";
  readonly retryCount: number;
  readonly retryTime: number;

  constructor(
    reason: Error | string,
    { retryCount, retryTime }: KafkaJSNumberOfRetriesExceededMetadata,
  ) {
    const cause = typeof reason === "string" ? new KafkaJSError(reason) : reason;
    super(cause, { cause });
    this.stack = `${this.name}\n  Caused by: ${cause.stack}`;
    this.retryCount = retryCount;
    this.retryTime = retryTime;
  }
}

export interface KafkaJSConnectionErrorMetadata {
  broker?: string | undefined;
  code?: string | undefined;
}

export class KafkaJSConnectionError extends KafkaJSError {
  override name = "KafkaJSConnectionError";
  readonly broker: string;
  readonly code: string | undefined;

  constructor(reason: Reason, { broker, code }: KafkaJSConnectionErrorMetadata = {}) {
    super(reason);
    // KafkaJS's types promise it, whoever makes one without.
    this.broker = broker as string;
    this.code = code;
  }
}

export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  override name = "KafkaJSConnectionClosedError";
  readonly host: string | undefined;
  readonly port: number | undefined;

  constructor(
    reason: Reason,
    { host, port }: { host?: string | undefined; port?: number | undefined } = {},
  ) {
    super(reason, { broker: `${host}:${port}` });
    this.host = host;
    this.port = port;
  }
}

export interface KafkaJSRequestTimeoutErrorMetadata {
  broker: string;
  clientId: string;
  correlationId: number;
  createdAt: number;
  sentAt: number;
  pendingDuration: number;
}

export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override name = "KafkaJSRequestTimeoutError";
  readonly broker: string;
  readonly correlationId: number;
  readonly createdAt: number;
  readonly sentAt: number;
  readonly pendingDuration: number;

  constructor(reason: Reason, metadata: Partial<KafkaJSRequestTimeoutErrorMetadata> = {}) {
    super(reason);
    const { broker, correlationId, createdAt, sentAt, pendingDuration } =
      metadata as KafkaJSRequestTimeoutErrorMetadata;
    this.broker = broker;
    this.correlationId = correlationId;
    this.createdAt = createdAt;
    this.sentAt = sentAt;
    this.pendingDuration = pendingDuration;
  }
}

export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  override name = "KafkaJSMetadataNotLoaded";
}

export interface KafkaJSTopicMetadataNotLoadedMetadata {
  topic: string;
}

export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override name = "KafkaJSTopicMetadataNotLoaded";
  readonly topic: string;

  constructor(reason: Reason, { topic }: Partial<KafkaJSTopicMetadataNotLoadedMetadata> = {}) {
    super(reason);
    this.topic = topic as string;
  }
}

export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
  topic: string;
  /** Their numbers, though KafkaJS's types say otherwise. */
  unknownPartitions: number[];
}

export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  override name = "KafkaJSStaleTopicMetadataAssignment";
  readonly topic: string | undefined;
  readonly unknownPartitions: number[] | undefined;

  constructor(
    reason: Reason,
    { topic, unknownPartitions }: Partial<KafkaJSStaleTopicMetadataAssignmentMetadata> = {},
  ) {
    super(reason);
    this.topic = topic;
    this.unknownPartitions = unknownPartitions;
  }
}

export interface DeleteGroupsResult {
  groupId: string;
  errorCode?: number;
  error?: KafkaJSProtocolError;
}

export interface KafkaJSDeleteGroupsErrorGroups {
  groupId: string;
  errorCode: number;
  error: KafkaJSError;
}

export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override name = "KafkaJSDeleteGroupsError";
  readonly groups: DeleteGroupsResult[];

  constructor(reason: Reason, groups: KafkaJSDeleteGroupsErrorGroups[] = []) {
    super(reason);
    this.groups = groups as DeleteGroupsResult[];
  }
}

export interface KafkaJSServerDoesNotSupportApiKeyMetadata {
  apiKey: number;
  apiName: string;
}

export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  override name = "KafkaJSServerDoesNotSupportApiKey";
  readonly apiKey: number;
  readonly apiName: string;

  constructor(
    reason: Reason,
    { apiKey, apiName }: Partial<KafkaJSServerDoesNotSupportApiKeyMetadata> = {},
  ) {
    super(reason);
    this.apiKey = apiKey as number;
    this.apiName = apiName as string;
  }
}

export class KafkaJSBrokerNotFound extends KafkaJSError {
  override name = "KafkaJSBrokerNotFound";
}

export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {
  override name = "KafkaJSPartialMessageError";
}

export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  override name = "KafkaJSSASLAuthenticationError";
}

export class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {
  override name = "KafkaJSGroupCoordinatorNotFound";
}

export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  override name = "KafkaJSNotImplemented";
}

export class KafkaJSTimeout extends KafkaJSNonRetriableError {
  override name = "KafkaJSTimeout";
}

export class KafkaJSLockTimeout extends KafkaJSTimeout {
  override name = "KafkaJSLockTimeout";
}

export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {
  override name = "KafkaJSUnsupportedMagicByteInMessageSet";
}

export interface KafkaJSDeleteTopicRecordsErrorPartition {
  partition: number;
  offset: string;
  error: KafkaJSError;
}

export interface KafkaJSDeleteTopicRecordsErrorTopic {
  topic: string;
  partitions: KafkaJSDeleteTopicRecordsErrorPartition[];
}

export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override name = "KafkaJSDeleteTopicRecordsError";
  readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[];

  constructor({ partitions }: KafkaJSDeleteTopicRecordsErrorTopic) {
    const failed = partitions.filter(({ error }) => error != null);
    const retriable = failed.every(({ error }) => error.retriable === true);
    super("Error while deleting records", { retriable });
    this.partitions = partitions;
  }
}

export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  override name = "KafkaJSInvariantViolation";

  constructor(reason: Reason) {
    super(`Invariant violated: ${words(reason)}. This is likely a bug and should be reported.`);
  }
}

/** KafkaJS gives this class another class's name. */
export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {}

/** KafkaJS gives this class another class's name. */
export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {}

export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override name = "KafkaJSCreateTopicError";
  readonly topic: string;

  constructor(reason: Reason, topic: string) {
    super(reason);
    this.topic = topic;
  }
}

export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  override name = "KafkaJSAlterPartitionReassignmentsError";
  readonly topic: string | undefined;
  readonly partition: number | undefined;

  constructor(reason: Reason, topic?: string, partition?: number) {
    super(reason);
    this.topic = topic;
    this.partition = partition;
  }
}

export class KafkaJSAggregateError extends Error {
  override name = "KafkaJSAggregateError";
  readonly errors: (Error | string)[];

  constructor(message: string, errors: (Error | string)[]) {
    super(message);
    this.errors = errors;
  }
}

export class KafkaJSFetcherRebalanceError extends Error {}

export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  override name = "KafkaJSNoBrokerAvailableError";

  constructor() {
    super("No broker available");
  }
}

/** The broker's storage is full: nothing was appended, and nothing acknowledged is lost. */
export class PartitaQuotaExceeded extends KafkaJSProtocolError {
  override name = "PartitaQuotaExceeded";
  readonly topic: string;
  readonly partition: number;

  constructor(reason: Reason, { topic, partition }: { topic: string; partition: number }) {
    super(reason);
    this.topic = topic;
    this.partition = partition;
  }
}
