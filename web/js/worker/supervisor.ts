/**
 * The page's side of a broker's worker: starts it, and starts a fresh one when its wasm has trapped.
 *
 * Clients speak to the host through a port; each new worker brings a new one, which `onPort` hands
 * to the page's link. After three traps within a minute the broker stays stopped: then the port's
 * other end is here, says so, and still offers the stored data for download. One whose records were
 * in memory stays stopped after the first, for they are gone: nobody is given an empty broker in its
 * place unasked.
 */
import type { HostOptions } from "./messages.js";
import type { ExportStart, FromWorker, HostStart, Start } from "./shell.js";
import { StandIn } from "./stand-in.js";

const TRAPS = 3;
const WITHIN_MILLIS = 60_000;

/** A worker, as far as it is needed here: a page's `Worker`, or what passes for one in Node. */
export interface HostWorker {
  postMessage(message: Start, transfer: Transferable[]): void;
  terminate(): void;
  addEventListener(type: "message", listener: (event: MessageEvent<FromWorker>) => void): void;
  addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
}

export interface SupervisorOptions {
  /** May still be compiling: the worker starts meanwhile. Who gives it sees to its failure. */
  module: WebAssembly.Module | Promise<WebAssembly.Module>;
  host: HostOptions;
  /** Makes a worker that calls `runShell`. */
  spawn(): HostWorker;
  /** Gets the port to each new host; all that was open on the one before is closed. */
  onPort(port: MessagePort): void;
  /** Hears of options that are refused: nothing can be started with them. */
  onRefused(message: string): void;
}

export class Supervisor {
  #options: SupervisorOptions;
  #worker: HostWorker | undefined;
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
    void this.#send(worker, { type: "host", port: port2, options: host });
    this.#options.onPort(port1);
  }

  /** Tells a worker what to do, once it can be done. */
  async #send(worker: HostWorker, start: Omit<HostStart, "module"> | Omit<ExportStart, "module">) {
    const module = await Promise.resolve(this.#options.module).catch(() => undefined);
    if (module) worker.postMessage({ ...start, module }, "port" in start ? [start.port] : []);
  }

  #trapped(worker: HostWorker, message: string): void {
    if (worker !== this.#worker) return;
    this.terminate();
    const now = performance.now();
    this.#traps = [...this.#traps, now].filter((time) => now - time < WITHIN_MILLIS);
    if (this.#traps.length >= TRAPS || this.#options.host.storage === "memory") {
      this.#standIn(message);
    } else {
      this.#start({ ...this.#options.host, restartedAfter: message });
    }
  }

  /** Answers in the place of a broker that is not started again. */
  #standIn(message: string): void {
    const { port1, port2 } = new MessageChannel();
    const standIn = new StandIn({
      message,
      start: () => {
        this.#traps = [];
        this.#start(this.#options.host);
      },
      export: () => this.#export(),
    });
    standIn.attach(port2);
    this.#options.onPort(port1);
  }

  /** Has a fresh worker read the database, without a broker. */
  #export(): Promise<Blob> {
    if (this.#options.host.storage === "memory") {
      return Promise.reject(new Error("what was in memory is gone"));
    }
    const worker = this.#options.spawn();
    const file = new Promise<Blob>((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === "exported" && data.file) resolve(data.file);
        else reject(new Error("error" in data ? data.error : "the export failed"));
      });
      worker.addEventListener("error", (event) => reject(new Error(event.message)));
    });
    void this.#send(worker, { type: "export", name: this.#options.host.name });
    return file.finally(() => worker.terminate());
  }
}
