/** The package in Node: the wasm is read from the file beside this one. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import * as glue from "partita-wasm";
import type { KafkaPlatform, TransportHandler, TransportSocket } from "../kafkajs/glue.js";
import { createKafka } from "../kafkajs/index.js";
import type { Kafka as KafkaType } from "../kafkajs/index.js";
import type { HostOptions, ToClient } from "../worker/messages.js";
import { Wasm } from "../wasm.js";
import type { WasmSource } from "../wasm.js";

const wasm = new Wasm(glue, async () =>
  WebAssembly.compile(await readFile(new URL("./partita.wasm", import.meta.url))),
);

/** Compiles the package's wasm; every thread instantiates this one module. */
export const loadModule = (): Promise<WebAssembly.Module> => wasm.module();

/** Makes the package ready, from other wasm than the file beside it if that is given. */
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

/** A broker in this thread. */
export class Broker {
  #port: MessagePort;
  #ended: Promise<void>;

  private constructor(
    readonly name: string,
    port: MessagePort,
    ended: Promise<void>,
  ) {
    this.#port = port;
    this.#ended = ended;
  }

  static async open(name: string, options: Omit<HostOptions, "name"> = {}): Promise<Broker> {
    await load();
    const { port1, port2 } = new MessageChannel();
    let running = (): void => {};
    let ended = (): void => {};
    const whenRunning = new Promise<void>((resolve, reject) => {
      running = resolve;
      port1.onmessage = ({ data }: MessageEvent<ToClient>) => {
        if (data.type === "status" && data.state === "running") running();
        if (data.type === "status" && data.state === "failed") reject(new Error(data.message));
        if (data.type === "ended") ended();
      };
    });
    const whenEnded = new Promise<void>((resolve) => {
      ended = resolve;
    });
    glue.run_broker(port2 as never, { ...options, name });
    await whenRunning;
    return new Broker(name, port1, whenEnded);
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#port.postMessage({ type: "attach", port: port2 }, [port2]);
    return port1;
  }

  async close(): Promise<void> {
    this.#port.postMessage({ type: "end" });
    await this.#ended;
    this.#port.close();
  }
}
