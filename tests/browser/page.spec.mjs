/** The page starts: one wasm, compiled once, in the page and in the broker's worker. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { PLAYGROUND, serve, startBrowser } from "./harness.mjs";

const running = (page) => page.locator("[data-broker=running]").waitFor();

test("the page starts a broker in a worker, from any path", async (t) => {
  for (const path of ["/", "/a/b/"]) {
    const { url } = await serve(t, { path });
    const browser = await startBrowser(t);
    const page = await browser.open(url);
    await running(page);
    assert.equal(page.workers().length, 1);
  }
});

test("a server that does not know wasm will do", async (t) => {
  const { url } = await serve(t, { types: { ".wasm": "application/octet-stream" } });
  const browser = await startBrowser(t);
  await running(await browser.open(url));
});

test("a file that is missing is said so in the page", async (t) => {
  const { url } = await serve(t);
  const browser = await startBrowser(t);
  browser.expectErrors();
  await browser.context.route("**/*.wasm", (route) => route.fulfill({ status: 404 }));
  const page = await browser.open(url);
  assert.match(await page.getByRole("alert").textContent(), /could not start.*404/);
});

test("the page comes back after its renderer or its browser was killed", async (t) => {
  const { url } = await serve(t);
  const browser = await startBrowser(t);
  const page = await browser.open(url);
  await running(page);
  assert.ok((await browser.killRenderers()) > 0);
  await running(await browser.open(url));

  await browser.kill();
  await browser.start();
  const again = await browser.open(url);
  await running(again);
  await browser.crash(again);
  await running(await browser.open(url));
  await browser.restart();
  await running(await browser.open(url));
});

test("every file but the page itself has a hash in its name", async () => {
  const names = await readdir(PLAYGROUND);
  assert.ok(names.length >= 4, String(names));
  for (const name of names) {
    assert.match(name, /^index\.html$|-([0-9A-Z]{8}|[0-9a-f]{16})\.(js|css|wasm)(\.map)?$/);
  }
});
