/**
 * The two ends of the channel between a page and the worker that hosts its broker.
 *
 * The page compiles the wasm once; both threads instantiate the same module. All that is ever said
 * outside the port is one `start` message from the page and, when the broker cannot start, one
 * `failed` message back.
 */

/** What `run_broker` understands; DESIGN.md names the rest. */
export interface BrokerOptions {
  name: string;
}

interface Start {
  module: WebAssembly.Module;
  port: MessagePort;
  options: BrokerOptions;
}

/** What the worker needs of the wasm glue; every product's glue has it. */
interface BrokerExports {
  initSync(init: { module: WebAssembly.Module }): unknown;
  run_broker(port: MessagePort, options: unknown): void;
}

/** Why a worker gave up: what it threw, or that its wasm trapped. */
export class BrokerWorkerError extends Error {
  override name = "BrokerWorkerError";
}

/**
 * Starts a broker in `worker` and returns the page's end of its port.
 *
 * `onFailure` is told when the broker cannot start or its worker dies of an error.
 */
export function startBroker(
  worker: Worker,
  module: WebAssembly.Module,
  options: BrokerOptions,
  onFailure: (error: BrokerWorkerError) => void,
): MessagePort {
  const { port1, port2 } = new MessageChannel();
  worker.addEventListener("message", (event: MessageEvent<{ failed: string }>) => {
    onFailure(new BrokerWorkerError(event.data.failed));
  });
  worker.addEventListener("error", (event) => {
    onFailure(new BrokerWorkerError(event.message || "the broker's worker could not be loaded"));
  });
  const start: Start = { module, port: port2, options };
  worker.postMessage(start, [port2]);
  return port1;
}

/** The worker's side: waits for the start message, then runs the broker with that glue. */
export function serveBroker(glue: BrokerExports): void {
  addEventListener(
    "message",
    (event: MessageEvent<Start>) => {
      const { module, port, options } = event.data;
      try {
        glue.initSync({ module });
        glue.run_broker(port, options);
      } catch (error) {
        postMessage({ failed: String(error) });
      }
    },
    { once: true },
  );
}
