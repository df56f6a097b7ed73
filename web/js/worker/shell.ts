/**
 * The shell of a broker's worker: instantiates the wasm it is given and runs the host in it.
 *
 * All that is said outside the ports is in `Start` and `FromWorker`. A wasm that has trapped is
 * never called again: the shell says what happened and closes its worker, which drops whatever
 * would still have called it.
 */
import type { HostOptions } from "./messages.js";

/** What the worker is told, once. */
export type Start =
  | { type: "host"; module: WebAssembly.Module; port: MessagePort; options: HostOptions }
  | { type: "export"; module: WebAssembly.Module; name: string };

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

/** Waits to be told what to do, then does it with that glue. */
export function runShell(glue: HostExports): void {
  const say = (message: FromWorker): void => postMessage(message);
  let done = false;
  const trapped = (message: string, last: string): void => {
    if (!done) {
      done = true;
      say({ type: "trapped", message, last });
      close();
    }
  };
  // A trap that is no panic (the stack or the memory ran out) is only an error thrown.
  const uncaught = (error: unknown): void => {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      trapped(String(error), "");
    }
  };
  addEventListener("error", (event) => uncaught(event.error));
  addEventListener("unhandledrejection", (event) => uncaught(event.reason));
  addEventListener(
    "message",
    (event: MessageEvent<Start>) => {
      const start = event.data;
      try {
        glue.initSync({ module: start.module });
        if (start.type === "host") {
          glue.run_broker(start.port, start.options, trapped);
        } else {
          glue.export_database(start.name).then(
            (file) => say({ type: "exported", file }),
            (error: unknown) => say({ type: "exported", error: String(error) }),
          );
        }
      } catch (error) {
        uncaught(error);
        if (!done) say({ type: "refused", message: String(error) });
      }
    },
    { once: true },
  );
}
