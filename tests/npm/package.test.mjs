/** The package as it is published: what its package.json promises is there and loads in Node. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, sep } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { install } from "./install.mjs";

const exec = promisify(execFile);

const dist = new URL("../../dist/npm/", import.meta.url);

const manifest = JSON.parse(await readFile(new URL("package.json", dist), "utf8"));

test("the package's wasm compiles in Node and exports the broker", async () => {
  assert.equal(manifest.name, "partita");
  const module = await WebAssembly.compile(await readFile(new URL("partita.wasm", dist)));
  const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.ok(exports.some((name) => name.startsWith("run_broker")), String(exports));
});

test("its exports are KafkaJS's, and these", async () => {
  const partita = await import(new URL(manifest.exports["."].node, dist).href);
  const { default: kafkajs } = await import("kafkajs");
  const own = ["Broker", "PartitaError", "PartitaQuotaExceeded", "StickyPartitioner", "load"];
  assert.deepEqual(Object.keys(partita).sort(), [...Object.keys(kafkajs), ...own].sort());
});

test("nothing of the machine that built it is in the package", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const files = await readdir(dist, { recursive: true, withFileTypes: true });
  const names = files.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  assert.deepEqual(names.filter((name) => /\.map$/.test(name)), []);
  for (const name of names) {
    const text = (await readFile(name)).toString("latin1");
    for (const path of [root, homedir() + sep, ".cargo", "registry/src"]) {
      assert.ok(!text.includes(path), `${name} names ${path}`);
    }
  }
});

test("the declarations are those that the package's own reach", async () => {
  const files = (await readdir(new URL("types/", dist), { recursive: true })).sort();
  const words = files.join(" ");
  assert.match(words, /entry\/index\.d\.ts/);
  assert.doesNotMatch(words, /command|node-worker|deframer/);
});

test("the caller may give the wasm, as bytes or compiled", async () => {
  const entry = new URL(manifest.exports["."].node, dist).href;
  for (const source of ["bytes", "await WebAssembly.compile(bytes)"]) {
    const program = `
      import { readFile } from "node:fs/promises";
      import { Kafka, load } from ${JSON.stringify(entry)};
      const bytes = await readFile(new URL(${JSON.stringify(new URL("partita.wasm", dist).href)}));
      await load(${source});
      await load();
      await load(bytes).catch((error) => console.log(error.message));
      console.log(typeof new Kafka({ brokers: ["localhost:9092"] }).producer().send);
    `;
    const child = exec(process.execPath, ["--input-type=module", "-e", program]);
    assert.match((await child).stdout, /loaded before\nfunction\n/);
  }
});

describe("programs that say require", () => {
  /** A whole round trip, through a `Broker` and through its port. */
  const ROUND_TRIP = `
    async function roundTrip({ Broker, Kafka }, brokerOf = Broker) {
      const broker = await brokerOf.open("required", { storage: "memory" });
      const { host, port } = await broker.listen();
      const read = [];
      for (const address of [broker, host + ":" + port]) {
        const kafka = new Kafka({ brokers: [address], logLevel: 0 });
        const topic = "orders-" + typeof address;
        const producer = kafka.producer();
        const consumer = kafka.consumer({ groupId: topic });
        await producer.connect();
        await producer.send({ topic, messages: [{ key: "k", value: Buffer.from("v"), headers: { a: "b" } }] });
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        read.push(await new Promise((resolve) => {
          const eachMessage = async ({ message: { key, value, headers } }) =>
            resolve([Buffer.isBuffer(value), String(key), String(value), String(headers.a)].join(" "));
          consumer.run({ eachMessage });
        }));
        const failed = kafka.admin().fetchTopicMetadata({ topics: ["nothing"] });
        read.push(await failed.catch((error) => error.constructor.name));
        await consumer.disconnect();
        await producer.disconnect();
      }
      await broker.close();
      return read;
    }
  `;
  const ROUND_TRIPS = Array(2).fill(["true k v b", "KafkaJSProtocolError"]).flat();

  /** Runs a program of the installed package; resolves to what it printed, read as JSON. */
  const run = async (type, text, flags = []) => {
    const args = [...flags, `--input-type=${type}`, "-e", `${ROUND_TRIP}\n${text}`];
    const { stdout } = await exec(process.execPath, args, { cwd: installed.folder, timeout: 60_000 });
    return JSON.parse(stdout);
  };

  let installed;
  before(async () => {
    installed = await install();
  });
  after(() => installed.remove());

  test("get it, where require loads no modules as well", async () => {
    const print = `roundTrip(require("partita")).then((read) => console.log(JSON.stringify(read)));`;
    const flag = "--no-experimental-require-module";
    // A Node that does not know the flag cannot do what it forbids.
    const flags = process.allowedNodeEnvironmentFlags.has(flag) ? [flag] : [];
    assert.deepEqual(await run("commonjs", print, flags), ROUND_TRIPS);
    const where = `console.log(JSON.stringify(require.resolve("partita")));`;
    assert.equal(basename(await run("commonjs", where)), "node.cjs");
  });

  test("get the same names as those that say import", async () => {
    const names = `console.log(JSON.stringify([Object.keys(module).sort(), resolved]));`;
    const imported = await run(
      "module",
      `import * as module from "partita"; const resolved = import.meta.resolve("partita"); ${names}`,
    );
    const required = await run(
      "commonjs",
      `{ const module = require("partita"); const resolved = require.resolve("partita"); ${names} }`,
    );
    assert.equal(basename(imported[1]), "node.js");
    assert.deepEqual(required[0], imported[0]);
  });

  test("give a Broker of one way of loading to a Kafka of the other", async () => {
    const text = `
      import { createRequire } from "node:module";
      import * as imported from "partita";
      const required = createRequire(process.cwd() + "/x.js")("partita");
      if (required.Kafka === imported.Kafka) throw new Error("there is one module only");
      const read = await roundTrip(required, imported.Broker);
      console.log(JSON.stringify([...read, ...(await roundTrip(imported, required.Broker))]));
    `;
    assert.deepEqual(await run("module", text), [...ROUND_TRIPS, ...ROUND_TRIPS]);
  });

  test("get it in a realm of their own, as under Jest", async () => {
    // What Jest does: the test and all it requires run in a context of their own, whose globals it
    // brings along; Node's modules are those of the process, and there is no import.
    const text = `
      const { readFileSync } = require("node:fs");
      const vm = require("node:vm");
      const globals = ["Buffer", "URL", "TextEncoder", "TextDecoder", "MessageChannel", "MessagePort", "Uint8Array",
        "ArrayBuffer", "performance", "queueMicrotask", "setTimeout", "clearTimeout", "crypto", "console", "process"];
      const context = vm.createContext(Object.fromEntries(globals.map((name) => [name, globalThis[name]])));
      const file = require.resolve("partita");
      const names = ["exports", "require", "module", "__filename"];
      const load = vm.compileFunction(readFileSync(file, "utf8"), names, { filename: file, parsingContext: context });
      const module = { exports: {} };
      load(module.exports, require, module, file);
      const inside = vm.runInContext("(" + roundTrip + ")", context);
      inside(module.exports).then((read) => console.log(JSON.stringify(read)));
    `;
    assert.deepEqual(await run("commonjs", text), ROUND_TRIPS);
  });

  test("bring no second copy of the wasm", async () => {
    const files = await readdir(join(installed.folder, "node_modules/partita"), { recursive: true });
    assert.deepEqual(files.filter((name) => name.endsWith(".wasm")), ["partita.wasm"]);
    const size = async (name) => (await stat(join(installed.folder, "node_modules/partita", name))).size;
    assert.ok((await size("node.cjs")) < (await size("partita.wasm")) / 2);
  });
});
