/** KafkaJS's loggers: levels, namespaces, and a `logCreator` of the user's. */

import { logLevel } from "./constants.js";

export interface LoggerEntryContent {
  readonly timestamp: string;
  readonly message: string;
  [key: string]: any;
}

export interface LogEntry {
  namespace: string;
  level: logLevel;
  label: string;
  log: LoggerEntryContent;
}

export type logCreator = (level: logLevel) => (entry: LogEntry) => void;

export interface Logger {
  info(message: string, extra?: object): void;
  error(message: string, extra?: object): void;
  warn(message: string, extra?: object): void;
  debug(message: string, extra?: object): void;
  namespace(namespace: string, level?: logLevel): Logger;
  setLogLevel(level: logLevel): void;
}

/** Writes entries to the console, one line of JSON each. */
export const consoleLogCreator: logCreator =
  () =>
  ({ namespace, level, label, log }) => {
    const message = `${namespace ? `[${namespace}] ` : ""}${log.message}`;
    const line = JSON.stringify({ level: label, ...log, message });
    if (level === logLevel.ERROR) console.error(line);
    else if (level === logLevel.WARN) console.warn(line);
    else if (level === logLevel.INFO) console.info(line);
    else console.log(line);
  };

/** The level that the environment asks for, where there is one, or else the given. */
function effective<T>(level: T): T | logLevel {
  const env = typeof process === "undefined" ? undefined : process.env;
  const name = (env?.KAFKAJS_LOG_LEVEL ?? "").toUpperCase();
  return (logLevel as unknown as Record<string, logLevel>)[name] ?? level;
}

/** A root logger; its namespaces share its level unless they have one of their own. */
export function createLogger(level: logLevel, create: logCreator): Logger {
  let rootLevel = effective(level);
  const write = create(rootLevel);
  const scope = (namespace?: string, own?: logLevel | null): Logger => {
    const at = (label: string, level: logLevel) => (message: string, extra: object = {}) => {
      if (level > (own ?? rootLevel)) return;
      const log = { timestamp: new Date().toISOString(), logger: "kafkajs", message, ...extra };
      // KafkaJS's root logger has no namespace, though its types say otherwise.
      write({ namespace: namespace as string, level, label, log });
    };
    return {
      info: at("INFO", logLevel.INFO),
      error: at("ERROR", logLevel.ERROR),
      warn: at("WARN", logLevel.WARN),
      debug: at("DEBUG", logLevel.DEBUG),
      namespace: (name, own) => scope(name, effective(own ?? null)),
      setLogLevel: (level) => {
        rootLevel = level;
      },
    };
  };
  return scope();
}
