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
   * A page has one broker of a name: while it is open, opening it again is refused (`alreadyOpen`);
   * while it is being opened or closed, opening it again waits for what comes of that. One that has
   * failed is closed first. In memory, each is a broker of its own, whatever its name.
   *
   * Rejects with a `PartitaError` whose `failure` says what kind of obstacle there is.
   */
  open(name: string, options?: BrokerOptions): Promise<Broker>;
}

/** A broker with a database, from when it is opened until it is closed. */
interface Opening {
  /** What `open` gave its caller: who waits for it too, comes after that caller. */
  opened?: Promise<Broker>;
  /** Once it is open. */
  broker?: OpenBroker;
}

/** The class, for the page or for Node. */
export function createBroker(platform: BrokerPlatform): BrokerConstructor {
  /** Those of this page, by name. In memory there is nothing that two would have in common. */
  const openings = new Map<string, Opening>();

  async function open(opening: Opening, name: string, options: BrokerOptions): Promise<Broker> {
    const host = hostOptions(name, options, platform.noIndexedDb);
    const { signal } = options;
    signal?.throwIfAborted();
    if (host.storage !== "memory") {
      for (let before; (before = openings.get(name)); ) {
        await abortable(gone(name, before, options), signal);
        signal?.throwIfAborted();
      }
      openings.set(name, opening);
    }
    const forget = (): void => {
      if (openings.get(name) === opening) openings.delete(name);
    };
    let broker: OpenBroker | undefined;
    try {
      const module = platform.module();
      broker = new OpenBroker(platform, host, module, forget);
      await Promise.all([module, broker.running(options)]);
      opening.broker = broker;
      return broker;
    } catch (error) {
      broker?.abandon();
      forget();
      throw error;
    }
  }

  return {
    open(name: string, options: BrokerOptions = {}): Promise<Broker> {
      const opening: Opening = {};
      opening.opened = open(opening, name, options);
      return opening.opened;
    },
  };
}

/** Waits until an earlier broker of that name makes room; refuses if it does not intend to. */
async function gone(name: string, before: Opening, options: BrokerOptions): Promise<void> {
  const refusal = new PartitaError("alreadyOpen", `this page has the broker "${name}" open`);
  if (!before.broker) {
    if (options.wait === false) throw refusal;
    options.onStatus?.({ state: "waiting" });
    await before.opened?.catch(() => undefined);
  }
  const { broker } = before;
  if (broker?.isOpen && broker.status.state !== "failed") throw refusal;
  await broker?.close();
}

/** The promise, unless the signal comes first. */
async function abortable(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
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
  #onGone: () => void;

  /** `onGone` is called when it holds nothing any more. */
  constructor(
    platform: BrokerPlatform,
    host: HostOptions,
    module: Promise<WebAssembly.Module>,
    onGone: () => void,
  ) {
    this.name = host.name;
    this.#platform = platform;
    this.#onGone = onGone;
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

  /** Whether nobody has begun to close it. */
  get isOpen(): boolean {
    return this.#closed === undefined;
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
    this.#onGone();
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
