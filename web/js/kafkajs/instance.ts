/**
 * The wasm instance of this thread, as clients see it: the ways to brokers, and what happens when it
 * traps: it is never called again, and every client hears why.
 */
import {
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
} from "./errors.js";
import type { KafkaJSError } from "./errors.js";
import type { BrokerLike, KafkaGlue, KafkaPlatform, PortLink, Transport, Way } from "./glue.js";
import { fromWire, isWireError } from "./wire.js";

/** One wasm instance and the clients in it. */
export class Instance {
  #dead: KafkaJSError | undefined;
  #clients = new Set<(error: KafkaJSError) => void>();
  #links = new WeakMap<BrokerLike, Promise<PortLink>>();
  #transport: Way | undefined;
  /** Ports and streams that are open: they would keep the process alive after a trap. */
  #open = new Set<{ close(): void }>();
  /** What a trap has left: if the collector found it, it would have the wasm free it. */
  #left: unknown[] = [];

  constructor(
    readonly glue: KafkaGlue,
    readonly platform: KafkaPlatform,
  ) {
    platform.onTrap?.((error) => this.#trapped(error));
  }

  /** Calls the wasm. What it throws comes as an error of KafkaJS's; after a trap nothing is called. */
  call<T>(act: () => T): T {
    if (this.#dead) throw this.#dead;
    try {
      return act();
    } catch (thrown) {
      if (isWireError(thrown)) throw fromWire(thrown);
      if (thrown instanceof WebAssembly.RuntimeError) throw this.#trapped(thrown);
      throw thrown;
    }
  }

  /** Tells when the instance has trapped, until the function returned is called. */
  onTrap(listener: (error: KafkaJSError) => void): () => void {
    this.#clients.add(listener);
    return () => void this.#clients.delete(listener);
  }

  /** A port whose messages go through `call`, so that a trap in one reaches all clients. */
  guard(port: MessagePort): MessagePort {
    const heard = (act: () => void): void => this.#hear(act);
    this.#open.add(port);
    const guarded = {
      postMessage: (message: unknown, transfer: Transferable[]) =>
        port.postMessage(message, transfer),
      set onmessage(handler: ((event: MessageEvent) => void) | null) {
        port.onmessage = handler && ((event) => heard(() => handler(event)));
      },
      close: () => {
        this.#open.delete(port);
        port.close();
      },
    };
    return guarded as unknown as MessagePort;
  }

  /** The same for streams. */
  #guardStreams(transport: Transport): Transport {
    return {
      open: (host, port, handler) => {
        const stream = transport.open(host, port, {
          connected: () => this.#hear(() => handler.connected()),
          data: (bytes) => this.#hear(() => handler.data(bytes)),
          closed: (reason) => {
            this.#open.delete(stream);
            this.#hear(() => handler.closed(reason));
          },
        });
        this.#open.add(stream);
        return stream;
      },
    };
  }

  /** Calls the wasm from where nobody waits: a trap was told to all clients already. */
  #hear(act: () => void): void {
    try {
      this.call(act);
    } catch (error) {
      if (error !== this.#dead) throw error;
    }
  }

  /** Keeps what belongs to an instance that has trapped. */
  keep(left: unknown): void {
    this.#left.push(left);
  }

  /** The link to a broker of ours, one for all clients. */
  link(broker: BrokerLike): Promise<PortLink> {
    const known = this.#links.get(broker);
    if (known) return known;
    const link = this.#openLink(broker);
    this.#links.set(broker, link);
    link.catch(() => this.#links.delete(broker));
    return link;
  }

  async #openLink(broker: BrokerLike): Promise<PortLink> {
    let link: PortLink | undefined;
    let port: MessagePort;
    try {
      let replaced: MessagePort | undefined;
      const first = await broker.connect((next) => {
        replaced = next;
        this.call(() => link?.reset(this.guard(next)));
      });
      port = replaced ?? first;
    } catch (thrown) {
      // It has been closed, for one.
      const { message } = thrown as Error;
      const error = new KafkaJSConnectionError(`Connection error: ${broker.name}: ${message}`, {
        broker: broker.name,
        code: "ECONNREFUSED",
      });
      error.cause = thrown as Error;
      throw error;
    }
    link = this.call(() => new this.glue.PortLink(this.guard(port)));
    return link;
  }

  /** The way to addresses. */
  transport(): Way {
    const { transport } = this.platform;
    if (!transport) {
      const error = new KafkaJSNotImplemented(
        "Failed to connect: a page cannot open connections to addresses",
      );
      error.help =
        'Give a Broker instead: new Kafka({ brokers: [await Broker.open("name")] }). ' +
        "Addresses are for Node.";
      throw error;
    }
    this.#transport ??= this.call(() => this.glue.Way.throughTransport(this.#guardStreams(transport)));
    return this.#transport;
  }

  #trapped(cause: Error): KafkaJSError {
    if (this.#dead) return this.#dead;
    const message = `The client has stopped after an internal error: ${cause.message}`;
    const error = new KafkaJSNonRetriableError(message, { cause });
    error.help = "Load the page anew, or start the process again; the broker is not affected.";
    this.#dead = error;
    for (const listener of [...this.#clients]) listener(error);
    for (const open of this.#open) open.close();
    this.platform.trapped?.(cause);
    return error;
  }
}
