/** Why a broker cannot be had, in a form that programs can act on and people can read. */
import type { Failure } from "../worker/messages.js";

/**
 * What kind of failure. Beside those of a broker that has failed (`Status`):
 * `inUse`: another tab holds the database, and the caller did not want to wait for it;
 * `alreadyOpen`: this page has the broker of that name open itself;
 * `closed`: the broker was closed; `listen`: the address cannot be listened on, and `code` says why
 * in the system's words; `unsupported`: not here, or not yet.
 */
export type BrokerFailure =
  | Failure
  | "inUse"
  | "alreadyOpen"
  | "closed"
  | "listen"
  | "unsupported";

/** What helps, where it is always the same. */
const HELP: Partial<Record<BrokerFailure, string>> = {
  newerFormat: "Load the page anew, or use the newer version of this package.",
  storageFull: "Free some of the origin's storage, then open the broker again.",
  databaseDeleted: "Open the broker again: it begins with an empty database.",
  databaseClosed: "Open the broker again.",
  inUse: "Close the other tab, or leave `wait` out to take over when it goes.",
  alreadyOpen: "Use that one, or close it first: await broker.close().",
  closed: "Open a broker with Broker.open.",
  trapped: "This is a defect of the package: please report it with the message above.",
};

export class PartitaError extends Error {
  override name = "PartitaError";
  readonly failure: BrokerFailure;
  /** The system's error code, such as `EADDRINUSE`, where there is one. */
  readonly code: string | undefined;
  /** What a person can do about it, where something is known to help. */
  readonly help: string | undefined;

  constructor(
    failure: BrokerFailure,
    message: string,
    { help = HELP[failure], code }: { help?: string; code?: string | undefined } = {},
  ) {
    super(help ? `${message}. ${help}` : message);
    this.failure = failure;
    this.code = code;
    this.help = help;
  }
}
