/**
 * The shell of a broker's worker: instantiates the wasm it is given and runs the host in it.
 *
 * All that is said outside the ports is in `Start` and `FromWorker`. A wasm that has trapped is
 * never called again: the shell says what happened and closes its worker, which drops whatever
 * would still have called it.
 */
import type { HostOptions } from "./messages.js";

/** What the worker is told, once. */
export type Start = HostStart | ExportStart;

/** To host a broker. */
export interface HostStart {
  type: "host";
  module: WebAssembly.Module;
  port: MessagePort;
  options: HostOptions;
}

/** To read a database into a file, without a broker. */
export interface ExportStart {
  type: "export";
  module: WebAssembly.Module;
  name: string;
}

/** What it says when it cannot go on, or has done what it was for. */
export type FromWorker =
  | { type: "trapped"; message: string; last: string }
  | { type: "refused"; message: string }
  | { type: "exported"; file?: Blob; error?: string };

/** What the shell needs of the wasm glue; every product's glue has it. */
export interface HostExports {
  initSync(init: { module: WebAssembly.Module }): unknown;
  run_broker(
    port: MessagePort,
    options: HostOptions,
    trapped: (message: string, last: string) => void,
  ): void;
  export_database(name: string): Promise<Blob>;
}

/** The thread that the shell has to itself. */
export interface Thread {
  /** Calls the listener once, with the first message. */
  onStart(listener: (start: Start) => void): void;
  /** Calls the listener with all that nobody has caught. */
  onUncaught(listener: (error: unknown) => void): void;
  say(message: FromWorker): void;
  /** Ends it. */
  close(): void;
}

/** A dedicated worker of a page. */
const dedicatedWorker: Thread = {
  onStart(listener) {
    const heard = (event: MessageEvent<Start>): void => listener(event.data);
    addEventListener("message", heard, { once: true });
  },
  onUncaught(listener) {
    addEventListener("error", (event) => listener(event.error));
    addEventListener("unhandledrejection", (event) => listener(event.reason));
  },
  say: (message) => postMessage(message),
  close: () => close(),
};

/** Waits to be told what to do, then does it with that glue. */
export function runShell(glue: HostExports, thread: Thread = dedicatedWorker): void {
  let done = false;
  const trapped = (message: string, last: string): void => {
    if (!done) {
      done = true;
      thread.say({ type: "trapped", message, last });
      thread.close();
    }
  };
  // A trap that is no panic (the stack or the memory ran out) is only an error thrown.
  const uncaught = (error: unknown): void => {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      trapped(String(error), "");
    }
  };
  thread.onUncaught(uncaught);
  thread.onStart((start) => {
    try {
      glue.initSync({ module: start.module });
      if (start.type === "host") {
        glue.run_broker(start.port, start.options, trapped);
      } else {
        glue.export_database(start.name).then(
          (file) => thread.say({ type: "exported", file }),
          (error: unknown) => thread.say({ type: "exported", error: String(error) }),
        );
      }
    } catch (error) {
      uncaught(error);
      if (!done) thread.say({ type: "refused", message: words(error) });
    }
  });
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
