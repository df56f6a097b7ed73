/**
 * Handlers that never wait for anything but promises would keep the thread from everything else:
 * heartbeats, fetches, other consumers. So every few milliseconds the loop lets others have a turn.
 */

/** How long the thread may be kept, in milliseconds. */
const LONG = 10;

export class Breath {
  #last = performance.now();

  /** Whether it is time. */
  isShort(): boolean {
    return performance.now() - this.#last > LONG;
  }

  /** Resolves after everything that waits for its turn now. */
  async take(): Promise<void> {
    await turn();
    this.#last = performance.now();
  }
}

/** One turn of the event loop; a timer would be slowed down in a page. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
