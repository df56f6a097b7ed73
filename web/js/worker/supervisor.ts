/**
 * The page's side of a broker's worker: starts it, and starts a fresh one when its wasm has trapped.
 *
 * Clients speak to the host through a port; each new worker brings a new one, which `onPort` hands
 * to the page's link. After three traps within a minute the broker stays stopped: then the port's
 * other end is here, says so, and still offers the stored data for download.
 */
import type { Frames, HostOptions, ToClient, ToHost } from "./messages.js";
import type { FromWorker, Start } from "./shell.js";

const TRAPS = 3;
const WITHIN_MILLIS = 60_000;

export interface SupervisorOptions {
  module: WebAssembly.Module;
  host: HostOptions;
  /** Makes a worker that calls `runShell`. */
  spawn(): Worker;
  /** Gets the port to each new host; all that was open on the one before is closed. */
  onPort(port: MessagePort): void;
  /** Hears of options that are refused: nothing can be started with them. */
  onRefused(message: string): void;
}

export class Supervisor {
  #options: SupervisorOptions;
  #worker: Worker | undefined;
  #traps: number[] = [];

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#start(options.host);
  }

  /** Ends the worker at once, as if it had crashed. A host that was told `end` has ended before. */
  terminate(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(host: HostOptions): void {
    const worker = this.#options.spawn();
    this.#worker = worker;
    const { port1, port2 } = new MessageChannel();
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "trapped") this.#trapped(worker, data.message);
      if (data.type === "refused") this.#options.onRefused(data.message);
    });
    // The worker's file cannot be loaded, or something escaped its shell.
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#trapped(worker, event.message || "the broker's worker could not be loaded");
    });
    const start: Start = { type: "host", module: this.#options.module, port: port2, options: host };
    worker.postMessage(start, [port2]);
    this.#options.onPort(port1);
  }

  #trapped(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.terminate();
    const now = performance.now();
    this.#traps = [...this.#traps, now].filter((time) => now - time < WITHIN_MILLIS);
    if (this.#traps.length >= TRAPS) {
      this.#standIn(message);
    } else {
      this.#start({ ...this.#options.host, restartedAfter: message });
    }
  }

  /** Answers in the place of a broker that is not started again. */
  #standIn(message: string): void {
    const { port1, port2 } = new MessageChannel();
    const ports = new Set<MessagePort>();
    const restart = (): void => {
      this.#traps = [];
      for (const port of ports) port.close();
      this.#start(this.#options.host);
    };
    const serve = (port: MessagePort): void => {
      ports.add(port);
      this.#answer(port, serve, restart);
      const status: ToClient = { type: "status", state: "failed", failure: "trapped", message };
      port.postMessage(status);
    };
    this.#options.onPort(port1);
    serve(port2);
  }

  /** What is said on a port in that case; `attach` brings others. */
  #answer(port: MessagePort, attach: (port: MessagePort) => void, restart: () => void): void {
    const say = (answer: ToClient): void => port.postMessage(answer);
    port.onmessage = ({ data }: MessageEvent<ToHost | Frames>) => {
      if (Array.isArray(data)) return;
      switch (data.type) {
        case "open": {
          const reason = "ECONNREFUSED the broker has stopped after an internal error";
          say({ type: "closed", connection: data.connection, reason });
          break;
        }
        case "attach":
          attach(data.port);
          break;
        case "start":
          restart();
          break;
        case "export":
          this.#export().then(
            (file) => say({ type: "exported", file }),
            (error: unknown) => say({ type: "exported", error: String(error) }),
          );
          break;
        case "end":
          say({ type: "ended" });
          break;
      }
    };
  }

  /** Has a fresh worker read the database, without a broker. */
  #export(): Promise<Blob> {
    const worker = this.#options.spawn();
    const file = new Promise<Blob>((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === "exported" && data.file) resolve(data.file);
        else reject(new Error("error" in data ? data.error : "the export failed"));
      });
      worker.addEventListener("error", (event) => reject(new Error(event.message)));
    });
    const { module, host } = this.#options;
    const start: Start = { type: "export", module, name: host.name };
    worker.postMessage(start);
    return file.finally(() => worker.terminate());
  }
}
