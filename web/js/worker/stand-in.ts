/**
 * What answers in the place of a broker that is not started again after its wasm has trapped.
 *
 * It refuses every connection, says why, and still keeps time for the clients, whose timers are the
 * host's: they wait between their attempts, and give up as they would with a broker that is down.
 */
import type { Frames, ToClient, ToHost } from "./messages.js";

export interface StandInOptions {
  /** Why the broker has stopped. */
  message: string;
  /** Starts the broker after all; this has let go of its ports then. */
  start(): void;
  /** Makes a file of what is stored. */
  export(): Promise<Blob>;
}

export class StandIn {
  #options: StandInOptions;
  #ports = new Set<MessagePort>();
  /** Clients' alarms, by port. */
  #alarms = new Map<MessagePort, Map<number, ReturnType<typeof setTimeout>>>();

  constructor(options: StandInOptions) {
    this.#options = options;
  }

  /** Answers on this port from now on. */
  attach(port: MessagePort): void {
    this.#ports.add(port);
    port.onmessage = ({ data }: MessageEvent<ToHost | Frames>) => {
      if (!Array.isArray(data)) this.#heard(port, data);
    };
    // In Node, a port that listens keeps the process alive; this one must not.
    (port as { unref?(): void }).unref?.();
    const { message } = this.#options;
    say(port, { type: "clock", at: now(), monotonic: now(), wall: Date.now(), rate: 1 });
    say(port, { type: "status", state: "failed", failure: "trapped", message });
  }

  #heard(port: MessagePort, message: ToHost): void {
    switch (message.type) {
      case "open": {
        const reason = "ECONNREFUSED the broker has stopped after an internal error";
        say(port, { type: "closed", connection: message.connection, reason });
        break;
      }
      case "alarm":
        this.#alarm(port, message.id, message.at);
        break;
      case "attach":
        this.attach(message.port);
        break;
      case "detach":
        this.#detach(port);
        break;
      case "start":
        for (const port of [...this.#ports]) {
          this.#detach(port);
          port.close();
        }
        this.#options.start();
        break;
      case "export":
        this.#options.export().then(
          (file) => say(port, { type: "exported", file }),
          (error: unknown) => say(port, { type: "exported", error: String(error) }),
        );
        break;
      case "end":
        for (const port of this.#ports) say(port, { type: "ended" });
        break;
    }
  }

  /** Sets a client's alarm in the place of the one before, or takes it back. */
  #alarm(port: MessagePort, id: number, at: number | undefined): void {
    const alarms = this.#alarms.get(port) ?? new Map<number, ReturnType<typeof setTimeout>>();
    this.#alarms.set(port, alarms);
    clearTimeout(alarms.get(id));
    alarms.delete(id);
    if (at === undefined) return;
    const wake = (): void => {
      alarms.delete(id);
      say(port, { type: "wake", id, monotonic: now(), wall: Date.now() });
    };
    alarms.set(id, setTimeout(wake, Math.max(0, Math.ceil(at - now()))));
  }

  #detach(port: MessagePort): void {
    for (const timer of this.#alarms.get(port)?.values() ?? []) clearTimeout(timer);
    this.#alarms.delete(port);
    this.#ports.delete(port);
    port.onmessage = null;
  }
}

const say = (port: MessagePort, answer: ToClient): void => port.postMessage(answer);

/** Milliseconds since 1970 by the clock that all threads share. */
const now = (): number => performance.timeOrigin + performance.now();
