/** KafkaJS's instrumentation events: `client.on(client.events.CONNECT, listener)`. */
import { KafkaJSNonRetriableError } from "./errors.js";
import type { Logger } from "./logger.js";
import { asError } from "./wire.js";

export interface InstrumentationEvent<T> {
  id: string;
  type: string;
  timestamp: number;
  payload: T;
}

export type RemoveInstrumentationEventListener<_T> = () => void;

export type ConnectEvent = InstrumentationEvent<null>;
export type DisconnectEvent = InstrumentationEvent<null>;

/** A request without an answer. */
interface RequestPayload {
  apiKey: number;
  apiName: string;
  apiVersion: number;
  broker: string;
  clientId: string;
  correlationId: number;
  createdAt: number;
  pendingDuration: number;
  sentAt: number;
}

export type RequestEvent = InstrumentationEvent<
  RequestPayload & { duration: number; size: number }
>;
export type RequestTimeoutEvent = InstrumentationEvent<RequestPayload>;
export type RequestQueueSizeEvent = InstrumentationEvent<{
  broker: string;
  clientId: string;
  queueSize: number;
}>;

/** Every client's events by name, with what each brings. */
export type NetworkEvents<K extends string> = {
  [name in `${K}.connect`]: ConnectEvent;
} & {
  [name in `${K}.disconnect`]: DisconnectEvent;
} & {
  [name in `${K}.network.request`]: RequestEvent;
} & {
  [name in `${K}.network.request_timeout`]: RequestTimeoutEvent;
} & {
  [name in `${K}.network.request_queue_size`]: RequestQueueSizeEvent;
};

/** `on` of a client whose events are these; it returns what takes the listener away. */
export type On<Events> = <Name extends keyof Events>(
  eventName: Name,
  listener: (event: Events[Name]) => void,
) => RemoveInstrumentationEventListener<Name>;

type Listener = (event: InstrumentationEvent<any>) => void | Promise<void>;

let nextId = 0;

/** What every client can tell: its connection, and its requests. */
export const networkEvents = <K extends string>(kind: K) =>
  ({
    REQUEST: `${kind}.network.request`,
    REQUEST_TIMEOUT: `${kind}.network.request_timeout`,
    REQUEST_QUEUE_SIZE: `${kind}.network.request_queue_size`,
  }) as const;

/** The listeners of one client. */
export class Emitter {
  #listeners = new Map<string, Set<Listener>>();
  /** Called when a listener is added, with the event's name. */
  onListener: ((name: string) => void) | undefined;

  /** `kind` is the client's word for itself in messages; `events` are its events' names. */
  constructor(
    readonly kind: string,
    readonly events: Record<string, string>,
    readonly logger: Logger,
  ) {}

  on = (name: string, listener: Listener): (() => void) => {
    const names = Object.values(this.events);
    if (!names.includes(name)) {
      const keys = Object.keys(this.events).map((key) => `${this.kind}.events.${key}`);
      throw new KafkaJSNonRetriableError(`Event name should be one of ${keys.join(", ")}`);
    }
    // One function may listen twice, as in Node.
    const own: Listener = (event) => listener(event);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(own));
    this.onListener?.(name);
    return () => void listeners.delete(own);
  };

  /** Whether anybody listens to one of these events. */
  hears(...names: string[]): boolean {
    return names.some((name) => (this.#listeners.get(name)?.size ?? 0) > 0);
  }

  /** Tells the listeners. One that fails is logged, and harms nobody else. */
  emit(name: string, payload?: unknown): void {
    if (!this.hears(name)) return;
    // A number, though KafkaJS's types say string: so it is there.
    const id = nextId++ as unknown as string;
    const event = { id, type: name, timestamp: Date.now(), payload };
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      const failed = (error: unknown): void => {
        const { message, stack } = asError(error);
        this.logger.error(`Failed to execute listener: ${message}`, { eventName: name, stack });
      };
      try {
        Promise.resolve(listener(event)).catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }
}
