/// <reference types="node" preserve="true" />
/** The names of KafkaJS's types, so that programs in TypeScript find what they import. */
import type { ICustomPartitioner } from "./partitioners.js";
import type { PartitionOffset } from "./admin-types.js";

export type * from "./admin-types.js";
export type * from "./assigners.js";
export type * from "./connection-types.js";
export type * from "./consumer/types.js";
export type * from "./producer-types.js";
export type { Admin, AdminEvents } from "./admin.js";
export type {
  ConnectEvent,
  DisconnectEvent,
  InstrumentationEvent,
  RemoveInstrumentationEventListener,
  RequestEvent,
  RequestQueueSizeEvent,
  RequestTimeoutEvent,
} from "./events.js";
export type { BrokerLike } from "./glue.js";
export type { LogEntry, Logger, LoggerEntryContent, logCreator } from "./logger.js";
export type { ICustomPartitioner, PartitionerArgs } from "./partitioners.js";
export type {
  Producer,
  ProducerBatch,
  ProducerConfig,
  ProducerEvents,
  ProducerRecord,
  Sender,
  Transaction,
} from "./producer.js";
export type { BrokerAddress, BrokersFunction, KafkaConfig, RetryOptions } from "./session.js";

export type DefaultPartitioner = ICustomPartitioner;
export type LegacyPartitioner = ICustomPartitioner;

export interface ISerializer<T> {
  encode(value: T): Buffer;
  decode(buffer: Buffer): T | null;
}

export interface TopicOffsets {
  topic: string;
  partitions: PartitionOffset[];
}

export interface Offsets {
  topics: TopicOffsets[];
}

export interface TopicPartitions {
  topic: string;
  partitions: number[];
}

export interface TopicPartition {
  topic: string;
  partition: number;
}

export type TopicPartitionOffset = TopicPartition & { offset: string };
export type TopicPartitionOffsetAndMetadata = TopicPartitionOffset & { metadata?: string | null };
