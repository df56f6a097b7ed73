/**
 * What this layer needs of the wasm glue, which is generated (`web/src/exports`): every product's
 * glue has it. And what it needs of the place it runs in.
 */
import type { WireError } from "./errors.js";

/** A way to brokers; clients are made on it. */
export interface Way {
  free(): void;
  [Symbol.dispose](): void;
}

export interface PortLink {
  /** Leaves a host that is dead for another one. */
  reset(port: MessagePort): void;
  say(message: unknown): void;
  way(): Way;
  free(): void;
}

/** What became of an operation. */
export interface Outcome {
  op: number;
  error?: WireError;
  value?: unknown;
}

/** Something that happened on a client's connections; the type has no client's name before it. */
export interface NetworkEvent {
  type: string;
  payload: Record<string, unknown>;
}

/** What all clients of the wasm have. */
export interface WasmClient<Event> {
  connect(): number;
  disconnect(): number;
  /** Takes what has happened since the last call. */
  events(): Event[];
  watch(on: boolean): void;
  network_events(): NetworkEvent[];
  free(): void;
}

/** How a client is made: `ready` is called when there may be events, and must not call it. */
export type WasmConstructor<Options, Client> = new (
  way: Way,
  options: Options,
  ready: () => void,
) => Client;

/** Byte streams that JavaScript opens: `web/src/client/transport.rs`. */
export interface Transport {
  open(host: string, port: number, handler: TransportHandler): TransportSocket;
}

export interface TransportSocket {
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface TransportHandler {
  connected(): void;
  data(bytes: Uint8Array): void;
  closed(reason: string): void;
}

export interface ProducerClient extends WasmClient<Outcome> {
  send(
    topics: string[],
    packed: Uint8Array[],
    acks: number,
    timeoutMillis: number,
    compression: number,
  ): number;
  partitions(topic: string): number;
  is_full(): boolean;
}

export interface AdminClient extends WasmClient<Outcome> {
  /** Begins an operation: `Command` of `web/src/exports/admin.rs`. */
  run(command: object): number;
}

/** The exports that clients need. */
export interface KafkaGlue {
  AdminClient: WasmConstructor<object, AdminClient>;
  ProducerClient: WasmConstructor<object, ProducerClient>;
  PortLink: new (port: MessagePort) => PortLink;
  Way: { throughTransport(transport: Transport): Way };
}

/** Where the clients run. */
export interface KafkaPlatform {
  /** Resolves when the glue may be called. */
  ready(): Promise<unknown>;
  /** Opens TCP connections; a page cannot. */
  transport?: Transport;
  /** Hears that a client has trapped the wasm, if others call it too. */
  trapped?(error: Error): void;
  /** Tells when others have trapped it. */
  onTrap?(listener: (error: Error) => void): void;
}

/** A `Broker` of ours, as far as clients need it. */
export interface BrokerLike {
  readonly name: string;
  /** A fresh port to the broker's host; later calls of `onPort` bring those of its successors. */
  connect(onPort?: (port: MessagePort) => void): Promise<MessagePort> | MessagePort;
}
