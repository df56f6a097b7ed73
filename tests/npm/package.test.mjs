/** The package as it is published: what its package.json promises is there and loads in Node. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const dist = new URL("../../dist/npm/", import.meta.url);

test("the package's wasm compiles in Node and exports the broker", async () => {
  const manifest = JSON.parse(await readFile(new URL("package.json", dist), "utf8"));
  assert.equal(manifest.name, "partita");
  const partita = await import(new URL(manifest.exports["."].node, dist).href);
  const module = await partita.loadModule();
  const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.ok(exports.some((name) => name.startsWith("run_broker")), String(exports));
});
