/** The package in Node: the wasm is read from the file beside this one. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import * as glue from "partita-wasm";
import { createBroker } from "../broker/broker.js";
import type { Broker as BrokerType } from "../broker/broker.js";
import { idlePort } from "../broker/node/port.js";
import { NodeWorker } from "../broker/node/worker.js";
import type { KafkaPlatform, TransportHandler, TransportSocket } from "../kafkajs/glue.js";
import { createKafka } from "../kafkajs/index.js";
import type { Kafka as KafkaType } from "../kafkajs/index.js";
import { Wasm } from "../wasm.js";
import type { WasmSource } from "../wasm.js";

const wasm = new Wasm(glue, async () =>
  WebAssembly.compile(await readFile(new URL("./partita.wasm", import.meta.url))),
);

/**
 * Makes the package ready: compiles its wasm, from `source` if that is given instead of the file
 * beside it. Nobody need call this; who gives a source calls it first of all, and hears by a
 * rejection that something was loaded before.
 */
export const load = (source?: WasmSource): Promise<void> => wasm.ready(source);

const platform: KafkaPlatform = {
  ready: load,
  transport: {
    open(host: string, port: number, handler: TransportHandler): TransportSocket {
      const socket = connect({ host, port, noDelay: true });
      let reason = "the broker closed the connection";
      socket.on("connect", () => handler.connected());
      socket.on("data", (bytes) => handler.data(bytes));
      socket.on("error", (error: NodeJS.ErrnoException) => {
        reason = `${error.code ?? ""} ${error.message}`.trim();
      });
      socket.on("close", () => handler.closed(reason));
      return {
        send: (bytes) => void socket.write(bytes),
        close: () => void socket.destroy(),
      };
    },
  },
};

export * from "../kafkajs/exports.js";
export type * from "../kafkajs/types.js";
export type Kafka = KafkaType;
export const { Kafka } = createKafka(glue, platform);

export { PartitaError } from "../broker/errors.js";
export type * from "../broker/types.js";
export type Broker = BrokerType;
export const Broker = createBroker({
  module: () => wasm.module(),
  spawn: () => new NodeWorker(new URL("./node-worker.js", import.meta.url)),
  port: idlePort,
  noIndexedDb: "there is no IndexedDB in Node",
});
