/**
 * The page's broker, as the clients of `window.partita` know it.
 *
 * The host is reached through the page's own port; each `Kafka` gets one of its own, and another
 * one whenever a new host takes the place of one that trapped.
 */
import type { BrokerLike } from "../../../web/js/kafkajs/glue.js";
import type { ToClient, ToHost } from "../../../web/js/worker/messages.js";

export class PageBroker implements BrokerLike {
  #host: MessagePort | undefined;
  #followers = new Set<(port: MessagePort) => void>();

  constructor(readonly name: string) {}

  /** A new host is at the end of this port: everyone is given a way to it. */
  follow(host: MessagePort): void {
    this.#host = host;
    for (const follower of this.#followers) follower(this.#attach(host));
  }

  /** A fresh port to the host; `onPort` hears of those to its successors. */
  connect(onPort?: (port: MessagePort) => void): MessagePort {
    if (!this.#host) throw new Error("the broker has not been started");
    if (onPort) this.#followers.add(onPort);
    return this.#attach(this.#host);
  }

  /** The page's wasm is dead: nothing that comes reaches it, and its connections are closed. */
  abandon(): void {
    this.#followers.clear();
    if (!this.#host) return;
    this.#host.onmessage = null;
    const reserve = this.#attach(this.#host);
    this.#host.postMessage({ type: "detach" } satisfies ToHost);
    this.#host = reserve;
  }

  /** All that the broker keeps, in one file: a tar archive of Kafka's `.log` files. */
  export(): Promise<Blob> {
    const port = this.connect();
    const file = new Promise<Blob>((resolve, reject) => {
      port.onmessage = ({ data }: MessageEvent<ToClient>) => {
        if (Array.isArray(data) || data.type !== "exported") return;
        if (data.file) resolve(data.file);
        else reject(new Error(data.error ?? "the export failed"));
      };
      port.postMessage({ type: "export" } satisfies ToHost);
    });
    return file.finally(() => port.postMessage({ type: "detach" } satisfies ToHost));
  }

  #attach(host: MessagePort): MessagePort {
    const { port1, port2 } = new MessageChannel();
    host.postMessage({ type: "attach", port: port2 } satisfies ToHost, [port2]);
    return port1;
  }
}
