/** What `partita` does: a broker in memory that listens, until it is told to stop. */
import { readFile } from "node:fs/promises";
import type { BrokerConstructor, Broker } from "../broker/broker.js";
import { PartitaError } from "../broker/errors.js";
import { logLevel } from "../kafkajs/constants.js";
import type { KafkaConstructor } from "../kafkajs/index.js";
import { HELP, UsageError, parse } from "./options.js";
import type { Command, Topic } from "./options.js";

/** What the command uses of the package. */
export interface Package {
  Broker: BrokerConstructor;
  Kafka: KafkaConstructor;
  /** The package's package.json. */
  manifest: URL;
}

/** The exit code when the command line, or what it asks of the broker, makes no sense. */
const USAGE = 2;
const FAILED = 1;

/** Runs the command; resolves to its exit code. */
export async function run(args: string[], { Broker, Kafka, manifest }: Package): Promise<number> {
  try {
    const command = parse(args);
    switch (command.do) {
      case "help":
        process.stdout.write(HELP);
        return 0;
      case "version":
        process.stdout.write(`${JSON.parse(await readFile(manifest, "utf8")).version}\n`);
        return 0;
      case "serve":
        return await serve(command, Broker, Kafka);
    }
  } catch (error) {
    return explain(error);
  }
}

type Serve = Extract<Command, { do: "serve" }>;

async function serve(command: Serve, Broker: BrokerConstructor, Kafka: KafkaConstructor) {
  const { host, port, advertise, topics, config } = command;
  const stop = stopSignal();
  const broker = await Broker.open("partita", { storage: "memory", config });
  try {
    const failed = new Promise<string>((resolve) => {
      broker.on("status", (status) => status.state === "failed" && resolve(status.message));
    });
    await createTopics(new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }), topics);
    const listening = { host, port, ...(advertise !== undefined && { advertise }) };
    print(`listening on ${shown(await broker.listen(listening))}`);
    const reason = await Promise.race([stop, failed]);
    if (reason === undefined) return 0;
    complain(`the broker has failed: ${reason}`);
    return FAILED;
  } finally {
    await broker.close();
  }
}

/** Resolves when the process is told to stop. */
function stopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => resolve(undefined));
    }
  });
}

/** Creates the topics as any client would: there is no other way. */
async function createTopics(kafka: InstanceType<KafkaConstructor>, topics: Topic[]): Promise<void> {
  if (topics.length === 0) return;
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (const topic of topics) {
      await admin.createTopics({ topics: [topic] }).catch((error: Error) => {
        const reason = (error as { errors?: Error[] }).errors?.[0]?.message ?? error.message;
        throw new UsageError(`--topic ${topic.topic}:${topic.numPartitions}: ${reason}`);
      });
    }
  } finally {
    await admin.disconnect();
  }
}

function shown({ host, port }: Awaited<ReturnType<Broker["listen"]>>): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function explain(error: unknown): number {
  if (error instanceof UsageError) {
    complain(`${error.message} (partita --help)`);
    return USAGE;
  }
  if (error instanceof PartitaError) {
    complain(error.message);
    return error.failure === "invalidOptions" ? USAGE : FAILED;
  }
  throw error;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`partita: ${line}\n`);
