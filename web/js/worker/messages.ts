/**
 * What is said on a port, in TypeScript: `web/src/port/message.rs` defines it and says what each
 * message means.
 */

export interface HostOptions {
  name: string;
  storage?: "indexeddb" | "memory";
  durability?: "strict" | "relaxed";
  config?: Record<string, string>;
  /** Whether the clock may be changed, as the playground's may. */
  clock?: boolean;
  cacheBytes?: number;
  /** Why the host before this one died. */
  restartedAfter?: string;
}

export interface ListenerName {
  name: string;
  host: string;
  port: number;
}

/** Frames: connection, bytes, connection, bytes, … */
export type Frames = (number | ArrayBuffer)[];

export type ToHost =
  | { type: "open"; connection: number; listener?: ListenerName; address?: string }
  | { type: "close"; connection: number }
  | { type: "read"; connection: number; bytes: number }
  | { type: "alarm"; id: number; at?: number }
  | { type: "watch"; on: boolean }
  | { type: "rate"; rate: number }
  | { type: "pause"; on: boolean }
  | { type: "step" | "stop" | "start" | "end" | "detach" | "estimate" | "export" | "trap" }
  | { type: "attach"; port: MessagePort };

export type Failure =
  | "newerFormat"
  | "databaseDeleted"
  | "databaseClosed"
  | "storageFull"
  | "corrupt"
  | "invalidOptions"
  | "trapped"
  | "other";

export type Status =
  | { state: "starting" | "waiting" | "blocked" | "stopped" }
  | { state: "running"; epoch: number }
  | { state: "failed"; failure: Failure; message: string };

export type Notice = "storageFull" | "storageFailing" | "takenOver" | "restarted";

export type ToClient =
  | { type: "closed"; connection: number; reason: string }
  | { type: "credit"; connection: number; upto: number }
  | { type: "clock"; at: number; monotonic: number; wall: number; rate: number }
  | { type: "wake"; id: number; monotonic: number; wall: number }
  | ({ type: "status" } & Status)
  | { type: "notice"; notice: Notice; message: string; on: boolean }
  | { type: "events"; events: unknown[] }
  | { type: "stepped"; what: string }
  | { type: "estimate"; usage: number; quota: number }
  | { type: "exported"; error?: string; file?: Blob }
  | { type: "ended" }
  | { type: "trapped"; message: string; last: string };

/** How many bytes of unfinished requests a connection may have before the first `credit`. */
export const INITIAL_WINDOW = 8 * 1024 * 1024;
/** After how many bytes of responses read a client says so. */
export const ACK_EVERY = INITIAL_WINDOW / 4;
