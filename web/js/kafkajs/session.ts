/** What all clients of one `Kafka` share: its configuration, its logger, the way to its brokers. */
import type { ConnectionOptions } from "node:tls";
import type { ISocketFactory, Mechanism, SASLOptions } from "./connection-types.js";
import { logLevel } from "./constants.js";
import {
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
} from "./errors.js";
import type { BrokerLike, Way } from "./glue.js";
import type { Instance } from "./instance.js";
import { consoleLogCreator, createLogger } from "./logger.js";
import type { Logger, logCreator } from "./logger.js";
import { asError } from "./wire.js";

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
  ssl?: ConnectionOptions | boolean;
  /** Refused: there is no authentication yet. */
  sasl?: SASLOptions | Mechanism;
  authenticationTimeout?: number;
  reauthenticationThreshold?: number;
  /** Refused: sockets are opened here. */
  socketFactory?: ISocketFactory;
}

/** Where a client finds its brokers. */
export interface Reach {
  way: Way;
  bootstrap: [host: string, port: number][];
}

/** KafkaJS's default. */
const REQUEST_TIMEOUT = 30_000;

export class Session {
  readonly logger: Logger;
  readonly clientId: string;
  /** How long an answer may take, in milliseconds. */
  readonly requestTimeout: number;
  #config: KafkaConfig;

  constructor(
    readonly instance: Instance,
    config: KafkaConfig,
  ) {
    refuseUnserved(config);
    this.#config = config;
    this.clientId = config.clientId ?? "kafkajs";
    this.requestTimeout = config.requestTimeout ?? REQUEST_TIMEOUT;
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
      const link = await this.instance.link(own);
      const way = this.instance.call(() => link.way());
      return { way, bootstrap: [[own.name, 9092]] };
    }
    const bootstrap = (brokers as string[]).map(parseAddress);
    return { way: this.instance.transport(), bootstrap };
  }

  async #brokers(): Promise<BrokerAddress[]> {
    const { brokers } = this.#config;
    let list: unknown = brokers;
    if (typeof brokers === "function") {
      try {
        list = await brokers();
      } catch (thrown) {
        const { message, stack } = asError(thrown);
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
}

/** Refuses what is no time in milliseconds of 31 bits, which is how requests carry it. */
export function checkMillis(name: string, value: unknown): void {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31) return;
  throw new KafkaJSNonRetriableError(`Invalid ${name} ${String(value)}: whole milliseconds`);
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
