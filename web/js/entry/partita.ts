#!/usr/bin/env node
/** The command `partita`. */
import { run } from "../command/run.js";
import { Broker, Kafka } from "./node.js";

const manifest = new URL("./package.json", import.meta.url);
process.exitCode = await run(process.argv.slice(2), { Broker, Kafka, manifest });
