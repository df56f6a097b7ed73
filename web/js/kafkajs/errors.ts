/**
 * KafkaJS's error classes, with its constructors and fields, and the way to them from the plain
 * objects that the wasm gives (`web/src/exports/error.rs`).
 */

/** What an error is made of: words, or another error, or an answer of a broker. */
export type Reason =
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

export class KafkaJSError extends Error {
  override name = "KafkaJSError";
  retriable: boolean;
  declare readonly helpUrl?: string;
  /** What a person can do about it, where something is known to help. Not in KafkaJS. */
  declare help?: string;
  declare cause?: Error;

  constructor(
    reason: Reason,
    { retriable = true, cause }: { retriable?: boolean | undefined; cause?: Error | undefined } = {},
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

export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override name = "KafkaJSOffsetOutOfRange";
  readonly topic: string;
  readonly partition: number;

  constructor(reason: Reason, { topic, partition }: { topic: string; partition: number }) {
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

export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override name = "KafkaJSNumberOfRetriesExceeded";
  readonly retryCount: number;
  readonly retryTime: number;

  constructor(
    reason: Error | string,
    { retryCount, retryTime }: { retryCount: number; retryTime: number },
  ) {
    const cause = typeof reason === "string" ? new KafkaJSError(reason) : reason;
    super(cause, { cause });
    this.stack = `${this.name}\n  Caused by: ${cause.stack}`;
    this.retryCount = retryCount;
    this.retryTime = retryTime;
  }
}

export class KafkaJSConnectionError extends KafkaJSError {
  override name = "KafkaJSConnectionError";
  readonly broker: string;
  readonly code: string | undefined;

  constructor(
    reason: Reason,
    { broker, code }: { broker?: string | undefined; code?: string | undefined } = {},
  ) {
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
  clientId?: string;
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

export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override name = "KafkaJSTopicMetadataNotLoaded";
  readonly topic: string;

  constructor(reason: Reason, { topic }: { topic?: string | undefined } = {}) {
    super(reason);
    this.topic = topic as string;
  }
}

export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  override name = "KafkaJSStaleTopicMetadataAssignment";
  readonly topic: string | undefined;
  readonly unknownPartitions: number[] | undefined;

  constructor(
    reason: Reason,
    {
      topic,
      unknownPartitions,
    }: { topic?: string | undefined; unknownPartitions?: number[] | undefined } = {},
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

export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override name = "KafkaJSDeleteGroupsError";
  readonly groups: DeleteGroupsResult[];

  constructor(reason: Reason, groups: DeleteGroupsResult[] = []) {
    super(reason);
    this.groups = groups;
  }
}

export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  override name = "KafkaJSServerDoesNotSupportApiKey";
  readonly apiKey: number;
  readonly apiName: string;

  constructor(
    reason: Reason,
    { apiKey, apiName }: { apiKey?: number | undefined; apiName?: string | undefined } = {},
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

export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override name = "KafkaJSDeleteTopicRecordsError";
  readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[];

  constructor({ partitions }: { topic?: string; partitions: KafkaJSDeleteTopicRecordsErrorPartition[] }) {
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
  const protocol: Reason = {
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
      const { unknownPartitions } = wire;
      return new KafkaJSStaleTopicMetadataAssignment(message, { topic, unknownPartitions });
    }
    case "KafkaJSDeleteGroupsError": {
      const groups = (wire.groups ?? []).map(({ groupId, errorCode, error }) => ({
        groupId,
        errorCode,
        error: fromWire(error) as KafkaJSProtocolError,
      }));
      return new KafkaJSDeleteGroupsError(message, groups);
    }
    case "KafkaJSDeleteTopicRecordsError": {
      const partitions = (wire.partitions ?? []).map((failure) => ({
        ...failure,
        error: fromWire(failure.error) as KafkaJSError,
      }));
      return new KafkaJSDeleteTopicRecordsError({ partitions });
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
const PLAIN: Record<string, new (reason: Reason) => KafkaJSError> = {
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
