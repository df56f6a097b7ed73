/** The package as it is published: what its package.json promises is there and loads in Node. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const dist = new URL("../../dist/npm/", import.meta.url);

const manifest = JSON.parse(await readFile(new URL("package.json", dist), "utf8"));

test("the package's wasm compiles in Node and exports the broker", async () => {
  assert.equal(manifest.name, "partita");
  const partita = await import(new URL(manifest.exports["."].node, dist).href);
  const module = await partita.loadModule();
  const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.ok(exports.some((name) => name.startsWith("run_broker")), String(exports));
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
    const child = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    assert.match((await child).stdout, /loaded before\nfunction\n/);
  }
});

test("programs that say require get it too", async () => {
  const program = `
    const { Broker, Kafka, KafkaJSError } = require(${JSON.stringify(fileURLToPath(dist) + manifest.exports["."].node)});
    console.log(typeof Broker.open, typeof Kafka, new KafkaJSError("words").message);
  `;
  const child = promisify(execFile)(process.execPath, ["--input-type=commonjs", "-e", program]);
  assert.match((await child).stdout, /^function function words\n/);
});
