/**
 * KafkaJS 2.2 over the wasm: `createKafka` gives everything that a program written for KafkaJS
 * imports.
 *
 * Both entries of the package and the playground's bootstrap call it with their own glue and say
 * where they run. All logic of Kafka's is in Rust; here are KafkaJS's names, arguments, results,
 * events and error classes.
 */
import { createAdmin } from "./admin.js";
import type { Admin } from "./admin.js";
import type { AdminConfig } from "./admin-types.js";
import { createConsumer } from "./consumer/index.js";
import type { Consumer, ConsumerConfig } from "./consumer/types.js";
import * as exported from "./exports.js";
import type { KafkaGlue, KafkaPlatform } from "./glue.js";
import { Instance } from "./instance.js";
import type { Logger } from "./logger.js";
import { createProducer } from "./producer.js";
import type { Producer, ProducerConfig } from "./producer.js";
import { Session } from "./session.js";
import type { KafkaConfig } from "./session.js";

/** One cluster, as a program sees it: clients are made here. */
export interface Kafka {
  producer(config?: ProducerConfig): Producer;
  consumer(config: ConsumerConfig): Consumer;
  admin(config?: AdminConfig): Admin;
  logger(): Logger;
}

export interface KafkaConstructor {
  new (config: KafkaConfig): Kafka;
}

/** The module in KafkaJS's shape, on that glue. */
export function createKafka(glue: KafkaGlue, platform: KafkaPlatform) {
  const instance = new Instance(glue, platform);

  const Kafka: KafkaConstructor = class Kafka {
    #session: Session;

    constructor(config: KafkaConfig) {
      this.#session = new Session(instance, config);
    }

    producer(config?: ProducerConfig): Producer {
      return createProducer(this.#session, config);
    }

    consumer(config?: ConsumerConfig): Consumer {
      return createConsumer(this.#session, config);
    }

    admin(config?: AdminConfig): Admin {
      return createAdmin(this.#session, config);
    }

    logger(): Logger {
      return this.#session.logger;
    }
  };

  return { ...exported, Kafka };
}
