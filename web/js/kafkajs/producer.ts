/** KafkaJS's producer. The wasm batches, retries, keeps the order; here are arguments and events. */
import { Client } from "./client.js";
import { CompressionTypes } from "./constants.js";
import {
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSProtocolError,
  KafkaJSTimeout,
} from "./errors.js";
import { networkEvents } from "./events.js";
import type { NetworkEvents, On } from "./events.js";
import type { Outcome, ProducerClient, Way } from "./glue.js";
import type { Logger } from "./logger.js";
import { pack } from "./pack.js";
import { DefaultPartitioner, StickyPartitioner } from "./partitioners.js";
import type { ICustomPartitioner, Partitioner } from "./partitioners.js";
import type { Message, PartitionMetadata, RecordMetadata, TopicMessages } from "./producer-types.js";
import { checkMillis } from "./session.js";
import type { RetryOptions, Session } from "./session.js";
import type { Offsets } from "./types.js";

export interface ProducerConfig {
  createPartitioner?: ICustomPartitioner;
  retry?: RetryOptions;
  metadataMaxAge?: number;
  allowAutoTopicCreation?: boolean;
  idempotent?: boolean;
  transactionalId?: string;
  transactionTimeout?: number;
  maxInFlightRequests?: number;
  /** How long a batch waits for more messages, in milliseconds. Not in KafkaJS. */
  linger?: number;
  /** How large batches of several sends become, in bytes. Not in KafkaJS. */
  batchSize?: number;
  /** The largest request, in bytes. Not in KafkaJS. */
  maxRequestSize?: number;
  /** How many bytes may be unacknowledged; sends beyond that wait. Not in KafkaJS. */
  bufferMemory?: number;
  /** How long a send waits for that, in milliseconds, before it fails. Not in KafkaJS. */
  maxBlock?: number;
}

export interface ProducerBatch {
  acks?: number;
  timeout?: number;
  compression?: CompressionTypes;
  topicMessages?: TopicMessages[];
}

export interface ProducerRecord {
  topic: string;
  messages: Message[];
  acks?: number;
  timeout?: number;
  compression?: CompressionTypes;
}

const events = {
  CONNECT: "producer.connect",
  DISCONNECT: "producer.disconnect",
  ...networkEvents("producer"),
} as const;

/** KafkaJS's default for the broker's time, in milliseconds. */
const TIMEOUT = 30_000;
/** The core's default of `max_block_ms`. */
const MAX_BLOCK = 60_000;

/** A send that waits for room, not yet copied into the wasm. */
interface Waiting {
  until: number;
  go(): void;
  fail(error: Error): void;
}

class ProducerCore extends Client<Outcome, ProducerClient> {
  #config: ProducerConfig;
  #retry: RetryOptions;
  #session: Session;
  status: "disconnected" | "connected" | "disconnecting" = "disconnected";
  #waiting: Waiting[] = [];
  #whenSettled: (() => void)[] = [];

  constructor(session: Session, config: ProducerConfig) {
    super(session, "producer", events);
    this.#session = session;
    this.#config = config;
    this.#retry = session.retry(config.retry);
  }

  protected create(way: Way, cluster: Record<string, unknown>, ready: () => void): ProducerClient {
    const { metadataMaxAge, allowAutoTopicCreation, maxInFlightRequests } = this.#config;
    const { idempotent, linger, batchSize, maxRequestSize, bufferMemory, maxBlock } = this.#config;
    const own = { metadataMaxAge, allowAutoTopicCreation, maxInFlightRequests, retry: this.#retry };
    const buffers = { linger, batchSize, maxRequestSize, bufferMemory, maxBlock };
    const sticky = this.#config.createPartitioner === StickyPartitioner;
    const options = { cluster: { ...cluster, ...own }, idempotent: !!idempotent, sticky, ...buffers };
    return new this.#session.instance.glue.ProducerClient(way, options, ready);
  }

  async connect(): Promise<void> {
    if (!(await this.reach())) return;
    this.status = "connected";
    this.emitter.emit(events.CONNECT);
  }

  async disconnect(): Promise<void> {
    this.status = "disconnecting";
    await this.close(this.#settled());
    this.status = "disconnected";
    this.emitter.emit(events.DISCONNECT);
  }

  /** Resolves when no send waits for room. */
  #settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenSettled.push(resolve);
      this.#tellSettled();
    });
  }

  #tellSettled(): void {
    if (this.#waiting.length > 0) return;
    for (const resolve of this.#whenSettled.splice(0)) resolve();
  }

  /** A topic's partitions, as a custom partitioner is given them. */
  partitions(topic: string): Promise<PartitionMetadata[]> {
    return this.operation((wasm) => wasm.partitions(topic));
  }

  /** Sends when there is room: until then the messages are not copied. */
  send(begin: (wasm: ProducerClient) => number): Promise<RecordMetadata[]> {
    if (this.#waiting.length === 0 && !this.call((wasm) => wasm.is_full())) {
      return this.operation(begin);
    }
    return new Promise((resolve, reject) => {
      const until = performance.now() + (this.#config.maxBlock ?? MAX_BLOCK);
      const go = (): void => void this.operation<RecordMetadata[]>(begin).then(resolve, reject);
      this.#waiting.push({ until, go, fail: reject });
    });
  }

  protected override drained(): void {
    while (this.#waiting.length > 0 && this.wasm && !this.call((wasm) => wasm.is_full())) {
      this.#waiting.shift()?.go();
    }
    const now = performance.now();
    while ((this.#waiting[0]?.until ?? Infinity) < now) {
      const message = "Too many messages are waiting to be acknowledged; there was no room for more";
      this.#waiting.shift()?.fail(new KafkaJSTimeout(message));
    }
    this.#tellSettled();
  }

  protected override closed(error?: KafkaJSError): void {
    const why = error ?? new KafkaJSError("The producer is disconnected");
    for (const waiting of this.#waiting.splice(0)) waiting.fail(why);
    this.#tellSettled();
  }
}

/** A topic's messages, one list however often the topic is named. */
function merge(topicMessages: TopicMessages[]): TopicMessages[] {
  if (topicMessages.length === 1) return topicMessages;
  const merged = new Map<string, Message[]>();
  for (const { topic, messages } of topicMessages) {
    const known = merged.get(topic);
    merged.set(topic, known ? [...known, ...messages] : messages);
  }
  return [...merged].map(([topic, messages]) => ({ topic, messages }));
}

function check(topicMessages: TopicMessages[], idempotent: boolean, acks: number): void {
  if (topicMessages.some(({ topic }) => !topic || typeof topic !== "string")) {
    throw new KafkaJSNonRetriableError("Invalid topic");
  }
  if (idempotent && acks !== -1) {
    throw new KafkaJSNonRetriableError(
      "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
    );
  }
  for (const { topic, messages } of topicMessages) {
    if (!messages) {
      const text = `Invalid messages array [${messages}] for topic "${topic}"`;
      throw new KafkaJSNonRetriableError(text);
    }
    for (const message of messages) {
      if (message.value === undefined) {
        const text = `Invalid message without value for topic "${topic}": ${JSON.stringify(message)}`;
        throw new KafkaJSNonRetriableError(text);
      }
    }
  }
}

/** What would be taken for another number on its way into the wasm. */
function checkHow(acks: unknown, timeout: unknown, compression: unknown): void {
  // Which of them there are, the broker decides.
  if (!Number.isInteger(acks) || Math.abs(acks as number) >= 2 ** 15) {
    throw new KafkaJSNonRetriableError(`Invalid acks ${String(acks)}: -1 (all), 1 or 0`);
  }
  if (!Object.values(CompressionTypes).includes(compression as CompressionTypes)) {
    const text = `Invalid compression ${String(compression)}: one of CompressionTypes`;
    throw new KafkaJSNonRetriableError(text);
  }
  checkMillis("timeout", timeout);
}

/**
 * The partition that was chosen for a message, as a number or, as KafkaJS takes it too, in digits;
 * one that cannot be is an error, not a loss.
 */
function checked(topic: string, partition: unknown): number {
  const number = /^\d+$/.test(String(partition)) ? Number(partition) : -1;
  if (number >= 0 && number < 2 ** 31) return number;
  const message = `${topic}: there is no partition ${String(partition)}`;
  const type = "UNKNOWN_TOPIC_OR_PARTITION";
  throw new KafkaJSProtocolError({ message, type, code: 3, retriable: true });
}

export type ProducerEvents = typeof events;

export interface Sender {
  send(record: ProducerRecord): Promise<RecordMetadata[]>;
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
}

/** What a transaction will be. */
export interface Transaction extends Sender {
  sendOffsets(offsets: Offsets & { consumerGroupId: string }): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  isActive(): boolean;
}

export interface Producer extends Sender {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isIdempotent(): boolean;
  readonly events: ProducerEvents;
  on: On<NetworkEvents<"producer">>;
  /** Refused: there are no transactions yet. */
  transaction(): Promise<Transaction>;
  logger(): Logger;
}

/** What `kafka.producer()` returns. */
export function createProducer(session: Session, config: ProducerConfig = {}): Producer {
  const idempotent = config.idempotent ?? false;
  const { retries } = session.retry(config.retry);
  if (idempotent && retries !== undefined && retries < 1) {
    throw new KafkaJSNonRetriableError(
      "Idempotent producer must allow retries to protect against transient errors",
    );
  }
  const { createPartitioner } = config;
  const builtIn = [undefined, null, DefaultPartitioner, StickyPartitioner];
  const custom: Partitioner | undefined = builtIn.includes(createPartitioner)
    ? undefined
    : createPartitioner?.();
  const core = new ProducerCore(session, config);
  if (idempotent && retries !== undefined && retries < Number.MAX_SAFE_INTEGER) {
    core.emitter.logger.warn(
      "Limiting retries for the idempotent producer may invalidate EoS guarantees",
    );
  }

  const checkStatus = (): void => {
    if (core.status === "disconnecting") {
      throw new KafkaJSNonRetriableError(
        "The producer is disconnecting; therefore, it can't safely accept messages anymore",
      );
    }
    if (core.status === "disconnected") throw new KafkaJSError("The producer is disconnected");
  };

  /** Where a message goes by itself: −1 where the wasm is to decide. */
  const ownPartition =
    ({ topic, messages }: TopicMessages) =>
    (at: number): number => {
      const partition = messages[at]?.partition;
      return partition === undefined || partition === null ? -1 : checked(topic, partition);
    };

  /** Where the user's partitioner sends each message. */
  const customPartitions = async (
    partitioner: Partitioner,
    { topic, messages }: TopicMessages,
  ): Promise<(at: number) => number> => {
    const partitionMetadata = await core.partitions(topic);
    const chosen = messages.map((message) =>
      checked(topic, partitioner({ topic, partitionMetadata, message })),
    );
    return (at) => chosen[at] ?? -1;
  };

  const sendBatch = async ({
    acks = -1,
    timeout = TIMEOUT,
    compression = CompressionTypes.None,
    topicMessages = [],
  }: ProducerBatch): Promise<RecordMetadata[]> => {
    check(topicMessages, idempotent, acks);
    checkHow(acks, timeout, compression);
    checkStatus();
    const merged = merge(topicMessages).filter(({ messages }) => messages.length > 0);
    // Without a partitioner of the user's nothing is waited for: sends keep the order of calls.
    const partitions = custom
      ? await Promise.all(merged.map((entry) => customPartitions(custom, entry)))
      : merged.map(ownPartition);
    return core.send((wasm) => {
      const topics = merged.map(({ topic }) => topic);
      const packed = partitions.map((of, at) => {
        const view = pack(merged[at]?.messages ?? [], of);
        // The wasm copies; only the next topic would overwrite it before.
        return partitions.length > 1 ? view.slice() : view;
      });
      return wasm.send(topics, packed, acks, timeout, compression);
    });
  };

  return {
    connect: () => core.connect(),
    disconnect: () => core.disconnect(),
    isIdempotent: () => idempotent,
    events,
    on: core.emitter.on as On<NetworkEvents<"producer">>,
    send: async ({ topic, messages, ...how }) =>
      sendBatch({ ...how, topicMessages: [{ topic, messages }] }),
    sendBatch,
    transaction: async () => {
      if (!config.transactionalId) {
        throw new KafkaJSNonRetriableError(
          "Must provide transactional id for transactional producer",
        );
      }
      throw new KafkaJSNotImplemented("Transactions are not supported yet");
    },
    logger: () => core.emitter.logger,
  };
}
