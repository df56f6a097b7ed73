/**
 * What happens when the page's wasm traps: it is never called again, the page says so, and the
 * broker lives on in its worker.
 */

type Listener = (error: Error) => void;

/** Notices that this thread's wasm has trapped, whoever called it, and tells everyone once. */
export class Traps {
  #error: Error | undefined;
  #listeners = new Set<Listener>();

  constructor() {
    addEventListener("error", (event) => this.#uncaught(event.error));
    addEventListener("unhandledrejection", (event) => this.#uncaught(event.reason));
  }

  /** Somebody caught the trap before it reached the window. */
  readonly trapped = (error: Error): void => {
    if (this.#error) return;
    this.#error = error;
    for (const listener of this.#listeners) listener(error);
  };

  /** Tells when the wasm has trapped. */
  readonly onTrap = (listener: Listener): void => {
    if (this.#error) listener(this.#error);
    else this.#listeners.add(listener);
  };

  #uncaught(error: unknown): void {
    if (error instanceof WebAssembly.RuntimeError) this.trapped(error);
    // The stack has run out; other range errors are their caller's fault.
    if (error instanceof RangeError && /call stack/.test(error.message)) this.trapped(error);
  }
}
