/**
 * What this layer needs of the wasm glue, which is generated (`web/src/exports`): every product's
 * glue has it. And what it needs of the place it runs in.
 */
import type { PartitionMetadata } from "./producer-types.js";
import type { WireError } from "./wire.js";

/** A way to brokers; clients are made on it. */
export interface Way {
  free(): void;
  [Symbol.dispose](): void;
}

export interface PortLink {
  /** Leaves a host that is dead for another one. */
  reset(port: MessagePort): void;
  say(message: unknown): void;
  way(): Way;
  free(): void;
}

/** What became of an operation. */
export interface Outcome {
  op: number;
  error?: WireError;
  value?: unknown;
}

/** Something that happened on a client's connections; the type has no client's name before it. */
export interface NetworkEvent {
  type: string;
  payload: Record<string, unknown>;
}

/** What all clients of the wasm have. */
export interface WasmClient<Event> {
  connect(): number;
  disconnect(): number;
  /** Takes what has happened since the last call. */
  events(): Event[];
  watch(on: boolean): void;
  network_events(): NetworkEvent[];
  free(): void;
}

/** How a client is made: `ready` is called when there may be events, and must not call it. */
export type WasmConstructor<Options, Client> = new (
  way: Way,
  options: Options,
  ready: () => void,
) => Client;

/** Byte streams that JavaScript opens: `web/src/client/transport.rs`. */
export interface Transport {
  open(host: string, port: number, handler: TransportHandler): TransportSocket;
}

export interface TransportSocket {
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface TransportHandler {
  connected(): void;
  data(bytes: Uint8Array): void;
  closed(reason: string): void;
}

export interface ProducerClient extends WasmClient<Outcome> {
  send(
    topics: string[],
    packed: Uint8Array[],
    acks: number,
    timeoutMillis: number,
    compression: number,
  ): number;
  partitions(topic: string): number;
  is_full(): boolean;
}

export interface AdminClient extends WasmClient<Outcome> {
  list_topics(): number;
  create_topics(
    topics: object[],
    timeout: number,
    validateOnly: boolean,
    waitForLeaders: boolean,
  ): number;
  create_partitions(topics: object[], timeout: number, validateOnly: boolean): number;
  delete_topics(topics: string[], timeout: number): number;
  fetch_topic_metadata(topics: string[]): number;
  describe_cluster(): number;
  fetch_topic_offsets(topic: string): number;
  fetch_topic_offsets_by_timestamp(topic: string, timestamp?: number): number;
  delete_topic_records(topic: string, partitions: object[]): number;
  fetch_offsets(group: string, topics: string[], resolve: boolean): number;
  set_offsets(group: string, topic: string, partitions: object[]): number;
  reset_offsets(group: string, topic: string, earliest: boolean): number;
  delete_offsets(group: string, topic: string, partitions: Int32Array): number;
  list_groups(): number;
  describe_groups(groups: string[]): number;
  delete_groups(groups: string[]): number;
  describe_configs(resources: object[], includeSynonyms: boolean): number;
  alter_configs(resources: object[], validateOnly: boolean, incremental: boolean): number;
}

/** A batch of records: `BatchHead` of `web/src/exports/consumer_view.rs`, and its records packed. */
export interface WireBatch {
  id: number;
  topic: string;
  partition: number;
  highWatermark: string;
  firstOffset: string;
  lastOffset: string;
  /** The position after it. */
  nextOffset: number;
  count: number;
  data: Uint8Array;
  table: Int32Array;
}

interface TopicOffsets {
  topic: string;
  partitions: { partition: number; offset: string; metadata?: string }[];
}

/** What a consumer tells: `EventView` of `web/src/exports/consumer_view.rs`. */
export type ConsumerEvent =
  | {
      type: "joined";
      memberId: string;
      leaderId: string;
      isLeader: boolean;
      groupProtocol: string;
      assignment: [topic: string, partitions: number[]][];
      duration: number;
    }
  | { type: "rebalancing"; reason: string; memberId: string }
  | {
      type: "unsubscribedTopics";
      generationId: number;
      memberId: string;
      assignedTopics: string[];
      topicsSubscribed: string[];
      topicsNotSubscribed: string[];
    }
  | { type: "protocolsNeeded"; names: string[]; topics: string[] }
  | {
      type: "assignmentNeeded";
      generation: number;
      protocol: string;
      members: [memberId: string, metadata: Uint8Array][];
      topics: string[];
    }
  | { type: "heartbeat"; memberId: string; generation: number }
  | {
      type: "committed";
      memberId: string;
      generation: number;
      topics: TopicOffsets[];
      error?: WireError;
    }
  | { type: "outOfRange"; topic: string; partition: number }
  | { type: "fetchStart"; nodeId: number }
  | { type: "fetched"; nodeId: number; duration: number; numberOfBatches: number }
  | { type: "crashed"; error: WireError };

/** `web/src/exports/consumer.rs`. */
export interface ConsumerClient extends WasmClient<ConsumerEvent | Outcome> {
  subscribe(topics: { topic: string; fromBeginning: boolean }[]): number;
  topics(): number;
  start(autoCommit: object): number;
  stop(): number;
  poll(): WireBatch | undefined;
  processed(batch: number, nextOffset: number): boolean;
  may_go_on(batch: number): boolean;
  may_have_lost(): boolean;
  is_stale(batch: number): boolean;
  is_going(batch: number): boolean;
  release(batch: number): void;
  failed(batch: number, message: string): void;
  seek(topic: string, partition: number, offset: string): void;
  pause(topic: string, partitions?: Int32Array): void;
  resume(topic: string, partitions?: Int32Array): void;
  paused(): [topic: string, partitions: number[]][];
  commit(offsets: object[]): number;
  commit_processed(): number | undefined;
  commit_if_due(): number | undefined;
  uncommitted(): TopicOffsets[];
  partitions(topic: string): PartitionMetadata[];
  protocols(names: string[], metadata: Uint8Array[]): void;
  assignment(generation: number, members: string[], assignments: Uint8Array[]): void;
}

/** The exports that clients need. */
export interface KafkaGlue {
  AdminClient: WasmConstructor<object, AdminClient>;
  ConsumerClient: WasmConstructor<object, ConsumerClient>;
  ProducerClient: WasmConstructor<object, ProducerClient>;
  PortLink: new (port: MessagePort) => PortLink;
  Way: { throughTransport(transport: Transport): Way };
}

/** Where the clients run. */
export interface KafkaPlatform {
  /** Resolves when the glue may be called. */
  ready(): Promise<unknown>;
  /** Opens TCP connections; a page cannot. */
  transport?: Transport;
  /** Hears that a client has trapped the wasm, if others call it too. */
  trapped?(error: Error): void;
  /** Tells when others have trapped it. */
  onTrap?(listener: (error: Error) => void): void;
}

/** A `Broker` of ours, as far as clients need it. */
export interface BrokerLike {
  readonly name: string;
  /** A fresh port to the broker's host; later calls of `onPort` bring those of its successors. */
  connect(onPort?: (port: MessagePort) => void): Promise<MessagePort> | MessagePort;
}
