/**
 * Kafka's clients by TCP: sockets on `node:net`, in the thread of the host, each a connection of
 * the host's (`web/src/port/message.rs`).
 *
 * A connection keeps to its window: while the broker has not finished so many bytes of its
 * requests, its socket is not read, and TCP holds its client up. A client that does not read its
 * responses is told to the host by the bytes that have left, and gets no more of them.
 */
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { ACK_EVERY, INITIAL_WINDOW } from "../../worker/messages.js";
import type { Frames, ListenerName, ToClient, ToHost } from "../../worker/messages.js";
import type { Address, Listening } from "../options.js";
import { Deframer } from "./deframer.js";

/** Addresses that mean every address of this machine: nobody can connect to them elsewhere. */
const ANY = ["0.0.0.0", "::"];

/** `socket.request.max.bytes`, Kafka's default. */
const MAX_REQUEST_BYTES = 104_857_600;

/** The way to the host. */
export type Say = (message: ToHost | Frames) => void;

/** All listeners of a host, and the connections that came in by them. */
export class Listeners {
  /** The broker's `socket.request.max.bytes`: a larger request ends its connection. */
  maxRequestBytes = MAX_REQUEST_BYTES;
  #say: Say;
  #servers = new Set<Server>();
  #connections = new Map<number, Connection>();
  #last = 0;

  constructor(say: Say) {
    this.#say = say;
  }

  /** Listens; resolves when connections are accepted, rejects with the system's error. */
  listen({ host, port, advertise }: Listening): Promise<Address> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true });
      server.once("error", reject);
      server.listen({ host, port }, () => {
        const bound = { host, port: (server.address() as AddressInfo).port };
        server.off("error", reject);
        server.on("connection", (socket) => {
          const at = ANY.includes(host) ? { ...bound, host: reached(socket) } : bound;
          this.#accept(socket, { name: "PLAINTEXT", ...(advertise ?? at) });
        });
        this.#servers.add(server);
        resolve(bound);
      });
    });
  }

  /** Accepts no more. Connections stay. */
  unlisten(): void {
    for (const server of this.#servers) server.close();
    this.#servers.clear();
  }

  /** Hears what the host says. */
  heard(message: ToClient | Frames): void {
    if (Array.isArray(message)) {
      for (let at = 0; at < message.length; at += 2) {
        const connection = this.#connections.get(message[at] as number);
        connection?.respond(message[at + 1] as ArrayBuffer);
      }
    } else if (message.type === "credit") {
      this.#connections.get(message.connection)?.credit(message.upto);
    } else if (message.type === "closed") {
      const connection = this.#connections.get(message.connection);
      this.#connections.delete(message.connection);
      connection?.end();
    }
  }

  #accept(socket: Socket, listener: ListenerName): void {
    this.#last += 1;
    const number = this.#last;
    const address = socket.remoteAddress ?? "";
    this.#say({ type: "open", connection: number, listener, address });
    const gone = (): void => {
      if (this.#connections.delete(number)) this.#say({ type: "close", connection: number });
    };
    this.#connections.set(number, new Connection(number, socket, this.#say, gone, this.maxRequestBytes));
  }
}

/** The address by which a client came in. */
function reached(socket: Socket): string {
  const address = socket.localAddress ?? "127.0.0.1";
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

class Connection {
  #number: number;
  #socket: Socket;
  #say: Say;
  #deframer: Deframer;
  /** Bytes of requests sent to the host, and up to how many may be. */
  #sent = 0;
  #upto = INITIAL_WINDOW;
  /** Requests that wait for a larger window. */
  #waiting: ArrayBuffer[] = [];
  /** Bytes of responses that have left, and how many of them the host knows of. */
  #left = 0;
  #told = 0;

  constructor(number: number, socket: Socket, say: Say, gone: () => void, maxBytes: number) {
    this.#number = number;
    this.#socket = socket;
    this.#say = say;
    this.#deframer = new Deframer(maxBytes);
    socket.on("data", (bytes) => this.#received(bytes));
    // Of no interest but that it is over: "close" follows.
    socket.on("error", () => undefined);
    socket.on("close", gone);
  }

  /** A response leaves. */
  respond(frame: ArrayBuffer): void {
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(frame.byteLength);
    this.#socket.cork();
    this.#socket.write(length);
    this.#socket.write(Buffer.from(frame), () => this.#hasLeft(frame.byteLength));
    this.#socket.uncork();
  }

  /** More requests may be sent. */
  credit(upto: number): void {
    this.#upto = upto;
    // Not from within the host's message: the host hears nothing meanwhile.
    setImmediate(() => this.#forward());
  }

  /** The host has closed the connection: what was answered before still leaves. */
  end(): void {
    this.#socket.destroySoon();
  }

  #received(bytes: Uint8Array): void {
    try {
      this.#waiting.push(...this.#deframer.push(bytes));
    } catch {
      this.#socket.destroy();
      return;
    }
    this.#forward();
  }

  #forward(): void {
    const frames: Frames = [];
    while (this.#sent < this.#upto) {
      const frame = this.#waiting.shift();
      if (!frame) break;
      this.#sent += frame.byteLength;
      frames.push(this.#number, frame);
    }
    if (this.#waiting.length > 0) this.#socket.pause();
    else this.#socket.resume();
    if (frames.length > 0 && !this.#socket.destroyed) this.#say(frames);
  }

  #hasLeft(bytes: number): void {
    this.#left += bytes;
    if (this.#left - this.#told < ACK_EVERY || this.#socket.destroyed) return;
    this.#told = this.#left;
    this.#say({ type: "read", connection: this.#number, bytes: this.#left });
  }
}
