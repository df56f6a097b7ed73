/** What is said between the process and the thread of a broker in Node, beside `worker/shell.ts`. */
import type { FromWorker, Start } from "../../worker/shell.js";
import type { Address, Listening } from "../options.js";

/** What the thread is asked; each is answered by its number. */
export type Request =
  | { type: "listen"; id: number; options: Listening }
  | { type: "unlisten"; id: number };

/** The answer: an address if there is one, or the system's error. */
export interface Answer {
  type: "answer";
  id: number;
  address?: Address;
  error?: { message: string; code: string | undefined };
}

export type ToThread = Start | Request;
export type FromThread = FromWorker | Answer;
