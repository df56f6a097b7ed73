/** A broker's thread, as the process sees it: a page's `Worker` in Node, and the way to its sockets. */
import { Worker } from "node:worker_threads";
import type { Transferable as NodeTransferable } from "node:worker_threads";
import type { FromWorker, Start } from "../../worker/shell.js";
import type { BrokerWorker } from "../broker.js";
import { PartitaError } from "../errors.js";
import type { Address, Listening } from "../options.js";
import type { Answer, FromThread, Request } from "./messages.js";

interface Heard {
  message: (event: MessageEvent<FromWorker>) => void;
  error: (event: ErrorEvent) => void;
}

type Unnumbered<R> = R extends Request ? Omit<R, "id"> : never;

export class NodeWorker implements BrokerWorker {
  #worker: Worker;
  #listeners: { [Type in keyof Heard]: Set<Heard[Type]> } = {
    message: new Set(),
    error: new Set(),
  };
  /** Requests that wait for their answers; all are answered, at the latest when the thread ends. */
  #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #last = 0;
  #ended = false;
  /** The reasons for the process to stay alive, beside an answer that is waited for. */
  #kept = true;
  #listening = false;

  /** `file` calls `runThread`. */
  constructor(file: URL) {
    // A program's own flags (a loader, a coverage tool) are not for this thread.
    this.#worker = new Worker(file, { name: "partita broker", execArgv: [] });
    this.#worker.on("message", (message: FromThread) => {
      if (message.type === "answer") this.#answered(message);
      else this.#tell("message", { data: message } as MessageEvent<FromWorker>);
    });
    this.#worker.on("error", (error) => this.#over(error.message));
    this.#worker.on("exit", () => this.#over("the broker's thread has ended"));
  }

  postMessage(message: Start, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer as NodeTransferable[]);
  }

  addEventListener<Type extends keyof Heard>(type: Type, listener: Heard[Type]): void {
    this.#listeners[type].add(listener);
  }

  terminate(): void {
    this.#ended = true;
    void this.#worker.terminate();
  }

  async listen(options: Listening): Promise<Address> {
    const answer = await this.#ask({ type: "listen", options });
    if (answer?.address) {
      this.#listening = true;
      this.#ref();
      return answer.address;
    }
    const { message, code } = answer?.error ?? { message: "the broker's thread has ended", code: "" };
    const help = HELP[code ?? ""] ?? "";
    const where = `${options.host}:${options.port}`;
    throw new PartitaError("listen", `cannot listen on ${where}: ${message}`, { code, help });
  }

  async unlisten(): Promise<void> {
    await this.#ask({ type: "unlisten" });
  }

  keepAlive(on: boolean): void {
    this.#kept = on;
    this.#ref();
  }

  #ref(): void {
    if (this.#kept || this.#listening || this.#waiting.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #ask(request: Unnumbered<Request>): Promise<Answer | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    this.#last += 1;
    const id = this.#last;
    this.#worker.postMessage({ ...request, id });
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#ref();
    });
  }

  #answered(answer: Answer): void {
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
    this.#ref();
  }

  /** The thread is no more. Nobody is told who has ended it himself. */
  #over(message: string): void {
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    if (this.#ended) return;
    this.#ended = true;
    this.#tell("error", { message, preventDefault: () => undefined } as unknown as ErrorEvent);
  }

  #tell<Type extends keyof Heard>(type: Type, event: Parameters<Heard[Type]>[0]): void {
    for (const listener of this.#listeners[type]) (listener as (event: unknown) => void)(event);
  }
}

/** What helps against the system's refusals. */
const HELP: Record<string, string> = {
  EADDRINUSE: "Take another port, or 0 for any that is free.",
  EADDRNOTAVAIL: "Give an address of this machine.",
  EACCES: "Take a port above 1023.",
  ENOTFOUND: "Give a host name that this machine knows.",
};
