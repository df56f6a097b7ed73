/**
 * What producer, consumer and admin have in common: a client of the wasm from `connect` to
 * `disconnect`, promises for its operations, and KafkaJS's events.
 *
 * The wasm never calls into this layer but to say that there is news; that is fetched later, when
 * nothing of the wasm is on the stack. So users' code may call anything from anywhere.
 */
import { KafkaJSError } from "./errors.js";
import { Emitter, networkEvents } from "./events.js";
import type { Outcome, WasmClient, Way } from "./glue.js";
import type { Session } from "./session.js";
import { fromWire } from "./wire.js";
import type { WireError } from "./wire.js";

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Any client. `Wasm` is its class in the wasm, `Event` what that tells. */
export abstract class Client<Event extends object, Wasm extends WasmClient<Event>> {
  readonly emitter: Emitter;
  #session: Session;
  #wasm: Wasm | undefined;
  /** The wasm's client that there is or will be, from `open` until `close` is called. */
  #opening: Promise<Wasm> | undefined;
  /** The end of the one before, while that is being closed. */
  #closing: Promise<void> | undefined;
  /** Whether `reach` has succeeded. */
  #connected = false;
  #pending = new Map<number, Pending[]>();
  #scheduled = false;
  #forgetTrap: (() => void) | undefined;

  constructor(session: Session, kind: string, events: Record<string, string>) {
    const logger = session.logger.namespace(kind[0]?.toUpperCase() + kind.slice(1));
    this.emitter = new Emitter(kind, events, logger);
    this.emitter.onListener = () => this.#watch();
    this.#session = session;
  }

  /** Makes the client in the wasm. */
  protected abstract create(way: Way, cluster: Record<string, unknown>, ready: () => void): Wasm;

  /** Takes something that the wasm tells and that is no operation's end. */
  protected heard(_event: Event): void {}

  /** The wasm's client is about to go, or has gone with a trap. */
  protected closed(_error?: KafkaJSError): void {}

  /** The wasm's client, if there is one: between `connect` and `disconnect`. */
  protected get wasm(): Wasm | undefined {
    return this.#wasm;
  }

  /** The wasm's client, which is made if there is none; its brokers are found first. */
  protected open(): Promise<Wasm> {
    if (this.#opening) return this.#opening;
    const opening = this.#open().catch((error: unknown) => {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    });
    this.#opening = opening;
    return opening;
  }

  async #open(): Promise<Wasm> {
    // Who comes while another is being closed is the next one.
    await this.#closing?.catch(() => {});
    const { way, bootstrap } = await this.#session.reach();
    const { instance } = this.#session;
    const cluster = this.#session.clusterOptions(bootstrap);
    const wasm = instance.call(() => this.create(way, cluster, () => this.#schedule()));
    this.#wasm = wasm;
    this.#forgetTrap = instance.onTrap((error) => this.#trapped(error));
    this.#watch();
    return wasm;
  }

  /** Calls the wasm; what it throws comes as an error of KafkaJS's. */
  protected call<T>(act: (wasm: Wasm) => T): T {
    return this.#session.instance.call(() => {
      if (this.#wasm) return act(this.#wasm);
      throw new KafkaJSError(`The ${this.emitter.kind} is disconnected`);
    });
  }

  /** Begins an operation, or joins in one that others wait for; the promise is its end. */
  protected operation<T>(begin: (wasm: Wasm) => number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const op = this.call(begin);
      const own = { resolve: resolve as (value: unknown) => void, reject };
      const others = this.#pending.get(op);
      if (others) others.push(own);
      else this.#pending.set(op, [own]);
    });
  }

  /**
   * Makes the wasm's client, and has it reach for a broker. Resolves to whether it is still wanted
   * then: who has called `close` meanwhile has the last word.
   */
  protected async reach(): Promise<boolean> {
    const opening = this.open();
    await opening;
    try {
      await this.operation((wasm) => wasm.connect());
    } catch (error) {
      // The next attempt finds the brokers anew.
      if (this.#opening === opening && !this.#connected) await this.close();
      throw error;
    }
    if (this.#opening !== opening) return false;
    this.#connected = true;
    return true;
  }

  /**
   * Disconnects the wasm's client and lets go of it, after `first`. What is under way then is waited
   * for as long as an answer may take, and fails after that: `disconnect` ends, whatever the brokers
   * do. Whoever opens one from now on gets another one, when this has ended.
   */
  protected close(first?: Promise<void>): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#connected = false;
    const before = this.#closing;
    const closing = this.#close(opening, first, before).finally(() => {
      if (this.#closing === closing) this.#closing = undefined;
    });
    this.#closing = closing;
    return closing;
  }

  async #close(
    opening: Promise<Wasm> | undefined,
    first: Promise<void> | undefined,
    before: Promise<void> | undefined,
  ): Promise<void> {
    await Promise.all([first, before?.catch(() => {})]);
    // One that is just being made is waited for; if it cannot be made there is nothing to close.
    const wasm = await opening?.catch(() => undefined);
    if (!wasm || this.#wasm !== wasm) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#session.requestTimeout);
    });
    try {
      await Promise.race([this.operation((wasm) => wasm.disconnect()), late]);
    } finally {
      clearTimeout(timer);
    }
    this.#drain();
    this.closed();
    this.#wasm = undefined;
    this.#forgetTrap?.();
    this.#session.instance.call(() => wasm.free());
    this.#failPending(new KafkaJSError(`The ${this.emitter.kind} is disconnected`));
  }

  /** News is fetched once nothing else is on the stack, however often it is announced. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#wasm) this.#drain();
    });
  }

  #drain(): void {
    try {
      for (const event of this.call((wasm) => wasm.events())) {
        if (!("op" in event && this.#settle(event as unknown as Outcome))) this.heard(event);
      }
      this.#tellNetwork();
      this.drained();
    } catch (error) {
      // A trap has been told to every operation; anything else is a fault of this layer.
      this.emitter.logger.error(`The client's events are lost: ${String(error)}`);
    }
  }

  /** All news was taken. */
  protected drained(): void {}

  /** Ends an operation, if it is one of those that are waited for. */
  #settle({ op, error, value }: Outcome): boolean {
    const pending = this.#pending.get(op);
    if (!pending) return false;
    this.#pending.delete(op);
    for (const { resolve, reject } of pending) {
      if (error) reject(fromWire(error));
      else resolve(value);
    }
    return true;
  }

  #trapped(error: KafkaJSError): void {
    this.closed(error);
    this.#session.instance.keep(this.#wasm);
    this.#wasm = undefined;
    this.#failPending(error);
  }

  /** Ends the operations that nobody will answer any more. */
  #failPending(error: KafkaJSError): void {
    const pending = [...this.#pending.values()].flat();
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  #watched(): boolean {
    return this.emitter.hears(...Object.values(networkEvents(this.emitter.kind)));
  }

  #watch(): void {
    if (this.#wasm && this.#watched()) this.call((wasm) => wasm.watch(true));
  }

  #tellNetwork(): void {
    const { kind } = this.emitter;
    const { clientId, logger } = this.#session;
    for (const { type, payload } of this.call((wasm) => wasm.network_events())) {
      if (type === "failed") {
        const { message, broker, help } = payload as unknown as WireError;
        logger.namespace("Connection").error(message, { broker, clientId, help });
      } else {
        this.emitter.emit(`${kind}.${type}`, { clientId, ...payload });
      }
    }
  }
}
