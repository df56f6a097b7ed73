/**
 * `Broker`: a broker in a thread of its own, where the page or the process has it and its clients
 * reach it.
 *
 * It lives in a worker, in Node as well: a busy page or test does not starve it, and its wasm can
 * trap without taking the clients' with it. The page's supervisor starts a fresh worker then; each
 * port that `connect` gave is replaced, and its link is told. Only a broker whose records were in
 * memory stays as it is, failed, because they are gone.
 *
 * Where another tab hosts the broker of that name, `Broker.open` waits, and takes over as soon as
 * that tab goes.
 */
import type { HostOptions, Status, ToClient, ToHost } from "../worker/messages.js";
import type { HostWorker } from "../worker/supervisor.js";
import { Supervisor } from "../worker/supervisor.js";
import { PartitaError } from "./errors.js";
import { hostOptions, listening } from "./options.js";
import type { Address, BrokerOptions, ListenOptions, Listening, NoticeEvent } from "./options.js";

/** What differs between a page and Node. */
export interface BrokerPlatform {
  /** The compiled wasm. */
  module(): Promise<WebAssembly.Module>;
  /** Makes a worker that calls `runShell`. */
  spawn(): BrokerWorker;
  /** The port in a form that keeps the process alive only while a connection is open on it. */
  port(port: MessagePort): MessagePort;
  /** Why there is no IndexedDB here, if there is none. */
  noIndexedDb?: string;
}

export interface BrokerWorker extends HostWorker {
  /** Where there is TCP: listens, and resolves to where. The process stays alive for it. */
  listen?(options: Listening): Promise<Address>;
  /** Stops all listening; connections stay. */
  unlisten?(): Promise<void>;
  /** Whether the process stays alive for this worker's sake, listening or not. */
  keepAlive?(on: boolean): void;
}

interface BrokerEvents {
  status: Status;
  notice: NoticeEvent;
}

type Listener<Event> = (event: Event) => void;

/** A broker that serves. */
export interface Broker {
  readonly name: string;
  /** What it is doing now. */
  readonly status: Status;
  /** Calls the listener with what happens from now on, until the function returned is called. */
  on<Name extends keyof BrokerEvents>(name: Name, listener: Listener<BrokerEvents[Name]>): () => void;
  /**
   * A fresh port to the broker, for the link of a `Kafka`. `onPort` gets its successors, each in
   * place of one whose broker is dead.
   */
  connect(onPort?: (port: MessagePort) => void): MessagePort;
  /**
   * In Node: lets Kafka's clients in by TCP, and resolves to the address once it accepts them.
   * Rejects with a `PartitaError`.
   */
  listen(options?: ListenOptions): Promise<Address>;
  /**
   * Finishes what is being written, closes all connections and lets go of the storage. What was
   * kept in memory is gone. May be called again.
   */
  close(): Promise<void>;
}

export interface BrokerConstructor {
  /**
   * Opens the broker of that name, and resolves when it serves.
   *
   * Rejects with a `PartitaError` whose `failure` says what kind of obstacle there is.
   */
  open(name: string, options?: BrokerOptions): Promise<Broker>;
}

/** The class, for the page or for Node. */
export function createBroker(platform: BrokerPlatform): BrokerConstructor {
  return {
    async open(name: string, options: BrokerOptions = {}): Promise<Broker> {
      const host = hostOptions(name, options, platform.noIndexedDb);
      options.signal?.throwIfAborted();
      const module = platform.module();
      const broker = new OpenBroker(platform, host, module);
      try {
        await Promise.all([module, broker.running(options)]);
      } catch (error) {
        broker.abandon();
        throw error;
      }
      return broker;
    },
  };
}

class OpenBroker implements Broker {
  readonly name: string;
  #platform: BrokerPlatform;
  #supervisor: Supervisor;
  #worker: BrokerWorker | undefined;
  /** The way to the host, which all else is asked through. */
  #control: MessagePort | undefined;
  /** Those who want to know of each new host. */
  #links = new Set<(port: MessagePort) => void>();
  #listeners: { [Name in keyof BrokerEvents]: Set<Listener<BrokerEvents[Name]>> } = {
    status: new Set(),
    notice: new Set(),
  };
  #status: Status = { state: "starting" };
  #refused: ((error: PartitaError) => void) | undefined;
  #ended: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(platform: BrokerPlatform, host: HostOptions, module: Promise<WebAssembly.Module>) {
    this.name = host.name;
    this.#platform = platform;
    this.#supervisor = new Supervisor({
      module,
      host,
      spawn: () => (this.#worker = platform.spawn()),
      onPort: (port) => this.#hosted(platform.port(port)),
      onRefused: (message) => {
        const help = "COMPATIBILITY.md lists the broker configs that there are.";
        this.#refused?.(new PartitaError("invalidOptions", message, { help }));
      },
    });
  }

  get status(): Status {
    return this.#status;
  }

  on<Name extends keyof BrokerEvents>(
    name: Name,
    listener: Listener<BrokerEvents[Name]>,
  ): () => void {
    const listeners: Set<Listener<BrokerEvents[Name]>> | undefined = this.#listeners[name];
    if (!listeners) {
      const help = "There are status and notice.";
      throw new PartitaError("invalidOptions", `no event "${String(name)}"`, { help });
    }
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  connect(onPort?: (port: MessagePort) => void): MessagePort {
    this.#refuseClosed();
    if (onPort) this.#links.add(onPort);
    return this.#attach();
  }

  async listen(options: ListenOptions = {}): Promise<Address> {
    const wanted = listening(options);
    this.#refuseClosed();
    const worker = this.#worker;
    if (!worker?.listen) {
      const help = "Clients here use new Kafka({ brokers: [broker] }); TCP is for Node.";
      throw new PartitaError("unsupported", "a page cannot listen on a port", { help });
    }
    return worker.listen(wanted);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#worker?.keepAlive?.(true);
    await this.#worker?.unlisten?.();
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
      this.#say({ type: "end" });
    });
    this.abandon();
    this.#set({ state: "stopped" });
  }

  /** Resolves when the broker serves; rejects if it cannot, or the caller does not want to wait. */
  async running({ wait = true, onStatus, signal }: BrokerOptions): Promise<void> {
    let stop = (): void => {};
    this.#worker?.keepAlive?.(true);
    try {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(signal?.reason);
        const heard = (status: Status): void => {
          onStatus?.(status);
          if (status.state === "running") resolve();
          if (status.state === "failed") {
            reject(new PartitaError(status.failure, status.message));
          }
          if (!wait && (status.state === "waiting" || status.state === "blocked")) {
            reject(new PartitaError("inUse", `another tab holds the broker "${this.name}"`));
          }
        };
        this.#refused = reject;
        signal?.addEventListener("abort", abort);
        const forget = this.on("status", heard);
        stop = () => {
          forget();
          signal?.removeEventListener("abort", abort);
        };
      });
    } finally {
      stop();
      this.#refused = undefined;
    }
    this.#worker?.keepAlive?.(false);
  }

  /** Ends the worker at once. */
  abandon(): void {
    this.#closed ??= Promise.resolve();
    this.#supervisor.terminate();
    this.#control?.close();
    this.#links.clear();
  }

  /** There is a host, at the other end of this port: the first, or another one. */
  #hosted(port: MessagePort): void {
    this.#control = port;
    port.onmessage = ({ data }: MessageEvent<ToClient>) => this.#heard(data);
    if (this.#ended) this.#say({ type: "end" });
    for (const onPort of this.#links) onPort(this.#attach());
  }

  #heard(message: ToClient): void {
    switch (message.type) {
      case "status": {
        const { type: _type, ...status } = message;
        this.#set(status);
        break;
      }
      case "notice": {
        const { type: _type, ...notice } = message;
        for (const listener of [...this.#listeners.notice]) listener(notice);
        break;
      }
      case "ended":
        this.#ended?.();
        break;
    }
  }

  #set(status: Status): void {
    this.#status = status;
    for (const listener of [...this.#listeners.status]) listener(status);
  }

  #attach(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#say({ type: "attach", port: port2 }, [port2]);
    return this.#platform.port(port1);
  }

  #say(message: ToHost, transfer: Transferable[] = []): void {
    this.#control?.postMessage(message, transfer);
  }

  #refuseClosed(): void {
    if (this.#closed) throw new PartitaError("closed", `the broker "${this.name}" was closed`);
  }
}
