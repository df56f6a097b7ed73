/** The package where there is a browser or a bundler: the wasm lies beside this file. */
import * as glue from "partita-wasm";
import { createBroker } from "../broker/broker.js";
import type { Broker as BrokerType } from "../broker/broker.js";
import { compile } from "../compile.js";
import { createKafka } from "../kafkajs/index.js";
import type { Kafka as KafkaType } from "../kafkajs/index.js";
import { Wasm } from "../wasm.js";
import type { WasmSource } from "../wasm.js";

const wasm = new Wasm(glue, () => compile(new URL("./partita.wasm", import.meta.url)));

/**
 * Makes the package ready: compiles its wasm, from `source` if that is given instead of the file
 * beside it. Nobody need call this; who gives a source calls it first of all, and hears by a
 * rejection that something was loaded before.
 */
export const load = (source?: WasmSource): Promise<void> => wasm.ready(source);

export * from "../kafkajs/exports.js";
export type * from "../kafkajs/types.js";
export type Kafka = KafkaType;
export const { Kafka } = createKafka(glue, { ready: load });

export { PartitaError } from "../broker/errors.js";
export type * from "../broker/types.js";
export type Broker = BrokerType;
export const Broker = createBroker({
  module: () => wasm.module(),
  spawn: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
  port: (port) => port,
});
