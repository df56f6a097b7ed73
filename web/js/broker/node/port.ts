/** Ports in Node: one that does not keep the process alive while it is idle, and one in a thread. */
import type { MessagePort as NodePort } from "node:worker_threads";
import type { Frames, ToClient, ToHost } from "../../worker/messages.js";

/**
 * The port in a form that keeps the process alive only while something is expected of it: the
 * host's greeting, its farewell, what comes on a connection, a time that a client waits for. So a
 * client that is connected keeps the process alive, as its TCP sockets would; a broker that nobody
 * has closed does not.
 */
export function idlePort(port: MessagePort): MessagePort {
  const node = port as unknown as NodePort;
  const expected = new Set<string>();
  const ref = (): void => (expected.size > 0 ? node.ref() : node.unref());
  const idle = {
    postMessage(message: ToHost | Frames, transfer: Transferable[] = []): void {
      if ("type" in message) noteSent(expected, message);
      ref();
      port.postMessage(message, transfer);
    },
    set onmessage(handler: ((event: MessageEvent<ToClient | Frames>) => void) | null) {
      port.onmessage =
        handler &&
        ((event: MessageEvent<ToClient | Frames>) => {
          expected.delete("greeting");
          if ("type" in event.data) noteHeard(expected, event.data);
          handler(event);
          ref();
        });
      // A host tells its clock and its status first of all, to whoever listens.
      if (handler) expected.add("greeting");
      else expected.clear();
      ref();
    },
    close(): void {
      port.close();
    },
  };
  return idle as unknown as MessagePort;
}

function noteSent(expected: Set<string>, message: ToHost): void {
  switch (message.type) {
    case "open":
      expected.add(`connection ${message.connection}`);
      break;
    case "close":
      expected.delete(`connection ${message.connection}`);
      break;
    case "alarm":
      if (message.at === undefined) expected.delete(`alarm ${message.id}`);
      else expected.add(`alarm ${message.id}`);
      break;
    case "end":
      expected.add("farewell");
      break;
  }
}

function noteHeard(expected: Set<string>, message: ToClient): void {
  switch (message.type) {
    case "closed":
      expected.delete(`connection ${message.connection}`);
      break;
    case "wake":
      expected.delete(`alarm ${message.id}`);
      break;
    case "ended":
    case "trapped":
      expected.clear();
      break;
  }
}

/**
 * A port to a host in the same thread. What the host says is heard at once, from within its
 * `postMessage`; so whoever hears it must not answer before it has returned.
 */
export class LocalPort {
  /** The host's handler. */
  onmessage: ((event: { data: ToHost | Frames }) => void) | null = null;
  #heard: (message: ToClient | Frames) => void;

  constructor(heard: (message: ToClient | Frames) => void) {
    this.#heard = heard;
  }

  /** The host says something. */
  postMessage(message: ToClient | Frames): void {
    this.#heard(message);
  }

  /** Says something to the host. */
  say(message: ToHost | Frames): void {
    this.onmessage?.({ data: message });
  }

  close(): void {}
}
