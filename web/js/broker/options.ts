/** What `Broker.open` and `broker.listen` take, checked before anything is started. */
import type { HostOptions, Notice, Status } from "../worker/messages.js";
import { PartitaError } from "./errors.js";

/** What one hears of notices. */
export interface NoticeEvent {
  notice: Notice;
  message: string;
  /** Whether it holds, or is over. */
  on: boolean;
}

export interface BrokerOptions {
  /** Where partitions are kept. In Node it must be said: there is no IndexedDB. */
  storage?: "indexeddb" | "memory" | { directory: string };
  /**
   * When a record counts as written: `strict` (the default) when the disk has it; `relaxed` when
   * the operating system has it, which survives a crash of the browser, but no power cut.
   */
  durability?: "strict" | "relaxed";
  /** Broker configs by Kafka's names. */
  config?: Record<string, string | number | boolean>;
  /**
   * Whether to wait while another tab hosts the broker of this name, and to take over when that
   * goes. `true` is the default; with `false` opening fails at once (`failure` is `inUse`).
   */
  wait?: boolean;
  /**
   * Hears each status while the broker opens: `waiting` tells that another tab hosts it, or that
   * this page opens it already.
   */
  onStatus?(status: Status): void;
  /** Gives up opening, and waiting. */
  signal?: AbortSignal;
}

export interface ListenOptions {
  /** A host name or an address of this machine; 127.0.0.1 by default. */
  host?: string;
  /** 0, the default, takes any that is free. */
  port?: number;
  /**
   * The address that clients are told to come back to, `HOST:PORT`. By default that which is
   * listened on; where that is every address (0.0.0.0, ::), the one each client came in by.
   */
  advertise?: string;
}

/** Where a broker listens. */
export interface Address {
  host: string;
  port: number;
}

/** A listener's options with everything said. */
export interface Listening extends Address {
  advertise: Address | undefined;
}

const refuse = (message: string, help: string): never => {
  throw new PartitaError("invalidOptions", message, { help });
};

/** The options as the host takes them. `noIndexedDb`: why there is none here, if so. */
export function hostOptions(
  name: unknown,
  options: BrokerOptions,
  noIndexedDb: string | undefined,
): HostOptions {
  if (typeof name !== "string" || name === "") {
    refuse("a broker needs a name", 'Give it first: Broker.open("shop", …).');
  }
  const { storage = "indexeddb", durability = "strict", config = {} } = options;
  const { wait: _wait, onStatus: _onStatus, signal: _signal, ...rest } = options;
  const unknown = Object.keys(rest).find(
    (key) => !["storage", "durability", "config"].includes(key),
  );
  if (unknown !== undefined) {
    refuse(`unknown option "${unknown}"`, "There are storage, durability, config, wait, …");
  }
  if (typeof storage === "object" && storage !== null && "directory" in storage) {
    const help = 'Use { storage: "memory" } for now.';
    throw new PartitaError("unsupported", "storage in a directory is not there yet", { help });
  }
  if (storage !== "indexeddb" && storage !== "memory") {
    refuse(`storage ${text(storage)} does not exist`, 'There are "indexeddb" and "memory".');
  }
  if (storage === "indexeddb" && noIndexedDb !== undefined) {
    const help = 'Say { storage: "memory" }: records are gone when the process ends.';
    throw new PartitaError("unsupported", noIndexedDb, { help });
  }
  if (durability !== "strict" && durability !== "relaxed") {
    refuse(`durability ${text(durability)} does not exist`, 'There are "strict" and "relaxed".');
  }
  return {
    name: name as string,
    storage: storage as "indexeddb" | "memory",
    durability,
    config: configs(config),
  };
}

function configs(config: unknown): Record<string, string> {
  if (typeof config !== "object" || config === null) {
    refuse(`config ${text(config)} is no object`, 'Write { "num.partitions": "4" }.');
  }
  return Object.fromEntries(
    Object.entries(config as object).map(([name, value]) => {
      if (!["string", "number", "boolean"].includes(typeof value)) {
        refuse(`config ${name} is ${text(value)}`, "Values are strings, numbers or booleans.");
      }
      return [name, String(value)];
    }),
  );
}

/** The listener's options with the defaults in their places. */
export function listening({ host = "127.0.0.1", port = 0, advertise }: ListenOptions): Listening {
  if (typeof host !== "string" || host === "") {
    refuse(`host ${text(host)} is no host`, "Give a host name or an address.");
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    refuse(`port ${text(port)} is no port`, "Ports are whole numbers to 65535; 0 takes any.");
  }
  return { host, port, advertise: advertise === undefined ? undefined : address(advertise) };
}

/** `HOST:PORT`; the host of IPv6 may stand in brackets. */
function address(value: string): Address {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(String(value)) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    return refuse(`advertise ${text(value)} is no address`, "Write it as HOST:PORT.");
  }
  return { host, port: Number(port) };
}

const text = (value: unknown): string => JSON.stringify(value) ?? String(value);
