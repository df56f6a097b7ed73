/** `window.partita`: a `Kafka` on the page's broker, for whoever opens the console. */
import { Buffer } from "buffer";
import * as partita from "partita-playground-wasm";
import type { BrokerLike, KafkaPlatform } from "../../../web/js/kafkajs/glue.js";
import { createKafka } from "../../../web/js/kafkajs/index.js";
import type { Kafka } from "../../../web/js/kafkajs/index.js";

/**
 * With it, what a program written for KafkaJS needs to make a `Kafka` of its own:
 * `const { kafkajs: { Kafka, CompressionTypes }, brokers } = partita`.
 */
export interface PageKafka extends Kafka {
  /** The module that such a program imports. */
  readonly kafkajs: ReturnType<typeof createKafka>;
  /** The page's broker, where a program for a cluster has addresses. */
  readonly brokers: readonly [BrokerLike];
}

/** Makes it, and the global `Buffer` that programs for KafkaJS name; `platform` says where it runs. */
export function createPageKafka(broker: BrokerLike, platform: KafkaPlatform): PageKafka {
  // The console shows it, and minifying loses it.
  Object.defineProperty(Buffer, "name", { value: "Buffer" });
  globalThis.Buffer = Buffer;
  const kafkajs = createKafka(partita, platform);
  const kafka = new kafkajs.Kafka({ clientId: "console", brokers: [broker] });
  return Object.assign(kafka, { kafkajs, brokers: [broker] as const });
}
