/**
 * What all clients of one `Kafka` share: its configuration, its logger, the way to its brokers, and
 * the wasm instance, which is never called again once it has trapped.
 */
import { logLevel } from "./constants.js";
import {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  fromWire,
  isWireError,
} from "./errors.js";
import type { BrokerLike, KafkaGlue, KafkaPlatform, PortLink, Way } from "./glue.js";
import { consoleLogCreator, createLogger } from "./logger.js";
import type { Logger, logCreator } from "./logger.js";

export interface RetryOptions {
  maxRetryTime?: number;
  initialRetryTime?: number;
  factor?: number;
  multiplier?: number;
  retries?: number;
  restartOnFailure?: (error: Error) => Promise<boolean>;
}

/** A broker's address, or a `Broker` of ours. */
export type BrokerAddress = string | BrokerLike;
export type BrokersFunction = () => BrokerAddress[] | Promise<BrokerAddress[]>;

export interface KafkaConfig {
  brokers: BrokerAddress[] | BrokersFunction;
  clientId?: string;
  connectionTimeout?: number;
  requestTimeout?: number;
  enforceRequestTimeout?: boolean;
  retry?: RetryOptions;
  logLevel?: logLevel;
  logCreator?: logCreator;
  /** Refused: there is no TLS yet. */
  ssl?: unknown;
  /** Refused: there is no authentication yet. */
  sasl?: unknown;
  authenticationTimeout?: number;
  reauthenticationThreshold?: number;
  /** Refused: sockets are opened here. */
  socketFactory?: unknown;
}

/** Where a client finds its brokers. */
export interface Reach {
  way: Way;
  bootstrap: [host: string, port: number][];
}

/** One wasm instance and the clients in it. */
export class Instance {
  #dead: KafkaJSError | undefined;
  #clients = new Set<(error: KafkaJSError) => void>();

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
    const heard = (act: () => void): void => {
      try {
        this.call(act);
      } catch (error) {
        // A trap was told to all clients already.
        if (error !== this.#dead) throw error;
      }
    };
    const guarded = {
      postMessage: (message: unknown, transfer: Transferable[]) =>
        port.postMessage(message, transfer),
      set onmessage(handler: ((event: MessageEvent) => void) | null) {
        port.onmessage = handler && ((event) => heard(() => handler(event)));
      },
      close: () => port.close(),
    };
    return guarded as unknown as MessagePort;
  }

  #trapped(cause: Error): KafkaJSError {
    if (this.#dead) return this.#dead;
    const message = `The client has stopped after an internal error: ${cause.message}`;
    const error = new KafkaJSNonRetriableError(message, { cause });
    error.help = "Load the page anew, or start the process again; the broker is not affected.";
    this.#dead = error;
    for (const listener of [...this.#clients]) listener(error);
    this.platform.trapped?.(cause);
    return error;
  }
}

export class Session {
  readonly logger: Logger;
  readonly clientId: string;
  #config: KafkaConfig;
  #transportWay: Way | undefined;
  #links = new Map<BrokerLike, Promise<PortLink>>();

  constructor(
    readonly instance: Instance,
    config: KafkaConfig,
  ) {
    refuseUnserved(config);
    this.#config = config;
    this.clientId = config.clientId ?? "kafkajs";
    this.logger = createLogger(
      config.logLevel ?? logLevel.INFO,
      config.logCreator ?? consoleLogCreator,
    );
  }

  /** The retries of a client that has options of its own. */
  retry(own: RetryOptions | undefined): RetryOptions {
    return { ...this.#config.retry, ...own };
  }

  /** What the wasm is told of the cluster and how to reach it, beside the client's own options. */
  clusterOptions(bootstrap: Reach["bootstrap"]): Record<string, unknown> {
    const { connectionTimeout, requestTimeout, enforceRequestTimeout } = this.#config;
    const { clientId } = this;
    return { clientId, bootstrap, connectionTimeout, requestTimeout, enforceRequestTimeout };
  }

  /** Finds the brokers. May be asked again: `brokers` may be a function. */
  async reach(): Promise<Reach> {
    const brokers = await this.#brokers();
    await this.instance.platform.ready();
    const own = brokers.find((broker): broker is BrokerLike => typeof broker !== "string");
    if (own) {
      if (brokers.some((broker) => broker !== own)) {
        throw new KafkaJSNonRetriableError("Failed to connect: `brokers` takes one Broker, alone");
      }
      const link = await this.#link(own);
      const way = this.instance.call(() => link.way());
      return { way, bootstrap: [[own.name, 9092]] };
    }
    const bootstrap = (brokers as string[]).map(parseAddress);
    return { way: this.#transport(), bootstrap };
  }

  async #brokers(): Promise<BrokerAddress[]> {
    const { brokers } = this.#config;
    let list: unknown = brokers;
    if (typeof brokers === "function") {
      try {
        list = await brokers();
      } catch (thrown) {
        const { message, stack } = thrown as Error;
        const error = new KafkaJSConnectionError(
          `Failed to connect: "config.brokers" threw: ${message}`,
        );
        error.stack = `${error.name}\n  Caused by: ${stack}`;
        throw error;
      }
    }
    if (!list) throw new KafkaJSNonRetriableError("Failed to connect: brokers should not be null");
    if (!Array.isArray(list)) {
      throw new KafkaJSNonRetriableError("Failed to connect: brokers should be an array");
    }
    if (list.length === 0) {
      throw new KafkaJSNonRetriableError("Failed to connect: brokers array is empty");
    }
    list.forEach((broker, index) => {
      if (!(typeof broker === "string" ? broker : isBroker(broker))) {
        const message = `Failed to connect: broker at index ${index} is invalid "${typeof broker}"`;
        throw new KafkaJSNonRetriableError(message);
      }
    });
    return list as BrokerAddress[];
  }

  #link(broker: BrokerLike): Promise<PortLink> {
    const known = this.#links.get(broker);
    if (known) return known;
    const { instance } = this;
    const link = (async () => {
      let link: PortLink | undefined;
      const port = await broker.connect((next) => {
        instance.call(() => link?.reset(instance.guard(next)));
      });
      link = instance.call(() => new instance.glue.PortLink(instance.guard(port)));
      return link;
    })();
    this.#links.set(broker, link);
    link.catch(() => this.#links.delete(broker));
    return link;
  }

  #transport(): Way {
    const { glue, platform } = this.instance;
    const { transport } = platform;
    if (!transport) {
      const error = new KafkaJSNotImplemented(
        "Failed to connect: a page cannot open connections to addresses",
      );
      error.help =
        'Give a Broker instead: new Kafka({ brokers: [await Broker.open("name")] }). ' +
        "Addresses are for Node.";
      throw error;
    }
    this.#transportWay ??= this.instance.call(() => glue.Way.throughTransport(transport));
    return this.#transportWay;
  }
}

const isBroker = (value: unknown): value is BrokerLike =>
  typeof value === "object" && value !== null && "connect" in value;

/** `host:port`; the host of IPv6 may stand in brackets. */
function parseAddress(address: string): [string, number] {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  if (!host || Number(port) > 65_535) {
    throw new KafkaJSNonRetriableError(
      `Failed to connect: "${address}" is no address, which is host:port`,
    );
  }
  return [host, Number(port)];
}

/** What is not there is refused at once, and never left out in silence. */
function refuseUnserved(config: KafkaConfig): void {
  const { ssl, sasl, socketFactory } = config;
  const unserved = { ssl, sasl, socketFactory };
  for (const [name, value] of Object.entries(unserved)) {
    if (!value) continue;
    const error = new KafkaJSNotImplemented(`\`${name}\` is not supported`);
    error.help = `Leave \`${name}\` out, and use a listener without TLS and authentication.`;
    throw error;
  }
}
