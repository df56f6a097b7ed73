/** The command line of `partita`. */
import { parseArgs } from "node:util";

export const HELP = `Usage: partita [options]

A broker with Apache Kafka's protocol, in memory: its records are gone when it stops.

  --host HOST              the address to listen on (127.0.0.1)
  --port N                 the port to listen on (9092); 0 takes any that is free
  --advertise HOST:PORT    where clients are told to come back to, if that is elsewhere
  --topic NAME:PARTITIONS  creates a topic; may be given again
  --set KEY=VALUE          sets a broker config by Kafka's name; may be given again
  --data-dir DIR           not there yet
  --version                prints the version
  --help                   prints this

Prints "listening on HOST:PORT" when it accepts connections. Stops on SIGINT and SIGTERM.
`;

export interface Topic {
  topic: string;
  numPartitions: number;
}

/** What is to be done. */
export type Command =
  | { do: "help" | "version" }
  | {
      do: "serve";
      host: string;
      port: number;
      advertise: string | undefined;
      topics: Topic[];
      config: Record<string, string>;
    };

/** The command line makes no sense. */
export class UsageError extends Error {}

/** Reads the command line; throws a `UsageError` that says what to do. */
export function parse(args: string[]): Command {
  const options = read(args);
  if (options.help) return { do: "help" };
  if (options.version) return { do: "version" };
  if (options["data-dir"] !== undefined) {
    throw new UsageError("--data-dir is not there yet: leave it out, and records stay in memory");
  }
  return {
    do: "serve",
    host: options.host,
    port: wholeNumber(options.port, `--port ${options.port}`, "a port from 0 to 65535"),
    advertise: options.advertise,
    topics: topics(options.topic),
    config: Object.fromEntries(options.set.map(setting)),
  };
}

function read(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "9092" },
        advertise: { type: "string" },
        topic: { type: "string", multiple: true, default: [] },
        set: { type: "string", multiple: true, default: [] },
        "data-dir": { type: "string" },
        version: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values as typeof values & { host: string; port: string; topic: string[]; set: string[] };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function topics(given: string[]): Topic[] {
  const topics = given.map((value) => {
    const [, topic = "", count = ""] = /^(.+):([^:]*)$/.exec(value) ?? [];
    if (topic === "") {
      throw new UsageError(`--topic ${value}: write NAME:PARTITIONS, as in --topic orders:3`);
    }
    const numPartitions = wholeNumber(count, `--topic ${value}`, "a number of partitions");
    return { topic, numPartitions };
  });
  const names = topics.map(({ topic }) => topic);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--topic ${twice} is given twice: give it once`);
  return topics;
}

function setting(value: string): [string, string] {
  const at = value.indexOf("=");
  if (at < 1) {
    throw new UsageError(`--set ${value}: write KEY=VALUE, as in --set num.partitions=3`);
  }
  return [value.slice(0, at), value.slice(at + 1)];
}

function wholeNumber(value: string, where: string, what: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`${where}: give ${what}`);
  return Number(value);
}
